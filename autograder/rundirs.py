"""Run directories: one small private folder for each submission's sockets, gone afterwards.

All of one grader process lie in one folder. A shell waits on a pipe from the grader and removes
that folder when the pipe closes, so it goes even if the grader is killed with SIGKILL.
"""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from autograder import jail, namespaces
from autograder.errors import IsolationError

# A unix socket's path may have 107 characters; what a run directory and a kernel append is short.
LONGEST_PARENT = 70
SWEEP = 'read -r _; rm -rf -- "$1"'


class _RunDirectories:
    """The folder of this process, made when first asked for."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.sweeper: subprocess.Popen[bytes] | None = None
        self.numbers = itertools.count(1)
        self.borrowed = self.lent = False
        self.lock = threading.Lock()

    def make_folder(self) -> Path:
        with self.lock:
            if self.folder is None:
                folder = Path(tempfile.mkdtemp(prefix="autograder-", dir=_parent()))
                self.sweeper = subprocess.Popen(
                    ["/bin/sh", "-c", SWEEP, "autograder-sweep", str(folder)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    # Ctrl-C reaches the grader's whole process group; this outlives the grader.
                    start_new_session=True,
                    cwd="/",
                    env={"PATH": "/usr/bin:/bin"},
                )
                give_to_jail(folder)
                self.folder = folder
            return self.folder

    def remove(self) -> None:
        with self.lock:
            if self.folder is not None and not self.borrowed:
                shutil.rmtree(self.folder, ignore_errors=True)
            self.folder, self.borrowed = None, False
            if self.sweeper is not None and self.sweeper.stdin is not None:
                self.sweeper.stdin.close()
                self.sweeper.wait()
                self.sweeper = None

    def forget(self) -> None:
        """In a fork of this process: the folder is the parent's, to use at most."""
        folder = self.folder if self.lent else None
        if self.sweeper is not None and self.sweeper.stdin is not None:
            self.sweeper.stdin.close()
            self.sweeper.returncode = 0  # it is no child of this process
        self.__init__()  # type: ignore[misc]
        self.folder, self.borrowed = folder, folder is not None


_own = _RunDirectories()
os.register_at_fork(after_in_child=_own.forget)
atexit.register(_own.remove)


def _parent() -> Path:
    for name in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"):
        if name and len(name) < LONGEST_PARENT and os.access(name, os.W_OK | os.X_OK):
            return Path(name)
    raise IsolationError(
        "no folder for sockets that can be written and has a short name",
        remedy="set TMPDIR to one",
    )


def folder() -> Path:
    """The folder of all run directories of this process.

    Raises:
        IsolationError: when it cannot be made (a full disk, most often).
    """
    try:
        return _own.make_folder()
    except OSError as error:
        raise _no_room(error) from error


def new_run_directory() -> Path:
    """A fresh private folder for one submission's sockets; remove it when done.

    Raises:
        IsolationError: when it cannot be made (a full disk, most often).
    """
    # Forks of one process may share the folder.
    path = folder() / f"{os.getpid()}-{next(_own.numbers)}"
    try:
        path.mkdir(mode=0o700)
    except OSError as error:
        raise _no_room(error) from error
    return path


def _no_room(error: OSError) -> IsolationError:
    return IsolationError(
        f"no folder for sockets: {error.strerror}",
        where=error.filename,
        remedy="make room there, or set TMPDIR to a folder that has some",
    )


def give_to_jail(path: Path) -> None:
    """Let the jail's user use a run directory and the sockets in it, when it is another user."""
    if jail.runs_as_root():
        for item in (path, *path.iterdir()):
            os.chown(item, namespaces.OUTSIDE_ID, namespaces.OUTSIDE_ID, follow_symlinks=False)


def lend() -> None:
    """Let forks of this process make their run directories in its folder."""
    _own.lent = True


def remove_all() -> None:
    """Remove every run directory of this process."""
    _own.remove()
