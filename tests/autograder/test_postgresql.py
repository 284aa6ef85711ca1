"""A gradebook on a real PostgreSQL holds what one on SQLite holds, and says so when it cannot."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from postgres import PASSWORD, Server, missing
from sqlalchemy.exc import SAWarning
from submissions.toy import CONFIG, ISOLATION, Course, make_course

from autograder.database import is_empty, shown
from autograder.demo import CELL_SECONDS, demo_folder, make_class
from autograder.errors import CourseError
from autograder.export import export
from autograder.feedback import write_feedback
from autograder.folder import CourseFolder
from autograder.grade import Options, grade
from autograder.record import read_class, read_lesson
from autograder.report import write_report

pytest.importorskip("psycopg", reason="the extra `postgresql` is not installed")
REPOSITORY = Path(__file__).parents[2]
LESSON = "01-convolution"
DUE = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)
LATE = """\
c.AssignLatePenalties.plugin_class = "autograder.late.LatePolicy"
c.LatePolicy.percent_a_day = 10
"""
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if reason := missing():
        pytest.skip(reason)
    server = Server.make()
    yield server
    server.remove()


@pytest.fixture
def database(server: Server) -> str:
    """The address of an empty database."""
    return server.create(f"course{next(NUMBERS)}")


def course_with(root: Path, db_url: str) -> Course:
    """The toy course with its gradebook there, and a policy for late submissions."""
    config = re.sub(r"db_url = .*", f"db_url = {db_url!r}", CONFIG)
    return make_course(root, config=config + LATE)


def contents(folder: CourseFolder, name: str) -> dict:
    """All that nbgrader has recorded of an assignment, without its random keys."""
    with Gradebook(folder.db_url) as book:
        assignment = book.find_assignment(name)
        cells = {
            cell.name: (type(cell).__name__, getattr(cell, "max_score", None))
            for notebook in assignment.notebooks
            for cell in (*notebook.grade_cells, *notebook.solution_cells)
        }
        sources = {cell.name: cell.source for n in assignment.notebooks for cell in n.source_cells}
        submissions = {
            each.student_id: {
                "handed in": each.timestamp,
                "late": each.total_seconds_late,
                "score": each.score,
                "penalty": each.late_submission_penalty,
                "by hand": each.needs_manual_grade,
                "grades": {
                    (notebook.name, grade.name): (
                        *(grade.auto_score, grade.manual_score, grade.extra_credit),
                        *(grade.score, grade.needs_manual_grade),
                    )
                    for notebook in each.notebooks
                    for grade in notebook.grades
                },
                "comments": {
                    (notebook.name, comment.name): (
                        comment.auto_comment,
                        comment.manual_comment,
                    )
                    for notebook in each.notebooks
                    for comment in notebook.comments
                },
            }
            for each in book.assignment_submissions(name)
        }
        due, students = assignment.duedate, {student.id for student in book.students}
    return {"cells": cells, "sources": sources, "due": due, "students": students, **submissions}


def set_due(folder: CourseFolder, name: str) -> None:
    with Gradebook(folder.db_url, "toy") as book:
        book.update_or_create_assignment(name, duedate=DUE.replace(tzinfo=None))


def hand_in_at(place: Path, when: datetime) -> None:
    (place / "timestamp.txt").write_text(when.strftime("%Y-%m-%d %H:%M:%S UTC"))


def by_hand(folder: CourseFolder, name: str, student: str, cell: str, points: float) -> None:
    """What a person does in formgrader: points, extra credit and a comment."""
    with Gradebook(folder.db_url) as book, warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        found = book.find_grade(cell, name, name, student)
        found.manual_score, found.extra_credit, found.needs_manual_grade = points, 0.5, False
        comments = book.find_submission_notebook(name, name, student).comments
        if comments:
            comments[0].manual_comment = "Besser: „Σ“ statt einer Schleife 👍"
        book.db.commit()


def whole(course: Course) -> list:
    """A term in small: late work, points by hand, a new hand-in, a regrade; what each step gave."""
    seen = []
    set_due(course.folder, course.name)
    course.hand_in("ada")
    hand_in_at(course.place("ada"), DUE - timedelta(hours=1))
    course.hand_in("bob", total="def total(values):\n    return 1")
    hand_in_at(course.place("bob"), DUE + timedelta(days=1, hours=3))
    course.hand_in("Zoë Müller-李", double="raise SystemExit")
    (course.place("eve")).mkdir(parents=True)
    (course.place("eve") / f"{course.name}.ipynb").write_text('{"cells": [')
    for step in range(3):
        if step == 1:
            by_hand(course.folder, course.name, "ada", "essay", 4.5)
            by_hand(course.folder, course.name, "bob", "test-total", 2.0)
        if step == 2:
            course.hand_in("bob")
            hand_in_at(course.place("bob"), DUE + timedelta(days=2, hours=3))
        run = course.grade(2, force=step == 1)
        seen.append((run.graded, run.unchanged, sorted(run.problems), sorted(run.changes)))
        seen.append(contents(course.folder, course.name))
        lesson = read_lesson(course.folder, course.name)
        seen.append(
            [
                (e.earned, e.due, e.penalties, e.comments, e.score)
                for e in read_class(course.folder, lesson)
            ]
        )
        seen.append(export(course.folder, course.name, "csv").path.read_bytes())
    return seen


@pytest.mark.slow
def test_a_term_gives_the_same_gradebook_as_on_sqlite(tmp_path: Path, database: str) -> None:
    theirs = whole(course_with(tmp_path / "sqlite", "sqlite:///grading/gradebook.db"))
    ours = whole(course_with(tmp_path / "postgresql", database))
    assert ours == theirs
    last = ours[-3]
    assert last["ada"]["score"] == 3 + 4 + 3 + 4.5 + 0.5 and last["ada"]["penalty"] == 0
    assert last["bob"]["late"] == 2 * 86400 + 3 * 3600 and last["bob"]["penalty"] > 0
    assert "Σ" in str(last["ada"]["comments"]) and "Zoë Müller-李" in last


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demonstrations_class_gets_the_same_scores_as_on_sqlite(
    tmp_path: Path, database: str
) -> None:
    root = tmp_path / "course"
    for part in ("source", "release"):
        shutil.copytree(REPOSITORY / part / LESSON, root / part / LESSON)
    for part in ("nbgrader_config.py", f"source/{LESSON}.py", f"source/{LESSON}.mistakes.py"):
        shutil.copy(REPOSITORY / part, root / part)
    found = []
    for db_url in (database, None):
        folder = demo_folder(CourseFolder.open(root))
        folder = replace(folder, db_url=db_url or folder.db_url)
        shutil.rmtree(folder.submitted.parent, ignore_errors=True)
        make_class(folder, LESSON)
        run = grade(folder, LESSON, Options(2, ISOLATION, CELL_SECONDS))
        assert (run.submissions, run.graded) == (24, 24)
        again = grade(folder, LESSON, Options(2, ISOLATION, CELL_SECONDS))
        assert (again.graded, again.unchanged) == (0, 24)
        scores = {
            e.result.student: (e.earned, e.due)
            for e in read_class(folder, read_lesson(folder, LESSON))
        }
        assert len(write_feedback(folder, LESSON)) == 24 and write_report(folder, LESSON).is_file()
        grades = export(folder, LESSON, "csv").path.read_bytes()
        asks = sorted({student for student, _ in run.problems})
        found.append((asks, contents(folder, LESSON), scores, grades))
    for ours, theirs in zip(*found, strict=True):
        assert ours == theirs
    assert found[0][1]["amara.okafor"]["score"] == 100


def command(course: Course, *words: str, **environment: str) -> tuple[int, str]:
    program = [sys.executable, "-m", "autograder.cli", words[0], course.name, *words[1:]]
    done = subprocess.run(
        [*program, "--course-dir", str(course.folder.root)],
        env={**os.environ, "COLUMNS": "500", **environment}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def check_line(course: Course, *reasons: str) -> None:
    """Each command that opens the gradebook says one line, without the password."""
    for words in (("grade", "--isolation", "process"), ("export",), ("report",)):
        code, said = command(course, *words)
        line = said.strip().splitlines()[-1]
        assert code == 2 and line.startswith("autograder: postgresql+"), said
        assert "Traceback" not in said and len(said.strip().splitlines()) == 1, said
        assert all(reason in line for reason in reasons), said
        assert PASSWORD not in said and "s3cr" not in said


def test_a_server_that_is_away_is_one_line(tmp_path: Path) -> None:
    course = course_with(
        tmp_path / "course", f"postgresql+psycopg://grader:s3cr@/cnn?host={tmp_path}"
    )
    course.hand_in("ada")
    check_line(
        course,
        "the gradebook cannot be",
        "grader:***@",
        "No such file",
        "start the server, or mend",
    )


def test_a_driver_that_is_not_installed_is_one_line(tmp_path: Path) -> None:
    course = course_with(tmp_path / "course", "postgresql+pg8000://grader:s3cr@localhost/cnn")
    course.hand_in("ada")
    check_line(course, "needs pg8000, which is not installed", "psycopg[binary]")


@pytest.mark.slow
def test_a_wrong_password_or_database_is_one_line_without_the_password(
    tmp_path: Path, server: Server
) -> None:
    course = course_with(tmp_path / "one", server.url(password="s3cret"))
    course.hand_in("ada")
    check_line(course, 'password authentication failed for user "grader"')
    course = course_with(tmp_path / "two", server.url("nothing"))
    course.hand_in("ada")
    check_line(course, 'database "nothing" does not exist')


@pytest.mark.slow
def test_a_server_that_goes_away_in_the_middle_loses_nothing(
    tmp_path: Path, database: str, server: Server
) -> None:
    course = course_with(tmp_path / "course", database)
    for number in range(3):
        course.hand_in(f"s{number}")
    stopped = []

    def stop(result, remaining: int) -> None:
        if not stopped:
            server.stop()
            stopped.append(result.student)

    try:
        with pytest.raises(
            CourseError, match=r"cannot be written.*nothing that was graded is lost"
        ):
            grade(course.folder, course.name, Options(1, ISOLATION), stop)
    finally:
        server.start()
    run = course.grade(1)
    assert (run.graded, run.unchanged) == (2, 1) and stopped
    assert set(course.book()) == {"s0", "s1", "s2"}


@pytest.mark.slow
def test_a_course_without_an_id_is_graded(tmp_path: Path, database: str) -> None:
    config = re.sub(r"db_url = .*", f"db_url = {database!r}", CONFIG).replace('"toy"', '""')
    course = make_course(tmp_path / "course", config=config)
    course.hand_in("ada")
    assert (course.grade(1).graded, course.grade(1).unchanged) == (1, 1)
    assert course.book()["ada"]["test-total"] == 4
    assert export(course.folder, course.name, "csv").rows == 1


@pytest.mark.slow
def test_before_anything_is_graded_there_is_nothing_to_read(tmp_path: Path, database: str) -> None:
    course = course_with(tmp_path / "course", database)
    assert read_class(course.folder, read_lesson(course.folder, course.name)) == []
    with pytest.raises(CourseError, match="no grades of 07-sums"):
        export(course.folder, course.name, "csv")


@pytest.mark.slow
def test_a_name_that_a_server_cannot_hold_stops_nobody_else(tmp_path: Path, database: str) -> None:
    course = course_with(tmp_path / "course", database)
    course.hand_in("ada")
    course.hand_in("b" * 200)
    course.hand_in("cyd")
    for _ in range(2):
        run = course.grade(1)
        ((student, reason),) = run.problems
        assert student == "b" * 200 and reason.startswith("not in the gradebook: value too long")
    assert (run.graded, run.unchanged) == (1, 2)
    assert set(course.book()) == {"ada", "cyd"}
    assert course.result(student).score == 10


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("sqlite:////tmp/a:b@c/gradebook.db", "sqlite:////tmp/a:b@c/gradebook.db"),
        ("postgresql://grader:s3cr%40t@db/cnn", "postgresql://grader:***@db/cnn"),
        ("postgresql://grader:a@b:c@db:5432/cnn", "postgresql://grader:***@db:5432/cnn"),
        ("postgresql://grader@db/cnn?password=s3cr&x=1", "postgresql://grader@db/cnn?password=***&x=1"),
        ("postgresql://grader@db/cnn", "postgresql://grader@db/cnn"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_password(address: str, told: str) -> None:
    assert shown(address) == told


def test_an_address_that_is_none_is_one_line() -> None:
    with pytest.raises(CourseError, match=r"the gradebook cannot be read"):
        is_empty("postgresql//grader:s3cr@db/cnn")
