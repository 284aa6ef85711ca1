"""Names the mistake behind a failed exercise, by what the submission answered to its tests.

The log of the failed tests is compared with the logs of the exercise's known mistakes: the same
tests fail and every answer in them is the same within tolerance. What no known mistake explains is
described by general rules. Nothing is guessed: where two known mistakes cannot be told apart, both
are named as such.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

from autograder import rules
from autograder.answers import pairs, same_answer, same_log, same_value, telling
from autograder.calllog import describe, numbers
from autograder.exercises import Exercise
from autograder.merging import distance, merge
from autograder.mistake_logs import Library, Run
from autograder.mistakes import Variant
from autograder.results import SubmissionResult
from autograder.rules import Case, Statement
from autograder.trusted import bound_names, loaded_names, plain_python

TRIES = 6  # combinations of two mistakes that are run to explain one exercise
BASES = 4  # bodies that two mistakes may both be changes of
NOTHING = {"t": "None"}
MOST = 3  # general statements about one exercise
LOOSE = 1e-3  # a right answer in single precision is no other answer
QUESTIONS = ("call", "name")


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong in one exercise of one submission.

    Attributes:
        exercise: its name.
        kind: ``one`` known mistake; ``either`` of several; ``both`` of two at once; ``follows``
            from a mistake in an earlier exercise; ``rules``; ``none``.
        names: of the known mistakes.
        statements: by general rules.
        sentences: what to tell the student.
    """

    exercise: str
    kind: str = "none"
    names: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    sentences: tuple[str, ...] = ()


@dataclass
class Work:
    """One submission as a diagnosis sees it: failed tests, logs, sources of its solution cells."""

    run: Run
    sources: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, result: SubmissionResult, calls: dict[str, dict], sources: Mapping[str, str]
    ) -> Work:
        """The work behind a stored result."""
        lost = [c.grade_id for c in result.cells if (c.points or 0) < c.max_points]
        return cls(Run(frozenset(lost), calls), sources)


def diagnose(library: Library, work: Work) -> dict[str, Diagnosis]:
    """A diagnosis for each exercise that lost points in its tests, by name of the exercise."""
    found: dict[str, Diagnosis] = {}
    for exercise in library.exercises:
        failing = work.run.failed & {test.grade_id for test in exercise.tests}
        if failing:
            found[exercise.name] = _diagnose(library, work, exercise, failing, found)
    return found


def _diagnose(
    library: Library,
    work: Work,
    exercise: Exercise,
    failing: frozenset[str],
    earlier: Mapping[str, Diagnosis],
) -> Diagnosis:
    name, by_name = exercise.name, {v.name: v for v in library.variants}
    used = _used(library, work, exercise, earlier)
    for culprit in used:
        known = earlier[culprit.name].names
        if earlier[culprit.name].kind == "one" and _explains(
            library, library.runs[known[0]], work.run, exercise, failing
        ):
            sentence = (
                f"It uses your {_functions(culprit)}, whose mistake shows here: mend that first."
            )
            return Diagnosis(name, "follows", known, (), (sentence,))
    candidates = library.mistakes(exercise)
    if _asked_by_name(library, exercise):
        names = _by_answers(library, work.run, exercise, failing, candidates)
        kind = "both" if names and len(names[0]) > 1 else "one" if len(names) == 1 else "either"
        chosen = tuple(dict.fromkeys(name for group in names for name in group))
    else:
        chosen = tuple(
            v.name
            for v in candidates
            if _explains(library, library.runs[v.name], work.run, exercise, failing)
        )
        kind = "one" if len(chosen) == 1 else "either"
        if not chosen:
            kind, chosen = "both", _two_at_once(library, work.run, exercise, failing, candidates)
    if chosen:
        messages = [by_name[n].message for n in chosen]
        return Diagnosis(name, kind, chosen, (), _told(kind, messages))
    said = _general(library, work, exercise)[:MOST]
    if used:
        culprits = " and ".join(_functions(culprit) for culprit in used)
        sentence = f"It uses your {culprits}, whose own tests fail: mend that first."
        said.append(Statement("depends", sentence))
    sentences = tuple(statement.sentence for statement in said)
    return Diagnosis(name, "rules" if said else "none", (), tuple(said), sentences)


