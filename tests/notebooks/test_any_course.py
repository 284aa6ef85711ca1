"""The engine grades a course it has never seen: nbgrader's own, as `nbgrader quickstart` makes it."""

from __future__ import annotations

import html
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from rich.console import Console
from submissions.toy import ISOLATION

from autograder.classroom import diagnose_class
from autograder.feedback import write_feedback
from autograder.folder import CourseFolder
from autograder.grade import Options, grade
from autograder.report import class_table, write_report
from autograder.results import SubmissionResult

BIN = Path(sys.executable).parent
NAME = "ps1"
TESTS = {
    "correct_squares": 1.0,
    "squares_invalid_input": 1.0,
    "correct_sum_of_squares": 0.5,
    "sum_of_squares_uses_squares": 0.5,
}
# The student's cell of each submission; the other cells stay as released.
SQUARES = (
    "def squares(n):\n    if n < 1:\n        raise ValueError(n)\n"
    "    return [i * i for i in range(1, n + 1)]"
)
TOTAL = "def sum_of_squares(n):\n    return sum(squares(n))"
STUDENTS = {
    "untouched": {},
    "right": {"squares": SQUARES, "sum_of_squares": TOTAL},
    "no error": {
        "squares": "def squares(n):\n    return [i ** 2 for i in range(1, n + 1)]",
        "sum_of_squares": TOTAL,
    },
    "by formula": {
        "squares": SQUARES,
        "sum_of_squares": "def sum_of_squares(n):\n    return n * (n + 1) * (2 * n + 1) // 6",
    },
    "only squares": {"squares": SQUARES},
}


def nbgrader(root: Path, *arguments: str) -> subprocess.CompletedProcess:
    """nbgrader's own command line in a course folder."""
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=root, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quickstart course, its assignment released and handed in by five students."""
    home = tmp_path_factory.mktemp("quickstart")
    nbgrader(home, "quickstart", "course101")
    root = home / "course101"
    nbgrader(root, "generate_assignment", NAME)
    for student, answers in STUDENTS.items():
        place = root / "submitted" / student / NAME
        shutil.copytree(root / "release" / NAME, place)
        fill(place / "problem1.ipynb", answers)
    return root


def fill(path: Path, answers: dict[str, str]) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(name_of(cell), cell.source)
    nbformat.write(notebook, path)


def name_of(cell: NotebookNode) -> str:
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


@pytest.fixture(scope="module")
def folder(root: Path) -> CourseFolder:
    """The course, graded by our engine."""
    folder = CourseFolder.open(root)
    run = grade(folder, NAME, Options(2, ISOLATION))
    assert (run.graded, run.problems) == (len(STUDENTS), [])
    return folder


def scores(db_url: str) -> dict[str, dict[str, float | None]]:
    """What a gradebook says of each graded cell that runs by itself."""
    with Gradebook(db_url) as gradebook:
        return {
            s.student_id: {
                g.name: g.auto_score for n in s.notebooks for g in n.grades if g.name in TESTS
            }
            for s in gradebook.assignment_submissions(NAME)
        }


def test_quickstart_course_is_graded_as_its_tests_say(folder: CourseFolder):
    found = scores(folder.db_url)
    zero = dict.fromkeys(TESTS, 0.0)
    assert found == {
        "untouched": zero,
        "right": TESTS,
        "no error": TESTS | {"squares_invalid_input": 0.0},
        "by formula": TESTS | {"sum_of_squares_uses_squares": 0.0},
        "only squares": zero | {"correct_squares": 1.0, "squares_invalid_input": 1.0},
    }


def test_both_notebooks_of_the_assignment_are_recorded(folder: CourseFolder):
    path = folder.results / NAME / "right.json"
    result = SubmissionResult.from_json(path.read_text(encoding="utf-8"))
    assert result.assignment == NAME
    assert {"problem1/correct_squares", "problem2/part-a"} <= {c.grade_id for c in result.cells}
    manual = {c.grade_id for c in result.cells if c.points is None}
    assert {"problem2/part-a", "problem2/part-b"} <= manual
    assert result.max_score == 13
    for name in ("problem1", "problem2"):
        nbformat.validate(
            nbformat.read(folder.autograded / "right" / NAME / f"{name}.ipynb", as_version=4)
        )


def test_unchanged_submissions_of_two_notebooks_are_not_run_again(folder: CourseFolder):
    run = grade(folder, NAME, Options(2, ISOLATION))
    assert (run.graded, run.unchanged) == (0, len(STUDENTS))


def test_each_notebook_has_its_page_and_both_lead_to_each_other(folder: CourseFolder):
    findings = diagnose_class(folder, NAME, 2)
    pages = write_feedback(folder, NAME, diagnoses=findings.sentences())
    assert len(pages) == 2 * len(STUDENTS)
    first, second = (folder.feedback / "no error" / NAME / f"problem{i}.html" for i in (1, 2))
    text = shown(first)
    assert "2 of 10 points in this notebook" in text and "problem2.html" in first.read_text()
    assert "ps1: 2/13" in text.replace("\u202f", "").replace(" / ", "/")
    assert "return [i ** 2 for i in range(1, n + 1)]" in text
    assert "squares returned a result where it has to raise ValueError." in text
    assert "sum_of_squares" not in shown(second) and "problem1.html" in second.read_text()
    assert "2 answers still wait for a person" in shown(second)
    assert "0 of 3 points in this notebook" in shown(second)


def test_the_report_counts_both_notebooks(folder: CourseFolder):
    ranking = diagnose_class(folder, NAME, 2).ranking(folder)
    text = shown(write_report(folder, NAME, ranking))
    assert "5 submissions" in text and "of 13 points" in text
    assert re.search(r"problem1 · \S.* mean", text) and "problem2 · " in text
    assert "No exception where one is asked for" in text
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(class_table(folder, NAME))
    assert "waits for manual grading" in console.export_text()


def shown(page: Path) -> str:
    """The visible text of a page."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"<(?:style|title)>.*?</(?:style|title)>|<[^>]+>", "", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(text))


