"""How grading on a cluster grows with its workers: one Dask worker against four, on this machine.

The same class for both, after one submission of it has been graded: what every worker has to start
once is not counted, since a cluster stays up from class to class.

    python benchmarks/cluster.py [-n 240] [--workers 4]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from throughput import BIN, NAME, check, make_course

from autograder.cluster import connect


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("-n", type=int, default=240, help="students")
    options.add_argument("--workers", type=int, default=4)
    asked = options.parse_args()
    walls = {}
    for workers in (1, asked.workers):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder, cluster(workers) as address:
            root = make_course(Path(folder) / "course", asked.n)
            # As many as there are workers, so that each has its servers and its gradebook by then.
            first = [f"--student=student{number:03d}" for number in range(workers)]
            grade(root, address, *first)
            walls[workers] = grade(root, address, "--force")
            check(root, asked.n)
        print(f"{workers} workers: {asked.n} submissions of {NAME} in {walls[workers]:.1f} s")
    ratio = walls[1] / walls[asked.workers]
    load = os.getloadavg()[0]
    print(
        f"{ratio:.2f} times as fast with {asked.workers} on {os.cpu_count()} cores, load {load:.1f}"
    )


def grade(root: Path, address: str, *options: str) -> float:
    """Seconds for one run of ``autograder grade``."""
    command = [BIN / "autograder", "grade", NAME, "--course-dir", root, "--scheduler", address]
    began = time.perf_counter()
    done = subprocess.run([*map(str, command), *options], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return time.perf_counter() - began


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[str]:
    """The address of a scheduler with workers of one thread each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    dask = [sys.executable, "-m", "dask"]
    with tempfile.TemporaryDirectory(prefix="dask-") as folder:
        commands = [[*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port)]]
        # As docs/cluster.md has them started.
        alone = ["--nthreads", "1", "--memory-limit", "0", "--local-directory", folder]
        commands += [[*dask, "worker", address, "--nworkers", str(workers), *alone]]
        variables = {**os.environ, "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        processes = [
            subprocess.Popen([*command, "--no-dashboard"], env=variables, **quiet)
            for command in commands
        ]
        try:
            with contextlib.closing(connect(address)) as client:
                client.wait_for_workers(workers, timeout=60)
            yield address
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(30)


if __name__ == "__main__":
    main()
