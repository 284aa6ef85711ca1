"""Which outputs of the executed solution a page may show: what gives no answer away.

- What does not depend on a solution cell is shown: every student's untouched notebook draws and
  prints the same.
- A figure that does depend on one, such as a picture under the student's filter, is shown as long
  as its part of the lesson has asked no question yet; after a question it may be the answer.
- Numbers that depend on a solution are not shown.
- Right below a question nothing is shown, up to the next heading of the question's level or above.
- Solution and test cells never show an output.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field

from nbformat import NotebookNode

from autograder.exercises import role
from autograder.pages import clean
from autograder.syllabus import FENCE
from coursesite.dependence import depending, is_question

HEADINGS = re.compile(r"^(#{1,6})\s+(\S+)", re.MULTILINE)
PART = "Part"  # the first word of a heading with which a part of a lesson begins
BELOW_A_QUESTION = "question"
FROM_A_SOLUTION = "solution"


@dataclass
class Shown:
    """What a page shows of one cell.

    Attributes:
        texts: what it prints.
        figures: PNG files.
        withheld: why something is left out; empty when nothing is.
    """

    texts: list[str] = field(default_factory=list)
    figures: list[bytes] = field(default_factory=list)
    withheld: str = ""


def shown_outputs(executed: NotebookNode) -> dict[str, Shown]:
    """What may be shown of each code cell of an executed solution, by cell id."""
    depends = depending(executed)
    shown: dict[str, Shown] = {}
    level, question = 0, 0  # of the last heading; of the question that is open, or 0
    asked = False  # whether this part has asked a question
    for cell in executed.cells:
        if cell.cell_type == "markdown":
            for marks, word in HEADINGS.findall(FENCE.sub("", cell.source)):
                level = len(marks)
                question = 0 if level <= question else question
                asked = asked and word != PART
            continue
        kind = role(cell)
        if cell.cell_type != "code" or kind == "test":
            continue
        if kind in ("solution", "manual"):
            if is_question(cell.source):
                question, asked = question or max(level, 1), True
            continue
        shown[cell.id] = _shown(cell, cell.id in depends, open_question=bool(question), asked=asked)
    return shown


def _shown(cell: NotebookNode, depends: bool, *, open_question: bool, asked: bool) -> Shown:
    texts, figures = _texts(cell), _figures(cell)
    if not texts and not figures:
        return Shown()
    if open_question:
        return Shown(withheld=BELOW_A_QUESTION)
    if not depends:
        return Shown(texts, figures)
    if asked:
        return Shown(withheld=FROM_A_SOLUTION)
    return Shown(figures=figures, withheld=FROM_A_SOLUTION if texts else "")


def _texts(cell: NotebookNode) -> list[str]:
    """Standard output and values; progress and warnings are left out."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            parts.append(str(output.text))
        elif "data" in output and "image/png" not in output.data:
            parts.append(str(output.data.get("text/plain", "")) + "\n")
    text = str(clean("".join(parts))).rstrip()
    return [text] if text.strip() else []


def _figures(cell: NotebookNode) -> list[bytes]:
    data = (output.get("data", {}) for output in cell.outputs)
    return [base64.b64decode(found["image/png"]) for found in data if "image/png" in found]
