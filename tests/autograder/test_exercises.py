"""The structure of a master notebook: what is filled in, what tests it, for how much."""

import pytest
from nbformat import v4

from autograder.errors import LessonError
from autograder.exercises import points, read_exercises, role, total_points


def cell(source="", name=None, kind="code", **meta):
    make = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
    made = make(source)
    if name:
        made.metadata["nbgrader"] = {"grade_id": name, **meta}
    return made


def solution(name):
    return cell(f"def {name}(): ...", name, solution=True)


def graded(name, worth=1):
    return cell("assert True", name, grade=True, locked=True, points=worth)


def exercises(*cells):
    return read_exercises(v4.new_notebook(cells=list(cells)))


@pytest.mark.parametrize(
    "meta, kind, expected",
    [
        ({}, "code", "locked-free"),
        ({"solution": True}, "code", "solution"),
        ({"grade": True}, "code", "test"),
        ({"grade": True, "solution": True}, "code", "manual"),
        ({"grade": True}, "markdown", "manual"),
        ({"task": True}, "markdown", "manual"),
        ({"locked": True}, "code", "locked"),
        ({"locked": False}, "code", "plain"),
    ],
)
def test_a_cell_has_the_role_that_its_metadata_give_it(meta, kind, expected):
    if expected == "locked-free":
        assert role(cell()) == "plain"
    else:
        assert role(cell("", "a", kind, **meta)) == expected


def test_tests_belong_to_the_solutions_above_them_and_to_the_heading():
    got = exercises(
        cell("# Lesson", kind="markdown"),
        graded("early", 1),
        cell("text\n## Exercise 1\n### Part", kind="markdown"),
        solution("f"),
        cell("f()"),
        solution("g"),
        graded("test-f", 2),
        graded("test-g", 3),
        cell("## Exercise 2", kind="markdown"),
        solution("h"),
        graded("test-h", 4.5),
    )
    assert [e.name for e in got] == ["early", "g", "h"]
    assert [e.title for e in got] == ["Lesson", "Part", "Exercise 2"]
    assert list(got[1].solutions) == ["f", "g"]
    assert [t.grade_id for t in got[1].tests] == ["test-f", "test-g"]
    assert [e.points for e in got] == [1, 5, 4.5] and total_points(got) == 10.5


def test_an_answer_that_a_person_grades_is_an_exercise():
    essay = cell("because", "why", "markdown", grade=True, solution=True, points=5)
    [got] = exercises(essay)
    assert got.manual == {"why": 5.0} and got.points == 5 and not got.tests


def test_a_solution_that_nothing_tests_is_an_exercise_of_no_points():
    [got] = exercises(solution("f"))
    assert got.points == 0


def test_points_may_be_missing():
    assert points(cell("", "a", grade=True)) == 0
    assert points(cell("", "a", grade=True, points=None)) == 0


def test_two_cells_of_one_name_are_refused():
    with pytest.raises(LessonError, match="'f'"):
        exercises(solution("f"), graded("f"))
