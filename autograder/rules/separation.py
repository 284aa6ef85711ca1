"""What separates right calls from wrong ones: an argument's value, or what it is like."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autograder.calllog import numbers, shape
from autograder.rules.case import Case, Statement, Unknown, plain_value


def separated(cases: Sequence[Case]) -> Statement | None:
    """An argument that tells the right calls from the wrong ones."""
    right = [case for case in cases if case.right]
    wrong = [case for case in cases if not case.right]
    if not right or not wrong or len(cases) < 3:
        return None
    names = [n for n in wrong[0].arguments if all(n in case.arguments for case in cases)]
    for name in names:
        if found := _by_scalar(name, right, wrong):
            return found
    for name in names:
        for feature, yes, no in FEATURES:
            good = {feature(case.arguments[name]) for case in right}
            bad = {feature(case.arguments[name]) for case in wrong}
            # One example of a kind may be right for another reason.
            if len(right) < 2 or (feature not in (_square, *SINGLE) and len(wrong) < 2):
                continue
            if len(good) == len(bad) == 1 and good != bad and None not in good | bad:
                fits, fails = (yes, no) if good == {True} else (no, yes)
                sentence = f"{wrong[0].name} is right when {name} {fits}, wrong when it {fails}."
                return Statement("separated", sentence, name)
    return None


def _by_scalar(name: str, right: list[Case], wrong: list[Case]) -> Statement | None:
    """Right for one value of a number or switch and wrong for all others, or the reverse."""
    good = [plain_value(case.arguments[name]) for case in right]
    bad = [plain_value(case.arguments[name]) for case in wrong]
    if any(isinstance(value, Unknown) for value in (*good, *bad)):
        return None
    one, other = set(good), set(bad)
    if one & other:
        return None
    # A value that is its own reason: a switch, none, one; other splits may be chance.
    plain = (0, 1, True, False, None)
    lone = (len(one) == 1 and next(iter(one)) in plain) or (
        len(other) == 1 and next(iter(other)) in plain
    )
    if not lone:
        return None
    fits, fails = (" or ".join(map(str, sorted(side, key=str))) for side in (one, other))
    sentence = f"{wrong[0].name} is right when {name} is {fits}, wrong when it is {fails}."
    return Statement("parameter", sentence, name)


def _square(value: dict) -> bool | None:
    size = shape(value)
    return None if size is None or len(size) < 2 else size[-1] == size[-2]


def _single(axis: int, ndim: int) -> Callable[[dict], bool | None]:
    def feature(value: dict) -> bool | None:
        size = shape(value)
        return None if size is None or len(size) != ndim else size[axis] == 1

    return feature


def _even_sized(value: dict) -> bool | None:
    size = shape(value)
    if size is None or len(size) < 2:
        return None
    both = {n % 2 for n in size[-2:]}
    return None if len(both) > 1 else both == {1}


def _whole(value: dict) -> bool | None:
    return np.dtype(value["d"]).kind in "iu" if "d" in value else None


def _all_zero(value: dict) -> bool | None:
    array = numbers(value)
    return None if array is None or not array.ndim else not np.any(array)


def _negative(value: dict) -> bool | None:
    array = numbers(value)
    if array is None or not array.ndim or array.dtype.kind not in "if":
        return None
    return bool((array >= 0).all())


def _flat(value: dict) -> bool | None:
    size = shape(value)
    return None if size is None else len(size) <= 2


SINGLE = (_single(0, 4), _single(1, 4))


FEATURES: tuple[tuple[Callable[[dict], bool | None], str, str], ...] = (
    (_square, "is square", "is not"),
    (SINGLE[0], "holds one sample", "holds several"),
    (SINGLE[1], "has one channel", "has several"),
    (_all_zero, "is all zeros", "is not"),
    (_whole, "holds integers", "holds fractions"),
    (_even_sized, "has odd sides", "has even sides"),
    (_negative, "has no negative numbers", "has some"),
    (_flat, "has at most two axes", "has more"),
)
