"""An IPython kernel in two halves: what can be done before a fork, and what must be after it."""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import os
import pkgutil
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

# What a kernel imports by itself in its first cells, beside the packages allowed.
MACHINERY = (
    "IPython",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "psutil",
    "zmq.eventloop.zmqstream",
)

FIGURES = (
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "matplotlib_inline.config",
    "IPython.core.pylabtools",
)

_app: Any = None


class NotAllowed(importlib.abc.MetaPathFinder):
    """Says why an import fails; what is not allowed is hidden by mounts, whatever this does."""

    def __init__(self, blocked: Collection[str], allowed: Sequence[str]) -> None:
        self.blocked = frozenset(blocked)
        self.message = "it may import " + ", ".join(allowed) if allowed else ""

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Raise for an import of a blocked name; look-ups by ``importlib.util`` find nothing.

        Libraries ask ``importlib.util.find_spec`` whether an optional package is there; an
        exception would break them, so only a true import gets one.
        """
        if fullname not in self.blocked:
            return None
        if sys._getframe(2).f_code.co_name != "_find_and_load_unlocked":
            return None
        message = f"{fullname} is not allowed in this assignment"
        raise ModuleNotFoundError(f"{message}: {self.message}" if self.message else message)


def prepare(settings: Mapping[str, Any]) -> None:
    """Import everything, in the server, before any fork.

    Args:
        settings: ``packages``, names to import; ``local``, those of them that are a course's own
            helpers, imported with all their modules; ``allowed``, as the instructor wrote them;
            ``blocked``, names that are installed and not allowed; ``partial``, those of
            ``blocked`` whose folder is there.
    """
    for name in MACHINERY:
        importlib.import_module(name)
    for name in settings["packages"]:
        _preload(name, name in settings["local"])
    if "matplotlib" in sys.modules:
        _warm_matplotlib()
    allowed, partial = settings["allowed"], set(settings["partial"])
    sys.meta_path.append(NotAllowed(set(settings["blocked"]) - partial, allowed))
    # Their folders are there, so the ordinary finders would take them for namespace packages.
    sys.meta_path.insert(0, NotAllowed(partial, allowed))
    gc.collect()
    # Nothing made so far is garbage: keep collections from writing to pages that forks share.
    gc.freeze()


def _preload(name: str, local: bool) -> None:
    # What does not import here will say why in the submission's own cell.
    with contextlib.suppress(Exception):
        module = importlib.import_module(name)
        if local:
            for found in pkgutil.iter_modules(module.__path__, name + "."):
                with contextlib.suppress(Exception):
                    importlib.import_module(found.name)


def _warm_matplotlib() -> None:
    for name in FIGURES:
        importlib.import_module(name)


def listen(connection: dict[str, Any]) -> None:
    """Build the kernel, after the fork, and bind its sockets.

    Args:
        connection: ``ip`` (a path prefix), ``transport``, ``key``, ``signature_scheme``, ports.
    """
    global _app
    from ipykernel.kernelapp import IPKernelApp

    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    _app = IPKernelApp.instance()
    _app.init_connection_file = lambda: _app.load_connection_info(connection)
    _app.write_connection_file = lambda **_: None
    _app.initialize([])


def run() -> None:
    """Answer requests until the process is killed."""
    _app.start()
    os._exit(0)
