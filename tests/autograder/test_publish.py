"""`autograder publish`: a repository that stands on its own, gives nothing away, loses no edit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from typer.testing import CliRunner

from autograder.build import products, source_notebook
from autograder.cli import app
from autograder.errors import AutograderError, CourseError
from autograder.fates import fill, reference
from autograder.files import write_atomically
from autograder.folder import CourseFolder
from autograder.mistakes import read_mistakes
from autograder.publish import RECORD, publish
from autograder.surroundings import binder, conda

sys.path.insert(0, str(Path(__file__).parents[1] / "notebooks"))
from test_release import MARKS, normal, openly, secrets, telling

ROOT = Path(__file__).resolve().parents[2]
LESSON = "01-convolution"
TEXTS = CourseFolder.open(ROOT).lessons()
# A race without points has no answer to give away.
GRADED = [name for name in TEXTS if name != "13-speedrun"]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> CourseFolder:
    """This course with its releases as a build gives them now, whatever lies in ``release/``."""
    root = tmp_path_factory.mktemp("course")
    for name in ("pyproject.toml", "requirements.lock", "nbgrader_config.py", "LICENSE"):
        shutil.copy(ROOT / name, root / name)
    for name in ("source", "course"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    folder = CourseFolder.open(root)
    for name in TEXTS:
        for product in products(folder, name):
            write_atomically(product.path, product.content)
    return folder


@pytest.fixture(scope="module")
def repository(built, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("published") / "students"
    publish(built, target, [], url="https://github.com/uni/networks")
    return target


@pytest.fixture(scope="module")
def sources(built):
    return {name: source_notebook(built.text(name)) for name in TEXTS}


@pytest.fixture(scope="module")
def shown(sources):
    """What some lesson shows its readers openly, which is no secret in another."""
    return set().union(*map(openly, sources.values()))


@pytest.fixture(scope="module")
def published(repository):
    """The lines of every published file, by path."""
    return {path: lines(content) for path, content in files(repository).items()}


def files(target):
    """Content by path of everything in a folder but git's own files."""
    return {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in sorted(target.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(target).parts
    }


def lines(content):
    """The lines of a text, or of a notebook's cells, without indents."""
    text = content.decode(errors="replace")
    if text.lstrip().startswith("{") and '"nbformat"' in text:
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n".join(cell.source for cell in cells)
    return {normal(line) for line in text.splitlines()}


# --- What is in it, and what is not


def test_every_lesson_is_handed_out_with_its_files(repository):
    published = files(repository)
    for name in TEXTS:
        assert f"{name}/{name}.ipynb" in published
    assert f"{LESSON}/mystery.png" in published
    assert published["course/checks.py"] == (ROOT / "course/checks.py").read_bytes()
    assert published["course/degradation.json"] == (ROOT / "course/degradation.json").read_bytes()


def test_nothing_of_the_graders_side_is_published(repository):
    rooms = {Path(path).parts[0] for path in files(repository)}
    assert not rooms & {"source", "solutions", "tests", "autograder", "grading", "release", "docs"}
    assert not [path for path in files(repository) if ".mistakes" in path or "__pycache__" in path]


def test_no_published_file_has_a_mark(repository):
    for path, content in files(repository).items():
        for mark in MARKS:
            assert mark.encode() not in content, path


@pytest.mark.parametrize("name", GRADED)
def test_no_line_of_a_solution_or_a_hidden_test_is_published(name, sources, shown, published):
    hidden = set().union(*secrets(sources[name]).values()) - shown
    assert len(hidden) > 20, "the scan finds nothing to look for"
    # A helper package is a library, and may hold a line such as ``x = np.asarray(x)``.
    leaked = {
        path: hidden & text
        for path, text in published.items()
        if hidden & text and not path.startswith("course/")
    }
    assert not leaked


@pytest.mark.parametrize("name", TEXTS)
def test_no_exercise_is_answered_by_a_helper_package(name, sources, shown, published):
    """No module holds more than half of what a solution or a hidden test adds to its cell."""
    helpers = {path: text for path, text in published.items() if path.startswith("course/")}
    assert len(helpers) > 5
    for cell, found in secrets(sources[name]).items():
        body = found - shown
        for path, text in helpers.items():
            assert len(body & text) <= max(1, len(body) // 2), (path, cell, body & text)


@pytest.mark.parametrize("name", GRADED)
def test_no_text_of_the_mistakes_is_published(name, built, shown, published, repository):
    everything = b"\n".join(files(repository).values()).decode(errors="replace")
    variants = read_mistakes(built.mistakes(name))
    assert variants
    for variant in variants:
        assert not variant.message or variant.message not in everything
        body = {normal(line) for line in variant.source.splitlines() if telling(line)} - shown
        body = {li for li in body if not li.startswith(("def ", "class ", "import "))}
        assert not body & published[f"{name}/{name}.ipynb"], variant.title


def test_the_scan_finds_a_solution_where_there_is_one(sources, shown, built):
    """The scan itself works: of the source notebook it finds every secret."""
    source = built.source / LESSON / f"{LESSON}.ipynb"
    hidden = set().union(*secrets(sources[LESSON]).values()) - shown
    assert hidden <= lines(source.read_bytes())


def test_a_release_that_still_holds_a_solution_is_refused(course, tmp_path):
    name = "07-sums"
    course.folder.text(name).unlink()  # a plain notebook, as in any nbgrader course
    master = course.folder.master(name)
    shutil.copy(master, course.folder.release / name / f"{name}.ipynb")
    with pytest.raises(CourseError, match="BEGIN SOLUTION"):
        publish(course.folder, tmp_path / "out", [])
    assert not (tmp_path / "out").exists()


# --- Its environments


def test_students_install_what_the_notebooks_need_and_nothing_of_the_graders(repository):
    own = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert own["dependencies"] == ours["dependencies"]
    assert own["name"] != ours["name"], "both can be installed side by side"
    pinned = (repository / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert pinned.pop() == "--editable ."
    names = {Requirement(line).name.lower() for line in pinned}
    assert {Requirement(line).name for line in own["dependencies"]} <= names
    assert not names & {"distributed", "dask", "pytest", "ruff", "mypy", "playwright", "jupytext"}
    lock = set((ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines())
    assert set(pinned) <= lock


def test_conda_binder_and_dev_container_install_the_same(repository):
    environment = yaml.safe_load((repository / "environment.yml").read_text(encoding="utf-8"))
    main = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    lines = [line for line in environment["dependencies"] if isinstance(line, str)]
    known = {
        Requirement(li).name: Requirement(li) for li in main["dependencies"] if "pip" not in li
    }
    for line in lines:
        if line != "pip":
            assert Requirement(line).specifier == known[Requirement(line).name].specifier
    assert "pytorch >=2.5,<3" in lines
    pinned = (repository / "requirements.txt").read_text(encoding="utf-8").splitlines()[:-1]
    binder_lines = (
        (repository / ".binder/requirements.txt").read_text(encoding="utf-8").splitlines()
    )
    assert binder_lines[1:] == pinned and binder_lines[0].startswith("--extra-index-url ")
    assert os.access(repository / ".binder/postBuild", os.X_OK)
    container = json.loads((repository / ".devcontainer/devcontainer.json").read_bytes())
    assert "requirements.txt" in container["postCreateCommand"]


def test_conda_names_are_condas_own():
    assert conda("torch>=2.5,<3") == "pytorch >=2.5,<3"
    assert conda("pillow") == "pillow"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://github.com/uni/networks", "gh/uni/networks/HEAD"),
        ("https://github.com/uni/networks.git", "gh/uni/networks/HEAD"),
        ("https://gitlab.com/uni/2026/networks", "gl/uni%2F2026%2Fnetworks/HEAD"),
        ("https://git.uni.example/a/b.git", "git/https%3A%2F%2Fgit.uni.example%2Fa%2Fb.git/HEAD"),
    ],
)
def test_binder_opens_each_hosts_repository(url, place):
    assert binder(url) == f"https://mybinder.org/v2/{place}?urlpath=lab"


@pytest.mark.parametrize("url", ["networks", "ftp://a/b", "https://a.b/c d", "https://a/b](x"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(CourseError, match="no address"):
        binder(url)


def test_the_badge_is_there_only_with_an_address(repository, course, tmp_path):
    assert "mybinder.org" in (repository / "README.md").read_text(encoding="utf-8")
    publish(course.folder, tmp_path / "out", [])
    readme = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "mybinder" not in readme and "git clone" not in readme and "torch" not in readme
    assert "07 · Sums" in readme


# --- Again


def run(folder, *words):
    done = CliRunner().invoke(app, ["publish", *map(str, words), "--course-dir", str(folder.root)])
    if isinstance(done.exception, AutograderError):
        return 2, str(done.exception)
    return done.exit_code, done.output


def lengthen(folder, name="07-sums"):
    """A new release of the toy lesson."""
    path = folder.text(name)
    path.write_text(path.read_text() + "\n# %% [markdown]\n# The end.\n", encoding="utf-8")
    for product in products(folder, name):
        write_atomically(product.path, product.content)


def test_publishing_again_changes_nothing_and_says_so(course, tmp_path):
    target = tmp_path / "out"
    publish(course.folder, target, [])
    before = files(target)
    done = publish(course.folder, target, [])
    assert (done.added, done.updated, done.removed, done.kept) == ([], [], [], [])
    assert done.unchanged == len(before) - 1  # all but the record
    assert files(target) == before


def test_a_new_release_is_an_update_and_git_stays(course, tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    subprocess.run(["git", "init", "--quiet", target], check=True)
    publish(course.folder, target, [])  # a fresh clone of an empty repository
    (target / "notes.txt").write_text("mine")
    lengthen(course.folder)
    code, said = run(course.folder, target)
    assert code == 0 and "updated 07-sums/07-sums.ipynb" in said and "1 updated" in said
    assert b"The end." in (target / "07-sums/07-sums.ipynb").read_bytes()
    assert (target / ".git/HEAD").is_file() and (target / "notes.txt").read_text() == "mine"


def test_a_stale_release_is_refused_and_the_command_that_helps_is_named(course, tmp_path):
    path = course.folder.text("07-sums")
    path.write_text(path.read_text() + "\n# %% [markdown]\n# New.\n", encoding="utf-8")
    code, said = run(course.folder, tmp_path / "out")
    assert code == 2 and "autograder build 07-sums" in said
    assert not (tmp_path / "out").exists()


def test_a_file_changed_by_hand_is_kept_until_forced(course, tmp_path):
    target = tmp_path / "out"
    publish(course.folder, target, [])
    notebook = target / "07-sums/07-sums.ipynb"
    edited = notebook.read_bytes() + b"\n"
    notebook.write_bytes(edited)
    assert run(course.folder, target)[0] == 0, "nothing newer: nothing to say"
    lengthen(course.folder)
    for _ in range(2):  # it is reported each time
        code, said = run(course.folder, target)
        assert code == 1 and "kept 07-sums/07-sums.ipynb" in said
        assert notebook.read_bytes() == edited
    code, said = run(course.folder, target, "--force")
    assert code == 0 and "updated 07-sums/07-sums.ipynb" in said
    assert b"The end." in notebook.read_bytes()


def test_a_file_that_someone_put_in_the_way_is_kept(course, tmp_path):
    target = tmp_path / "out"
    publish(course.folder, target, [])
    (course.folder.release / "07-sums").mkdir(exist_ok=True)
    (course.folder.source / "07-sums/map.csv").write_text("1,2\n")
    (target / "07-sums/map.csv").write_text("theirs\n")
    lengthen(course.folder)
    assert "07-sums/map.csv" in publish(course.folder, target, []).kept
    assert (target / "07-sums/map.csv").read_text() == "theirs\n"


def test_what_is_no_longer_handed_out_goes_unless_it_was_changed(course, tmp_path):
    target = tmp_path / "out"
    for name in ("a.csv", "b.csv"):
        (course.folder.source / "07-sums" / name).write_text("1\n")
    lengthen(course.folder)
    publish(course.folder, target, [])
    (target / "07-sums/b.csv").write_text("2\n")
    for name in ("a.csv", "b.csv"):
        (course.folder.source / "07-sums" / name).unlink()
        (course.folder.release / "07-sums" / name).unlink()
    done = publish(course.folder, target, [])
    assert done.removed == ["07-sums/a.csv"] and done.kept == ["07-sums/b.csv"]
    assert not (target / "07-sums/a.csv").exists()
    assert (target / "07-sums/b.csv").read_text() == "2\n"


def test_lessons_are_handed_out_one_by_one_and_earlier_ones_stay(built, tmp_path):
    target = tmp_path / "out"
    first, second = TEXTS[:2]
    publish(built, target, [first], url="https://github.com/uni/networks")
    before = (target / first / f"{first}.ipynb").read_bytes()
    assert not (target / second).exists()
    done = publish(built, target, [second])
    assert done.lessons == [first, second] and not done.removed
    assert (target / first / f"{first}.ipynb").read_bytes() == before
    readme = (target / "README.md").read_text(encoding="utf-8")
    assert f"`{first}`" in readme and f"`{second}`" in readme
    assert "mybinder.org" in readme, "the address is remembered"


# --- What is refused


def test_a_folder_with_something_else_in_it_is_refused_and_left_alone(course, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/thesis.txt").write_text("text")
    code, said = run(course.folder, tmp_path / "home")
    assert code == 2 and "no published repository" in said and "\n" not in said.strip()
    assert files(tmp_path / "home") == {"thesis.txt": b"text"}


@pytest.mark.parametrize(
    "record",
    [
        "",
        "[]",
        '{"by": "x"}',
        '{"by": "autograder publish", "files": {"../x": "0"}, "lessons": []}',
    ],
)
def test_a_damaged_record_is_refused(record, course, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / RECORD).write_text(record)
    code, said = run(course.folder, tmp_path / "out")
    assert code == 2 and "damaged" in said and "\n" not in said.strip()


@pytest.mark.parametrize("name", ["08-nothing", "../07-sums", ""])
def test_an_unknown_lesson_is_refused(name, course, tmp_path):
    code, said = run(course.folder, tmp_path / "out", name)
    assert code == 2 and "there are: 07-sums" in said
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_refused(course, tmp_path):
    course.folder.config.Autograder.publish = {"packages": ["helpers"]}
    with pytest.raises(CourseError, match=r"helpers: is no package"):
        publish(course.folder, tmp_path / "out", [])


def test_a_place_that_cannot_be_written_is_one_line(course, tmp_path):
    (tmp_path / "file").write_text("")
    code, said = run(course.folder, tmp_path / "file" / "out")
    assert code == 2 and "cannot be written" in said
    code, said = run(course.folder, tmp_path / "file")
    assert code == 2 and "no published repository" in said


# --- Installed on its own


def call(*words, cwd, **environment):
    own = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    own |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", **environment}
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, env=own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


def test_the_course_package_installs_from_it_with_its_data(repository, tmp_path):
    copy = shutil.copytree(repository, tmp_path / "students")
    venv.create(tmp_path / "venv")
    (room,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    # Third-party packages come from the environment that runs this test, the course does not.
    (room / "behind.pth").write_text(f"{Path(nbformat.__file__).parents[1]}\n")
    flags = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    install = (sys.executable, "-m", "pip", "install", *flags, "--no-build-isolation")
    call(*install, "--target", room, copy, cwd=tmp_path)
    code = "import course, course.checks, course.plots; print(course.__file__)"
    place = call(tmp_path / "venv/bin/python", "-c", code, cwd=tmp_path).strip()
    assert Path(place) == room / "course/__init__.py"
    shipped = {path for path in files(copy) if path.startswith("course/")}
    assert shipped <= set(files(room))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_it_installs_from_the_index_and_a_solved_lesson_validates(built, repository, tmp_path):
    """As the README says: a fresh environment, requirements.txt, validate, papermill."""
    copy = shutil.copytree(repository, tmp_path / "students")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    call(python, "-m", "pip", "install", "--quiet", "-r", "requirements.txt", cwd=copy)
    path = copy / LESSON / f"{LESSON}.ipynb"
    source = source_notebook(built.text(LESSON))
    solved = fill(nbformat.read(path, as_version=4), reference(source))
    nbformat.write(solved, path)
    home = {"HOME": str(tmp_path), "PATH": f"{python.parent}:{os.environ['PATH']}"}
    said = call("nbgrader", "validate", path.relative_to(copy), cwd=copy, **home)
    assert "Success! Your notebook passes all the tests." in said
    call("papermill", path, tmp_path / "ran.ipynb", "--cwd", path.parent, cwd=copy, **home)
    ran = nbformat.read(tmp_path / "ran.ipynb", as_version=4)
    assert all(cell.execution_count for cell in ran.cells if cell.cell_type == "code")
    installed = call(python, "-m", "pip", "list", "--format", "freeze", cwd=copy, **home)
    assert not {"pytest", "distributed", "jupytext"} & {
        line.partition("==")[0] for line in installed.splitlines()
    }
