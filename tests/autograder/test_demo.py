"""The demonstration: its class, its room, and what it prints."""

from __future__ import annotations

import filecmp
import os
import shutil
from pathlib import Path

import pytest
from submissions.toy import ISOLATION

from autograder.demo import MARKER, clear, demo_folder, make_class, run_demo
from autograder.errors import CourseError
from autograder.fates import FATES
from autograder.folder import CourseFolder

REPOSITORY = Path(__file__).parents[2]
NAME = "01-convolution"


@pytest.fixture
def folder(tmp_path: Path) -> CourseFolder:
    """A copy of lesson 01, built."""
    root = tmp_path / "course"
    for part in ("source", "release", "solutions"):
        shutil.copytree(REPOSITORY / part / NAME, root / part / NAME)
    for part in ("nbgrader_config.py", f"source/{NAME}.py", f"source/{NAME}.mistakes.py"):
        shutil.copy(REPOSITORY / part, root / part)
    return CourseFolder.open(root)


def test_class_has_24_students_and_every_fate(folder: CourseFolder):
    kinds = make_class(demo_folder(folder), NAME)
    assert len(kinds) == 24
    assert len(os.listdir(demo_folder(folder).submitted)) == 24  # noqa: PTH208 - names as bytes
    assert {fate.name for fate in FATES} < set(kinds.values())
    assert {"perfect", "alternatives", "mistakes", "half finished", "untouched"} < set(
        kinds.values()
    )


def test_class_is_the_same_each_time(folder: CourseFolder, tmp_path: Path):
    first = demo_folder(folder)
    make_class(first, NAME)
    shutil.move(first.submitted, tmp_path / "first")
    make_class(first, NAME)
    for path in (tmp_path / "first").rglob("*"):
        if path.is_file():
            again = first.submitted / path.relative_to(tmp_path / "first")
            assert filecmp.cmp(path, again, shallow=False), path


def test_room_that_no_demo_made_is_left_alone(folder: CourseFolder):
    demo = demo_folder(folder)
    demo.submitted.mkdir(parents=True)
    (demo.submitted / "thesis.txt").write_text("years of work")
    with pytest.raises(CourseError, match="no demo made"):
        clear(demo)
    assert (demo.submitted / "thesis.txt").is_file()
    (demo.submitted.parent / MARKER).write_text("")
    clear(demo)
    assert not demo.submitted.exists()


def test_course_without_a_lesson_is_told(tmp_path: Path):
    (tmp_path / "source").mkdir()
    with pytest.raises(CourseError, match="no lesson"):
        run_demo(CourseFolder.open(tmp_path), 1, "process")


@pytest.mark.slow
def test_demo_grades_its_class_and_leaves_the_real_one_alone(
    folder: CourseFolder, capsys: pytest.CaptureFixture
):
    real = folder.submitted / "ann" / NAME / f"{NAME}.ipynb"
    real.parent.mkdir(parents=True)
    real.write_text("hers")
    for _ in range(2):
        run = run_demo(folder, 2, ISOLATION)
        assert (run.submissions, run.graded) == (24, 24)
    assert real.read_text() == "hers"
    assert [p.name for p in folder.submitted.iterdir()] == ["ann"]
    assert not (folder.root / "grading" / "gradebook.db").exists()
    told = capsys.readouterr().err
    demo = demo_folder(folder)
    for student in ("amara.okafor", "zo\\xeb.laurent"):
        assert student in told
    assert str(demo.report / f"{NAME}.html") in told.replace("\n", "")
    assert len(list(demo.feedback.glob(f"*/{NAME}/{NAME}.html"))) == 24
    scores = read_scores(demo)
    assert scores["amara.okafor"] == scores["bjorn.lindqvist"] == scores["chen.wei"] == 100
    assert scores["hiroshi.tanaka"] == 0
    assert 0 < scores["giulia.rossi"] < scores["dalia.haddad"] < 100


def read_scores(demo: CourseFolder) -> dict[str, float]:
    from autograder.record import read_class, read_lesson

    return {e.result.student: e.score for e in read_class(demo, read_lesson(demo, NAME))}
