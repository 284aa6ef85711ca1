"""What the solution and each known mistake of a lesson answer to its tests, made once a build.

Logs are kept in ``.cache/autograder`` of the course folder, under a digest of all that they depend
on; nothing that a student gets is made from that folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.calllog import pack, unpack
from autograder.cases import Lesson, Outcome, Task
from autograder.exercises import Exercise, grade_id, read_exercises
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.grade import Options, open_lesson, open_lessons
from autograder.mistakes import Variant, read_mistakes
from autograder.results import Status, SubmissionResult
from autograder.text import dump
from autograder.work import judge

# The modules that decide what a log says.
DEPENDS = (
    "calllog", "probing", "referee", "peer", "wire", "remote", "bridge", "verdict", "execution",
)  # fmt: skip
KEPT_DAYS = 30


@dataclass(frozen=True)
class Run:
    """What one way to fill in a lesson's cells did in its tests.

    Attributes:
        failed: grade_ids of the tests that lost points.
        calls: the log of each test, by grade_id.
    """

    failed: frozenset[str] = frozenset()
    calls: dict[str, dict] = field(default_factory=dict)


@dataclass
class Library:
    """A lesson's exercises, the run of its solution, and those of its variants by name."""

    lesson: Lesson
    exercises: list[Exercise]
    variants: list[Variant]
    solution: Run
    runs: dict[str, Run]
    cache: Path
    jobs: int = 1

    def mistakes(self, exercise: Exercise) -> list[Variant]:
        """The known mistakes of one exercise."""
        return [v for v in self.variants if not v.right and v.cell in exercise.solutions]

    def alternatives(self, exercise: Exercise) -> list[Variant]:
        """The known right answers of one exercise."""
        return [v for v in self.variants if v.right and v.cell in exercise.solutions]

    def try_out(self, bodies: list[dict[str, str]]) -> list[Run]:
        """Run the solution with other bodies in some of its cells, by grade_id."""
        return list(_runs(self.lesson, bodies, self.cache, self.jobs))


def read_library(
    folder: CourseFolder,
    assignment: str,
    jobs: int = 1,
    isolation: str = "process",
    step: Callable[[int], None] = lambda remaining: None,
    cells: Collection[str] | None = None,
    notebook: str = "",
) -> Library:
    """The library of an assignment, from the cache where it can be.

    Args:
        cells: only the variants of these solution cells; of all when None.
        step: called after each run with the number of those still to come.
        notebook: which of the assignment's notebooks; needed where there are several.
    """
    options = Options(isolation=isolation)
    if notebook:
        stems = [path.stem for path in folder.masters(assignment)]
        lesson = open_lessons(folder, assignment, options)[stems.index(notebook)]
    else:
        lesson = open_lesson(folder, assignment, options)
    master = nbformat.reads(lesson.master.decode(), as_version=4)
    own = {grade_id(cell) for cell in master.cells}
    variants = read_mistakes(folder.mistakes(assignment))
    variants = [v for v in variants if v.cell in (own if cells is None else own & set(cells))]
    cache = folder.root / ".cache" / "autograder" / assignment
    bodies: list[dict[str, str]] = [{}, *({v.cell: v.source} for v in variants)]
    runs = []
    for run in _runs(lesson, bodies, cache, jobs, step):
        runs.append(run)
    _prune(cache)
    named = {v.name: run for v, run in zip(variants, runs[1:], strict=True)}
    return Library(lesson, read_exercises(master), variants, runs[0], named, cache, jobs)


def _runs(
    lesson: Lesson,
    bodies: list[dict[str, str]],
    cache: Path,
    jobs: int,
    step: Callable[[int], None] = lambda remaining: None,
) -> Iterator[Run]:
    """One run for each set of bodies, in order; new ones side by side."""
    base = _digest(lesson)
    paths = [cache / f"{_key(base, body)}.gz" for body in bodies]
    missing = {p: body for p, body in zip(paths, bodies, strict=True) if _load(p) is None}
    master = nbformat.reads(lesson.master.decode(), as_version=4)
    tasks = {str(path): Task(str(path), filled(master, body)) for path, body in missing.items()}
    left = len(tasks)
    for outcome in _judged(lesson, list(tasks.values()), jobs):
        result = SubmissionResult.from_json(outcome.result)
        unsettled = (Status.DIED, Status.NOT_RUN)
        # What the machine did is no property of a mistake: such a run is made again next time.
        if result.gradable and not any(cell.status in unsettled for cell in result.cells):
            failed = [c.grade_id for c in result.cells if (c.points or 0) < c.max_points]
            calls = unpack(outcome.calls) if outcome.calls else {}
            write_atomically(Path(outcome.student), pack({"failed": failed, "calls": calls}))
        left -= 1
        step(left)
    for path in paths:
        yield _load(path) or Run()


def _judged(lesson: Lesson, tasks: list[Task], jobs: int) -> Iterator[Outcome]:
    if jobs <= 1 or len(tasks) <= 1:
        yield from (judge(lesson, task) for task in tasks)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(judge, lesson, task) for task in tasks]):
            yield future.result()


def filled(master: NotebookNode, bodies: dict[str, str]) -> bytes:
    """The solution as a submission, with other bodies in the cells ``bodies`` names."""
    notebook = nbformat.from_dict(master)
    sources = {grade_id(cell): cell.source for cell in notebook.cells}
    for cell in notebook.cells:
        if grade_id(cell) in bodies:
            cell.source = bodies[grade_id(cell)]
    content = dump(notebook)
    for cell in notebook.cells:  # from_dict shares the cells with the master
        if grade_id(cell) in bodies:
            cell.source = sources[grade_id(cell)]
    return content


def _prune(cache: Path) -> None:
    """Drop logs of builds that are long gone."""
    oldest = time.time() - KEPT_DAYS * 86_400
    for path in cache.glob("*.gz"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()


def _load(path: Path) -> Run | None:
    with contextlib.suppress(OSError, ValueError, KeyError):
        stored = unpack(path.read_bytes())
        return Run(frozenset(stored["failed"]), stored["calls"])
    return None


def _digest(lesson: Lesson) -> str:
    digest = hashlib.sha256(lesson.master)
    for name in DEPENDS:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()


def _key(base: str, body: dict[str, str]) -> str:
    return hashlib.sha256((base + json.dumps(body, sort_keys=True)).encode()).hexdigest()[:32]
