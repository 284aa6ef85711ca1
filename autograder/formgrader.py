"""What nbgrader's own commands, and formgrader's buttons, leave behind and hand back.

- ``know``: `nbgrader autograde` grades an assignment that the gradebook has not heard of yet::

    c.Autograde.pre_convert_hook = "autograder.formgrader.know"

- ``keep``: `nbgrader autograde` with the referee leaves the result where `autograder grade` does,
  so that feedback, report and export go on from either
- ``FeedbackPage``: `nbgrader generate_feedback` writes our page. nbgrader's is a rendering of the
  whole autograded notebook, hidden tests included::

    c.GenerateFeedback.exporter_class = "autograder.formgrader.FeedbackPage"
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import nbformat
from nbconvert.exporters import Exporter
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory
from traitlets import default

from autograder.bout import Bout
from autograder.calllog import pack
from autograder.feedback import feedback_page
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.grade import logs_path
from autograder.gradebook import Scores
from autograder.results import CellResult, Status, SubmissionResult


def course_of(part: Any) -> CourseDirectory:
    """nbgrader's own idea of the course, for a part of nbgrader somewhere below it."""
    owner = part.parent
    while owner is not None and getattr(owner, "coursedir", None) is None:
        owner = owner.parent
    return owner.coursedir if owner is not None else CourseDirectory(config=part.config)


def folder_of(part: Any, names: dict[str, str]) -> CourseFolder:
    """The same as a course folder; ``names`` are nbgrader's resources, which know the gradebook."""
    return replace(CourseFolder.open(course_of(part).root), db_url=names["db_url"])


def know(assignment: str, **_: Any) -> None:
    """Tell the gradebook an assignment's cells, unless it knows them: *Generate* or `grade` did.

    nbgrader calls it in the course folder, before it grades the first submission.
    """
    folder = CourseFolder.open()
    with Gradebook(folder.db_url) as gradebook:
        try:
            if gradebook.find_assignment(assignment).notebooks:
                return
        except MissingEntry:
            pass
    masters = [nbformat.read(path, as_version=4) for path in folder.masters(assignment)]
    with Scores(folder, assignment, *masters) as scores:
        scores.students()


def keep(
    folder: CourseFolder, names: dict[str, str], worth: dict[str, float], bout: Bout, seconds: float
) -> None:
    """Keep what running one notebook of a submission gave.

    The result has no fingerprint: `autograder grade`, which does more, runs the submission again.

    Args:
        folder: the course.
        names: ``student``, ``assignment`` and ``notebook``.
        worth: points of the notebook's graded cells, by grade_id; a person grades what is no test.
        bout: what came of it.
        seconds: wall time.
    """
    student, assignment, notebook = names["student"], names["assignment"], names["notebook"]
    known = [path.stem for path in folder.masters(assignment)]
    if notebook not in known:
        return
    path = folder.results / assignment / f"{student}.json"
    result = SubmissionResult(student, assignment, isolation=bout.isolation)
    prefix = f"{notebook}/" if len(known) > 1 else ""
    if prefix:  # the others' cells stay
        result = _stored(path) or result
        result.cells = [c for c in result.cells if not c.grade_id.startswith(prefix)]
        result.problems = [p for p in result.problems if not p.startswith(f"{notebook}: ")]
    for name, points in worth.items():
        cell = bout.results.get(name) or CellResult(name, None, points, Status.MANUAL)
        result.cells.append(replace(cell, grade_id=prefix + name))
    result.problems += [f"{notebook}: {line}" if prefix else line for line in bout.problems]
    result.cells.sort(key=lambda cell: known.index(cell.grade_id.split("/")[0]) if prefix else 0)
    result.seconds = round(result.seconds + seconds, 3)
    result.cpu_seconds = round(result.cpu_seconds + bout.cpu_seconds, 3)
    result.fingerprint, result.gradable = "", True
    logs = {name: calls for name, calls in bout.calls.items() if name in worth}
    write_atomically(logs_path(folder, assignment, student, notebook), pack(logs))
    write_atomically(path, result.to_json().encode())


def _stored(path: Any) -> SubmissionResult | None:
    try:
        return SubmissionResult.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


class FeedbackPage(Exporter):
    """Turns an autograded notebook into the page that `autograder feedback` writes for it."""

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".html"

    def from_filename(self, filename: str, resources: Any = None, **kwargs: Any) -> tuple[Any, Any]:
        """The page; of the notebook itself only what such a page shows.

        Raises:
            CourseError: when the submission has no result, or the assignment no such notebook.
        """
        names = resources["nbgrader"]
        folder = folder_of(self, names)
        page = feedback_page(folder, names["assignment"], names["notebook"], names["student"])
        resources["output_extension"] = self.file_extension
        return page.decode(), resources
