"""The first page: the lessons as cards, and the way to everything else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from coursesite.contents import Contents, Lesson
from coursesite.lesson import first_figure

# The order in which an instructor needs them; a page that is not named here comes last.
TEACHING = ("grading", "nbgrader", "authoring", "cluster")
AUTOGRADER = ("guides/security", "commands", "reference/autograder", "reference/course")
PROJECT = ("guides/readme", "reference/modules", "guides/contributing", "guides/changelog")
ABOUT = """\
Lessons in Jupyter that build convolutional networks from nine numbers upwards. Each is a notebook
to complete: prose with the mathematics, figures, exercises with their checks, questions to answer
before you run. Here they are to read, as they are handed out."""
BEHIND = """\
Behind them is an autograder for notebook courses: each submission runs in a jail, each test in a
second process that the submission cannot reach, and the feedback names the mistake. See [how it
works](guides/readme.md#how-grading-works), [the instructor's guide](guides/grading.md), from the
install to grades in ten minutes, and [what grading protects](guides/security.md). What the course
covers is in [the syllabus](syllabus.md); what it corrects, in [the errata](errata.md)."""
ROW = re.compile(r"^\| \[`([\w-]+)`\]\([^)]*\) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def home_page(contents: Contents, pages: Iterable[str], *, students: bool) -> str:
    """The page ``index.md``.

    Args:
        contents: the course.
        pages: the paths of all other pages, without suffix.
        students: leave out what is for instructors.
    """
    readme = contents.root / "README.md"
    told = told_lessons(readme.read_text(encoding="utf-8")) if readme.is_file() else {}
    cards = "\n\n".join(_card(lesson, told) for lesson in contents.lessons)
    words = ABOUT if students else f"{ABOUT}\n\n{BEHIND}"
    parts = [
        f"# Convolutional neural networks\n\n{words}",
        f'<div class="cards">\n\n{cards}\n\n</div>',
    ]
    parts += [_tree(caption, names) for caption, names in _sections(set(pages)).items() if names]
    return "\n\n".join(parts) + "\n"


def told_lessons(readme: str) -> Mapping[str, tuple[str, str]]:
    """What the table of the README says of each lesson: what is built, and the time it takes."""
    return {name: (built, time) for name, built, time in ROW.findall(readme)}


def _card(lesson: Lesson, told: Mapping[str, tuple[str, str]]) -> str:
    built, time = told.get(lesson.name, ("", ""))
    figure = first_figure(lesson)
    target = f"lessons/{lesson.name}.md"
    picture = f"[![{lesson.title}]({figure})]({target})\n\n" if figure else ""
    # "from a …" begins a sentence; a name such as dW stays what it is.
    built = built[:1].upper() + built[1:] if built[1:2].islower() else built
    words = f"{built}.\n\n*{time}*" if built else ""
    return f'<div class="card">\n\n{picture}[{lesson.title}]({target})\n\n{words}\n\n</div>'


def _sections(pages: set[str]) -> dict[str, list[str]]:
    def there(names: Iterable[str]) -> list[str]:
        return [name for name in names if name in pages]

    lessons = sorted(name for name in pages if name.startswith("lessons/"))
    teaching = there(f"guides/{name}" for name in TEACHING)
    autograder, project = there(AUTOGRADER), there(PROJECT)
    course = there(("syllabus", "errata"))
    rest = pages - {*lessons, *teaching, *autograder, *project, *course}
    return {
        "Lessons": lessons,
        "The course": course,
        "Teaching": [*teaching, *sorted(rest)],
        "Autograder": autograder,
        "Project": project,
    }


def _tree(caption: str, names: list[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *names, "```"])
