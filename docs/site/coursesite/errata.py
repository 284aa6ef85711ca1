"""The errata of the lectures: the data file, and its page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from autograder.errors import CourseError
from autograder.syllabus import Row

KINDS = {
    "wrong": "wrong",
    "number": "wrong number",
    "inconsistent": "contradicts itself",
    "misleading": "misleading",
    "slip": "slip",
}
KEYS = {"id", "kind", "lecture", "says", "right", "see"}


@dataclass(frozen=True)
class Erratum:
    """One thing that a lecture says, and what is right.

    Attributes:
        id: E and a number, which rows of the syllabus name.
        kinds: keys of ``KINDS``.
        lectures: short names of the lectures that say it.
        says: what they say, as Markdown.
        right: what is right, as Markdown.
        see: where that can be looked up; may be empty.
    """

    id: str
    kinds: tuple[str, ...]
    lectures: tuple[str, ...]
    says: str
    right: str
    see: str


@dataclass(frozen=True)
class Errata:
    """All errata, and the titles of the lectures by their short names."""

    lectures: Mapping[str, str]
    rows: tuple[Erratum, ...]


def read_errata(path: Path) -> Errata:
    """The errata in the file ``path``.

    Raises:
        CourseError: when the file is missing or malformed; the message names the row.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        lectures, rows = dict(data["lectures"]), list(data["errata"])
    except (OSError, yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        why = " ".join(str(error).split())
        raise CourseError(f"holds no lectures and errata ({why})", where=path) from None
    found: dict[str, Erratum] = {}
    for number, item in enumerate(rows, start=1):
        row = _row(item, f"erratum {number}", lectures, path)
        if row.id in found:
            raise CourseError(f"two errata have the id {row.id!r}", where=path)
        found[row.id] = row
    return Errata(lectures, tuple(found.values()))


def _row(item: Any, name: str, lectures: Mapping[str, str], path: Path) -> Erratum:
    if not isinstance(item, dict):
        raise CourseError(f"{name} should be a mapping", where=path)
    name = f"{name} ({item.get('id')})"
    if odd := KEYS ^ {*item, "see"}:
        raise CourseError(f"{name} lacks or has too much: {sorted(odd)}", where=path)
    if not re.fullmatch(r"E\d\d+", str(item["id"])):
        raise CourseError(f"{name} needs an id such as E01", where=path)
    for key in ("says", "right", "see"):
        text = item.get(key, "")
        if not isinstance(text, str) or "\n" in text or (key != "see" and not text.strip()):
            raise CourseError(f"{name} needs one paragraph as {key}", where=path)
    for key, known in (("kind", set(KINDS)), ("lecture", set(lectures))):
        values = item[key]
        if not isinstance(values, list) or not values or set(map(str, values)) - known:
            raise CourseError(f"{name} needs a list of {sorted(known)} as {key}", where=path)
    kinds, places = tuple(item["kind"]), tuple(item["lecture"])
    return Erratum(item["id"], kinds, places, item["says"], item["right"], item.get("see", ""))


def taught_by(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of the syllabus that set each erratum right."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        for number in row.errata:
            found.setdefault(number, []).append(row)
    return found


def errata_page(errata: Errata, rows: Iterable[Row], links: Mapping[str, str]) -> str:
    """The page, as Markdown.

    Args:
        errata: what it lists.
        rows: the syllabus, which says where each is set right.
        links: HTML of the places where each row is taught, by the row's id.
    """
    taught = taught_by(rows)
    parts = [_introduction(errata)]
    parts += ["\n".join(_entry(row, taught.get(row.id, []), links)) for row in errata.rows]
    return "\n\n".join(parts) + "\n"


def _introduction(errata: Errata) -> str:
    lectures = "\n".join(f"- **{name}** {title}" for name, title in errata.lectures.items())
    return f"""# Errata of the lectures

The course follows {len(errata.lectures)} lectures on convolutional networks. Working through
every number and every sentence of them turned up {len(errata.rows)} things that are wrong,
contradict each other or mislead. The course teaches the right thing, and makes a question of many
of them: a student should answer there before reading here. Many of these errors are no lecturer's
own: they have been copied from slide to slide for years.

{lectures}

A *slip* is a misprint that changes the meaning. Where nothing is given to look up, the lesson works
it out."""


def _entry(row: Erratum, taught: list[Row], links: Mapping[str, str]) -> Iterator[str]:
    kinds = ", ".join(KINDS[kind] for kind in row.kinds)
    yield f'<section class="erratum" id="{row.id}">'
    yield (
        f'<p class="erratum-head"><a href="#{row.id}">{row.id}</a> '
        f"<span>{kinds}</span> <span>{', '.join(row.lectures)}</span></p>\n"
    )
    yield f'<div class="says">\n\n{row.says}\n\n</div>\n'
    yield f'<div class="right">\n\n{row.right}\n\n</div>\n'
    if row.see:
        yield f'<div class="see">\n\n{row.see}\n\n</div>\n'
    places = "<br>".join(links[each.id] for each in taught if links.get(each.id))
    if places:
        yield f'<p class="where"><span>{places}</span></p>'
    else:
        yield '<p class="where"><span>In a lesson that is not released yet.</span></p>'
    yield "</section>"
