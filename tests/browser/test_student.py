"""A student in JupyterLab, on the published repository: open, run, validate, as its README says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator

import nbformat
import pytest
from courses import LESSON, answered, make_course, run, solution
from lab import Lab, serve, words
from notebookpage import Notebook
from playwright.sync_api import Page, expect

NOTEBOOK = f"{LESSON}/{LESSON}.ipynb"
Shoot = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    return make_course(tmp_path_factory.mktemp("instructor") / "course")


@pytest.fixture(scope="module")
def lab(folder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab in the repository that `autograder publish` made."""
    room = tmp_path_factory.mktemp("student")
    run(folder.root, "autograder", "publish", str(room / "students"), LESSON)
    # Installed, the package of the repository comes first; here the course's own is installed.
    with serve(room / "students", room / "home", {"PYTHONPATH": str(room / "students")}) as lab:
        yield lab


@pytest.fixture(autouse=True)
def released(folder, lab: Lab) -> None:
    """Each test starts from the release as it was published."""
    shutil.copy(folder.release / NOTEBOOK, lab.root / NOTEBOOK)


def graded_cells(lab: Lab) -> list[str]:
    """First lines of the release's test cells."""
    cells = nbformat.read(lab.root / NOTEBOOK, as_version=4).cells
    return [c.source.splitlines()[0] for c in cells if c.metadata.get("nbgrader", {}).get("grade")]


def test_the_release_runs_up_to_the_first_exercise_and_validate_names_every_failed_test(
    lab: Lab, page: Page, shoot: Shoot
):
    notebook = Notebook(page, lab, NOTEBOOK)
    expect(notebook.panel.get_by_role("heading", name="01 · Convolution by hand")).to_be_visible()
    shoot(page, "1-opened")
    notebook.run_all()
    test = notebook.cell("# A batch becomes rows")
    expect(test.locator(".jp-OutputArea")).to_contain_text(
        "NotImplementedError: your code goes here"
    )
    shoot(page, "2-first-exercise")
    photograph = notebook.cell('gray = photo("china", gray=True)')
    expect(photograph.locator(".jp-OutputArea img")).to_be_visible()
    shoot(page, "3-photograph")
    dialog = notebook.validate()
    shoot(page, "4-validate-fails")
    said = words(dialog)
    names = graded_cells(lab)
    assert len(names) > 20
    assert said.count("The following cell failed:") == len(names)
    for name in names:
        assert name in said


def test_an_exercise_that_is_typed_in_passes_its_test_and_leaves_the_list_of_failed_cells(
    lab: Lab, page: Page, folder, shoot: Shoot
):
    notebook = Notebook(page, lab, NOTEBOOK)
    cell = notebook.cell("def flatten(x):")
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    # Pasted, not key by key: the editor would indent and close brackets once more.
    page.keyboard.insert_text("def flatten(x):\n    return np.reshape(x, (len(x), -1))")
    notebook.restart_and_run_all()
    test = notebook.cell("# A batch becomes rows")
    expect(test.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"))
    expect(test.locator(".jp-OutputArea-output")).to_have_count(0)
    shoot(page, "5-first-test-passes")
    dialog = notebook.validate()
    said = words(dialog)
    assert said.count("The following cell failed:") == len(graded_cells(lab)) - 1
    assert "# A batch becomes rows" not in said


def test_the_solved_notebook_runs_from_a_fresh_kernel_with_its_pictures_and_passes_validation(
    lab: Lab, page: Page, folder, shoot: Shoot
):
    (lab.root / NOTEBOOK).write_bytes(answered(folder))
    notebook = Notebook(page, lab, NOTEBOOK)
    notebook.restart_and_run_all()
    notebook.save()
    cells = nbformat.read(lab.root / NOTEBOOK, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output.output_type == "error"] == []
    assert [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"] == []
    pictures = [o for o in outputs if "image/png" in o.get("data", {})]
    assert len(pictures) >= 5
    assert {c.source for c in cells} >= set(solution(folder).values())
    last = [cell for cell in cells if "illustration" in cell.metadata.get("tags", [])][-1]
    expect(notebook.cell(last.source.splitlines()[0]).locator("img").first).to_be_visible()
    shoot(page, "6-solved")
    dialog = notebook.validate()
    expect(dialog).to_contain_text("Success! Your notebook passes all the tests.")
    shoot(page, "7-validate-passes")
