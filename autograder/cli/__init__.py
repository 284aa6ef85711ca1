"""The command line: one command a verb, each a thin wrapper around the module of that name.

- ``author``: build, verify, publish
- ``grading``: grade
- ``classroom``: collect, feedback, report, similar, export
- ``machine``: doctor, demo
- ``arguments``: what several of them take
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from autograder import (
    __version__,
    lean,  # noqa: F401
)
from autograder.cli.author import build, publish, verify
from autograder.cli.classroom import collect, export, feedback, report, similar
from autograder.cli.grading import grade
from autograder.cli.machine import demo, doctor
from autograder.errors import AutograderError
from autograder.progress import say

# In the order in which the help lists them.
COMMANDS: list[Callable[..., None]] = [
    *(build, grade, verify, feedback, report, similar, publish, collect, export, doctor, demo),
]
app = typer.Typer(
    help="Builds, proves, grades and reports nbgrader assignments.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in COMMANDS:
    app.command()(command)


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
