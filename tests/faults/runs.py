"""Real runs of ``autograder grade`` as processes of their own, and what they leave behind."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
from submissions.toy import ISOLATION, Course

END_SECONDS = 15.0


def start(course: Course, temp: Path, *options: str, **environment: str) -> subprocess.Popen[str]:
    """Start the command; its temporary files lie in ``temp``."""
    command = [sys.executable, "-m", "autograder.cli", "grade", course.name]
    command += ["--course-dir", str(course.folder.root), "--isolation", ISOLATION, *options]
    variables = {**os.environ, "TMPDIR": str(temp), "XDG_RUNTIME_DIR": "", **environment}
    return subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(course: Course, temp: Path, *options: str, **environment: str) -> tuple[int, str]:
    """Run it to its end; exit code and what it said."""
    process = start(course, temp, *options, **environment)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """All processes that it has started, and those that they have."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def survivors(processes: list[psutil.Process], temp: Path) -> list[str]:
    """What is still there some seconds after the end: processes that run, files in ``temp``."""
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        left = [name(p) for p in processes if _runs(p)] + [str(p) for p in temp.iterdir()]
        if not left:
            return []
        time.sleep(0.05)
    return left


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def name(process: psutil.Process) -> str:
    """Its command line, or what is known of it when it has ended by now."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return str(process)


def done(course: Course) -> list[str]:
    """Who has a stored result."""
    return sorted(path.stem for path in (course.folder.results / course.name).glob("*.json"))


def wait_until(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def autograded(course: Course) -> dict[str, str]:
    """A digest of every file among the autograded ones, hidden ones too."""
    root = course.folder.autograded
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
