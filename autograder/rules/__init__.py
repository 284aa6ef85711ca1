"""General statements about wrong answers: what holds for all of them, and nothing beyond that.

A rule looks at the wrong answers of one function beside the solution's answers to the same
questions, and says a sentence, or None where it does not hold for every one of them. What a
sentence tells the student is about the student's own answers: never an expected value.

- ``case``: a question with its two answers, and a statement
- ``outcomes``: how the wrong calls ended: an exception, nothing, something else than numbers
- ``arithmetic``: what was done to the right numbers, shapes being equal
- ``places``: the right numbers in another shape or at other places; places that are right
- ``separation``: the argument that tells right calls from wrong ones
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograder.answers import same_value
from autograder.calllog import shape
from autograder.rules.arithmetic import (
    clipped,
    factor,
    negated,
    not_finite,
    offset,
    truncated,
    zero,
)
from autograder.rules.case import Case, Statement, Wrong, agree, as_array, numeric
from autograder.rules.outcomes import (
    constant,
    missing,
    mutated,
    no_error,
    not_written,
    nothing_returned,
    of_another_kind,
    raised,
)
from autograder.rules.places import border, flipped, one_slice, rearranged, reordered, wrong_shape
from autograder.rules.separation import separated

__all__ = ["Case", "Statement", "agree", "statements"]


VALUE_RULES: tuple[Callable[[Wrong], Statement | None], ...] = (
    not_finite,
    truncated,
    negated,
    zero,
    clipped,
    flipped,
    factor,
    offset,
    one_slice,
    border,
    reordered,
)


def statements(cases: Sequence[Case]) -> list[Statement]:
    """What can be said of the answers of one function, right and wrong ones; most telling first."""
    wrong = [case for case in cases if not case.right]
    if not wrong:
        return []
    for rule in (missing, not_written, nothing_returned):
        if found := rule(wrong):
            return [found]
    if found := constant(cases):
        return [found]
    said = [
        found for rule in (raised, no_error, mutated, of_another_kind) if (found := rule(wrong))
    ]
    # An answer can be wrong for what it did to its arguments alone.
    off = [case for case in wrong if not same_value(case.value, case.solution)]
    shaped = [case for case in off if numeric(case)]
    if shaped and (found := rearranged(shaped) or wrong_shape(shaped)):
        said.append(found)
    alike = [case for case in shaped if shape(case.value) == shape(case.solution)]
    if alike and len(alike) == len(shaped):
        values = Wrong(
            alike[0].name,
            [as_array(case.value) for case in alike],
            [as_array(case.solution) for case in alike],
        )
        for compare in VALUE_RULES:
            if said and said[-1].rule == "transposed":
                break
            if found := compare(values):
                said.append(found)
                break
    if found := separated(cases):
        said.append(found)
    return said
