"""How the wrong calls ended: an exception, nothing, a side effect, something else than numbers."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.answers import same_value
from autograder.calllog import numbers
from autograder.rules.case import Case, Statement, as_array, error_class, numeric, told_shapes


def missing(wrong: Sequence[Case]) -> Statement | None:
    """A name that a test fetched is not there."""
    if all(error_class(case) == "NameError" and case.got["op"] == "name" for case in wrong):
        names = ", ".join(dict.fromkeys(case.name for case in wrong))
        return Statement("missing", f"{names} is not defined: did its cell run without an error?")
    return None


def not_written(wrong: Sequence[Case]) -> Statement | None:
    """The stub is still there."""
    if all(error_class(case) == "NotImplementedError" for case in wrong):
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
    if len(cases) < 3 or not all(numeric(case) for case in cases):
        return None
    first, answers = cases[0].value, {case.solution.get("v") for case in cases}
    if len(answers) < 2 or not all(same_value(case.value, first) for case in cases):
        return None
    name, value = cases[0].name, as_array(first)
    told = f", {value.item()}," if value.ndim == 0 else ""
    return Statement("constant", f"{name} gives the same answer{told} whatever it is asked.")


def raised(wrong: Sequence[Case]) -> Statement | None:
    """The failures are exceptions of one class, where the solution has an answer."""
    failed = [case for case in wrong if "error" in case.got and "error" not in case.want]
    kinds = {error_class(case) for case in failed}
    if len(kinds) != 1:
        return None
    error = failed[0].got["error"]
    where = f", in the line `{error['where']}`" if error["where"] else ""
    told = f": {error['message']}" if error["message"] else ""
    shapes = told_shapes(failed[0])
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
