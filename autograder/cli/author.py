"""The commands of whoever writes lessons: build, verify, publish."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.arguments import (
    CourseDir,
    Isolation,
    Json,
    Names,
    choose_isolation,
    open_folder,
)
from autograder.errors import AutograderError
from autograder.progress import Meter, console, say


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
