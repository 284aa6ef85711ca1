"""Grades a class: finds submissions, runs what changed, writes each outcome before the next."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

import nbformat

from autograder.build import release_notebook
from autograder.errors import CourseError, SubmissionError
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.gradebook import Scores, read_timestamp
from autograder.limits import Limits
from autograder.results import SubmissionResult
from autograder.submission import MAX_BYTES, find_notebook, show_name
from autograder.text import dump
from autograder.work import Lesson, Outcome, Task, judge

MAX_FILES = 64 * 1024 * 1024


@dataclass
class Run:
    """What one run of ``grade`` did.

    Attributes:
        assignment: its name.
        submissions: how many there are.
        graded: how many were run now.
        unchanged: how many were left as they are.
        problems: student and reason, for a person to look at.
        changes: student, old and new score of those whose score changed, with the cells.
        isolation: ``jail`` or ``process``.
        seconds: wall time.
    """

    assignment: str
    submissions: int = 0
    graded: int = 0
    unchanged: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    isolation: str = "process"
    seconds: float = 0.0

    def to_dict(self) -> dict:
        """The object that ``--json`` prints."""
        return {
            "assignment": self.assignment,
            "submissions": self.submissions,
            "graded": self.graded,
            "unchanged": self.unchanged,
            "problems": [{"student": s, "reason": r} for s, r in self.problems],
            "isolation": self.isolation,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Options:
    """How to run: workers, isolation, seconds a cell may take, and whom to grade."""

    jobs: int = 1
    isolation: str = "process"
    timeout: int | None = None
    force: bool = False
    students: tuple[str, ...] = ()


# Called with each finished result and the number still to come.
Progress = Callable[[SubmissionResult, int], None]


def grade(
    folder: CourseFolder, assignment: str, options: Options, progress: Progress | None = None
) -> Run:
    """Grade every submission of ``assignment`` that changed since it was last graded.

    Raises:
        CourseError: when there is no such assignment or student, or the gradebook cannot be
            written. What was graded before that is on disk.
    """
    started = time.monotonic()
    lessons = open_lessons(folder, assignment, options)
    places = find_submissions(folder, assignment, options.students)
    run = Run(assignment, len(places), isolation=options.isolation)
    masters = [nbformat.reads(lesson.master.decode(), as_version=4) for lesson in lessons]
    with Scores(folder, assignment, *masters) as scores:
        recorded = scores.students()
        todo: dict[str, tuple[Path, str]] = {}
        work: list[tuple[Lesson, Task]] = []
        for place in places:
            tasks = [read_task(place, lesson, alone=len(lessons) == 1) for lesson in lessons]
            student, fingerprint = tasks[0].student, "-".join(task.fingerprint for task in tasks)
            old = _stored(folder, assignment, student)
            known = old is not None and old.fingerprint == fingerprint
            if known and not options.force and student in recorded:
                assert old is not None
                run.unchanged += 1
                run.problems += [(old.student, reason) for reason in old.problems]
            else:
                todo[student] = (place, fingerprint)
                work += zip(lessons, tasks, strict=True)
        parts: dict[str, dict[str, Outcome]] = {}
        for lesson, outcome in _outcomes_of(work, options.jobs):
            mine = parts.setdefault(outcome.student, {})
            mine[lesson.name] = outcome
            if len(mine) < len(lessons):
                continue
            place, fingerprint = todo[outcome.student]
            result = merge(assignment, {lesson.name: mine[lesson.name] for lesson in lessons})
            result.fingerprint = fingerprint
            _note_change(run, _stored(folder, assignment, result.student), result)
            store(folder, result, parts.pop(result.student), place)
            scores.save(result, read_timestamp(place))
            run.graded += 1
            run.problems += [(result.student, reason) for reason in result.problems]
            if progress:
                progress(result, len(todo) - run.graded)
    run.seconds = time.monotonic() - started
    return run


def open_lesson(folder: CourseFolder, assignment: str, options: Options) -> Lesson:
    """What the workers need to know of an assignment of one notebook."""
    return _open_lesson(folder, folder.master(assignment), options)


def open_lessons(folder: CourseFolder, assignment: str, options: Options) -> list[Lesson]:
    """The same for each notebook of an assignment."""
    return [_open_lesson(folder, path, options) for path in folder.masters(assignment)]


def _open_lesson(folder: CourseFolder, path: Path, options: Options) -> Lesson:
    try:
        master = nbformat.read(path, as_version=4)
    except Exception as error:
        raise CourseError(f"not a notebook ({error})", where=path) from error
    limits = Limits.from_config(folder.config)
    if options.timeout:
        limits = replace(limits, cell_seconds=options.timeout)
    release = dump(release_notebook(master, folder.config))
    return Lesson(path.stem, dump(master), release, limits, options.isolation)


def find_submissions(folder: CourseFolder, assignment: str, students: Iterable[str]) -> list[Path]:
    """The folders ``submitted/STUDENT/ASSIGNMENT``, sorted by student.

    Raises:
        CourseError: when a student that was asked for has no submission.
    """
    everyone = folder.submitted.iterdir() if folder.submitted.is_dir() else []
    found = sorted(
        (place / assignment for place in everyone if (place / assignment).is_dir()),
        key=lambda place: os.fsencode(place),
    )
    wanted = set(students)
    if missing := wanted - {show_name(place.parent.name) for place in found}:
        raise CourseError(
            f"no submission of {assignment} by {', '.join(sorted(missing))}",
            where=folder.submitted,
        )
    return [p for p in found if not wanted or show_name(p.parent.name) in wanted]


def read_task(place: Path, lesson: Lesson, alone: bool = True) -> Task:
    """The submission in the folder ``place``, read whole; unreadable ones carry their reason.

    Args:
        place: ``submitted/STUDENT/ASSIGNMENT``.
        lesson: the notebook to look for.
        alone: whether the assignment has no other; a renamed one can then be told.
    """
    student = show_name(place.parent.name)
    notes: list[str] = []
    if student != place.parent.name:
        notes.append(f"the folder's name is not UTF-8; recorded as {student}")
    content, refusal = None, ""
    path: Path | None = None
    try:
        named = place / f"{lesson.name}.ipynb"
        if not alone and not named.is_file():
            raise SubmissionError(f"no notebook: {named.name} is missing")
        path, found = find_notebook(place, lesson.name)
        notes += found
        if path.stat().st_size > MAX_BYTES:
            raise SubmissionError(f"the file has more than {MAX_BYTES >> 20} MB")
        content = path.read_bytes()
    except SubmissionError as error:
        refusal = str(error)
    except OSError as error:
        refusal = f"the notebook cannot be read ({error.strerror})"
    files, dropped = _files(place, path)
    notes += dropped
    task = Task(student, content, refusal, tuple(notes), files)
    return replace(task, fingerprint=_fingerprint(lesson, task))


def merge(assignment: str, parts: dict[str, Outcome]) -> SubmissionResult:
    """One result of a submission's notebooks; with several, names say which notebook is meant.

    Args:
        assignment: its name.
        parts: what came of each notebook, by its name, in the assignment's order.
    """
    results = {name: SubmissionResult.from_json(part.result) for name, part in parts.items()}
    whole = next(iter(results.values()))
    whole.assignment = assignment
    if len(results) == 1:
        return whole
    whole.gradable = any(result.gradable for result in results.values())
    whole.seconds = round(sum(result.seconds for result in results.values()), 3)
    whole.problems = [f"{name}: {p}" for name, result in results.items() for p in result.problems]
    whole.cells = [
        replace(cell, grade_id=f"{name}/{cell.grade_id}")
        for name, result in results.items()
        for cell in result.cells
    ]
    return whole


def store(
    folder: CourseFolder, result: SubmissionResult, parts: dict[str, Outcome], place: Path
) -> None:
    """Put the autograded notebooks and the result where feedback and report look for them."""
    target = folder.autograded / result.student / result.assignment
    for name, outcome in parts.items():
        notebook = target / f"{name}.ipynb"
        if outcome.notebook is not None:
            write_atomically(notebook, outcome.notebook)
        else:
            notebook.unlink(missing_ok=True)
    stamp = place / "timestamp.txt"
    if stamp.is_file() and target.is_dir():
        write_atomically(target / stamp.name, stamp.read_bytes())
    # The result comes last: with it on disk, the submission is done.
    path = _result_path(folder, result.assignment, result.student)
    write_atomically(path, result.to_json().encode())


def _outcomes(lesson: Lesson, tasks: list[Task], jobs: int) -> Iterator[Outcome]:
    """Outcomes of one lesson's tasks as they come."""
    for _, outcome in _outcomes_of([(lesson, task) for task in tasks], jobs):
        yield outcome


