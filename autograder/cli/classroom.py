"""The commands around grading a class: collect, feedback, report, similar, export."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.cli.arguments import Assignment, CourseDir, Json, open_folder
from autograder.errors import AutograderError
from autograder.progress import Meter, say

if TYPE_CHECKING:
    from autograder.classroom import Findings
    from autograder.folder import CourseFolder


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


def report(assignment: Assignment, course_dir: CourseDir = Path()) -> None:
    """One page for the instructor: grades, pass rates, times, what needs a person."""
    from autograder.report import write_report

    folder = open_folder(course_dir)
    mistakes = diagnosed(folder, assignment).ranking(folder)
    say(f"report in {write_report(folder, assignment, mistakes)}")


def diagnosed(folder: CourseFolder, assignment: str) -> Findings:
    """What is wrong in each failed exercise of the class; nothing, with a line, if that fails."""
    from autograder.classroom import Findings, diagnose_class

    try:
        with Meter(f"known mistakes of {assignment}") as meter:
            return diagnose_class(folder, assignment, os.cpu_count() or 1, meter.step)
    except AutograderError as error:
        say(f"no diagnoses: {error}")
        return Findings(assignment)


def similar(assignment: Assignment, as_json: Json = False, course_dir: CourseDir = Path()) -> None:
    """Pairs of submissions that are unusually alike, side by side; no score depends on it."""
    from autograder.similar import find_similar

    with Meter(f"comparing {assignment}") as meter:
        found = find_similar(open_folder(course_dir), assignment, meter.at)
    found.tell()
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=True))
    raise typer.Exit(1 if found.problems or found.likeness.pairs else 0)


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
