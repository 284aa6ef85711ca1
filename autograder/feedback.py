"""Feedback: one HTML page for each notebook of a submission, self-contained and without scripts.

Everything a submission printed is hostile. The page takes from the autograded notebook only the
student's own cells, of their outputs only text, errors and PNG pictures, each bounded in size; the
template escapes it all. Names of tests come from the part of a test that students have, messages
from the stored result: no hidden source, no expected value and no frame of a test gets in.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import nbformat
from markupsafe import Markup
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from autograder.errors import CourseError
from autograder.exercises import Exercise, grade_id, role
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.pages import clean, render
from autograder.prose import prose
from autograder.record import Entry, Lesson, feedback_path, graded, read_class, read_lesson
from autograder.tasks import anchor

TEXT_LIMIT = 6_000  # characters of one output
CODE_LIMIT = 12_000  # characters of one solution cell
OUTPUTS_LIMIT = 20  # outputs of one cell
IMAGE_LIMIT = 1_500_000  # bytes of one picture
PIXEL_LIMIT = 25_000_000  # a small file can unpack to a picture that stops a browser
# What outputs may add to a page: characters of text, bytes of pictures. A page stays under 10 MB.
PAGE_TEXT, PAGE_IMAGES = 300_000, 3_500_000
SHORT = 700  # characters of a task that are shown unfolded
# Where a student's notebook lies as seen from a page that `nbgrader fetch_feedback` brought.
LESSON_URL = "../../{notebook}.ipynb"

LEXER = PythonLexer(stripnl=False, ensurenl=False)
FORMATTER = HtmlFormatter(nowrap=True)
RANK = re.compile(r"^(#{1,6})\s", re.MULTILINE)
# By student and name of the exercise: what is likely wrong, a sentence each.
Diagnoses = Mapping[str, Mapping[str, Sequence[str]]]


class Piece(NamedTuple):
    """One thing of a student: ``code``, ``prose``, ``text``, ``error`` or ``image`` (base64)."""

    kind: str
    content: str
    width: int = 0
    height: int = 0


def write_feedback(
    folder: CourseFolder,
    assignment: str,
    students: list[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    diagnoses: Diagnoses | None = None,
) -> list[Path]:
    """Write the pages of ``students`` (all when None) where nbgrader looks for them.

    Args:
        folder: the course.
        assignment: its name.
        students: folder names, as the results have them.
        progress: called with the number of students served and the number of all.
        diagnoses: by student and exercise name, what is likely wrong, a sentence each.

    Raises:
        CourseError: when the assignment is unknown, or one of ``students`` has no result.
    """
    lesson = read_lesson(folder, assignment)
    entries = _entries(folder, lesson, students)
    tasks = {name: prose(asked.text) for name, asked in lesson.tasks.items()}
    parts = [lesson.part(notebook) for notebook in lesson.notebooks]
    written = []
    for done, student in enumerate(entries, 1):
        for part in parts:
            said = (diagnoses or {}).get(student, {})
            page = _page(folder, lesson, part, entries[student], tasks, said)
            path = feedback_path(folder, part, student)
            write_atomically(path, page)
            written.append(path)
        _keep_receipt(folder.autograded / student / assignment, written[-1].parent)
        if progress:
            progress(done, len(entries))
    return written


def feedback_page(folder: CourseFolder, assignment: str, notebook: str, student: str) -> bytes:
    """The page of one notebook of one student, without diagnoses.

    Raises:
        CourseError: when the assignment or its notebook is unknown, or ``student`` has no result.
    """
    lesson = read_lesson(folder, assignment)
    if notebook not in lesson.notebooks:
        raise CourseError(f"{assignment} has no notebook {notebook!r}", where=folder.source)
    tasks = {name: prose(asked.text) for name, asked in lesson.tasks.items()}
    [entry] = _entries(folder, lesson, [student]).values()
    return _page(folder, lesson, lesson.part(notebook), entry, tasks, {})


def _entries(folder: CourseFolder, lesson: Lesson, students: list[str] | None) -> dict[str, Entry]:
    """The marks of ``students``, by name; of all when None."""
    entries = {entry.result.student: entry for entry in read_class(folder, lesson)}
    wanted = list(entries) if students is None else students
    if strangers := [student for student in wanted if student not in entries]:
        raise CourseError(
            f"no result for {', '.join(strangers)}",
            where=folder.results / lesson.assignment,
            remedy=f"run `autograder grade {lesson.assignment}` first",
        )
    return {student: entries[student] for student in wanted}


def _page(
    folder: CourseFolder,
    lesson: Lesson,
    part: Lesson,
    whole: Entry,
    tasks: Mapping[str, Markup],
    diagnoses: Mapping[str, Sequence[str]],
) -> bytes:
    """The page of one notebook, ``part``, of a submission."""
    entry, shelf = whole.part(part), Shelf(lesson.hidden)
    room = folder.autograded / whole.result.student / lesson.assignment
    work = _read_work(room, part, shelf)
    cells = {cell.grade_id: cell for cell in entry.result.cells}
    exercises = []
    for exercise in part.exercises:
        tests = [cells[name] for name in graded(exercise) if name in cells]
        for cell in tests:
            cell.message = shelf.text(cell.message, 2_000)
            cell.output = shelf.text(cell.output, TEXT_LIMIT)
        asked = lesson.tasks[exercise.name]
        answers = dict.fromkeys([*exercise.solutions, *exercise.manual])
        exercises.append(
            {
                "title": lesson.titles[exercise.name],
                "points": exercise.points,
                "earned": entry.of(exercise),
                "wrong": any(
                    points is not None and points < worth
                    for points, worth in ((entry.earned[n], w) for n, w in _worth(exercise))
                ),
                "waits": any(name in entry.due for name in graded(exercise)),
                "tests": tests,
                "work": (work or {}).get(exercise.name, []),
                "diagnosis": list(diagnoses.get(exercise.name, ())),
                "asked": tasks[exercise.name],
                "stub": code(asked.stub) if asked.stub else "",
                "short": len(asked.text) <= SHORT,
                "places": _places(folder, part, asked.section, asked.heading),
                "comments": [whole.comments[name] for name in answers if name in whole.comments],
            }
        )
    others = [
        (f"{quote(other)}.html", lesson.headings[other], whole.part(lesson.part(other)).score,
         lesson.part(other).points)
        for other in lesson.notebooks if other != part.notebook
    ]  # fmt: skip
    return render(
        "feedback.html", lesson=part, entry=entry, exercises=exercises, others=others,
        notebook=work is not None, total=(whole.score, lesson.points, lesson.assignment),
    )  # fmt: skip


def _worth(exercise: Exercise) -> list[tuple[str, float]]:
    tests = [(test.grade_id, test.points) for test in exercise.tests]
    return [*tests, *exercise.manual.items()]


def _places(folder: CourseFolder, part: Lesson, *headings: str) -> list[tuple[str, str]]:
    """Each heading with its address, in the student's notebook or where the course says.

    ``c.FeedbackPage.lesson_url`` of the course's configuration is the address of a lesson,
    ``{assignment}`` and ``{notebook}`` standing for their names.
    """
    address = str(folder.config.get("FeedbackPage", {}).get("lesson_url", "") or LESSON_URL)
    for name, value in (("assignment", part.assignment), ("notebook", part.notebook)):
        address = address.replace(f"{{{name}}}", quote(value))
    return [(heading, f"{address}#{anchor(heading)}") for heading in headings if heading]


def code(source: str) -> Markup:
    """Python with its colours; escaped."""
    return Markup(highlight(clean(source), LEXER, FORMATTER))


class Shelf:
    """Takes from hostile output what is fit for one page, until the page is full."""

    def __init__(self, hidden: frozenset[str]) -> None:
        self.hidden, self.room, self.room_for_images = hidden, PAGE_TEXT, PAGE_IMAGES

    def text(self, text: Any, limit: int) -> str:
        """``text`` with its middle left out when it is long, without the master's hidden lines."""
        text = "".join(map(str, text)) if isinstance(text, list) else str(text or "")
        if len(text) > limit:
            head, tail = text[: limit * 3 // 4], text[len(text) - limit // 4 :]
            text = f"{head}\n… {len(text) - limit:,} characters left out …\n{tail}"
        # A progress bar rewrites its line: what stood there last is kept.
        lines = (clean(line.rstrip("\r").rsplit("\r", 1)[-1]) for line in text.split("\n"))
        return "\n".join("(not shown)" if self._secret(line) else line for line in lines)

    def answer(self, cell: NotebookNode) -> Iterator[Piece]:
        """What the student wrote into a cell; a task cell holds the author's words instead."""
        source = self.text(cell.get("source"), CODE_LIMIT)
        if cell.cell_type == "code":
            yield Piece("code", code(source))
        elif cell.metadata.nbgrader.get("solution"):
            yield Piece("prose", source)

    def outputs(self, cell: NotebookNode) -> Iterator[Piece]:
        """The text, errors and pictures of a cell; HTML, JavaScript and the rest stay out."""
        found = list(cell.get("outputs", []))
        for output in found[:OUTPUTS_LIMIT] if self.room > 0 else []:
            piece = self._piece(output)
            # However short, each takes its place on the page.
            self.room -= 100 + (len(piece.content) if piece.kind != "image" else 0)
            if piece.content:
                yield piece
        if len(found) > OUTPUTS_LIMIT and self.room > 0:
            yield Piece("text", f"… {len(found) - OUTPUTS_LIMIT} more outputs left out …")

    def _piece(self, output: NotebookNode) -> Piece:
        data = output.get("data", {})
        if "image/png" in data:
            return self._image(data["image/png"])
        if output.get("output_type") == "error":
            return Piece("error", self._error(output))
        return Piece("text", self.text(output.get("text") or data.get("text/plain"), TEXT_LIMIT))

    def _secret(self, line: str) -> bool:
        return any(hidden in line for hidden in self.hidden)

    def _error(self, output: NotebookNode) -> str:
        """Name and message, and of the traceback the student's own cells."""
        frames = (
            clean(str(frame)[:CODE_LIMIT]).strip("\n") for frame in output.get("traceback", [])[:40]
        )
        own = [frame for frame in frames if frame.lstrip().startswith(("Cell In[", "Input In ["))]
        name, said = output.get("ename", "Error"), output.get("evalue", "")
        if not (own and own[-1].rsplit("\n")[-1].startswith(f"{name}:")):  # as a syntax error does
            own.append(f"{name}: {said}")
        return self.text("\n\n".join(own), TEXT_LIMIT)

    def _image(self, data: Any) -> Piece:
        encoded = "".join(data) if isinstance(data, list) else str(data)
        if len(encoded) * 3 // 4 > min(IMAGE_LIMIT, self.room_for_images):
            return Piece("text", "(a picture is left out: it is too large for this page)")
        try:
            image = base64.b64decode(encoded, validate=False)
            magic, width, height = struct.unpack(">8s8xII", image[:24])
        except (binascii.Error, struct.error):
            magic, width, height = b"", 0, 0
        if magic != b"\x89PNG\r\n\x1a\n" or not 0 < width * height <= PIXEL_LIMIT:
            return Piece("text", "(a picture is left out: it is not a PNG of a usable size)")
        self.room_for_images -= len(image)
        return Piece("image", base64.b64encode(image).decode(), width, height)


def _read_work(room: Path, lesson: Lesson, shelf: Shelf) -> dict[str, list[Piece]] | None:
    """``_work`` of the autograded notebook; None when it is missing, or of a shape to distrust."""
    try:
        text = (room / f"{lesson.notebook}.ipynb").read_text(encoding="utf-8", errors="replace")
        return _work(nbformat.v4.reads(text), lesson, shelf)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _work(notebook: NotebookNode, lesson: Lesson, shelf: Shelf) -> dict[str, list[Piece]]:
    """The student's part of each exercise, by its name.

    Outputs of ungraded cells belong to the exercise above them, up to the next heading of its rank.
    """
    tests: dict[str, str] = {}
    answers: dict[str, str] = {}
    for exercise in lesson.exercises:
        tests |= {lesson.local(test.grade_id): exercise.name for test in exercise.tests}
        own = (*exercise.solutions, *exercise.manual)
        answers |= {lesson.local(name): exercise.name for name in own}
    work: dict[str, list[Piece]] = {exercise.name: [] for exercise in lesson.exercises}
    home, rank, opened = "", 0, 0
    for cell in notebook.cells:
        name = grade_id(cell)
        if name in tests:
            home = tests[name]  # and nothing of the cell itself: it is the referee's
            continue
        if name in answers:
            home, opened = answers[name], rank
            work[home] += shelf.answer(cell)
        elif cell.cell_type == "markdown" and (marks := RANK.search(cell.source)):
            rank = len(marks[1])
            home = "" if rank <= opened else home
        drawn = "illustration" in cell.metadata.get("tags", []) or role(cell) == "test"
        if home and cell.cell_type == "code" and not drawn:
            work[home] += shelf.outputs(cell)
    return work


def _keep_receipt(autograded: Path, target: Path) -> None:
    """Copy what `nbgrader release_feedback` asks for beside the page."""
    for name in ("timestamp.txt", "submission_secret.txt"):
        if (autograded / name).is_file():
            write_atomically(target / name, (autograded / name).read_bytes())
