"""The instructor's page and the terminal's table: right numbers, for classes of any size."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import time
import warnings
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from nbgrader.api import Gradebook
from playwright.sync_api import sync_playwright
from rich.console import Console
from sqlalchemy.exc import SAWarning

from autograder.build import products
from autograder.classroom import Ranked
from autograder.errors import CourseError
from autograder.feedback import write_feedback
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.gradebook import Scores
from autograder.record import read_class, read_lesson
from autograder.report import class_table, write_report
from autograder.results import CellResult, Status, SubmissionResult

REPOSITORY = Path(__file__).parents[2]
NAME = "07-sums"
TESTS = {"test-rows": 3.0, "test-all": 5.0, "test-mean": 2.0}


def meta(name: str, *, grade: bool = False, points: int = 0, **kind: bool) -> str:
    """The nbgrader part of a percent header."""
    values = {"grade": grade, "grade_id": name, "locked": grade and not kind.get("solution")}
    values |= {"schema_version": 3, "solution": False, "task": False, **kind}
    values |= {"points": points} if grade else {}
    return f"nbgrader={values}".replace("'", '"').replace("True", "true").replace("False", "false")


LESSON = f"""\
# %% [markdown]
# # 07 · Sums

# %% [markdown]
# ## Exercise 1 · Sum the rows

# %% {meta("total", solution=True)}
total = None

# %% {meta("test-rows", grade=True, points=3)}
# Rows of a rectangle
assert total == 1

# %% {meta("test-all", grade=True, points=5)}
# Everything
assert total == 1

# %% [markdown]
# ## Exercise 2 · Mean

# %% {meta("mean", solution=True)}
mean = None

# %% {meta("test-mean", grade=True, points=2)}
# Mean of nothing
assert mean == 1

# %% [markdown]
# ## Exercise 3 · Explain

# %% [markdown] {meta("why", grade=True, points=10, solution=True)}
# *Your answer goes here.*
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with one built lesson of 20 points and no submission."""
    root = tmp_path_factory.mktemp("course")
    (root / "source").mkdir()
    shutil.copy(REPOSITORY / "nbgrader_config.py", root)
    (root / "source" / f"{NAME}.py").write_text(LESSON, encoding="utf-8")
    for product in products(CourseFolder.open(root), NAME):
        write_atomically(product.path, product.content)
    return root


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> CourseFolder:
    return CourseFolder.open(shutil.copytree(built, tmp_path / "course"))


def result_of(student: str, passed: str = "", *, status: Status = Status.FAILED, **more):
    """A result whose tests named in ``passed`` passed; the others ended with ``status``."""
    cells = [
        CellResult(name, worth, worth, Status.PASSED, seconds=worth / 10)
        if name in passed.split()
        else CellResult(name, 0.0, worth, status, "not right", seconds=worth / 10)
        for name, worth in TESTS.items()
    ]
    cells.append(CellResult("why", None, 10.0, Status.MANUAL))
    return SubmissionResult(student, NAME, cells, **{"seconds": 2.0, **more})


def unread(student: str, problem: str = "the file is empty") -> SubmissionResult:
    return SubmissionResult(student, NAME, [], [problem], gradable=False)


def store(folder: CourseFolder, *results: SubmissionResult) -> None:
    for result in results:
        path = folder.results / NAME / f"{result.student}.json"
        write_atomically(path, result.to_json().encode())


def record(folder: CourseFolder, *results: SubmissionResult) -> Gradebook:
    """Store results, write them to the gradebook as the grader does, and open it."""
    store(folder, *results)
    master = nbformat.read(folder.master(NAME), as_version=4)
    with Scores(folder, NAME, master) as scores:
        for result in results:
            scores.save(result, None)
    return Gradebook(folder.db_url, "cnn-course")


def page_of(folder: CourseFolder) -> str:
    path = write_report(folder, NAME)
    assert path == folder.report / f"{NAME}.html"
    return path.read_text(encoding="utf-8")


def words(page: str) -> str:
    """The page's visible text, on one line."""
    page = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", page.replace("&#8239;", ""))


