"""Each general rule says its sentence where it holds, and keeps still where it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.calllog import describe
from autograder.rules import Case, agree, statements

RANDOM = np.random.default_rng(0)
SQUARE = RANDOM.normal(size=(4, 4))
LONG = RANDOM.normal(size=(5, 3))
MAPS = RANDOM.normal(size=(2, 3, 4, 5))


def entry(value: Any = None, error: Exception | None = None, **changed: Any) -> dict:
    found: dict[str, Any] = {"op": "call", "on": "f"}
    if error is not None:
        found["error"] = {"class": type(error).__name__, "message": str(error), "where": "x[9]"}
    else:
        found["out"] = describe(value)
    if changed:
        found["changed"] = {name: describe(v) for name, v in changed.items()}
    return found


def case(got: dict, want: dict, **arguments: Any) -> Case:
    described = {name: describe(value) for name, value in arguments.items()}
    return Case("f", described, got, want, agree(got, want))


def wrong(*pairs: tuple[Any, Any]) -> list[Case]:
    return [case(entry(got), entry(want)) for got, want in pairs]


def labels(cases: list[Case]) -> list[str]:
    return [statement.label for statement in statements(cases)]


def test_right_answers_lead_to_no_statement():
    assert labels(wrong((LONG, LONG), (LONG.tolist(), LONG), (LONG.astype("f4"), LONG))) == []


@pytest.mark.parametrize(
    ("change", "label"),
    [
        (lambda a: a.T, "transposed"),
        (lambda a: 3.0 * a, "factor"),
        (lambda a: -a, "sign"),
        (lambda a: a + 0.5, "offset"),
        (lambda a: a[::-1], "flipped"),
        (np.trunc, "truncated"),
        (lambda a: 0 * a, "zeros"),
        (lambda a: a / 0.0, "not-finite"),
        (lambda a: a.ravel(), "reshaped"),
        (lambda a: a[:-1], "shape"),
        (lambda a: None, "none"),
        (lambda a: "text", "kind:str"),
        (lambda a: np.vstack([a[:1], a[1:] ** 2 + 1]), "slice:first"),
        (lambda a: np.roll(a, 1, axis=1), "reordered"),
    ],
)
def test_a_rule_names_what_was_done_to_the_right_answer(change, label):
    arrays = [9 * SQUARE, 9 * LONG]
    with np.errstate(all="ignore"):
        assert labels(wrong(*((change(a), a) for a in arrays))) == [label]


def test_a_change_that_no_rule_knows_is_met_with_silence():
    assert labels(wrong(*((np.tanh(a) + a**2, a) for a in (SQUARE, LONG)))) == []


def test_one_wrong_number_is_no_factor_and_no_offset():
    assert labels(wrong((6, 3))) == []
    assert labels(wrong((7, 3))) == []


def test_one_factor_in_several_numbers_is_a_factor():
    assert labels(wrong((6, 3), (10, 5))) == ["factor"]
    assert "0.5" in statements(wrong((1, 2), (3, 6)))[0].sentence


def test_a_factor_for_each_call_needs_more_than_one_number_in_each():
    assert labels(wrong((SQUARE / 9, SQUARE), (LONG / 4, LONG))) == ["factor:varies"]
    assert labels(wrong((1, 9), (1, 4))) == []


def test_a_constant_for_each_map_is_told_apart_from_one_for_all():
    steps = np.array([1.0, 2.0, 3.0])[:, None, None]
    assert labels(wrong((MAPS + steps, MAPS))) == ["offset:part"]
    assert labels(wrong((MAPS + 1, MAPS))) == ["offset"]


def test_axes_in_another_order_are_named_by_their_order():
    said = statements(wrong((MAPS.transpose(0, 2, 3, 1), MAPS)))
    assert [s.rule for s in said] == ["transposed"]
    assert "(0, 2, 3, 1)" in said[0].sentence


def test_ones_are_no_evidence_of_a_transpose_or_a_flip():
    assert labels(wrong((np.ones((3, 2)), np.ones((2, 3))))) == ["shape"]


def test_right_inside_and_wrong_around_is_the_border():
    padded = SQUARE.copy()
    padded[0, 2] += 5
    padded[3, 1] -= 2
    assert labels(wrong((padded, SQUARE))) == ["border"]
    padded[1, 1] += 1
    assert labels(wrong((padded, SQUARE))) == []


def test_an_exception_is_told_with_its_words_and_its_line():
    cases = [case(entry(error=IndexError("too far")), entry(SQUARE), image=SQUARE)]
    said = statements(cases)
    assert [s.label for s in said] == ["raised:IndexError"]
    assert "too far" in said[0].sentence and "x[9]" in said[0].sentence
    assert "(4, 4)" in said[0].sentence


def test_two_kinds_of_exceptions_are_not_one_finding():
    cases = [
        case(entry(error=IndexError("a")), entry(1)),
        case(entry(error=ValueError("b")), entry(2)),
    ]
    assert labels(cases) == []


def test_a_missing_exception_is_asked_for():
    assert labels([case(entry(1), entry(error=ValueError("no")))]) == ["no-error"]


def test_a_stub_is_not_written_yet():
    assert labels([case(entry(error=NotImplementedError("todo")), entry(1))]) == ["not-written"]


def test_a_changed_argument_is_named():
    cases = [case(entry(SQUARE, **{"0": SQUARE + 1}), entry(SQUARE), image=SQUARE)]
    assert labels(cases) == ["mutated:image"]


def test_opposite_truth_needs_both_answers():
    assert labels(wrong((True, False), (False, True))) == ["negated"]
    assert labels(wrong((True, False))) == []


def stride(value: int, right: bool) -> Case:
    return case(entry(1 if right else 2), entry(1), stride=value)


def test_an_argument_that_separates_right_from_wrong_is_named():
    cases = [stride(1, True), stride(1, True), stride(2, False), stride(3, False)]
    said = [s for s in statements(cases) if s.rule == "parameter"]
    assert [s.label for s in said] == ["parameter:stride"]
    assert "1" in said[0].sentence and "2 or 3" in said[0].sentence


def test_an_argument_with_both_fates_separates_nothing():
    cases = [stride(1, True), stride(2, True), stride(2, False), stride(3, False)]
    assert not [s for s in statements(cases) if s.rule == "parameter"]


def test_values_that_differ_in_every_call_separate_nothing():
    cases = [stride(5, True), stride(7, True), stride(6, False), stride(8, False)]
    assert not [s for s in statements(cases) if s.rule == "parameter"]


def test_right_on_squares_and_wrong_on_rectangles_is_said():
    cases = [
        case(entry(1), entry(1), image=SQUARE),
        case(entry(1), entry(1), image=np.ones((2, 2))),
        case(entry(3), entry(1), image=LONG),
    ]
    assert labels(cases) == ["separated:image"]


def test_no_sentence_shows_an_expected_number():
    secret = 8128.5
    for got in (secret + 1, None, "x", np.full((2, 2), 3.0)):
        cases = wrong((got, secret), (got, secret))
        assert all("8128" not in s.sentence for s in statements(cases))


def test_one_answer_to_every_question_is_told_as_such():
    assert labels(wrong((7, 3), (7, 7), (7, 9))) == ["constant"]
    assert labels(wrong((0.0, 0.5), (0.0, 1.5), (0.0, 2.0))) == ["constant"]
    assert labels(wrong((SQUARE, LONG), (SQUARE, MAPS), (SQUARE, -LONG))) == ["constant"]


def test_one_answer_is_no_finding_when_the_right_one_is_always_the_same_or_the_questions_are_few():
    assert "constant" not in labels(wrong((7, 3), (7, 3), (7, 3)))
    assert "constant" not in labels(wrong((7, 3), (7, 9)))
