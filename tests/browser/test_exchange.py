"""Both ends of nbgrader's exchange: an instructor and a student, each with a JupyterLab of their own.

Two servers on one exchange folder, each with a home of its own. nbgrader calls a user what the
system does; both are one user of this machine, so the student's configuration says who she is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from courses import LESSON, answered, make_course, run
from formgrader import Formgrader
from lab import Lab, serve
from playwright.sync_api import FrameLocator, Locator, Page, expect
from submissions.toy import ISOLATION

from autograder.folder import CourseFolder

Shoot = Callable[[Page, str], None]
COURSE = "cnn-course"
WRONG = "def flatten(x):\n    return np.reshape(x, (1, -1))"


@dataclass
class Campus:
    """A course, the exchange, and where each of two people works."""

    folder: CourseFolder
    exchange: Path
    instructor: Lab
    student: Lab
    settings: dict[str, str]

    def command(self, *words: str) -> str:
        """What the instructor types in the course folder."""
        return run(self.folder.root, *words, environment=self.settings)


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[Campus]:
    folder = make_course(tmp_path / "course")
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)  # everybody hands in here
    shared = tmp_path / "etc" / "nbgrader_config.py"  # /etc/jupyter on a server for many
    shared.parent.mkdir()
    shared.write_text(f"c = get_config()\nc.Exchange.root = {str(exchange)!r}\n")
    settings = {"JUPYTER_CONFIG_PATH": str(shared.parent)}
    own = tmp_path / "ada" / ".jupyter" / "nbgrader_config.py"
    own.parent.mkdir(parents=True)
    own.write_text('c = get_config()\nc.CourseDirectory.student_id = "ada"\n')
    (tmp_path / "ada" / "work").mkdir()
    with (
        serve(folder.root, tmp_path / "instructor", settings) as instructor,
        serve(tmp_path / "ada" / "work", tmp_path / "ada", settings) as student,
    ):
        yield Campus(folder, exchange, instructor, student, settings)


class AssignmentList:
    """The student's list of assignments in its tab of JupyterLab."""

    def __init__(self, page: Page, lab: Lab) -> None:
        self.page = page
        page.goto(lab.address())
        page.locator("#jp-menu-panel").get_by_role("menuitem", name="Nbgrader").click()
        page.locator(".lm-Menu").get_by_text("Assignment List", exact=True).click()
        expect(page.locator("#course_list_default")).to_have_text(COURSE)

    def line(self, state: str) -> Locator:
        """The lesson among the ``released``, ``fetched`` or ``submitted`` ones."""
        line = self.page.locator(f"#{state}_assignments_list > .list_item")
        expect(line).to_have_count(1)
        expect(line).to_contain_text(LESSON)
        return line

    def press(self, state: str, button: str) -> None:
        self.line(state).get_by_role("button", name=button, exact=True).click()

    def refresh(self) -> None:
        self.page.locator("#refresh_assignments_list").click()

    def read_feedback(self) -> FrameLocator:
        """Fetch the feedback on the last submission, and open it where *view feedback* leads."""
        ready = "(feedback available to fetch)"
        expect(self.line("submitted")).to_contain_text(ready)
        self.press("submitted", "Fetch Feedback")
        expect(self.line("submitted")).not_to_contain_text(ready)
        last = self.line("submitted").locator(".nested_list_item").last
        stamp = last.inner_text().split(" (")[0].strip()
        last.get_by_text("(view feedback)").click()
        expect(self.page.locator(".jp-FileBrowser-crumbs")).to_contain_text(stamp)
        self.page.locator(".jp-DirListing-item").filter(has_text=f"{LESSON}.html").dblclick()
        return self.page.frame_locator(".jp-HTMLViewer iframe >> visible=true")


def test_a_lesson_goes_out_comes_back_and_its_feedback_is_read(
    campus: Campus, new_page: Callable[[], Page], shoot: Shoot
):
    teacher, ada = new_page(), new_page()
    work = campus.student.root / LESSON

    # Out: by formgrader's button, and into the student's folder by hers.
    formgrader = Formgrader(teacher, campus.instructor)
    formgrader.press(LESSON, "release")
    expect(formgrader.row(LESSON).locator(".status")).to_have_text("released")
    shoot(teacher, "1-released")
    mine = AssignmentList(ada, campus.student)
    mine.press("released", "Fetch")
    mine.line("fetched")
    released = campus.folder.release / LESSON
    assert {path.name for path in work.iterdir()} == {path.name for path in released.iterdir()}
    assert (work / f"{LESSON}.ipynb").read_bytes() == (released / f"{LESSON}.ipynb").read_bytes()
    shoot(ada, "2-fetched")

    # Back, with one mistake in it; graded by buttons.
    (work / f"{LESSON}.ipynb").write_bytes(answered(campus.folder, flatten=WRONG))
    mine.press("fetched", "Submit")
    mine.line("submitted")
    formgrader.press(LESSON, "collect")
    formgrader.submissions()
    formgrader.press("ada", "autograde")
    expect(formgrader.row("ada").locator(".score")).to_have_text("98 / 100")
    formgrader.press("ada", "generate-feedback")
    formgrader.press("ada", "release-feedback")
    mine.refresh()
    page = mine.read_feedback()
    expect(page.locator("body")).to_contain_text("98 of 100 points")
    shoot(ada, "3-feedback")

    # Once more without the mistake; graded by commands.
    (work / f"{LESSON}.ipynb").write_bytes(answered(campus.folder))
    mine = AssignmentList(ada, campus.student)
    mine.press("fetched", "Submit")
    expect(mine.line("submitted").locator(".nested_list_item")).to_have_count(2)
    campus.command("nbgrader", "collect", LESSON, "--update")
    campus.command("autograder", "grade", LESSON, "--isolation", ISOLATION)
    campus.command("autograder", "feedback", LESSON)
    campus.command("nbgrader", "release_feedback", LESSON)
    mine.refresh()
    page = mine.read_feedback()
    expect(page.locator("body")).to_contain_text("100 of 100 points")
    shoot(ada, "4-second-feedback")
