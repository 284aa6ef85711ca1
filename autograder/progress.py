"""What the person at the terminal sees while work goes on."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from autograder.results import SubmissionResult

# Everything for people goes to standard error; standard output is for --json.
console = Console(stderr=True, highlight=False)
LOG_SECONDS = 20.0


def say(line: str) -> None:
    """One line for the person at the terminal."""
    console.print(line, markup=False, soft_wrap=True)


class _Rate(ProgressColumn):
    """Finished items a second."""

    def render(self, task: object) -> Text:
        speed = getattr(task, "speed", None)
        return Text(f"{speed:.1f}/s" if speed else "", style="dim")


class Meter:
    """A progress bar with count, rate and time to go; one line for each problem as it happens."""

    def __init__(self, what: str) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
        )
        # In a log a bar is of no use; there, a line comes now and then.
        shown = console.is_terminal
        self._progress = Progress(*columns, console=console, transient=True, disable=not shown)
        self._task = self._progress.add_task(what, total=None)
        self._what, self._shown, self._done = what, shown, 0
        self._started = self._said = time.monotonic()

    def __enter__(self) -> Meter:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def step(self, remaining: int) -> None:
        """One item is done, ``remaining`` are to come."""
        self.at(self._done + 1, self._done + 1 + remaining)

    def at(self, done: int, total: int) -> None:
        """``done`` of ``total`` items are done."""
        self._done = done
        self._progress.update(self._task, completed=done, total=total)
        now = time.monotonic()
        if not self._shown and now > self._said + LOG_SECONDS:
            self._said, rate = now, done / (now - self._started)
            togo = (total - done) / rate
            say(f"{self._what}: {done} of {total}, {rate:.1f} a second, {togo:.0f} s to go")

    def graded(self, result: SubmissionResult, remaining: int) -> None:
        """One submission is done."""
        for problem in result.problems:
            say(f"  {result.student}: {problem}")
        self.step(remaining)
