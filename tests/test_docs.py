"""The words keep their promises: commands exist, links resolve, counts hold, modules have a job."""

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer
from nbgrader.apps.nbgraderapp import NbGraderApp

from autograder.cli import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = [
    path for name in ("autograder", "course") for path in sorted((ROOT / name).rglob("*.py"))
]
# A fence's words are commands only where it says so; a diagram or a program has none.
FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)")
SHELLS = {"bash", "console", "sh"}


def commands(text, program):
    """Each use of ``program`` in code, as its words after the program's name."""
    lines = [line for kind, body in FENCE.findall(text) if kind in SHELLS for line in _lines(body)]
    spans = SPAN.findall(FENCE.sub("", text))
    found = []
    for line in [*lines, *spans]:
        for part in re.split(r"&&|\|\||[;|]", line.removeprefix("$ ")):
            call = re.match(rf"\s*(?:[A-Z_]+=\S+\s+)*(?:\S*/)?{program}(?=\s|$)", part)
            if call:
                found.append(shlex.split(part[call.end() :], comments=True))
    return found


def _lines(body):
    return body.replace("\\\n", " ").splitlines()


def complaint(words):
    """Why the command line would refuse ``autograder WORDS``; empty when it would not."""
    click_app = typer.main.get_command(app)
    if not words:
        return ""
    if words[0].startswith("-"):
        command, rest = click_app, words
    elif words[0] in click_app.commands:
        command, rest = click_app.commands[words[0]], words[1:]
    else:
        return f"no command {words[0]!r}"
    flags = {flag for parameter in command.params for flag in parameter.opts} | {"--help"}
    unknown = {w.partition("=")[0] for w in rest if w.startswith("-")} - flags
    return f"{words[0]} has no {', '.join(sorted(unknown))}" if unknown else ""


def anchors(text):
    """The heading anchors of a page, as GitHub makes them."""
    titles = re.findall(r"^#{1,6}\s+(.+?)\s*$", FENCE.sub("", text), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", title.replace("`", "").lower()) for title in titles)
    return {title.replace(" ", "-") for title in kept}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_autograder_command_in_the_pages_exists_with_its_options(page):
    found = commands(page.read_text(encoding="utf-8"), "autograder")
    wrong = [f"autograder {' '.join(w)}: {why}" for w in found if (why := complaint(w))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_nbgrader_command_in_the_pages_exists(page):
    known = set(NbGraderApp.subcommands) | {"--version", "--help"}
    found = commands(page.read_text(encoding="utf-8"), "nbgrader")
    assert not [words for words in found if words and words[0] not in known]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_in_the_pages_exists(page):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    found = commands(page.read_text(encoding="utf-8"), "make")
    assert not [words for words in found if words and words[0] not in targets]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_the_pages_resolves(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for target in LINK.findall(text):
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        place = (page.parent / path).resolve() if path else page
        if not place.exists():
            broken.append(target)
        elif anchor and anchor not in anchors(place.read_text(encoding="utf-8")):
            broken.append(f"{target} (no such heading)")
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_of_the_project_that_a_page_names_is_there(page):
    """Spans that look like a path of this repository: ``docs/x.md``, ``tests/autograder/x.py``."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    rooms = "autograder|course|docs|tests|benchmarks|source"
    named = re.findall(rf"`((?:{rooms})/[\w./-]+\.\w+)`", text)
    # X, VERB and NN-topic stand for any name.
    exact = [name for name in named if not re.search(r"NN-|VERB|\bX\b|_X\.", name)]
    missing = [name for name in exact if not (ROOT / name).exists()]
    assert not missing, "\n".join(missing)


def test_the_pages_name_every_command():
    """A command that no page tells of is one that nobody finds."""
    told = {
        words[0] for page in PAGES for words in commands(page.read_text(), "autograder") if words
    }
    assert set(typer.main.get_command(app).commands) <= told


def test_the_readme_lists_the_lessons_that_exist_and_their_points_of_proof():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lessons = sorted(path.stem for path in (ROOT / "source").glob("[0-9]*.py"))
    lessons = [name for name in lessons if not name.endswith(".mistakes")]
    table = re.findall(r"^\| \[`([^`]+)`\]\([^)]+\) \|", text, re.MULTILINE)
    assert table == lessons
    cells = [
        line
        for name in lessons
        for line in (ROOT / "source" / f"{name}.mistakes.py").read_text().splitlines()
        if line.startswith("# %%") and "exercise=" in line
    ]
    right = sum("right=true" in line for line in cells)
    claim = re.search(r"more than (\d+) known\s+mistakes and more than (\d+)\s+right", text)
    assert claim, "README.md should count mistakes and right alternatives"
    assert len(cells) - right > int(claim[1])
    assert right > int(claim[2])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_its_job(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_every_limit_is_in_the_instructors_guide_with_its_default():
    from dataclasses import fields

    from autograder.limits import Limits

    text = (ROOT / "docs" / "grading.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+) ", text, re.MULTILINE))
    assert {k: int(v.replace(",", "")) for k, v in rows.items()} == {
        field.name: field.default for field in fields(Limits)
    }


# --- The readers themselves


def test_commands_are_read_from_shell_fences_and_from_spans_and_from_nothing_else():
    text = (
        "Run `autograder grade 01 --force`, not autograder by hand.\n\n"
        "```bash\n$ .venv/bin/autograder build && autograder \\\n  verify 01   # all of it\n```\n\n"
        "```text\nautograder nonsense\n```\n"
    )
    assert commands(text, "autograder") == [["build"], ["verify", "01"], ["grade", "01", "--force"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["grade", "01", "--force"], ""),
        (["grade", "NN", "--jobs=4", "--json"], ""),
        (["--version"], ""),
        (["grade", "01", "--frce"], "grade has no --frce"),
        (["praise"], "no command 'praise'"),
    ],
)
def test_a_command_that_does_not_exist_is_told_from_one_that_does(words, said):
    assert complaint(words) == said


def test_anchors_are_those_that_the_host_makes():
    assert anchors("# Exit codes, JSON\n## The `grade` command\n```sh\n# no\n```\n") == {
        "exit-codes-json",
        "the-grade-command",
    }
