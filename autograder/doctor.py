"""What isolation this machine can give, found by trying each part of it for real.

``examine`` starts jailed kernels with small limits and runs in them what a hostile submission
would: it opens files, dials out, eats memory, forks, burns CPU. Bounded, and harmless where the
jail does not hold.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from autograder.errors import AutograderError
from autograder.kernels import KERNEL_NAME, JailRequest, new_run_directory, register
from autograder.limits import Limits
from autograder.prerequisites import IN_CONTAINER, Check, bubblewrap, can_jail, namespaces
from autograder.probes import CPU_PROBE, PROBES, PROBLEMS, probe_code

__all__ = ["Check", "DoctorReport", "can_jail", "examine"]

# Small enough to be hit in moments, large enough for a kernel to start.
PROBE_LIMITS = Limits(memory_mb=256, cpu_seconds=30, processes=64, scratch_mb=16, file_mb=8)
CPU_LIMITS = Limits(cpu_seconds=1)
CELL_SECONDS = 20.0
# What fails to start is a line of the report, not a traceback of Jupyter's.
QUIET = logging.getLogger("autograder.doctor")
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False
NEEDED = ("bubblewrap", "namespaces", "kernel", *PROBES, "cpu")


@dataclass
class DoctorReport:
    """Everything tried, by name, in order."""

    checks: dict[str, Check] = field(default_factory=dict)

    @property
    def isolation(self) -> str:
        """``"jail"`` when every part of the jail holds, else ``"process"``."""
        held = all(name in self.checks and self.checks[name].ok for name in NEEDED)
        return "jail" if held else "process"

    def to_json(self) -> dict[str, Any]:
        """``{"isolation": …, "checks": {name: {"ok": …, "detail": …}}}``."""
        checks = {name: {"ok": c.ok, "detail": c.detail} for name, c in self.checks.items()}
        return {"isolation": self.isolation, "checks": checks}


def examine() -> DoctorReport:
    """Try everything; takes about five seconds."""
    register()
    report = DoctorReport()
    report.checks["versions"] = Check(True, _versions())
    report.checks["bubblewrap"] = bubblewrap()
    if report.checks["bubblewrap"].ok:
        report.checks["namespaces"] = namespaces()
    if all(check.ok for check in report.checks.values()):
        report.checks |= _jailed_kernel()
    report.checks["warm kernel without a jail"] = _starts("process")
    return report


def _versions() -> str:
    packages = (
        "ipykernel",
        "jupyter_client",
        "nbclient",
        "papermill",
        "nbgrader",
        "numpy",
        "torch",
    )
    parts = [f"Linux {platform.release()}", f"Python {platform.python_version()}"]
    for name in packages:
        try:
            parts.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            parts.append(f"{name} not installed")
    return ", ".join(parts)


def _jailed_kernel() -> dict[str, Check]:
    """Start one kernel and try its walls from inside; then another for the CPU limit."""
    checks = {"kernel": _starts("jail")}
    if not checks["kernel"].ok:
        return checks
    secret = Path(tempfile.mkdtemp(prefix="autograder-doctor-"))
    try:
        (secret / "gradebook.db").write_text("secret")
        os.environ["AUTOGRADER_DOCTOR"] = "secret"
        with _kernel(PROBE_LIMITS) as (_, client):
            for name in PROBES:
                checks[name] = _probe(client, name, secret / "gradebook.db")
        checks["cpu"] = _cpu()
    except AutograderError as error:
        checks["kernel"] = Check(False, str(error))
    finally:
        os.environ.pop("AUTOGRADER_DOCTOR", None)
        shutil.rmtree(secret, ignore_errors=True)
    return checks


@contextmanager
def _kernel(limits: Limits, isolation: str = "jail") -> Iterator[tuple[Any, BlockingKernelClient]]:
    run_dir = new_run_directory()
    manager = KernelManager(
        kernel_name=KERNEL_NAME,
        transport="ipc",
        ip=str(run_dir / "k"),
        connection_file=str(run_dir / "kernel.json"),
        log=QUIET,
    )
    try:
        request = JailRequest(run_dir=run_dir, packages=(), limits=limits, isolation=isolation)
        manager.start_kernel(autograder=request)
        client = manager.client()
        client.start_channels(stdin=False, hb=False)
        try:
            yield manager, client
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    finally:
        shutil.rmtree(run_dir, ignore_errors=True)


def _starts(isolation: str) -> Check:
    """Whether a fork server starts a kernel that answers."""
    try:
        with _kernel(Limits(), isolation):
            pass
        began = time.perf_counter()
        with _kernel(Limits(), isolation) as (_, client):
            client.kernel_info(reply=True, timeout=CELL_SECONDS)
            seconds = time.perf_counter() - began
    except (AutograderError, Empty, TimeoutError) as error:
        # A container that masks parts of /proc lets nobody inside it mount one.
        masked = "on /proc: " in str(error)
        advice = f"; {IN_CONTAINER}" if masked else ""
        return Check(False, f"{error or 'the kernel does not answer'}{advice}")
    return Check(True, f"a kernel answers after {1000 * seconds:.0f} ms")


def _probe(client: BlockingKernelClient, name: str, secret: Path) -> Check:
    """Run one probe; it prints ``ok`` and what it met, or what it could do and should not."""
    printed: list[str] = []

    def collect(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])
        elif message["msg_type"] == "error":
            printed.append(json.dumps([False, message["content"]["evalue"]]))

    try:
        code = probe_code(name, secret)
        client.execute_interactive(code, timeout=CELL_SECONDS, output_hook=collect)
        ok, seen = json.loads("".join(printed).strip().splitlines()[-1])
    except (TimeoutError, Empty, IndexError, ValueError) as error:
        return Check(False, f"no answer ({type(error).__name__}); {PROBLEMS[name]}")
    return Check(ok, seen if ok else f"{seen}; {PROBLEMS[name]}")


def _cpu() -> Check:
    with _kernel(CPU_LIMITS) as (manager, client):
        client.execute(CPU_PROBE)
        end = time.monotonic() + CELL_SECONDS
        while manager.is_alive() and time.monotonic() < end:
            time.sleep(0.05)
        ended = manager.provisioner.ended
    if ended is not None and not ended.asked:
        return Check(True, f"ended after {ended.cpu_seconds:.1f} s of CPU: {ended.explain()}")
    return Check(False, "a kernel runs on after its CPU limit; report this as a bug")
