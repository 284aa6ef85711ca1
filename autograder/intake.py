"""Finds what students handed in, reads it, and knows what has changed since it was graded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from autograder.cases import Lesson, Task
from autograder.errors import CourseError, SubmissionError
from autograder.folder import CourseFolder
from autograder.submission import MAX_BYTES, find_notebook, show_name

MAX_FILES = 64 * 1024 * 1024
# The modules that decide a score: when one of them changes, every submission is graded again.
DECIDING = (
    *("allowed", "bout", "bridge", "confine", "execution", "exercises", "forkserver", "gate"),
    *("hearing", "imports"),
    *(
        "intake",
        "jail",
        "kernel",
        "kernels",
        "limits",
        "namespaces",
        "outputs",
        "peer",
        "pictures",
        "referee",
        "remote",
        "request",
    ),
    *(
        "restore",
        "scopes",
        "seccomp",
        "submission",
        "trusted",
        "verdict",
        "view",
        "warden",
        "warmkernel",
    ),
    *("watch", "wire", "work"),
)


def find_submissions(folder: CourseFolder, assignment: str, students: Iterable[str]) -> list[Path]:
    """The folders ``submitted/STUDENT/ASSIGNMENT``, sorted by student.

    Raises:
        CourseError: when a student that was asked for has no submission.
    """
    everyone = folder.submitted.iterdir() if folder.submitted.is_dir() else []
    found = sorted(
        (place / assignment for place in everyone if (place / assignment).is_dir()),
        key=lambda place: os.fsencode(place),
    )
    wanted = set(students)
    if missing := wanted - {show_name(place.parent.name) for place in found}:
        raise CourseError(
            f"no submission of {assignment} by {', '.join(sorted(missing))}",
            where=folder.submitted,
        )
    return [p for p in found if not wanted or show_name(p.parent.name) in wanted]


def read_task(place: Path, lesson: Lesson, alone: bool = True) -> Task:
    """The submission in the folder ``place``, read whole; unreadable ones carry their reason.

    Args:
        place: ``submitted/STUDENT/ASSIGNMENT``.
        lesson: the notebook to look for.
        alone: whether the assignment has no other; a renamed one can then be told.
    """
    student = show_name(place.parent.name)
    notes: list[str] = []
    if student != place.parent.name:
        notes.append(f"the folder's name is not UTF-8; recorded as {student}")
    content, refusal = None, ""
    path: Path | None = None
    try:
        named = place / f"{lesson.name}.ipynb"
        if not alone and not named.is_file():
            raise SubmissionError(f"no notebook: {named.name} is missing")
        path, found = find_notebook(place, lesson.name)
        notes += found
        if path.stat().st_size > MAX_BYTES:
            raise SubmissionError(f"the file has more than {MAX_BYTES >> 20} MB")
        content = path.read_bytes()
    except SubmissionError as error:
        refusal = str(error)
    except OSError as error:
        refusal = f"the notebook cannot be read ({error.strerror})"
    files, dropped = _files(place, path)
    notes += dropped
    task = Task(student, content, refusal, tuple(notes), files)
    return replace(task, fingerprint=fingerprint(lesson, task))


def _files(place: Path, notebook: Path | None) -> tuple[tuple[tuple[str, bytes], ...], list[str]]:
    """The other files of a submission; links and what is too large stay behind."""
    kept: list[tuple[str, bytes]] = []
    dropped: list[str] = []
    room = MAX_FILES
    for path in sorted(place.rglob("*"), key=os.fsencode):
        name = show_name(str(path.relative_to(place)))
        if path.is_symlink():
            dropped.append(f"{name} is a link and was left out")
        elif path.is_file() and path != notebook and ".ipynb_checkpoints" not in path.parts:
            size = path.stat().st_size
            if size > room:
                dropped.append(f"{name} is too large and was left out")
                continue
            room -= size
            kept.append((name, path.read_bytes()))
    return tuple(kept), dropped


def fingerprint(lesson: Lesson, task: Task) -> str:
    """A digest of all that the outcome depends on: submission, master, limits, engine."""
    digest = _base(lesson).copy()
    for part in (task.content, task.refusal, *(part for file in task.files for part in file)):
        content = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()[:24]


@lru_cache(maxsize=4)
def _base(lesson: Lesson) -> hashlib._Hash:
    digest = hashlib.sha256(engine_digest().encode())
    for part in (lesson.master, lesson.release, lesson.isolation, lesson.limits, lesson.files):
        digest.update(part if isinstance(part, bytes) else repr(part).encode())
    return digest


@lru_cache(maxsize=1)
def engine_digest() -> str:
    """A digest of the engine's deciding modules: another engine may judge otherwise."""
    digest = hashlib.sha256()
    for name in DECIDING:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]
