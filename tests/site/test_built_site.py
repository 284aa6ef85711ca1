"""The site as `make site` builds it: whole, and without an answer in any of its files."""

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from coursesite.links import broken_links
from coursesite.secrets import lines, secret_lines

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.parent.name for path in ROOT.glob("release/*/*.ipynb"))

pytestmark = pytest.mark.slow


def build(output, *options):
    """The finished process of a build into ``output``."""
    words = [sys.executable, "-m", "coursesite", "--output", str(output), *options]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "docs" / "site"), "no_proxy": "*"}
    return subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", params=["everybody", "students"])
def site(request, tmp_path_factory):
    output = tmp_path_factory.mktemp("built") / request.param
    done = build(output, *(["--students"] if request.param == "students" else []))
    assert done.returncode == 0, done.stderr
    assert "0 broken links" in done.stdout
    return output


def words_of(page):
    """The text of an HTML file as a browser shows it, with its line ends."""
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_every_lesson_has_a_page_with_a_figure(site):
    for name in LESSONS:
        page = (site / "lessons" / f"{name}.html").read_text(encoding="utf-8")
        assert re.search(r'<img alt="Figure: [^"]+" src="\.\./_images/[\w.-]+\.png"', page), name


def test_every_link_inside_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site):
    assert broken_links(site) == []


def test_no_style_sheet_loads_anything_from_elsewhere(site):
    sheets = list(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.findall(r"(?:url\(\s*['\"]?|@import\s+['\"])(?:https?:)?//", text), sheet


@pytest.mark.parametrize("name", LESSONS)
def test_no_page_holds_a_line_of_a_solution_or_of_a_hidden_test(site, name):
    secrets = secret_lines(ROOT, name)
    assert secrets
    for page in site.rglob("*.html"):
        found = secrets.intersection(lines(words_of(page)))
        assert not found, f"{page.relative_to(site)}: {sorted(found)[:3]}"


def test_no_file_has_the_marks_of_solutions_and_hidden_tests_but_the_pages_that_explain_them(site):
    explain = {"guides/authoring.html", "searchindex.js"}
    for path in site.rglob("*"):
        if path.is_file() and path.relative_to(site).as_posix() not in explain:
            content = path.read_bytes()
            assert b"### BEGIN SOLUTION" not in content, path
            assert b"### BEGIN HIDDEN TESTS" not in content, path


def test_no_notebook_and_no_text_of_a_lesson_lies_in_the_site(site):
    kinds = {path.suffix for path in site.rglob("*") if path.is_file()}
    assert not kinds & {".ipynb", ".py", ".md", ".yml", ".db"}


def test_a_formula_that_cannot_be_shown_stops_the_build(tmp_path):
    from coursesite.__main__ import build as sphinx

    assert sphinx({"index.md": b"# A\n\n$\\nonsense{x}$\n"}, tmp_path / "site") == 2


def test_a_link_that_leads_nowhere_stops_the_build(tmp_path):
    from coursesite.__main__ import build as sphinx

    assert sphinx({"index.md": b"# A\n\n[b](b.md)\n"}, tmp_path / "site") == 2


def test_a_course_without_errata_is_one_line_and_exit_code_2(tmp_path):
    (tmp_path / "source").mkdir()
    done = build(tmp_path / "site", "--course-dir", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no syllabus here" in done.stderr
