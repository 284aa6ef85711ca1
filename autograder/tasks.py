"""What an exercise asks: its words in the lesson, its stub, and the sections that lead to it.

Everything is read from the part of a master that students have, so nothing hidden can get in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from nbformat import NotebookNode

from autograder.exercises import Exercise, grade_id, role
from autograder.trusted import plain_python

HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
FENCE = re.compile(r"^\s*(```|~~~)")
FOLDED = re.compile(r"<details\b.*?</details>\s*", re.DOTALL)
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True)
class Asked:
    """What students read of one exercise.

    Attributes:
        heading: the heading that it stands under, as words; "" without one.
        section: the nearest heading above that teaches, not asks; "" without one.
        text: the task in Markdown, from its heading on, without the heading.
        stub: signatures and docstrings of what is to be written, or the stub's own comments.
    """

    heading: str = ""
    section: str = ""
    text: str = ""
    stub: str = ""


def anchor(heading: str) -> str:
    """The fragment by which JupyterLab, nbconvert and nbviewer know a heading."""
    return quote(heading.replace(" ", "-"), safe="-._~·")


def words(heading: str) -> str:
    """A heading as it is read: without Markdown's marks."""
    heading = LINK.sub(r"\1", heading)
    return re.sub(r"(\*\*|__|`)|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)", "", heading).strip()


def read_tasks(notebook: NotebookNode, exercises: Sequence[Exercise]) -> dict[str, Asked]:
    """What each exercise asks, by its name.

    Args:
        notebook: the release, solutions and hidden tests cleared.
        exercises: those of its master.
    """
    first = {next(iter((*e.solutions, *e.manual, *(t.grade_id for t in e.tests)))): e
             for e in exercises}  # fmt: skip
    sources = {grade_id(cell): cell for cell in notebook.cells if grade_id(cell)}
    found: dict[str, tuple[str, str, int]] = {}
    headings: list[tuple[int, str]] = []
    text: list[str] = []
    for cell in notebook.cells:
        if exercise := first.get(grade_id(cell)):
            task = grade_id(cell) in exercise.manual and _is_task(cell)
            asked = "\n".join([*text, str(cell.source)] if task else text).strip()
            stubs = [_stub(str(sources[n].source)) for n in exercise.solutions if n in sources]
            found[exercise.name] = asked, "\n\n".join(filter(None, stubs)), len(headings)
        if role(cell) not in ("plain", "locked"):
            text = []  # what follows belongs to the next exercise
        elif cell.cell_type == "markdown":
            for line, heading in _lines(str(cell.source)):
                if heading:
                    headings.append(heading)
                text = [] if heading else [*text, line]
            text.append("")
    asking = {headings[place - 1] for *_, place in found.values() if place}
    told = {}
    for name, (asked, stub, place) in found.items():
        own = headings[place - 1][1] if place else ""
        # The notebook's own title is no section.
        above = [title for title in headings[: max(0, place - 1)] if title[0] > 1]
        section = next((title[1] for title in reversed(above) if title not in asking), "")
        told[name] = Asked(own, section, asked, stub)
    return told


def _is_task(cell: NotebookNode) -> bool:
    """Whether the cell holds the author's words; another manual cell holds the student's."""
    return bool(cell.metadata.nbgrader.get("task"))


def _lines(source: str) -> list[tuple[str, tuple[int, str] | None]]:
    """The lines of a Markdown cell, each with its rank and words where it is a heading.

    What the lesson folds (help, a solution of a worked example) stays out.
    """
    found: list[tuple[str, tuple[int, str] | None]] = []
    fenced = False
    for line in FOLDED.sub("", source).splitlines():
        fenced ^= bool(FENCE.match(line))
        title = None if fenced else HEADING.match(line)
        found.append((line, (len(title[1]), words(title[2])) if title else None))
    return found


def _stub(source: str) -> str:
    """Signatures with their docstrings; the leading comments where there is no function."""
    try:
        nodes = ast.parse(plain_python(source)).body
    except SyntaxError:
        return ""
    parts = []
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            parts += _signature(source, node)
    comments = [line for line in source.splitlines() if line.startswith("#")]
    return "\n\n".join(parts) if parts else "\n".join(comments)


def _signature(
    source: str, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
) -> list[str]:
    """The lines from ``def`` to the end of the docstring; of a class, its methods' too."""
    lines = source.splitlines()
    has_doc = ast.get_docstring(node) is not None
    last = node.body[0].end_lineno if has_doc else max(node.lineno, node.body[0].lineno - 1)
    found = ["\n".join(lines[node.lineno - 1 : last])]
    if isinstance(node, ast.ClassDef):
        methods = [n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        found += [text for method in methods for text in _signature(source, method)]
    return found
