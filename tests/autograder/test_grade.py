"""Grading a class: what is run, what is recorded, what the person at the terminal is told."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from submissions.toy import CONFIG, ISOLATION, NAME, POINTS, Course, make_course

from autograder.errors import CourseError
from autograder.fates import fill
from autograder.text import dump

WRONG = "def double(x):\n    return x"
FULL = {"test-double": 3, "test-total": 4, "test-steps": 3, "essay": None}


def run(course: Course, *arguments: str) -> subprocess.CompletedProcess:
    """The command line in the course folder."""
    command = [sys.executable, "-m", "autograder.cli", *arguments]
    return subprocess.run(command, cwd=course.folder.root, capture_output=True, text=True)


def grade_command(course: Course, *arguments: str) -> subprocess.CompletedProcess:
    return run(course, "grade", course.name, "--isolation", ISOLATION, "--jobs", "1", *arguments)


def one_line(done: subprocess.CompletedProcess) -> str:
    """The only line of an unsuccessful command."""
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert done.stdout == ""
    return lines[0]


def test_gradebook_holds_what_the_results_hold(course: Course):
    course.hand_in("ann")
    course.hand_in("bob", double=WRONG)
    course.hand_in("cleo", total="total = max")
    done = course.grade(jobs=2)
    assert (done.submissions, done.graded, done.problems) == (3, 3, [])
    assert course.book() == {name: course.cells(name) for name in ("ann", "bob", "cleo")}
    assert course.cells("ann") == FULL
    assert course.cells("bob") == FULL | {"test-double": 0}
    with Gradebook(course.folder.db_url) as gradebook:
        assert gradebook.find_assignment(NAME).max_score == sum(POINTS.values()) + 5
        assert gradebook.find_submission(NAME, "bob").score == 7


def test_a_new_gradebook_is_stamped_with_the_version_that_nbgrader_would_give_it(
    course: Course, monkeypatch: pytest.MonkeyPatch
):
    course.hand_in("ann")
    course.grade()
    with sqlite3.connect(course.folder.db_url.removeprefix("sqlite:///")) as book:
        (stamp,) = book.execute("select version_num from alembic_version").fetchone()
    bin_folder = Path(sys.executable).parent
    monkeypatch.setenv("PATH", os.pathsep.join([str(bin_folder), os.environ["PATH"]]))
    code = "from nbgrader.api import get_alembic_version as version; print(version())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert stamp == done.stdout.strip()


def test_unchanged_submissions_are_not_run_again(course: Course):
    course.hand_in("ann")
    course.hand_in("bob")
    course.grade()
    place = course.hand_in("bob", double=WRONG)
    stamp = (course.folder.results / NAME / "ann.json").stat().st_mtime_ns
    done = course.grade()
    assert (done.graded, done.unchanged) == (1, 1)
    assert (course.folder.results / NAME / "ann.json").stat().st_mtime_ns == stamp
    (place / "data.txt").write_text("a file beside the notebook counts as well")
    assert course.grade().graded == 1


def test_force_runs_unchanged_submissions_too(course: Course):
    course.hand_in("ann")
    course.grade()
    done = course.grade(force=True)
    assert (done.graded, done.unchanged, done.changes) == (1, 0, [])


def test_submission_that_left_the_gradebook_is_graded_again(course: Course):
    course.hand_in("ann")
    course.grade()
    Path(course.folder.db_url.removeprefix("sqlite:///")).unlink()
    assert course.grade().graded == 1
    assert course.book()["ann"] == FULL


def test_changed_score_is_told_with_its_cells(course: Course):
    course.hand_in("ann")
    course.hand_in("bob")
    course.grade()
    course.hand_in("ann", double=WRONG)
    assert course.grade().changes == ["ann: 10 → 7 (test-double 3 → 0)"]


def test_changed_master_grades_everybody_again(course: Course):
    course.hand_in("ann")
    course.grade()
    path = course.folder.master(NAME)
    path.write_text(path.read_text().replace("double(-31) == -62", "double(-31) == 62"))
    done = course.grade()
    assert done.changes == ["ann: 10 → 7 (test-double 3 → 0)"]


def test_only_the_named_student_is_graded(course: Course):
    course.hand_in("ann")
    course.hand_in("bob")
    assert course.grade(students=("bob",)).graded == 1
    assert course.book().keys() == {"bob"}


def test_unknown_assignment_and_student_are_one_line_each(course: Course):
    course.hand_in("ann")
    done = run(course, "grade", "08-products", "--isolation", ISOLATION)
    assert "no assignment '08-products'" in one_line(done)
    assert NAME in one_line(done)
    assert "bob" in one_line(grade_command(course, "--student", "bob"))


def test_class_without_submissions_is_no_failure(course: Course):
    assert course.grade().submissions == 0


def test_json_is_one_object_alone_on_standard_output(course: Course):
    course.hand_in("ann", double="print('hello')\n" + WRONG)
    course.place("bob").mkdir(parents=True)
    done = grade_command(course, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert set(told) == {
        "assignment", "submissions", "graded", "unchanged", "problems", "isolation", "seconds",
    }  # fmt: skip
    assert [told[key] for key in ("assignment", "submissions", "graded", "unchanged")] == [
        NAME, 2, 2, 0,
    ]  # fmt: skip
    assert told["isolation"] == ISOLATION
    [problem] = told["problems"]
    assert problem["student"] == "bob" and "no notebook" in problem["reason"]
    assert "2 submissions" in done.stderr
    course.hand_in("bob")
    assert grade_command(course, "--json").returncode == 0


def test_time_stamp_reaches_the_gradebook_and_lateness_costs_what_the_course_says(tmp_path: Path):
    late = CONFIG + 'c.LateSubmissionPlugin.penalty_method = "zero"\n'
    course = make_course(tmp_path / "course", config=late)
    stamps = {"early": "2026-01-09 12:00:00 UTC", "late": "2026-01-11 12:00:00 UTC"}
    for student, stamp in stamps.items():
        (course.hand_in(student) / "timestamp.txt").write_text(stamp)
    course.hand_in("undated")
    course.grade(students=("undated",))
    with Gradebook(course.folder.db_url) as gradebook:
        gradebook.update_or_create_assignment(NAME, duedate="2026-01-10 12:00:00 UTC")
    course.grade()
    with Gradebook(course.folder.db_url) as gradebook:
        found = {s.student_id: s for s in gradebook.assignment_submissions(NAME)}
        assert found["early"].timestamp == datetime(2026, 1, 9, 12)
        penalties = {name: s.late_submission_penalty for name, s in found.items()}
    assert penalties == {"early": 0, "late": 10, "undated": 0}
    kept = course.folder.autograded / "late" / NAME / "timestamp.txt"
    assert kept.read_text() == stamps["late"]


def test_manual_score_survives_a_regrade_and_asks_for_a_look(course: Course):
    course.hand_in("ann")
    course.grade()
    with Gradebook(course.folder.db_url) as gradebook:
        essay = gradebook.find_grade("essay", NAME, NAME, "ann")
        assert essay.needs_manual_grade
        essay.manual_score, essay.needs_manual_grade = 4.0, False
        gradebook.db.commit()
    course.hand_in("ann", double=WRONG)
    course.grade()
    with Gradebook(course.folder.db_url) as gradebook:
        essay = gradebook.find_grade("essay", NAME, NAME, "ann")
        assert (essay.manual_score, essay.needs_manual_grade) == (4.0, True)
        assert gradebook.find_submission(NAME, "ann").score == 11


def test_last_expression_of_a_test_gives_partial_credit(course: Course):
    course.hand_in("ann", total="def total(values):\n    return sum(map(abs, values))")
    course.grade()
    assert course.cells("ann")["test-steps"] == 2
    assert course.book()["ann"]["test-steps"] == 2


def test_warning_costs_nothing(course: Course):
    noisy = "import warnings\ndef double(x):\n    warnings.warn('old')\n    return 2 * x"
    course.hand_in("ann", double=noisy)
    course.grade()
    assert course.cells("ann") == FULL


def test_files_beside_the_notebook_are_there_when_it_runs(course: Course):
    read = "factor = int(open('data/factor.txt').read())\ndef double(x):\n    return factor * x"
    place = course.hand_in("ann", double=read)
    (place / "data").mkdir()
    (place / "data" / "factor.txt").write_text("2")
    course.hand_in("bob", double=read)
    course.grade()
    assert course.cells("ann") == FULL
    assert course.cells("bob")["test-double"] == 0, "another student's file was in reach"


def test_autograded_notebook_has_the_masters_tests_and_the_students_output(course: Course):
    course.hand_in("ann", double="print('mine')\n" + WRONG)
    course.grade()
    notebook = nbformat.read(course.folder.autograded / "ann" / NAME / f"{NAME}.ipynb", 4)
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in notebook.cells}
    assert "BEGIN HIDDEN TESTS" in cells["test-double"].source
    assert cells["double"].outputs[0].text == "mine\n"
    assert cells["test-double"].outputs[-1].ename == "AssertionError"
    nbformat.validate(notebook)


def test_two_runs_of_a_class_write_the_same_notebooks(course: Course):
    course.hand_in("ann", double="import random\nprint(2)\n" + WRONG)
    course.grade()
    path = course.folder.autograded / "ann" / NAME / f"{NAME}.ipynb"
    before = path.read_bytes()
    course.grade(force=True)
    assert path.read_bytes() == before


def test_papermill_runs_a_notebook_with_the_referee(course: Course, tmp_path: Path):
    start, end = tmp_path / "in.ipynb", tmp_path / "out.ipynb"
    start.write_bytes(dump(fill(course.master, {**course.answers, "double": WRONG})))
    command = [sys.executable, "-m", "papermill", str(start), str(end), "--engine", "referee"]
    done = subprocess.run(command, capture_output=True, text=True)
    # papermill itself tells of a failed cell when all have run.
    assert done.returncode == 1
    assert "AssertionError: double(2) is 4" in done.stderr
    cells = {cell.id: cell for cell in nbformat.read(end, as_version=4).cells}
    assert cells["test-double"].outputs[-1].ename == "AssertionError"
    assert cells["test-steps"].outputs[-1].data["text/plain"] == "3.0"
    assert not cells["test-total"].outputs


def test_locked_gradebook_is_one_line_and_loses_nothing(course: Course):
    course.hand_in("ann")
    course.grade()
    course.hand_in("ann", double=WRONG)
    holder = sqlite3.connect(course.folder.db_url.removeprefix("sqlite:///"))
    try:
        holder.execute("BEGIN EXCLUSIVE")
        told = one_line(grade_command(course))
        assert "gradebook" in told and "locked" in told
    finally:
        holder.close()
    assert grade_command(course).returncode == 0
    assert course.book()["ann"]["test-double"] == 0


def test_results_that_cannot_be_written_are_one_line(course: Course):
    course.hand_in("ann")
    course.folder.results.parent.mkdir(exist_ok=True)
    course.folder.results.write_text("a file in the place of the folder")
    assert "results" in one_line(grade_command(course))


def test_gradebook_that_cannot_be_opened_is_one_line(course: Course):
    course.hand_in("ann")
    path = course.folder.root / "grading" / "gradebook.db"
    path.unlink()
    path.mkdir()
    assert "gradebook" in one_line(grade_command(course))


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_read_only_folder_is_one_line(course: Course):
    course.hand_in("ann")
    course.folder.submitted.parent.chmod(0o555)
    try:
        assert "gradebook" in one_line(grade_command(course))
    finally:
        course.folder.submitted.parent.chmod(0o755)


def test_gradebook_of_another_shape_says_what_to_do(course: Course):
    course.hand_in("ann")
    course.grade()
    path = course.folder.master(NAME)
    path.write_text(path.read_text().replace("test-double", "test-twice"))
    with pytest.raises(CourseError, match="nbgrader db assignment remove"):
        course.grade()
