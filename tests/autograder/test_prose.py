"""Lesson text as HTML: readable formulas, and nothing that loads, links or runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder.folder import CourseFolder
from autograder.prose import formula, prose
from autograder.record import read_lesson

REPOSITORY = Path(__file__).parents[2]


def plain(html: str) -> str:
    """A formula with its sub- and superscripts as ``_`` and ``^``."""
    html = re.sub(r"<sub>(.*?)</sub>", r"_(\1)", html)
    return re.sub(r"</?i>", "", re.sub(r"<sup>(.*?)</sup>", r"^(\1)", html))


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        ("W_1 x + b", "W_(1) x + b"),
        (r"\frac{a}{b} \cdot \frac{a+1}{2}", "a/b · (a+1)/2"),
        (r"\sum_{i=0}^{n-1} x_i^2", "∑_(i=0)^(n−1) x_(i)^(2)"),
        (r"\sigma'(z) \le 0.25", "σ′(z) ≤ 0.25"),
        (r"\begin{bmatrix}1&2\\0&1\end{bmatrix}", "[1 2; 0 1]"),
        (r"\left\lfloor \tfrac{n}{2} \right\rfloor", " ⌊ n/2 ⌋".strip()),
        (r"\hat{y} = \text{softmax}(z)", "y\u0302 = softmax(z)"),
        (r"\sqrt{2/n}, \ln x", "√(2/n), ln x"),
        (r"a < b \& c", "a &lt; b &amp; c"),
        (r"\unheard{x}", "unheardx"),
    ],
)
def test_a_formula_reads_as_letters(tex: str, shown: str) -> None:
    assert plain(formula(tex)) == shown


@pytest.mark.parametrize("tex", ["{" * 5000, "_" * 5000, r"\frac", r"\begin{", "}", "\\", "^"])
def test_a_broken_formula_is_shown_somehow(tex: str) -> None:
    assert isinstance(formula(tex), str)


def test_a_dollar_in_code_is_no_formula() -> None:
    html = prose("Type `$HOME` and $x_1$, then\n\n```\necho $a $b\n```\n")
    assert "<code>$HOME</code>" in html and "<i>x</i><sub>1</sub>" in html
    assert "echo $a $b" in html


def test_markdown_keeps_its_form_and_loses_what_leads_elsewhere() -> None:
    html = prose(
        "## Head\n\n- **bold** [text](https://example.org) ![picture](file.png)\n\n"
        "| a | b |\n|---|---|\n| 1 | $\\alpha$ |\n\n<script>alert(1)</script> <img src=x>\n"
    )
    assert "<strong>bold</strong> text picture" in html and "<td>α</td>" in html
    assert {"example.org", "file.png", "<script", "<img", "href"}.isdisjoint(
        re.findall(r"example\.org|file\.png|<script|<img|href", html)
    )


def test_every_task_of_the_course_reads_without_tex() -> None:
    folder = CourseFolder.open(REPOSITORY)
    built = [name for name in folder.lessons() if (folder.source / name).is_dir()]
    assert built
    for name in built:
        for exercise, asked in read_lesson(folder, name).tasks.items():
            text = re.sub(r"<code>.*?</code>|<[^>]+>", "", prose(asked.text), flags=re.DOTALL)
            assert not re.search(r"\\[a-z]|\$|[\ue000\ue001]", text), (name, exercise, text)
