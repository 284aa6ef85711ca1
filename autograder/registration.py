"""Where Jupyter finds the submission kernel; light, for papermill imports it as it starts."""

from __future__ import annotations

import os
from pathlib import Path

KERNEL_NAME = "submission"


def register() -> None:
    """Let Jupyter clients of this process, and of those it starts, find the kernel by its name."""
    folder = str(Path(__file__).parent / "kernelspecs")
    paths = os.environ.get("JUPYTER_PATH", "").split(os.pathsep)
    if folder not in paths:
        os.environ["JUPYTER_PATH"] = os.pathsep.join([folder, *filter(None, paths)])
