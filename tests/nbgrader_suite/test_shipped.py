"""nbgrader's own tests of `nbgrader autograde`, as its wheel ships them, with our executor inside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest
from submissions.toy import ISOLATION

SUITE = "nbgrader.tests.apps.test_nbgrader_autograde"
CONFIG = Path(__file__).parent / "config"
# nbgrader skips these itself: too long, or too much memory.
SKIPPED = {"test_many_students", "test_infinite_loop_with_output"}
# With our executor this one ends otherwise, for the reason in docs/nbgrader.md.
BY_DESIGN = {"test_side_effects"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def run_suite(place: Path, config: Path) -> dict[str, str]:
    """How each shipped test ended: ``passed``, ``failed`` or ``skipped``."""
    place.mkdir()
    report = place / "report.xml"
    environment = {
        **os.environ,
        # nbgrader calls `alembic` by name.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "JUPYTER_CONFIG_DIR": str(config),
        "TEST_ISOLATION": ISOLATION,
    }
    command = [
        sys.executable, "-m", "pytest", "--pyargs", SUITE, "-n", "2", "-q",
        "-p", "no:cacheprovider", "--rootdir", str(place), f"--junitxml={report}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr[-3000:]
    return {
        case.get("name", ""): outcome(case) for case in ElementTree.parse(report).iter("testcase")
    }


def outcome(case: ElementTree.Element) -> str:
    if case.find("skipped") is not None:
        return "skipped"
    return "passed" if case.find("failure") is case.find("error") is None else "failed"


def test_what_passes_with_stock_execute_passes_with_ours(tmp_path: Path):
    # Copies, for Jupyter writes into its configuration folder.
    (tmp_path / "as it comes").mkdir()
    shutil.copytree(CONFIG, tmp_path / "with ours")
    stock = run_suite(tmp_path / "stock", tmp_path / "as it comes")
    ours = run_suite(tmp_path / "ours", tmp_path / "with ours")
    print("stock", Counter(stock.values()), "ours", Counter(ours.values()))
    assert len(stock) == 42
    assert {name for name, how in stock.items() if how == "skipped"} == SKIPPED
    assert stock.keys() == ours.keys()
    # That it differs also shows that it is our executor that ran.
    assert {name for name in stock if stock[name] != ours[name]} == BY_DESIGN
