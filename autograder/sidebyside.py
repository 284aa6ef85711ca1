"""The page of similar submissions: each pair side by side, what they share highlighted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from autograder.likeness import FEWEST, USUAL_FEWEST, Likeness, Pair, Paper
from autograder.pages import render
from autograder.report import spread

PAIRS = 40  # shown side by side; the table names all
CODE_LIMIT = 12_000  # characters of one cell
PAGE_LIMIT = 2_000_000  # characters of code on a page
WIDTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # tokens, of a column
NAMES = 24  # names in common that are shown of a pair


def render_pairs(
    assignment: str,
    titles: Mapping[str, str],
    likeness: Likeness,
    problems: Sequence[tuple[str, str]],
    submissions: int,
) -> bytes:
    """The page, one HTML file that needs nothing else.

    Args:
        assignment: its name.
        titles: the exercise of each solution cell.
        likeness: what comparing gave.
        problems: student and reason, of submissions left out or cut short.
        submissions: how many were handed in.
    """
    room = PAGE_LIMIT
    shown: list[dict[str, Any]] = []
    for pair in likeness.pairs:
        size = sum(_length(paper, name) for name in pair.marks for paper in (pair.left, pair.right))
        room -= size if len(shown) < PAIRS else 0
        if len(shown) == PAIRS or room < 0:
            break
        shown.append({"pair": pair, "cells": [_cell(pair, name, titles) for name in pair.marks],
                      "names": pair.names[:NAMES], "more": len(pair.names[NAMES:])})  # fmt: skip
    return render(
        "similar.html",
        assignment=assignment,
        submissions=submissions,
        compared=len(likeness.closest),
        likeness=likeness,
        titles=titles,
        rows=[(pair, len(pair.marks)) for pair in likeness.pairs],
        shown=shown,
        problems=problems,
        chart=_chart(likeness),
        fewest=FEWEST,
    )


def _length(paper: Paper, name: str) -> int:
    return min(CODE_LIMIT, len(paper.cells[name].source)) if name in paper.cells else 0


def _cell(pair: Pair, name: str, titles: Mapping[str, str]) -> dict[str, Any]:
    """One solution cell of both, with what they share highlighted."""
    sides = []
    both = _prints(pair.left) & _prints(pair.right)
    for paper, marks in zip((pair.left, pair.right), pair.marks[name], strict=True):
        code = paper.cells.get(name)
        text = code.shown(marks, code.covered(both), CODE_LIMIT) if code else Markup("")
        cut = len(code.source) - CODE_LIMIT if code else 0
        sides.append({"student": paper.student, "code": text, "cut": max(0, cut)})
    return {"name": name, "title": titles[name], "sides": sides}


def _prints(paper: Paper) -> set[int]:
    return {value for code in paper.cells.values() for value in code.prints}


def _chart(likeness: Likeness) -> dict[str, Any]:
    """What the chart shows; {} for a class too small to show anything."""
    if len(likeness.closest) < USUAL_FEWEST:
        return {}
    found = spread(likeness.closest)
    width = next((w for w in WIDTHS if 10 * w > found["high"]), WIDTHS[-1])
    return {"spread": found, "width": width, "bins": max(1, int(found["high"] // width) + 1)}
