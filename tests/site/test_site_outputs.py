"""What of an executed solution a page may show."""

import base64

import nbformat.v4 as v4
import pytest
from coursesite.dependence import depending, is_question, read_names
from coursesite.outputs import shown_outputs

PNG = base64.b64encode(b"\x89PNG picture").decode()


def text(words):
    return v4.new_markdown_cell(words)


def code(source, name, *, prints="", draws=False, **nbgrader):
    cell = v4.new_code_cell(source, id=name)
    if nbgrader:
        flags = {"grade": False, "solution": False, "locked": False, **nbgrader}
        cell.metadata["nbgrader"] = {"grade_id": name, "schema_version": 3, **flags}
    if prints:
        cell.outputs.append(v4.new_output("stream", name="stdout", text=prints))
    if draws:
        cell.outputs.append(v4.new_output("display_data", data={"image/png": PNG}))
    return cell


def solution(source, name, **more):
    return code(source, name, solution=True, **more)


def notebook(*cells):
    return v4.new_notebook(cells=list(cells))


# --- Which cells depend on a solution

SOLVED = solution("def double(x):\n    return 2 * x", "double")


@pytest.mark.parametrize(
    ("source", "depends"),
    [
        ("print(3)", False),
        ("print(double(3))", True),
        ("def show():\n    return double(3)", True),
        ("def show(double):\n    return double(3)", False),
        ("values = [double(x) for x in range(3)]", True),
        ("double = abs\nprint(double(3))", False),
        ("for double in range(3):\n    print(double)", False),
        ("if True:\n    double = 3\nprint(double)", True),
        ("%matplotlib inline", True),
    ],
)
def test_a_cell_depends_on_a_solution_whose_name_it_takes(source, depends):
    assert ("cell" in depending(notebook(SOLVED, code(source, "cell")))) == depends


@pytest.mark.parametrize(
    "way",
    [
        "y = double(3)",
        "y[0] = double(3)",
        "y.append(double(3))",
        "for x in range(3):\n    y.append(double(x))",
        "double(y)",
    ],
)
def test_dependence_is_handed_on_through_what_a_cell_binds_or_fills(way):
    cells = [SOLVED, code("y = []\nother = 1", "free"), code(way, "way"), code("print(y)", "end")]
    assert depending(notebook(*cells)) == {"double", "way", "end"}


def test_a_name_that_means_something_new_depends_no_more():
    cells = [
        SOLVED,
        code("figure, axes = plt.subplots()\naxes.plot(double(3))", "drawn"),
        code("figure, axes = plt.subplots()\naxes.plot(3)", "fresh"),
    ]
    assert depending(notebook(*cells)) == {"double", "drawn"}


def test_modules_are_never_filled():
    cells = [SOLVED, code("import numpy as np\nnp.save(double(3))", "a"), code("np.ones(3)", "b")]
    assert depending(notebook(*cells)) == {"double", "a"}


def test_a_question_asks_for_values_and_an_exercise_for_functions():
    assert is_question("q_units = 3\nq_why = 'a'")
    assert not is_question("LIMIT = 3\ndef double(x):\n    return 2 * x")
    assert not is_question("class Net:\n    pass")


def test_names_of_what_is_not_python_are_unknown():
    assert read_names("!ls") is None


# --- What is shown


def shown(*cells):
    return shown_outputs(notebook(*cells))


def test_what_every_untouched_notebook_shows_is_shown():
    found = shown(SOLVED, code("print(3)", "cell", prints="3\n", draws=True))["cell"]
    assert (found.texts, len(found.figures), found.withheld) == (["3"], 1, "")


def test_a_figure_of_a_student_s_function_is_shown_without_the_numbers():
    found = shown(SOLVED, code("draw(double(3))", "cell", prints="6\n", draws=True))["cell"]
    assert (found.texts, len(found.figures), found.withheld) == ([], 1, "solution")


QUESTION = solution("q_six = 6", "q-six", prints="6")


def test_right_below_a_question_nothing_is_shown():
    found = shown(text("## Question 1"), QUESTION, code("print(6)", "cell", prints="6"))
    assert found["cell"].texts == []
    assert found["cell"].withheld == "question"


@pytest.mark.parametrize(
    ("heading", "open_still"), [("### Aside", True), ("## Next", False), ("# End", False)]
)
def test_a_question_stays_open_up_to_a_heading_of_its_level(heading, open_still):
    cells = [text("## Question 1"), QUESTION, text(heading), code("1", "cell", prints="1")]
    assert (shown(*cells)["cell"].withheld == "question") == open_still


def test_a_heading_in_a_fence_closes_no_question():
    fenced = text("```\n# a comment\n```")
    cells = [text("## Question 1"), QUESTION, fenced, code("1", "cell", prints="1")]
    assert shown(*cells)["cell"].withheld == "question"


@pytest.mark.parametrize(("heading", "figures"), [("## Exercise 2", 0), ("## Part 2 · More", 1)])
def test_a_figure_of_a_student_s_function_waits_for_the_next_part_after_a_question(
    heading, figures
):
    drawn = code("draw(double(3))", "cell", draws=True)
    cells = [text("## Part 1"), SOLVED, text("## Question 1"), QUESTION, text(heading), drawn]
    assert len(shown(*cells)["cell"].figures) == figures


def test_solution_and_test_cells_show_nothing():
    graded = code("print(double(3))", "t", prints="6", grade=True, locked=True, points=1)
    assert shown(solution("def f(): ...", "f", prints="6", draws=True), QUESTION, graded) == {}


def test_progress_and_warnings_on_standard_error_are_left_out():
    cell = code("1", "cell")
    cell.outputs.append(v4.new_output("stream", name="stderr", text="100%|####| 3/3"))
    assert shown(cell)["cell"].texts == []


def test_colours_of_a_terminal_are_left_out():
    assert shown(code("1", "cell", prints="\x1b[31mred\x1b[0m"))["cell"].texts == ["red"]
