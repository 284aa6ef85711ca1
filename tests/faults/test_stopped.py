"""Runs that are stopped in the middle, politely and otherwise."""

from __future__ import annotations

import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from runs import autograded, done, family, name, run, start, survivors, wait_until
from submissions.toy import Course

from autograder.demo import make_class
from autograder.folder import CourseFolder

REPOSITORY = Path(__file__).parents[2]
SLOW = "import time\ntime.sleep(1)\ndef double(x):\n    return 2 * x"


def hand_in_class(course, size=6, **answers):
    for number in range(size):
        course.hand_in(f"s{number}", **answers)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_one_line_leaves_nothing_and_goes_on_later(course, temp, number):
    hand_in_class(course, double=SLOW)
    process = start(course, temp, "--jobs", "2")
    wait_until(lambda: len(done(course)) >= 2)
    children = family(process)
    assert children
    began = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - began < 5
    assert process.returncode == 2
    assert said.strip().splitlines() == [
        "autograder: stopped; what was graded is kept; the same command goes on with the rest"
    ]
    assert survivors(children, temp) == []
    kept = done(course)
    assert 2 <= len(kept) < 6
    assert set(course.book()) >= set(kept)
    code, said = run(course, temp, "--jobs", "2")
    assert code == 0, said
    assert f"{6 - len(kept)} graded, {len(kept)} unchanged" in said


def test_after_kill_9_no_process_and_no_file_stays_behind(course, temp):
    hand_in_class(course, double=SLOW)
    process = start(course, temp, "--jobs", "2")
    wait_until(lambda: len(done(course)) >= 1)
    children = family(process)
    assert children
    process.kill()
    process.communicate()
    assert survivors(children, temp) == []


def test_kill_9_of_grader_and_foreman_leaves_files_only_until_the_next_run(course, temp):
    hand_in_class(course, double=SLOW)
    process = start(course, temp, "--jobs", "2")
    wait_until(lambda: len(done(course)) >= 1)
    children = family(process)
    foremen = [child for child in children if "autograder.foreman" in name(child)]
    assert foremen
    for child in [process, *foremen]:
        child.send_signal(signal.SIGKILL)
    process.communicate()
    assert [line for line in survivors(children, temp) if not line.startswith(str(temp))] == []
    code, said = run(course, temp, "--jobs", "2")
    assert code == 0, said
    assert survivors([], temp) == []


# An endless loop need not take a minute, and honest work on a busy machine not two seconds.
HOW = ("--jobs", "2", "--timeout", "8")


def check_kills(course, temp, moments, seed):
    """Kill a run at random moments, each time going on from there; the end is as if undisturbed."""
    began = time.monotonic()
    assert run(course, temp, *HOW)[0] in (0, 1)
    lasts = time.monotonic() - began
    wanted = autograded(course), course.book()
    randomly = random.Random(seed)
    killed = 0
    while killed < moments:
        for place in (course.folder.autograded, course.folder.results):
            for path in sorted(place.rglob("*"), reverse=True):
                path.unlink() if path.is_file() else path.rmdir()
        course.folder.root.joinpath("grading/gradebook.db").unlink()
        # A run and what goes on from it may both be killed, and then again.
        while killed < moments:
            process = start(course, temp, *HOW)
            time.sleep(randomly.uniform(0.02, 1.0) * lasts)
            ended = process.poll() is not None
            process.kill()
            process.communicate()
            if ended:
                break
            killed += 1
        code, said = run(course, temp, *HOW)
        assert code in (0, 1), said
        assert (autograded(course), course.book()) == wanted
    assert survivors([], temp) == []


def test_a_run_killed_at_any_moment_ends_as_an_undisturbed_one(course, temp):
    hand_in_class(course, 3)
    course.hand_in("wrong", total="def total(values):\n    return 1")
    check_kills(course, temp, 5, seed=3)


@pytest.fixture
def demo_class(tmp_path):
    """The class of ``make demo`` in a course folder of its own: honest work, and every fate."""
    root, name = tmp_path / "course", "01-convolution"
    shutil.copytree(REPOSITORY / "source" / name, root / "source" / name)
    for file in (f"source/{name}.py", f"source/{name}.mistakes.py", "nbgrader_config.py"):
        shutil.copy(REPOSITORY / file, root / file)
    course = Course(CourseFolder.open(root), name)
    make_class(course.folder, name)
    return course


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_demo_class_killed_at_fifty_moments_ends_as_undisturbed(demo_class, temp):
    check_kills(demo_class, temp, 50, seed=4)
