"""A class's mistakes: counted where they come from, shown without a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.classroom import UNWRITTEN, Findings, without_comments
from autograder.diagnosis import Diagnosis
from autograder.exercises import Exercise
from autograder.folder import CourseFolder
from autograder.mistake_logs import Library, Run
from autograder.mistakes import Variant
from autograder.rules import Statement


def library(*variants: Variant) -> Library:
    exercise = Exercise("total", "Sum", {"total": "def total(x): ..."})
    return Library(None, [exercise], list(variants), Run(), {}, Path())  # type: ignore[arg-type]


COLUMNS = Variant("columns", "Columns summed", "total", "x", False, "You added the columns.")
START = Variant("start", "Start ignored", "total", "y", False, "start has no effect.")


def told(kind: str, *names: str, rule: str = "") -> Diagnosis:
    statements = (Statement(rule, "said"),) if rule else ()
    return Diagnosis("total", kind, names, statements, ("said",))


@pytest.fixture
def folder(tmp_path: Path) -> CourseFolder:
    (tmp_path / "source").mkdir()
    return CourseFolder.open(tmp_path)


def test_each_mistake_counts_the_students_who_made_it(folder: CourseFolder) -> None:
    found = {
        "anna": {"total": told("one", "columns")},
        "ben": {"total": told("both", "columns", "start")},
        "cleo": {"total": told("either", "columns", "start")},
        "dora": {"total": told("rules", rule="depends")},
        "emil": {"total": told("rules", rule="not-written")},
    }
    rows = Findings("07", {"07": library(COLUMNS, START)}, found).ranking(folder)
    counted = {row.title: (row.students, row.open) for row in rows}
    assert counted == {
        "Columns summed": (["anna", "ben"], False),
        "Start ignored": (["ben"], False),
        "Columns summed or Start ignored": (["cleo"], False),
        "Not written": (["emil"], True),
    }
    assert rows[0].title == "Columns summed", "the most frequent comes first"
    assert "not-written" in UNWRITTEN


def test_exercises_of_several_notebooks_keep_their_own_mistakes(folder: CourseFolder) -> None:
    found = {"anna": {"one/total": told("one", "columns"), "two/total": told("one", "start")}}
    libraries = {"one": library(COLUMNS), "two": library(START)}
    rows = Findings("07", libraries, found).ranking(folder)
    assert {(row.exercise, row.title) for row in rows} == {
        ("one/total", "Columns summed"),
        ("two/total", "Start ignored"),
    }


def test_an_example_loses_its_comments_and_keeps_its_strings() -> None:
    source = "# by Anna\n\ndef f(x):  # Anna again\n    return '# 1'  # me\n"
    assert without_comments(source) == "def f(x):\n    return '# 1'"
    assert without_comments("# by Anna\ndef f(:\n    x = (") == "def f(:\n    x = ("
