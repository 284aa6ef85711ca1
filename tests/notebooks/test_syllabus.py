"""The syllabus keeps its promise: every row, and every anchor of a written lesson, is there."""

import re
from pathlib import Path

import nbformat.v4
import pytest
import yaml

from autograder.errors import LessonError
from autograder.syllabus import (
    Row,
    coverage,
    find_anchors,
    missing,
    missing_anchors,
    read_syllabus,
    rows_by_lesson,
    written_lessons,
)

ROOT = Path(__file__).resolve().parents[2]
SYLLABUS = ROOT / "source" / "syllabus.yml"
LESSONS = (
    "01-convolution",
    "02-layer-arithmetic",
    "03-losses-and-gradients",
    "04-backprop-through-conv",
    "05-training-a-cnn",
    "06-classic-architectures",
    "07-inception",
    "08-residual-learning",
    "09-building-resnet",
    "10-beyond-resnet",
    "11-augmentation",
    "12-transfer-learning",
)
WRITTEN = [name for name in LESSONS if (SYLLABUS.parent / f"{name}.py").is_file()]


@pytest.fixture(scope="module")
def rows():
    return read_syllabus(SYLLABUS)


@pytest.fixture(scope="module")
def notebooks(rows):
    return written_lessons(rows, SYLLABUS.parent)


# --- The course's own syllabus


def test_the_262_rows_are_there_once_each_and_in_order(rows):
    assert [row.id for row in rows] == [f"S{number:03d}" for number in range(1, 263)]


def test_every_row_belongs_to_a_lesson_of_the_course(rows):
    named = {lesson for row in rows for lesson in (row.lesson, *row.also)}
    assert named == set(LESSONS)


def test_a_lesson_comes_back_to_a_row_only_after_it_was_first_taught(rows):
    wrong = [row.id for row in rows for later in row.also if later <= row.lesson]
    assert not wrong


def test_no_two_rows_say_the_same(rows):
    topics = [row.topic.casefold() for row in rows]
    assert len(set(topics)) == len(topics)


def test_rows_of_lessons_that_are_not_written_claim_nothing(rows, notebooks):
    early = [
        f"{row.id}: {row.lesson} does not exist"
        for row in rows
        if row.lesson not in notebooks and (row.taught or row.tested)
    ]
    assert not early, "\n".join(early)


@pytest.mark.parametrize("lesson", WRITTEN)
def test_every_row_of_a_written_lesson_is_taught_and_tested_by_cells_that_exist(
    rows, notebooks, lesson
):
    problems = missing_anchors(rows, {lesson: notebooks[lesson]})
    assert not problems, f"{len(problems)} to mend in source/syllabus.yml:\n" + "\n".join(problems)


def test_the_readme_states_the_count(rows, notebooks):
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    stated = re.findall(r"\d+ of \d+ syllabus rows are taught and tested\.", text)
    sentence = str(coverage(rows, notebooks))
    assert stated == [sentence], f"README.md should say, once: {sentence}"


# --- Reading a syllabus

GOOD = {"id": "S001", "topic": "a topic", "lesson": "01-a", "taught": ["Sums"], "tested": ["t"]}


def written(tmp_path, *rows):
    path = tmp_path / "syllabus.yml"
    path.write_text(yaml.safe_dump(list(rows)), encoding="utf-8")
    return path


def test_a_row_is_read_with_all_that_it_says(tmp_path):
    path = written(tmp_path, {**GOOD, "also": ["02-b"], "errata": ["E01"]})
    assert read_syllabus(path) == [
        Row("S001", "a topic", "01-a", ("Sums",), ("t",), ("02-b",), ("E01",))
    ]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"topic": None}, r"row 1 \(S001\) needs one line of text as topic"),
        ({"topic": "two\nlines"}, "one line of text as topic"),
        ({"id": 7}, r"row 1 \(7\) needs one line of text as id"),
        ({"lesson": " "}, "one line of text as lesson"),
        ({"taught": "Sums"}, "needs a list of texts as taught"),
        ({"tested": [3]}, "needs a list of texts as tested"),
        ({"tested": None}, "needs a list of texts as tested"),
        ({"taught": ["Sums", "Sums"]}, "says something twice in taught"),
        ({"errata": "E01"}, "needs a list of texts as errata"),
        ({"notes": "x"}, r"unknown keys \['notes'\]"),
    ],
)
def test_a_bad_row_is_refused_with_one_line_that_names_it(tmp_path, change, complaint):
    path = written(tmp_path, {**GOOD, **change})
    with pytest.raises(LessonError, match=complaint) as caught:
        read_syllabus(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_row_without_tested_is_refused(tmp_path):
    row = {key: value for key, value in GOOD.items() if key != "tested"}
    with pytest.raises(LessonError, match="list of texts as tested"):
        read_syllabus(written(tmp_path, row))


def test_two_rows_with_one_id_are_refused(tmp_path):
    with pytest.raises(LessonError, match="two rows have the id 'S001'"):
        read_syllabus(written(tmp_path, GOOD, GOOD))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- id: [", "not YAML"),
        ("id: S001", "should be a list of rows"),
        ("- just text", "row 1 should be a mapping"),
        ("", "should be a list of rows"),
    ],
)
def test_a_file_that_is_no_syllabus_is_refused_in_one_line(tmp_path, text, complaint):
    path = tmp_path / "syllabus.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LessonError, match=complaint) as caught:
        read_syllabus(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_a_lesson_error(tmp_path):
    with pytest.raises(LessonError, match="no syllabus here"):
        read_syllabus(tmp_path / "syllabus.yml")


# --- Following anchors


def cell(grade_id, **flags):
    kind = {"grade": False, "solution": False, "locked": False, "points": 0, **flags}
    return nbformat.v4.new_code_cell(metadata={"nbgrader": {"grade_id": grade_id, **kind}})


@pytest.fixture
def notebook():
    return nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Sums\n\n```python\n# a comment\n```\n\n## Means ##x"),
            cell("mean", solution=True),
            cell("test-mean", grade=True, locked=True, points=2),
        ]
    )


