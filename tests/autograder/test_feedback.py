"""Feedback pages: what they must show, and what must never get in."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_output
from PIL import Image
from playwright.sync_api import sync_playwright

from autograder.build import products
from autograder.errors import CourseError
from autograder.exercises import grade_id
from autograder.feedback import write_feedback
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.gradebook import Scores
from autograder.record import feedback_path, read_lesson
from autograder.results import CellResult, Status, SubmissionResult

REPOSITORY = Path(__file__).parents[2]
NAME = "07-sums"
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"
HIDDEN = (
    "want = np.array([31337.25, 424242.5])  # the expected array",
    'assert np.allclose(total(secret_rows), want), "sums of a secret input"',
    "assert secret_scale(total) == 27182.818",
)
EXPECTED = ("31337.25", "424242.5", "27182.818", "secret_rows", "four points for naming both axes",
            "the reference answer", "behind the curtain")  # fmt: skip


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
# ## Part 1 · `Axes` first
#
# Axis 0 runs down.
#
# ## Exercise 1 · Sum the rows
#
# Write `total(rows)`: the sum of each row, $s_i = \\sum_j r_{{ij}}$.
# See [the manual](https://example.org/sum) and ![a table](https://example.org/table.png).
# <b onclick="alert(5)">bold</b>
#
# <details><summary>Help</summary>
#
# Only for those who ask.
#
# </details>

# %% {meta("total", solution=True)}
def total(rows):
    '''Sum rows (N, M) to (N,).'''
    ### BEGIN SOLUTION
    return rows.sum(axis=1)  # the reference answer
    ### END SOLUTION

# %%
total("picture")

# %% {meta("test-total", grade=True, points=3)}
# Values on a rectangular image, 3 points
assert total is not None
### BEGIN HIDDEN TESTS
{HIDDEN[0]}
{HIDDEN[1]}
### END HIDDEN TESTS

# %% {meta("test-total-again", grade=True, points=2)}
### BEGIN HIDDEN TESTS
# Reveals what is tested behind the curtain
{HIDDEN[2]}
### END HIDDEN TESTS
assert callable(total)

# %% [markdown]
# ## Another topic

# %%
print("far from the exercise")

# %% [markdown]
# ## Exercise 2 · Explain

# %% [markdown] {meta("why", grade=True, points=4, solution=True)}
# *Your answer goes here.*

# %% [markdown] {meta("drawing", grade=True, points=1, task=True)}
# Draw the axes.
#
# === BEGIN MARK SCHEME ===
#
# four points for naming both axes
#
# === END MARK SCHEME ===
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with one built lesson and no submission."""
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


