"""Shows a proof at the terminal: one table an assignment, then what is left to do."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from autograder.proof import ExerciseProof, LessonProof, MutantVerdict, Proof

COLUMNS = ("pts", "cells", "idle", "mis-\ntakes", "scat-\ntered", "right", "mutants", "equal")
MANY = 12  # survivors shown without --detail, where nobody has looked at them yet


def show(proof: Proof, console: Console, detail: bool = False) -> None:
    """Print the proof.

    Args:
        detail: also which cell catches what, exercise by exercise.
    """
    for name, lesson in proof.assignments.items():
        console.print(_table(name, lesson))
        if detail:
            for exercise in lesson.by_exercise():
                console.print("\n".join(_detail(exercise)), markup=False, soft_wrap=True)
        console.print("\n".join(_summary(name, lesson, detail)), markup=False, soft_wrap=True)


def _table(name: str, lesson: LessonProof) -> Table:
    title = f"{name}: caught or kept, of all that were tried"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, expand=True)
    table.add_column("exercise", no_wrap=True, overflow="ellipsis", ratio=1)
    for column in COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for found in lesson.by_exercise():
        exercise, mutants = found.exercise, found.mutants
        caught = sum(bool(m.failed) for m in mutants)
        equal = sum(not m.failed and m.marked is not None for m in mutants)
        table.add_row(
            exercise.name,
            f"{exercise.points:g}",
            str(len(exercise.tests)),
            str(len(found.idle_cells()) or ""),
            _share(sum(bool(v.failed) for v in found.mistakes), len(found.mistakes)),
            str(len(found.scattered) or ""),
            _share(sum(not v.failed for v in found.alternatives), len(found.alternatives)),
            _share(caught, len(mutants) - equal),
            str(equal or ""),
        )
    return table


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole}" if whole else ""


def _summary(name: str, lesson: LessonProof, detail: bool) -> Iterator[str]:
    caught = len(lesson.mistakes) - len(lesson.survivors)
    kept = len(lesson.alternatives) - len(lesson.marked_down)
    yield (
        f"{name}: {'proven' if lesson.ok else 'NOT PROVEN'}: solution {lesson.solution:g} of "
        f"{lesson.points:g}, release {lesson.release:g}, mistakes caught {caught} of "
        f"{len(lesson.mistakes)}, right answers kept {kept} of {len(lesson.alternatives)}, "
        f"{lesson.seconds:.0f} s"
    )
    yield from (f"  survives: {title}" for title in lesson.survivors)
    for verdict in lesson.alternatives:
        for cell in verdict.failed:
            message = verdict.messages.get(cell, "")
            yield f"  marked down: {verdict.variant.name} by {cell}: {message}"
    yield from (f"  {problem}" for problem in lesson.problems)
    yield from _of_mutants(lesson, detail)
    if idle := [cell for found in lesson.by_exercise() for cell in found.idle_cells()]:
        yield f"  cells that catch nothing on their own: {', '.join(idle)}"


def _of_mutants(lesson: LessonProof, detail: bool) -> Iterator[str]:
    survivors = lesson.unexplained
    if lesson.mutants:
        caught = sum(bool(m.failed) for m in lesson.mutants)
        equal = len(lesson.mutants) - caught - len(survivors)
        drawn = "" if len(lesson.mutants) == len(lesson.every_mutant) else " (a sample)"
        yield (
            f"  mutants: {caught} of {len(lesson.mutants)}{drawn} caught, {equal} equivalent, "
            f"{len(survivors)} survive"
            + ("" if lesson.audit.done else ": nobody has looked at them yet (unaudited)")
        )
    hidden = 0 if lesson.audit.done or detail else max(0, len(survivors) - MANY)
    for found in survivors[: len(survivors) - hidden]:
        yield from _survivor(found)
    if hidden:
        yield f"  … and {hidden} more: --detail lists them"
    for marking, why in lesson.stale:
        yield f"  marked as equivalent for nothing, {why}: {marking.title} ({marking.cell})"
        yield f"    # - {marking.original}"
        yield f"    # + {marking.mutated}"


def _survivor(found: MutantVerdict) -> Iterator[str]:
    """As an author would paste it into the mistakes file."""
    mutant = found.mutant
    yield f"  mutant survives: {mutant.cell}, line {mutant.line} ({mutant.kind})"
    yield f"    # - {mutant.original}"
    yield f"    # + {mutant.mutated}"


def _detail(found: ExerciseProof) -> Iterator[str]:
    exercise = found.exercise
    yield f"{exercise.title} ({exercise.name}), {exercise.points:g} points"
    idle = found.idle_cells()
    for test in exercise.tests:
        name = test.grade_id
        alone, mutants = found.caught_by(name, alone=True), found.mutants_of(name, alone=True)
        yield (
            f"  {name}, {test.points:g} points: fails {len(found.caught_by(name))} mistakes; "
            f"alone {len(alone)} mistakes, {len(mutants)} mutants"
            + (": perhaps not needed" if name in idle else "")
        )
        yield from (f"    {verdict.variant.title}" for verdict in alone)
    if found.scattered:
        yield "  pinned down by no single cell:"
        yield from (f"    {v.variant.title}: {', '.join(v.failed)}" for v in found.scattered)
    equal: dict[str, int] = {}
    for m in found.mutants:
        if m.marked is not None and not m.failed:
            equal[m.marked.title] = equal.get(m.marked.title, 0) + 1
    if equal:
        yield "  equivalent mutants:"
        yield from (f"    {number} × {title}" for title, number in equal.items())
    yield ""
