"""The folder of one run's temporary files; whoever runs next removes those of runs that died."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from autograder.errors import AutograderError

PREFIX = "autograder-run-"


class RunFolder:
    """A private folder, locked for as long as this process lives.

    Under ``with`` it is where this process's own temporary files go, libraries' included.

    Attributes:
        path: where it is.

    Raises:
        AutograderError: when none can be made (a full disk, most often).
    """

    def __init__(self) -> None:
        sweep()
        try:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
            # Linux drops the lock with the process, even one that is killed.
            self._lock = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AutograderError(
                f"no folder for temporary files: {error.strerror}",
                where=error.filename or tempfile.gettempdir(),
                remedy="make room there, or set TMPDIR to a folder that has some",
            ) from error

    def __enter__(self) -> RunFolder:
        self._before, tempfile.tempdir = tempfile.tempdir, str(self.path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tempfile.tempdir = self._before
        self.remove()

    def remove(self) -> None:
        """Remove it with all that is in it; safe to call twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def sweep() -> list[Path]:
    """Remove the folders of this user's runs that are no more; those that were removed."""
    removed = []
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            # One that has just been made may not be locked yet: it is empty, and stays.
            if path.is_symlink() or path.stat().st_uid != os.getuid() or not any(path.iterdir()):
                continue
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
                removed.append(path)
            finally:
                os.close(fd)
    return removed
