"""Diagnoses on a small lesson whose known mistakes are run for real."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest

from autograder.build import products
from autograder.classroom import diagnose_class
from autograder.diagnosis import Diagnosis, Work, diagnose
from autograder.feedback import write_feedback
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.grade import Options, grade
from autograder.merging import merge
from autograder.mistake_logs import Library, filled, read_library
from autograder.record import read_lesson
from autograder.report import write_report

REPOSITORY = Path(__file__).parents[2]
NAME = "07-sums"


def meta(name: str, points: int = 0) -> str:
    """The nbgrader part of a percent header: a test when it has points, else a solution."""
    grade = str(bool(points)).lower()
    solution = str(not points).lower()
    worth = f', "points": {points}' if points else ""
    return (
        f'nbgrader={{"grade": {grade}, "grade_id": "{name}", "locked": {grade}{worth}, '
        f'"schema_version": 3, "solution": {solution}, "task": false}}'
    )


LESSON = f"""\
# %% [markdown]
# # 07 · Sums

# %%
import numpy as np

# %% [markdown]
# ## Exercise 1 · Sum the rows

# %% {meta("total")}
def total(table, start=0):
    ### BEGIN SOLUTION
    return table.sum(axis=1) + start
    ### END SOLUTION

# %% {meta("test-rows", 3)}
# Rows
assert np.allclose(total(np.ones((2, 2))), [2, 2])
### BEGIN HIDDEN TESTS
assert np.allclose(total(np.arange(6.0).reshape(2, 3)), [3, 12])
assert np.allclose(total(np.arange(8.0).reshape(2, 4) ** 2), [14, 126])
### END HIDDEN TESTS

# %% {meta("test-start", 2)}
# Start
assert np.allclose(total(np.ones((2, 2)), start=1), [3, 3])
### BEGIN HIDDEN TESTS
assert np.allclose(total(np.arange(6.0).reshape(2, 3), start=5), [8, 17])
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2 · Half

# %% {meta("half")}
def half(table):
    ### BEGIN SOLUTION
    return total(table) / 2
    ### END SOLUTION

# %% {meta("test-half", 1)}
# Half the sum
assert np.allclose(half(np.arange(6.0).reshape(2, 3)), [1.5, 6])

# %% [markdown]
# ## Question 1 · How many?

# %% {meta("q-count")}
### BEGIN SOLUTION
q_rows = 2
q_columns = 3
### END SOLUTION

# %% {meta("test-q-count", 1)}
# Two numbers
assert isinstance(q_rows, int)
### BEGIN HIDDEN TESTS
assert q_rows == 2, "rows"
assert q_columns == 3, "columns"
### END HIDDEN TESTS
"""

MISTAKES = """\
# %% Columns summed exercise="total"
# You added up the columns.
def total(table, start=0):
    return table.sum(axis=0) + start

# %% Start ignored exercise="total"
# The argument start has no effect.
def total(table, start=0):
    return table.sum(axis=1)

# %% Mean exercise="total"
# You averaged.
def total(table, start=0):
    return table.mean(axis=1) + start

# %% Twins exercise="half"
# Not halved.
def half(table):
    return total(table)

# %% Twins again exercise="half"
# Multiplied by one.
def half(table):
    return total(table) * 1

# %% Rows and columns exchanged exercise="q-count"
# Rows come first.
q_rows = 3
q_columns = 2

# %% A column too many exercise="q-count"
# Count the columns.
q_rows = 2
q_columns = 4

# %% A loop exercise="total" right=true
def total(table, start=0):
    return np.array([sum(row) + start for row in table])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> CourseFolder:
    root = tmp_path_factory.mktemp("course")
    (root / "source").mkdir()
    shutil.copy(REPOSITORY / "nbgrader_config.py", root)
    (root / "source" / f"{NAME}.py").write_text(LESSON, encoding="utf-8")
    (root / "source" / f"{NAME}.mistakes.py").write_text(MISTAKES, encoding="utf-8")
    for product in products(CourseFolder.open(root), NAME):
        write_atomically(product.path, product.content)
    return CourseFolder.open(root)


@pytest.fixture(scope="module")
def library(folder: CourseFolder) -> Library:
    return read_library(folder, NAME, jobs=2)


def examine(library: Library, **bodies: str) -> dict[str, Diagnosis]:
    """Diagnose the solution with other bodies in some of its cells."""
    cells = {name.replace("_", "-"): body for name, body in bodies.items()}
    sources = {c: s for e in library.exercises for c, s in e.solutions.items()} | cells
    return diagnose(library, Work(library.try_out([cells])[0], sources))


