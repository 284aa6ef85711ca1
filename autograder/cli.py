"""The command line: one command a verb, each a thin wrapper around the module of that name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder import __version__
from autograder.errors import AutograderError
from autograder.folder import CourseFolder

app = typer.Typer(
    help="Builds, proves, grades and reports nbgrader assignments.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Everything for people goes to standard error; standard output is for --json.
console = Console(stderr=True, highlight=False)

CourseDir = Annotated[
    Path, typer.Option("--course-dir", help="The course folder.", show_default="this folder")
]
Names = Annotated[list[str] | None, typer.Argument(help="Assignments; all when none is named.")]


def say(line: str) -> None:
    """One line for the person at the terminal."""
    console.print(line, markup=False, soft_wrap=True)


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

    folder = CourseFolder.open(course_dir)
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


def main() -> None:
    """Run the command line; an AutograderError is one line and exit code 2."""
    try:
        app()
    except AutograderError as error:
        say(f"autograder: {error}")
        sys.exit(2)


if __name__ == "__main__":
    main()
