"""What was done to the right numbers, shapes being equal: a factor, an offset, a sign, a cut."""

from __future__ import annotations

import numpy as np

from autograder.answers import close
from autograder.rules.case import Statement, Wrong, float_pairs


def truncated(wrong: Wrong) -> Statement | None:
    """Fractions are cut off or rounded."""
    pairs = float_pairs(wrong)
    if all(np.array_equal(w, np.round(w)) for _, w in pairs):
        return None
    for cut in (np.trunc, np.floor, np.round):
        if all(np.array_equal(g, cut(w)) for g, w in pairs):
            return Statement(
                "truncated", f"{wrong.name} lost the fractions: its results are whole numbers."
            )
    return None


def negated(wrong: Wrong) -> Statement | None:
    """True for False and False for True, or the opposite sign."""
    pairs = list(zip(wrong.got, wrong.want, strict=True))
    if all(g.dtype == bool and w.dtype == bool for g, w in pairs):
        both = {bool(w) for _, want in pairs for w in want.ravel()}
        if len(both) == 2 and all(np.array_equal(g, ~w) for g, w in pairs):
            return Statement("negated", f"{wrong.name} says True for False and False for True.")
        return None
    floats = float_pairs(wrong)
    if wrong.size > 1 and all(np.any(w != 0) and close(g, -w) for g, w in floats):
        return Statement("sign", f"{wrong.name} has the opposite sign.")
    return None


def zero(wrong: Wrong) -> Statement | None:
    """Nothing but zeros, or one and the same number."""
    if wrong.size < 3:
        return None
    if all(not np.any(g) for g in wrong.got):
        return Statement("zeros", f"{wrong.name} returned zeros only.")
    return None


def not_finite(wrong: Wrong) -> Statement | None:
    """Infinities or NaN where the solution has numbers."""
    pairs = float_pairs(wrong)
    if all(np.isfinite(w).all() and not np.isfinite(g).all() for g, w in pairs):
        return Statement("not-finite", f"{wrong.name} returned infinities or NaN.")
    return None


def clipped(wrong: Wrong) -> Statement | None:
    """Negative numbers come out as 0, the others right."""
    pairs = float_pairs(wrong)
    if all((w < 0).any() and close(g, np.maximum(w, 0)) for g, w in pairs) and wrong.size > 1:
        return Statement("clipped", f"{wrong.name} is right but for negative results: they are 0.")
    return None


def factor(wrong: Wrong) -> Statement | None:
    """Too large or too small by one factor, the same everywhere or one for each call."""
    ratios = []
    if _switches(wrong):
        return None
    for g, w in float_pairs(wrong):
        used = np.abs(w) > 1e-9 * max(float(np.abs(w).max(initial=0)), 1e-300)
        if not used.any() or not close(g[~used], w[~used]):
            return None
        ratio = g[used] / w[used]
        if not close(ratio, np.full_like(ratio, ratio.flat[0])) or ratio.flat[0] == 0:
            return None
        ratios.append((float(ratio.flat[0]), int(used.sum())))
    known = [ratio for ratio, _ in ratios]
    # One number is some factor of another one: that says nothing.
    if close(np.asarray(known), np.full(len(known), known[0])):
        if sum(count for _, count in ratios) < 2:
            return None
        return Statement("factor", f"{wrong.name} is off by a constant factor, {known[0]:.4g}.")
    if all(count > 1 for _, count in ratios):
        told = ", ".join(f"{ratio:.3g}" for ratio in known[:3])
        sentence = f"{wrong.name} is off by a factor that depends on the input: {told}"
        return Statement("factor", f"{sentence} in the failed checks.", "varies")
    return None


def offset(wrong: Wrong) -> Statement | None:
    """Too large or too small by one number: everywhere, or one for each call or map."""
    if _switches(wrong):
        return None
    steps = [g - w for g, w in float_pairs(wrong)]
    if not all(np.isfinite(step).all() for step in steps):
        return None
    pairs = list(zip(steps, wrong.want, strict=True))
    if all(_even(step, w) for step, w in pairs):
        known = [float(step.flat[0]) for step in steps]
        if close(np.asarray(known), np.full(len(known), known[0])) and wrong.size > 1:
            way = "large" if known[0] > 0 else "small"
            sentence = f"{wrong.name} is too {way} by {abs(known[0]):.4g} everywhere."
            return Statement("offset", sentence)
        if all(step.size > 1 for step in steps):
            sentence = f"{wrong.name} is off by one number, the same at all places of a result"
            return Statement("offset", f"{sentence}: what is added at the end is wrong.", "varies")
        return None
    for axes, what in (((-2, -1), "each map"), ((0,), "each column")):
        if all(_even_along(step, w, axes) for step, w in pairs) and any(
            _places(step, axes) > 1 for step in steps
        ):
            sentence = f"In {wrong.name}, {what} is off by one number of its own"
            return Statement("offset", f"{sentence}: what is added to it is wrong.", "part")
    return None


def _even(step: np.ndarray, want: np.ndarray) -> bool:
    largest = max(float(np.abs(want).max(initial=0)), 1e-12)
    spread = float(np.ptp(step)) if step.size else 0.0
    return bool(step.size) and spread <= 1e-6 * largest and abs(step.flat[0]) > 1e-6 * largest


def _even_along(step: np.ndarray, want: np.ndarray, axes: tuple[int, ...]) -> bool:
    """Whether the difference is constant along ``axes``, and there are several places on them."""
    if step.ndim <= max(a if a >= 0 else -a - 1 for a in axes) or step.ndim == len(axes):
        return False
    largest = max(float(np.abs(want).max(initial=0)), 1e-12)
    return bool((np.ptp(step, axis=axes) <= 1e-6 * largest).all())


def _places(step: np.ndarray, axes: tuple[int, ...]) -> int:
    return int(np.prod([step.shape[a] for a in axes]))


def _switches(wrong: Wrong) -> bool:
    """Whether there is no arithmetic in the answers: True and False."""
    return any(array.dtype == bool for array in (*wrong.got, *wrong.want))
