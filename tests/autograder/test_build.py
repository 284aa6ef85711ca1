"""A lesson's text becomes its notebooks, the same each time, and edits find their way back."""

import nbformat
import pytest

from autograder.build import (
    build,
    build_solution,
    edited,
    products,
    pull,
    solution_is_stale,
    source_notebook,
    stale,
)
from autograder.errors import LessonError
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.ingredients import data_digest

META = 'nbgrader={"grade_id": "%s", "schema_version": 3, "task": false, %s}'
SOLUTION = META % ("f", '"grade": false, "solution": true, "locked": false')
TEST = META % ("test-f", '"grade": true, "solution": false, "locked": true, "points": 2')
TEXT = f"""\
# %% [markdown]
# # A lesson

# %% {SOLUTION}
def f(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% {TEST}
assert f(1) == 2
### BEGIN HIDDEN TESTS
assert f(21) == 42
### END HIDDEN TESTS

# %%
print("the end", f(4))
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "source" / "01").mkdir(parents=True)
    (tmp_path / "source" / "01.py").write_text(TEXT)
    (tmp_path / "source" / "01" / "photo.png").write_bytes(b"png")
    (tmp_path / "source" / "01" / "notes.py").write_text("answers")
    return CourseFolder.open(tmp_path)


def write(folder):
    for product in products(folder, "01"):
        write_atomically(product.path, product.content)


def text_of(path):
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def test_a_release_has_stubs_and_visible_tests_alone(folder):
    write(folder)
    release = folder.release / "01"
    assert sorted(p.name for p in release.iterdir()) == ["01.ipynb", "photo.png"]
    text = text_of(release / "01.ipynb")
    assert "2 * x" not in text and "42" not in text and "SOLUTION" not in text
    assert "assert f(1) == 2" in text and "raise NotImplementedError" in text
    assert "42" in text_of(folder.source / "01" / "01.ipynb")


def test_two_builds_are_equal_and_a_fresh_one_is_not_stale(folder):
    once = [(p.path, p.content) for p in products(folder, "01")]
    assert once == [(p.path, p.content) for p in products(folder, "01")]
    assert all(p.stale for p in products(folder, "01"))
    write(folder)
    assert not any(p.stale for p in products(folder, "01"))


def test_whatever_changes_or_is_left_over_is_stale(folder):
    write(folder)
    release = folder.release / "01"
    (release / "old.png").write_bytes(b"old")
    (release / "photo.png").unlink()
    found = stale(folder, ["01"])
    assert found == [release / "photo.png", release / "old.png", folder.solutions / "01/01.ipynb"]


def test_a_build_runs_the_solution_without_the_hidden_tests(folder):
    changed = build(folder, ["01"], log=lambda line: None)
    solution = folder.solutions / "01" / "01.ipynb"
    assert solution in changed and "42" not in text_of(solution)
    cells = nbformat.read(solution, as_version=4).cells
    assert cells[-1].outputs[0].text == "the end 8\n"
    assert not solution_is_stale(folder, "01") and stale(folder, ["01"]) == []
    assert build(folder, ["01"], log=lambda line: None) == []
    text = folder.text("01")
    text.write_text(TEXT.replace("the end", "fin"))
    assert solution_is_stale(folder, "01")


def make_package(root):
    """A course's own package: a zoo with weights, a module with a table, a helper without data."""
    for name in ("toys", "toys/zoo"):
        (root / name).mkdir()
        (root / name / "__init__.py").touch()
    (root / "toys" / "zoo" / "net.safetensors").write_bytes(b"1")
    (root / "toys" / "zoo" / "weights.py").touch()
    (root / "toys" / "runs.py").touch()
    (root / "toys" / "runs.json").write_text("1")
    (root / "toys" / "plots.py").touch()


