"""The CI recipes call what exists: make targets, local actions, released major versions."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
ALL = [*WORKFLOWS, *ACTIONS]


def name(path):
    return path.relative_to(ROOT / ".github").as_posix()


def parsed(path):
    # BaseLoader keeps `on` a word; YAML 1.1 takes it for true.
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def jobs(path):
    """Lists of steps: one for each job of a workflow, one for an action."""
    content = parsed(path)
    rooms = content["jobs"].values() if "jobs" in content else [content["runs"]]
    return [room["steps"] for room in rooms]


def steps(path):
    return [step for job in jobs(path) for step in job]


def targets(path):
    """The words after `make` of every command, options and variables left out."""
    text = "\n".join(step.get("run", "") for step in steps(path))
    calls = re.findall(r"(?m)(?:^|[;&|]\s*|\s)make ([^\n;&|]+)", text)
    return [word for call in calls for word in call.split() if "=" not in word]


def makefile():
    return (ROOT / "Makefile").read_text(encoding="utf-8")


def test_there_is_one_for_every_push_and_one_for_every_night():
    events = {path.stem: set(parsed(path)["on"]) for path in WORKFLOWS}
    assert {"push", "pull_request"} <= events["ci"]
    assert "schedule" in events["nightly"]


@pytest.mark.parametrize("path", ALL, ids=name)
def test_every_make_target_exists(path):
    known = set(re.findall(r"^([a-z-]+):", makefile(), re.MULTILINE))
    assert targets(path)
    assert set(targets(path)) <= known


def test_ci_runs_what_everybody_runs_and_the_notebooks():
    ci = targets(ROOT / ".github/workflows/ci.yml")
    local = re.findall(r"(?m)^make ([a-z-]+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert local and {*local, "notebooks"} <= set(ci)


def test_every_slow_target_runs_at_night():
    slow = {"test-slow", "test-browser", "verify", "notebooks", "bench"}
    assert slow <= set(targets(ROOT / ".github/workflows/nightly.yml"))


@pytest.mark.parametrize("path", ALL, ids=name)
def test_every_action_is_local_or_pinned_to_a_major_version(path):
    used = [step["uses"] for step in steps(path) if "uses" in step]
    for action in used:
        if action.startswith("./"):
            assert (ROOT / action / "action.yml").is_file(), action
        else:
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", action), action
    assert used


@pytest.mark.parametrize("path", ALL, ids=name)
def test_every_step_does_one_thing(path):
    for step in steps(path):
        assert ("run" in step) != ("uses" in step), step
        if path in ACTIONS and "run" in step:
            assert step.get("shell"), "a composite action has no shell of its own"


@pytest.mark.parametrize("path", WORKFLOWS, ids=name)
def test_every_job_checks_out_sets_up_and_ends(path):
    content = parsed(path)
    assert content["permissions"] == {"contents": "read"}
    for job in content["jobs"].values():
        assert int(job["timeout-minutes"]) <= 360
        first, second, *rest = job["steps"]
        assert first["uses"].startswith("actions/checkout@")
        assert second["uses"] == "./.github/actions/environment"
        assert any(step.get("run", "").startswith("make ") for step in rest)


def test_the_cache_of_the_environment_belongs_to_one_lock_and_one_python():
    (cache,) = [
        s["with"] for p in ACTIONS for s in steps(p) if "actions/cache@" in s.get("uses", "")
    ]
    assert cache["path"] == ".venv"
    assert "hashFiles('requirements.lock')" in cache["key"]
    assert "python-version" in cache["key"]


@pytest.mark.parametrize(("options", "quick"), [(["QUICK=1"], True), ([], False)])
def test_make_notebooks_runs_every_solution(options, quick):
    words = ["make", "--dry-run", "--no-print-directory", "notebooks", *options]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    loop = said[said.index("for notebook in") :]
    solutions = sorted(p.relative_to(ROOT / "solutions") for p in ROOT.glob("solutions/*/*.ipynb"))
    assert solutions
    for path in solutions:
        assert str(path) in loop
    assert ("quick True" in loop) == quick