def png(size: tuple[int, int] = (40, 30)) -> str:
    """A picture as base64, of noise that does not compress."""
    noise = np.random.default_rng(0).integers(0, 256, size[::-1], dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def submit(
    folder: CourseFolder,
    student: str = "anna",
    *,
    code: str = "def total(rows):\n    return rows",
    prose: str = "Rows are axis 0.",
    outputs: list | None = None,
    message: str = "",
    printed: str = "",
    problems: list[str] | None = None,
    student_key: str = "",
) -> None:
    """Store a graded submission whose first test failed; its test cells hold every hidden line."""
    cells = [
        CellResult("test-total", 0.0, 3.0, Status.FAILED, message, "AssertionError", 0.1, printed),
        CellResult("test-total-again", 2.0, 2.0, Status.PASSED),
        CellResult("why", None, 4.0, Status.MANUAL),
        CellResult("drawing", None, 1.0, Status.MANUAL),
    ]
    result = SubmissionResult(student_key or student, NAME, cells, problems or [])
    store(folder, result, student)
    notebook = nbformat.read(folder.master(NAME), as_version=4)
    for cell in notebook.cells:
        name = grade_id(cell)
        if name == "total":
            cell.source = code
        elif name == "why":
            cell.source = prose
        elif name.startswith("test-"):
            trace = ["Traceback", f"Cell In[9], line 2\n----> 2 {HIDDEN[0]}", *HIDDEN]
            cell.outputs = [
                new_output("stream", text="\n".join(HIDDEN)),
                new_output("error", ename="AssertionError", evalue=HIDDEN[1], traceback=trace),
            ]
        elif cell.source == 'total("picture")':
            cell.outputs = outputs or []
        elif "far from" in cell.source:
            cell.outputs = [new_output("stream", text="far from the exercise\n")]
    path = folder.autograded / student / NAME / f"{NAME}.ipynb"
    write_atomically(path, json.dumps(notebook, ensure_ascii=True).encode())


def store(folder: CourseFolder, result: SubmissionResult, student: str) -> None:
    write_atomically(folder.results / NAME / f"{student}.json", result.to_json().encode())


def page_of(folder: CourseFolder, student: str = "anna", **options: object) -> str:
    (path,) = write_feedback(folder, NAME, [student], **options)  # type: ignore[arg-type]
    return path.read_text(encoding="utf-8")


class Page(HTMLParser):
    """Tags, attributes and visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._hidden = False
        self.feed(text)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)

    def values(self, name: str) -> Iterator[str]:
        return (attrs[name] or "" for _, attrs in self.tags if name in attrs)


def assert_harmless(text: str) -> None:
    """No element that runs or loads, no handler, no address but pictures and anchors of its own."""
    page = Page(text)
    known = re.findall(
        r"\w+",
        """html head meta title style body header main section nav footer h1 h2 h3 p b i ul ol li
        div span table caption thead tbody tfoot tr th td a bdi pre code details summary img
        em strong sub sup br""",
    )
    assert {tag for tag, _ in page.tags} <= set(known)
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert all(value.startswith("data:image/png;base64,") for value in page.values("src"))
    assert all(value.startswith(("#e", "../../07-sums.ipynb#")) for value in page.values("href"))
    assert "url(" not in text and "@import" not in text


def test_a_page_shows_points_tests_messages_code_and_output(folder: CourseFolder) -> None:
    outputs = [
        new_output("stream", text="shape (4, 5)\n"),
        new_output("display_data", data={"image/png": png(), "text/plain": "<Figure>"}),
    ]
    submit(folder, outputs=outputs, message="total has shape (4, 5)", printed="inside total")
    text = page_of(folder)
    page = Page(text)
    assert "Feedback for anna" in page.text and "07 · Sums" in page.text
    assert "2 of 10 points" in page.text and "1 of 2 tests passed" in page.text
    assert "Values on a rectangular image Failed total has shape (4, 5)" in page.text
    assert "inside total" in page.text and "shape (4, 5)" in page.text
    assert "def total ( rows )" in re.sub(r"([()])", r" \1 ", page.text).replace("  ", " ")
    (image,) = [attrs for tag, attrs in page.tags if tag == "img"]
    assert image["src"] == f"data:image/png;base64,{png()}"
    assert (image["width"], image["height"]) == ("40", "30") and image["alt"]
    assert "<Figure>" not in page.text
    assert_harmless(text)


def test_no_hidden_line_expected_value_or_mark_scheme_gets_in(folder: CourseFolder) -> None:
    leak = [new_output("stream", text=f"before\n{HIDDEN[0]}\nafter\n")]
    submit(folder, outputs=leak, message=f"failed:\n  {HIDDEN[1]}", printed=HIDDEN[2])
    store(folder, SubmissionResult("ben", NAME, [], ["the file is empty"], gradable=False), "ben")
    write_feedback(folder, NAME)
    pages = [path.read_text(encoding="utf-8") for path in folder.feedback.rglob("*.html")]
    assert len(pages) == 2
    master = folder.master(NAME).read_text(encoding="utf-8")
    for line in (*HIDDEN, *EXPECTED):
        assert line.replace('"', '\\"') in master, "the trap is not set"
        for text in pages:
            assert line not in text and line not in Page(text).text
    assert "before" in pages[0] + pages[1] and "HIDDEN TESTS" not in pages[0] + pages[1]


def test_a_test_is_named_by_the_part_that_students_have(folder: CourseFolder) -> None:
    names = read_lesson(folder, NAME).behaviours
    assert names["test-total"] == "Values on a rectangular image"
    assert names["test-total-again"] == "Test total again"


def test_everything_a_student_writes_is_escaped(folder: CourseFolder) -> None:
    frames = [f"Cell In[3], line 1\n----> 1 {EVIL}", f"File /srv/grading/x.py:3\n{EVIL}"]
    outputs = [
        new_output("stream", text=EVIL),
        new_output("execute_result", data={"text/plain": EVIL, "text/html": EVIL}),
        new_output("display_data", data={"text/html": "<b>only markup</b>"}),
        new_output("display_data", data={"application/javascript": "alert(3)"}),
        new_output("display_data", data={"image/svg+xml": EVIL}),
        new_output("error", ename=EVIL, evalue=EVIL, traceback=frames),
        new_output("display_data", data={"image/png": '"><script>alert(4)</script>'}),
    ]
    submit(
        folder,
        EVIL.replace("/", "∕"),
        code=f"x = '''{EVIL}'''\n# {EVIL}",
        prose=EVIL,
        outputs=outputs,
        message=EVIL,
        printed=EVIL,
        problems=[EVIL],
    )
    diagnosis = {EVIL.replace("/", "∕"): {"total": [EVIL]}}
    text = page_of(folder, EVIL.replace("/", "∕"), diagnoses=diagnosis)
    assert_harmless(text)
    assert "<script" not in text and "alert(3)" not in text and "only markup" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 10
    assert "/srv/grading" not in text


def test_an_error_shows_the_students_own_frames_without_colours(folder: CourseFolder) -> None:
    frames = [
        "\x1b[0;31m----\x1b[0m",
        "\x1b[0;31mValueError\x1b[0m  Traceback (most recent call last)",
        "Cell \x1b[0;32mIn[4], line 1\x1b[0m\n\x1b[0;32m----> 1\x1b[0m total(mine)",
        "File \x1b[0;32m/opt/python/numpy/core.py:7\x1b[0m, in dot(a, b)",
        "\x1b[0;31mValueError\x1b[0m: shapes differ",
    ]
    error = new_output("error", ename="ValueError", evalue="shapes differ", traceback=frames)
    submit(folder, outputs=[error])
    text = page_of(folder)
    assert "Cell In[4], line 1\n----&gt; 1 total(mine)\n\nValueError: shapes differ" in text
    assert "/opt/python" not in text and "\x1b" not in text


def test_a_syntax_error_is_named_once(folder: CourseFolder) -> None:
    frame = "\x1b[0;36m  Cell In[4], line 1\x1b[0m\n    def f(:\nSyntaxError: invalid syntax"
    error = new_output(
        "error", ename="SyntaxError", evalue="invalid syntax (1.py, line 1)", traceback=[frame]
    )
    submit(folder, outputs=[error])
    assert page_of(folder).count("SyntaxError") == 1


def test_control_characters_and_turned_text_are_made_visible(folder: CourseFolder) -> None:
    text = "a\x00b\x07 \u202egrade 100\u202c bad \udcff\n10%\r50%\r100%\n"
    submit(folder, outputs=[new_output("stream", text=text)])
    page = page_of(folder)
    assert "a\\x00b\\x07 \\u202egrade 100\\u202c bad \\udcff\n100%" in page
    assert "10%" not in Page(page).text and "\u202e" not in page


def test_a_page_stays_small_whatever_a_notebook_prints(folder: CourseFolder) -> None:
    noise = png((1000, 1000))
    assert len(noise) > 500_000
    outputs = [
        new_output("stream", text="x<" * 25_000_000),
        *(new_output("display_data", data={"image/png": noise}) for _ in range(15)),
        *(new_output("stream", text="&" * 30_000) for _ in range(3000)),
    ]
    submit(folder, outputs=outputs, code="x = 1  # <&\n" * 100_000, printed="'" * 10**6)
    text = page_of(folder)
    assert len(text) < 8_000_000
    assert "characters left out" in text and "picture is left out" in text
    assert "more outputs left out" in text


def test_a_page_stays_small_however_many_cells_print(folder: CourseFolder) -> None:
    submit(folder, message="the message is still there")
    path = folder.autograded / "anna" / NAME / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    after = next(i for i, cell in enumerate(notebook.cells) if grade_id(cell) == "total") + 1
    noisy = [new_output("stream", text="x" * 9000), new_output("stream", text="y")] * 10
    notebook.cells[after:after] = [new_code_cell("1", outputs=noisy) for _ in range(2000)]
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    text = page_of(folder)
    assert 300_000 < len(text) < 500_000 and "the message is still there" in text


def test_a_picture_that_would_fill_the_memory_is_left_out(folder: CourseFolder) -> None:
    bomb = bytearray(base64.b64decode(png()))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    data = {"image/png": base64.b64encode(bytes(bomb)).decode()}
    submit(folder, outputs=[new_output("display_data", data=data)])
    text = page_of(folder)
    assert "<img" not in text and "not a PNG of a usable size" in text


@pytest.mark.parametrize("student", ["Zoë Müller", "李小龍", r"bj\xf6rn", "a b & c", "o'neil"])
def test_any_name_gets_a_page_where_nbgrader_looks(folder: CourseFolder, student: str) -> None:
    submit(folder, student)
    (path,) = write_feedback(folder, NAME)
    assert path == folder.feedback / student / NAME / f"{NAME}.html"
    assert f"Feedback for {student}" in Page(path.read_text(encoding="utf-8")).text


def test_a_result_cannot_choose_where_its_page_is_written(folder: CourseFolder) -> None:
    submit(folder, "anna", student_key="../../../anna")
    (path,) = write_feedback(folder, NAME)
    assert path == feedback_path(folder, read_lesson(folder, NAME), "anna")


def test_a_submission_that_was_not_read_is_told_what_to_do(folder: CourseFolder) -> None:
    store(folder, SubmissionResult("ben", NAME, [], ["the file is cut off"], gradable=False), "ben")
    page = Page(page_of(folder, "ben"))
    assert "could not be graded the file is cut off What to do" in page.text
    assert f"{NAME}.ipynb" in page.text and "counts 0 of 10 points" in page.text
    assert "Exercise 1" not in page.text


def test_a_damaged_result_or_a_missing_notebook_still_makes_a_page(folder: CourseFolder) -> None:
    submit(folder, "anna")
    (folder.autograded / "anna" / NAME / f"{NAME}.ipynb").unlink()
    write_atomically(folder.results / NAME / "ben.json", b'{"student": "ben", "cel')
    submit(folder, "cleo")
    (folder.autograded / "cleo" / NAME / f"{NAME}.ipynb").write_text('{"cells": [3]}')
    assert len(write_feedback(folder, NAME)) == 3
    assert "Your code is not shown here" in page_of(folder, "anna")
    assert "stored result is damaged" in page_of(folder, "ben")
    assert "Your code is not shown here" in page_of(folder, "cleo")


@pytest.mark.parametrize(
    "damage",
    [
        {"outputs": [{"output_type": "display_data", "data": "a string"}]},
        {"outputs": [{"output_type": "display_data", "data": {"image/png": "é"}}]},
        {"outputs": [{"output_type": "error", "traceback": 3, "evalue": ["x"]}]},
        {"outputs": [3]},
        {"outputs": {"0": "x"}},
        {"metadata": {"tags": 5}},
        {"metadata": {"nbgrader": "x"}},
        {"source": 7, "cell_type": "markdown"},
    ],
)
def test_a_notebook_of_odd_shape_stops_nothing(folder: CourseFolder, damage: dict) -> None:
    submit(folder, "anna")
    submit(folder, "ben")
    path = folder.autograded / "anna" / NAME / f"{NAME}.ipynb"
    notebook = json.loads(path.read_text())
    after = next(i for i, c in enumerate(notebook["cells"]) if "def total" in c["source"]) + 1
    notebook["cells"][after] |= damage
    path.write_text(json.dumps(notebook))
    assert len(write_feedback(folder, NAME)) == 2
    assert "2</b> of 10 points" in page_of(folder, "anna")


def test_written_answers_are_shown_and_wait_for_a_person(folder: CourseFolder) -> None:
    submit(folder, prose="Because axis 1 runs along a row.")
    page = Page(page_of(folder))
    assert "Because axis 1 runs along a row." in page.text
    assert "2 answers still wait for a person" in page.text
    assert "Waits for a person" in page.text and "What was asked Draw the axes." in page.text
    assert "What was asked Draw the axes. Read again" not in page.text, "nothing is wrong yet"


def test_outputs_beyond_the_exercises_section_stay_out(folder: CourseFolder) -> None:
    submit(folder)
    assert "far from the exercise" not in page_of(folder)


def test_a_cell_with_an_unknown_grade_id_shows_nothing(folder: CourseFolder) -> None:
    submit(folder)
    path = folder.autograded / "anna" / NAME / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    after = next(i for i, cell in enumerate(notebook.cells) if grade_id(cell) == "total") + 1
    stray = new_code_cell("1", outputs=[new_output("stream", text="stray output")])
    stray.metadata.nbgrader = {"grade": True, "grade_id": "old-test", "solution": False}
    notebook.cells.insert(after, stray)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    assert "stray output" not in page_of(folder)


def test_a_diagnosis_is_shown_with_its_exercise_and_nothing_without(folder: CourseFolder) -> None:
    submit(folder)
    assert "What happened" not in page_of(folder)
    told = {"anna": {"total": ["You summed the columns."]}}
    assert "What happened You summed the columns." in Page(page_of(folder, diagnoses=told)).text


def test_links_lead_to_exercises_and_to_the_headings_of_the_students_notebook(
    folder: CourseFolder,
) -> None:
    submit(folder)
    page = Page(page_of(folder))
    ids, links = list(page.values("id")), list(page.values("href"))
    inner = [link.removeprefix("#") for link in links if link.startswith("#")]
    assert inner == ["e1", "e2", "e3"] and set(inner) <= set(ids)
    assert len(ids) == len(set(ids)) and set(page.values("aria-labelledby")) <= set(ids)
    # The pages that `nbgrader fetch_feedback` brings lie in feedback/TIME of the assignment.
    outer = [unquote(link) for link in links if not link.startswith("#")]
    assert outer == [
        "../../07-sums.ipynb#Part-1-·-Axes-first",
        "../../07-sums.ipynb#Exercise-1-·-Sum-the-rows",
    ]


def test_a_course_can_say_where_its_lessons_are_published(folder: CourseFolder) -> None:
    submit(folder)
    folder.config.FeedbackPage.lesson_url = "https://example.org/{assignment}/{notebook}.html"
    links = list(Page(page_of(folder)).values("href"))
    assert "https://example.org/07-sums/07-sums.html#Part-1-%C2%B7-Axes-first" in links


def test_what_was_asked_is_told_in_the_lessons_words(folder: CourseFolder) -> None:
    submit(folder)
    text = page_of(folder)
    page = Page(text)
    assert "Write total(rows) : the sum of each row" in re.sub(r" +", " ", page.text)
    assert "<i>s</i><sub><i>i</i></sub> = ∑<sub><i>j</i></sub> <i>r</i>" in text
    assert "See the manual and a table." in page.text and "example.org" not in text
    assert "&lt;b onclick=" in text and "<b onclick" not in text
    assert "Only for those who ask" not in page.text and "Axis 0 runs down" not in page.text
    assert_harmless(text)


def test_a_stub_tells_what_was_asked_where_the_lesson_has_no_words(folder: CourseFolder) -> None:
    path = folder.master(NAME)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "Write `total" not in cell.source]
    nbformat.write(notebook, path)
    submit(folder, code="")
    text = Page(page_of(folder)).text
    assert "def total ( rows ): '''Sum rows (N, M) to (N,).''' " in re.sub(r" +", " ", text)
    assert "NotImplementedError" not in text


def test_a_long_task_is_folded_and_a_short_one_is_not(folder: CourseFolder) -> None:
    submit(folder)
    assert '<details class="asked" open>' in page_of(folder)
    path = folder.master(NAME)
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if "Write `total" in cell.source:
            cell.source += "\n\n" + "Much more is said. " * 60
    nbformat.write(notebook, path)
    text = page_of(folder)
    assert "Much more is said" in text and '<details class="asked" open>' not in text


def test_an_exercise_with_full_marks_takes_one_line(folder: CourseFolder) -> None:
    submit(folder)
    assert not re.search(r"<details class=.card exercise full", page_of(folder))
    path = folder.results / NAME / "anna.json"
    result = SubmissionResult.from_json(path.read_text(encoding="utf-8"))
    result.cells[0].points, result.cells[0].status = 3.0, Status.PASSED
    store(folder, result, "anna")
    page = page_of(folder)
    assert re.search(r'<details class="card exercise full" id="e1"', page)
    assert "Read again" not in Page(page).text


def test_an_instructors_comment_and_extra_credit_are_on_the_page(folder: CourseFolder) -> None:
    submit(folder)
    master = nbformat.read(folder.master(NAME), as_version=4)
    stored = (folder.results / NAME / "anna.json").read_text(encoding="utf-8")
    with Scores(folder, NAME, master) as scores:
        scores.save(SubmissionResult.from_json(stored), None)
        book = scores.gradebook  # what formgrader writes
        book.find_comment("total", NAME, NAME, "anna").manual_comment = f"Nearly! {EVIL}"
        book.find_comment("why", NAME, NAME, "anna").manual_comment = "Name both axes."
        grade = book.find_grade("why", NAME, NAME, "anna")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 3.0, 0.5, False
        book.db.commit()
    text = page_of(folder)
    page = Page(text)
    assert "Your instructor says Nearly! <script>" in page.text and "<script" not in text
    assert "Your instructor says Name both axes." in page.text
    assert re.search(r"3\.5 / 4 0\.5 of them extra", page.text.replace("\u202f", ""))
    assert "5.5 of 10 points" in page.text


def test_pages_are_counted_as_they_are_written(folder: CourseFolder) -> None:
    submit(folder, "anna")
    submit(folder, "ben")
    seen: list[tuple[int, int]] = []
    write_feedback(folder, NAME, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_a_student_without_a_result_is_an_error_with_a_remedy(folder: CourseFolder) -> None:
    with pytest.raises(CourseError, match=r"no result for dora.*autograder grade"):
        write_feedback(folder, NAME, ["dora"])


def test_nbgraders_release_finds_its_receipt_beside_the_page(folder: CourseFolder) -> None:
    submit(folder)
    (folder.autograded / "anna" / NAME / "timestamp.txt").write_text("2026-11-21 09:00:00 UTC")
    (path,) = write_feedback(folder, NAME)
    assert path.with_name("timestamp.txt").read_text() == "2026-11-21 09:00:00 UTC"


def test_writing_twice_gives_the_same_bytes(folder: CourseFolder) -> None:
    submit(folder, outputs=[new_output("display_data", data={"image/png": png()})])
    assert page_of(folder) == page_of(folder)


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 360, 1200])
def test_a_browser_loads_nothing_runs_nothing_and_needs_no_sideways_scroll(
    folder: CourseFolder, width: int
) -> None:
    figure = new_output("display_data", data={"image/png": png((900, 300))})
    submit(folder, EVIL.replace("/", "∕"), code=f"x = 1  # {EVIL * 9}", outputs=[figure])
    (path,) = write_feedback(folder, NAME)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": width, "height": 800})
        heard: list[str] = []
        page.on("console", lambda message: heard.append(message.text))
        page.on("dialog", lambda dialog: heard.append(dialog.message))
        page.on("request", lambda request: heard.append(request.url[:5]))
        page.goto(path.as_uri())
        assert page.locator("img").evaluate("image => image.naturalWidth") == 900
        assert page.evaluate("document.documentElement.scrollWidth") == width
        browser.close()
    assert [kind for kind in heard if kind != "data:"] == ["file:"]


def test_every_text_colour_can_be_read_on_every_ground() -> None:
    """WCAG AA asks for a contrast of 4.5 between letters and what is behind them."""
    sheet = (REPOSITORY / "autograder/templates/style.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{([^}]*--page[^}]*)\}", sheet)
    themes = [dict(re.findall(r"--([\w-]+): (#\w+)", block)) for block in blocks[:2]]
    pairs = [(ink, ground) for ink in ("ink", "soft", "accent") for ground in ("page", "card")]
    pairs += [(ink, "sunk") for ink in ("ink", "accent", *(k for k in themes[0] if k[:2] == "c-"))]
    pairs += [(tone, ground) for tone in ("pass", "part", "fail", "hand") for ground in ("card",)]
    pairs += [("pass", "pass-back"), ("fail", "fail-back"), ("ink", "fail-back")]
    pairs += [("ink", "note-back"), ("part", "note-back"), ("hand", "sunk")]
    for theme in themes:
        for ink, ground in pairs:
            dark, light = sorted((luminance(theme[ink]), luminance(theme[ground])))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