def _told(kind: str, messages: Sequence[str]) -> tuple[str, ...]:
    parts = list(dict.fromkeys(messages))
    if kind != "either" or len(parts) == 1:
        return tuple(parts)
    return (f"Either: {parts[0]}", *(f"Or: {part}" for part in parts[1:]))


def _explains(
    library: Library, run: Run, submission: Run, exercise: Exercise, failing: frozenset[str]
) -> bool:
    """Whether a run fails the same tests with the same answers, one of them telling and wrong."""
    if run.failed & {test.grade_id for test in exercise.tests} != failing:
        return False
    if not all(same_log(submission.calls.get(c, {}), run.calls.get(c, {})) for c in failing):
        return False
    return any(_evidence(library, run, submission, cell) for cell in failing)


def _evidence(library: Library, run: Run, submission: Run, cell: str) -> bool:
    """Whether both give an answer in ``cell`` that is alike, telling and not the solution's."""
    right = {id(mine): theirs for mine, theirs in _paired(submission, library.solution, cell)}
    for mine, theirs in _paired(submission, run, cell):
        wrong = id(mine) in right and not rules.agree(mine, right[id(mine)])
        if wrong and same_answer(mine, theirs) and telling(mine, theirs):
            return True
    return False


def _paired(one: Run, other: Run, cell: str) -> list[tuple[dict, dict]]:
    return pairs(one.calls.get(cell, {}), other.calls.get(cell, {}))


# --- answers to questions: names bound to values ---------------------------------------------


def _asked_by_name(library: Library, exercise: Exercise) -> bool:
    """Whether the exercise's tests look at values, and call nothing."""
    logs = [library.solution.calls.get(test.grade_id, {}) for test in exercise.tests]
    entries = [entry for log in logs for entry in log.get("calls", [])]
    return bool(entries) and all(entry["op"] == "name" for entry in entries)


