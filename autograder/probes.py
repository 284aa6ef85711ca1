"""What the doctor runs inside a jail: each tries to do what the jail must not allow.

A probe is a function's body that returns ``(held, what it saw)``; ``SECRET`` is the path of a
file of the host's. They run under ``doctor.PROBE_LIMITS``.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

PROBES = {
    "network": """
        import socket
        try:
            socket.create_connection(("192.0.2.1", 80), timeout=1)
        except TimeoutError:
            return False, "packets leave the jail"
        except OSError as error:
            names = [name for _, name in socket.if_nameindex()]
            return names == ["lo"], f"off ({error.strerror}; interfaces: {', '.join(names)})"
        return False, "a connection to the outside opened"
    """,
    "file system": """
        import os
        bad = []
        library = os.path.dirname(os.__file__)
        for folder in ("/", "/usr", "/etc", "/dev", "/srv", "/run/submission", library):
            try:
                open(os.path.join(folder, "probe"), "w").close()
                bad.append(folder)
            except OSError:
                pass
        return not bad, "read-only but for its scratch" if not bad else f"could write {bad}"
    """,
    "secrets": """
        import os
        bad = [name for name in os.environ if "DOCTOR" in name]
        for path in (SECRET, os.path.dirname(SECRET)):
            if os.path.exists(path):
                bad.append(path)
        me = os.getpid()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if int(pid) != me and open(f"/proc/{pid}/environ").read():
                    bad.append(f"environment of process {pid}")
            except OSError:
                pass
        return not bad, "none in reach" if not bad else f"could see {bad}"
    """,
    "privileges": """
        import ctypes, os
        status = open("/proc/self/status").read()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        bad = [k for k in ("CapEff", "CapPrm", "CapBnd") if int(fields[k], 16)]
        bad += [] if fields["NoNewPrivs"].strip() == "1" else ["new privileges"]
        bad += ["root"] if os.getuid() == 0 else []
        child = os.fork()  # a process with threads could not try
        if child == 0:
            os._exit(ctypes.CDLL(None).unshare(0x10000000) == 0)
        if os.waitpid(child, 0)[1]:
            bad.append("a way to new namespaces")
        return not bad, "none" if not bad else f"has {bad}"
    """,
    "memory": """
        try:
            bytearray(400 << 20)
        except MemoryError:
            return True, "an array beyond the limit is refused"
        return False, "could use more memory than its limit"
    """,
    "processes": """
        import os, signal
        children = []
        try:
            while len(children) < 200:
                pid = os.fork()
                if pid == 0:
                    signal.pause()
                    os._exit(0)
                children.append(pid)
        except BlockingIOError:
            return True, f"{len(children)} more, then refused"
        finally:
            for pid in children:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        return False, f"could start {len(children)} processes"
    """,
    "scratch": """
        import os
        if os.listdir("."):
            return False, "is not empty at the start"
        written = 0
        try:
            for number in range(100):
                with open(f"file{number}", "wb") as file:
                    written += file.write(bytes(1 << 20))
        except OSError as error:
            return written <= 16 << 20, f"full after {written >> 20} MB ({error.strerror})"
        finally:
            for name in os.listdir("."):
                os.remove(name)
        return False, f"could write {written >> 20} MB"
    """,
}

CPU_PROBE = "while True: pass"

# What to do where a probe finds a hole.
PROBLEMS = {
    "network": "the jail's network namespace does not hold; update bubblewrap and the kernel",
    "file system": "do not grade here: report what could be written as a bug",
    "secrets": "do not grade here: report what could be seen as a bug",
    "privileges": "do not grade here: update bubblewrap, and report it as a bug",
    "memory": "RLIMIT_DATA needs Linux 4.7 or newer",
    "processes": "RLIMIT_NPROC counts a jail's own processes from Linux 5.14 on; as root, the"
    " jail's user must exist in this container's user namespace",
    "scratch": "the jail's tmpfs has no size; report it as a bug",
}


def probe_code(name: str, secret: Path) -> str:
    """The cell that runs a probe and prints what it returns as JSON."""
    body = textwrap.indent(textwrap.dedent(PROBES[name]).strip(), "    ")
    return (
        f"SECRET = {str(secret)!r}\ndef probe():\n{body}\nimport json; print(json.dumps(probe()))"
    )
