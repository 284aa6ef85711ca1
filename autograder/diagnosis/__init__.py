"""Names the mistake behind a failed exercise, by what the submission answered to its tests.

The log of the failed tests is compared with the logs of the exercise's known mistakes: the same
tests fail and every answer in them is the same within tolerance. What no known mistake explains is
described by general rules. Nothing is guessed: where two known mistakes cannot be told apart, both
are named as such.

- ``evidence``: whether a known mistake explains the failed tests
- ``values``: exercises that are asked by name, for values
- ``two_at_once``: two known mistakes in one exercise
- ``general``: what can be said where no known mistake explains it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autograder.diagnosis.evidence import explains
from autograder.diagnosis.general import general_statements
from autograder.diagnosis.two_at_once import two_at_once
from autograder.diagnosis.values import asked_by_name, by_answers
from autograder.exercises import Exercise
from autograder.mistake_logs import Library, Run
from autograder.results import SubmissionResult
from autograder.rules import Statement
from autograder.trusted import bound_names, loaded_names, plain_python

MOST = 3  # general statements about one exercise


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong in one exercise of one submission.

    Attributes:
        exercise: its name.
        kind: ``one`` known mistake; ``either`` of several; ``both`` of two at once; ``follows``
            from a mistake in an earlier exercise; ``rules``; ``none``.
        names: of the known mistakes.
        statements: by general rules.
        sentences: what to tell the student.
    """

    exercise: str
    kind: str = "none"
    names: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    sentences: tuple[str, ...] = ()


@dataclass
class Work:
    """One submission as a diagnosis sees it: failed tests, logs, sources of its solution cells."""

    run: Run
    sources: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, result: SubmissionResult, calls: dict[str, dict], sources: Mapping[str, str]
    ) -> Work:
        """The work behind a stored result."""
        lost = [c.grade_id for c in result.cells if (c.points or 0) < c.max_points]
        return cls(Run(frozenset(lost), calls), sources)


def diagnose(library: Library, work: Work) -> dict[str, Diagnosis]:
    """A diagnosis for each exercise that lost points in its tests, by name of the exercise."""
    found: dict[str, Diagnosis] = {}
    for exercise in library.exercises:
        failing = work.run.failed & {test.grade_id for test in exercise.tests}
        if failing:
            found[exercise.name] = _diagnose(library, work, exercise, failing, found)
    return found


def _diagnose(
    library: Library,
    work: Work,
    exercise: Exercise,
    failing: frozenset[str],
    earlier: Mapping[str, Diagnosis],
) -> Diagnosis:
    name, by_name = exercise.name, {v.name: v for v in library.variants}
    used = _used(library, work, exercise, earlier)
    for culprit in used:
        known = earlier[culprit.name].names
        if earlier[culprit.name].kind == "one" and explains(
            library, library.runs[known[0]], work.run, exercise, failing
        ):
            sentence = (
                f"It uses your {_functions(culprit)}, whose mistake shows here: mend that first."
            )
            return Diagnosis(name, "follows", known, (), (sentence,))
    candidates = library.mistakes(exercise)
    if asked_by_name(library, exercise):
        names = by_answers(library, work.run, exercise, failing, candidates)
        kind = "both" if names and len(names[0]) > 1 else "one" if len(names) == 1 else "either"
        chosen = tuple(dict.fromkeys(name for group in names for name in group))
    else:
        chosen = tuple(
            v.name
            for v in candidates
            if explains(library, library.runs[v.name], work.run, exercise, failing)
        )
        kind = "one" if len(chosen) == 1 else "either"
        if not chosen:
            kind, chosen = "both", two_at_once(library, work.run, exercise, failing, candidates)
    if chosen:
        messages = [by_name[n].message for n in chosen]
        return Diagnosis(name, kind, chosen, (), _told(kind, messages))
    said = general_statements(library, work.run, exercise)[:MOST]
    if used:
        culprits = " and ".join(_functions(culprit) for culprit in used)
        sentence = f"It uses your {culprits}, whose own tests fail: mend that first."
        said.append(Statement("depends", sentence))
    sentences = tuple(statement.sentence for statement in said)
    return Diagnosis(name, "rules" if said else "none", (), tuple(said), sentences)


def _told(kind: str, messages: Sequence[str]) -> tuple[str, ...]:
    parts = list(dict.fromkeys(messages))
    if kind != "either" or len(parts) == 1:
        return tuple(parts)
    return (f"Either: {parts[0]}", *(f"Or: {part}" for part in parts[1:]))


def _used(
    library: Library, work: Work, exercise: Exercise, earlier: Mapping[str, Diagnosis]
) -> list[Exercise]:
    """The failed earlier exercises whose functions this one's cells call."""
    loaded: set[str] = set()
    for cell in exercise.solutions:
        loaded |= loaded_names(plain_python(work.sources.get(cell, "")))
    return [e for e in library.exercises if e.name in earlier and _defined(e) & loaded]


def _defined(exercise: Exercise) -> set[str]:
    return {n for source in exercise.solutions.values() for n in bound_names(plain_python(source))}


def _functions(exercise: Exercise) -> str:
    return " and ".join(sorted(_defined(exercise)))
