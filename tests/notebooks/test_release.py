"""What students get holds no answer, and every built file is what a fresh build gives."""

import subprocess
from pathlib import Path

import nbformat
import pytest

from autograder.build import products, release_notebook, source_notebook
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.mistakes import read_mistakes
from autograder.text import dump

ROOT = Path(__file__).parents[2]
COURSE = CourseFolder.open(ROOT)
LESSONS = COURSE.lessons()
SECRETS = {
    "### BEGIN SOLUTION": "### END SOLUTION",
    "### BEGIN HIDDEN TESTS": "### END HIDDEN TESTS",
    "=== BEGIN MARK SCHEME ===": "=== END MARK SCHEME ===",
}
MARKS = ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TEST", "MARK SCHEME")
# What stands beside notebooks in a release: pictures and tables for the lesson to show.
ASSETS = {".png", ".jpg", ".svg", ".csv", ".npz", ".safetensors"}


def release_files():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "release"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return sorted(path for name in listed.splitlines() if (path := ROOT / name).is_file())


def normal(line):
    """A line without its indent and its comment signs' spacing."""
    return " ".join(line.split())


def telling(line):
    """Whether a line could give something away: not a bare ``return out`` or ``else:``."""
    return len(normal(line)) >= 16 and any(c in line for c in "=([+-*/")


def secrets(notebook):
    """The telling lines inside solutions and hidden tests, by cell."""
    found = {}
    for cell in notebook.cells:
        end = None
        for line in cell.source.splitlines():
            if end is None:
                end = SECRETS.get(line.strip())
            elif line.strip() == end:
                end = None
            elif telling(line):
                found.setdefault(cell.id, set()).add(normal(line))
    return found


def released_lines(path):
    notebook = nbformat.read(path, as_version=4)
    return {normal(line) for cell in notebook.cells for line in cell.source.splitlines()}


def openly(notebook):
    """The lines that the author also wrote outside of any solution or hidden test."""
    lines = set()
    for cell in notebook.cells:
        end = None
        for line in cell.source.splitlines():
            if end is None:
                end = SECRETS.get(line.strip())
                lines.add(normal(line))
            elif line.strip() == end:
                end = None
    return lines


def test_there_are_lessons_and_a_release_of_each():
    assert LESSONS
    assert {path.parent.name for path in release_files()} >= set(LESSONS)


# The race of lesson 13 gives its reference away: it is there to be beaten.
@pytest.mark.parametrize("name", [name for name in LESSONS if name != "13-speedrun"])
def test_no_line_of_a_solution_or_a_hidden_test_is_released(name):
    source = source_notebook(COURSE.text(name))
    hidden = secrets(source)
    assert sum(map(len, hidden.values())) > 20, "the scan finds nothing to look for"
    everywhere = set().union(*hidden.values())
    # A line that the lesson itself shows, in a worked example or a visible test, is no secret.
    everywhere -= openly(source)
    assert len(everywhere) > 20
    text = release_notebook(source, COURSE.config)
    leaked = everywhere & {normal(li) for c in text.cells for li in c.source.splitlines()}
    leaked |= everywhere & released_lines(COURSE.release / name / f"{name}.ipynb")
    assert not leaked


@pytest.mark.parametrize("name", LESSONS)
def test_the_scan_finds_every_secret_in_the_source(name):
    """The scan itself works: it finds what it looks for where it is known to be."""
    source = source_notebook(COURSE.text(name))
    everywhere = set().union(*secrets(source).values())
    assert everywhere <= {normal(li) for c in source.cells for li in c.source.splitlines()}
    assert everywhere & released_lines(COURSE.source / name / f"{name}.ipynb") == everywhere


@pytest.mark.parametrize("path", release_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_released_file_has_no_marks_and_no_outputs(path):
    content = path.read_bytes()
    for mark in MARKS:
        assert mark.encode() not in content
    if path.suffix == ".ipynb":
        notebook = nbformat.read(path, as_version=4)
        assert all(not cell.get("outputs") for cell in notebook.cells)
        nbformat.validate(notebook)


@pytest.mark.parametrize("name", LESSONS)
def test_no_text_of_the_mistakes_is_released(name):
    everywhere = b"".join(path.read_bytes() for path in release_files()).decode(errors="replace")
    released = released_lines(COURSE.release / name / f"{name}.ipynb")
    shown = openly(source_notebook(COURSE.text(name)))
    variants = read_mistakes(COURSE.mistakes(name))
    for variant in variants:
        if variant.message:
            assert variant.message not in everywhere
        bodies = {normal(line) for line in variant.source.splitlines() if telling(line)}
        # The first line of a definition stands in the stub, and what is shown is no secret.
        bodies = {li for li in bodies - shown if not li.startswith(("def ", "class ", "import "))}
        assert not bodies & released, variant.title


def test_a_release_holds_notebooks_and_pictures_alone():
    for path in release_files():
        assert path.suffix == ".ipynb" or path.suffix in ASSETS, path
        assert path.suffix != ".ipynb" or path.stem == path.parent.name, path


def test_every_released_asset_is_one_of_its_lesson():
    for path in release_files():
        if path.suffix in ASSETS:
            original = COURSE.source / path.relative_to(COURSE.release)
            assert path.read_bytes() == original.read_bytes()


@pytest.mark.parametrize("name", LESSONS)
def test_two_builds_are_equal_byte_by_byte(name):
    once = [dump(source_notebook(COURSE.text(name)))]
    again = [dump(source_notebook(COURSE.text(name)))]
    once.append(dump(release_notebook(source_notebook(COURSE.text(name)), COURSE.config)))
    again.append(dump(release_notebook(source_notebook(COURSE.text(name)), COURSE.config)))
    assert once == again


@pytest.mark.parametrize("name", LESSONS)
def test_the_built_files_are_those_of_a_fresh_build(name):
    stale = [product for product in products(COURSE, name) if product.stale]
    for product in stale:
        write_atomically(product.path, product.content)
    written = ", ".join(str(product.path.relative_to(ROOT)) for product in stale)
    assert not stale, f"was stale and is written now, commit it: {written}"


def test_no_student_data_is_kept_in_the_repository():
    listed = subprocess.run(
        ["git", "ls-files", "grading"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert listed.stdout == ""
