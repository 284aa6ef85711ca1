"""The built site is whole: links inside lead somewhere, and nothing is loaded from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Attributes that make a browser fetch something when the page opens; an <a> waits for a click.
LOADED = {
    ("img", "src"),
    ("script", "src"),
    ("link", "href"),
    ("source", "srcset"),
    ("iframe", "src"),
}
LEADS = {("a", "href"), *LOADED}


@dataclass
class Page(HTMLParser):
    """The ids of a page, and what it points at: (tag, attribute, target)."""

    ids: set[str] = field(default_factory=set)
    targets: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect one element's id and its targets."""
        for key, value in attrs:
            if key == "id" and value:
                self.ids.add(value)
            elif (tag, key) in LEADS and value:
                self.targets.append((tag, key, value))


def broken_links(site: Path) -> list[str]:
    """One line for each link that leads nowhere, or loads something from elsewhere."""
    pages = {path.resolve(): _read(path) for path in sorted(site.rglob("*.html"))}
    problems = []
    for path, page in pages.items():
        for tag, key, target in page.targets:
            if why := _problem(path, tag, key, target, pages):
                problems.append(f"{path.relative_to(site.resolve())}: {target} {why}")
    return list(dict.fromkeys(problems))


def _problem(path: Path, tag: str, key: str, target: str, pages: dict[Path, Page]) -> str:
    parts = urlsplit(target)
    if parts.scheme == "data":
        return ""
    if parts.scheme or parts.netloc:
        return "is loaded from elsewhere" if (tag, key) in LOADED else ""
    place = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    place = place / "index.html" if place.is_dir() else place
    if not place.is_file():
        return "is not there"
    if parts.fragment and place in pages and unquote(parts.fragment) not in pages[place].ids:
        return "has no such place"
    return ""


def _read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page
