"""A Dask scheduler and two workers, started as an operator would start them."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from submissions.toy import ISOLATION

from autograder.cases import Task
from autograder.cluster import connect, judge_there
from autograder.errors import AutograderError
from autograder.grade import Options, grade, open_lessons

pytest.importorskip("distributed")
SLOW = "import time\ntime.sleep(0.5)\ndef double(x):\n    return 2 * x"


def dask(*arguments, log):
    command = [sys.executable, "-m", "dask", *map(str, arguments)]
    # A worker's machine knows nothing of the course folder.
    return subprocess.Popen(command, stdout=log, stderr=log, cwd="/", start_new_session=True)


@pytest.fixture
def cluster():
    """The scheduler's address, and its two workers' processes."""
    folder = Path(tempfile.mkdtemp(prefix="dask-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    with (folder / "log").open("w") as log:
        options = ["--host", "127.0.0.1", "--port", port, "--no-dashboard"]
        processes = [dask("scheduler", *options, log=log)]
        for _ in range(2):
            options = ["--nthreads", 1, "--no-dashboard", "--local-directory", folder]
            processes.append(dask("worker", address, *options, log=log))
        try:
            wait_for_workers(address, 2)
            yield address, processes[1:]
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(30)
            shutil.rmtree(folder)


def wait_for_workers(address, number):
    deadline = time.monotonic() + 60
    while True:
        try:
            with connect(address) as client:
                client.wait_for_workers(number, timeout=60)
                return
        except AutograderError:
            assert time.monotonic() < deadline


@pytest.mark.timeout(300)
def test_a_cluster_grades_as_one_machine_does_and_a_lost_worker_loses_nothing(course, cluster):
    address, workers = cluster
    for number in range(8):
        course.hand_in(f"s{number}", double=SLOW)
    course.hand_in("wrong", total="def total(values):\n    return 1")
    seen = []

    def kill_one(result, remaining):
        seen.append(result.student)
        if len(seen) == 2:
            # With it goes its nanny, which would start another.
            for child in [*psutil.Process(workers[0].pid).children(recursive=True), workers[0]]:
                child.send_signal(signal.SIGKILL)

    options = Options(1, ISOLATION, scheduler=address)
    run = grade(course.folder, course.name, options, kill_one)
    assert (run.graded, run.problems) == (9, [])
    assert len(seen) == 9
    assert course.cells("s3") == {"test-double": 3, "test-total": 4, "test-steps": 3, "essay": None}
    assert course.cells("wrong")["test-total"] == 0
    on_cluster = course.book()
    assert course.grade(2, force=True).changes == []
    assert course.book() == on_cluster


def test_an_unreachable_scheduler_is_one_line(course):
    course.hand_in("ada")
    with pytest.raises(AutograderError) as caught:
        course.grade(scheduler="tcp://127.0.0.1:9")
    assert str(caught.value).startswith("no Dask scheduler answers at tcp://127.0.0.1:9; start one")
    with pytest.raises(AutograderError, match="no Dask scheduler answers at nonsense://x"):
        course.grade(scheduler="nonsense://x")


def test_a_worker_with_another_engine_refuses(course):
    lessons = tuple(open_lessons(course.folder, course.name, Options(isolation="process")))
    with pytest.raises(
        AutograderError, match=r"a worker has Python 3\.\d+ and engine \w{16}, this"
    ):
        judge_there(lessons, (Task("ada", b""),), ("3.9", "other"))


def test_dask_is_imported_only_when_it_is_used():
    code = "import sys, autograder.grade; assert 'distributed' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
