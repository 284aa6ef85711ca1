"""Whatever a student hands in becomes a row with its reason, and harms nobody else's."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from submissions.fates import ALL, SCORES
from submissions.toy import POINTS, Course, make_course

from autograder.fates import fill, non_utf8
from autograder.grade import Run
from autograder.submission import show_name


@dataclass
class Class:
    """A graded class: one student for each fate, an honest one after each."""

    course: Course
    run: Run
    students: dict[str, str]
    neighbours: dict[str, str]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Class:
    course = make_course(tmp_path_factory.mktemp("fates") / "course")
    students, neighbours = {}, {}
    for number, (name, fate) in enumerate(ALL.items()):
        student = f"s{number:02}"
        if name == "non-UTF-8 name":
            student += non_utf8("ë")
        notebook = fill(course.release, course.answers)
        fate.write(course.place(student), course.name, notebook, "double")
        students[name], neighbours[name] = show_name(student), f"s{number:02}-next"
        course.hand_in(neighbours[name], total="def total(values):\n    return sum(values) or 1")
    run = course.grade(jobs=2, timeout=4)
    return Class(course, run, students, neighbours)


def test_every_fate_has_its_expected_score():
    assert ALL.keys() == SCORES.keys()


def test_no_fate_stops_the_run(graded: Class):
    assert graded.run.graded == graded.run.submissions == 2 * len(ALL)


@pytest.mark.parametrize("fate", ALL)
def test_fate_becomes_a_row_with_its_reason_and_score(graded: Class, fate: str):
    result = graded.course.result(graded.students[fate])
    told = [*result.problems, *(cell.message for cell in result.cells)]
    assert any(ALL[fate].reason in line for line in told), told
    assert result.score == SCORES[fate], told
    lost = [cell for cell in result.cells if cell.points is not None and not cell.points]
    assert all(cell.message for cell in lost), "points are lost without a word"


@pytest.mark.parametrize("fate", ALL)
def test_student_after_it_keeps_the_score_of_honest_work(graded: Class, fate: str):
    cells = graded.course.cells(graded.neighbours[fate])
    assert cells == {"test-double": 3, "test-total": 0, "test-steps": 2, "essay": None}
    assert graded.course.result(graded.neighbours[fate]).problems == []


def test_gradebook_has_a_row_for_each(graded: Class):
    book = graded.course.book()
    assert book.keys() == {*graded.students.values(), *graded.neighbours.values()}
    for fate, student in graded.students.items():
        assert sum(book[student].get(name) or 0 for name in POINTS) == SCORES[fate], fate


def test_a_further_run_runs_none_of_them_again(graded: Class):
    again = graded.course.grade(jobs=2, timeout=4)
    assert (again.graded, again.unchanged) == (0, 2 * len(ALL))
    assert sorted(again.problems) == sorted(graded.run.problems)
