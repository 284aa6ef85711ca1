"""Whatever a student does to graded cells, the master's come back; the student's work stays."""

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import v4

from autograder.exercises import grade_id
from autograder.restore import restore
from autograder.submission import read_submission
from autograder.text import dump, name_cells


def cell(kind, name, source, **meta):
    make = v4.new_code_cell if kind == "code" else v4.new_markdown_cell
    made = make(source)
    if name:
        made.metadata["nbgrader"] = {"grade_id": name, "schema_version": 3, **meta}
    return made


SOLUTION = {"solution": True, "grade": False, "locked": False}
TEST = {"solution": False, "grade": True, "locked": True, "points": 5}
LOCKED = {"solution": False, "grade": False, "locked": True}
MANUAL = {"solution": True, "grade": True, "locked": False, "points": 2}


def master():
    notebook = v4.new_notebook(
        cells=[
            cell("markdown", "", "# Title"),
            cell("code", "imports", "import math", **LOCKED),
            cell("code", "f", "def f(): return 42", **SOLUTION),
            cell("code", "test-f", "assert f() == 42\nHIDDEN", **TEST),
            cell("code", "", "plot(f)"),
            cell("markdown", "essay", "because", **MANUAL),
            cell("code", "g", "def g(): return 43", **SOLUTION),
            cell("code", "test-g", "assert g() == 43\nHIDDEN", **TEST),
        ]
    )
    name_cells(notebook)
    return notebook


def release():
    notebook = master()
    for c in notebook.cells:
        c.source = c.source.replace("\nHIDDEN", "")
        if c.metadata.get("nbgrader", {}).get("solution"):
            c.source = "raise NotImplementedError"
    return notebook


def handed_in(**answers):
    notebook = release()
    for c in notebook.cells:
        c.source = answers.get(grade_id(c), c.source)
    return notebook


def restored(notebook):
    return restore(master(), release(), read_submission(dump(notebook)).notebook)


def sources(notebook):
    return {grade_id(c): c.source for c in notebook.cells if grade_id(c)}


def position(notebook, name):
    return [grade_id(c) for c in notebook.cells].index(name)


HONEST = {"f": "def f(): return 1", "g": "def g(): return 2", "essay": "mine"}


def check_graded(notebook):
    """Every graded cell is the master's, once, in the master's order."""
    expected = [c for c in master().cells if grade_id(c)]
    got = [c for c in notebook.cells if grade_id(c)]
    assert [grade_id(c) for c in got] == [grade_id(c) for c in expected]
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.metadata == theirs.metadata and mine.cell_type == theirs.cell_type
        if not theirs.metadata.nbgrader.solution:
            assert mine.source == theirs.source
    ids = [c.id for c in notebook.cells]
    assert len(set(ids)) == len(ids)
    nbformat.validate(notebook)


def test_an_honest_submission_keeps_its_work_and_needs_no_note():
    got = restored(handed_in(**HONEST))
    check_graded(got.notebook)
    assert {n: sources(got.notebook)[n] for n in HONEST} == HONEST
    assert got.notes == [] and got.work == 3
    assert [c.source for c in got.notebook.cells if not grade_id(c)] == ["# Title", "plot(f)"]


def test_deleted_solutions_come_back_as_stubs_and_deleted_tests_as_tests():
    notebook = handed_in(**HONEST)
    notebook.cells = [c for c in notebook.cells if grade_id(c) not in ("f", "test-g", "imports")]
    got = restored(notebook)
    check_graded(got.notebook)
    assert sources(got.notebook)["f"] == "raise NotImplementedError"
    assert got.notes == [
        "deleted solution cells: f",
        "deleted test or locked cells, put back: imports, test-g",
    ]
    assert got.work == 2


def test_edited_tests_are_the_masters_again():
    notebook = handed_in(**HONEST, **{"test-f": "pass", "imports": "math = None"})
    got = restored(notebook)
    check_graded(got.notebook)
    assert got.notes == ["changed test or locked cells, put back: imports, test-f"]


def test_a_duplicated_solution_counts_first_and_runs_as_the_students_own_cell():
    notebook = handed_in(**HONEST)
    copy = nbformat.from_dict(notebook.cells[2])
    copy.source = "def f(): return 'copy'"
    notebook.cells.insert(3, copy)
    got = restored(notebook)
    check_graded(got.notebook)
    assert sources(got.notebook)["f"] == HONEST["f"]
    follower = got.notebook.cells[position(got.notebook, "f") + 1]
    assert follower.source == copy.source and not follower.metadata
    assert got.notes == ["duplicated cells: f"]


def test_a_duplicated_test_runs_once():
    notebook = handed_in(**HONEST)
    notebook.cells.insert(4, nbformat.from_dict(notebook.cells[3]))
    got = restored(notebook)
    check_graded(got.notebook)
    assert len(got.notebook.cells) == len(master().cells)


