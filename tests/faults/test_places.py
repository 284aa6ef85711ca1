"""Places that cannot be written, and a machine without bubblewrap."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from runs import autograded, run

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


@pytest.fixture
def graded(course, temp):
    """A class with one graded submission, one to grade again and one new."""
    course.hand_in("ada")
    course.hand_in("bob")
    course.grade(2)
    course.hand_in("bob", total="def total(values):\n    return 1")
    course.hand_in("cyd")
    return course


def check_refusal(course, temp, pattern, **environment):
    """One line, exit 2, and all that was there before is still there."""
    before = autograded(course), results(course)
    code, said = run(course, temp, "--jobs", "2", **environment)
    assert code == 2, said
    assert len(said.strip().splitlines()) == 1, said
    assert said.startswith("autograder: ")
    assert pattern in said
    after = autograded(course), results(course)
    assert before[1]["ada"] == after[1]["ada"]
    assert set(before[0]) <= set(after[0])


def check_recovery(course, temp):
    """The next run does what is left."""
    code, said = run(course, temp, "--jobs", "2")
    assert code == 0, said
    assert course.book()["bob"]["test-total"] == 0
    assert course.book()["ada"]["test-total"] == course.book()["cyd"]["test-total"] == 4


def results(course):
    folder = course.folder.results / course.name
    return {path.stem: path.read_text() for path in folder.glob("*.json")}


def test_a_locked_gradebook_is_one_line_and_nothing_is_lost(graded, temp):
    book = graded.folder.db_url.removeprefix("sqlite:///")
    with sqlite3.connect(book, isolation_level=None) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        check_refusal(graded, temp, "the gradebook cannot be written: database is locked")
        lock.execute("ROLLBACK")
    lock.close()
    check_recovery(graded, temp)


@needs_root
@pytest.mark.parametrize("part", ["grading", "grading/autograded", "grading/results"])
def test_a_folder_that_cannot_be_written_is_one_line_and_nothing_is_lost(graded, temp, part):
    path = graded.folder.root / part
    subprocess.run(["mount", "--bind", path, path], check=True)
    try:
        if subprocess.run(["mount", "-o", "remount,bind,ro", path]).returncode:
            pytest.skip("this machine mounts nothing read-only")
        check_refusal(graded, temp, "and run again: nothing that was graded is lost")
    finally:
        subprocess.run(["umount", path], check=True)
    check_recovery(graded, temp)


@needs_root
def test_a_full_disk_is_one_line_and_nothing_is_lost(graded, temp):
    grading = graded.folder.root / "grading"
    kept = graded.folder.root / "kept"
    shutil.move(grading, kept)
    grading.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", grading]).returncode:
        pytest.skip("this machine mounts no disk in memory")
    try:
        shutil.copytree(kept, grading, dirs_exist_ok=True)
        ballast = grading / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        check_refusal(graded, temp, "and run again: nothing that was graded is lost")
        ballast.unlink()
        check_recovery(graded, temp)
    finally:
        subprocess.run(["umount", grading], check=True)


@needs_root
def test_a_full_temporary_folder_is_one_line_and_nothing_is_lost(graded, temp):
    (graded.place("cyd") / "data.bin").write_bytes(bytes(400_000))
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", temp]).returncode:
        pytest.skip("this machine mounts no disk in memory")
    try:
        check_refusal(graded, temp, "No space left on device; make room")
    finally:
        subprocess.run(["umount", temp], check=True)
    check_recovery(graded, temp)


def test_a_missing_bubblewrap_is_one_line_and_nothing_is_lost(graded, temp):
    tools = temp / "bin"
    tools.mkdir()
    for folder in map(Path, os.environ["PATH"].split(os.pathsep)):
        for tool in folder.iterdir() if folder.is_dir() else []:
            link = tools / tool.name
            if tool.name != "bwrap" and not link.is_symlink():
                link.symlink_to(tool)
    options = {"PATH": str(tools)}
    before = results(graded)
    code, said = run(graded, temp, "--isolation", "jail", **options)
    assert code == 2
    assert len(said.strip().splitlines()) == 1
    assert "bubblewrap is not installed" in said and "--isolation process" in said
    assert results(graded) == before
    shutil.rmtree(tools)
    check_recovery(graded, temp)
