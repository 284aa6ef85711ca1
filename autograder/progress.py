"""What the person at the terminal sees while work goes on."""

from __future__ import annotations

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
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task(what, total=None)
        self._done = 0

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
        self._done += 1
        self._progress.update(self._task, completed=self._done, total=self._done + remaining)

    def at(self, done: int, total: int) -> None:
        """``done`` of ``total`` items are done."""
        self._progress.update(self._task, completed=done, total=total)

    def graded(self, result: SubmissionResult, remaining: int) -> None:
        """One submission is done."""
        for problem in result.problems:
            say(f"  {result.student}: {problem}")
        self.step(remaining)
