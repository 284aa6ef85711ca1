"""Two known mistakes in one exercise: pairs that explain it, and bodies that have both."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from autograder.answers import same_answer, telling
from autograder.calllog import numbers
from autograder.diagnosis.evidence import explains, paired
from autograder.exercises import Exercise
from autograder.merging import distance, merge
from autograder.mistake_logs import Library, Run
from autograder.mistakes import Variant
from autograder.rules import agree

TRIES = 6  # combinations of two mistakes that are run to explain one exercise
BASES = 4  # bodies that two mistakes may both be changes of
NOTHING = {"t": "None"}

Answers = list[tuple[dict, dict, bool, dict[str, tuple[dict, bool]]]]


def two_at_once(
    library: Library,
    submission: Run,
    exercise: Exercise,
    failing: frozenset[str],
    candidates: Sequence[Variant],
) -> tuple[str, ...]:
    """The one pair of mistakes that together explain the failed tests; () for none or several."""
    tests = {test.grade_id for test in exercise.tests}
    apart: list[tuple[Variant, Variant]] = []
    mixed: list[tuple[int, Variant, Variant]] = []
    answers = _answers(library, submission, candidates, failing)
    # True and False are too little to tell two mistakes from a third one.
    if all(numbers(mine.get("out", NOTHING)) is None or mine["out"]["t"] == "bool"
           for mine, _, wrong, _ in answers if wrong):  # fmt: skip
        return ()
    for a, b in combinations(candidates, 2):
        one, other = (library.runs[v.name].failed & tests for v in (a, b))
        if one | other != failing:
            continue
        lone = _lone(answers, a.name, b.name)
        if lone is None:
            continue
        if not one & other:
            if min(lone):
                apart.append((a, b))
        elif max(lone):
            mixed.append((-sum(lone), a, b))
    bodies: list[dict[str, str]] = []
    tried: list[tuple[Variant, Variant]] = []
    for _, a, b in sorted(mixed, key=lambda entry: entry[0]):
        if (body := _together(library, exercise, a, b)) and len(bodies) < TRIES:
            bodies.append(body)
            tried.append((a, b))
    for pair, run in zip(tried, library.try_out(bodies), strict=True):
        if explains(library, run, submission, exercise, failing):
            apart.append(pair)
    return tuple(v.name for v in apart[0]) if len(apart) == 1 else ()


def _answers(
    library: Library, submission: Run, candidates: Sequence[Variant], failing: frozenset[str]
) -> Answers:
    """Each question of the failed tests: the student's answer, the solution's, whether it is wrong,
    and each mistake's answer with whether that is wrong."""
    found: Answers = []
    for cell in failing:
        theirs = {}
        for v in candidates:
            answered = paired(library.runs[v.name], library.solution, cell)
            theirs[v.name] = {id(right): mine for mine, right in answered}
        for mine, right in paired(submission, library.solution, cell):
            known = {
                name: (entries[id(right)], not agree(entries[id(right)], right))
                for name, entries in theirs.items()
                if id(right) in entries
            }
            found.append((mine, right, not agree(mine, right), known))
    return found


def _lone(answers: Answers, a: str, b: str) -> tuple[int, int] | None:
    """How many questions each mistake explains where the other does nothing; None if one fails to.

    Where one of the two changes nothing, the answer has to be the other's.
    """
    counts = [0, 0]
    for mine, _, wrong, known in answers:
        if a not in known or b not in known:
            continue
        for place, (one, other) in enumerate(((a, b), (b, a))):
            (theirs, off), (_, idle) = known[one], known[other]
            if idle:  # the other one is wrong here, too
                continue
            if wrong != off or not same_answer(mine, theirs):
                return None
            counts[place] += off and telling(mine, theirs)
    return counts[0], counts[1]


def _together(
    library: Library, exercise: Exercise, a: Variant, b: Variant
) -> dict[str, str] | None:
    """A body with both mistakes in it, by cell; None when they cannot be put together."""
    if a.cell != b.cell:
        return {a.cell: a.source, b.cell: b.source}
    bases = [exercise.solutions[a.cell]]
    bases += [v.source for v in library.variants if v.cell == a.cell and v not in (a, b)]
    try:
        near = sorted(bases, key=lambda c: distance(c, a.source) + distance(c, b.source))
        for base in near[:BASES]:
            if merged := merge(base, a.source, b.source):
                return {a.cell: merged}
    except (SyntaxError, ValueError):
        pass
    return None
