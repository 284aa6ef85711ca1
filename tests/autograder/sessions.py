"""A kernel for a test: started for real, asked in cells, ended with the test."""

import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager

from autograder.doctor import can_jail
from autograder.kernels import KERNEL_NAME, JailRequest, new_run_directory, register

CELL_SECONDS = 30.0

_possible = can_jail()
needs_jail = pytest.mark.skipif(not _possible.ok, reason=f"no jail here: {_possible.detail}")


def environment_in_tmp():
    """What of ``/tmp`` a jail shows: the folder that this Python environment lies in, if any."""
    places = [Path(place) for place in (sys.prefix, sys.base_prefix, *sys.path) if place]
    below = [p.relative_to("/tmp") for p in places if p.is_relative_to("/tmp")]
    return sorted({path.parts[0] for path in below if path.parts})


@dataclass
class Output:
    text: str = ""
    error: str = ""
    pictures: list[str] = field(default_factory=list)


class Session:
    """One kernel and its client."""

    def __init__(self, **wanted):
        register()
        self.run_dir = wanted.pop("run_dir", None) or new_run_directory()
        self.manager = KernelManager(
            kernel_name=KERNEL_NAME,
            transport="ipc",
            ip=str(self.run_dir / "k"),
            connection_file=str(self.run_dir / "kernel.json"),
        )
        request = JailRequest(run_dir=self.run_dir, **{"packages": ("numpy",), **wanted})
        self.manager.start_kernel(autograder=request)
        self.client = self.manager.client()
        self.client.start_channels(stdin=False, hb=False)

    @property
    def provisioner(self):
        return self.manager.provisioner

    def run(self, code, seconds=CELL_SECONDS):
        """Run a cell; what it printed, its error if any, its pictures."""
        output = Output()

        def collect(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                output.text += content["text"]
            elif message["msg_type"] == "error":
                output.error = f"{content['ename']}: {content['evalue']}"
            elif message["msg_type"] in ("execute_result", "display_data"):
                output.text += content["data"].get("text/plain", "")
                if picture := content["data"].get("image/png"):
                    output.pictures.append(picture)

        self.client.execute_interactive(code, timeout=seconds, output_hook=collect)
        return output

    def wait_for_end(self, seconds=20.0):
        """How the kernel ended by itself."""
        end = time.monotonic() + seconds
        while self.manager.is_alive():
            assert time.monotonic() < end, "the kernel runs on"
            time.sleep(0.02)
        return self.provisioner.ended

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        shutil.rmtree(self.run_dir, ignore_errors=True)


@contextmanager
def session(**wanted):
    """A kernel for ``with``; takes ``JailRequest``'s arguments."""
    kernel = Session(**wanted)
    try:
        yield kernel
    finally:
        kernel.close()
