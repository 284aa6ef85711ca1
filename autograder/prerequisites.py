"""What a jail needs of the machine: Linux, bubblewrap, and leave to make namespaces."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from autograder import jail
from autograder.errors import AutograderError

IN_CONTAINER = (
    "start the container with --security-opt seccomp=unconfined "
    "--security-opt systempaths=unconfined, or --privileged"
)
OLDEST_BUBBLEWRAP = (0, 5)


@dataclass(frozen=True)
class Check:
    """One thing tried: whether it held, and what was seen or what to do."""

    ok: bool
    detail: str


def can_jail() -> Check:
    """The two quick checks alone: bubblewrap, and the namespaces it needs. Milliseconds."""
    found = bubblewrap()
    return namespaces() if found.ok else found


def bubblewrap() -> Check:
    """Whether the program is there, runs, and knows the options that the jail needs."""
    if sys.platform != "linux":
        return Check(False, f"the jail needs Linux, and this is {sys.platform}; grade on Linux")
    try:
        program = jail.bubblewrap()
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10)
    except AutograderError as error:
        return Check(False, str(error))
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(False, f"{error}; reinstall bubblewrap")
    said = done.stdout.strip() or done.stderr.strip()
    numbers = re.findall(r"\d+", said)[:2]
    if done.returncode == 0 and tuple(map(int, numbers)) < OLDEST_BUBBLEWRAP:
        return Check(False, f"{said} is too old; install 0.5.0 or newer")
    return Check(done.returncode == 0, f"{said} ({program})")


def namespaces() -> Check:
    """Whether it may make the namespaces."""
    command = [jail.bubblewrap(), "--unshare-all", "--unshare-user", "--ro-bind", "/", "/", "true"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(False, str(error))
    if done.returncode == 0:
        user = "root, as whom kernels run as nobody" if jail.runs_as_root() else "an ordinary user"
        return Check(True, f"user, mount, PID, IPC, network and UTS, for {user}")
    return Check(False, f"{done.stderr.strip()}; {_allownamespaces()}")


def _allownamespaces() -> str:
    """What most likely forbids user namespaces here, and how to allow them."""
    switches = {
        "/proc/sys/kernel/unprivileged_userns_clone": ("0", "1"),
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": ("1", "0"),
        "/proc/sys/user/max_user_namespaces": ("0", "15000"),
    }
    for path, (bad, good) in switches.items():
        if Path(path).is_file() and Path(path).read_text().strip() == bad:
            setting = path.removeprefix("/proc/sys/").replace("/", ".")
            return f"allow user namespaces: sysctl -w {setting}={good}"
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return IN_CONTAINER
    return "allow unprivileged user namespaces, or grade as root"
