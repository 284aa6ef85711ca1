"""`nbgrader autograde` with our executor: the points of `autograder grade`, whatever was handed in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import determine_grade
from submissions.toy import ISOLATION, NAME, TEXT, Course, make_course
from traitlets.config import Config

from autograder.preprocessor import told
from autograder.results import CellResult, Status

# nbgrader's models make newer SQLAlchemy warn of its own autoflush.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

DOUBLE, TOTAL = "def double(x):\n    return 2 * x", "def total(values):\n    return sum(values)"
# Each student's own cells, and the points of test-double, test-total and test-steps.
STUDENTS: dict[str, tuple[dict[str, str], tuple[float, float, float]]] = {
    "right": ({}, (3, 4, 3)),
    "warns": ({"double": "import warnings, sys\ndef double(x):\n    warnings.warn('slow')\n"
                         "    print('hm', file=sys.stderr)\n    return 2 * x"}, (3, 4, 3)),
    "partial": ({"total": "def total(values):\n    return len(values)"}, (3, 0, 1)),
    "wrong": ({"double": "def double(x):\n    return abs(2 * x)", "total": TOTAL}, (0, 4, 3)),
    "untouched": ({"double": "raise NotImplementedError", "total": "..."}, (0, 0, 0)),
    "loops": ({"double": "def double(x):\n    while True: pass"}, (0, 4, 3)),
    "ends": ({"total": "import os\ndef total(values):\n    os._exit(0)"}, (3, 0, 0)),
    "equals all": ({"double": "class Yes:\n    def __eq__(self, other):\n        return True\n"
                              "def double(x):\n    return Yes()"}, (0, 4, 3)),
    "mute": ({"double": "import IPython.core.interactiveshell as shell\n"
                        "shell.InteractiveShell.showtraceback = lambda *a, **k: None"}, (0, 4, 3)),
}  # fmt: skip
TESTS = ("test-double", "test-total", "test-steps")


def autograde(course: Course, **settings: str) -> dict[str, dict]:
    """Autograde the whole class as formgrader does, one submission after the other."""
    config = Config(course.folder.config)
    config.CourseDirectory.root = str(course.folder.root)
    config.CourseDirectory.db_url = course.folder.db_url
    config.Autograde.autograde_preprocessors = [
        "autograder.preprocessor.RefereeExecute",
        "nbgrader.preprocessors.LimitOutput",
        "nbgrader.preprocessors.SaveAutoGrades",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    config.RefereeExecute = Config({"isolation": ISOLATION, "timeout": 3, **settings})
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    students = sorted(path.name for path in course.folder.submitted.iterdir())
    return {name: api.autograde(NAME, name) for name in students}


def release(course: Course) -> None:
    """Put the assignment into the gradebook, as `nbgrader generate_assignment` does."""
    config = Config(course.folder.config)
    config.CourseDirectory.root = str(course.folder.root)
    config.CourseDirectory.db_url = course.folder.db_url
    config.CourseDirectory.ignore = ["*.py"]
    done = NbGraderAPI(CourseDirectory(config=config), config=config).generate_assignment(NAME)
    assert done["success"], done


def autograded(course: Course, student: str) -> NotebookNode:
    path = course.folder.autograded / student / NAME / f"{NAME}.ipynb"
    return nbformat.read(path, as_version=4)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = make_course(tmp_path / "course")
    release(course)
    return course


def test_every_student_gets_the_points_that_the_engine_gives(course: Course):
    for student, (answers, _) in STUDENTS.items():
        course.hand_in(student, **answers)
    done = autograde(course)
    assert [name for name, how in done.items() if not how["success"]] == [], done
    found = course.book()
    assert {name: tuple(found[name][test] for test in TESTS) for name in found} == {
        name: points for name, (_, points) in STUDENTS.items()
    }


def test_it_works_beside_formgraders_event_loop(course: Course):
    course.hand_in("right")

    async def button() -> dict[str, dict]:
        return autograde(course)

    done = asyncio.run(button())
    assert done["right"]["success"], done
    assert [course.book()["right"][test] for test in TESTS] == [3, 4, 3]


def test_a_submission_has_its_files_but_no_notebook_beside_it(course: Course):
    look = "import os\nprint(sorted(os.listdir()), open('data.txt').read())\n" + DOUBLE
    place = course.hand_in("reader", double=look)
    (place / "data.txt").write_text("12 kg")
    (place / "way-out").symlink_to(course.folder.source)
    assert autograde(course)["reader"]["success"]
    [cell] = [c for c in autograded(course, "reader").cells if c.source.startswith("import os")]
    assert cell.outputs[0].text == "['data.txt'] 12 kg\n"


def test_a_test_reads_the_files_of_the_assignment(tmp_path: Path):
    text = TEXT.replace("# Twice as much\n", 'assert open("data.txt").read() == "12 kg"\n')
    course = make_course(tmp_path / "course", text)
    (course.folder.source / NAME / "data.txt").write_text("12 kg")
    release(course)
    course.hand_in("right")
    assert autograde(course)["right"]["success"]
    assert course.book()["right"]["test-double"] == 3


def test_metadata_do_not_carry_code_into_the_referee(tmp_path: Path):
    """An essay that calls itself a test runs as the submission's own, and waits for a person.

    With nbgrader's own executor it earns its points by running.
    """
    course = make_course(tmp_path / "course", TEXT.replace("[markdown] nbgrader=", "nbgrader="))
    release(course)
    code = "import sys\nprint('autograder.verdict' in sys.modules)"
    place = course.hand_in("forger", essay=code) / f"{NAME}.ipynb"
    notebook = nbformat.read(place, as_version=4)
    [essay] = [c for c in notebook.cells if c.source == code]
    essay.metadata.nbgrader |= {"solution": False, "locked": True}
    nbformat.write(notebook, place)
    assert autograde(course)["forger"]["success"]
    [essay] = [c for c in autograded(course, "forger").cells if c.source == code]
    assert essay.outputs[0].text == "False\n"
    assert course.book()["forger"] == {
        "test-double": 3, "test-total": 4, "test-steps": 3, "essay": None
    }  # fmt: skip


def test_a_test_that_is_tagged_to_be_skipped_runs(course: Course):
    place = course.hand_in("tags", double="def double(x): return 3 * x") / f"{NAME}.ipynb"
    notebook = nbformat.read(place, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") in TESTS:
            cell.metadata.tags = ["skip-execution"]
    nbformat.write(notebook, place)
    assert autograde(course)["tags"]["success"]
    assert [course.book()["tags"][test] for test in TESTS] == [0, 4, 3]


def test_without_the_source_notebook_it_says_what_is_missing(course: Course):
    course.hand_in("right")
    (course.folder.source / NAME / f"{NAME}.ipynb").unlink()
    done = autograde(course)["right"]
    assert not done["success"]
    assert "no source notebook" in done["log"] + done.get("error", "")


def test_an_isolation_that_does_not_exist_is_refused(course: Course):
    course.hand_in("right")
    done = autograde(course, isolation="none")["right"]
    assert not done["success"]
    assert "no isolation 'none'" in done["log"] + done.get("error", "")


@pytest.mark.parametrize("output", ["nothing", "stderr", "error", "a number too large"])
@pytest.mark.parametrize(
    ("status", "points"),
    [("passed", 4.0), ("partial", 1.5), ("failed", 0.0), ("timeout", 0.0), ("died", 0.0)],
)
def test_nbgrader_reads_the_points_whatever_was_printed(status: str, points: float, output: str):
    outputs = {
        "nothing": [],
        "stderr": [nbformat.v4.new_output("stream", name="stderr", text="Warning: slow")],
        "error": [nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])],
        "a number too large": [
            nbformat.v4.new_output("execute_result", data={"text/plain": "900.0"})
        ],
    }[output]
    marks = {"grade": True, "solution": False, "grade_id": "t", "points": 4}
    cell = nbformat.v4.new_code_cell("", metadata={"nbgrader": marks})
    cell.outputs = told(outputs, CellResult("t", points, 4.0, Status(status), "why"))
    assert determine_grade(cell) == (points, 4.0)
