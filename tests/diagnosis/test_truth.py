"""How often a diagnosis is right, on wrong bodies that were not written from the mistakes file.

Each cell of ``NN-topic.py`` is a wrong body for one exercise. ``expect`` lists what is right to say
of it, labelled by hand: the name of a known mistake, two names joined by ``+``, ``rule:`` with a
general rule and what it is about, or ``none`` where nothing can be said.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.diagnosis import Diagnosis, Work, diagnose
from autograder.folder import CourseFolder
from autograder.mistake_logs import Library, read_library
from autograder.text import read_text

REPOSITORY = Path(os.environ.get("COURSE_FOLDER", Path(__file__).parents[2]))
LESSON = "01-convolution"
JOBS = int(os.environ.get("JOBS", min(4, os.cpu_count() or 1)))
QUICK = {"fc-params", "q-cross", "convolve2d"}


@dataclass(frozen=True)
class Body:
    """One wrong body and what is right to say of it."""

    title: str
    cell: str
    source: str
    expect: tuple[str, ...]


def bodies() -> list[Body]:
    cells = read_text(Path(__file__).with_name(f"{LESSON}.py")).cells
    return [
        Body(c.metadata["title"], c.metadata["exercise"], c.source, tuple(c.metadata["expect"]))
        for c in cells
        if c.source.strip()
    ]


def library(cells: set[str] | None = None) -> Library:
    return read_library(CourseFolder.open(REPOSITORY), LESSON, JOBS, cells=cells)


def judge(known: Library, wrong: list[Body]) -> list[tuple[str, Body, Diagnosis | None]]:
    """``right``, ``missed`` or ``WRONG NAME`` for each body, with its diagnosis."""
    runs = known.try_out([{body.cell: body.source} for body in wrong])
    solutions = {c: s for e in known.exercises for c, s in e.solutions.items()}
    owner = {cell: e.name for e in known.exercises for cell in e.solutions}
    found = []
    for body, run in zip(wrong, runs, strict=True):
        sources = {**solutions, body.cell: body.source}
        all_found = diagnose(known, Work(run, sources))
        diagnosis = all_found.get(owner[body.cell])
        mark = verdict(body, diagnosis)
        # A function that is right may not be blamed, other than for using the wrong one.
        others = [d.kind for n, d in all_found.items() if n != owner[body.cell]]
        if not set(others) <= {"follows", "rules", "none"}:
            mark = "WRONG NAME"
        found.append((mark, body, diagnosis))
    return found


def verdict(body: Body, diagnosis: Diagnosis | None) -> str:
    if diagnosis is None:
        return "not caught"
    if diagnosis.kind in ("one", "either", "both"):
        named = (
            {"+".join(sorted(diagnosis.names))}
            if diagnosis.kind == "both"
            else set(diagnosis.names)
        )
        wanted = {"+".join(sorted(expected.split("+"))) for expected in body.expect}
        return "right" if named & wanted else "WRONG NAME"
    labels = [f"rule:{statement.label}" for statement in diagnosis.statements] or ["none"]
    matches = any(label.startswith(expected) for label in labels for expected in body.expect)
    return "right" if matches else "missed"


def table(found: list[tuple[str, Body, Diagnosis | None]]) -> str:
    counts = {mark: sum(m == mark for m, _, _ in found) for mark, _, _ in found}
    lines = [
        f"{len(found)} wrong bodies: {counts}, right {counts.get('right', 0) / len(found):.0%}"
    ]
    kinds = [diagnosis.kind for _, _, diagnosis in found if diagnosis]
    named, silent = sum(k in ("one", "either", "both") for k in kinds), kinds.count("none")
    lines.append(f"  named {named}, described {len(kinds) - named - silent}, nothing said {silent}")
    for mark, body, diagnosis in found:
        if mark != "right":
            said = diagnosis and (diagnosis.kind, diagnosis.names, diagnosis.sentences)
            lines.append(f"  {mark}: {body.cell}, {body.title}: {said}; expected {body.expect}")
    return "\n".join(lines)


def check(found: list[tuple[str, Body, Diagnosis | None]], capsys: pytest.CaptureFixture) -> None:
    with capsys.disabled():
        print(f"\n{table(found)}")
    marks = [mark for mark, _, _ in found]
    assert marks.count("WRONG NAME") == 0, table(found)
    assert marks.count("not caught") == 0, table(found)
    assert marks.count("right") >= 0.8 * len(marks), table(found)


def test_at_least_sixty_bodies_are_labelled():
    assert len(bodies()) >= 60


def test_some_exercises_get_the_right_name_or_statement(capsys):
    known = library(QUICK)
    check(judge(known, [body for body in bodies() if body.cell in QUICK]), capsys)


@pytest.mark.slow
@pytest.mark.timeout(1800)  # 160 s with two processes; a busy machine may need several times that
def test_four_of_five_get_the_right_name_or_statement_and_none_a_wrong_name(capsys):
    check(judge(library(), bodies()), capsys)
