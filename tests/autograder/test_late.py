"""What being late costs."""

import pytest
from traitlets import TraitError

from autograder.late import DAY, LatePolicy


@pytest.mark.parametrize(
    ("seconds", "lost"),
    [
        (1, 1.0),
        (DAY, 1.0),
        (DAY + 1, 2.0),
        (9 * DAY, 9.0),
        (30 * DAY, 10.0),
    ],
)
def test_each_day_begun_costs_its_percent_and_never_more_than_all(seconds, lost):
    assert LatePolicy(percent_a_day=10).late_submission_penalty("ada", 10.0, seconds) == lost


def test_grace_is_free_and_does_not_shift_the_days():
    policy = LatePolicy(grace_minutes=30, percent_a_day=10)
    assert policy.late_submission_penalty("ada", 10.0, 30 * 60) is None
    assert policy.late_submission_penalty("ada", 10.0, 30 * 60 + 1) == 1.0


def test_there_may_be_a_most_and_an_end():
    policy = LatePolicy(percent_a_day=10, most_percent=25, closed_after_days=7)
    assert policy.late_submission_penalty("ada", 10.0, 6 * DAY) == 2.5
    assert policy.late_submission_penalty("ada", 10.0, 7 * DAY + 1) == 10.0


def test_a_percentage_beyond_all_is_refused():
    with pytest.raises(TraitError):
        LatePolicy(percent_a_day=120)