def _outcomes_of(work: list[tuple[Lesson, Task]], jobs: int) -> Iterator[tuple[Lesson, Outcome]]:
    """Outcomes as they come; a worker that dies takes no submission with it."""
    if jobs <= 1 or len(work) <= 1:
        for lesson, task in work:
            yield lesson, judge(lesson, task)
        return
    pending = list(work)
    while pending:
        lost: list[tuple[Lesson, Task]] = []
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            futures: dict[Future[Outcome], tuple[Lesson, Task]] = {}
            queue = iter(pending)
            for item in queue:
                futures[pool.submit(judge, *item)] = item
                if len(futures) >= 2 * jobs:
                    break
            broken = False
            while futures:
                done, _ = wait(futures, return_when=FIRST_COMPLETED)
                for future in done:
                    item = futures.pop(future)
                    try:
                        yield item[0], future.result()
                    except BrokenProcessPool:
                        broken = True
                        lost.append(item)
                        continue
                    if not broken and (following := next(queue, None)) is not None:
                        futures[pool.submit(judge, *following)] = following
            lost += list(queue)
        # What was on a dead worker's desk goes one by one, so that the culprit is known.
        for lesson, task in lost[: 2 * jobs]:
            yield lesson, judge(lesson, task)
        pending = lost[2 * jobs :]


