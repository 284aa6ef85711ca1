"""The long experiments of lesson 08, measured beforehand for machines that are too slow for them.

The lesson's notebook measures them itself; with ``LIVE = False`` it draws what ``load()`` returns.
The file is made, and can be made again, by running a solved notebook of the lesson in full::

    python -m course.degradation solutions/08-residual-learning/08-residual-learning.ipynb

The networks and their training are that notebook's own: this module holds none.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("degradation.json")
KEPT = ("loss", "train_loss", "train_error", "test_error")  # of each run, one number an epoch
DIGITS = 4  # significant ones


def load(path: Path = FILE) -> dict[str, Any]:
    """What was measured.

    Returns:
        ``records``: for each net, ``"plain-56"`` or ``"span 3"``, a list of runs, one a seed; a
        run is a dict of lists, one number an epoch: ``loss`` (mean cross-entropy while training),
        ``train_loss``, ``train_error`` and ``test_error`` (shares in 0..1) after the epoch.
        ``surfaces``: for each net a square list of lists of losses, alphas by betas, -1 to 1.
        ``origin``: a line on when, on what and in which time.

    Raises:
        FileNotFoundError: when the file is missing.
    """
    measured: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return measured


def origin(path: Path = FILE) -> str:
    """A line for below a figure that was drawn from the file."""
    return f"not measured here, but beforehand: {load(path)['origin']}"


def measure(notebook: Path) -> dict[str, Any]:
    """Run a solved notebook of the lesson in full and keep what its long experiments measured.

    Args:
        notebook: an ``.ipynb`` whose cells define ``RESULTS``, with ``records`` and ``surfaces``.

    Returns:
        What ``load`` returns.

    Raises:
        ValueError: when the notebook leaves no results: unsolved, or another one.
    """
    import matplotlib
    import torch

    matplotlib.use("Agg")
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    namespace: dict[str, Any] = {"__name__": "__main__"}
    start = time.perf_counter()
    for number, cell in enumerate(cells):
        if cell["cell_type"] != "code" or cell["metadata"].get("nbgrader", {}).get("grade"):
            continue
        exec(compile("".join(cell["source"]), f"cell {number}", "exec"), namespace)
        if "parameters" in cell["metadata"].get("tags", []):
            namespace |= {"seed": 0, "quick": False}
    results = namespace.get("RESULTS", {})
    if not results.get("records") or not results.get("surfaces"):
        raise ValueError(f"{notebook} measured nothing: is it a solved notebook of lesson 08?")
    minutes, threads = (time.perf_counter() - start) / 60, torch.get_num_threads()
    cores = f"{threads} thread{'s' * (threads > 1)}"
    return {
        "origin": f"{_processor()}, {cores}, torch {torch.__version__}, "
        f"{minutes:.0f} minutes for the whole notebook, {time.strftime('%B %Y')}",
        "records": {
            name: [{key: _short(run[key]) for key in KEPT} for run in runs]
            for name, runs in results["records"].items()
        },
        "surfaces": {name: _short(surface) for name, surface in results["surfaces"].items()},
    }


def save(measured: dict[str, Any], path: Path = FILE) -> None:
    """Write the file, one run or one row of a surface a line."""
    path.write_text(_spread(measured, 3) + "\n", encoding="utf-8")


def _spread(value: Any, levels: int, indent: str = "") -> str:
    """JSON whose outer ``levels`` have a line for each entry."""
    if not levels or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    inner = indent + " "
    if isinstance(value, dict):
        lines = [
            f"{inner}{json.dumps(k)}: {_spread(v, levels - 1, inner)}" for k, v in value.items()
        ]
    else:
        lines = [inner + _spread(entry, levels - 1, inner) for entry in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n" + ",\n".join(lines) + f"\n{indent}{closing}"


def _short(value: Any) -> Any:
    """Numbers cut to the significant digits, in lists of any depth."""
    if isinstance(value, list):
        return [_short(entry) for entry in value]
    return float(f"{value:.{DIGITS}g}")


def _processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main(arguments: list[str] | None = None) -> None:
    """Measure, and write the file."""
    parser = argparse.ArgumentParser(prog="python -m course.degradation", description=main.__doc__)
    parser.add_argument("notebook", type=Path, help="a solved notebook of lesson 08")
    parser.add_argument("--file", type=Path, default=FILE, help="where to write (%(default)s)")
    chosen = parser.parse_args(arguments)
    try:
        measured = measure(chosen.notebook)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    save(measured, chosen.file)
    print(f"wrote {chosen.file}: {measured['origin']}")


if __name__ == "__main__":
    main()
