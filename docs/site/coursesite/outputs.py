"""Which outputs of the executed solution a page may show: what gives no answer away.

- What a cell prints is shown when it does not depend on a solution: then every student's untouched
  notebook prints the same.
- A figure is shown whatever it depends on, except below a question.
- Below a question nothing is shown up to the next heading of the question's level, or above it:
  predict first, then run.
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

LEVELS = re.compile(r"^(#{1,6})\s+\S", re.MULTILINE)
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
    for cell in executed.cells:
        if cell.cell_type == "markdown":
            for marks in LEVELS.findall(FENCE.sub("", cell.source)):
                level = len(marks)
                question = 0 if level <= question else question
            continue
        kind = role(cell)
        if cell.cell_type != "code" or kind == "test":
            continue
        if kind in ("solution", "manual"):
            if is_question(cell.source):
                question = question or max(level, 1)
            continue
        shown[cell.id] = _shown(cell, cell.id in depends, bool(question))
    return shown


def _shown(cell: NotebookNode, depends: bool, below_question: bool) -> Shown:
    texts, figures = _texts(cell), _figures(cell)
    if below_question:
        return Shown(withheld=BELOW_A_QUESTION if texts or figures else "")
    if depends:
        return Shown(figures=figures, withheld=FROM_A_SOLUTION if texts else "")
    return Shown(texts, figures)


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
