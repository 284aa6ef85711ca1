"""How fast a class is graded: this autograder, nbgrader, otter-grader and plain papermill.

One run on one machine, the same submissions for all: lesson 01's reference solution, handed in by
``-n`` students. nbgrader and papermill may be timed on the first ``-k`` of them and scaled: what
they need to start is measured apart and counted once.

    [OTTER=.../bin/otter] python benchmarks/throughput.py [-n 48] [-j 4] [-k 6] [--out FOLDER]

otter-grader belongs in an environment of its own, which can import ``course`` as well.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from otter_course import find_otter, otter_command

from autograder.fates import fill, hand_in, reference

REPOSITORY = Path(__file__).parents[1]
NAME = "01-convolution"
BIN = Path(sys.executable).parent
PAPERMILL = """
import sys, papermill
for path in sys.argv[1:]:
    papermill.execute_notebook(path, path + ".out", kernel_name="python3", progress_bar=False)
"""
STOCK = """
c = get_config()
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "grading/autograded"
c.CourseDirectory.db_url = "sqlite:///grading/gradebook.db"
c.ExecutePreprocessor.timeout = 600
"""


@dataclass
class Timing:
    """One way to grade the class.

    Attributes:
        name: who and how.
        wall: seconds for the class.
        cpu: CPU seconds of all its processes. Linux counts to a command those that it waited for;
            the kernels in our jail say at their end what they used, and are added.
        memory_mb: the largest that the main process was.
        timed: how many submissions were really run; the rest is scaled.
    """

    name: str
    wall: float
    cpu: float
    memory_mb: float
    timed: int


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("-n", type=int, default=48, help="students")
    options.add_argument("-j", type=int, default=4, help="jobs, beside a run with one")
    options.add_argument("-k", type=int, default=48, help="of them for nbgrader and papermill")
    options.add_argument("--out", type=Path, default=REPOSITORY / "grading" / "benchmarks")
    asked = options.parse_args()
    k = min(asked.k, asked.n)
    os.environ["PATH"] = os.pathsep.join([str(BIN), os.environ["PATH"]])
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        timings = run_all(Path(folder), asked.n, k, asked.j)
        one = first_one(Path(folder) / "ours-1-0")
        own = own_cells(Path(folder) / "ours-1-0")
        where = slowest(Path(folder) / "ours-1-0")
    report(timings, own, one, asked.n)
    print(where)
    asked.out.mkdir(parents=True, exist_ok=True)
    found = {"n": asked.n, "own_cpu": own, "timings": [asdict(timing) for timing in timings]}
    (asked.out / "throughput.json").write_text(json.dumps(found, indent=1))
    draw(timings, asked.n, asked.out)
    print(f"plot in {asked.out / 'throughput.png'}")


def run_all(folder: Path, n: int, k: int, most: int) -> list[Timing]:
    timings = []
    for jobs in (most, 1):
        # A class takes seconds here, and a shared machine stutters: the middle one of three.
        runs = [ours(folder / f"ours-{jobs}-{number}", jobs, n) for number in range(3)]
        timing = sorted(runs, key=lambda run: run.wall)[1]
        print("  " + ", ".join(f"{run.wall:.1f} s" for run in runs))
        timings.append(timing)
    root = make_course(folder / "nbgrader", k, STOCK)
    quietly([BIN / "nbgrader", "generate_assignment", NAME, "--force"], root)
    start = measure("", [BIN / "nbgrader", "autograde", "--help"], 1)
    timed = measure("nbgrader autograde", [BIN / "nbgrader", "autograde", NAME], k, root)
    timings.append(scaled(timed, start, n))
    if otter := find_otter():
        root = make_course(folder / "otter", k)
        master = root / "source" / NAME / f"{NAME}.ipynb"
        notebooks = sorted(root.glob(f"grading/submitted/*/{NAME}/*.ipynb"))
        command = otter_command(otter, root / "otter", master, notebooks)
        # Each call starts anew: nothing is shared.
        timings.append(scaled(measure("otter run", command, k), Timing("", 0, 0, 0, 0), n))
    else:
        print("otter run: not installed; name its command in $OTTER")
    notebooks = sorted(make_course(folder / "papermill", k).glob(f"grading/submitted/*/{NAME}/*"))
    timed = measure("papermill, one by one", [sys.executable, "-c", PAPERMILL, *notebooks], k)
    start = measure("", [sys.executable, "-c", PAPERMILL], 1)
    timings.append(scaled(timed, start, n))
    return timings


def ours(root: Path, jobs: int, n: int) -> Timing:
    """One run over a class that nobody has graded yet."""
    make_course(root, n)
    command = [BIN / "autograder", "grade", NAME, "--jobs", jobs, "--course-dir", root]
    timing = measure(f"autograder, {jobs} job{'s' * (jobs > 1)}", command, n)
    timing.cpu += sum(result["cpu_seconds"] for result in check(root, n))
    return timing


def make_course(root: Path, n: int, config: str = "") -> Path:
    """A course folder with lesson 01, handed in by ``n`` students."""
    shutil.copytree(REPOSITORY / "source" / NAME, root / "source" / NAME)
    text = config or (REPOSITORY / "nbgrader_config.py").read_text(encoding="utf-8")
    (root / "nbgrader_config.py").write_text(text, encoding="utf-8")
    master = nbformat.read(root / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    release = nbformat.read(REPOSITORY / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    for number in range(n):
        place = root / "grading" / "submitted" / f"student{number:03d}" / NAME
        hand_in(place, NAME, fill(release, reference(master)))
    return root


def first_one(root: Path) -> Timing:
    """What the first submission costs with all that has to start for it, which the rest share."""
    command = [BIN / "autograder", "grade", NAME, "--jobs", "1", "--force", "--course-dir", root]
    timing = measure("", [*command, "--student", "student000"], 1)
    kept = root / "grading" / "results" / NAME / "student000.json"
    timing.cpu += json.loads(kept.read_text())["cpu_seconds"]
    return timing


def check(root: Path, n: int) -> list[dict]:
    """The results; all submissions have full marks, or the times mean nothing."""
    results = [json.loads(p.read_text()) for p in root.glob(f"grading/results/{NAME}/*.json")]
    full = [all(c["points"] in (None, c["max_points"]) for c in r["cells"]) for r in results]
    poor = full.count(False)
    if len(results) != n or poor:
        raise SystemExit(f"{len(results)} of {n} graded, {poor} without full marks")
    return results


def measure(name: str, command: list, n: int, cwd: Path | None = None) -> Timing:
    """Run a command; its wall time, CPU time with its descendants, and largest size."""
    if name:
        print(f"{name}, {n} submissions …", flush=True)
    began = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([*map(str, command)], cwd=cwd, stdout=log, stderr=log)
        peak = [0.0]
        watch = threading.Thread(target=watch_memory, args=(process.pid, peak), daemon=True)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode and name:
            log.seek(0)
            raise SystemExit(f"{name} failed:\n{log.read().decode(errors='replace')[-3000:]}")
    wall = time.perf_counter() - began
    return Timing(name, wall, usage.ru_utime + usage.ru_stime, peak[0], n)


def watch_memory(pid: int, peak: list[float]) -> None:
    path = Path(f"/proc/{pid}/status")
    while True:
        try:
            lines = path.read_text().splitlines()
        except OSError:
            return
        sizes = [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
        if not sizes:
            return
        peak[0] = sizes[0]
        time.sleep(0.1)


def scaled(timed: Timing, start: Timing, n: int) -> Timing:
    """The time of ``n`` submissions from that of a few; the start is counted once."""
    each = max(timed.wall - start.wall, 0) / timed.timed
    cpu = start.cpu + max(timed.cpu - start.cpu, 0) / timed.timed * n
    return Timing(timed.name, start.wall + each * n, cpu, timed.memory_mb, timed.timed)


def quietly(command: list, cwd: Path) -> None:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])


def own_cells(root: Path) -> float:
    """CPU seconds of the notebook's own cells in a kernel that has run them before.

    So imports and first uses of a library, which a warm kernel saves, are not counted.
    """
    path = next(root.glob(f"grading/submitted/*/{NAME}/*.ipynb"))
    notebook = nbformat.read(path, as_version=4)
    cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and "illustration" not in cell.metadata.get("tags", [])
    ]
    imports = "".join(_imports(cell.source) for cell in cells)
    make: Callable = nbformat.v4.new_code_cell
    first = make(imports)
    began = make("import time as _time\n_began = _time.process_time()")
    last = make("print(_time.process_time() - _began)")
    again = [make(cell.source) for cell in cells]
    notebook.cells = [first, *cells, began, *again, last]
    ran = NotebookClient(notebook, kernel_name="python3", allow_errors=True).execute(
        stderr=subprocess.DEVNULL
    )
    return float(ran.cells[-1].outputs[-1].text)


def slowest(root: Path) -> str:
    """Where a submission's time goes when it has the machine to itself: tests and all the rest."""
    results = [json.loads(p.read_text()) for p in root.glob(f"grading/results/{NAME}/*.json")]
    cells = {c["grade_id"]: [] for c in results[0]["cells"]}
    for result in results:
        for cell in result["cells"]:
            cells[cell["grade_id"]].append(cell["seconds"])
    middle = {name: statistics.median(times) for name, times in cells.items()}
    whole = statistics.median(result["seconds"] for result in results)
    top = sorted(middle, key=middle.get, reverse=True)[:5]
    return (
        f"\nA submission takes {whole:.2f} s with 1 job, {sum(middle.values()):.2f} s of it in its "
        f"{len(cells)} tests; the slowest: "
        + ", ".join(f"{name} {1000 * middle[name]:.0f} ms" for name in top)
    )


