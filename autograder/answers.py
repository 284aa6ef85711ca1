"""Compares logged answers: is it the same question, is it the same answer within tolerance."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.calllog import numbers, shape

RTOL = 1e-4
ATOL = 1e-6  # times the largest number of the two answers
NUMBERS = ("bool", "int", "float", "scalar", "array", "tensor", "list", "tuple")


def same_value(one: dict, other: dict, rtol: float = RTOL) -> bool:
    """Whether two described values are equal; a list of numbers equals the array of them."""
    if one == other:
        return True
    a, b = numbers(one), numbers(other)
    if (a is None) != (b is None):
        return False
    if a is not None and b is not None:
        if shape(one) != shape(other) or a.shape != b.shape:
            return False
        return close(a, b, rtol)
    kinds = {one["t"], other["t"]}
    if len(kinds) > 1 and not kinds <= {"list", "tuple"}:
        return False
    if kinds <= {"handle", "function"}:
        return True
    v, w = one.get("v"), other.get("v")
    if isinstance(v, list) and isinstance(w, list):
        return one.get("n") == other.get("n") and all(map(_same_item, v, w)) and len(v) == len(w)
    return bool(v == w)


def _same_item(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return same_value(one, other)
    # A pair of a dictionary: key and value.
    return bool(one[0] == other[0]) and same_value(one[1], other[1])


def close(a: np.ndarray, b: np.ndarray, rtol: float = RTOL) -> bool:
    """Whether all numbers agree, NaN with NaN, within a tolerance of the largest of them."""
    if a.dtype == bool and b.dtype == bool:
        return bool(np.array_equal(a, b))
    if a.shape == b.shape == () and _counts(a) and _counts(b):
        return bool(a == b)  # one more or less matters, however many there are
    kind = np.complex128 if "c" in (a.dtype.kind, b.dtype.kind) else np.float64
    a, b = a.astype(kind), b.astype(kind)
    sizes = [np.abs(x[np.isfinite(x)]) for x in (a, b)]
    largest = max((float(size.max()) for size in sizes if size.size), default=0.0)
    # Numbers near the limits overflow in the comparison itself.
    with np.errstate(all="ignore"):
        return bool(np.allclose(a, b, rtol=rtol, atol=ATOL * largest, equal_nan=True))


def _counts(number: np.ndarray) -> bool:
    return bool(np.isfinite(number) and number == np.round(number))


def same_question(one: dict, other: dict) -> bool:
    """Whether two entries ask the same: operation, function and arguments."""
    if (one["op"], one["on"]) != (other["op"], other["on"]):
        return False
    a, b = one.get("args", []), other.get("args", [])
    if len(a) != len(b) or not all(same_value(v, w) for v, w in zip(a, b, strict=True)):
        return False
    k, m = one.get("kwargs", {}), other.get("kwargs", {})
    return k.keys() == m.keys() and all(same_value(k[name], m[name]) for name in k)


def same_answer(one: dict, other: dict) -> bool:
    """Whether two entries came back alike: the same value, or no answer on either side.

    The same mistake in a loop gives an empty array where it raises in a formula.
    """
    if unanswered(one) or unanswered(other):
        return unanswered(one) and unanswered(other)
    a, b = one.get("changed", {}), other.get("changed", {})
    if a.keys() != b.keys() or not all(same_value(a[name], b[name]) for name in a):
        return False
    return same_value(one["out"], other["out"])


def unanswered(entry: dict) -> bool:
    """Whether an entry ended in an exception or in an array without numbers."""
    return "error" in entry or 0 in (shape(entry["out"]) or ())


def telling(one: dict, other: dict) -> bool:
    """Whether two like answers are evidence: values, or exceptions with the same words."""
    if unanswered(one):
        words = [entry.get("error", {}).get("message", "") for entry in (one, other)]
        return words[0] == words[1] != ""
    return True


def pairs(log: dict, other: dict) -> list[tuple[dict, dict]]:
    """Entries of two logs that ask the same, in order; what one did not get to ask is left out."""
    found, start = [], 0
    theirs = other.get("calls", [])
    for entry in log.get("calls", []):
        for place in range(start, len(theirs)):
            if same_question(entry, theirs[place]):
                found.append((entry, theirs[place]))
                start = place + 1
                break
    return found


def same_log(log: dict, other: dict) -> bool:
    """Whether two cells' logs hold the same questions with the same answers.

    A log that was cut short (time ran out, too large) is compared as far as it goes.
    """
    a, b = log.get("calls", []), other.get("calls", [])
    if not a or not b:
        return False
    cut = any(part.get("truncated") or not part.get("probed") for part in (log, other))
    if len(a) != len(b) and not cut:
        return False
    both = list(zip(a, b, strict=False))
    return all(same_question(x, y) and same_answer(x, y) for x, y in both)