def _files(place: Path, notebook: Path | None) -> tuple[tuple[tuple[str, bytes], ...], list[str]]:
    """The other files of a submission; links and what is too large stay behind."""
    kept: list[tuple[str, bytes]] = []
    dropped: list[str] = []
    room = MAX_FILES
    for path in sorted(place.rglob("*"), key=os.fsencode):
        name = show_name(str(path.relative_to(place)))
        if path.is_symlink():
            dropped.append(f"{name} is a link and was left out")
        elif path.is_file() and path != notebook and ".ipynb_checkpoints" not in path.parts:
            size = path.stat().st_size
            if size > room:
                dropped.append(f"{name} is too large and was left out")
                continue
            room -= size
            kept.append((name, path.read_bytes()))
    return tuple(kept), dropped


def _fingerprint(lesson: Lesson, task: Task) -> str:
    parts = [lesson.master, lesson.isolation, lesson.limits, task.content, task.refusal, task.files]
    digest = hashlib.sha256(engine_digest().encode())
    for part in parts:
        digest.update(part if isinstance(part, bytes) else repr(part).encode())
    return digest.hexdigest()[:24]


def engine_digest() -> str:
    """A digest of the engine's own code: another engine may judge otherwise."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _result_path(folder: CourseFolder, assignment: str, student: str) -> Path:
    return folder.results / assignment / f"{student}.json"


def _stored(folder: CourseFolder, assignment: str, student: str) -> SubmissionResult | None:
    try:
        text = _result_path(folder, assignment, student).read_text(encoding="utf-8")
        return SubmissionResult.from_json(text)
    except (OSError, ValueError):
        return None


def _note_change(run: Run, old: SubmissionResult | None, new: SubmissionResult) -> None:
    if old is None or old.score == new.score:
        return
    before = {cell.grade_id: cell.points or 0.0 for cell in old.cells}
    cells = [
        f"{cell.grade_id} {before.get(cell.grade_id, 0):g} → {cell.points or 0:g}"
        for cell in new.cells
        if before.get(cell.grade_id, 0.0) != (cell.points or 0.0)
    ]
    run.changes.append(f"{new.student}: {old.score:g} → {new.score:g} ({', '.join(cells)})")
