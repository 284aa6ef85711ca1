"""Publish: the student repository, which installs and runs on its own and holds no answer.

All files are made first, written beside the repository, and then moved into place one by one, each
whole. ``.published.json`` remembers what was written: what a person changed since is kept, and
reported when there is something newer. ``.git`` and everything that was not published stay.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from autograder import handout, surroundings
from autograder.errors import CourseError
from autograder.folder import CourseFolder

RECORD = ".published.json"
MAKER = "autograder publish"
RUNNABLE = {".binder/postBuild"}


@dataclass
class Published:
    """What one run did; paths are relative to the repository."""

    lessons: list[str]
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # changed by hand, and there is a newer one
    unchanged: int = 0


@dataclass(frozen=True)
class Record:
    """What the last run left: SHA-256 by path, the lessons, the address."""

    files: dict[str, str] = field(default_factory=dict)
    lessons: tuple[str, ...] = ()
    url: str = ""

    @classmethod
    def read(cls, target: Path) -> Record:
        """The record in ``target``; an empty one for a folder that is new, or has only ``.git``.

        Raises:
            CourseError: for a folder with anything else in it, or a damaged record.
        """
        path = target / RECORD
        if not path.is_file():
            if target.exists() and not _vacant(target):
                raise CourseError(
                    "is there, and is no published repository",
                    where=target,
                    remedy="name a new or an empty folder",
                )
            return cls()
        try:
            found = json.loads(path.read_bytes())
            files = {str(name): str(value) for name, value in found["files"].items()}
            lessons = tuple(map(str, found["lessons"]))
            if found["by"] != MAKER or any(_leaves(name) for name in files):
                raise ValueError("not written by publish")
            return cls(files, lessons, str(found["url"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CourseError(
                f"is damaged ({type(error).__name__}: {error})",
                where=path,
                remedy="restore it with git, or publish into a new folder",
            ) from error

    def write(self, target: Path) -> None:
        """Into the folder ``target``."""
        content = {"by": MAKER, "url": self.url, "lessons": self.lessons, "files": self.files}
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
        (target / RECORD).write_text(text + "\n", encoding="utf-8")


def publish(
    folder: CourseFolder, target: Path, names: list[str], *, url: str = "", force: bool = False
) -> Published:
    """Make or update the student repository in ``target``.

    Args:
        folder: the course.
        target: the repository; new, empty, or published before.
        names: assignments to hand out; every one when empty. Those handed out earlier stay.
        url: where the repository will be, for the Binder button; remembered.
        force: overwrite what was changed by hand.

    Raises:
        CourseError: when something is missing or stale in the course, or ``target`` is not ours.
    """
    before = Record.read(target)
    chosen = names or folder.assignments()
    if not chosen:
        raise CourseError("there is no assignment to publish", where=folder.source)
    earlier = [name for name in before.lessons if names and name not in chosen]
    contents, url = _contents(folder, target, chosen, earlier, url or before.url)
    stay = {p: h for p, h in before.files.items() if p.partition("/")[0] in earlier}
    done, after = _compare(target, before, contents, stay, force)
    done.lessons = sorted({*chosen, *earlier})
    _write(target, contents, done, Record(after, tuple(done.lessons), url))
    return done


def _contents(
    folder: CourseFolder, target: Path, chosen: list[str], earlier: list[str], url: str
) -> tuple[dict[str, bytes], str]:
    """Every file that this run hands out, and the address they name."""
    settings = surroundings.Settings.read(folder)
    packages = handout.package_files(folder, settings.packages)
    contents = dict(packages)
    headings = {}
    for name in chosen:
        contents |= handout.lesson_files(folder, name)
        headings[name] = handout.heading(contents.get(f"{name}/{name}.ipynb", b"{}"), name)
    for name in earlier:
        notebook = target / name / f"{name}.ipynb"
        content = notebook.read_bytes() if notebook.is_file() else b"{}"
        headings[name] = handout.heading(content, name)
    contents |= surroundings.surroundings(folder, settings, headings, list(packages), url)
    handout.refuse_marks(folder, contents)
    return contents, url


def _compare(
    target: Path, before: Record, contents: dict[str, bytes], stay: dict[str, str], force: bool
) -> tuple[Published, dict[str, str]]:
    """What is to do, and what the record will say afterwards."""
    done, after = Published([]), dict(stay)
    for path, content in sorted(contents.items()):
        new, old, here = _sha(content), before.files.get(path, ""), _sha_of(target / path)
        after[path] = new
        if here == new:
            done.unchanged += 1
        elif not here:
            done.added.append(path)
        elif here == old or force:
            done.updated.append(path)
        elif new == old:  # changed by hand, and nothing newer to offer
            done.unchanged += 1
        else:
            done.kept.append(path)
            after[path] = old  # so that the next run reports it again
    for path in sorted(set(before.files) - set(after)):
        here = _sha_of(target / path)
        if here and (here == before.files[path] or force):
            done.removed.append(path)
        elif here:
            done.kept.append(path)
            after[path] = before.files[path]
    return done, after


def _write(target: Path, contents: dict[str, bytes], done: Published, record: Record) -> None:
    """Beside first, so that a full disk changes nothing; then rename."""
    target = target.absolute()
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.mkdir(parents=True)
        for path in (*done.added, *done.updated):
            place = beside / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(contents[path])
            place.chmod(0o755 if path in RUNNABLE else 0o644)
        record.write(beside)
        if not target.exists():
            beside.rename(target)
            return
        for path in (*done.added, *done.updated):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (beside / path).replace(target / path)
        for path in done.removed:
            (target / path).unlink()
            _prune((target / path).parent, target)
        (beside / RECORD).replace(target / RECORD)
    except OSError as error:
        raise CourseError(f"cannot be written: {error}", where=target) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _vacant(target: Path) -> bool:
    """Whether a folder is empty, or a fresh clone of an empty repository."""
    return target.is_dir() and {path.name for path in target.iterdir()} <= {".git"}


def _prune(place: Path, target: Path) -> None:
    """Remove folders that have become empty, up to the repository."""
    while place != target and not any(place.iterdir()):
        place.rmdir()
        place = place.parent


def _leaves(path: str) -> bool:
    """Whether a recorded path would lead out of the repository, or into git's own files."""
    parts = Path(path).parts
    return Path(path).is_absolute() or ".." in parts or parts[:1] in ((), (".git",))


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sha_of(path: Path) -> str:
    """Of a file; empty when there is none."""
    return _sha(path.read_bytes()) if path.is_file() else ""
