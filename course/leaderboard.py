"""The speedrun's leaderboard: ``python -m course.leaderboard grading/autograded``.

It reads what the graded cell of lesson 13 printed in each graded notebook, so it does not matter
who graded it, and knows nothing of points.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import nbformat

LESSON, CELL = "13-speedrun", "test-race"
GOALS = {"small": 0.99, "big": 0.94}


@dataclass(frozen=True)
class Entry:
    """What one submission reached.

    Attributes:
        student: name of the submission's folder.
        race: ``"small"`` (digits) or ``"big"`` (CIFAR-10).
        accuracy: mean share of right answers over the runs.
        seconds: mean time of a run, on the machine that graded.
        runs: how many there were.
    """

    student: str
    race: str
    accuracy: float
    seconds: float
    runs: int

    @property
    def arrived(self) -> bool:
        """Whether the mean accuracy reaches the race's goal."""
        return self.accuracy >= GOALS[self.race]


def entries(folder: Path) -> list[Entry]:
    """The entries of all graded notebooks in ``folder``, best first.

    Those who reached the goal come by their seconds, then the others by their accuracy. A notebook
    without a result, because its race failed or never ran, has no entry.

    Args:
        folder: what grading wrote, ``STUDENT/13-speedrun/13-speedrun.ipynb`` in it.
    """
    found = []
    for path in sorted(Path(folder).glob(f"*/{LESSON}/{LESSON}.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == CELL:
                found += _read(path.parent.parent.name, cell)
    return sorted(found, key=_rank)


def _read(student: str, cell: nbformat.NotebookNode) -> list[Entry]:
    """The entry in the last line that the cell printed, if that is one."""
    printed = "".join(out.text for out in cell.get("outputs", []) if out.output_type == "stream")
    try:
        result = json.loads(printed.strip().splitlines()[-1])
        accuracy, seconds = float(result["accuracy"]), float(result["seconds"])
        entry = Entry(student, result["race"], accuracy, seconds, int(result["runs"]))
    except (IndexError, KeyError, TypeError, ValueError):
        return []
    return [entry] if entry.race in GOALS else []


def _rank(entry: Entry) -> tuple[object, ...]:
    value = entry.seconds if entry.arrived else -entry.accuracy
    return entry.race, not entry.arrived, value, entry.student


def table(found: list[Entry]) -> str:
    """The entries as lines of text; the place of those who did not arrive is a dash."""
    lines = ["place  race   accuracy  seconds  runs  student"]
    places: dict[str, int] = {}
    for entry in found:
        place = "-"
        if entry.arrived:
            places[entry.race] = places.get(entry.race, 0) + 1
            place = str(places[entry.race])
        numbers = f"{entry.accuracy:8.2%}  {entry.seconds:7.2f}  {entry.runs:4d}"
        lines.append(f"{place:>5}  {entry.race:5}  {numbers}  {entry.student}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """The command; see ``--help``."""
    parser = argparse.ArgumentParser(prog="python -m course.leaderboard", description=__doc__)
    parser.add_argument("folder", type=Path, help="what grading wrote, such as grading/autograded")
    print(table(entries(parser.parse_args(arguments).folder)))


if __name__ == "__main__":
    main()
