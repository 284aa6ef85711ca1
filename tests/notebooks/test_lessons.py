"""Every lesson that exists, proven as `autograder verify` proves it."""

import os
from pathlib import Path

import pytest

from autograder.errors import IsolationError
from autograder.exercises import read_exercises, total_points
from autograder.folder import CourseFolder
from autograder.isolation import choose
from autograder.mistakes import read_mistakes
from autograder.text import read_text
from autograder.verify import verify

FOLDER = CourseFolder.open(Path(__file__).parents[2])
LESSONS = FOLDER.lessons()
RACES = {"13-speedrun"}  # for those who want more: a leaderboard in the place of points
COUNTED = [name for name in LESSONS if name not in RACES]
# Of each exercise; `make test-slow` and `autograder verify` judge them all.
MUTANTS, VARIANTS = 1, 1


def isolation():
    try:
        return choose()
    except IsolationError:
        return "process"


@pytest.mark.parametrize("name", COUNTED)
def test_a_lesson_has_100_points_in_cells_of_one_behaviour(name):
    exercises = read_exercises(read_text(FOLDER.text(name)))
    assert total_points(exercises) == 100
    assert sum(len(exercise.tests) for exercise in exercises) >= 16


@pytest.mark.parametrize("name", sorted(RACES.intersection(LESSONS)))
def test_a_race_has_no_points_to_lose(name):
    exercises = read_exercises(read_text(FOLDER.text(name)))
    assert total_points(exercises) == 0
    assert sum(len(exercise.tests) for exercise in exercises) == 1


@pytest.mark.parametrize("name", COUNTED)
def test_a_lesson_knows_thirty_mistakes_and_ten_other_right_answers(name):
    variants = read_mistakes(FOLDER.mistakes(name))
    assert sum(not variant.right for variant in variants) >= 30
    assert sum(variant.right for variant in variants) >= 10


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", LESSONS)
def test_a_sample_of_mistakes_and_mutants_of_a_lesson_is_caught(name):
    jobs = os.cpu_count() or 1
    found = verify(FOLDER, [name], jobs, isolation(), lambda _: None, MUTANTS, VARIANTS)
    assert found.ok, missing(found.assignments[name])


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", LESSONS)
def test_the_hidden_tests_of_a_lesson_are_proven(name):
    found = verify(FOLDER, [name], os.cpu_count() or 1, isolation())
    assert found.ok, missing(found.assignments[name])


def missing(lesson):
    """What is not proven, in few words."""
    said = lesson.to_dict()
    return {key: said[key] for key in ("mistakes", "alternatives", "mutants", "problems")}
