"""A question with the student's answer and the solution's, and a statement about such answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.answers import same_value
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


def agree(got: dict, want: dict) -> bool:
    """Whether a student's entry is as good as the solution's: value, exception, no side effect."""
    if ("error" in got) != ("error" in want):
        return False
    if "error" in want:
        return bool(got["error"]["class"] == want["error"]["class"])
    if got.get("changed", {}).keys() - want.get("changed", {}).keys():
        return False
    return same_value(got["out"], want["out"])


def error_class(case: Case) -> str:
    """The class of the student's exception; empty when there was an answer."""
    return str(case.got.get("error", {}).get("class", ""))


def numeric(case: Case) -> bool:
    """Whether both answers are numbers, all of them at hand."""
    return all(
        numbers(value) is not None and not value.get("part") and "c" not in value.get("d", "f")
        for value in (case.value, case.solution)
    )


def as_array(value: dict) -> np.ndarray:
    """The numbers of an answer that is known to be ``numeric``."""
    array = numbers(value)
    assert array is not None
    return array


def float_pairs(wrong: Wrong) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each wrong answer and the right one, both in double precision."""
    return [
        (g.astype(np.float64), w.astype(np.float64))
        for g, w in zip(wrong.got, wrong.want, strict=True)
    ]


class Unknown:
    """An argument that is no plain number, string or switch."""


def plain_value(value: dict) -> Any:
    """The number, string or switch that is described; an ``Unknown`` for anything else."""
    if value["t"] == "None":
        return None
    if value["t"] in ("bool", "int", "float", "str"):
        return value["v"]
    return Unknown()


def told_shapes(case: Case) -> str:
    """The shapes of the call's arrays, as a student can try it: ``for image (7, 5)``."""
    shapes = [(name, shape(value)) for name, value in case.arguments.items()]
    told = [f"{name} of shape {size}" for name, size in shapes if size]
    plain = [
        f"{name} = {plain_value(value)}"
        for name, value in case.arguments.items()
        if value["t"] in ("int", "bool", "str")
    ]
    return f" for {', '.join(told + plain)}" if told or plain else ""
