"""What is run again, what is not, and what no failure may overwrite."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest
from submissions.toy import NAME

import autograder
from autograder import grade as grading
from autograder.crew import Lost
from autograder.errors import CourseError
from autograder.grade import open_lessons
from autograder.gradebook import Scores
from autograder.intake import DECIDING, fingerprint, read_task
from autograder.pool import Pool
from autograder.results import SubmissionResult

PACKAGE = Path(autograder.__file__).parent
# Part of the engine as it runs, without a say in any score.
SILENT = {
    *("__init__", "errors", "files", "isolation", "linux", "registration", "results", "rundirs"),
    *("cases", "runfolder", "servers", "text", "tribunal", "calllog", "probing", "foreman", "pool"),
    *("crew", "turns"),
    *("doctor", "probes", "prerequisites", "fates", "folder"),
}
WRONG = "def total(values):\n    return 1"


def test_an_unchanged_submission_is_not_run_again_and_a_changed_one_is(course):
    course.hand_in("ada")
    course.hand_in("bob")
    first = course.grade(2)
    assert (first.graded, first.unchanged) == (2, 0)
    kept = course.result("ada").seconds
    course.hand_in("bob", total=WRONG)
    second = course.grade(2)
    assert (second.graded, second.unchanged) == (1, 1)
    assert second.changes == ["bob: 10 → 4 (test-total 4 → 0, test-steps 3 → 1)"]
    assert course.result("ada").seconds == kept
    assert course.book()["bob"]["test-total"] == 0
    assert course.grade(2, force=True).graded == 2


def test_a_changed_master_or_limit_is_graded_again(course):
    course.hand_in("ada")
    place = course.place("ada")
    [lesson] = open_lessons(course.folder, NAME, grading.Options())
    [longer] = open_lessons(course.folder, NAME, grading.Options(timeout=7))
    [jailed] = open_lessons(course.folder, NAME, grading.Options(isolation="jail"))
    digests = {read_task(place, each).fingerprint for each in (lesson, longer, jailed)}
    assert len(digests) == 3
    task = read_task(place, lesson)
    (place / "helper.py").write_text("x = 1")
    assert read_task(place, lesson).fingerprint != fingerprint(lesson, task) == task.fingerprint


def test_a_result_without_its_scores_in_the_gradebook_is_made_again(course):
    course.hand_in("ada")
    course.grade()
    Path(course.folder.db_url.removeprefix("sqlite:///")).unlink()
    assert course.grade().graded == 1
    assert course.book()["ada"]["test-total"] == 4


def test_scores_reach_the_gradebook_before_the_result_says_done(course, monkeypatch):
    course.hand_in("ada")
    course.grade()
    course.hand_in("ada", total=WRONG)

    def refuse(*_):
        raise CourseError("the gradebook cannot be written")

    with monkeypatch.context() as patch:
        patch.setattr(Scores, "save", refuse)
        with pytest.raises(CourseError, match="cannot be written"):
            course.grade()
    assert course.result("ada").score == 10
    again = course.grade()
    assert again.changes == ["ada: 10 → 4 (test-total 4 → 0, test-steps 3 → 1)"]
    assert course.book()["ada"]["test-total"] == 0


def lose_everyone(monkeypatch):
    def lost(self, submissions):
        for tasks in submissions:
            yield Lost(tasks[0].student, "the process that graded it was lost, twice")

    monkeypatch.setattr(Pool, "outcomes", lost)


def test_what_the_engine_could_not_judge_keeps_its_scores(course, monkeypatch):
    course.hand_in("ada")
    course.grade()
    before, book = course.result("ada"), course.book()
    with monkeypatch.context() as patch:
        lose_everyone(patch)
        run = course.grade(force=True)
    reason = "not graded: the process that graded it was lost, twice"
    assert run.problems == [("ada", reason)]
    assert (run.graded, run.changes) == (0, [])
    assert course.result("ada") == before
    assert course.book() == book


def test_what_was_never_judged_is_a_row_without_scores_and_tried_again(course, monkeypatch):
    course.hand_in("ada")
    with monkeypatch.context() as patch:
        lose_everyone(patch)
        assert course.grade().graded == 0
    assert course.result("ada").problems[0].startswith("not graded: ")
    assert course.book() == {}
    assert course.grade().graded == 1
    assert course.result("ada").score == 10


def test_half_written_files_of_a_killed_run_are_removed(course):
    course.hand_in("ada")
    course.grade()
    target = course.folder.autograded / "ada" / NAME / f".{NAME}.ipynb.123"
    stray = course.folder.results / NAME / ".ada.json.123"
    target.write_text("half")
    stray.write_text("half")
    course.grade()
    assert not target.exists() and not stray.exists()


def imported(name: str) -> set[str]:
    """The modules of this package that a module names in its imports."""
    tree = ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "autograder":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("autograder."):
            found.add(node.module.split(".")[1])
    return {each for each in found if (PACKAGE / f"{each}.py").is_file()}


def test_every_module_of_the_engine_is_known_to_decide_scores_or_not_to():
    reached, new = set(), {"work", "execution", "referee", "forkserver", "intake"}
    while new:
        reached |= new
        new = set().union(*(imported(name) for name in new)) - reached
    assert set(DECIDING) <= reached | {"bridge", "gate", "view"}
    assert reached - set(DECIDING) <= SILENT, "does it decide a score? then it is for DECIDING"
    assert not set(DECIDING) & {"feedback", "report", "record", "cli", "progress", "pages"}


@pytest.mark.slow
def test_an_unchanged_class_of_1000_is_regraded_in_under_ten_seconds(course):
    course.hand_in("s0")
    course.grade()
    model = course.result("s0")
    with Scores(course.folder, NAME, course.master) as scores:
        for number in range(1, 1000):
            student = f"s{number}"
            course.hand_in(student)
            [lesson] = open_lessons(course.folder, NAME, grading.Options(isolation=model.isolation))
            mark = read_task(course.place(student), lesson).fingerprint
            values = {**vars(model), "student": student, "fingerprint": mark}
            result = SubmissionResult(**values)
            scores.save(result, None)
            path = course.folder.results / NAME / f"{student}.json"
            path.write_text(result.to_json())
    began = time.monotonic()
    run = course.grade()
    assert (run.graded, run.unchanged) == (0, 1000)
    assert time.monotonic() - began < 10
