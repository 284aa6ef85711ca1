"""Limits that no single process can be held to: memory and CPU of a whole submission.

Init asks twice a second. The sums cost one small read for each process; the exact count of
shared pages, which costs more, is made only when the cheap one looks too large.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator, Mapping
from pathlib import Path

# The limits init enforces, by the name it reports them with.
MEMORY, CPU = "memory", "cpu"

MB = 1024 * 1024
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()


class Watch:
    """What the processes of one submission use together."""

    def __init__(self, kernel: int, limits: Mapping[str, int], *, everyone: bool) -> None:
        """Remember what the kernel holds at its start.

        Args:
            kernel: PID of the kernel, as init counts.
            limits: fields of ``limits.Limits``.
            everyone: every process that init can see belongs to the submission (a PID namespace
                of its own); else only the kernel itself is counted.
        """
        self.kernel, self.everyone = kernel, everyone
        self.memory = limits["memory_mb"] * MB
        self.cpu = limits["cpu_seconds"]
        self.base = self._resident(kernel)

    def exceeded(self) -> str | None:
        """The limit that the submission has overrun, if any."""
        pids = list(self._pids())
        resident = sum(self._resident(pid) for pid in pids)
        if resident - self.base > self.memory:
            exact = sum(self._proportional(pid) for pid in pids)
            if exact - self.base > self.memory:
                return MEMORY
        return CPU if self._cpu_seconds(pids) > self.cpu else None

    def _pids(self) -> Iterator[int]:
        if not self.everyone:
            yield self.kernel
            return
        own = os.getpid()
        for entry in os.scandir("/proc"):
            if entry.name.isdigit() and int(entry.name) != own:
                yield int(entry.name)

    @staticmethod
    def _resident(pid: int) -> int:
        try:
            return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        except (OSError, IndexError):
            return 0  # it ended meanwhile

    @staticmethod
    def _proportional(pid: int) -> int:
        try:
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
        except OSError:
            pass  # it ended, or hides: then all it holds counts as its own
        return Watch._resident(pid)

    @staticmethod
    def _cpu_seconds(pids: list[int]) -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        total = usage.ru_utime + usage.ru_stime
        for pid in pids:
            try:
                # Fields 14-17 of proc(5), counted after the name, which may hold anything.
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            total += sum(map(int, fields[11:15])) / TICKS
        return total