def _imports(source: str) -> str:
    """The import statements at the top of a cell."""
    lines = [line for line in source.splitlines() if not line.startswith(("%", "!"))]
    body = ast.parse("\n".join(lines)).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    return "".join(ast.unparse(node) + "\n" for node in imports)


def report(timings: list[Timing], own: float, one: Timing, n: int) -> None:
    """Print the table and the ratios."""
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    print(f"\n{n} submissions of {NAME}, {cores} cores, load {load:.1f}")
    print(f"a submission's own cells: {own:.2f} CPU s (imports not counted)\n")
    print(f"{'':24}{'wall s':>9}{'a second':>10}{'CPU s each':>12}{'MB':>7}")
    for t in timings:
        note = "" if t.timed == n else f"   scaled from {t.timed}"
        each = t.cpu / n
        print(f"{t.name:24}{t.wall:9.1f}{n / t.wall:10.2f}{each:12.2f}{t.memory_mb:7.0f}{note}")
    more = (timings[1].cpu - one.cpu) / (n - 1)
    print(
        f"\nthe first submission takes {one.wall:.1f} s and {one.cpu:.1f} CPU s, each further one "
        f"{more:.2f} CPU s, both kernels counted: {more - own:.2f} beyond its own cells"
    )
    for ours in timings[:2]:
        for other in timings[2:]:
            print(f"{ours.name}: {other.wall / ours.wall:.1f} times as fast as {other.name}")


def draw(timings: list[Timing], n: int, out: Path) -> None:
    """Wall time of each as a bar, as PNG and SVG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.5, 0.6 * len(timings) + 1.4), layout="constrained")
    colors = ["#0b6e4f" if t.name.startswith("autograder") else "#9aa5b1" for t in timings]
    names = [t.name + ("" if t.timed == n else f"\n(scaled from {t.timed})") for t in timings]
    bars = axes.barh(names, [t.wall for t in timings], color=colors)
    slowest = max(t.wall for t in timings)
    axes.bar_label(bars, [f"{t.wall:.1f} s" for t in timings], padding=4)
    axes.set_xlim(0, slowest * 1.14)
    axes.invert_yaxis()
    axes.set_xlabel(f"seconds to grade {n} submissions of lesson 01 (less is better)")
    axes.spines[["top", "right"]].set_visible(False)
    for suffix in ("png", "svg"):
        figure.savefig(out / f"throughput.{suffix}", dpi=160)


if __name__ == "__main__":
    main()
