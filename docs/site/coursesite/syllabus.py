"""The syllabus' page: each row, where it is taught, which graded cells ask it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

from autograder.syllabus import Row, coverage, rows_by_lesson
from coursesite.contents import Lesson
from coursesite.lesson import anchors

Places = Mapping[str, Mapping[str, str]]


def places_of(lessons: Iterable[Lesson]) -> dict[str, dict[str, str]]:
    """The ids on each lesson's page, by lesson and anchor."""
    return {lesson.name: anchors(lesson) for lesson in lessons}


def taught_links(row: Row, places: Places, titles: Mapping[str, str]) -> str:
    """Where a row is taught, as HTML: the row, the lesson, then each place in it."""
    taught = ", ".join(_link(row, anchor, places) for anchor in row.taught)
    name = html.escape(titles.get(row.lesson, row.lesson))
    if row.lesson not in places:
        return ""
    if not taught:
        return ""
    lesson = f'<a href="lessons/{row.lesson}.html">{name}</a>'
    return f'<a href="syllabus.html#{row.id}">{row.id}</a>: {lesson}, {taught}'


def syllabus_page(
    rows: Sequence[Row], lessons: Sequence[Lesson], places: Places, errata: Iterable[str]
) -> str:
    """The page, as Markdown with one HTML table for each lesson."""
    known = set(errata)
    titles = {lesson.name: lesson.title for lesson in lessons}
    released = {lesson.name: lesson.release for lesson in lessons}
    parts = [_introduction(str(coverage(rows, released)))]
    for name, group in sorted(rows_by_lesson(rows).items()):
        title = titles.get(name, f"{name} (not released yet)")
        parts.append(f"## {title}")
        lines = [_row(row, places, known) for row in group]
        parts.append("\n".join(['<table class="syllabus">', _HEAD, *lines, "</table>"]))
    return "\n\n".join(parts) + "\n"


_HEAD = "<thead><tr><th>Row</th><th>What</th><th>Taught</th><th>Tested</th></tr></thead>"


def _introduction(count: str) -> str:
    return f"""# Syllabus

What the course covers: one row for each concept, formula, table, architecture and experiment of the
lectures that it follows, with the right figures. {count} Links lead to the place in the lesson.
Rows that set an error of the lectures right name it: see [Errata of the lectures](errata.md). Rows
state what some questions ask."""


def _row(row: Row, places: Places, errata: set[str]) -> str:
    numbers = " ".join(f'<a href="errata.html#{e}">{e}</a>' for e in row.errata if e in errata)
    topic = html.escape(row.topic) + (f' <span class="numbers">{numbers}</span>' if numbers else "")
    taught = _list(row, row.taught, places)
    tested = _list(row, row.tested, places)
    return (
        f'<tr id="{row.id}"><td><a href="#{row.id}">{row.id}</a></td><td>{topic}</td>'
        f'<td data-label="Taught">{taught}</td><td data-label="Tested">{tested}</td></tr>'
    )


def _list(row: Row, group: Iterable[str], places: Places) -> str:
    return "<br>".join(_link(row, anchor, places) for anchor in group) or "–"


def _link(row: Row, anchor: str, places: Places) -> str:
    """A link where the page has the place; its bare name where the lesson is not released yet."""
    lesson, text = row.place(anchor)
    shown = html.escape(text) if lesson == row.lesson else html.escape(f"{lesson[:2]}: {text}")
    target = places.get(lesson, {}).get(text)
    return f'<a href="lessons/{lesson}.html#{target}">{shown}</a>' if target else shown
