"""Grades a class: finds submissions, runs what changed, writes each outcome before the next."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from autograder.build import release_notebook
from autograder.cases import Lesson, Outcome, Task
from autograder.crew import Crew, Lost
from autograder.errors import CourseError, SubmissionError
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.gradebook import Scores, read_timestamp
from autograder.intake import find_submissions, read_task
from autograder.limits import Limits
from autograder.pool import Pool
from autograder.results import SubmissionResult
from autograder.runfolder import RunFolder
from autograder.text import dump

if TYPE_CHECKING:
    from autograder.cluster import Cluster


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
    """How to run: workers, isolation, seconds a cell may take, whom to grade, on what cluster."""

    jobs: int = 1
    isolation: str = "process"
    timeout: int | None = None
    force: bool = False
    students: tuple[str, ...] = ()
    scheduler: str = ""


# Called with each finished result and the number still to come.
Progress = Callable[[SubmissionResult, int], None]


@dataclass(frozen=True)
class Place:
    """One submission, not yet read again.

    Attributes:
        path: ``submitted/STUDENT/ASSIGNMENT``.
        student: the name for people and the gradebook.
        known: whether it is the same as when it was last graded.
        problems: what was found then, if so.
    """

    path: Path
    student: str
    known: bool
    problems: tuple[str, ...] = ()


def grade(
    folder: CourseFolder,
    assignment: str,
    options: Options,
    progress: Progress | None = None,
    crew: Crew | None = None,
) -> Run:
    """Grade every submission of ``assignment`` that changed since it was last graded.

    Args:
        folder: the course.
        assignment: its name.
        options: how.
        progress: called with each result.
        crew: one that stands ready, for a pool on this machine.

    Raises:
        AutograderError: when there is no such assignment or student, the engine cannot work, or
            nothing can be written. What was graded before that is on disk and in the gradebook.
    """
    started = time.monotonic()
    lessons = open_lessons(folder, assignment, options)
    paths = find_submissions(folder, assignment, options.students)
    run = Run(assignment, len(paths), isolation=options.isolation)
    sweep(folder, assignment)
    places = [_look(folder, assignment, path, lessons) for path in paths]
    masters = [nbformat.reads(lesson.master.decode(), as_version=4) for lesson in lessons]
    with ExitStack() as stack:
        # One folder for all temporary files: whoever outlives the other removes it.
        temporary = stack.enter_context(crew.folder if crew else RunFolder())
        pool: Any = None  # a Pool or a Cluster
        if options.force or not all(place.known for place in places):
            # Its processes get ready while the gradebook opens.
            pool = stack.enter_context(_workers(lessons, options, crew, temporary))
        scores = stack.enter_context(Scores(folder, assignment, *masters))
        # The gradebook may take its time while the first submissions are run.
        known = not options.force and any(place.known for place in places)
        recorded = scores.students() if known else set()
        todo: dict[str, Place] = {}
        for place in places:
            if place.known and place.student in recorded and not options.force:
                run.unchanged += 1
                run.problems += [(place.student, reason) for reason in place.problems]
            else:
                todo[place.student] = place
        if not todo:
            run.seconds = time.monotonic() - started
            return run
        pool = pool or stack.enter_context(_workers(lessons, options, crew, temporary))
        for number, judged in enumerate(pool.outcomes(_read(todo.values(), lessons)), 1):
            if isinstance(judged, Lost):
                result = _not_graded(folder, assignment, judged)
            else:
                parts = {lesson.name: out for lesson, out in zip(lessons, judged, strict=True)}
                result = merge(assignment, parts)
                _note_change(run, _stored(folder, assignment, result.student), result)
                with _writing(folder):
                    _keep(folder, scores, result, parts, todo[result.student].path)
                run.graded += 1
            run.problems += [(result.student, reason) for reason in result.problems]
            if progress:
                progress(result, len(todo) - number)
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
    files = tuple(
        (str(file.relative_to(path.parent)), file.read_bytes())
        for file in sorted(path.parent.rglob("*"))
        if file.is_file() and file.suffix not in (".ipynb", ".pyc")
    )
    return Lesson(path.stem, dump(master), release, limits, options.isolation, files)


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
    whole.fingerprint = "-".join(result.fingerprint for result in results.values())
    whole.gradable = any(result.gradable for result in results.values())
    whole.cpu_seconds = round(sum(result.cpu_seconds for result in results.values()), 3)
    whole.seconds = round(sum(result.seconds for result in results.values()), 3)
    whole.problems = [f"{name}: {p}" for name, result in results.items() for p in result.problems]
    whole.cells = [
        replace(cell, grade_id=f"{name}/{cell.grade_id}")
        for name, result in results.items()
        for cell in result.cells
    ]
    return whole


def _workers(
    lessons: Sequence[Lesson], options: Options, crew: Crew | None, temporary: RunFolder
) -> Pool | Cluster:
    if options.scheduler:
        from autograder.cluster import Cluster

        return Cluster(lessons, options.scheduler)
    return Pool(lessons, options.jobs, crew or Crew(temporary))


def _look(folder: CourseFolder, assignment: str, path: Path, lessons: Sequence[Lesson]) -> Place:
    tasks = _read_one(path, lessons)
    student, fingerprint = tasks[0].student, "-".join(task.fingerprint for task in tasks)
    try:
        old = json.loads(_result_path(folder, assignment, student).read_bytes())
        known = old["fingerprint"] == fingerprint
        return Place(path, student, known, tuple(old["problems"]) if known else ())
    except (OSError, ValueError, KeyError, TypeError):
        return Place(path, student, known=False)


def _read(places: Iterable[Place], lessons: Sequence[Lesson]) -> Iterator[tuple[Task, ...]]:
    """The submissions, each read when it is asked for."""
    for place in places:
        yield _read_one(place.path, lessons)


def _read_one(path: Path, lessons: Sequence[Lesson]) -> tuple[Task, ...]:
    return tuple(read_task(path, lesson, alone=len(lessons) == 1) for lesson in lessons)


def _keep(
    folder: CourseFolder,
    scores: Scores,
    result: SubmissionResult,
    parts: dict[str, Outcome],
    place: Path,
) -> None:
    """Put notebooks, logs, scores and result where they belong."""
    target = folder.autograded / result.student / result.assignment
    for name, outcome in parts.items():
        _write(target / f"{name}.ipynb", outcome.notebook)
        _write(logs_path(folder, result.assignment, result.student, name), outcome.calls)
    # nbgrader's exchange finds whose feedback it is by the second.
    for file in (place / "timestamp.txt", place / "submission_secret.txt"):
        if target.is_dir():
            _write(target / file.name, file.read_bytes() if file.is_file() else None)
    try:
        scores.save(result, read_timestamp(place))
    except SubmissionError as error:
        # Without a row in the gradebook it counts as new, and the next run tries again.
        result.problems.append(str(error))
    # The result comes last: its fingerprint says that all of it is done.
    path = _result_path(folder, result.assignment, result.student)
    write_atomically(path, result.to_json().encode())


def _write(path: Path, content: bytes | None) -> None:
    if content:
        write_atomically(path, content)
    else:
        path.unlink(missing_ok=True)


def logs_path(folder: CourseFolder, assignment: str, student: str, notebook: str) -> Path:
    """Where the call logs of one notebook of a submission lie."""
    several = "" if len(folder.masters(assignment)) == 1 else f".{notebook}"
    return folder.results / assignment / f"{student}{several}.calls.gz"


def _not_graded(folder: CourseFolder, assignment: str, lost: Lost) -> SubmissionResult:
    """The row of a submission that the engine could not judge; an earlier result stays as it is."""
    reason = f"not graded: {lost.reason}"
    result = SubmissionResult(lost.student, assignment, [], [reason], gradable=False)
    if _stored(folder, assignment, lost.student) is None:
        # Without a fingerprint, so that the next run tries it again.
        with _writing(folder):
            path = _result_path(folder, assignment, lost.student)
            write_atomically(path, result.to_json().encode())
    return result


@contextmanager
def _writing(folder: CourseFolder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CourseError(
            f"cannot be written: {error.strerror}",
            where=error.filename or folder.autograded.parent,
            remedy="make room, or mend the folder's rights, and run again: nothing that was "
            "graded is lost",
        ) from error


def sweep(folder: CourseFolder, assignment: str) -> None:
    """Remove the half-written files that a killed run left."""
    strays = [*(folder.results / assignment).glob(".*.*.[0-9]*")]
    strays += folder.autograded.glob(f"*/{assignment}/.*.*.[0-9]*")
    with _writing(folder):
        for path in strays:
            path.unlink(missing_ok=True)


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
