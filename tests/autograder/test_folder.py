"""Where everything lies in a course folder, as nbgrader's own configuration says."""

import pytest

from autograder.errors import CourseError
from autograder.folder import CourseFolder


@pytest.fixture
def root(tmp_path):
    (tmp_path / "source" / "ps1").mkdir(parents=True)
    (tmp_path / "source" / "ps1" / "problem.ipynb").write_text("{}")
    return tmp_path


def test_a_folder_without_configuration_has_nbgraders_defaults(root):
    folder = CourseFolder.open(root)
    assert folder.release == root / "release" and folder.submitted == root / "submitted"
    assert folder.autograded == root / "autograded" and folder.feedback == root / "feedback"
    assert folder.db_url == f"sqlite:///{root}/gradebook.db"


def test_the_configuration_decides(root):
    (root / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        'c.CourseDirectory.autograded_directory = "grading/autograded"\n'
        'c.CourseDirectory.db_url = "sqlite:///grading/book.db"\n'
    )
    folder = CourseFolder.open(root)
    assert folder.autograded == root / "grading" / "autograded"
    assert folder.report == root / "grading" / "report"
    assert folder.db_url == f"sqlite:///{root}/grading/book.db"


def test_a_database_elsewhere_is_left_as_it_is(root):
    (root / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.db_url = "postgresql://host/grades"\n'
    )
    assert CourseFolder.open(root).db_url == "postgresql://host/grades"


def test_assignments_are_notebooks_and_texts(root):
    (root / "source" / "02.py").write_text("# %%")
    (root / "source" / "02.mistakes.py").write_text("# %%")
    folder = CourseFolder.open(root)
    assert folder.assignments() == ["02", "ps1"] and folder.lessons() == ["02"]
    assert folder.master("ps1").name == "problem.ipynb"
    (root / "source" / "ps1" / "ps1.ipynb").write_text("{}")
    assert folder.master("ps1").name == "ps1.ipynb"


def test_an_assignment_that_is_missing_or_of_two_notebooks_is_refused(root):
    folder = CourseFolder.open(root)
    with pytest.raises(CourseError, match="there are: ps1"):
        folder.master("ps2")
    (root / "source" / "ps1" / "other.ipynb").write_text("{}")
    with pytest.raises(CourseError, match="2 notebooks"):
        folder.master("ps1")


def test_a_folder_that_is_no_course_is_said_to_be_none(tmp_path):
    with pytest.raises(CourseError, match="no course here"):
        CourseFolder.open(tmp_path)


def test_a_configuration_that_fails_is_named(root):
    (root / "nbgrader_config.py").write_text("1 / 0")
    with pytest.raises(CourseError, match=r"nbgrader_config\.py.*ZeroDivisionError"):
        CourseFolder.open(root)
