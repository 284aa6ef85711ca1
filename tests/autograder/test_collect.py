"""From a platform's export to graded submissions, and back to the platform."""

import csv
import json

import pytest
from nbgrader.api import Gradebook
from submissions.toy import CONFIG, make_course
from typer.testing import CliRunner
from zips import zipped

from autograder.cli import app
from autograder.collect import collect, read_ledger
from autograder.errors import CourseError
from autograder.export import export
from autograder.fates import fill
from autograder.text import dump

LATE = """
c.AssignLatePenalties.plugin_class = "autograder.late.LatePolicy"
c.LatePolicy.grace_minutes = 15
c.LatePolicy.percent_a_day = 20
"""


@pytest.fixture
def course(tmp_path):
    return make_course(tmp_path / "a course")


def notebook(course, **answers):
    return dump(fill(course.release, {**course.answers, **answers}))


def canvas(course, path, *rows):
    """A Canvas download: user, attempt, minute of the hour, answers."""
    return zipped(
        path,
        {
            f"student{user}_{user}_{attempt}_{course.name}{suffix}.ipynb": (
                notebook(course, **answers),
                (2026, 2, 3, 14, minute, 0),
            )
            for user, attempt, minute, suffix, answers in rows
        },
    )


WRONG = {"double": "def double(x):\n    return x"}


def test_the_latest_attempt_counts_and_grading_finds_it(course, tmp_path):
    inbox = canvas(
        course,
        tmp_path / "in.zip",
        (11, 900, 30, "", {}),
        (11, 899, 10, "-1", WRONG),
        (12, 901, 5, "", WRONG),
    )
    done = collect(course.folder, course.name, inbox)
    assert (done.placed, done.earlier) == (["student11-11", "student12-12"], 1)
    course.grade()
    assert course.result("student11-11").score == 10
    assert course.result("student12-12").score == 7


def test_collecting_twice_changes_nothing(course, tmp_path):
    inbox = canvas(course, tmp_path / "in.zip", (11, 900, 30, "", {}))
    collect(course.folder, course.name, inbox)
    done = collect(course.folder, course.name, inbox)
    assert (done.placed, done.unchanged, done.problems) == ([], ["student11-11"], [])


def test_a_later_hand_in_replaces_and_keeps_the_earlier_one(course, tmp_path):
    collect(course.folder, course.name, canvas(course, tmp_path / "1.zip", (11, 1, 10, "", WRONG)))
    done = collect(
        course.folder, course.name, canvas(course, tmp_path / "2.zip", (11, 2, 20, "", {}))
    )
    assert done.replaced == ["student11-11"]
    kept = course.folder.results.parent / "replaced" / "student11-11" / course.name
    [old] = kept.glob(f"*/{course.name}.ipynb")
    assert old.read_bytes() == notebook(course, **WRONG)
    place = course.place("student11-11") / f"{course.name}.ipynb"
    assert place.read_bytes() == notebook(course)


def test_an_older_hand_in_never_overwrites_a_later_one(course, tmp_path):
    collect(course.folder, course.name, canvas(course, tmp_path / "2.zip", (11, 2, 20, "", {})))
    done = collect(
        course.folder, course.name, canvas(course, tmp_path / "1.zip", (11, 1, 10, "", WRONG))
    )
    assert (done.placed, done.older) == ([], ["student11-11"])
    place = course.place("student11-11") / f"{course.name}.ipynb"
    assert place.read_bytes() == notebook(course)


def test_who_is_not_on_the_class_list_is_reported_and_left_out(course, tmp_path):
    (course.folder.root / "roster.csv").write_text("student,canvas\nada,11\n", encoding="utf-8")
    rows = [(11, 1, 1, "", {}), (666, 2, 1, "", {})]
    done = collect(course.folder, course.name, canvas(course, tmp_path / "in.zip", *rows))
    assert done.placed == ["ada"]
    assert len(done.problems) == 1
    assert "user 666 is not in" in done.problems[0]
    assert sorted(path.name for path in course.folder.submitted.iterdir()) == ["ada"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name\nAda\n", "no column 'student'"),
        ("student,canvas\nada,1\ngrace,1\n", "two rows have canvas '1'"),
        ("student\nada/../..\n", "line 2: 'ada/../..' cannot be"),
    ],
)
def test_a_wrong_class_list_is_told_before_anything_is_placed(course, tmp_path, text, told):
    (course.folder.root / "roster.csv").write_text(text, encoding="utf-8")
    inbox = canvas(course, tmp_path / "in.zip", (11, 1, 1, "", {}))
    with pytest.raises(CourseError, match=told):
        collect(course.folder, course.name, inbox)
    assert not course.folder.submitted.exists()