def _by_answers(
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


# --- two mistakes at once --------------------------------------------------------------------


def _two_at_once(
    library: Library,
    submission: Run,
    exercise: Exercise,
    failing: frozenset[str],
    candidates: Sequence[Variant],
) -> tuple[str, ...]:
    """The one pair of mistakes that together explain the failed tests; () for none or several."""
    tests = {test.grade_id for test in exercise.tests}
    apart: list[tuple[Variant, Variant]] = []
    mixed: list[tuple[int, Variant, Variant]] = []
    answers = _answers(library, submission, candidates, failing)
    # True and False are too little to tell two mistakes from a third one.
    if all(numbers(mine.get("out", NOTHING)) is None or mine["out"]["t"] == "bool"
           for mine, _, wrong, _ in answers if wrong):  # fmt: skip
        return ()
    for a, b in combinations(candidates, 2):
        one, other = (library.runs[v.name].failed & tests for v in (a, b))
        if one | other != failing:
            continue
        lone = _lone(answers, a.name, b.name)
        if lone is None:
            continue
        if not one & other:
            if min(lone):
                apart.append((a, b))
        elif max(lone):
            mixed.append((-sum(lone), a, b))
    bodies: list[dict[str, str]] = []
    tried: list[tuple[Variant, Variant]] = []
    for _, a, b in sorted(mixed, key=lambda entry: entry[0]):
        if (body := _together(library, exercise, a, b)) and len(bodies) < TRIES:
            bodies.append(body)
            tried.append((a, b))
    for pair, run in zip(tried, library.try_out(bodies), strict=True):
        if _explains(library, run, submission, exercise, failing):
            apart.append(pair)
    return tuple(v.name for v in apart[0]) if len(apart) == 1 else ()


Answers = list[tuple[dict, dict, bool, dict[str, tuple[dict, bool]]]]


def _answers(
    library: Library, submission: Run, candidates: Sequence[Variant], failing: frozenset[str]
) -> Answers:
    """Each question of the failed tests: the student's answer, the solution's, whether it is wrong,
    and each mistake's answer with whether that is wrong."""
    found: Answers = []
    for cell in failing:
        theirs = {}
        for v in candidates:
            answered = _paired(library.runs[v.name], library.solution, cell)
            theirs[v.name] = {id(right): mine for mine, right in answered}
        for mine, right in _paired(submission, library.solution, cell):
            known = {
                name: (entries[id(right)], not rules.agree(entries[id(right)], right))
                for name, entries in theirs.items()
                if id(right) in entries
            }
            found.append((mine, right, not rules.agree(mine, right), known))
    return found


def _lone(answers: Answers, a: str, b: str) -> tuple[int, int] | None:
    """How many questions each mistake explains where the other does nothing; None if one fails to.

    Where one of the two changes nothing, the answer has to be the other's.
    """
    counts = [0, 0]
    for mine, _, wrong, known in answers:
        if a not in known or b not in known:
            continue
        for place, (one, other) in enumerate(((a, b), (b, a))):
            (theirs, off), (_, idle) = known[one], known[other]
            if idle:  # the other one is wrong here, too
                continue
            if wrong != off or not same_answer(mine, theirs):
                return None
            counts[place] += off and telling(mine, theirs)
    return counts[0], counts[1]


def _together(
    library: Library, exercise: Exercise, a: Variant, b: Variant
) -> dict[str, str] | None:
    """A body with both mistakes in it, by cell; None when they cannot be put together."""
    if a.cell != b.cell:
        return {a.cell: a.source, b.cell: b.source}
    bases = [exercise.solutions[a.cell]]
    bases += [v.source for v in library.variants if v.cell == a.cell and v not in (a, b)]
    try:
        near = sorted(bases, key=lambda c: distance(c, a.source) + distance(c, b.source))
        for base in near[:BASES]:
            if merged := merge(base, a.source, b.source):
                return {a.cell: merged}
    except (SyntaxError, ValueError):
        pass
    return None


# --- what can be said without a name ---------------------------------------------------------


def _general(library: Library, work: Work, exercise: Exercise) -> list[Statement]:
    """Statements about each function of the exercise that gave a wrong answer."""
    parameters = _parameters(exercise)
    free = _free(library, exercise)
    cases: dict[str, list[Case]] = {}
    for test in exercise.tests:
        for got, want in _paired(work.run, library.solution, test.grade_id):
            if got["op"] not in QUESTIONS or (got["op"] == "call" and got["on"] not in parameters):
                continue
            right = rules.agree(got, want)
            unasked = got["on"] in free or test.grade_id not in work.run.failed
            if not right and unasked and _valued(got):
                continue  # another answer may be as good as the solution's
            arguments = _arguments(got, parameters.get(got["on"], {}))
            case = Case(got["on"], arguments, got, want, right, test.grade_id)
            cases.setdefault(got["on"], []).append(case)
    said = []
    for found in cases.values():
        said += rules.statements(found)
    return said


def _valued(entry: dict) -> bool:
    return "out" in entry and entry["out"]["t"] != "None" and not entry.get("changed")


def _free(library: Library, exercise: Exercise) -> set[str]:
    """Functions that have several right answers: those of an alternative are others."""
    free = set()
    for variant, test in product(library.alternatives(exercise), exercise.tests):
        run = library.runs[variant.name]
        if test.grade_id not in run.failed:
            for got, want in _paired(run, library.solution, test.grade_id):
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


# --- exercises that build on others ----------------------------------------------------------


def _used(
    library: Library, work: Work, exercise: Exercise, earlier: Mapping[str, Diagnosis]
) -> list[Exercise]:
    """The failed earlier exercises whose functions this one's cells call."""
    loaded: set[str] = set()
    for cell in exercise.solutions:
        loaded |= loaded_names(plain_python(work.sources.get(cell, "")))
    return [e for e in library.exercises if e.name in earlier and _defined(e) & loaded]


def _defined(exercise: Exercise) -> set[str]:
    return {n for source in exercise.solutions.values() for n in bound_names(plain_python(source))}


def _functions(exercise: Exercise) -> str:
    return " and ".join(sorted(_defined(exercise)))