@pytest.mark.parametrize(
    ("statement", "stale_after"),
    [
        ("from toys.zoo import __name__ as name", {"zoo"}),
        ("from toys import zoo", {"zoo"}),
        ("if True:\n    import toys.zoo.weights", {"zoo"}),
        ("import toys.zoo\nfrom toys import plots, runs", {"zoo", "runs"}),
        ("%matplotlib inline\nfrom toys import runs", {"runs"}),
        ("from toys import plots", set()),
        ("import json, numpy", set()),
        ("this is no Python", set()),
    ],
)
def test_data_of_the_courses_modules_that_a_lesson_imports_makes_it_stale(
    folder, statement, stale_after
):
    make_package(folder.root)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(statement)])
    files = {"zoo": "toys/zoo/net.safetensors", "runs": "toys/runs.json"}
    found = set()
    for name, path in files.items():
        before = data_digest(folder.root, notebook)
        (folder.root / path).write_bytes(b"2")
        found |= {name} if data_digest(folder.root, notebook) != before else set()
    assert found == stale_after
    before = data_digest(folder.root, notebook)
    (folder.root / "toys" / "zoo" / "weights.py").write_text("# mended")
    assert data_digest(folder.root, notebook) == before


def test_a_solution_is_run_again_when_the_weights_that_it_uses_change(folder, monkeypatch):
    make_package(folder.root)
    monkeypatch.setenv("PYTHONPATH", str(folder.root))
    weights = folder.root / "toys" / "zoo" / "net.safetensors"
    use = "from pathlib import Path\nimport toys.zoo\n"
    use += 'print((Path(toys.zoo.__file__).parent / "net.safetensors").read_text())\n'
    folder.text("01").write_text(TEXT + "\n# %%\n" + use)
    build(folder, ["01"], log=lambda line: None)
    assert stale(folder, ["01"]) == []
    weights.write_bytes(b"2")
    solution = folder.solutions / "01" / "01.ipynb"
    assert stale(folder, ["01"]) == [solution] == build(folder, ["01"], log=lambda line: None)
    assert nbformat.read(solution, as_version=4).cells[-1].outputs[0].text == "2\n"
    assert stale(folder, ["01"]) == []


def test_a_solution_that_fails_is_said_to_fail(folder):
    folder.text("01").write_text(TEXT.replace("assert f(1) == 2", "assert f(1) == 3"))
    with pytest.raises(LessonError, match="AssertionError"):
        build_solution(folder, "01", log=lambda line: None)
    assert not (folder.solutions / "01" / "01.ipynb").exists()


def edit(folder, old, new):
    path = folder.source / "01" / "01.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace(old, new)
    nbformat.write(notebook, path)
    return path


def test_an_edit_of_the_notebook_is_pulled_into_the_text(folder):
    write(folder)
    path = edit(folder, "2 * x", "x + x")
    assert edited(path)
    with pytest.raises(LessonError, match="--pull"):
        list(products(folder, "01"))
    assert pull(folder, ["01"]) == [folder.text("01")]
    assert "x + x" in folder.text("01").read_text() and not edited(path)
    assert pull(folder, ["01"]) == []
    cells = source_notebook(folder.text("01")).cells
    assert cells[1].metadata.nbgrader.grade_id == "f"


def test_edits_on_both_sides_are_not_merged(folder):
    write(folder)
    edit(folder, "2 * x", "x + x")
    folder.text("01").write_text(TEXT.replace("the end", "fin"))
    with pytest.raises(LessonError, match="both the text and the notebook"):
        pull(folder, ["01"])
    assert "fin" in folder.text("01").read_text()


@pytest.mark.parametrize(
    "old, new, reason",
    [
        ("### END SOLUTION", "", "ClearSolutions"),
        ("### END HIDDEN TESTS", "", "ClearHiddenTests|ClearSolutions"),
        ('"test-f"', '"f"', "two cells have the grade_id"),
    ],
)
def test_a_lesson_that_would_leak_or_confuse_is_refused(folder, old, new, reason):
    folder.text("01").write_text(TEXT.replace(old, new))
    with pytest.raises(LessonError, match=reason):
        list(products(folder, "01"))
    assert not folder.release.exists()
