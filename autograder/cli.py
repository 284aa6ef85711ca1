"""The command line: one command a verb, each a thin wrapper around the module of that name."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder import (
    __version__,
    lean,  # noqa: F401
)
from autograder.errors import AutograderError
from autograder.progress import Meter, console, say

if TYPE_CHECKING:
    from autograder.classroom import Findings
    from autograder.folder import CourseFolder
    from autograder.pool import Crew

app = typer.Typer(
    help="Builds, proves, grades and reports nbgrader assignments.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
CourseDir = Annotated[
    Path, typer.Option("--course-dir", help="The course folder.", show_default="this folder")
]
Names = Annotated[list[str] | None, typer.Argument(help="Assignments; all when none is named.")]


@app.command()
def build(
    names: Names = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; list what is stale.")
    ] = False,
    pull: Annotated[
        bool, typer.Option("--pull", help="Bring edits of built notebooks back into the text.")
    ] = False,
    course_dir: CourseDir = Path(),
) -> None:
    """Text to source notebook, release and executed solution."""
    from autograder import build as builder

    folder = open_folder(course_dir)
    lessons = names or folder.lessons()
    if pull:
        files = builder.pull(folder, lessons)
        verb = "pulled into"
    elif check:
        files = builder.stale(folder, lessons)
        verb = "stale:"
    else:
        files = builder.build(folder, lessons, log=say)
        verb = "built"
    for file in files:
        say(f"{verb} {file.relative_to(folder.root)}")
    if not files:
        say("nothing to do: everything is up to date")
    raise typer.Exit(1 if check and files else 0)


def open_folder(course_dir: Path) -> CourseFolder:
    """The course in a folder; importing nbgrader for that takes a while, so it waits for a need."""
    from autograder.folder import CourseFolder

    return CourseFolder.open(course_dir)


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]

Isolation = Annotated[
    str,
    typer.Option("--isolation", show_default="jail", help="jail, or process (no protection)."),
]


def choose_isolation(asked: str) -> str:
    """The isolation to use: the jail unless the person says otherwise.

    Raises:
        IsolationError: when this machine cannot give what was asked for.
    """
    from autograder.isolation import choose

    return choose(asked)


@contextmanager
def crew_for(course_dir: Path, assignment: str, isolation: str) -> Iterator[Crew]:
    """Workers that get ready while this process imports and reads what it needs itself."""
    from autograder.pool import Crew
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


@app.command()
def grade(
    assignment: Annotated[str, typer.Argument(help="The assignment.")],
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


Assignment = Annotated[str, typer.Argument(help="The assignment.")]


@app.command()
def verify(
    names: Names = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", show_default="one a core", help="Runs at once.")
    ] = 0,
    isolation: Isolation = "",
    mutants: Annotated[
        str,
        typer.Option(
            "--mutants", help="Mechanical mutants of each exercise: all, none, or how many."
        ),
    ] = "all",
    detail: Annotated[bool, typer.Option("--detail", help="Show which cell catches what.")] = False,
    as_json: Json = False,
    course_dir: CourseDir = Path(),
) -> None:
    """Prove the hidden tests: solution full marks, release none, mistakes and mutants caught."""
    from autograder import prooftable
    from autograder import verify as verifier

    if mutants not in ("all", "none") and not mutants.isdecimal():
        raise AutograderError(
            f"--mutants {mutants!r} is no number", remedy="give all, none, or a number"
        )
    most = None if mutants == "all" else 0 if mutants == "none" else int(mutants)
    folder = open_folder(course_dir)
    with Meter("verifying") as meter:
        proof = verifier.verify(
            folder,
            names or folder.assignments(),
            jobs or os.cpu_count() or 1,
            choose_isolation(isolation),
            meter.step,
            most,
        )
    prooftable.show(proof, console, detail)
    if as_json:
        typer.echo(json.dumps(proof.to_dict(), ensure_ascii=True))
    raise typer.Exit(0 if proof.ok else 1)


def diagnosed(folder: CourseFolder, assignment: str) -> Findings:
    """What is wrong in each failed exercise of the class; nothing, with a line, if that fails."""
    from autograder.classroom import Findings, diagnose_class

    try:
        with Meter(f"known mistakes of {assignment}") as meter:
            return diagnose_class(folder, assignment, os.cpu_count() or 1, meter.step)
    except AutograderError as error:
        say(f"no diagnoses: {error}")
        return Findings(assignment)


@app.command()
def feedback(assignment: Assignment, course_dir: CourseDir = Path()) -> None:
    """One page for each graded submission."""
    from autograder.feedback import write_feedback

    folder = open_folder(course_dir)
    findings = diagnosed(folder, assignment)
    with Meter(f"feedback on {assignment}") as meter:
        pages = write_feedback(
            folder, assignment, progress=meter.at, diagnoses=findings.sentences()
        )
    say(f"{len(pages)} pages in {folder.feedback}")


@app.command()
def report(assignment: Assignment, course_dir: CourseDir = Path()) -> None:
    """One page for the instructor: grades, pass rates, times, what needs a person."""
    from autograder.report import write_report

    folder = open_folder(course_dir)
    mistakes = diagnosed(folder, assignment).ranking(folder)
    say(f"report in {write_report(folder, assignment, mistakes)}")


@app.command()
def similar(assignment: Assignment, as_json: Json = False, course_dir: CourseDir = Path()) -> None:
    """Pairs of submissions that are unusually alike, side by side; no score depends on it."""
    from autograder.similar import find_similar

    with Meter(f"comparing {assignment}") as meter:
        found = find_similar(open_folder(course_dir), assignment, meter.at)
    found.tell()
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=True))
    raise typer.Exit(1 if found.problems or found.likeness.pairs else 0)


@app.command()
def publish(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="The student repository.")],
    names: Names = None,
    url: Annotated[
        str, typer.Option("--url", help="Where it will be, for the Binder button; remembered.")
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite what was changed there.")
    ] = False,
    course_dir: CourseDir = Path(),
) -> None:
    """Make or update the repository that students get: releases, helpers, environment."""
    from autograder.publish import publish as hand_out

    done = hand_out(open_folder(course_dir), target, list(names or ()), url=url, force=force)
    for verb in ("added", "updated", "removed"):
        for path in getattr(done, verb):
            say(f"{verb} {path}")
    for path in done.kept:
        say(f"kept {path}: changed by hand, and there is a newer one; --force overwrites it")
    say(
        f"lessons in {target}: {len(done.lessons)}; {len(done.added)} files added, "
        f"{len(done.updated)} updated, {len(done.removed)} removed, {done.unchanged} unchanged, "
        f"{len(done.kept)} kept"
    )
    raise typer.Exit(1 if done.kept else 0)


@app.command()
def collect(
    assignment: Assignment,
    inbox: Annotated[Path, typer.Argument(help="A platform's zip file, or a folder.")],
    layout: Annotated[
        str,
        typer.Option(
            "--format", show_default="told from the names", help="canvas, moodle, github or folder."
        ),
    ] = "",
    as_json: Json = False,
    course_dir: CourseDir = Path(),
) -> None:
    """Put what students handed in elsewhere where grading looks for it."""
    from autograder.collect import collect as gather

    done = gather(open_folder(course_dir), assignment, inbox, layout)
    for problem in done.problems:
        say(problem)
    for student in done.older:
        say(f"{student}: has handed in later than this; left as it is")
    say(
        f"{done.system}: {len(done.placed)} submissions placed, {len(done.replaced)} of them in "
        f"place of earlier ones, {len(done.unchanged)} unchanged, {done.earlier} earlier attempts "
        f"passed over, {len(done.problems)} problems"
    )
    if as_json:
        typer.echo(json.dumps(done.to_dict(), ensure_ascii=True))
    raise typer.Exit(1 if done.problems else 0)


@app.command()
def export(
    assignment: Assignment,
    layout: Annotated[str, typer.Option("--format", help="csv, canvas or moodle.")] = "csv",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", show_default="beside the results", help="The file."),
    ] = None,
    column: Annotated[
        str,
        typer.Option(
            "--column",
            show_default="the assignment's name",
            help="Its column in Canvas, as Canvas exports it: NAME (NUMBER).",
        ),
    ] = "",
    course_dir: CourseDir = Path(),
) -> None:
    """Grades as a learning platform imports them."""
    from autograder.export import export as write_grades

    written = write_grades(open_folder(course_dir), assignment, layout, output, column)
    for problem in written.problems:
        say(problem)
    say(f"{written.rows} grades in {written.path}")
    raise typer.Exit(1 if written.problems else 0)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Try on this machine all that grading needs, and say which isolation it can give."""
    from autograder import doctor as surgery

    examined = surgery.examine()
    for name, check in examined.checks.items():
        say(f"{'ok  ' if check.ok else 'FAIL'} {name}: {check.detail}")
    say(f"isolation: {examined.isolation}")
    if as_json:
        typer.echo(json.dumps(examined.to_json(), ensure_ascii=True))
    raise typer.Exit(0 if all(check.ok for check in examined.checks.values()) else 1)


@app.command()
def demo(
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", show_default="one a core", help="Submissions at once.")
    ] = 0,
    course_dir: CourseDir = Path(),
) -> None:
    """Build, make a class of 24 synthetic submissions of lesson 01, grade it, show the pages."""
    from autograder.demo import run_demo

    run_demo(open_folder(course_dir), jobs or os.cpu_count() or 1)


def version(value: bool) -> None:
    """Print the version and stop."""
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Exit 0: done. 1: done, and something needs a person. 2: not done, one line says why."""


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


def main() -> None:
    """Run the command line; an AutograderError is one line and exit code 2."""
    try:
        app()
    except AutograderError as error:
        say(f"autograder: {error}")
        sys.exit(2)


if __name__ == "__main__":
    main()
