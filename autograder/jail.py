"""The walls around a fork server: one bubblewrap command, and what it shows.

bubblewrap builds a root folder out of nothing: system libraries, the Python environment as
``allowed.visible`` limits it, a handful of files from ``/etc``. All of it is read-only. The
course folder, home folders, the network, other processes' files are not hidden; they are not
there. What is private to one submission is ``namespaces``'s work, after the fork.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from autograder import namespaces
from autograder.allowed import Visible
from autograder.errors import IsolationError
from autograder.namespaces import HOME, INSIDE_ID
from autograder.view import View
from autograder.warmkernel import POOLS

SYSTEM = (
    *("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec"),
    *("/usr/local/bin", "/usr/local/lib", "/usr/share/fonts", "/usr/share/zoneinfo"),
    *("/bin", "/sbin", "/lib", "/lib32", "/lib64"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime"),
    *("/etc/alternatives", "/etc/fonts", "/etc/mime.types"),
    "/sys/devices/system/cpu",
)
# The modules that run inside; the rest of the grader stays out.
SERVER_MODULES = (
    *("__init__", "confine", "forkserver", "imports", "linux", "namespaces"),
    *("seccomp", "warden", "warmkernel", "watch"),
    *("wire", "peer", "bridge", "gate"),  # the submission's end of the wire
)
PASSWD = f"student:x:{INSIDE_ID}:{INSIDE_ID}:student:{HOME}:/bin/sh\n"
GROUP = f"student:x:{INSIDE_ID}:\n"
HOSTS = "127.0.0.1 localhost submission\n"
FONT_CACHE = HOME / ".cache/matplotlib"
# A server reads the code it runs from here, once, before any submission.
START = (
    "import sys; sys.path.insert(0, '{code}'); import autograder.forkserver as server; "
    "del sys.path[:2]; server.main(sys.argv[1])"
)


@cache
def bubblewrap() -> str:
    """The path of ``bwrap``.

    Raises:
        IsolationError: when it is not installed.
    """
    if found := shutil.which("bwrap"):
        return found
    raise IsolationError(
        "bubblewrap is not installed",
        remedy="install it (apt-get install bubblewrap), or grade with --isolation process",
    )


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """All the environment variables that a server starts with, and so its kernels.

    Args:
        extra: what the course adds.
    """
    return {
        "PATH": f"{Path(sys.prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(HOME),
        "USER": "student",
        "LOGNAME": "student",
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",
        "IPYTHONDIR": "/tmp/.ipython",
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        # A pool of threads would not survive the fork; a kernel may raise this again.
        **dict.fromkeys(POOLS, "1"),
        **extra,
    }


@cache
def runs_as_root() -> bool:
    """Whether to build the jail with root's own rights instead of a user namespace's.

    Root can read a Python environment that lies in its home, and leave its identity behind in
    the fork; both are more than a user namespace of its own would give.
    """
    if os.geteuid() != 0:
        return False
    status = Path("/proc/self/status").read_text()
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    needed = (6, 7, 21)  # CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN
    if not all(effective >> capability & 1 for capability in needed):
        return False
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first, _, count = map(int, line.split())
        if first <= namespaces.OUTSIDE_ID < first + count:
            return True
    return False


def command(
    runs: Path,
    shown: Visible,
    variables: Mapping[str, str],
    *,
    readable: Iterable[Path] = (),
    secret: Iterable[Path] = (),
    die_with_parent: bool = True,
) -> tuple[list[str], list[int]]:
    """The ``bwrap`` command that a fork server runs under, up to the program's own arguments.

    Args:
        runs: the folder that holds every submission's run directory.
        shown: what of the Python environment is visible.
        variables: the environment variables; there are no others.
        readable: more files and folders to show, read-only, where they are.
        secret: folders to hide even if something above makes them visible.
        die_with_parent: end when the thread that starts this ends.

    Returns:
        The command, and file descriptors it must inherit; close them after the start.
    """
    fds: list[int] = []
    arguments = [bubblewrap(), "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"]
    arguments += ["--unshare-cgroup-try", "--hostname", "submission", "--new-session"]
    if runs_as_root():
        arguments += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        arguments += ["--unshare-user"]
    if die_with_parent:
        arguments += ["--die-with-parent"]
    arguments += ["--clearenv"]
    for name, value in variables.items():
        arguments += ["--setenv", name, value]
    # /proc whole and the machine's own, for only then may a kernel mount one for itself over it.
    arguments += ["--bind", "/proc", "/proc", "--dev", "/dev"]
    view = View()
    for folder in (HOME, Path("/tmp")):
        view.writable(folder)
    for path in (*map(Path, SYSTEM), *_python_folders()):
        view.show(path)
    if sys.prefix != sys.base_prefix:
        # Of a virtual environment's programs the interpreter alone, which is a link.
        base = getattr(sys, "_base_executable", "") or str(Path(sys.executable).resolve())
        for name in {"python", "python3", Path(sys.executable).name}:
            view.link(base, Path(sys.executable).with_name(name))
    for folder in sorted({*shown.covers, *view.other_site_folders()}):
        view.cover(folder)
    for path in (*shown.entries, *readable):
        view.show(path)
    for name, place in shown.local.items():
        view.show(place, namespaces.PACKAGES / (name + place.suffix))
    hidden = [_inside(path, shown.local) for path in shown.hidden]
    for path in (*hidden, *(p for p in secret if view.reaches(p))):
        view.cover(path)
    for target, text in (("passwd", PASSWD), ("group", GROUP), ("hosts", HOSTS)):
        fds.append(_text(text))
        view.add_text(fds[-1], Path("/etc", target))
    for folder in (namespaces.SCRATCH, namespaces.RUN):
        view.make(folder)
    for fonts in _font_lists():
        view.show(fonts, FONT_CACHE / fonts.name)
    for module in SERVER_MODULES:
        view.show(
            Path(__file__).with_name(f"{module}.py"),
            namespaces.CODE / "autograder" / f"{module}.py",
        )
    view.add("--bind", str(runs), namespaces.RUNS)
    arguments += [*view.steps, *view.seals, "--chdir", "/"]
    return [*arguments, "--", sys.executable, "-s", "-c", START.format(code=namespaces.CODE)], fds


def _inside(path: Path, local: dict[str, Path]) -> Path:
    """Where a path is to be found in the jail."""
    for name, place in local.items():
        if path.is_relative_to(place):
            return namespaces.PACKAGES / name / path.relative_to(place)
    return path


def _python_folders() -> list[Path]:
    """The interpreter and its standard library, and what makes it an environment's."""
    base, own = Path(sys.base_prefix), Path(sys.prefix)
    folders = [base / "bin", base / "lib", base / "lib64"] if base != Path("/usr") else []
    return folders if own == base else [*folders, own / "pyvenv.cfg"]


def _font_lists() -> list[Path]:
    """matplotlib's list of fonts, when this user has one: making it takes a second."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matplotlib"
    return sorted(Path(os.environ.get("MPLCONFIGDIR") or cache).glob("fontlist-*.json"))


def _text(text: str) -> int:
    fd = os.memfd_create("jail")
    os.write(fd, text.encode())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
