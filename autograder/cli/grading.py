"""The command that grades, its workers, and how it ends when somebody stops it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.cli.arguments import (
    Assignment,
    CourseDir,
    Isolation,
    Json,
    choose_isolation,
    open_folder,
)
from autograder.errors import AutograderError
from autograder.progress import Meter, say

if TYPE_CHECKING:
    from autograder.crew import Crew


def grade(
    assignment: Assignment,
    jobs: Annotated[
        int,
        typer.Option("--jobs", "-j", show_default="one a core", help="Submissions at once."),
    ] = 0,
    isolation: Isolation = "",
    timeout: Annotated[
        int,
        typer.Option("--timeout", show_default="the configured limit", help="Seconds a cell."),
    ] = 0,
    force: Annotated[bool, typer.Option("--force", help="Run unchanged submissions too.")] = False,
    student: Annotated[
        list[str] | None, typer.Option("--student", help="Only this student; may be repeated.")
    ] = None,
    scheduler: Annotated[
        str,
        typer.Option("--scheduler", help="Address of a Dask scheduler (tcp://HOST:PORT)."),
    ] = "",
    as_json: Json = False,
    course_dir: CourseDir = Path(),
) -> None:
    """Grade every submission of an assignment that changed since it was last graded."""
    # On a cluster the workers' machines have to give it.
    walls = isolation or "jail" if scheduler else choose_isolation(isolation)
    with interruptible(), ExitStack() as stack:
        crew = None if scheduler else stack.enter_context(crew_for(course_dir, assignment, walls))
        from autograder import grade as grader

        jobs = jobs or os.cpu_count() or 1
        chosen = tuple(student or ())
        options = grader.Options(jobs, walls, timeout or None, force, chosen, scheduler)
        folder = open_folder(course_dir)
        meter = stack.enter_context(Meter(f"grading {assignment}"))
        run = grader.grade(folder, assignment, options, meter.graded, crew)
    for change in run.changes:
        say(f"changed: {change}")
    say(
        f"{run.submissions} submissions: {run.graded} graded, {run.unchanged} unchanged, "
        f"{len(run.problems)} problems, in {run.seconds:.1f} s (isolation: {run.isolation})"
    )
    if as_json:
        typer.echo(json.dumps(run.to_dict(), ensure_ascii=True))
    raise typer.Exit(1 if run.problems else 0)


@contextmanager
def crew_for(course_dir: Path, assignment: str, isolation: str) -> Iterator[Crew]:
    """Workers that get ready while this process imports and reads what it needs itself."""
    from autograder.crew import Crew
    from autograder.request import Expected, JailRequest

    crew = Crew()
    try:
        master = course_dir / "source" / assignment / f"{assignment}.ipynb"
        with suppress(OSError, ValueError, AttributeError, TypeError):  # whoever reads it says so
            notebook = master.read_bytes()
            packages = json.loads(notebook)["metadata"].get("autograder", {}).get("packages")
            asked = JailRequest(packages=packages and tuple(packages), isolation=isolation)
            crew.expect(Expected(asked.server_key(), notebook))
        yield crew
    finally:
        crew.close()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end a long run in order, with one line."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise AutograderError(
            "stopped", remedy="what was graded is kept; the same command goes on with the rest"
        ) from None
    finally:
        signal.signal(signal.SIGTERM, before)