def row(taught=("Sums",), tested=("test-mean",), also=(), lesson="01-a"):
    return Row("S001", "a topic", lesson, tuple(taught), tuple(tested), tuple(also))


def test_headings_and_cells_are_anchors_and_comments_in_code_are_not(notebook):
    anchors = find_anchors(notebook)
    assert anchors.headings == {"Sums", "Means ##x"}
    assert anchors.cells == {"mean", "test-mean"}
    assert anchors.graded == {"test-mean"}


def test_a_row_taught_by_a_heading_and_a_cell_and_tested_by_a_graded_cell_lacks_nothing(notebook):
    assert missing(row(taught=["Sums", "mean"]), "01-a", find_anchors(notebook)) == []


@pytest.mark.parametrize(
    ("gap", "complaint"),
    [
        ({"taught": []}, "taught nowhere"),
        ({"tested": []}, "tested nowhere"),
        ({"taught": ["Sum"]}, "taught at 'Sum', which is neither a heading nor a grade_id"),
        ({"taught": ["a comment"]}, "taught at 'a comment', which is neither"),
        ({"tested": ["mean"]}, "tested by 'mean', which is not graded"),
        ({"tested": ["test-sum"]}, "tested by 'test-sum', which does not exist"),
        ({"tested": ["Sums"]}, "tested by 'Sums', which does not exist"),
    ],
)
def test_each_gap_is_one_line_that_names_row_and_lesson(notebook, gap, complaint):
    (line,) = missing(row(**gap), "01-a", find_anchors(notebook))
    assert line.startswith(f"S001 in 01-a: {complaint}")


def test_an_anchor_with_a_lesson_before_it_is_looked_up_there(notebook):
    both = row(taught=["Sums", "02-b/Means ##x"], also=["02-b"])
    assert both.in_lesson("02-b") == (["Means ##x"], [])
    assert missing_anchors([both], {"01-a": notebook, "02-b": notebook}) == []
    astray = row(taught=["Sums", "02-b/Modes"], also=["02-b"])
    (line,) = missing_anchors([astray], {"01-a": notebook, "02-b": notebook})
    assert line.startswith("S001 in 02-b: taught at 'Modes'")


def test_a_written_lesson_of_also_has_to_hold_an_anchor(notebook):
    (line,) = missing_anchors([row(also=["02-b"])], {"01-a": notebook, "02-b": notebook})
    assert line == "S001 in 02-b: has no anchor here, though `also` names the lesson"


def test_a_slash_in_a_heading_is_no_lesson():
    assert row(taught=["3×3/2 pooling"], also=["02-b"]).place("3×3/2 pooling") == (
        "01-a",
        "3×3/2 pooling",
    )


def test_coverage_counts_rows_of_written_lessons_that_lack_nothing(notebook):
    rows = [row(), row(tested=[]), row(tested=["gone"]), row(lesson="02-b")]
    count = coverage(rows, {"01-a": notebook})
    assert (count.covered, count.written, count.total) == (1, 3, 4)
    assert str(count) == "1 of 4 syllabus rows are taught and tested."


def test_rows_are_grouped_by_the_lesson_that_teaches_them_first():
    first, second, third = row(lesson="02-b", also=["03-c"]), row(), row(lesson="02-b")
    assert rows_by_lesson([first, second, third]) == {"02-b": [first, third], "01-a": [second]}


def test_only_lessons_with_a_text_are_written(tmp_path):
    (tmp_path / "01-a.py").write_text("# %% [markdown]\n# # Sums\n", encoding="utf-8")
    found = written_lessons([row(also=["02-b"])], tmp_path)
    assert list(found) == ["01-a"]
    assert find_anchors(found["01-a"]).headings == {"Sums"}
