"""Puts an inbox's hand-ins where grading looks for them: ``submitted/STUDENT/ASSIGNMENT``.

The latest hand-in counts. One that is there already gives way only to a later one, and then it is
kept beside the results, under ``replaced``. Who handed in what, and under which id of which
platform, is written down for ``export``.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from autograder.errors import CourseError
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.inbox import HandIn, read_inbox
from autograder.roster import Roster

# A hand-in may call one thing both a file and a folder, or by a name that no disk takes.
ODD_NAMES = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL)
STAMP = "%Y-%m-%d %H:%M:%S UTC"  # as nbgrader writes and reads timestamp.txt


@dataclass
class Collected:
    """What ``collect`` did.

    Attributes:
        system: the inbox's format.
        placed: students with a new submission.
        replaced: of these, who had handed in before; the older work is kept.
        unchanged: students whose submission is the same as before.
        older: students with a later submission in place; it stays.
        earlier: earlier attempts in the same inbox, which do not count.
        problems: one line each for what a person should know.
    """

    system: str
    placed: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    older: list[str] = field(default_factory=list)
    earlier: int = 0
    problems: list[str] = field(default_factory=list)

    def to_dict(self) -> dict:
        """The object that ``--json`` prints."""
        return asdict(self)


def collect(folder: CourseFolder, assignment: str, path: Path, system: str = "") -> Collected:
    """Place the latest hand-in of each student of an inbox.

    Raises:
        CourseError: when there is no such assignment or inbox, the class list is wrong, or nothing
            can be written. What was placed before that stands.
    """
    folder.masters(assignment)
    roster = Roster.read(folder.root)
    inbox = read_inbox(path, assignment, system)
    done = Collected(inbox.system, problems=inbox.problems)
    latest: dict[str, HandIn] = {}
    for hand_in in sorted(inbox.hand_ins, key=lambda each: (each.when, each.origin)):
        student = _student(hand_in, roster)
        if student is None:
            done.problems.append(
                f"{hand_in.origin}: {hand_in.system} user {hand_in.user} is not in "
                f"{roster.path}; left out"
            )
            continue
        done.earlier += student in latest
        latest[student] = hand_in
    ledger = read_ledger(folder, assignment)
    try:
        for student, hand_in in sorted(latest.items()):
            if f"{assignment}.ipynb" not in hand_in.files:
                done.problems.append(f"{student}: no {assignment}.ipynb in {hand_in.origin}")
            try:
                placed = _place(folder, assignment, student, hand_in, done)
            except (OSError, ValueError) as error:
                if isinstance(error, OSError) and error.errno not in ODD_NAMES:
                    raise
                done.problems.append(f"{student}: {hand_in.origin} has an impossible name: {error}")
                continue
            if placed:
                ledger[student] = _entry(hand_in)
                _write_ledger(folder, assignment, ledger)
    except OSError as error:
        raise CourseError(
            f"cannot be written: {error.strerror}",
            where=error.filename or folder.submitted,
            remedy="make room, or mend the folder's rights, and run again",
        ) from error
    return done


def _student(hand_in: HandIn, roster: Roster) -> str | None:
    """The student's name in the gradebook; None for whom the class list does not know."""
    if roster.path is not None:
        row = roster.find(hand_in.system, hand_in.user)
        return row.student if row else None
    # Names alone are not unique; "+" would part a folder's name for nbgrader.
    plain = re.sub(r"[^\w.-]+", "-", hand_in.name).strip("-.") or "student"
    return f"{plain}-{hand_in.user}" if hand_in.system in ("canvas", "moodle") else plain


def _place(
    folder: CourseFolder, assignment: str, student: str, hand_in: HandIn, done: Collected
) -> bool:
    """Write one submission; False when a later one is in place."""
    target = folder.submitted / student / assignment
    stamp = hand_in.when.strftime(STAMP)
    if target.is_dir():
        if _content(target) == hand_in.files:
            done.unchanged.append(student)
            return True
        if _stamp(target) >= hand_in.when.replace(microsecond=0):
            done.older.append(student)
            return False
        done.replaced.append(student)
    beside = target.with_name(f".{assignment}.{os.getpid()}")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        for name, content in {**hand_in.files, "timestamp.txt": stamp.encode()}.items():
            file = beside / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        if target.is_dir():
            kept = _kept(folder, assignment, student, _stamp(target))
            kept.parent.mkdir(parents=True, exist_ok=True)
            target.rename(kept)
        beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    done.placed.append(student)
    return True


def _kept(folder: CourseFolder, assignment: str, student: str, when: datetime) -> Path:
    """A free place for work that a later hand-in replaces."""
    base = folder.results.parent / "replaced" / student / assignment
    name = when.strftime("%Y-%m-%dT%H%M%SZ")
    number = 1
    while (path := base / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return path


def _content(target: Path) -> dict[str, bytes]:
    return {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file() and path.name != "timestamp.txt"
    }


def _stamp(target: Path) -> datetime:
    try:
        text = (target / "timestamp.txt").read_text(encoding="utf-8").strip()
        return datetime.strptime(text, STAMP).replace(tzinfo=UTC)
    except (OSError, ValueError):
        # Nobody knows when: the newest of its files says at least not before when.
        times = [path.stat().st_mtime for path in target.rglob("*") if path.is_file()]
        return datetime.fromtimestamp(max(times, default=0), UTC).replace(microsecond=0)


def _entry(hand_in: HandIn) -> dict[str, str]:
    return {
        "system": hand_in.system,
        "user": hand_in.user,
        "name": hand_in.name,
        "when": hand_in.when.strftime(STAMP),
        "origin": hand_in.origin,
    }


def _ledger_path(folder: CourseFolder, assignment: str) -> Path:
    return folder.results.parent / "collected" / f"{assignment}.json"


def read_ledger(folder: CourseFolder, assignment: str) -> dict[str, dict[str, str]]:
    """Who handed in what: by student, platform, user, name, time and place in the inbox.

    Raises:
        CourseError: when the file was damaged by hand.
    """
    path = _ledger_path(folder, assignment)
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError) as error:
        raise CourseError(
            f"cannot be read: {error}", where=path, remedy="remove it, and collect again"
        ) from error


def _write_ledger(folder: CourseFolder, assignment: str, ledger: dict) -> None:
    text = json.dumps(ledger, indent=1, sort_keys=True, ensure_ascii=False)
    write_atomically(_ledger_path(folder, assignment), text.encode())
