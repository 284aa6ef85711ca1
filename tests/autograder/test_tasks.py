"""What an exercise asks: its own words, the sections above it, its stub."""

from __future__ import annotations

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.exercises import read_exercises
from autograder.tasks import Asked, anchor, read_tasks, words


def solution(name: str, source: str = "raise NotImplementedError"):
    meta = {"grade_id": name, "solution": True, "grade": False, "locked": False, "task": False}
    return new_code_cell(source, metadata={"nbgrader": meta})


def test_cell(name: str):
    meta = {"grade_id": name, "grade": True, "solution": False, "locked": True, "points": 1}
    return new_code_cell("assert True", metadata={"nbgrader": meta})


test_cell.__test__ = False  # type: ignore[attr-defined]


def asked_of(*cells) -> dict[str, Asked]:
    notebook = new_notebook(cells=list(cells))
    return read_tasks(notebook, read_exercises(notebook))


def test_a_task_runs_from_its_heading_to_its_cell() -> None:
    found = asked_of(
        new_markdown_cell("# Title"),
        new_markdown_cell("## Part 1\n\nTheory.\n\n### Exercise 1 · `f`\n\nWrite f."),
        new_code_cell("plot()"),
        new_markdown_cell("More of it."),
        solution("f", "def f(x):\n    '''Twice x.'''\n    raise NotImplementedError"),
        test_cell("test-f"),
        new_markdown_cell("<details>\n<summary>Help</summary>\n\n## Not a heading\n</details>\n"),
        new_markdown_cell("### Exercise 2 · g\n\nWrite g.\n\n```\n# no heading\n```"),
        solution("g", "# g: a number\nraise NotImplementedError"),
        test_cell("test-g"),
    )
    f, g = found["f"], found["g"]
    assert (f.heading, f.section) == ("Exercise 1 · f", "Part 1")
    assert f.text.split() == ["Write", "f.", "More", "of", "it."]
    assert f.stub == "def f(x):\n    '''Twice x.'''"
    assert (g.heading, g.section, g.stub) == ("Exercise 2 · g", "Part 1", "# g: a number")
    assert "# no heading" in g.text and "Help" not in g.text


def test_the_second_exercise_under_a_heading_starts_where_the_first_one_ends() -> None:
    found = asked_of(
        new_markdown_cell("## Exercise 1 · Two parts\n\nFirst."),
        solution("a"),
        test_cell("test-a"),
        new_markdown_cell("Second."),
        solution("b"),
        test_cell("test-b"),
    )
    assert (found["a"].text, found["b"].text) == ("First.", "Second.")
    assert found["b"].heading == "Exercise 1 · Two parts" and found["b"].section == ""


def test_a_class_is_told_with_its_methods() -> None:
    source = (
        "class Layer:\n    '''A layer.'''\n\n    def forward(self, x):\n        '''Go on.'''\n"
        "        raise NotImplementedError"
    )
    (asked,) = asked_of(solution("layer", source), test_cell("t")).values()
    assert "class Layer:" in asked.stub and "def forward(self, x):" in asked.stub
    assert "NotImplementedError" not in asked.stub


def test_an_anchor_is_the_one_that_jupyterlab_gives_a_heading() -> None:
    heading = words("Exercise 3 · The `flip`, **twice** and [again](x.html)")
    assert heading == "Exercise 3 · The flip, twice and again"
    assert anchor(heading) == "Exercise-3-%C2%B7-The-flip%2C-twice-and-again"
