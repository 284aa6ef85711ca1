"""An instructor in formgrader: generate, autograde, grade by hand, hand feedback back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import nbformat
import pytest
from courses import LESSON, answered, generate, hand_in, make_course
from formgrader import Formgrader
from lab import Lab, serve, words
from nbgrader.api import Gradebook
from playwright.sync_api import Page, expect
from submissions.toy import ISOLATION

from autograder.folder import CourseFolder
from autograder.record import read_lesson
from autograder.results import SubmissionResult

Shoot = Callable[[Page, str], None]
ESSAY = """
# %% [markdown]
# ### Question 9 · In your own words
#
# Why may one kernel serve every place of an image? Two sentences.

# %% [markdown] nbgrader={"grade": true, "grade_id": "essay-sharing", "locked": false, "points": 5, "schema_version": 3, "solution": true, "task": false}
# A pattern looks the same wherever it stands.
"""
ANSWER = "Because an edge is an edge, left or right."
# Under nbgrader's own executor this earns the exercise's points: the tests call what it defines.
CHEAT = "def flatten(x): return x\ncheck_shape = check_close = lambda *a, **k: None"

# nbgrader's models make newer SQLAlchemy warn of its own autoflush.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> CourseFolder:
    """A course folder as a fresh clone has it, but for a question that a person grades."""
    return make_course(tmp_path_factory.mktemp("instructor") / "course", ESSAY)


@pytest.fixture(scope="module")
def lab(folder: CourseFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with serve(folder.root, tmp_path_factory.mktemp("instructor") / "home") as lab:
        yield lab


@contextmanager
def saved(page: Page, what: str) -> Iterator[None]:
    """Do something that formgrader saves by itself, and wait until it has."""
    with page.expect_response(re.compile(f"/api/{what}/")) as answer:
        yield
    assert answer.value.ok


def scores(
    folder: CourseFolder, student: str
) -> dict[str, tuple[float | None, float | None, bool]]:
    """Automatic score, manual score, and whether a person has to look, by cell."""
    with Gradebook(folder.db_url) as gradebook:
        submission = gradebook.find_submission(LESSON, student)
        return {
            grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def result(folder: CourseFolder, student: str) -> SubmissionResult:
    path = folder.results / LESSON / f"{student}.json"
    return SubmissionResult.from_json(path.read_text(encoding="utf-8"))


def test_a_fresh_course_is_listed_and_generate_makes_the_release_that_build_makes(
    folder: CourseFolder, lab: Lab, page: Page, shoot: Shoot
):
    path = folder.release / LESSON / f"{LESSON}.ipynb"
    built = nbformat.read(path, as_version=4)
    path.unlink()
    formgrader = Formgrader(page, lab)
    expect(formgrader.row(LESSON).locator(".status")).to_have_text("draft")
    formgrader.press(LESSON, "assign")
    shoot(page, "1-assignments")
    made = nbformat.read(path, as_version=4)
    assert [cell.source for cell in made.cells] == [cell.source for cell in built.cells]


def test_the_autograde_button_is_our_referee(
    folder: CourseFolder, lab: Lab, page: Page, shoot: Shoot
):
    generate(folder)
    hand_in(folder, "ada", answered(folder, **{"essay-sharing": ANSWER}))
    hand_in(folder, "mallory", answered(folder, flatten=CHEAT))
    formgrader = Formgrader(page, lab)
    formgrader.submissions()
    expect(formgrader.row("ada")).to_contain_text("needs autograding")
    for student, points in (("ada", 100), ("mallory", 98)):
        formgrader.press(student, "autograde")
        expect(formgrader.row(student).locator(".score")).to_have_text(f"{points} / 105")
    expect(formgrader.row("ada")).to_contain_text("needs manual grading")
    shoot(page, "2-autograded")
    assert scores(folder, "mallory")["test-flatten"][0] == 0
    assert result(folder, "mallory").isolation == ISOLATION
    [flatten] = [c for c in result(folder, "mallory").cells if c.grade_id == "test-flatten"]
    assert "flatten of (2, 3, 2, 2)" in flatten.message


def test_points_given_by_hand_survive_a_regrade_and_reach_the_feedback(
    folder: CourseFolder, lab: Lab, page: Page, shoot: Shoot
):
    generate(folder)
    hand_in(folder, "ben", answered(folder, **{"essay-sharing": ANSWER}))
    formgrader = Formgrader(page, lab)
    formgrader.submissions()
    formgrader.press("ben", "autograde")
    essay = formgrader.open_answer("ben", ANSWER)
    with saved(page, "grade"):
        essay.locator(".score").fill("4")
        essay.locator(".score").blur()
    with saved(page, "comment"):
        essay.locator(".comment").fill("Say what is shared: *weights*.")
        essay.locator(".comment").blur()
    shoot(page, "3-manual-grading")
    formgrader.submissions()
    expect(formgrader.row("ben")).to_contain_text("graded")
    expect(formgrader.row("ben").locator(".score")).to_have_text("104 / 105")
    formgrader.press("ben", "autograde")
    # It stays, and somebody should look at it again: the answer may have changed.
    assert scores(folder, "ben")["essay-sharing"] == (None, 4, True)
    expect(formgrader.row("ben").locator(".score")).to_have_text("104 / 105")
    expect(formgrader.row("ben")).to_contain_text("needs manual grading")
    essay = formgrader.open_answer("ben", ANSWER)
    with saved(page, "grade"):
        essay.get_by_role("button", name="Resolve").click()
    assert scores(folder, "ben")["essay-sharing"] == (None, 4, False)
    formgrader.submissions()
    formgrader.press("ben", "generate-feedback")
    path = folder.feedback / "ben" / LESSON / f"{LESSON}.html"
    page.goto(path.as_uri())
    shoot(page, "4-feedback")
    said = words(page.locator("body"))
    assert "104 of 105" in said
    assert "Say what is shared" in said
    assert ANSWER in said
    hidden = read_lesson(folder, LESSON).hidden
    assert len(hidden) > 50
    assert [line for line in hidden if line in path.read_text(encoding="utf-8")] == []
