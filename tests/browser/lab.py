"""A real JupyterLab server with a home of its own, and nothing left of it at the end."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import psutil
from playwright.sync_api import Locator

BIN = Path(sys.executable).parent
TOKEN = "a-token-of-the-tests"
START = 90.0  # seconds until a server answers, on a machine that does other things too
PATIENCE = 60_000  # milliseconds for one step on a page, such as running all cells
# A news letter and a question about updates, both from the network, stand in the way of a test.
QUIET = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}


@dataclass
class Lab:
    """A running JupyterLab.

    Attributes:
        root: the folder it shows.
        home: the user's own: settings, nbgrader's cache.
        port: where it listens, on this machine only.
        log: what it says.
    """

    root: Path
    home: Path
    port: int
    log: Path

    def address(self, path: str = "lab") -> str:
        """Where a page is, with the token."""
        return f"http://127.0.0.1:{self.port}/{path}?token={TOKEN}"


@contextmanager
def serve(root: Path, home: Path, environment: Mapping[str, str] | None = None) -> Iterator[Lab]:
    """Start JupyterLab in ``root`` and end it, with every process that it started.

    Args:
        root: the folder that the user opens.
        home: the user's home, made when it is missing.
        environment: what is set on top.
    """
    settings = home / ".jupyter/lab/user-settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    lab = Lab(root, home, free_port(), home / "jupyterlab.log")
    words = [
        sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={lab.port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}",
        "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    if os.geteuid() == 0:
        words.append("--allow-root")
    with lab.log.open("wb") as log:
        process = psutil.Popen(
            words,
            cwd=root,
            env=surroundings(home, environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(lab, process)
        yield lab
    finally:
        end(process)


def surroundings(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a user who has logged in: nothing of whoever runs the tests."""
    mine = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "NBGRADER"))}
    return {
        **mine,
        "HOME": str(home),
        "PATH": os.pathsep.join([str(BIN), mine.get("PATH", os.defpath)]),
        "MPLCONFIGDIR": matplotlib.get_cachedir(),  # the list of fonts takes long to make
        "OMP_NUM_THREADS": "1",
        **more,
    }


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(lab: Lab, process: psutil.Popen) -> None:
    """Until the server answers, with its extensions loaded."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(lab.address("api/status"), timeout=5).close()
            return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{lab.log.read_text(errors='replace')[-3000:]}")


def end(process: psutil.Popen) -> None:
    """Ask the server to end, which ends its kernels; then end by force what is left of either."""
    started = [process, *process.children(recursive=True)] if process.is_running() else []
    if process.is_running():
        process.terminate()
    _, left = psutil.wait_procs(started, timeout=20)
    for survivor in left:
        survivor.kill()
    _, left = psutil.wait_procs(left, timeout=10)
    if left:
        raise RuntimeError(f"still running: {left}")


def words(locator: Locator) -> str:
    """What a part of a page says, in one line."""
    return re.sub(r"\s+", " ", locator.inner_text())
