"""Any bytes become a notebook, or one line that says why not."""

import copy
import json
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import v4

from autograder import submission
from autograder.errors import SubmissionError
from autograder.restore import restore
from autograder.submission import find_notebook, read_submission, show_name
from autograder.text import dump


def notebook():
    """A small honest submission as JSON data."""
    cells = [
        v4.new_markdown_cell("# Title"),
        v4.new_code_cell("x = 1", metadata={"nbgrader": {"grade_id": "a", "solution": True}}),
        v4.new_code_cell(
            "assert x", metadata={"nbgrader": {"grade_id": "b", "grade": True, "points": 1}}
        ),
    ]
    return json.loads(dump(v4.new_notebook(cells=cells)))


def read(data):
    return read_submission(json.dumps(data).encode())


def test_a_notebook_is_read_with_its_sources_types_and_grade_ids():
    cells = read(notebook()).notebook.cells
    assert [cell.cell_type for cell in cells] == ["markdown", "code", "code"]
    assert cells[1].source == "x = 1" and cells[1].metadata.nbgrader.grade_id == "a"


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"hello", "not a notebook"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[]", "another kind"),
        (b"{}", "another kind"),
        (b"5", "another kind"),
        (b'{"nbformat": 9, "cells": []}', "format is 9"),
        (b'{"nbformat": "4", "cells": []}', "format is '4'"),
        (b'{"nbformat": true, "cells": []}', "format is True"),
        (b'{"nbformat": NaN, "cells": []}', "format is nan"),
        (b'{"nbformat": 4}', "list of cells"),
        (b'{"nbformat": 4, "cells": {}}', "list of cells"),
        (b'{"nbformat": 3, "cells": []}', "format 3|list of cells"),
        (b'{"nbformat": 3, "worksheets": 5}', "format 3"),
        (b'{"nbformat": 1}', "format 1|list of cells"),
        (b'{"nbformat": ' + b"9" * 10_000 + b"}", "cut off or damaged"),
        (b"[" * 100_000, "deeply"),
        (b'{"a":' * 100_000, "deeply"),
    ],
)
def test_what_is_no_notebook_has_one_line_that_says_so(content, reason):
    with pytest.raises(SubmissionError, match=reason) as caught:
        read_submission(content)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_every_cut_of_a_notebook_is_said_to_be_cut_off():
    content = json.dumps(notebook()).encode()
    for end in range(1, len(content), 7):
        with pytest.raises(SubmissionError, match="cut off"):
            read_submission(content[:end])


def test_a_file_too_large_or_of_too_many_cells_is_refused(monkeypatch):
    data = notebook()
    data["cells"] = data["cells"][:1] * (submission.MAX_CELLS + 1)
    with pytest.raises(SubmissionError, match="cells, more than"):
        read(data)
    monkeypatch.setattr(submission, "MAX_BYTES", 100)
    with pytest.raises(SubmissionError, match="clear its outputs"):
        read(notebook())


def test_an_old_notebook_is_converted_and_that_is_noted():
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {
                        "cell_type": "code",
                        "input": ["x = 1"],
                        "language": "python",
                        "metadata": {},
                        "outputs": [],
                        "collapsed": False,
                        "prompt_number": None,
                    }
                ],
            }
        ],
    }
    got = read(old)
    assert got.notebook.cells[0].source == "x = 1" and "format 3" in got.notes[0]


def test_a_byte_order_mark_and_sources_in_lines_are_read():
    data = notebook()
    data["cells"][1]["source"] = ["x = 1\n", "y = 2", 5, None]
    got = read_submission(b"\xef\xbb\xbf" + json.dumps(data).encode())
    assert got.notebook.cells[1].source == "x = 1\ny = 2"


def test_damaged_cells_are_left_out_and_counted():
    data = notebook()
    data["cells"] += [5, None, {}, {"cell_type": "spell"}, {"cell_type": "code", "source": 5}]
    got = read(data)
    assert len(got.notebook.cells) == 3 and got.notes == ["5 damaged cells were left out"]


def test_half_a_character_in_a_source_can_be_written_again():
    data = notebook()
    data["cells"][1]["source"] = "x = '\ud800'"
    assert json.loads(dump(read(data).notebook))["cells"][1]["source"] == ["x = '\\ud800'"]


def test_half_a_character_in_an_output_can_be_written_and_read_again():
    output = v4.new_output("stream", text="\ud800")
    whole = v4.new_notebook(cells=[v4.new_code_cell("print()", outputs=[output])])
    assert json.loads(dump(whole))["cells"][0]["outputs"][0]["text"] == ["\ud800"]


def _places(data, path=()):
    yield path
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))
        else:
            yield (*path, key)


