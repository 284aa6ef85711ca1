"""A lesson's page: the release as text, with the outputs of the solution that may be shown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from nbformat import NotebookNode

from autograder.exercises import grade_id, points, role
from autograder.pages import number
from autograder.syllabus import FENCE
from coursesite.contents import Lesson
from coursesite.outputs import BELOW_A_QUESTION, Shown

HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*$")
FENCE_LINE = re.compile(r"^ {0,3}(```|~~~)")
PICTURE = re.compile(r"(!\[[^\]]*\]\()(?!\w+:)([^)\s]+)")
WITHHELD = {
    BELOW_A_QUESTION: "Answer first: your notebook shows this when you run the cell.",
    "solution": "Your notebook shows this once your own code runs.",
}


def anchor_id(anchor: str) -> str:
    """The id on the page of a heading's text or a cell's grade_id."""
    return "at-" + re.sub(r"\W+", "-", anchor.casefold()).strip("-")


def anchors(lesson: Lesson) -> dict[str, str]:
    """What rows of the syllabus can point at: heading texts and grade_ids, each with its id."""
    found: dict[str, str] = {}
    for cell in lesson.release.cells:
        if cell.cell_type == "markdown":
            for line in FENCE.sub("", cell.source).splitlines():
                if heading := HEADING.match(line):
                    found.setdefault(heading[2], anchor_id(heading[2]))
        if name := grade_id(cell):
            found[name] = anchor_id(f"cell {name}")
    return found


def lesson_page(lesson: Lesson) -> dict[str, bytes]:
    """The page ``lessons/NN-topic.md`` and the files that it shows."""
    place = f"lessons/{lesson.name}"
    files = {f"{place}/{path}": content for path, content in lesson.files.items()}
    writer = _Writer(lesson)
    for cell in lesson.release.cells:
        result = lesson.shown.get(cell.id, Shown())
        for count, figure in enumerate(result.figures, start=1):
            files[f"{place}/{cell.id}-{count}.png"] = figure
        writer.add(cell, result)
    files[f"{place}.md"] = ("\n\n".join(writer.parts) + "\n").encode()
    return files


def first_figure(lesson: Lesson) -> str:
    """The path of the first figure that the page shows; empty when there is none."""
    for cell in lesson.release.cells:
        if lesson.shown.get(cell.id, Shown()).figures:
            return f"lessons/{lesson.name}/{cell.id}-1.png"
    return ""


class _Writer:
    """Writes one cell after the other; keeps the heading levels and what was anchored."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.parts: list[str] = []
        self._levels: list[int] = []  # of the open headings, as the lesson has them
        self._anchored: set[str] = set()
        self._heading = lesson.title

    def add(self, cell: NotebookNode, shown: Shown) -> None:
        """Append ``cell`` and its outputs."""
        if cell.cell_type == "markdown":
            self.parts.append(self._text(cell.source))
        elif cell.cell_type == "code":
            self.parts += [part for part in self._code(cell) if part]
            self.parts += self._outputs(cell, shown)

    def _text(self, source: str) -> str:
        lines, fence = [], ""
        for line in source.splitlines():
            mark = FENCE_LINE.match(line)
            if mark and (not fence or mark[1] == fence):
                fence = "" if fence else mark[1]
            heading = None if fence or mark else HEADING.match(line)
            lines += self._headed(heading) if heading else [line]
        return PICTURE.sub(rf"\g<1>{self.lesson.name}/\2", "\n".join(lines))

    def _headed(self, heading: re.Match[str]) -> list[str]:
        """An anchor and the heading, one level below the one it stands under."""
        level, text = len(heading[1]), heading[2]
        while self._levels and self._levels[-1] >= level:
            self._levels.pop()
        self._levels.append(level)
        self._heading = text
        return [*self._anchor(text), f"{'#' * len(self._levels)} {text}"]

    def _anchor(self, text: str) -> list[str]:
        name = anchor_id(text)
        if name in self._anchored:
            return []
        self._anchored.add(name)
        return [f'<span class="anchor" id="{name}"></span>', ""]

    def _code(self, cell: NotebookNode) -> Iterator[str]:
        kind, name = role(cell), grade_id(cell)
        if name:
            yield "\n".join(self._anchor(f"cell {name}")).strip()
        block = _fenced(cell.source)
        if kind in ("solution", "manual"):
            yield f'<div class="stub">\n\n{block}\n\n</div>'
        elif kind == "test":
            yield _folded("check", _check_title(cell), block)
        elif cell.metadata.get("jupyter", {}).get("source_hidden"):
            yield _folded("drawing", "Code of this cell", block)
        else:
            yield block

    def _outputs(self, cell: NotebookNode, shown: Shown) -> list[str]:
        parts = [f'<div class="printed">\n\n{_fenced(t, "text")}\n\n</div>' for t in shown.texts]
        words = re.sub(r"[\[\]*`$\\]", "", self._heading)
        for count in range(1, len(shown.figures) + 1):
            parts.append(f"![Figure: {words}]({self.lesson.name}/{cell.id}-{count}.png)")
        if shown.withheld:
            parts.append(f'<p class="withheld">{WITHHELD[shown.withheld]}</p>')
        return parts


def _fenced(source: str, language: str = "python") -> str:
    marks = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`+", source))])
    return f"{marks}{language}\n{source}\n{marks}"


def _folded(kind: str, title: str, block: str) -> str:
    summary = f"<summary>{html.escape(title)}</summary>"
    return f'<details class="{kind}">\n{summary}\n\n{block}\n\n</details>'


def _check_title(cell: NotebookNode) -> str:
    """The first comment of a test, and its points."""
    first = next(iter(cell.source.splitlines()), "")
    asked = first.removeprefix("#").strip() if first.startswith("#") else grade_id(cell)
    worth = number(points(cell))
    return f"Check · {asked} · {worth} {'point' if worth == '1' else 'points'}"
