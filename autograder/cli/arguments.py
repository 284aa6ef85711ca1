"""The arguments and options that several commands take, and what they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from autograder.folder import CourseFolder

CourseDir = Annotated[
    Path, typer.Option("--course-dir", help="The course folder.", show_default="this folder")
]
Names = Annotated[list[str] | None, typer.Argument(help="Assignments; all when none is named.")]
Assignment = Annotated[str, typer.Argument(help="The assignment.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Isolation = Annotated[
    str,
    typer.Option("--isolation", show_default="jail", help="jail, or process (no protection)."),
]


def open_folder(course_dir: Path) -> CourseFolder:
    """The course in a folder; importing nbgrader for that takes a while, so it waits for a need."""
    from autograder.folder import CourseFolder

    return CourseFolder.open(course_dir)


def choose_isolation(asked: str) -> str:
    """The isolation to use: the jail unless the person says otherwise.

    Raises:
        IsolationError: when this machine cannot give what was asked for.
    """
    from autograder.isolation import choose

    return choose(asked)