def test_a_hand_in_with_impossible_names_stops_nobody_else(course, tmp_path):
    files = {
        f"ada/{course.name}.ipynb": notebook(course),
        "ada/x": b"1",
        "ada/x/y": b"2",
        f"grace/{course.name}.ipynb": notebook(course),
        f"emmy/{'n' * 300}": b"3",
    }
    done = collect(course.folder, course.name, zipped(tmp_path / "in.zip", files))
    assert done.placed == ["grace"]
    assert {problem.split(":")[0] for problem in done.problems} == {"ada", "emmy"}
    assert not list(course.folder.submitted.glob("*/.*"))


@pytest.mark.parametrize("layout", ["canvas", "moodle"])
def test_grades_go_back_under_the_ids_that_came_with_the_work(course, tmp_path, layout):
    if layout == "canvas":
        inbox = canvas(course, tmp_path / "in.zip", (11, 1, 1, "", {}), (12, 2, 1, "", WRONG))
    else:
        inbox = zipped(
            tmp_path / "in.zip",
            {
                f"Ada L_11_assignsubmission_file_/{course.name}.ipynb": notebook(course),
                f"Grace H_12_assignsubmission_file_/{course.name}.ipynb": notebook(course, **WRONG),
            },
        )
    collect(course.folder, course.name, inbox)
    course.grade()
    written = export(course.folder, course.name, layout, column="Sums (4711)")
    with written.path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if layout == "canvas":
        assert rows[0]["Sums (4711)"] == "15"  # the points possible
        assert [(row["ID"], row["Sums (4711)"]) for row in rows[1:]] == [("11", "10"), ("12", "7")]
    else:
        assert [(row["Identifier"], row["Grade"], row["Maximum grade"]) for row in rows] == [
            ("Participant 11", "10", "15"),
            ("Participant 12", "7", "15"),
        ]
    # The essay waits for a person, and that is said.
    assert all("waits for manual grading" in problem for problem in written.problems)
    assert len(written.problems) == 2


def test_a_student_without_an_id_is_reported_and_a_formula_in_a_name_stays_text(course):
    (course.folder.root / "roster.csv").write_text(
        'student,name,email\nada,"=HYPERLINK(""http://x"")",ada@example.org\n', encoding="utf-8"
    )
    course.hand_in("ada")
    course.grade()
    written = export(course.folder, course.name, "moodle")
    assert written.rows == 0
    assert "no moodle id" in written.problems[-1]
    text = export(course.folder, course.name, "csv").path.read_text(encoding="utf-8-sig")
    [row] = csv.DictReader(text.splitlines())
    assert row["name"].startswith("'=HYPERLINK")
    assert (row["grade"], row["points"], row["needs_manual_grade"]) == ("10", "15", "yes")


def test_late_work_loses_what_the_policy_says_and_the_export_shows_it(tmp_path):
    course = make_course(tmp_path / "course", config=CONFIG + LATE)
    with Gradebook(course.folder.db_url) as gradebook:
        gradebook.add_assignment(course.name, duedate="2026-02-03 14:00:00 UTC")
    stamps = {"ada": "14:10:00", "grace": "14:20:00"}
    for student, time in stamps.items():
        course.hand_in(student)
        (course.place(student) / "timestamp.txt").write_text(f"2026-02-03 {time} UTC")
    course.grade()
    text = export(course.folder, course.name, "csv").path.read_text(encoding="utf-8-sig")
    rows = {row["student"]: row for row in csv.DictReader(text.splitlines())}
    assert (rows["ada"]["penalty"], rows["ada"]["grade"]) == ("0", "10")
    assert (rows["grace"]["penalty"], rows["grace"]["grade"]) == ("2", "8")


def test_grades_that_are_not_there_are_told_in_one_line(course):
    with pytest.raises(CourseError, match="no grades of 07-sums"):
        export(course.folder, course.name, "csv")
    with pytest.raises(CourseError, match="there are: csv, canvas, moodle"):
        export(course.folder, course.name, "xlsx")


def test_the_commands_say_what_they_did_and_exit_as_they_should(course, tmp_path):
    inbox = canvas(course, tmp_path / "in.zip", (11, 1, 1, "", {}))
    where = ["--course-dir", str(course.folder.root)]
    done = CliRunner().invoke(app, ["collect", course.name, str(inbox), "--json", *where])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["placed"] == ["student11-11"]
    assert read_ledger(course.folder, course.name)["student11-11"]["user"] == "11"
    course.grade()
    done = CliRunner().invoke(app, ["export", course.name, "--format", "canvas", *where])
    assert done.exit_code == 1  # the essay
