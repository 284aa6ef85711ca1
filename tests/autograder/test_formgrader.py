"""After `nbgrader autograde` our feedback and report go on; `nbgrader generate_feedback` is ours."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from submissions.toy import ISOLATION, NAME, POINTS, Course, make_course
from traitlets.config import Config

from autograder.bout import Bout
from autograder.calllog import unpack
from autograder.feedback import write_feedback
from autograder.folder import CourseFolder
from autograder.formgrader import keep
from autograder.grade import logs_path
from autograder.record import feedback_path, read_lesson
from autograder.results import CellResult, Status, SubmissionResult

# nbgrader's models make newer SQLAlchemy warn of its own autoflush.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

WRONG = "def double(x):\n    return abs(2 * x)"
HIDDEN = "double(-31) == -62"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A released assignment that three students have handed in."""
    course = make_course(tmp_path / "course")
    assert api(course).generate_assignment(NAME)["success"]
    course.hand_in("right", essay="Because brackets move.")
    course.hand_in("wrong", double=WRONG)
    course.hand_in("nobody asked")
    return course


def api(course: Course) -> NbGraderAPI:
    """What formgrader's buttons call."""
    config = Config(course.folder.config)
    config.CourseDirectory.root = str(course.folder.root)
    config.CourseDirectory.db_url = course.folder.db_url
    config.CourseDirectory.ignore = ["*.py"]
    config.Autograde.autograde_preprocessors = [
        "autograder.preprocessor.RefereeExecute",
        "nbgrader.preprocessors.SaveAutoGrades",
    ]
    config.Autograde.pre_convert_hook = "autograder.formgrader.know"
    config.RefereeExecute.isolation = ISOLATION
    config.GenerateFeedback.exporter_class = "autograder.formgrader.FeedbackPage"
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def autograde(course: Course, *students: str) -> None:
    for student in students:
        done = api(course).autograde(NAME, student)
        assert done["success"], done


def page(course: Course, student: str) -> bytes:
    lesson = read_lesson(course.folder, NAME)
    return feedback_path(course.folder, lesson, student).read_bytes()


def test_the_result_is_the_one_that_grade_keeps(course: Course):
    autograde(course, "right", "wrong")
    theirs = {name: course.result(name) for name in ("right", "wrong")}
    logs = {name: logs_path(course.folder, NAME, name, NAME).read_bytes() for name in theirs}
    run = course.grade()
    assert run.graded == 3, "a result without fingerprint counts as graded"
    for name, result in theirs.items():
        ours = course.result(name)
        assert timeless(result) == timeless(ours)
        assert result.isolation == ISOLATION
        kept = unpack(logs_path(course.folder, NAME, name, NAME).read_bytes())
        assert unpack(logs[name]).keys() == kept.keys()


def timeless(result: SubmissionResult) -> list[CellResult]:
    return [replace(cell, seconds=0.0) for cell in result.cells]


def test_an_assignment_that_nobody_generated_is_graded(tmp_path: Path):
    course = make_course(tmp_path / "course")
    course.hand_in("right")
    autograde(course, "right")
    assert course.book()["right"] == {**POINTS, "essay": 0}  # left as it was


def test_cells_that_the_gradebook_knows_stay_as_they_were_released(course: Course):
    """As with nbgrader alone: what is new in the source counts once it is released."""
    path = course.folder.master(NAME)
    path.write_text(path.read_text().replace("double(-31) == -62", "double(-31) == 62"))
    autograde(course, "right")
    assert course.book()["right"]["test-double"] == 3


def test_grading_keeps_the_receipt_that_releasing_feedback_asks_for(course: Course):
    place = course.place("right")
    (place / "timestamp.txt").write_text("2026-01-02 03:04:05 UTC")
    (place / "submission_secret.txt").write_text("s3cret")
    course.grade()
    write_feedback(course.folder, NAME)
    for room in (course.folder.autograded, course.folder.feedback):
        assert (room / "right" / NAME / "submission_secret.txt").read_text() == "s3cret"
    # Later the same student hands in by mail.
    shutil.rmtree(place)
    course.hand_in("right")
    course.grade(force=True)
    left = {path.name for path in (course.folder.autograded / "right" / NAME).iterdir()}
    assert left == {f"{NAME}.ipynb"}


def test_the_feedback_button_writes_our_page(course: Course):
    autograde(course, "wrong")
    done = api(course).generate_feedback(NAME, "wrong")
    assert done["success"], done
    by_button = page(course, "wrong")
    assert HIDDEN.encode() not in by_button
    assert b"double of a negative number" in by_button
    write_feedback(course.folder, NAME, ["wrong"])
    assert page(course, "wrong") == by_button


def test_the_feedback_button_replaces_an_older_page(course: Course):
    autograde(course, "wrong")
    assert api(course).generate_feedback(NAME, "wrong")["success"]
    before = page(course, "wrong")
    course.hand_in("wrong")
    autograde(course, "wrong")
    assert api(course).generate_feedback(NAME, "wrong")["success"]
    assert page(course, "wrong") != before


def test_without_a_result_the_button_says_what_to_do_and_writes_nothing(course: Course):
    autograde(course, "right")
    shutil.rmtree(course.folder.results)
    done = api(course).generate_feedback(NAME, "right")
    assert not done["success"]
    assert "no result for right" in done["log"]
    assert "autograder grade" in done["log"]
    assert not course.folder.feedback.exists() or not list(course.folder.feedback.rglob("*.html"))


def test_of_several_notebooks_each_keeps_its_own_cells(tmp_path: Path):
    for name in ("one", "two"):
        place = tmp_path / "source" / "pair" / f"{name}.ipynb"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("{}")
    folder = CourseFolder.open(tmp_path)

    def run(notebook: str, points: float, problem: str) -> SubmissionResult:
        bout = Bout(problems=[problem], cpu_seconds=1.0)
        bout.results["sum"] = CellResult("sum", points, 4.0, Status.PASSED)
        names = {"student": "ada", "assignment": "pair", "notebook": notebook}
        keep(folder, names, {"sum": 4.0, "essay": 2.0}, bout, 2.0)
        text = (folder.results / "pair" / "ada.json").read_text(encoding="utf-8")
        return SubmissionResult.from_json(text)

    run("two", 1.0, "slow")
    run("one", 3.0, "odd")
    last = run("two", 4.0, "late")
    assert [(cell.grade_id, cell.points) for cell in last.cells] == [
        ("one/sum", 3.0), ("one/essay", None), ("two/sum", 4.0), ("two/essay", None)
    ]  # fmt: skip
    assert last.problems == ["one: odd", "two: late"]
    assert [cell.status for cell in last.cells[:2]] == [Status.PASSED, Status.MANUAL]