@pytest.mark.parametrize(
    "change",
    [
        {"points": 100},
        {"grade": False},
        {"solution": True},
        {"locked": False},
        {"task": True},
        {"points": "many"},
    ],
)
def test_changed_metadata_is_the_masters_again(change):
    notebook = handed_in(**HONEST)
    notebook.cells[3].metadata.nbgrader.update(change)
    notebook.cells[3].metadata["tags"] = ["skip-execution"]
    notebook.cells[2].metadata["tags"] = ["skip-execution", "parameters"]
    got = restored(notebook)
    check_graded(got.notebook)
    assert "changed cell metadata, put back: test-f" in got.notes


def test_a_cell_without_metadata_is_known_by_its_id():
    notebook = handed_in(**HONEST)
    for c in notebook.cells:
        c.metadata = nbformat.from_dict({})
    got = restored(notebook)
    check_graded(got.notebook)
    assert sources(got.notebook)["f"] == HONEST["f"] and got.work == 3


def test_a_cell_without_an_id_is_known_by_its_metadata():
    notebook = handed_in(**HONEST)
    notebook.nbformat_minor = 4
    for c in notebook.cells:
        c.pop("id")
    got = restored(notebook)
    check_graded(got.notebook)
    assert got.notes == [] and sources(got.notebook)["g"] == HONEST["g"]


def test_cells_in_another_order_are_put_back_with_what_followed_them():
    notebook = handed_in(**HONEST)
    notebook.cells.reverse()
    got = restored(notebook)
    check_graded(got.notebook)
    assert "graded cells stood in another order, put back" in got.notes
    assert sources(got.notebook)["f"] == HONEST["f"]


def test_a_retyped_cell_has_its_type_again_and_its_text_still():
    notebook = handed_in(**HONEST)
    old = notebook.cells[2]
    notebook.cells[2] = v4.new_markdown_cell(old.source, metadata=old.metadata, id=old.id)
    test = notebook.cells[3]
    notebook.cells[3] = v4.new_raw_cell(test.source, metadata=test.metadata, id=test.id)
    got = restored(notebook)
    check_graded(got.notebook)
    assert sources(got.notebook)["f"] == HONEST["f"]


def test_the_students_own_cells_keep_their_place_and_lose_their_metadata():
    notebook = handed_in(**HONEST)
    mine = v4.new_code_cell("helper = 1", metadata={"tags": ["skip-execution"]})
    notebook.cells.insert(2, mine)
    first = v4.new_code_cell("first = 1")
    notebook.cells.insert(0, first)
    got = restored(notebook)
    check_graded(got.notebook)
    assert got.notebook.cells[0].source == "first = 1"
    before = got.notebook.cells[position(got.notebook, "f") - 1]
    assert before.source == "helper = 1" and not before.metadata


def test_a_cell_of_the_students_own_cannot_become_a_graded_one():
    notebook = handed_in(**HONEST)
    notebook.cells.append(cell("code", "bonus", "1000", **{**TEST, "points": 1000}))
    got = restored(notebook)
    check_graded(got.notebook)
    assert got.notebook.cells[-1].source == "1000" and not got.notebook.cells[-1].metadata


def test_a_notebook_of_another_lesson_is_said_to_be_one():
    other = v4.new_notebook(cells=[v4.new_code_cell("x = 1")])
    got = restored(other)
    check_graded(got.notebook)
    assert got.notes == ["no graded cell is left in the notebook: is it the right one?"]
    assert got.work == 0


def test_outputs_of_the_submission_are_gone():
    notebook = handed_in(**HONEST)
    notebook.cells[3].outputs = [v4.new_output("execute_result", {"text/plain": "100"})]
    got = restored(notebook)
    assert all(not c.get("outputs") for c in got.notebook.cells)


def test_a_thousand_equal_cells_have_names_of_their_own_soon():
    notebook = handed_in(**HONEST)
    notebook.cells += [v4.new_code_cell("pass") for _ in range(1000)]
    ids = [c.id for c in restored(notebook).notebook.cells]
    assert len(ids) == len(set(ids)) == 1008


actions = st.tuples(
    st.sampled_from(["delete", "copy", "move", "retag", "plain"]), st.integers(0, 40)
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(actions, max_size=8))
def test_restoring_twice_changes_nothing_more(steps):
    notebook = handed_in(**HONEST)
    for action, place in steps:
        if not notebook.cells:
            break
        place %= len(notebook.cells)
        chosen = notebook.cells[place]
        if action == "delete":
            del notebook.cells[place]
        elif action == "copy":
            notebook.cells.append(nbformat.from_dict(chosen))
        elif action == "move":
            notebook.cells.insert(0, notebook.cells.pop(place))
        elif action == "retag":
            chosen.metadata["nbgrader"] = {"grade_id": "test-f", "grade": False}
        else:
            chosen.metadata = nbformat.from_dict({})
    for number, c in enumerate(notebook.cells):
        c.id = c.id if c.id not in [d.id for d in notebook.cells[:number]] else f"new{number}"
    once = restored(notebook).notebook
    check_graded(once)
    twice = restored(once).notebook
    assert dump(once) == dump(twice)
