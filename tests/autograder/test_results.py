"""The record of one graded submission, kept and read again."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.results import CellResult, Status, SubmissionResult

cells = st.builds(
    CellResult,
    grade_id=st.text(max_size=9),
    points=st.none() | st.floats(0, 9),
    max_points=st.floats(0, 9),
    status=st.sampled_from(Status),
    message=st.text(st.characters(), max_size=9),
)
results = st.builds(
    SubmissionResult,
    student=st.text(st.characters(), max_size=9),
    assignment=st.text(max_size=9),
    cells=st.lists(cells, max_size=4),
    problems=st.lists(st.text(st.characters(), max_size=9), max_size=3),
    gradable=st.booleans(),
    seconds=st.floats(0, 9),
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(results)
def test_a_record_is_read_as_it_was_written(result):
    text = result.to_json()
    assert SubmissionResult.from_json(text) == result
    text.encode("ascii")


def test_a_score_is_the_sum_of_what_ran_by_itself():
    made = [
        CellResult("a", 2.0, 2.0, Status.PASSED),
        CellResult("b", 0.5, 3.0, Status.PARTIAL),
        CellResult("c", None, 5.0, Status.MANUAL),
    ]
    result = SubmissionResult("ann", "01", made)
    assert (result.score, result.max_score) == (2.5, 10.0)
    assert SubmissionResult("bob", "01").score == 0


GOOD = SubmissionResult("ann", "01", [CellResult("a", 1.0, 1.0, Status.PASSED)]).to_json()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "5",
        "null",
        "{}",
        GOOD[:-20],
        GOOD.replace('"passed"', '"brilliant"'),
        GOOD.replace('"grade_id"', '"name"'),
        GOOD.replace('"student"', '"pupil"'),
        json.dumps({"cells": 5}),
        json.dumps({"cells": ["a"]}),
        json.dumps({"cells": [{}]}),
    ],
)
def test_what_is_no_record_is_a_value_error(text):
    with pytest.raises(ValueError):
        SubmissionResult.from_json(text)
