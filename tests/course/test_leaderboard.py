"""The speedrun's leaderboard: who arrived first, read from graded notebooks as they lie there."""

import json

import nbformat
import pytest
from nbformat import v4

from course.leaderboard import Entry, entries, main, table


def graded(folder, student, printed, grade_id="test-race"):
    """A graded notebook whose test cell printed these texts, one output each."""
    cell = v4.new_code_cell("race()", metadata={"nbgrader": {"grade_id": grade_id}})
    cell.outputs = [v4.new_output("stream", name="stdout", text=text) for text in printed]
    place = folder / student / "13-speedrun"
    place.mkdir(parents=True)
    nbformat.write(v4.new_notebook(cells=[cell]), place / "13-speedrun.ipynb")


def line(accuracy, seconds, race="small"):
    found = {"race": race, "accuracy": accuracy, "seconds": seconds, "runs": 5}
    return json.dumps(found) + "\n"


def test_those_who_arrived_come_by_seconds_and_then_the_others_by_accuracy(tmp_path):
    for student, result in {
        "slow": (0.995, 9.0),
        "fast": (0.99, 2.0),
        "near": (0.989, 0.5),
        "far": (0.5, 0.1),
    }.items():
        graded(tmp_path, student, [line(*result)])
    assert [entry.student for entry in entries(tmp_path)] == ["fast", "slow", "near", "far"]


def test_the_big_race_has_its_own_goal_and_its_own_places(tmp_path):
    graded(tmp_path, "a", [line(0.941, 3.0, "big")])
    graded(tmp_path, "b", [line(0.941, 3.0, "small")])
    graded(tmp_path, "c", [line(0.995, 3.0, "small")])
    rows = table(entries(tmp_path)).splitlines()[1:]
    assert [(row.split()[0], row.split()[-1]) for row in rows] == [
        ("1", "a"),
        ("1", "c"),
        ("-", "b"),
    ]


def test_the_last_line_counts_and_what_the_student_printed_does_not(tmp_path):
    graded(tmp_path, "s", ["epoch 1\n", line(1.0, 0.001), line(0.97, 4.0)])
    assert entries(tmp_path) == [Entry("s", "small", 0.97, 4.0, 5)]


@pytest.mark.parametrize(
    "printed",
    [[], ["\n"], ["no result\n"], ["3\n"], ['{"race": "small"}\n'], [line(1, 1, "other")]],
)
def test_a_race_that_did_not_end_has_no_entry(tmp_path, printed):
    graded(tmp_path, "s", printed)
    assert entries(tmp_path) == []


def test_other_cells_are_not_looked_at(tmp_path):
    graded(tmp_path, "s", [line(1.0, 1.0)], grade_id="race")
    assert entries(tmp_path) == []


def test_the_command_prints_the_table(tmp_path, capsys):
    graded(tmp_path, "ada", [line(0.9944, 2.345)])
    main([str(tmp_path)])
    _, row = capsys.readouterr().out.splitlines()
    assert row.split() == ["1", "small", "99.44%", "2.35", "5", "ada"]
