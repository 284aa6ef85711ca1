"""What the rules say of the wrong answers of an exercise that no known mistake explains."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from itertools import product

from autograder.answers import same_value
from autograder.calllog import describe
from autograder.diagnosis.evidence import paired
from autograder.exercises import Exercise
from autograder.mistake_logs import Library, Run
from autograder.rules import Case, Statement, agree, statements
from autograder.trusted import plain_python

LOOSE = 1e-3  # a right answer in single precision is no other answer
QUESTIONS = ("call", "name")


def general_statements(library: Library, submission: Run, exercise: Exercise) -> list[Statement]:
    """Statements about each function of the exercise that gave a wrong answer."""
    parameters = _parameters(exercise)
    free = _free(library, exercise)
    cases: dict[str, list[Case]] = {}
    for test in exercise.tests:
        for got, want in paired(submission, library.solution, test.grade_id):
            if got["op"] not in QUESTIONS or (got["op"] == "call" and got["on"] not in parameters):
                continue
            right = agree(got, want)
            unasked = got["on"] in free or test.grade_id not in submission.failed
            if not right and unasked and _valued(got):
                continue  # another answer may be as good as the solution's
            arguments = _arguments(got, parameters.get(got["on"], {}))
            case = Case(got["on"], arguments, got, want, right, test.grade_id)
            cases.setdefault(got["on"], []).append(case)
    said = []
    for found in cases.values():
        said += statements(found)
    return said


def _valued(entry: dict) -> bool:
    return "out" in entry and entry["out"]["t"] != "None" and not entry.get("changed")


def _free(library: Library, exercise: Exercise) -> set[str]:
    """Functions that have several right answers: those of an alternative are others."""
    free = set()
    for variant, test in product(library.alternatives(exercise), exercise.tests):
        run = library.runs[variant.name]
        if test.grade_id not in run.failed:
            for got, want in paired(run, library.solution, test.grade_id):
                both = "out" in got and "out" in want
                if both and not same_value(got["out"], want["out"], LOOSE):
                    free.add(got["on"])
    return free


def _parameters(exercise: Exercise) -> dict[str, dict[str, dict | None]]:
    """Parameters of the functions that the reference defines, with their described defaults."""
    found: dict[str, dict[str, dict | None]] = {}
    for source in exercise.solutions.values():
        for node in ast.parse(plain_python(source)).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            args = [*node.args.posonlyargs, *node.args.args]
            known: dict[str, dict | None] = {arg.arg: None for arg in args}
            defaults = node.args.defaults
            tail = args[len(args) - len(defaults) :] if defaults else []
            for arg, default in [
                *zip(tail, defaults, strict=True),
                *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
            ]:
                literal = isinstance(default, ast.Constant)
                known[arg.arg] = describe(default.value) if literal else None  # type: ignore[union-attr]
            found[node.name] = known
    return found


def _arguments(entry: dict, parameters: Mapping[str, dict | None]) -> dict[str, dict]:
    """The described arguments of a call by parameter, defaults filled in."""
    names = [*parameters, *(f"argument {i}" for i in range(len(parameters), 40))]
    given = dict(zip(names, entry.get("args", []), strict=False)) | entry.get("kwargs", {})
    defaults = {name: value for name, value in parameters.items() if value is not None}
    ordered = {name: given.get(name, defaults.get(name)) for name in [*parameters, *given]}
    return {name: value for name, value in ordered.items() if value is not None}
