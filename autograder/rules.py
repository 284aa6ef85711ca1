"""General statements about wrong answers: what holds for all of them, and nothing beyond that.

A rule looks at the wrong answers of one function beside the solution's answers to the same
questions, and says a sentence, or None where it does not hold for every one of them. What a
sentence tells the student is about the student's own answers: never an expected value.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.answers import close, same_value
from autograder.calllog import numbers, shape


@dataclass(frozen=True)
class Case:
    """One question to a function: the student's answer and the solution's.

    Attributes:
        name: the function.
        arguments: the described arguments by parameter name; one left out has its default.
        got: the student's entry of the call log.
        want: the solution's.
        right: whether the two answers agree.
    """

    name: str
    arguments: dict[str, dict]
    got: dict
    want: dict
    right: bool = False
    cell: str = ""

    @property
    def value(self) -> dict:
        """What the student's function returned; an empty description when it raised."""
        return dict(self.got.get("out", {"t": "raised"}))

    @property
    def solution(self) -> dict:
        """What the solution returned."""
        return dict(self.want.get("out", {"t": "raised"}))


@dataclass(frozen=True)
class Statement:
    """What can be said: the rule, what it is about (a parameter, a class), the sentence."""

    rule: str
    sentence: str
    about: str = ""

    @property
    def label(self) -> str:
        """The rule with its subject, ``parameter:stride``."""
        return f"{self.rule}:{self.about}" if self.about else self.rule


