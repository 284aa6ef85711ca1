"""Whether a run explains a submission: the same tests fail, with the same telling answers."""

from __future__ import annotations

from autograder.answers import pairs, same_answer, same_log, telling
from autograder.exercises import Exercise
from autograder.mistake_logs import Library, Run
from autograder.rules import agree


def explains(
    library: Library, run: Run, submission: Run, exercise: Exercise, failing: frozenset[str]
) -> bool:
    """Whether a run fails the same tests with the same answers, one of them telling and wrong."""
    if run.failed & {test.grade_id for test in exercise.tests} != failing:
        return False
    if not all(same_log(submission.calls.get(c, {}), run.calls.get(c, {})) for c in failing):
        return False
    return any(_evidence(library, run, submission, cell) for cell in failing)


def _evidence(library: Library, run: Run, submission: Run, cell: str) -> bool:
    """Whether both give an answer in ``cell`` that is alike, telling and not the solution's."""
    right = {id(mine): theirs for mine, theirs in paired(submission, library.solution, cell)}
    for mine, theirs in paired(submission, run, cell):
        wrong = id(mine) in right and not agree(mine, right[id(mine)])
        if wrong and same_answer(mine, theirs) and telling(mine, theirs):
            return True
    return False


def paired(one: Run, other: Run, cell: str) -> list[tuple[dict, dict]]:
    """The answers of two runs to the same questions of the test ``cell``."""
    return pairs(one.calls.get(cell, {}), other.calls.get(cell, {}))
