"""All pages of the site as files, before Sphinx."""

from __future__ import annotations

from coursesite.commands import commands_page
from coursesite.contents import Contents
from coursesite.errata import errata_page
from coursesite.guides import guide_pages
from coursesite.home import home_page
from coursesite.lesson import lesson_page
from coursesite.reference import reference_pages
from coursesite.syllabus import places_of, syllabus_page, taught_links


def site_files(contents: Contents, *, students: bool = False) -> dict[str, bytes]:
    """Markdown and pictures by their path; for ``students`` the lessons alone.

    Syllabus and errata say what some questions ask, so they are not for an edition that students
    get before they have answered.
    """
    files: dict[str, bytes] = {}
    for lesson in contents.lessons:
        files |= lesson_page(lesson)
    pages = {} if students else _for_instructors(contents)
    files |= {path: text.encode() for path, text in pages.items()}
    named = [path.removesuffix(".md") for path in files if path.endswith(".md")]
    files["index.md"] = home_page(contents, named, students=students).encode()
    return files


def _for_instructors(contents: Contents) -> dict[str, str]:
    places = places_of(contents.lessons)
    titles = {lesson.name: lesson.title for lesson in contents.lessons}
    links = {row.id: taught_links(row, places, titles) for row in contents.rows}
    numbers = [row.id for row in contents.errata.rows]
    return {
        "syllabus.md": syllabus_page(contents.rows, contents.lessons, places, numbers),
        "errata.md": errata_page(contents.errata, contents.rows, links),
        "commands.md": commands_page(),
        **guide_pages(contents.root, [lesson.name for lesson in contents.lessons]),
        **reference_pages(contents.root),
    }
