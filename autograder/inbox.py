"""Reads what a learning platform exports: a zip or a folder becomes a list of hand-ins.

Four layouts are known, each in the naming of the platform's own download:

    canvas   NAME_[LATE_]USER_SUBMISSION_FILE                     (one flat zip)
    moodle   NAME_PARTICIPANT_assignsubmission_file_/FILE         (a folder, or a prefix, a student)
    github   ASSIGNMENT-USER/…                                    (clones of GitHub Classroom)
    folder   STUDENT/FILE, STUDENT/NN/FILE or STUDENT.ipynb

Nothing is unpacked to disk, so no name inside an archive can reach anywhere.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from autograder.errors import CourseError

FORMATS = ("canvas", "moodle", "github", "folder")
MAX_FILES = 20_000
MAX_HAND_IN = 200 << 20  # bytes of one student's files
JUNK = {"__MACOSX", ".DS_Store", "Thumbs.db", ".git", ".ipynb_checkpoints", "__pycache__"}
CANVAS = re.compile(r"(?P<name>[^_/]+)_(?:(?P<late>LATE)_)?(?P<user>\d+)_(?P<id>\d+)_(?P<file>.+)")
MOODLE = re.compile(
    r"(?P<name>[^/]+?)_(?P<user>\d+)_assignsubmission_(?:file|onlinetext)_?/?(?P<file>.+)"
)
UNIX_TIMES = 0x5455  # the zip extra field with the time in UTC, which the plain one is not


@dataclass
class HandIn:
    """What one student handed in at one time.

    Attributes:
        system: the platform, one of ``FORMATS``.
        user: the student's key there: Canvas user id, Moodle participant id, GitHub user, folder.
        name: how the platform calls the student.
        when: time stamp, in UTC.
        files: relative path and content.
        origin: where in the inbox.
    """

    system: str
    user: str
    name: str
    when: datetime
    files: dict[str, bytes] = field(default_factory=dict)
    origin: str = ""


@dataclass
class Entry:
    """One file of the inbox."""

    path: PurePosixPath
    content: bytes
    when: datetime


@dataclass
class Inbox:
    """All hand-ins of an inbox, and what was left out with the reason."""

    system: str
    hand_ins: list[HandIn] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_inbox(path: Path, assignment: str, system: str = "") -> Inbox:
    """The hand-ins for ``assignment`` in a platform's export.

    Args:
        path: a zip file or a folder.
        assignment: its name.
        system: one of ``FORMATS``; told from the names when empty.

    Raises:
        CourseError: when there is no such file, it is no zip, or no layout fits.
    """
    if system and system not in FORMATS:
        raise CourseError(f"no format {system!r}", remedy=f"there are: {', '.join(FORMATS)}")
    problems: list[str] = []
    entries = list(_entries(path, problems))
    if not entries and not problems:
        raise CourseError("nothing in it", where=path)
    inbox = Inbox(system or _guess(path, entries), problems=problems)
    if inbox.system in ("canvas", "moodle"):
        found = _by_name(entries, CANVAS if inbox.system == "canvas" else MOODLE, inbox)
    else:
        found = _by_folder(entries, path, assignment, inbox)
    for hand_in in found:
        hand_in.files = _at_home(hand_in.files, assignment)
        size = sum(len(content) for content in hand_in.files.values())
        if size > MAX_HAND_IN:
            problems.append(
                f"{hand_in.origin}: {size >> 20} MB, more than {MAX_HAND_IN >> 20}; left out"
            )
        else:
            inbox.hand_ins.append(hand_in)
    return inbox


def _entries(path: Path, problems: list[str]) -> Iterator[Entry]:
    if path.is_dir():
        yield from _of_folder(path, problems)
    elif zipfile.is_zipfile(path):
        yield from _of_zip(path, problems)
    elif path.exists():
        raise CourseError(
            "neither a folder nor a zip file",
            where=path,
            remedy="download it again; a broken download is the usual cause",
        )
    else:
        raise CourseError("there is no such inbox", where=path)


def _of_folder(root: Path, problems: list[str]) -> Iterator[Entry]:
    for count, path in enumerate(sorted(root.rglob("*"), key=os.fsencode)):
        relative = path.relative_to(root)
        if count >= MAX_FILES:
            problems.append(f"{root}: more than {MAX_FILES} files; the rest is left out")
            return
        if JUNK & set(relative.parts):
            continue
        if path.is_symlink():
            problems.append(f"{relative}: a link; left out")
        elif path.is_file():
            if path.stat().st_size > MAX_HAND_IN:
                problems.append(f"{relative}: larger than {MAX_HAND_IN >> 20} MB; left out")
                continue
            when = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            yield Entry(PurePosixPath(relative.as_posix()), path.read_bytes(), when)


def _of_zip(path: Path, problems: list[str]) -> Iterator[Entry]:
    try:
        with zipfile.ZipFile(path) as archive:
            for count, info in enumerate(archive.infolist()):
                if count >= MAX_FILES:
                    problems.append(f"{path}: more than {MAX_FILES} files; the rest is left out")
                    return
                name = PurePosixPath(info.filename.replace("\\", "/"))
                if info.is_dir() or JUNK & set(name.parts):
                    continue
                if name.is_absolute() or ".." in name.parts or re.match(r"[A-Za-z]:", str(name)):
                    problems.append(f"{info.filename}: leads out of the archive; left out")
                    continue
                if info.external_attr >> 16 & 0o170000 == 0o120000:
                    problems.append(f"{info.filename}: a link; left out")
                    continue
                with archive.open(info) as file:
                    # What the archive says of its sizes may be a lie.
                    content = file.read(MAX_HAND_IN + 1)
                if len(content) > MAX_HAND_IN:
                    problems.append(
                        f"{info.filename}: larger than {MAX_HAND_IN >> 20} MB; left out"
                    )
                    continue
                yield Entry(name, content, _zip_time(info))
    except (zipfile.BadZipFile, RuntimeError, OSError, EOFError, NotImplementedError) as error:
        raise CourseError(
            f"the zip file cannot be read ({error})", where=path, remedy="download it again"
        ) from error


def _zip_time(info: zipfile.ZipInfo) -> datetime:
    """When a file was written: in UTC if the archive says so, else in this machine's time zone."""
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        if kind == UNIX_TIMES and size >= 5 and extra[4] & 1:
            return datetime.fromtimestamp(struct.unpack("<i", extra[5:9])[0], UTC)
        extra = extra[4 + size :]
    try:
        return datetime(*info.date_time).astimezone(UTC)
    except ValueError:
        return datetime(1980, 1, 1, tzinfo=UTC)


