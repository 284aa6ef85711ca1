"""Workers that die, hang or cannot start, each for real."""

from __future__ import annotations

import itertools
import os
import re
import signal
import threading
import time

import psutil
import pytest
from submissions.toy import ISOLATION, TEXT, make_course, meta

from autograder.cases import Task
from autograder.crew import Lost
from autograder.errors import AutograderError
from autograder.fates import fill
from autograder.grade import Options, open_lesson
from autograder.pool import Pool, judged
from autograder.results import SubmissionResult
from autograder.runfolder import RunFolder, sweep
from autograder.text import dump

SLOW = "import time\ntime.sleep(1)\ndef double(x):\n    return 2 * x"


@pytest.fixture
def lesson(course):
    return open_lesson(course.folder, course.name, Options(isolation=ISOLATION))


def task(course, student, **answers):
    return (Task(student, dump(fill(course.release, {**course.answers, **answers}))),)


def scores(found):
    """Score of each student, or why there is none."""
    return {
        item.student: item.reason
        if isinstance(item, Lost)
        else SubmissionResult.from_json(item.result).score
        for item in (part if isinstance(part, Lost) else part[0] for part in found)
    }


class Killer(threading.Thread):
    """Kills workers with a submission of ``student`` on their desk, ``times`` at most."""

    def __init__(self, pool, student, times):
        super().__init__(daemon=True)
        self.pool, self.student, self.times = pool, student, times
        self.killed = []

    def run(self):
        while len(self.killed) < self.times:
            for worker in list(self.pool.busy):
                wanted = worker.task and worker.task[0].student == self.student
                if wanted and worker.pid not in self.killed:
                    self.killed.append(worker.pid)
                    os.kill(worker.pid, signal.SIGKILL)
            time.sleep(0.005)


def test_a_killed_worker_takes_no_submission_with_it(course, lesson):
    tasks = [task(course, f"s{n}", double=SLOW) for n in range(4)]
    with Pool([lesson], 2) as pool:
        killer = Killer(pool, "s1", 1)
        killer.start()
        found = scores(pool.outcomes(tasks))
    assert found == dict.fromkeys(["s0", "s1", "s2", "s3"], 10.0)
    assert len(killer.killed) == 1


def test_a_submission_whose_worker_dies_twice_is_a_row_and_the_class_goes_on(course, lesson):
    tasks = [task(course, name) for name in ("ada", "bad", "cyd", "dan")]
    with Pool([lesson], 2) as pool:
        killer = Killer(pool, "bad", 2)
        killer.start()
        found = scores(pool.outcomes(tasks))
    assert found.pop("bad") == "the process that graded it was killed by SIGKILL, twice"
    assert found == dict.fromkeys(["ada", "cyd", "dan"], 10.0)
    assert os.getpid() not in killer.killed


def test_a_killed_foreman_takes_no_submission_with_it(course, lesson):
    with Pool([lesson], 2) as pool:
        found = pool.outcomes(task(course, f"s{n}", double=SLOW) for n in range(4))
        got = [next(found)]
        pool.crew.process.kill()
        got += found
        assert scores(got) == dict.fromkeys(["s0", "s1", "s2", "s3"], 10.0)


def test_submissions_are_read_when_there_is_a_worker_for_them(course, lesson):
    read, most = 0, 0

    def tasks():
        nonlocal read
        for number in range(20):
            read += 1
            yield task(course, f"s{number}")

    with Pool([lesson], 2) as pool:
        for done, _ in enumerate(pool.outcomes(tasks())):
            most = max(most, read - done)
    assert read == 20
    assert most <= 8


def test_as_many_submissions_run_at_once_as_there_are_jobs(course, lesson):
    timed = "import time\nprint('from', time.time())\ntime.sleep(0.3)\nprint('to', time.time())\n"
    tasks = [task(course, f"s{n}", double=f"{timed}def double(x): return 2 * x") for n in range(5)]
    with Pool([lesson], 1) as pool:
        found = [outcome for (outcome,) in pool.outcomes(tasks)]
    times = [
        [float(time) for time in re.findall(r"(?:from|to) ([0-9.]+)", outcome.notebook.decode())]
        for outcome in found
    ]
    times = sorted(pair[-2:] for pair in times)
    assert len(times) == 5
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(times))
    # A worker that waits for its turn is not what a submission takes.
    lasted = sum(SubmissionResult.from_json(outcome.result).seconds for outcome in found)
    assert lasted < 2 * (times[-1][1] - times[0][0])


def test_an_unexpected_failure_is_a_reason_not_a_score(course, lesson):
    with Pool([lesson], 1) as pool:
        found = scores(pool.outcomes([(Task("odd", 17),), task(course, "ada")]))
    assert found == {"odd": "AttributeError: 'int' object has no attribute 'strip'", "ada": 10.0}


def test_helpers_of_the_tests_that_fail_end_the_run_with_one_line(tmp_path):
    text = TEXT.replace(
        "# %% [markdown]\n# ## Exercise 1",
        f"# %% {meta('helpers', locked=True)}\n"
        "import no_such_module as helper\n\n# %% [markdown]\n# ## Exercise 1",
        1,
    )
    text = text.replace("assert double(2)", "helper.seed()\nassert double(2)")
    course = make_course(tmp_path / "course", text)
    lesson = open_lesson(course.folder, course.name, Options(isolation=ISOLATION))
    with pytest.raises(AutograderError, match="imports and helpers of the tests fail: Module"):
        list(judged(lesson, task(course, "ada"), 2))


def test_all_processes_end_with_the_pool(course, lesson):
    with Pool([lesson], 2) as pool:
        list(pool.outcomes([task(course, "ada"), task(course, "bob")]))
        folder = pool.crew.folder.path
        processes = psutil.Process(pool.crew.process.pid).children(recursive=True)
        assert len(processes) >= 3
    _, alive = psutil.wait_procs(processes, 5)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []
    assert not folder.exists()


def test_what_must_be_judged_raises_when_it_cannot_be(lesson):
    with pytest.raises(AutograderError, match="odd was not graded: AttributeError"):
        list(judged(lesson, [Task("odd", 17)], 1))


def test_folders_of_dead_runs_are_swept_and_those_of_living_ones_stay(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = tmp_path / "autograder-run-dead"
    (dead / "ag-1").mkdir(parents=True)
    other = tmp_path / "else"
    other.mkdir()
    living = RunFolder()
    (living.path / "log").touch()
    assert not dead.exists()
    assert sweep() == []
    assert living.path.exists() and other.exists()
    living.remove()
    assert not living.path.exists()
