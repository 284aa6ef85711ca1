"""One submission's two processes: its cells in its kernel, each graded test cell in the referee."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, v4

from autograder.bout import Bout, boot_code, jail_request
from autograder.exercises import grade_id, points, role
from autograder.kernel import GRACE, Kernel, KernelDied
from autograder.kernels import KERNEL_NAME, new_run_directory
from autograder.outputs import Outputs
from autograder.pictures import idle_pictures
from autograder.results import CellResult, Status
from autograder.tribunal import Session, tribunal
from autograder.trusted import Names
from autograder.verdict import Verdict

TEST_OUTPUT = 20_000
LEAST_OUTPUT = 100_000
# Errors of the student's own cells that a person should know of; a later NameError is no news.
WORTH_A_LINE = (
    "SyntaxError",
    "IndentationError",
    "SystemExit",
    "ImportError",
    "ModuleNotFoundError",
)
PROBE = 10.0  # seconds that the questions after the marks may take, all cells together


class Hearing:
    """One submission's two processes, from start to end."""

    def __init__(self, kernel_name: str, bout: Bout, cell_seconds: float) -> None:
        self.bout, self.cell_seconds = bout, cell_seconds
        self.warm = kernel_name == KERNEL_NAME
        # Short, private to this user: it holds the sockets of both processes.
        self.folder = new_run_directory() if self.warm else Path(tempfile.mkdtemp(prefix="ag-"))
        self.count = 0
        self.dead = ""
        self.room = bout.limits.output_mb << 20
        self.deadline = time.monotonic() + bout.limits.submission_seconds
        # A warm kernel cuts what is longer; only one that was tampered with is cut off.
        longest = (bout.limits.output_mb + 1) << 20 if self.warm else 0
        self.kernel = Kernel(kernel_name, self.folder, longest, **self._settings())
        self.session: Session | None = None
        self.asked: dict[int, str] = {}
        self.idle = bout.skip

    def _settings(self) -> dict[str, Any]:
        """How to start the kernel: jailed and warm, or any other by its kernelspec."""
        bout = self.bout
        if not self.warm:
            return {"cwd": str(self.folder / "work")}
        request = jail_request(bout, self.folder)
        return {"autograder": request}

    def __enter__(self) -> Hearing:
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _open(self) -> None:
        if not self.warm and self.bout.files is not None:
            shutil.copytree(self.bout.files, self.folder / "work", symlinks=True)
        elif not self.warm:
            (self.folder / "work").mkdir()
        bout = self.bout
        assert bout.trusted is not None  # the engine reads it from the notebook
        wire, limit = self.folder / "wire", bout.limits.message_mb << 20
        self.session = tribunal().session(
            bout.trusted, wire, limit, bout.own_files, bout.limits.memory_mb
        )
        self.kernel.start()
        inside = getattr(self.kernel.manager.provisioner, "run_dir_inside", self.folder)
        boot = boot_code(str(inside / "wire"), limit, self.bout.packages, self.warm)
        outcome = self.kernel.execute(boot, Outputs(), time.monotonic() + 60)
        if outcome != "ok" or not self.session.accept(60):
            raise KernelDied("the submission's kernel did not connect to the referee")

    def close(self) -> None:
        """End both processes and remove what they left."""
        try:
            if self.session is not None:
                self.session.close()
            self.kernel.kill()
        finally:
            if self.bout.turns is not None:
                self.bout.turns.give()
        self.bout.cpu_seconds = self.kernel.cpu_seconds
        shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self, notebook: NotebookNode) -> None:
        """Hand all cells to the kernel at once; where a test stands it will wait for the referee.

        So it runs ahead to the next test while its outputs are read here.
        """
        if self.bout.turns is not None:
            self.bout.turns.take()
            self.deadline = time.monotonic() + self.bout.limits.submission_seconds
        self.idle = idle_pictures(notebook, self.bout.skip)
        cells = [cell for cell in notebook.cells if self._runs(cell)]
        sources = [None if role(cell) == "test" else cell.source for cell in cells]
        names = self.kernel.begin(sources)
        self.asked = {id(cell): name for cell, name in zip(cells, names, strict=True)}

    def _runs(self, cell: NotebookNode) -> bool:
        """Whether a cell is run at all."""
        return cell.cell_type == "code" and (role(cell) == "test" or cell.source not in self.idle)

    def run(self, cell: NotebookNode) -> None:
        """Run one cell and fill in its outputs, or say in the results why it did not run."""
        if cell.cell_type != "code":
            if role(cell) == "manual":
                self._record(cell, Status.MANUAL)
            return
        cell.outputs, cell.execution_count = [], None
        kind = role(cell)
        if not self._runs(cell):
            return
        if not self.dead and time.monotonic() > self.deadline:
            self._die(f"the {self.bout.limits.submission_seconds:g} s for one submission were up")
        if kind == "test":
            self._test(cell)
            return
        if not self.dead:
            self._student(cell)
        if kind == "manual":
            self._record(cell, Status.MANUAL)

    def _cell_deadline(self) -> float:
        return min(time.monotonic() + self.cell_seconds, self.deadline)

    def _student(self, cell: NotebookNode) -> None:
        """A cell of the submission, in its kernel."""
        self.count += 1
        cell.execution_count = self.count
        outputs = Outputs(self.room)
        try:
            ended = self.kernel.follow(self.asked[id(cell)], outputs, self._cell_deadline())
            if ended == "timeout":
                self._problem(cell, f"took longer than {self.cell_seconds:g} s and was interrupted")
            elif ended == "flood":
                self._problem(
                    cell, "printed more than it may (limit output_mb) and was interrupted"
                )
        except KernelDied as error:
            self._die(f"the kernel stopped in {_place(cell)} ({error})")
        self._note_error(cell, outputs)
        if self.dead:  # which has its line already
            outputs.items.append(_error("DeadKernelError", self.dead))
        # Who has used up the room may still say a little in each cell: a later result, an error.
        self.room = max(outputs.room, LEAST_OUTPUT)
        cell.outputs = outputs.items

    def _note_error(self, cell: NotebookNode, outputs: Outputs) -> None:
        """A cell that cannot run explains the tests that fail below it: that is worth a line."""
        for item in outputs.items:
            if item.output_type != "error":
                continue
            name, own = item.ename, role(cell) in ("solution", "manual")
            stub = name in ("NotImplementedError", "KeyboardInterrupt")
            if name in WORTH_A_LINE or (own and not stub):
                said = item.evalue.strip().splitlines()[:1]
                self._problem(cell, ": ".join([f"raised {name}", *(line[:120] for line in said)]))
            return

    def _test(self, cell: NotebookNode) -> None:
        """A graded test cell, in the referee."""
        self.count += 1
        cell.execution_count = self.count
        started = time.monotonic()
        if self.dead:
            message = f"not run: {self.dead}"
            cell.outputs = [_error("DeadKernelError", message)]
            self._record(cell, Status.DIED, message)
            return
        outputs = Outputs(TEST_OUTPUT)
        verdict, late = self._judge(cell, outputs)
        self.bout.calls[grade_id(cell)] = verdict.calls
        if verdict.leans:
            self.bout.leaning.add(grade_id(cell))
        cell.outputs = [NotebookNode(output) for output in verdict.outputs]
        printed = outputs.text()
        if printed:
            cell.outputs.insert(0, v4.new_output("stream", name="stdout", text=printed))
        status, earned = _score(verdict, points(cell), late, bool(self.dead))
        message = verdict.message
        if status is Status.TIMEOUT:
            message = f"took longer than {self.cell_seconds:g} s: is there a loop without an end?"
        elif status is Status.DIED:
            message = f"your code ended the kernel: {self.dead}"
        seconds = time.monotonic() - started
        self._record(cell, status, message, earned, verdict.error, seconds, printed)

    def probe(self, notebook: NotebookNode) -> None:
        """Ask the rest of each failed test's questions; marks and problems stay as they are."""
        self.deadline = min(self.deadline, time.monotonic() + PROBE)
        problems = list(self.bout.problems)
        for cell in notebook.cells:
            result = self.bout.results.get(grade_id(cell)) if role(cell) == "test" else None
            if self.dead or result is None or result.status is not Status.FAILED:
                continue
            verdict, late = self._judge(cell, Outputs(0), probe=True)
            if verdict.status == "ok" and not late:
                self.bout.calls[grade_id(cell)] = {**verdict.calls, "probed": True}
        self.bout.problems[:] = problems

    def _judge(
        self, cell: NotebookNode, outputs: Outputs, probe: bool = False
    ) -> tuple[Verdict, bool]:
        """The verdict on a test cell, and whether its time ran out."""
        assert self.session is not None and self.bout.trusted is not None
        session, name = self.session, grade_id(cell)
        names = self.bout.trusted.names.get(name, Names((), ()))
        deadline, late, ended = self._cell_deadline(), False, 0.0
        parent = self.kernel.begin([None])[0] if probe else self.asked[id(cell)]
        session.ask(name, cell.source, names, probe)
        while True:
            now = time.monotonic()
            if now > deadline or (ended and now > ended + GRACE):
                if late or ended:
                    self._die(self.dead or "it did not stop when it was interrupted")
                    break
                late, deadline = True, now + GRACE
                self.kernel.interrupt()
            try:
                fd = session.connection.fileno()
                if ended:  # what the kernel says from here on is the next cell's
                    session.ready(0.1)
                elif self.kernel.hear(parent, outputs, deadline, fd)[0]:
                    ended = time.monotonic()
            except KernelDied as error:
                self._die(f"the kernel stopped in {_place(cell)} ({error})")
                break
            if session.ready():
                break
        verdict = session.verdict(GRACE + 2)
        if verdict is None:
            self._die(self.dead or "the referee stopped in this test")
            verdict = Verdict("error", None, "TimeoutError", "the test did not end")
        if not self.dead and not ended:
            try:
                self.kernel.follow(parent, outputs, time.monotonic() + GRACE)
            except KernelDied as error:
                self._die(f"the kernel stopped in {_place(cell)} ({error})")
        return verdict, late

    def _die(self, reason: str) -> None:
        """Nothing further can run: the kernel is gone, or has to go."""
        if not self.dead:
            self.dead = reason
            self.bout.problems.append(reason)
        self.kernel.kill()

    def _problem(self, cell: NotebookNode, what: str) -> None:
        self.bout.problems.append(f"{_place(cell)} {what}")

    def _record(
        self,
        cell: NotebookNode,
        status: Status,
        message: str = "",
        earned: float | None = 0.0,
        error: str = "",
        seconds: float = 0.0,
        output: str = "",
    ) -> None:
        name = grade_id(cell)
        self.bout.results[name] = CellResult(
            name,
            None if status is Status.MANUAL else earned,
            points(cell),
            status,
            message,
            error,
            round(seconds, 4),
            output,
        )


def _score(verdict: Verdict, worth: float, late: bool, dead: bool) -> tuple[Status, float]:
    """Points need positive evidence: the referee says that the cell ran to its end."""
    if verdict.status != "ok":
        if dead:
            return Status.DIED, 0.0
        return (Status.TIMEOUT if late else Status.FAILED), 0.0
    earned = worth if verdict.value is None else min(max(verdict.value, 0.0), worth)
    if earned >= worth:
        return Status.PASSED, worth
    return (Status.PARTIAL if earned > 0 else Status.FAILED), earned


def _place(cell: NotebookNode) -> str:
    name = grade_id(cell)
    if name:
        return f"cell {name}"
    first = next((line for line in cell.source.splitlines() if line.strip()), "")
    return f"the cell that starts with {first.strip()[:60]!r}"


def _error(name: str, message: str) -> NotebookNode:
    return v4.new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])