def terminal(folder: CourseFolder, width: int = 120) -> str:
    console = Console(width=width, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    console.print(class_table(folder, NAME))
    console.file.close()
    return console.export_text()


def test_scores_quartiles_and_pass_rates_are_those_of_the_class(folder: CourseFolder) -> None:
    kinds = ["test-rows test-all test-mean"] * 3 + ["test-rows"] * 4 + ["test-all test-mean", ""]
    store(folder, *(result_of(f"s{i}", passed) for i, passed in enumerate(kinds)), unread("z"))
    text = words(page_of(folder))
    scores = [10, 10, 10, 3, 3, 3, 3, 7, 0]
    q1, median, q3 = statistics.quantiles(scores, n=4, method="inclusive")
    assert "10 submissions, 1 of them not gradable" in text
    assert f"{median:g} median of 20 points {statistics.fmean(scores):.1f} mean" in text
    assert f"{q1:g}–{q3:g} middle half" in text
    assert "Rows of a rectangle 78% 7/9" in text
    assert "Everything 44% 4/9" in text and "Mean of nothing 44% 4/9" in text
    assert "Exercise 1 · Sum the rows mean 4.6/8" in text


def test_columns_of_the_grade_chart_count_every_submission_once(folder: CourseFolder) -> None:
    kinds = ["", "test-mean", "test-rows", "test-rows test-mean", "test-rows test-all test-mean"]
    store(folder, *(result_of(f"s{i}", passed) for i, passed in enumerate(kinds)))
    page = page_of(folder)
    counts = dict(re.findall(r"<title>(.+?) points: (\d+)</title>", page))
    # Each column holds its left edge: 0; 2 and 3; 5; 10.
    assert {k: v for k, v in counts.items() if v != "0"} == {
        "0 to 2": "1",
        "2 to 4": "2",
        "4 to 6": "1",
        "10 to 12": "1",
    }


def test_full_marks_fall_into_the_last_column(folder: CourseFolder) -> None:
    gradebook = record(folder, result_of("anna", "test-rows test-all test-mean"))
    give(gradebook, "anna", "why", 10.0)
    assert "<title>18 to 20 points: 1</title>" in page_of(folder)


def give(gradebook: Gradebook, student: str, cell: str, points: float, extra: float = 0.0) -> None:
    """What formgrader does when a person grades a cell."""
    grade = gradebook.find_grade(cell, NAME, NAME, student)
    grade.manual_score, grade.needs_manual_grade = points, False
    grade.extra_credit = extra or None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        gradebook.db.commit()


def test_a_persons_points_and_a_late_penalty_count(folder: CourseFolder) -> None:
    gradebook = record(folder, result_of("anna", "test-rows"), result_of("ben", "test-rows"))
    give(gradebook, "anna", "why", 8.0, extra=0.5)
    give(gradebook, "anna", "test-all", 2.0)
    notebook = gradebook.find_submission_notebook(NAME, NAME, "anna")
    notebook.late_submission_penalty = 1.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        gradebook.db.commit()
    submission = gradebook.find_submission(NAME, "anna")
    anna, ben = read_class(folder, read_lesson(folder, NAME))
    assert anna.score == 3 + 2 + 8.5 - 1.5 == submission.score - submission.late_submission_penalty
    assert (anna.due, ben.due) == ([], ["why"]) and ben.score == 3
    assert "after manual grading and late penalties" in words(page_of(folder))
    gradebook.close()
    for path in write_feedback(folder, NAME, ["anna"]):
        text = words(path.read_text(encoding="utf-8"))
    assert "12 of 20 points" in text and "1.5 points taken off because it was late" in text
    assert "points set by a person" in text and "8.5 /10" in text.replace("8.5/", "8.5 /")


def test_a_penalty_never_makes_a_score_negative(folder: CourseFolder) -> None:
    gradebook = record(folder, result_of("anna"))
    gradebook.find_submission_notebook(NAME, NAME, "anna").late_submission_penalty = 5.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        gradebook.db.commit()
    gradebook.close()
    (anna,) = read_class(folder, read_lesson(folder, NAME))
    assert (anna.score, anna.penalty) == (0.0, 5.0)


def test_a_regrade_after_a_person_graded_asks_for_a_second_look(folder: CourseFolder) -> None:
    gradebook = record(folder, result_of("anna"))
    give(gradebook, "anna", "why", 4.0)
    gradebook.close()
    record(folder, result_of("anna", "test-rows")).close()
    (anna,) = read_class(folder, read_lesson(folder, NAME))
    assert (anna.due, anna.score) == (["why"], 7.0)


def test_reading_makes_no_gradebook_and_leaves_one_as_it_is(folder: CourseFolder) -> None:
    store(folder, result_of("anna"))
    page_of(folder)
    database = Path(folder.db_url.removeprefix("sqlite:///"))
    assert not database.exists()
    record(folder, result_of("anna")).close()
    before = database.read_bytes()
    page_of(folder)
    assert database.read_bytes() == before


def test_a_broken_gradebook_is_one_line(folder: CourseFolder) -> None:
    store(folder, result_of("anna"))
    Path(folder.db_url.removeprefix("sqlite:///")).write_bytes(b"no database at all" * 99)
    with pytest.raises(CourseError, match="gradebook cannot be read"):
        write_report(folder, NAME)


def test_rows_that_need_a_person_give_their_reasons(folder: CourseFolder) -> None:
    gradebook = record(
        folder,
        result_of("anna", problems=["the notebook was renamed"]),
        result_of("ben", "test-rows"),
        result_of("cleo", "test-rows"),
        unread("dora", "the file is cut off"),
    )
    give(gradebook, "ben", "why", 1.0)
    gradebook.close()
    write_atomically(folder.results / NAME / "emil.json", b"{}")
    store(folder, SubmissionResult("finn", NAME, result_of("finn").cells[:2]))
    write_atomically(folder.submitted / "gina" / NAME / f"{NAME}.ipynb", b"")
    text = words(page_of(folder))
    section = text[text.index("Needs a person") : text.index("Grades ")]
    assert "5 submissions of 6; 1 more handed in and not graded yet" in section
    for row in (
        "anna the notebook was renamed 1 answer to grade by hand: why",
        "cleo 1 answer to grade by hand: why",
        "dora the file is cut off",
        "emil its stored result is damaged: grade it again",
        "finn its result does not fit the assignment as it is now: grade it again",
        "gina handed in, not graded yet",
    ):
        assert row in section
    assert " ben " not in section


def ranked(title: str, count: int, **more) -> Ranked:
    students = [f"s{i}" for i in range(count)]
    return Ranked("total", title, f"{title} is wrong.", students, "def f(): pass", **more)


def test_mistakes_are_ranked_and_unwritten_exercises_stand_apart(folder: CourseFolder) -> None:
    store(folder, *(result_of(f"s{i}") for i in range(9)))
    rows = [ranked("Left open", 7, named=False, open=True)]
    rows += [ranked(f"Mistake {i}", max(1, 6 - i)) for i in range(15)]
    page = write_report(folder, NAME, rows).read_text(encoding="utf-8")
    text = words(page)
    assert "Mistake 0 6 /9 Exercise 1 · Sum the rows Mistake 0 is wrong." in text
    assert text.index("Mistake 0") < text.index("Mistake 1") < text.index("Mistake 14")
    assert "3 more mistakes, made by 1 or fewer each" in text
    assert "Left unwritten" in text and "Sum the rows 7 /9" in text and "Left open" not in text
    assert not re.search(r"s\d", re.sub(r"(?s).*What the class got wrong|Pass rate.*", "", text))


def test_the_class_table_links_to_every_feedback_page(folder: CourseFolder) -> None:
    names = ["anna", "Zoë Müller", r"bj\xf6rn", "a#b?c%41&d", "李小龍"]
    store(folder, *(result_of(name) for name in names))
    assert "href" not in page_of(folder)
    pages = {path.resolve() for path in write_feedback(folder, NAME)}
    links = re.findall(r'href="([^"]+)"', page_of(folder))
    found = {(folder.report / unquote(link)).resolve() for link in links}
    assert found == pages and len(pages) == 5
    assert not any(link.startswith(("/", "http", "file")) for link in links)


def test_names_and_problems_are_escaped(folder: CourseFolder) -> None:
    evil = "<script>alert(1)<∕script>"
    store(folder, result_of(evil, problems=[f"\x1b[31m{evil}\x1b]0;owned\x07 \u202e"]))
    page = page_of(folder)
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page and "\x1b" not in page
    shown = terminal(folder)
    assert "<script>" in shown and "\x1b" not in shown and "\\u202e" in shown
    store(folder, result_of("[bold red]x"))
    assert "[bold red]x" in terminal(folder)


def test_isolation_is_stated_and_process_is_warned_of(folder: CourseFolder) -> None:
    store(folder, result_of("anna", isolation="jail"))
    assert "jail isolation" in words(page_of(folder)) and "without a jail" not in page_of(folder)
    store(folder, result_of("ben", isolation="process"))
    text = words(page_of(folder))
    assert "1 submission ran without a jail" in text and "process isolation of 1" in text


def test_time_outs_and_slow_tests_are_shown(folder: CourseFolder) -> None:
    slow = result_of("ben", "test-rows", status=Status.TIMEOUT, seconds=40.0)
    slow.cells[1].seconds = 30.0
    store(folder, *(result_of(f"s{i}", "test-rows test-all") for i in range(8)), slow)
    page = page_of(folder)
    assert "8 of 9 passed, 1 time-out" in page and "the slowest 40 s" in words(page)
    assert re.search(r"Everything Exercise 1 · Sum the rows 3\.8s 500ms 30\.0s", words(page))
    assert re.search(r"<title>more than \S+ seconds: 1</title>", page)


def test_an_empty_class_says_what_to_do(folder: CourseFolder) -> None:
    text = words(page_of(folder))
    assert "No submission has been graded" in text and f"autograder grade {NAME}" in text
    assert "Student" in terminal(folder)


def test_a_class_of_one_has_a_report(folder: CourseFolder) -> None:
    store(folder, result_of("anna", "test-rows"))
    text = words(page_of(folder))
    assert "3 median of 20 points 3.0 mean 3–3 middle half" in text


def test_a_class_that_was_not_read_has_a_report(folder: CourseFolder) -> None:
    store(folder, unread("anna"), unread("ben"))
    text = words(page_of(folder))
    assert "2 submissions, 2 of them not gradable" in text and "Pass rate" not in text
    assert "anna the file is empty" in text


def test_a_class_of_1200_takes_seconds(folder: CourseFolder) -> None:
    results = [result_of(f"s{i:04}", "test-rows" if i % 3 else "") for i in range(1200)]
    store(folder, *results)
    started = time.perf_counter()
    page = page_of(folder)
    assert time.perf_counter() - started < 5
    assert "1200 submissions" in words(page) and "67% 800/1200" in words(page)
    assert len(page) < 2_000_000


def test_the_terminals_table_has_a_row_for_each_student(folder: CourseFolder) -> None:
    store(folder, result_of("anna", "test-rows test-mean"), unread(r"bj\xf6rn", "it is cut off"))
    lines = terminal(folder).splitlines()
    anna = next(line for line in lines if "anna" in line)
    assert re.findall(r"[\w.]+", anna)[:5] == ["anna", "5", "3", "2", "0"]
    assert any(r"bj\xf6rn" in line and "it is cut off" in line for line in lines)
    assert "waits for manual grading" in anna


def test_many_exercises_fit_an_80_column_terminal(folder: CourseFolder) -> None:
    name, cells, parts = "08-many", [], []
    for i in range(30):
        parts += [f"# %% {meta(f'e{i}', solution=True)}\nx = 1\n"]
        parts += [f"# %% {meta(f't{i}', grade=True, points=4)}\nassert x\n"]
        points = (0.0, 1.0, 4.0)[i % 3]
        cells.append(CellResult(f"t{i}", points, 4.0, Status.PARTIAL))
    (folder.source / f"{name}.py").write_text("\n".join(parts), encoding="utf-8")
    for product in products(folder, name):
        write_atomically(product.path, product.content)
    result = SubmissionResult("anna", name, cells)
    write_atomically(folder.results / name / "anna.json", result.to_json().encode())
    console = Console(width=80, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    console.print(class_table(folder, name))
    console.file.close()
    assert "·▃█" * 10 in console.export_text()


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 360, 1200])
def test_a_browser_loads_nothing_and_needs_no_sideways_scroll(
    folder: CourseFolder, width: int
) -> None:
    store(folder, *(result_of(f"s{i}" * 8, "test-rows", problems=["x" * 99]) for i in range(9)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": width, "height": 800})
        heard: list[str] = []
        page.on("console", lambda message: heard.append(message.text))
        page.on("request", lambda request: heard.append(request.url[:5]))
        page.goto(write_report(folder, NAME).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator("svg.chart").count() == 2
        browser.close()
    assert heard == ["file:"]


def test_an_unknown_assignment_is_one_line(folder: CourseFolder) -> None:
    with pytest.raises(CourseError, match="no assignment '99-nothing'"):
        write_report(folder, "99-nothing")
