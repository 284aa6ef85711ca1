"""Proves the hidden tests: solution full marks, release none, mistakes caught, right answers kept.

Every variant is graded as a submission is: its body in the place of the reference's, in a jailed
kernel, its tests in the referee. What a variant's exercise cannot depend on is left out: the other
exercises' tests, the pictures, all that stands below the last of its own tests. The reference's
mechanical mutants follow, many to a kernel.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from zlib import crc32

import nbformat
from nbformat import NotebookNode

from autograder.cases import Lesson, Task
from autograder.errors import LessonError
from autograder.exercises import Exercise, grade_id, read_exercises, role, total_points
from autograder.folder import CourseFolder
from autograder.grade import Options, open_lesson
from autograder.mistakes import Variant, read_audit, read_mistakes
from autograder.mutants import Mutant, mutants
from autograder.mutation import judge_mutants, sample
from autograder.pool import judged
from autograder.proof import LessonProof, MutantVerdict, Proof, Verdict
from autograder.results import SubmissionResult
from autograder.text import dump


def verify(
    folder: CourseFolder,
    names: list[str],
    jobs: int,
    isolation: str,
    step: Callable[[int], None] = lambda remaining: None,
    most_mutants: int | None = None,
    most_variants: int | None = None,
) -> Proof:
    """Grade solution, release, every variant and the mutants of the assignments ``names``.

    Args:
        most_mutants: how many of each exercise to judge, always the same ones; all when None.
        most_variants: the same for its known mistakes, and for its alternatives.
        step: called after each run with the number of runs still to come in this assignment.

    Raises:
        LessonError: when a mistakes file names a cell that does not exist.
    """
    proof = Proof()
    for name in names:
        proof.assignments[name] = verify_lesson(
            folder, name, jobs, isolation, step, most_mutants, most_variants
        )
    return proof


def verify_lesson(
    folder: CourseFolder,
    name: str,
    jobs: int,
    isolation: str,
    step: Callable[[int], None] = lambda remaining: None,
    most_mutants: int | None = None,
    most_variants: int | None = None,
) -> LessonProof:
    """Grade solution, release, every variant and the mutants of one assignment."""
    started = time.monotonic()
    lesson = open_lesson(folder, name, Options(isolation=isolation))
    master = nbformat.reads(lesson.master.decode(), as_version=4)
    exercises = read_exercises(master)
    path = folder.mistakes(name)
    variants, audit = read_mistakes(path), read_audit(path)
    owners = {cell: exercise for exercise in exercises for cell in exercise.solutions}
    for variant in variants:
        if variant.cell not in owners:
            raise LessonError(
                f"{variant.title!r} is for {variant.cell!r}, which is no solution cell",
                where=folder.mistakes(name),
            )
    variants = _some(variants, owners, most_variants)
    found = LessonProof(total_points(exercises), exercises=exercises, audit=audit)
    found.every_mutant = [m for e in exercises for m in _of_exercise(e)]
    chosen = [m for e in exercises for m in sample(_of_exercise(e), most_mutants)]
    tasks = [Task("solution", lesson.master), Task("release", lesson.release)]
    tasks += [task_of(master, owners[v.cell], v) for v in variants]
    results = {}
    for outcome in judged(lesson, tasks, jobs):
        results[outcome.student] = SubmissionResult.from_json(outcome.result)
        step(len(tasks) + len(chosen) - len(results))
    manual = sum(sum(exercise.manual.values()) for exercise in exercises)
    found.points -= manual  # a person's points are not the tests' to prove
    found.solution, found.release = results["solution"].score, results["release"].score
    for variant in variants:
        found.verdicts.append(_verdict(owners[variant.cell], variant, results[variant.name]))
    for cell in results["solution"].cells:
        if cell.message:
            found.problems.append(f"the solution fails {cell.grade_id}: {cell.message}")
    if not found.problems:
        left = len(chosen)

        def judged_some(number: int) -> None:
            nonlocal left
            for _ in range(number):
                left -= 1
                step(left)

        _judge_mutants(folder, lesson, found, chosen, jobs, judged_some)
    found.seconds = time.monotonic() - started
    return found


def _some(variants: list[Variant], owners: dict[str, Exercise], most: int | None) -> list[Variant]:
    """At most ``most`` mistakes and as many alternatives of each exercise; always the same ones."""
    if most is None:
        return variants
    drawn: dict[tuple[int, bool], list[Variant]] = {}
    for variant in sorted(variants, key=lambda v: crc32(v.source.encode())):
        kept = drawn.setdefault((id(owners[variant.cell]), variant.right), [])
        if len(kept) < most:
            kept.append(variant)
    names = {variant.name for kept in drawn.values() for variant in kept}
    return [variant for variant in variants if variant.name in names]


def task_of(master: NotebookNode, exercise: Exercise, variant: Variant) -> Task:
    """A submission that is the reference but for one cell, cut after the exercise's last test."""
    notebook = nbformat.from_dict(master)
    own = {test.grade_id for test in exercise.tests}
    cells, left = [], set(own)
    for cell in notebook.cells:
        name = grade_id(cell)
        if role(cell) == "test" and name not in own:
            continue
        if name == variant.cell:
            cell.source = variant.source
        cells.append(cell)
        left.discard(name)
        if not left:
            break
    notebook.cells = cells
    return Task(variant.name, dump(notebook), whole=False)


def _verdict(exercise: Exercise, variant: Variant, result: SubmissionResult) -> Verdict:
    cells = {cell.grade_id: cell for cell in result.cells}
    failed = [
        test.grade_id
        for test in exercise.tests
        if test.grade_id not in cells or (cells[test.grade_id].points or 0) < test.points
    ]
    return Verdict(variant, failed, {n: cells[n].message for n in failed if n in cells})


def _of_exercise(exercise: Exercise) -> list[Mutant]:
    """The mutants of an exercise that runs by itself."""
    if not exercise.tests:
        return []
    return [m for cell, source in exercise.solutions.items() for m in mutants(cell, source)]


def _judge_mutants(
    folder: CourseFolder,
    lesson: Lesson,
    found: LessonProof,
    chosen: list[Mutant],
    jobs: int,
    step: Callable[[int], None],
) -> None:
    marked = {marking.change: marking for marking in found.audit.equivalents}
    try:
        failed = judge_mutants(folder, lesson, found.exercises, chosen, jobs, step)
    except LessonError as error:
        found.problems.append(str(error))
        return
    found.mutants = [MutantVerdict(m, failed[m], marked.get(m.change)) for m in chosen]
