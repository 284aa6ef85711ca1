"""As many submissions run their code at once as there are jobs, however many workers get ready.

To start a kernel and to clear one away is mostly waiting for the machine. So there are more workers
than jobs, and each waits for its turn when it has a kernel that stands ready. A turn is the lock on
a file: Linux takes it back from a process that ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

POLL_SECONDS = 0.004  # there is no waiting for the first of several locks


class Turns:
    """The turns of one run, as one worker sees them.

    Args:
        folder: which all workers of the run have in common.
        number: of turns.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._files = [
            os.open(folder / f"turn-{turn}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            for turn in range(number)
        ]
        self._held = -1
        self.waited = 0.0

    def take(self) -> None:
        """Wait for a turn; whoever has one keeps it. Adds to ``waited``, in seconds."""
        started = time.monotonic()
        while self._held < 0 and not any(map(self._try, self._files)):
            time.sleep(POLL_SECONDS)
        self.waited += time.monotonic() - started

    def _try(self, file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self._held = file
        return True

    def give(self) -> None:
        """Let another have it; safe to call without one."""
        if self._held >= 0:
            fcntl.flock(self._held, fcntl.LOCK_UN)
            self._held = -1
