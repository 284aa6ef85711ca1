"""The project's own pages, from docs/ and the top, with links that hold on the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

# What stands at the top of the repository and belongs on the site as well.
TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\(([^)\s]+)\)")
FENCE = re.compile(r"(^```.*?^```[^\n]*$)", re.MULTILINE | re.DOTALL)


def guide_pages(root: Path, lessons: Iterable[str]) -> dict[str, str]:
    """The pages by their path on the site: ``guides/grading.md``, ``guides/contributing.md``.

    Args:
        root: the repository.
        lessons: names of the lessons that have a page.
    """
    files = [*sorted((root / "docs").glob("*.md")), *(root / name for name in TOP)]
    files = [path for path in files if path.is_file()]
    own = {path.relative_to(root).as_posix(): f"guides/{path.name.lower()}" for path in files}
    made = {"source/syllabus.yml": "syllabus.md", "docs/errata.yml": "errata.md"}
    made |= {f"source/{lesson}.py": f"lessons/{lesson}.md" for lesson in lessons}
    return {
        place: relink((root / name).read_text(encoding="utf-8"), name, {**own, **made})
        for name, place in own.items()
    }


def relink(text: str, name: str, places: Mapping[str, str]) -> str:
    """Markdown of the repository's file ``name`` with its links as the site needs them.

    Args:
        text: the Markdown.
        name: the file's path in the repository.
        places: paths on the site, by the paths in the repository that a link may name. Links to
            anything else in the repository become plain text.
    """

    def mended(match: re.Match[str]) -> str:
        words, target = match[1], match[2]
        path, mark, anchor = target.partition("#")
        if ":" in path or not path:
            return match[0]
        meant = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        if meant not in places:
            return words
        here = posixpath.relpath(places[meant], posixpath.dirname(places[name]))
        return f"[{words}]({here}{mark}{anchor})"

    return "".join(part if fence else LINK.sub(mended, part) for part, fence in _parts(text))


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it is a fenced block."""
    for number, part in enumerate(FENCE.split(text)):
        yield part, bool(number % 2)
