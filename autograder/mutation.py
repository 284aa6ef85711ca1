"""Judges mutants by their exercise's own tests, many in one kernel, and remembers what came of it.

A sitting opens one submission's two processes, runs all that stands above the exercise, and then
gives each mutant the mutated cell and the tests, as the engine does for a submission. The reference
sits first and last: if it no longer passes at the end, some mutant has left its mark on the others,
and each is judged in a kernel of its own. Findings are kept in ``.cache/autograder`` of the course
folder, under a digest of all that they depend on.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path

from nbformat import NotebookNode, v4

from autograder.bout import Bout
from autograder.cases import Lesson
from autograder.errors import LessonError
from autograder.exercises import Exercise, grade_id, role
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.hearing import Hearing
from autograder.mistake_logs import DEPENDS, KEPT_DAYS
from autograder.mutants import Mutant
from autograder.registration import register
from autograder.scopes import bound_names, plain_python
from autograder.work import KERNEL, lay_out, opened, packages_of

# A mutant is known well enough by two tests that it fails; one that passes all others is alone.
ENOUGH = 2
BATCH = 50
# A mutant that loops is cut here, or at twenty times what the reference needs.
CUT_SECONDS = 5.0
SLOWER = 20.0

Failed = tuple[str, ...]


@dataclass(frozen=True)
class Batch:
    """Mutants of one solution cell that one worker judges.

    Attributes:
        cell: grade_id of the solution cell.
        tests: grade_ids of its exercise's tests.
        sources: the mutated cells.
    """

    cell: str
    tests: Failed
    sources: tuple[str, ...]


def judge_mutants(
    folder: CourseFolder,
    lesson: Lesson,
    exercises: Iterable[Exercise],
    wanted: list[Mutant],
    jobs: int,
    step: Callable[[int], None] = lambda done: None,
) -> dict[Mutant, Failed]:
    """The first tests, at most two, that each mutant fails; none for a survivor.

    Args:
        exercises: of the lesson.
        step: called with the number of mutants that were judged just now.

    Raises:
        LessonError: when the reference fails its tests where no other exercise's tests are run.
    """
    tests = {c: tuple(t.grade_id for t in e.tests) for e in exercises for c in e.solutions}
    shelf = _Shelf(folder, lesson)
    batches = []
    for cell, names in tests.items():
        mine = [m.source for m in wanted if m.cell == cell]
        known = shelf.open(cell, names)
        new = [source for source in mine if _name(source) not in known]
        step(len(mine) - len(new))
        batches += [
            Batch(cell, names, tuple(new[i : i + BATCH])) for i in range(0, len(new), BATCH)
        ]
    for batch, found in _judged(lesson, batches, jobs):
        shelf.put(batch.cell, dict(zip(map(_name, batch.sources), found, strict=True)))
        step(len(found))
    return {m: tuple(shelf.known[m.cell][_name(m.source)]) for m in wanted}


def sample(found: list[Mutant], size: int | None) -> list[Mutant]:
    """At most ``size`` mutants, in order; the same ones each time, whatever else is edited."""
    if size is None or len(found) <= size:
        return found
    drawn = sorted(found, key=lambda m: hashlib.sha256(repr(m.change).encode()).digest())
    kept = set(map(id, drawn[:size]))
    return [m for m in found if id(m) in kept]


def _judged(
    lesson: Lesson, batches: list[Batch], jobs: int
) -> Iterator[tuple[Batch, list[Failed]]]:
    if jobs <= 1 or len(batches) <= 1:
        yield from ((batch, judge_batch(lesson, batch)) for batch in batches)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(judge_batch, lesson, batch): batch for batch in batches}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def judge_batch(lesson: Lesson, batch: Batch) -> list[Failed]:
    """What each mutant of a batch fails, in order.

    Raises:
        LessonError: when the reference itself fails.
    """
    register()
    found: dict[int, Failed] = {}
    left = list(range(len(batch.sources)))
    while left:
        verdicts, sound = _sit(lesson, batch, [batch.sources[i] for i in left])
        if len(verdicts) < len(left):
            # The last one took the kernel with it; nobody can say what it did to the others.
            found[left.pop(len(verdicts) - 1)] = verdicts[-1]
        elif sound or len(left) == 1:
            found.update(zip(left, verdicts, strict=True))
            left = []
        else:
            for i in left:
                ((found[i],), _) = _sit(lesson, batch, [batch.sources[i]])
            left = []
    return [found[i] for i in range(len(batch.sources))]


def _sit(lesson: Lesson, batch: Batch, sources: list[str]) -> tuple[list[Failed], bool]:
    """What each source fails, as far as the kernel lived, and whether the reference still passes.

    When the kernel dies early the list ends with the one that ended it.
    """
    master, _, trusted, skip = opened(lesson)
    above, own, below = _parts(master, batch.cell, batch.tests)
    bout = Bout(trusted, packages_of(master), None, skip, lesson.limits, lesson.isolation)
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        bout.files, bout.own_files = Path(scratch) / "submission", Path(scratch) / "lesson"
        lay_out(lesson.files, bout.files)
        lay_out(lesson.files, bout.own_files)
        with Hearing(KERNEL, bout, float(lesson.limits.cell_seconds)) as hearing:
            for cell in above:
                _run(hearing, cell)
            if failed := _try(hearing, own, own.source, below, None, batch.tests):
                reason = bout.results[failed[0]].message
                raise LessonError(f"the solution fails {failed[0]} by itself: {reason}")
            leaning = frozenset(bout.leaning)
            slowest = max((result.seconds for result in bout.results.values()), default=0.0)
            hearing.cell_seconds = max(CUT_SECONDS, SLOWER * slowest)
            verdicts = []
            for source in sources:
                verdicts.append(_try(hearing, own, source, below, leaning, batch.tests))
                if hearing.dead:
                    return verdicts, len(verdicts) == len(sources) == 1
            again = _try(hearing, own, own.source, below, leaning, batch.tests)
            return verdicts, not again


def _try(
    hearing: Hearing,
    own: NotebookNode,
    source: str,
    below: list[NotebookNode],
    leaning: frozenset[str] | None,
    tests: Failed,
) -> Failed:
    """The first tests that one way to fill in the cell fails."""
    bout = hearing.bout
    bout.results.clear()
    bout.calls.clear()
    bout.problems.clear()
    bout.leaning.clear()
    # What the one before it defined is not there to fall back on.
    names = sorted(bound_names(plain_python(own.source)))
    fresh = f"for _name in {names!r}: globals().pop(_name, None)\n{source}"
    _run(hearing, v4.new_code_cell(fresh, metadata=own.metadata))
    failed: list[str] = []
    for cell in below:
        _run(hearing, cell)
        name = grade_id(cell)
        if name in tests:
            result = bout.results[name]
            short = (result.points or 0.0) < result.max_points
            if short or (leaning is not None and name in bout.leaning - leaning):
                failed.append(name)
        if len(failed) >= ENOUGH or hearing.dead:
            break
    return tuple(failed)


def _run(hearing: Hearing, cell: NotebookNode) -> None:
    """Run one cell; which one comes next depends on how it ends, so no other is handed over."""
    hearing.begin(v4.new_notebook(cells=[cell]))
    hearing.run(cell)


def _parts(
    master: NotebookNode, cell: str, tests: Failed
) -> tuple[list[NotebookNode], NotebookNode, list[NotebookNode]]:
    """The cells above the solution cell, that cell, and those down to the last of its tests."""
    kept = [
        NotebookNode(c)
        for c in master.cells
        if c.cell_type == "code" and (role(c) != "test" or grade_id(c) in tests)
    ]
    at = next(i for i, c in enumerate(kept) if grade_id(c) == cell)
    last = max((i for i, c in enumerate(kept) if grade_id(c) in tests), default=at)
    return kept[:at], kept[at], kept[at + 1 : last + 1]


class _Shelf:
    """Findings on disk: one file for each solution cell of a build."""

    def __init__(self, folder: CourseFolder, lesson: Lesson) -> None:
        self.place = folder.root / ".cache" / "autograder" / lesson.name / "mutants"
        self.lesson = lesson
        self.base = _digest(folder, lesson)
        self.paths: dict[str, Path] = {}
        self.known: dict[str, dict[str, list[str]]] = {}
        self._prune()

    def open(self, cell: str, tests: Failed) -> dict[str, list[str]]:
        """What is known of the mutants of a cell, by the names of their sources."""
        above, own, below = _parts(opened(self.lesson)[0], cell, tests)
        digest = hashlib.sha256(self.base.encode())
        for part in (*above, own, *below):
            digest.update(f"{grade_id(part)}\0{part.source}\0".encode())
        self.paths[cell] = self.place / f"{digest.hexdigest()[:32]}.json"
        self.known[cell] = {}
        with contextlib.suppress(OSError, ValueError):
            self.known[cell] = dict(json.loads(self.paths[cell].read_bytes()))
        return self.known[cell]

    def put(self, cell: str, found: dict[str, Failed]) -> None:
        """Keep what was found of some mutants of a cell."""
        self.known[cell].update({name: list(failed) for name, failed in found.items()})
        content = json.dumps(self.known[cell], indent=0, sort_keys=True)
        write_atomically(self.paths[cell], content.encode())

    def _prune(self) -> None:
        oldest = time.time() - KEPT_DAYS * 86_400
        for path in self.place.glob("*.json"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


def _name(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _digest(folder: CourseFolder, lesson: Lesson) -> str:
    """Of the engine, the assignment's files, and the modules that its cells import."""
    master = opened(lesson)[0]
    digest = hashlib.sha256(repr((sys.version_info, lesson.files, packages_of(master))).encode())
    for name in (*DEPENDS, "mutation", "trusted"):
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    for name in sorted(_imported(master)):
        for path in sorted([folder.root / f"{name}.py", *(folder.root / name).rglob("*.py")]):
            if path.is_file():
                digest.update(path.read_bytes())
        digest.update(f"{name} {_version(name)}".encode())
    return digest.hexdigest()


@lru_cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _imported(master: NotebookNode) -> set[str]:
    """Top-level names of the modules that a notebook's cells import."""
    found = set()
    for cell in master.cells:
        if cell.cell_type != "code":
            continue
        with contextlib.suppress(SyntaxError):
            for node in ast.walk(ast.parse(plain_python(cell.source))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found.add(node.module.split(".")[0])
    return found