@dataclass(frozen=True)
class Wrong:
    """The wrong answers of one function that are numbers in the shape of the right ones."""

    name: str
    got: list[np.ndarray] = field(default_factory=list)
    want: list[np.ndarray] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many numbers there are to go by."""
        return sum(array.size for array in self.got)


def statements(cases: Sequence[Case]) -> list[Statement]:
    """What can be said of the answers of one function, right and wrong ones; most telling first."""
    wrong = [case for case in cases if not case.right]
    if not wrong:
        return []
    for rule in (missing, not_written, nothing_returned):
        if found := rule(wrong):
            return [found]
    said = [
        found for rule in (raised, no_error, mutated, of_another_kind) if (found := rule(wrong))
    ]
    # An answer can be wrong for what it did to its arguments alone.
    off = [case for case in wrong if not same_value(case.value, case.solution)]
    shaped = [case for case in off if _numbers(case)]
    if shaped and (found := rearranged(shaped) or wrong_shape(shaped)):
        said.append(found)
    alike = [case for case in shaped if shape(case.value) == shape(case.solution)]
    if alike and len(alike) == len(shaped):
        values = Wrong(
            alike[0].name,
            [_array(case.value) for case in alike],
            [_array(case.solution) for case in alike],
        )
        for compare in VALUE_RULES:
            if said and said[-1].rule == "transposed":
                break
            if found := compare(values):
                said.append(found)
                break
    if found := separated(cases):
        said.append(found)
    return said


# --- what every wrong answer has in common ---------------------------------------------------


def missing(wrong: Sequence[Case]) -> Statement | None:
    """A name that a test fetched is not there."""
    if all(_error(case) == "NameError" and case.got["op"] == "name" for case in wrong):
        names = ", ".join(dict.fromkeys(case.name for case in wrong))
        return Statement("missing", f"{names} is not defined: did its cell run without an error?")
    return None


def not_written(wrong: Sequence[Case]) -> Statement | None:
    """The stub is still there."""
    if all(_error(case) == "NotImplementedError" for case in wrong):
        return Statement("not-written", f"{wrong[0].name} is not written yet.")
    return None


def nothing_returned(wrong: Sequence[Case]) -> Statement | None:
    """Every wrong answer is None."""
    if all(case.value["t"] == "None" and case.solution["t"] != "None" for case in wrong):
        often = "" if len(wrong) == 1 else " in every failed check"
        return Statement("none", f"{wrong[0].name} returned None{often}: is a return missing?")
    return None


def constant(cases: Sequence[Case]) -> Statement | None:
    """One and the same answer to every question, where the right ones differ."""
    if len(cases) < 3 or not all(_numbers(case) for case in cases):
        return None
    first, answers = cases[0].value, {case.solution.get("v") for case in cases}
    if len(answers) < 2 or not all(same_value(case.value, first) for case in cases):
        return None
    name, value = cases[0].name, _array(first)
    told = f", {value.item()}," if value.ndim == 0 else ""
    return Statement("constant", f"{name} gives the same answer{told} whatever it is asked.")


def raised(wrong: Sequence[Case]) -> Statement | None:
    """The failures are exceptions of one class, where the solution has an answer."""
    failed = [case for case in wrong if "error" in case.got and "error" not in case.want]
    kinds = {_error(case) for case in failed}
    if len(kinds) != 1:
        return None
    error = failed[0].got["error"]
    where = f", in the line `{error['where']}`" if error["where"] else ""
    told = f": {error['message']}" if error["message"] else ""
    shapes = _shapes(failed[0])
    sentence = f"{failed[0].name} raised {error['class']}{told}{where}{shapes}."
    return Statement("raised", sentence, error["class"])


def no_error(wrong: Sequence[Case]) -> Statement | None:
    """Where an exception was asked for, none came."""
    owed = [case for case in wrong if "error" in case.want]
    if owed and all("error" not in case.got for case in owed):
        kind = owed[0].want["error"]["class"]
        return Statement(
            "no-error", f"{owed[0].name} returned a result where it has to raise {kind}."
        )
    return None


def mutated(wrong: Sequence[Case]) -> Statement | None:
    """The function wrote into its arguments, and the solution does not."""
    hurt = [c for c in wrong if c.got.get("changed", {}).keys() - c.want.get("changed", {}).keys()]
    if not hurt:
        return None
    positions = list(hurt[0].arguments)
    names = {name for case in hurt for name in case.got["changed"]}
    told = sorted(
        positions[int(n)] if n.isdigit() and int(n) < len(positions) else n for n in names
    )
    which = " and ".join(told)
    return Statement("mutated", f"{hurt[0].name} changed its argument {which} in place.", which)


def of_another_kind(wrong: Sequence[Case]) -> Statement | None:
    """A string, a handle or a dictionary came back for numbers, or several results for one."""
    odd = [
        case
        for case in wrong
        if "out" in case.got
        and "out" in case.want
        and numbers(case.solution) is not None
        and numbers(case.value) is None
        and case.value["t"] != "None"
    ]
    if not odd:
        return None
    kinds = {case.value["t"] for case in odd}
    if len(kinds) > 1:
        return None
    kind = kinds.pop()
    return Statement("kind", f"{odd[0].name} returned a {kind}, not numbers.", kind)


def wrong_shape(shaped: Sequence[Case]) -> Statement | None:
    """Every wrong answer has another shape than the task asks for."""
    off = [case for case in shaped if shape(case.value) != shape(case.solution)]
    if not off or len(off) < len(shaped):
        return None
    case = off[0]
    sentence = f"{case.name} returned the shape {shape(case.value)}{_shapes(case)}"
    return Statement("shape", f"{sentence}: that is not the shape that the task asks for.")


def rearranged(shaped: Sequence[Case]) -> Statement | None:
    """The right numbers with their axes in another order, or laid out in another shape."""
    got, want = ([_array(v) for v in side] for side in _sides(shaped))
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


# --- what relates wrong numbers to the right ones, shapes being equal ------------------------


def truncated(wrong: Wrong) -> Statement | None:
    """Fractions are cut off or rounded."""
    pairs = _floats(wrong)
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
    floats = _floats(wrong)
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
    pairs = _floats(wrong)
    if all(np.isfinite(w).all() and not np.isfinite(g).all() for g, w in pairs):
        return Statement("not-finite", f"{wrong.name} returned infinities or NaN.")
    return None


def clipped(wrong: Wrong) -> Statement | None:
    """Negative numbers come out as 0, the others right."""
    pairs = _floats(wrong)
    if all((w < 0).any() and close(g, np.maximum(w, 0)) for g, w in pairs) and wrong.size > 1:
        return Statement("clipped", f"{wrong.name} is right but for negative results: they are 0.")
    return None


def factor(wrong: Wrong) -> Statement | None:
    """Too large or too small by one factor, the same everywhere or one for each call."""
    ratios = []
    if _switches(wrong):
        return None
    for g, w in _floats(wrong):
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
    steps = [g - w for g, w in _floats(wrong)]
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
    if all(close(np.sort(g, None), np.sort(w, None)) for g, w in _floats(wrong)):
        return Statement("reordered", f"{wrong.name} has the right numbers at the wrong places.")
    return None


VALUE_RULES: tuple[Callable[[Wrong], Statement | None], ...] = (
    not_finite,
    truncated,
    negated,
    zero,
    clipped,
    flipped,
    factor,
    offset,
    one_slice,
    border,
    reordered,
)

# --- what separates right from wrong calls ---------------------------------------------------


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
    good = [_plain(case.arguments[name]) for case in right]
    bad = [_plain(case.arguments[name]) for case in wrong]
    if any(isinstance(value, _Unknown) for value in (*good, *bad)):
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


class _Unknown:
    """An argument that is no plain number, string or switch."""


def _plain(value: dict) -> Any:
    if value["t"] == "None":
        return None
    if value["t"] in ("bool", "int", "float", "str"):
        return value["v"]
    return _Unknown()


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

# --- helpers ---------------------------------------------------------------------------------


def _error(case: Case) -> str:
    return str(case.got.get("error", {}).get("class", ""))


def _numbers(case: Case) -> bool:
    """Whether both answers are numbers, all of them at hand."""
    return all(
        numbers(value) is not None and not value.get("part") and "c" not in value.get("d", "f")
        for value in (case.value, case.solution)
    )


def _array(value: dict) -> np.ndarray:
    array = numbers(value)
    assert array is not None
    return array


def _sides(cases: Sequence[Case]) -> tuple[list[dict], list[dict]]:
    return [case.value for case in cases], [case.solution for case in cases]


def _floats(wrong: Wrong) -> list[tuple[np.ndarray, np.ndarray]]:
    return [
        (g.astype(np.float64), w.astype(np.float64))
        for g, w in zip(wrong.got, wrong.want, strict=True)
    ]


def _informative(arrays: list[np.ndarray]) -> bool:
    """Whether a rearrangement of some array could be noticed: at least three different numbers."""
    return any(len(np.unique(array)) > 2 for array in arrays)


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


def _only(got: np.ndarray, want: np.ndarray, axis: int, place: int) -> bool:
    """Whether only one slice along ``axis`` is right, of at least two."""
    if got.ndim <= axis + 1 or got.shape[axis] < 2:
        return False
    count = got.shape[axis]
    good = [close(got.take(i, axis), want.take(i, axis)) for i in range(count)]
    return good[place] and sum(good) == 1


def _shapes(case: Case) -> str:
    """The shapes of the call's arrays, as a student can try it: ``for image (7, 5)``."""
    shapes = [(name, shape(value)) for name, value in case.arguments.items()]
    told = [f"{name} of shape {size}" for name, size in shapes if size]
    plain = [
        f"{name} = {_plain(value)}"
        for name, value in case.arguments.items()
        if value["t"] in ("int", "bool", "str")
    ]
    return f" for {', '.join(told + plain)}" if told or plain else ""


def agree(got: dict, want: dict) -> bool:
    """Whether a student's entry is as good as the solution's: value, exception, no side effect."""
    if ("error" in got) != ("error" in want):
        return False
    if "error" in want:
        return bool(got["error"]["class"] == want["error"]["class"])
    if got.get("changed", {}).keys() - want.get("changed", {}).keys():
        return False
    return same_value(got["out"], want["out"])
