"""The pages before Sphinx: nothing of the answers in them, and every formula can be shown."""

import ast
import itertools
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from coursesite.commands import commands, commands_page
from coursesite.guides import relink
from coursesite.home import home_page, told_lessons
from coursesite.lesson import anchors, lesson_page
from coursesite.links import broken_links
from coursesite.mathml import FormulaError, mathml
from coursesite.pages import site_files
from coursesite.reference import PAGES, docstring, module_file, reference_pages
from coursesite.secrets import lines, secret_lines
from coursesite.syllabus import places_of, syllabus_page
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from autograder.exercises import role

ROOT = Path(__file__).resolve().parents[2]
RELEASED = sorted(path.parent.name for path in ROOT.glob("release/*/*.ipynb"))


@pytest.fixture(scope="module")
def lessons(contents):
    return {lesson.name: lesson for lesson in contents.lessons}


# --- Lessons


@pytest.mark.parametrize("name", RELEASED)
def test_no_line_of_a_solution_or_of_a_hidden_test_is_on_a_lesson_s_page(lessons, name):
    page = lesson_page(lessons[name])[f"lessons/{name}.md"].decode()
    assert "BEGIN SOLUTION" not in page
    assert "HIDDEN TESTS" not in page
    secrets = secret_lines(ROOT, name)
    assert secrets
    assert not secrets.intersection(lines(page))


def test_a_page_made_of_the_master_would_be_found_out(lessons):
    name = RELEASED[0]
    master = nbformat.read(ROOT / "source" / name / f"{name}.ipynb", as_version=4)
    page = lesson_page(replace(lessons[name], release=master))[f"lessons/{name}.md"].decode()
    assert len(set(lines(page)) & secret_lines(ROOT, name)) > 100


@pytest.mark.parametrize("name", RELEASED)
def test_no_printed_output_holds_the_answer_to_a_question(lessons, name):
    """Numbers of four digits and more, and texts of twelve characters, that the release has not."""
    lesson = lessons[name]
    if lesson.executed is None:
        pytest.skip("its solution is not built")
    told = "\n".join(cell.source for cell in lesson.release.cells)
    answers = {
        str(node.value)
        for cell in lesson.executed.cells
        if role(cell) == "solution" and cell.metadata["nbgrader"]["grade_id"].startswith("q-")
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Constant) and len(str(node.value).strip("0.")) >= 4
    }
    printed = [text for shown in lesson.shown.values() for text in shown.texts]
    given = [answer for answer in answers if answer not in told and answer in "\n".join(printed)]
    assert not given


@pytest.mark.parametrize("name", RELEASED)
def test_every_formula_of_a_lesson_can_be_shown(lessons, name):
    parser = MarkdownIt().use(dollarmath_plugin)
    found = 0
    for cell in lessons[name].release.cells:
        if cell.cell_type == "markdown":
            for token in _tokens(parser.parse(cell.source)):
                if token.type.startswith("math"):
                    mathml(token.content, block="block" in token.type)
                    found += 1
    assert found


def _tokens(tokens):
    for token in tokens:
        yield token
        yield from _tokens(token.children or [])


@pytest.mark.parametrize("name", RELEASED)
def test_every_graded_cell_and_every_heading_has_a_place_of_its_own(lessons, name):
    lesson = lessons[name]
    places = anchors(lesson)
    assert len(set(places.values())) == len(places)
    page = lesson_page(lesson)[f"lessons/{name}.md"].decode()
    for place in places.values():
        assert page.count(f'id="{place}"') == 1


@pytest.mark.parametrize("name", RELEASED)
def test_every_file_that_a_lesson_s_page_shows_is_written(lessons, name):
    files = lesson_page(lessons[name])
    page = files[f"lessons/{name}.md"].decode()
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page)
    assert pictures or lessons[name].executed is None
    assert {f"lessons/{path}" for path in pictures} <= set(files)


def test_headings_never_skip_a_level(lessons):
    for name, lesson in lessons.items():
        page = re.sub(r"^(`{3,}).*?^\1$", "", _page(lesson), flags=re.MULTILINE | re.DOTALL)
        levels = [len(marks) for marks in re.findall(r"^(#+) ", page, re.MULTILINE)]
        assert levels[0] == 1
        steps = [b - a for a, b in itertools.pairwise(levels)]
        assert max(steps) <= 1, name


def _page(lesson):
    return lesson_page(lesson)[f"lessons/{lesson.name}.md"].decode()


# --- The other pages


def test_the_syllabus_page_has_every_row_and_links_only_to_places_that_exist(contents):
    places = places_of(contents.lessons)
    page = syllabus_page(contents.rows, contents.lessons, places, ["E01"])
    rows = re.findall(r'<tr id="(S\d+)">', page)
    assert sorted(rows) == [row.id for row in contents.rows]
    links = re.findall(r'href="lessons/([\w-]+)\.html#([^"]+)"', page)
    assert len(links) > len(rows)
    for lesson, place in links:
        assert place in places[lesson].values()


def test_the_edition_for_students_is_the_lessons_alone(contents):
    files = site_files(contents, students=True)
    pages = {path for path in files if path.endswith(".md")}
    assert pages == {"index.md", *(f"lessons/{name}.md" for name in RELEASED)}
    assert b"errata" not in files["index.md"]


