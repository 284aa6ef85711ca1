"""The message for an import that an assignment does not allow; runs in the submission's kernel.

It explains and does not protect: what is not allowed is hidden by mounts. A submission that
removes this finder meets a plain ``ModuleNotFoundError``.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Collection, Sequence


class NotAllowed(importlib.abc.MetaPathFinder):
    """Raises for names that are installed and not allowed."""

    def __init__(self, blocked: Collection[str], allowed: Sequence[str]) -> None:
        self.blocked = frozenset(blocked)
        self.advice = ": it may import " + ", ".join(allowed) if allowed else ""

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
        raise ModuleNotFoundError(
            f"{fullname} is not allowed in this assignment{self.advice}", name=fullname
        )
