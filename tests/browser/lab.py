"""JupyterLab as a person meets it: a real server with a home of its own, and what its pages show."""

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
from playwright.sync_api import Locator, Page, expect

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


class Notebook:
    """A notebook that is open on a page of JupyterLab."""

    def __init__(self, page: Page, lab: Lab, path: str) -> None:
        self.page, self.path = page, lab.root / path
        page.goto(lab.address(f"lab/tree/{path}"))
        self.panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        expect(self.panel).to_be_visible()
        self._kernel_is("idle")

    def menu(self, *names: str) -> None:
        """Choose an entry of the menus as a person does."""
        bar = self.page.locator("#jp-menu-panel")
        bar.get_by_role("menuitem", name=names[0], exact=True).click()
        self.page.locator(".lm-Menu").get_by_text(names[1], exact=True).click()

    def run_all(self) -> None:
        """*Run All Cells*, and wait until the last has run or one has failed."""
        self.menu("Edit", "Clear Outputs of All Cells")  # so that what shows is of this run
        self.menu("Run", "Run All Cells")
        self.finished()

    def restart_and_run_all(self) -> None:
        """*Restart Kernel and Run All Cells…*, as the README asks for before handing in."""
        self.menu("Edit", "Clear Outputs of All Cells")
        self.menu("Kernel", "Restart Kernel and Run All Cells…")
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        self.finished()

    def finished(self) -> None:
        """Wait until the last code cell has its number, or a cell shows an error."""
        self.page.wait_for_function(
            """() => {
              const cells = [...jupyterapp.shell.currentWidget.content.model.cells];
              const code = cells.filter(cell => cell.type === 'code');
              const failed = cell => cell.outputs.toJSON().some(o => o.output_type === 'error');
              return code.some(failed) || code.every(
                cell => cell.executionCount !== null || !cell.sharedModel.source.trim());
            }""",
        )
        self._kernel_is("idle")

    def save(self) -> None:
        """*Save Notebook*, and wait until nothing is left to save."""
        self.menu("File", "Save Notebook")
        self.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")

    def cell(self, start: str) -> Locator:
        """The cell whose text starts so, scrolled into view: others may not be drawn at all."""
        self.page.evaluate(
            """start => {
              const notebook = jupyterapp.shell.currentWidget.content;
              const at = notebook.widgets.findIndex(
                w => w.model.sharedModel.source.startsWith(start));
              notebook.activeCellIndex = at;
              return notebook.scrollToItem(at, 'start');
            }""",
            start,
        )
        return self.panel.locator(".jp-Cell.jp-mod-active")

    def validate(self) -> Locator:
        """Press *Validate*; the dialog that tells the result."""
        self.panel.get_by_role("button", name="Validate", exact=True).click()
        dialog = self.page.locator(".jp-Dialog")
        expect(dialog).to_be_visible()
        expect(dialog).to_contain_text("Validation Results")
        return dialog

    def _kernel_is(self, status: str) -> None:
        self.page.wait_for_function(
            "wanted => window.jupyterapp?.shell.currentWidget?.context?.sessionContext"
            "?.session?.kernel?.status === wanted",
            arg=status,
        )


def words(locator: Locator) -> str:
    """What a part of a page says, in one line."""
    return re.sub(r"\s+", " ", locator.inner_text())
