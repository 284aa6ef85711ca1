"""Refuses imports that an assignment does not allow: nobody passes with a library's convolution.

This runs in the submission's kernel. Without a jail it is a fence, not a wall; in the jail the
packages are not there at all, and this only says so in better words.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Sequence
from typing import Any


def close(packages: Sequence[str]) -> None:
    """Let notebook cells import only the standard library and ``packages``.

    Args:
        packages: top-level names (``numpy``) or dotted ones (``sklearn.datasets``).
    """
    allowed = tuple(packages)
    plain_import = builtins.__import__
    free = set(sys.stdlib_module_names) | {"IPython", "ipykernel", "__main__", "autograder"}

    def permitted(name: str) -> bool:
        top = name.partition(".")[0]
        return top in free or any(
            name == package or name.startswith(package + ".") or package.startswith(name + ".")
            for package in allowed
        )

    def gated_import(
        name: str,
        globals: dict[str, Any] | None = None,  # noqa: A002 - the signature of __import__
        locals: dict[str, Any] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        asking = sys._getframe(1).f_globals if globals is None else globals
        if level == 0 and asking.get("__name__") == "__main__":
            wanted = [name]
            if any(package.startswith(name + ".") for package in allowed):
                wanted = [f"{name}.{part}" for part in fromlist or ()] or wanted
            for dotted in wanted:
                if not permitted(dotted):
                    raise ImportError(
                        f"{dotted} is not allowed in this assignment; "
                        f"it may import {', '.join(allowed)} and the standard library"
                    )
        return plain_import(name, globals, locals, fromlist or (), level)

    builtins.__import__ = gated_import  # type: ignore[assignment]