def test_the_solution_and_the_alternatives_have_no_diagnosis(library):
    assert not library.solution.failed
    assert diagnose(library, Work(library.solution)) == {}
    assert diagnose(library, Work(library.runs["total-a-loop"])) == {}


def test_a_known_mistake_in_another_style_is_named_with_its_message(library):
    found = examine(
        library, total="def total(t, start=0):\n    return [sum(c) + start for c in t.T]"
    )
    assert found["total"].names == ("total-columns-summed",)
    assert found["total"].sentences == ("You added up the columns.",)


def test_an_exercise_built_on_a_wrong_one_follows_from_it(library):
    found = examine(library, total="def total(t, start=0):\n    return start + sum(t)")
    assert found["half"].kind == "follows"
    assert "total" in found["half"].sentences[0]


def test_mistakes_that_cannot_be_told_apart_are_named_together(library):
    found = examine(library, half="def half(table):\n    return 0 + total(table)")
    assert found["half"].kind == "either"
    assert found["half"].sentences == ("Either: Not halved.", "Or: Multiplied by one.")


def test_two_mistakes_at_once_are_both_named(library):
    body = "def total(t, start=0):\n    return np.array([sum(r) / len(r) for r in t])"
    found = examine(library, total=body)
    assert found["total"].kind == "both"
    assert set(found["total"].names) == {"total-start-ignored", "total-mean"}


def test_a_mistake_that_nobody_knows_is_described_and_not_named(library):
    found = examine(library, total="def total(t, start=0):\n    return 3 * (t.sum(1) + start)")
    assert found["total"].kind == "rules"
    assert [s.label for s in found["total"].statements] == ["factor"]


def test_a_mistake_that_nothing_describes_is_left_alone(library):
    body = "def total(t, start=0):\n    return np.sin(t).sum(1) ** 2 - np.cos(start + t[:, 0])"
    found = examine(library, total=body)
    assert (found["total"].kind, found["total"].sentences) == ("none", ())


def test_wrong_answers_to_a_question_are_matched_by_their_values(library):
    exchanged = examine(library, q_count="q_rows, q_columns = 3, 2")
    assert exchanged["q-count"].names == ("q-count-rows-and-columns-exchanged",)
    half_known = examine(library, q_count="q_rows, q_columns = 2, 2")
    assert half_known["q-count"].names == ("q-count-rows-and-columns-exchanged",)
    unknown = examine(library, q_count="q_rows, q_columns = 2, 17")
    assert unknown["q-count"].names == ()


def test_every_known_mistake_is_named_by_its_own_log(library):
    for variant in library.variants:
        found = diagnose(library, Work(library.runs[variant.name]))
        if not variant.right:
            assert variant.name in found[variant.cell].names


def test_two_changes_are_merged_where_they_do_not_touch():
    right = "def f(a, b):\n    return a.sum(axis=0) + b"
    one = "def f(a, b):\n    return a.sum(axis=1) + b"
    other = "def f(a, b):\n    return a.sum(axis=0)"
    assert merge(right, one, other) == "def f(a, b):\n    return a.sum(axis=1)"
    assert merge(right, one, one.replace("1", "2")) is None
    assert merge(right, one, right) is None


def test_feedback_and_report_show_the_mistakes_of_a_class(folder, library):
    wrong = {"ada": {"total": "def total(t, start=0):\n    return t.sum(0) + start"},
             "bob": {"total": "def total(t, start=0):\n    return start + sum(t)"},
             "cyd": {"total": "def total(t, start=0):\n    return t.sum(1)"}}  # fmt: skip
    release = nbformat.read(folder.master(NAME), as_version=4)
    for student, bodies in wrong.items():
        path = folder.submitted / student / NAME / f"{NAME}.ipynb"
        write_atomically(path, filled(release, bodies))
    grade(folder, NAME, Options(1, "process"))
    findings = diagnose_class(folder, NAME, 1)
    ranked = findings.ranking(folder)
    counts = {row.title: len(row.students) for row in ranked if row.named}
    assert counts == {"Columns summed": 2, "Start ignored": 1}
    assert "sum(" in ranked[0].example and "ada" not in ranked[0].example

    pages = write_feedback(folder, NAME, diagnoses=findings.sentences())
    page = next(p for p in pages if "cyd" in str(p)).read_text(encoding="utf-8")
    assert "The argument start has no effect." in page
    # Neither the page nor the log that it was made from holds an expected value or a known body.
    assert "table.mean" not in page and read_lesson(folder, NAME).hidden
    report = write_report(folder, NAME, ranked).read_text(encoding="utf-8")
    assert "What the class got wrong" in report and "Columns summed" in report