STRANGE = [
    None, True, -1, 0, 2**70, 1.5, float("nan"), "", "x", "\ud800", "\x00", [], {}, [[]], [None],
    {"nbgrader": 5}, {"nbgrader": {"grade_id": [1]}}, {"nbgrader": {"grade_id": "b", "grade": "yes"}},
    "code", "markdown", "raw", ["a", 1], [{"cell_type": "code", "source": "x"}],
]  # fmt: skip


def mutated(seed):
    """The honest submission, damaged in one to four places; some of them are cut or spliced."""
    random_ = random.Random(seed)
    data = notebook()
    for _ in range(random_.randint(1, 4)):
        places = [p for p in _places(data) if p] if isinstance(data, dict | list) else []
        if not places:
            break
        *path, last = random_.choice(places)
        parent = data
        for key in path:
            parent = parent[key]
        action = random_.randrange(4)
        if action == 0:
            del parent[last]
        elif action == 1 and isinstance(parent, list):
            parent.insert(random_.randint(0, len(parent)), json.loads(json.dumps(parent[last])))
        elif action == 2 and isinstance(parent, dict):
            parent[random_.choice(["source", "id", "metadata", "cell_type", "x"])] = parent.pop(
                last
            )
        else:
            parent[last] = copy.deepcopy(random_.choice(STRANGE))
    content = json.dumps(data).encode()
    if random_.random() < 0.2:
        place = random_.randrange(len(content))
        content = content[:place] + bytes([random_.randrange(256)]) + content[place + 1 :]
    return content


def check_mutations(count):
    outcomes = {"read": 0, "refused": 0}
    master = read(notebook()).notebook
    for seed in range(count):
        try:
            got = read_submission(mutated(seed))
        except SubmissionError as error:
            assert "\n" not in str(error)
            outcomes["refused"] += 1
            continue
        restored = restore(master, master, got.notebook)
        again = read_submission(dump(restored.notebook))
        assert [c.source for c in again.notebook.cells if c.id == "b"] == ["assert x"]
        outcomes["read"] += 1
    assert min(outcomes.values()) > count // 20, outcomes


def test_200_mutations_give_a_notebook_or_a_reason():
    check_mutations(200)


@pytest.mark.slow
def test_2000_mutations_give_a_notebook_or_a_reason():
    check_mutations(2000)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_reason(content):
    with pytest.raises(SubmissionError):
        read_submission(content)


def test_the_notebook_of_the_right_name_is_found(tmp_path):
    (tmp_path / "a.ipynb").write_text("{}")
    (tmp_path / "b.ipynb").write_text("{}")
    assert find_notebook(tmp_path, "a") == (tmp_path / "a.ipynb", [])


def test_a_single_notebook_of_another_name_is_taken_and_noted(tmp_path):
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "a.ipynb").write_text("{}")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a (1).ipynb").write_text("{}")
    path, notes = find_notebook(tmp_path, "a")
    assert path.name == "a (1).ipynb" and "sub/a (1).ipynb" in notes[0]


def test_no_notebook_and_too_many_notebooks_are_reasons(tmp_path):
    with pytest.raises(SubmissionError, match=r"a\.ipynb is missing"):
        find_notebook(tmp_path, "a")
    (tmp_path / "a.ipynb").mkdir()
    with pytest.raises(SubmissionError, match="missing"):
        find_notebook(tmp_path, "a")
    for name in "bc":
        (tmp_path / f"{name}.ipynb").write_text("{}")
    with pytest.raises(SubmissionError, match="2 notebooks and none"):
        find_notebook(tmp_path, "a")


def test_a_link_out_of_the_submission_is_not_followed(tmp_path):
    (tmp_path / "theirs.ipynb").write_text("{}")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.ipynb").symlink_to("../theirs.ipynb")
    with pytest.raises(SubmissionError, match="link out"):
        find_notebook(folder, "a")
    (folder / "a.ipynb").rename(folder / "b.ipynb")
    with pytest.raises(SubmissionError, match="missing"):
        find_notebook(folder, "a")
    (folder / "c.ipynb").write_text("{}")
    (folder / "a.ipynb").symlink_to("c.ipynb")
    assert find_notebook(folder, "a")[0].name == "a.ipynb"
    (folder / "a.ipynb").unlink()
    (folder / "a.ipynb").symlink_to("a.ipynb")
    with pytest.raises(SubmissionError):
        find_notebook(folder, "a")


def test_a_name_that_is_no_text_can_be_shown():
    name = os.fsdecode(b"J\xfcrgen")
    assert show_name(name) == r"J\xfcrgen" and show_name("Jürgen") == "Jürgen"
