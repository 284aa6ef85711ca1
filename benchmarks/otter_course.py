"""Lesson 01 as an otter-grader assignment: the same test cells, a test case each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

# otter runs one submission a call.
RUN = """
import json, subprocess, sys
otter, archive, out, *notebooks = sys.argv[1:]
for notebook in notebooks:
    subprocess.run([otter, "run", "-a", archive, "-o", out, notebook], check=True)
    tests = json.load(open(out + "/results.json"))["tests"]
    earned = sum(test.get("score") or 0 for test in tests)
    if earned != sum(test.get("max_score") or 0 for test in tests):
        sys.exit(f"{notebook}: {earned} points are not full marks")
"""
TEST = """from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = {points}


@test_case(points={points}, hidden=True)
def run_cell(env):
    exec(compile({source!r}, {name!r}, "exec"), env)
"""


def find_otter() -> str | None:
    """The command ``otter``: what ``$OTTER`` names, or on the path."""
    return os.environ.get("OTTER") or shutil.which("otter")


def otter_command(otter: str, root: Path, master: Path, notebooks: list[Path]) -> list[str]:
    """What grades the notebooks one after the other, and fails where one has not full marks.

    Args:
        otter: the command.
        root: a folder for the autograder archive and the results.
        master: the source notebook with the tests.
        notebooks: the submissions.
    """
    tests, out = root / "tests", root / "results"
    for folder in (tests, out):
        folder.mkdir(parents=True)
    for cell in nbformat.read(master, as_version=4).cells:
        meta = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and meta.get("grade"):
            name = meta["grade_id"].replace("-", "_")
            text = TEST.format(name=name, points=meta["points"], source=cell.source)
            (tests / f"{name}.py").write_text(text, encoding="utf-8")
    archive = root / "autograder.zip"
    options = ["-t", tests, "-o", archive, "--no-environment", "--no-requirements"]
    subprocess.run([otter, "generate", *map(str, options)], check=True, capture_output=True)
    return [sys.executable, "-c", RUN, otter, str(archive), str(out), *map(str, notebooks)]