def test_the_first_page_leads_to_every_page(contents):
    names = ["lessons/01-x", "syllabus", "guides/grading", "guides/new", "reference/course"]
    page = home_page(contents, names, students=False)
    trees = re.findall(r"```\{toctree\}\n(.*?)```", page, re.DOTALL)
    listed = [line for tree in trees for line in tree.splitlines() if line and line[0] != ":"]
    assert sorted(listed) == sorted(names)


def test_the_cards_tell_what_the_readme_tells():
    row = "| [`01-convolution`](source/x.py) | layers; `im2col` | 3 h |\n"
    assert told_lessons(row) == {"01-convolution": ("layers; `im2col`", "3 h")}


def test_every_command_is_on_the_page_with_its_options():
    page = commands_page()
    for name in commands():
        assert f"## autograder {name}\n" in page
    assert "`--jobs JOBS`, `-j JOBS`" in page
    assert "autograder grade ASSIGNMENT [OPTIONS]" in page
    assert "autograder build [NAMES…] [OPTIONS]" in page


def test_every_module_of_the_reference_is_there():
    gone = [
        f"{package}.{name}"
        for package, names in PAGES.items()
        for name in names
        if not module_file(ROOT / package, name).is_file()
    ]
    assert not gone, "take them out of docs/site/coursesite/reference.py"


def test_the_reference_names_public_functions_and_no_private_ones():
    page = reference_pages(ROOT)["reference/course.md"]
    assert "{py:function} check_close(" in page
    assert "_as_array" not in page


def test_a_docstring_s_sections_become_lists():
    node = ast.parse(
        'def f(x):\n    """Do it.\n\n    Args:\n        x: what,\n            and how.\n\n'
        '    Raises:\n        ValueError: never.\n    """'
    ).body[0]
    assert docstring(node).splitlines() == [
        "Do it.",
        "",
        "**Args**",
        "",
        "- `x`: what,",
        "  and how.",
        "",
        "**Raises**",
        "",
        "- `ValueError`: never.",
    ]


PLACES = {
    "docs/a.md": "guides/a.md",
    "CONTRIBUTING.md": "guides/contributing.md",
    "source/01-x.py": "lessons/01-x.md",
}


@pytest.mark.parametrize(
    ("name", "link", "mended"),
    [
        ("docs/a.md", "[b](../CONTRIBUTING.md#x)", "[b](contributing.md#x)"),
        ("CONTRIBUTING.md", "[b](docs/a.md)", "[b](a.md)"),
        ("docs/a.md", "[b](#here)", "[b](#here)"),
        ("CONTRIBUTING.md", "[`01-x`](source/01-x.py)", "[`01-x`](../lessons/01-x.md)"),
        ("docs/a.md", "[b](https://example.org/x.md)", "[b](https://example.org/x.md)"),
        ("docs/a.md", "[b](../LICENSE)", "b"),
        ("docs/a.md", "```\n[b](../LICENSE)\n```", "```\n[b](../LICENSE)\n```"),
    ],
)
def test_links_of_the_repository_become_links_of_the_site(name, link, mended):
    assert relink(link, name, PLACES) == mended


# --- Formulas


@pytest.mark.parametrize(
    ("tex", "part"),
    [
        (r"\hat y_{ik}", "<msub><mover"),
        (r"\underbrace{a}_{b}", "<munder><munder>"),
        (r"\frac12", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        (r"0, 1, \dots", "…"),
        (r"\sum_{i=1}^{N} x_i", "<munderover><mo"),
    ],
)
def test_formulas_are_set_as_tex_sets_them(tex, part):
    assert part in re.sub(r">\s+<", "><", mathml(tex, block=True))


def test_a_formula_that_nobody_knows_is_named():
    with pytest.raises(FormulaError, match=r"\\\\nonsense"):
        mathml(r"\nonsense{x}")


# --- Links of a built site


def site(tmp_path, body):
    (tmp_path / "a.html").write_text(f"<html><body>{body}</body></html>", encoding="utf-8")
    (tmp_path / "b.html").write_text('<p id="here">b</p>', encoding="utf-8")
    return broken_links(tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        '<a href="b.html#here">b</a>',
        '<a href="#top"></a><p id="top"></p>',
        '<a href="https://example.org">elsewhere, when clicked</a>',
        '<img src="data:image/png;base64,AA==">',
        '<script src="b.html?v=1"></script>',
    ],
)
def test_a_whole_site_has_no_broken_link(tmp_path, body):
    assert site(tmp_path, body) == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('<a href="c.html">c</a>', "c.html is not there"),
        ('<a href="b.html#gone">b</a>', "b.html#gone has no such place"),
        ('<img src="x.png">', "x.png is not there"),
        ('<script src="https://cdn.example/x.js"></script>', "is loaded from elsewhere"),
        ('<link rel="stylesheet" href="//fonts.example/f.css">', "is loaded from elsewhere"),
    ],
)
def test_a_broken_link_is_named_with_its_page(tmp_path, body, why):
    (line,) = site(tmp_path, body)
    assert line.startswith("a.html: ")
    assert why in line


def test_secrets_are_what_the_master_has_and_the_release_has_not(contents):
    name = RELEASED[0]
    secrets = secret_lines(ROOT, name)
    release = nbformat.read(ROOT / "release" / name / f"{name}.ipynb", as_version=4)
    shown = {" ".join(line.split()) for cell in release.cells for line in cell.source.splitlines()}
    assert not secrets & shown
    assert len(secrets) > 100
