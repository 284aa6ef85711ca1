"""The right numbers in another shape or at other places, and the places that are right."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from autograder.answers import close
from autograder.calllog import shape
from autograder.rules.case import Case, Statement, Wrong, as_array, float_pairs, told_shapes


def wrong_shape(shaped: Sequence[Case]) -> Statement | None:
    """Every wrong answer has another shape than the task asks for."""
    off = [case for case in shaped if shape(case.value) != shape(case.solution)]
    if not off or len(off) < len(shaped):
        return None
    case = off[0]
    sentence = f"{case.name} returned the shape {shape(case.value)}{told_shapes(case)}"
    return Statement("shape", f"{sentence}: that is not the shape that the task asks for.")


def rearranged(shaped: Sequence[Case]) -> Statement | None:
    """The right numbers with their axes in another order, or laid out in another shape."""
    got, want = ([as_array(v) for v in side] for side in _sides(shaped))
    ndim = got[0].ndim
    if not _informative(want) or any(x.ndim != ndim for x in (*got, *want)) or not 2 <= ndim <= 5:
        return _reshaped(shaped, got, want)
    for axes in itertools.permutations(range(ndim)):
        if axes == tuple(range(ndim)):
            continue
        if all(
            w.transpose(axes).shape == g.shape and close(g, w.transpose(axes))
            for g, w in zip(got, want, strict=True)
        ):
            what = "transposed" if ndim == 2 else f"right but for the order of its axes, {axes}"
            return Statement("transposed", f"The result of {shaped[0].name} is {what}.")
    return _reshaped(shaped, got, want)


def _reshaped(
    shaped: Sequence[Case], got: list[np.ndarray], want: list[np.ndarray]
) -> Statement | None:
    pairs = list(zip(got, want, strict=True))
    if not _informative(want) or all(g.shape == w.shape for g, w in pairs):
        return None
    if all(g.size == w.size and close(g.ravel(), w.ravel()) for g, w in pairs):
        sentence = f"{shaped[0].name} returned the right numbers in a shape that is not asked for"
        return Statement("reshaped", f"{sentence}, {got[0].shape}.")
    return None


def flipped(wrong: Wrong) -> Statement | None:
    """The result is mirrored along some of its axes."""
    ndim = wrong.got[0].ndim
    if not ndim or any(g.ndim != ndim for g in wrong.got) or not _informative(wrong.want):
        return None
    for count in range(1, ndim + 1):
        for axes in itertools.combinations(range(ndim), count):
            pairs = zip(wrong.got, wrong.want, strict=True)
            if all(close(g, np.flip(w, axes)) for g, w in pairs):
                told = "both axes" if count == ndim == 2 else f"axis {', '.join(map(str, axes))}"
                return Statement("flipped", f"The result of {wrong.name} is mirrored along {told}.")
    return None


def border(wrong: Wrong) -> Statement | None:
    """Right everywhere but along the edges of the last two axes."""
    for g, w in zip(wrong.got, wrong.want, strict=True):
        if g.ndim < 2 or min(g.shape[-2:]) < 3:
            return None
        bad = ~np.isclose(g.astype(float), w.astype(float), rtol=1e-4, atol=1e-6)
        inside = bad[..., 1:-1, 1:-1]
        if inside.any() or not bad.any():
            return None
    return Statement("border", f"{wrong.name} is right except at the border.")


def one_slice(wrong: Wrong) -> Statement | None:
    """Only the first, or only the last, slice along an axis is right."""
    for axis, what in ((0, "first axis"), (1, "second axis")):
        for place, which in ((0, "first"), (-1, "last")):
            if all(_only(g, w, axis, place) for g, w in zip(wrong.got, wrong.want, strict=True)):
                sentence = f"{wrong.name} is right only in the {which} slice of its {what}."
                return Statement("slice", sentence, which)
    return None


def reordered(wrong: Wrong) -> Statement | None:
    """The right numbers at other places."""
    if not _informative(wrong.want):
        return None
    if all(close(np.sort(g, None), np.sort(w, None)) for g, w in float_pairs(wrong)):
        return Statement("reordered", f"{wrong.name} has the right numbers at the wrong places.")
    return None


def _sides(cases: Sequence[Case]) -> tuple[list[dict], list[dict]]:
    return [case.value for case in cases], [case.solution for case in cases]


def _informative(arrays: list[np.ndarray]) -> bool:
    """Whether a rearrangement of some array could be noticed: at least three different numbers."""
    return any(len(np.unique(array)) > 2 for array in arrays)


def _only(got: np.ndarray, want: np.ndarray, axis: int, place: int) -> bool:
    """Whether only one slice along ``axis`` is right, of at least two."""
    if got.ndim <= axis + 1 or got.shape[axis] < 2:
        return False
    count = got.shape[axis]
    good = [close(got.take(i, axis), want.take(i, axis)) for i in range(count)]
    return good[place] and sum(good) == 1