def test_one_notebook_missing_costs_that_notebook_alone(root: Path, folder: CourseFolder):
    place = root / "submitted" / "late" / NAME
    shutil.copytree(root / "submitted" / "right" / NAME, place)
    (place / "problem2.ipynb").unlink()
    run = grade(folder, NAME, Options(2, ISOLATION))
    assert run.problems == [("late", "problem2: no notebook: problem2.ipynb is missing")]
    assert scores(folder.db_url)["late"] == TESTS
    shutil.rmtree(place.parent)


@pytest.mark.slow
def test_nbgrader_gives_the_same_scores(root: Path, folder: CourseFolder, tmp_path: Path):
    """nbgrader's own autograde on a copy of the course, with its stock preprocessors."""
    other = tmp_path / "course"
    shutil.copytree(root, other, ignore=shutil.ignore_patterns("autograded", "results", "*.db"))
    nbgrader(other, "generate_assignment", NAME, "--force")
    nbgrader(other, "autograde", NAME, "--create")
    ours, theirs = scores(folder.db_url), scores(f"sqlite:///{other / 'gradebook.db'}")
    assert {name: ours[name] for name in STUDENTS} == theirs


@pytest.mark.slow
def test_nbgraders_own_commands_go_on_from_our_scores(root: Path, folder: CourseFolder):
    nbgrader(root, "generate_feedback", NAME, "--student", "right")
    page = root / "feedback" / "right" / NAME / "problem1.html"
    assert "correct_squares" in page.read_text(encoding="utf-8")
    nbgrader(root, "export")
    rows = (root / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert any(row.startswith(f"{NAME},") and ",right," in row and ",3.0," in row for row in rows)
