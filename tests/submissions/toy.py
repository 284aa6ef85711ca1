"""A small lesson of its own: a course folder, its class, and what grading it gave."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from autograder.build import products, release_notebook
from autograder.doctor import can_jail
from autograder.fates import fill, hand_in, reference
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.grade import Options, Run, grade
from autograder.gradebook import stamp_by_ourselves
from autograder.results import SubmissionResult

NAME = "07-sums"
POINTS = {"test-double": 3.0, "test-total": 4.0, "test-steps": 3.0}
ISOLATION = "jail" if can_jail().ok else "process"

CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "toy"
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "grading/autograded"
c.CourseDirectory.feedback_directory = "grading/feedback"
c.CourseDirectory.db_url = "sqlite:///grading/gradebook.db"
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("your code goes here")'}
"""


def meta(name: str, points: int | None = None, **kind: bool) -> str:
    """The nbgrader part of a percent header."""
    test = points is not None
    values = {"grade": test, "grade_id": name, "locked": test and not kind.get("solution")}
    values |= {"schema_version": 3, "solution": False, "task": False, **kind}
    values |= {"points": points} if test else {}
    return "nbgrader=" + json.dumps(values)


TEXT = f"""\
# %% [markdown]
# # 07 · Sums

# %% [markdown]
# ## Exercise 1 · Double

# %% {meta("double", solution=True)}
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% {meta("test-double", 3)}
# Twice as much
assert double(2) == 4, "double(2) is 4"
### BEGIN HIDDEN TESTS
assert double(-31) == -62, "double of a negative number"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2 · Total

# %% {meta("total", solution=True)}
def total(values):
    ### BEGIN SOLUTION
    result = 0
    for value in values:
        result += value
    return result
    ### END SOLUTION

# %% {meta("test-total", 4)}
# The sum of a list
assert total([1, 2, 3]) == 6, "the total of 1, 2, 3"
### BEGIN HIDDEN TESTS
assert total([]) == 0, "the total of nothing"
### END HIDDEN TESTS

# %% {meta("test-steps", 3)}
# A point for each case
sum(total(values) == wanted for values, wanted in [([1], 1), ([1, 2], 3), ([5, -5], 0)])

# %% [markdown] {meta("essay", 5, solution=True)}
# Sums are associative.
"""


@dataclass
class Course:
    """A course folder with the toy lesson in it."""

    folder: CourseFolder
    name: str = NAME

    def __post_init__(self) -> None:
        self.master = nbformat.read(self.folder.master(self.name), as_version=4)
        self.release = release_notebook(self.master, self.folder.config)
        self.answers = reference(self.master)

    def place(self, student: str) -> Path:
        """Where a student's submission lies."""
        return self.folder.submitted / student / self.name

    def hand_in(self, student: str, **answers: str) -> Path:
        """Hand in the reference with some cells answered otherwise."""
        notebook = fill(self.release, {**self.answers, **answers})
        hand_in(self.place(student), self.name, notebook)
        return self.place(student)

    def grade(self, jobs: int = 1, **options) -> Run:
        """Grade the class."""
        return grade(self.folder, self.name, Options(jobs, ISOLATION, **options))

    def result(self, student: str) -> SubmissionResult:
        """The stored result of a student."""
        path = self.folder.results / self.name / f"{student}.json"
        return SubmissionResult.from_json(path.read_text(encoding="utf-8"))

    def cells(self, student: str) -> dict[str, float | None]:
        """Points of each graded cell in the stored result."""
        return {cell.grade_id: cell.points for cell in self.result(student).cells}

    def book(self) -> dict[str, dict[str, float | None]]:
        """Automatic scores of each student in nbgrader's gradebook."""
        with Gradebook(self.folder.db_url) as gradebook:
            return {
                s.student_id: {g.name: g.auto_score for n in s.notebooks for g in n.grades}
                for s in gradebook.assignment_submissions(self.name)
            }


@cache
def empty_gradebook() -> bytes:
    """A fresh gradebook: nbgrader takes seconds to make one."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "gradebook.db"
        stamp_by_ourselves()
        Gradebook(f"sqlite:///{path}").close()
        return path.read_bytes()


def make_course(root: Path, text: str = TEXT, name: str = NAME, config: str = CONFIG) -> Course:
    """A course folder with one lesson, built but for the executed solution."""
    (root / "source").mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(config)
    (root / "source" / f"{name}.py").write_text(text)
    folder = CourseFolder.open(root)
    for product in products(folder, name):
        write_atomically(product.path, product.content)
    write_atomically(root / "grading" / "gradebook.db", empty_gradebook())
    return Course(folder, name)
