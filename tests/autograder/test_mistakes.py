"""A lesson's known mistakes, as its mistakes file lists them."""

import pytest

from autograder.errors import LessonError
from autograder.mistakes import leading_comment, read_audit, read_mistakes

GOOD = """\
# %% Kernel flipped exercise="conv" covers=[1, 3]
# You flipped the kernel:
# slide it as it is.
def conv(x):
    # not part of the message
    return x

# %% [markdown]
# Words between are no variants.

# %% Written with einsum exercise="conv" right=true
def conv(x):
    return 2 * x
"""


def read(tmp_path, text):
    path = tmp_path / "01.mistakes.py"
    path.write_text(text, encoding="utf-8")
    return read_mistakes(path)


def test_mistakes_and_alternatives_are_read_in_order(tmp_path):
    wrong, right = read(tmp_path, GOOD)
    assert (wrong.title, wrong.cell, wrong.right, wrong.covers) == (
        "Kernel flipped", "conv", False, (1, 3),
    )  # fmt: skip
    assert wrong.message == "You flipped the kernel: slide it as it is."
    assert wrong.name == "conv-kernel-flipped" and "return x" in wrong.source
    assert right.right and right.message == ""


def test_a_missing_file_has_no_mistakes(tmp_path):
    assert read_mistakes(tmp_path / "nowhere.py") == []


@pytest.mark.parametrize(
    "text, reason",
    [
        ("# %% Title\n# Told.\nx = 1\n", "needs a title and exercise"),
        ('# %% exercise="f"\n# Told.\nx = 1\n', "needs a title and exercise"),
        ('# %% Title exercise="f"\nx = 1\n', "no comment to tell"),
        ('# %% Title exercise="f" colour="red"\n# Told.\nx = 1\n', "unknown keys .*colour"),
        (GOOD + "\n" + GOOD, "two cells are titled"),
    ],
)
def test_a_cell_that_says_too_little_or_too_much_is_refused(tmp_path, text, reason):
    with pytest.raises(LessonError, match=reason):
        read(tmp_path, text)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "a.mistakes.py"
    path.write_bytes(b"# %% \xff")
    with pytest.raises(LessonError, match="UTF-8"):
        read_mistakes(path)


def test_only_the_leading_comment_is_told():
    assert leading_comment("# One\n#\n# two\nx = 1\n# three") == "One two"
    assert leading_comment("x = 1\n# late") == ""


MARKED = """\
# %% Every entry is written afterwards exercise="conv" equivalent=true
# The loop fills the whole array,
# whatever it held.
# - out = np.empty( shape )  # (OH, OW)
# + out = np.zeros(shape)
# + out = np.ones(shape)
# - for i in range(n):
# + for i in range(n + 1):
"""
WAITING = "# %% Survivors not looked at yet unaudited=true\n# Soon.\n"


def audit(tmp_path, text):
    path = tmp_path / "01.mistakes.py"
    path.write_text(text, encoding="utf-8")
    return read_audit(path)


def test_equivalent_mutants_are_marked_line_by_line_with_their_reason(tmp_path):
    found = audit(tmp_path, GOOD + "\n" + MARKED)
    assert found.done
    assert [marking.change for marking in found.equivalents] == [
        ("conv", "out = np.empty(shape)", "out = np.zeros(shape)"),
        ("conv", "out = np.empty(shape)", "out = np.ones(shape)"),
        ("conv", "for i in range(n):", "for i in range(n + 1):"),
    ]
    assert found.equivalents[0].reason == "The loop fills the whole array, whatever it held."


def test_a_file_may_say_that_nobody_has_looked_at_the_survivors(tmp_path):
    assert not audit(tmp_path, GOOD + "\n" + WAITING).done
    assert read_audit(tmp_path / "nowhere.py").done


def test_markings_are_no_mistakes(tmp_path):
    assert len(read(tmp_path, f"{GOOD}\n{MARKED}\n{WAITING}")) == 2


@pytest.mark.parametrize(
    "text, reason",
    [
        (MARKED.replace("Every entry is written afterwards ", ""), "needs a title and exercise"),
        (MARKED.replace('exercise="conv"', ""), "needs a title and exercise"),
        (MARKED.replace(" equivalent", " right=true equivalent"), "unknown keys .*right"),
        (MARKED.replace("# - out = np.empty( shape )  # (OH, OW)\n", ""), "needs a - line above"),
        (MARKED.replace("range(n + 1):", "range(n +"), "no line of Python"),
        ('# %% Same exercise="conv" equivalent=true\n# - a = 1\n# + a = 2\n', "needs a reason"),
        ('# %% Same exercise="conv" equivalent=true\n# Reason.\n', "the line before"),
    ],
)
def test_a_marking_that_says_too_little_is_refused(tmp_path, text, reason):
    with pytest.raises(LessonError, match=reason):
        audit(tmp_path, text)
