"""Exercises whose tests ask for values by name: which known mistakes gave the wrong ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from autograder.answers import same_value
from autograder.exercises import Exercise
from autograder.mistake_logs import Library, Run
from autograder.mistakes import Variant


def asked_by_name(library: Library, exercise: Exercise) -> bool:
    """Whether the exercise's tests look at values, and call nothing."""
    logs = [library.solution.calls.get(test.grade_id, {}) for test in exercise.tests]
    entries = [entry for log in logs for entry in log.get("calls", [])]
    return bool(entries) and all(entry["op"] == "name" for entry in entries)


def by_answers(
    library: Library,
    submission: Run,
    exercise: Exercise,
    failing: frozenset[str],
    candidates: Sequence[Variant],
) -> list[tuple[str, ...]]:
    """Groups of mistakes that explain every wrong answer; several groups: one or the other."""
    cells = [test.grade_id for test in exercise.tests]
    right = _values(library.solution, cells)
    mine = _values(submission, [cell for cell in cells if cell in failing])
    wrong = {n: v for n, v in mine.items() if n in right and not same_value(v, right[n])}
    if not wrong:
        return []
    shares: dict[str, frozenset[str]] = {}
    surplus: dict[str, int] = {}
    for variant in candidates:
        theirs = _values(library.runs[variant.name], cells)
        off = {n for n, v in theirs.items() if n in right and not same_value(v, right[n])}
        shares[variant.name] = frozenset(
            n for n in off & wrong.keys() if same_value(theirs[n], wrong[n])
        )
        surplus[variant.name] = len(off - shares[variant.name])
    whole = [name for name, share in shares.items() if share == wrong.keys()]
    if whole:
        least = min(surplus[name] for name in whole)
        return [(name,) for name in whole if surplus[name] == least]
    twos: list[tuple[str, ...]] = [
        (a, b)
        for a, b in combinations(shares, 2)
        if shares[a] and shares[b] and not shares[a] & shares[b]
        and shares[a] | shares[b] == wrong.keys()
    ]  # fmt: skip
    if not twos:
        return []
    least = min(surplus[a] + surplus[b] for a, b in twos)
    best = [pair for pair in twos if surplus[pair[0]] + surplus[pair[1]] == least]
    return best if len(best) == 1 else []


def _values(run: Run, cells: Sequence[str]) -> dict[str, dict]:
    """The answers by name; those of a dictionary by name and key."""
    values: dict[str, dict] = {}
    for cell in cells:
        for entry in run.calls.get(cell, {}).get("calls", []):
            if entry["op"] != "name" or "out" not in entry:
                continue
            if entry["out"]["t"] == "dict":
                values |= {f"{entry['on']}[{k}]": v for k, v in entry["out"]["v"]}
            else:
                values[entry["on"]] = entry["out"]
    return values
