"""The commands that try this machine: doctor, demo."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.arguments import CourseDir, Json, open_folder
from autograder.progress import say


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


def demo(
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", show_default="one a core", help="Submissions at once.")
    ] = 0,
    course_dir: CourseDir = Path(),
) -> None:
    """Build, make a class of 24 synthetic submissions of lesson 01, grade it, show the pages."""
    from autograder.demo import run_demo

    run_demo(open_folder(course_dir), jobs or os.cpu_count() or 1)
