"""Fixtures that several suites share."""

from __future__ import annotations

from pathlib import Path

import pytest
from submissions.toy import Course, make_course


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course folder with the toy lesson, nobody has handed in."""
    return make_course(tmp_path / "course")