def _guess(path: Path, entries: list[Entry]) -> str:
    names = [str(entry.path) for entry in entries]
    # The whole inbox may lie in one more folder.
    inner = [name.partition("/")[2] or name for name in names]
    for system, pattern in (("moodle", MOODLE), ("canvas", CANVAS)):
        for shown in (names, inner):
            if shown and all(pattern.fullmatch(name) for name in shown):
                return system
    if path.is_dir():
        if path.name.endswith("-submissions") or any(path.glob("*/.git")):
            return "github"
        return "folder"
    some = [name for name in names if MOODLE.search(name) or CANVAS.fullmatch(name)]
    if some:
        other = next(name for name in names if name not in some)
        raise CourseError(
            f"some names are a platform's and some are not, such as {other!r}",
            where=path,
            remedy=f"say which with --format: {', '.join(FORMATS)}",
        )
    return "folder"


def _by_name(entries: list[Entry], pattern: re.Pattern[str], inbox: Inbox) -> list[HandIn]:
    """The student stands in the name of each file."""
    found: dict[tuple[str, str], HandIn] = {}
    for entry in entries:
        text = str(entry.path)
        match = pattern.fullmatch(text) or pattern.fullmatch(text.partition("/")[2])
        if match is None:
            inbox.problems.append(f"{text}: not named as {inbox.system} names files; left out")
            continue
        # Canvas gives each attempt an id of its own.
        key = (match["user"], match.groupdict().get("id") or "")
        hand_in = found.setdefault(
            key,
            HandIn(inbox.system, match["user"], match["name"].strip(), entry.when, origin=text),
        )
        hand_in.when = max(hand_in.when, entry.when)
        hand_in.files[match["file"].lstrip("/")] = entry.content
    return list(found.values())


def _by_folder(entries: list[Entry], root: Path, assignment: str, inbox: Inbox) -> list[HandIn]:
    """The student is the first folder, or the name of a single notebook."""
    found: dict[str, HandIn] = {}
    for entry in entries:
        top, *rest = entry.path.parts
        if not rest and entry.path.suffix != ".ipynb":
            inbox.problems.append(f"{entry.path}: belongs to no student; left out")
            continue
        user = top if rest else entry.path.stem
        if inbox.system == "github":
            user = _without_prefix(user, root.name.removesuffix("-submissions"), assignment)
        inside = "/".join(rest) if rest else f"{assignment}.ipynb"
        hand_in = found.setdefault(user, HandIn(inbox.system, user, user, entry.when, origin=top))
        hand_in.when = max(hand_in.when, entry.when)
        hand_in.files[inside] = entry.content
    if inbox.system == "github":
        for hand_in in found.values():
            hand_in.when = _last_commit(root / hand_in.origin) or hand_in.when
    return list(found.values())


def _without_prefix(folder: str, *prefixes: str) -> str:
    """``lesson-1-ada`` → ``ada``: GitHub Classroom puts the assignment's name in front."""
    for prefix in sorted(prefixes, key=len, reverse=True):
        if prefix and folder.lower().startswith(f"{prefix.lower()}-"):
            return folder[len(prefix) + 1 :]
    return folder


def _last_commit(clone: Path) -> datetime | None:
    """When the work was committed; files of a clone carry the time of the cloning."""
    if not (clone / ".git").exists():
        return None
    # A clone's own configuration could name programs to run.
    command = ["git", "-c", "core.fsmonitor=", "-C", str(clone), "log", "-1", "--format=%cI"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        return datetime.fromisoformat(done.stdout.strip()).astimezone(UTC)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def _at_home(files: dict[str, bytes], assignment: str) -> dict[str, bytes]:
    """The files as they lie beside the notebook, which gets its name back.

    Students zip whole folders, and Canvas calls a second attempt ``NN-1.ipynb``.
    """
    again = re.compile(rf"{re.escape(assignment)}(-\d+| ?\(\d+\))?\.ipynb")
    notebooks = [PurePosixPath(name) for name in files if name.endswith(".ipynb")]
    named = [path for path in notebooks if again.fullmatch(path.name)]
    candidates = named or (notebooks if len(notebooks) == 1 else [])
    if not candidates:
        return files
    home = min(candidates, key=lambda path: (len(path.parts), str(path)))
    kept = {}
    for name, content in files.items():
        path = PurePosixPath(name)
        if path == home and home in named:
            kept[f"{assignment}.ipynb"] = content
        elif path.is_relative_to(home.parent):
            kept[str(path.relative_to(home.parent))] = content
    return kept
