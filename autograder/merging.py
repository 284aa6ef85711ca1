"""Puts two known mistakes into one body, when each changes another part of a right one."""

from __future__ import annotations

import ast
import re
from difflib import SequenceMatcher
from itertools import pairwise

TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


def merge(base: str, one: str, other: str) -> str | None:
    """The body with both changes; None when they touch, or when the result is not Python.

    What both change alike is changed once, so ``base`` may be wrong in a way that neither is.

    Args:
        base: a body that both are changes of.
        one: a mistake's body.
        other: another mistake's body.
    """
    tokens = TOKEN.findall(_bare(base))
    mine, theirs = _edits(tokens, one), _edits(tokens, other)
    edits = sorted(mine + [edit for edit in theirs if edit not in mine])
    if len(edits) <= max(len(mine), len(theirs)):
        return None  # one of the two is contained in the other
    for (_, end, _), (start, _, _) in pairwise(edits):
        if start <= end:
            return None
    for start, end, text in reversed(edits):
        tokens[start:end] = text
    merged = "".join(tokens)
    try:
        ast.parse(merged)
    except SyntaxError:
        return None
    return merged


def distance(one: str, other: str) -> float:
    """How far two bodies are apart: 0 for equal ones, 1 when nothing is shared."""
    a, b = TOKEN.findall(_bare(one)), TOKEN.findall(_bare(other))
    return 1 - SequenceMatcher(None, a, b, autojunk=False).ratio()


def _edits(tokens: list[str], body: str) -> list[tuple[int, int, list[str]]]:
    new = TOKEN.findall(_bare(body))
    steps = SequenceMatcher(None, tokens, new, autojunk=False).get_opcodes()
    return [(a, b, new[c:d]) for tag, a, b, c, d in steps if tag != "equal"]


def _bare(source: str) -> str:
    """The code as Python prints it, without comments and docstrings: style makes no difference."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) and node.body[1:]:
            node.body.pop(0)
    return ast.unparse(tree)
