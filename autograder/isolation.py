"""Which walls stand around a submission: the jail, unless the person decides otherwise."""

from __future__ import annotations

from autograder.errors import IsolationError
from autograder.request import ISOLATIONS


def choose(asked: str = "") -> str:
    """The isolation to grade with.

    Args:
        asked: ``jail``, ``process``, or nothing for the jail.

    Raises:
        IsolationError: for another word, and when this machine cannot give a jail.
    """
    if asked and asked not in ISOLATIONS:
        raise IsolationError(
            f"no isolation {asked!r}", remedy=f"there are: {', '.join(ISOLATIONS)}"
        )
    if asked == "process":
        return asked
    from autograder.prerequisites import can_jail

    check = can_jail()
    if not check.ok:
        raise IsolationError(
            f"this machine cannot jail submissions: {check.detail}",
            remedy="run `autograder doctor`, or accept the risk with --isolation process",
        )
    return "jail"
