"""A lesson's text and its notebook say the same, with names that do not change."""

import pytest

from autograder.errors import LessonError
from autograder.text import digest, dump, name_cells, read_text, write_text

TEXT = """\
# %% [markdown]
# # Title
#
# Words.

# %% tags=["parameters"]
seed = 0

# %% nbgrader={"grade_id": "f", "solution": true}
def f(x):
    return x

# %%
%matplotlib inline
f(1)

# %%
f(1)

# %%
f(1)
"""


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "01.py"
    found.write_text(TEXT, encoding="utf-8")
    return found


def test_text_and_notebook_go_back_and_forth_unchanged(path):
    once = read_text(path)
    path.write_text(write_text(once), encoding="utf-8")
    twice = read_text(path)
    assert dump(once) == dump(twice) and digest(once) == digest(twice)
    assert once.cells[3].source.startswith("%matplotlib")


def test_a_cell_is_named_by_its_grade_id_or_its_content(path):
    ids = [cell.id for cell in read_text(path).cells]
    assert ids[2] == "f" and len(set(ids)) == len(ids)
    assert ids == [cell.id for cell in read_text(path).cells]
    assert ids[5] == f"{ids[4]}-2"


def test_naming_again_gives_the_same_names(path):
    notebook = read_text(path)
    before = dump(notebook)
    name_cells(notebook)
    assert dump(notebook) == before


@pytest.mark.parametrize("change", ["source", "tags", "points", "kind"])
def test_a_digest_changes_with_what_the_author_wrote(path, change):
    notebook = read_text(path)
    before = digest(notebook)
    notebook.cells[3].outputs = []
    notebook.cells[2].metadata.nbgrader["checksum"] = "x"
    assert digest(notebook) == before
    cell = notebook.cells[2]
    if change == "source":
        cell.source += " "
    elif change == "tags":
        cell.metadata["tags"] = ["a"]
    elif change == "points":
        cell.metadata.nbgrader["points"] = 5
    else:
        cell.cell_type = "markdown"
    assert digest(notebook) != before


def test_what_is_no_text_is_refused_with_its_place(tmp_path):
    with pytest.raises(LessonError, match="no such lesson"):
        read_text(tmp_path / "nowhere.py")
    (tmp_path / "a.py").write_bytes(b"# %%\n\xff")
    with pytest.raises(LessonError, match=r"a\.py.*UTF-8"):
        read_text(tmp_path / "a.py")
