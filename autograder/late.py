"""A ready policy for late submissions, for nbgrader's own plugin point.

In ``nbgrader_config.py``::

    c.AssignLatePenalties.plugin_class = "autograder.late.LatePolicy"
    c.LatePolicy.grace_minutes = 15
    c.LatePolicy.percent_a_day = 10

The due date is nbgrader's: ``nbgrader db assignment add NN --duedate "2026-03-01 18:00 CET"``.
"""

from __future__ import annotations

import math
from datetime import timedelta

from nbgrader.plugins import BasePlugin
from traitlets import Float

DAY = timedelta(days=1).total_seconds()


class LatePolicy(BasePlugin):
    """So many percent of the earned points for each day begun, after some minutes of grace."""

    grace_minutes = Float(0.0, min=0.0, help="Minutes after the due date that cost nothing.").tag(
        config=True
    )
    percent_a_day = Float(
        10.0, min=0.0, max=100.0, help="Percent of the earned points for each day begun."
    ).tag(config=True)
    most_percent = Float(
        100.0, min=0.0, max=100.0, help="What a late submission loses at most, in percent."
    ).tag(config=True)
    closed_after_days = Float(
        math.inf, min=0.0, help="After so many days a submission earns nothing."
    ).tag(config=True)

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """Points to take off.

        Args:
            student_id: the student.
            score: points earned, bonus points included.
            total_seconds_late: seconds after the due date.

        Returns:
            points; None when it was not late, grace included.
        """
        if total_seconds_late <= self.grace_minutes * 60:
            return None
        if total_seconds_late > self.closed_after_days * DAY:
            return score
        days = math.ceil(total_seconds_late / DAY)
        return score * min(days * self.percent_a_day, self.most_percent) / 100
