"""The gradebook's database: where it is, without its password, and what can be wrong with it."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from nbgrader.api import InvalidEntry
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, SQLAlchemyError

from autograder.errors import CourseError

# What opening, reading and writing raise: nbgrader wraps some as its own, and a server's driver may
# not be installed.
FAULTS = (SQLAlchemyError, sqlite3.Error, InvalidEntry, ImportError)
SQLITE = "sqlite:///"
PASSWORD = re.compile(r"(://[^:/@\s]*):[^\s]*@|([?&]password=)[^&\s]*", re.IGNORECASE)


def shown(address: str) -> str:
    """A database's address, or words that hold one, for people: ``***`` stands for a password."""
    return PASSWORD.sub(lambda m: f"{m[1]}:***@" if m[1] else f"{m[2]}***", address)


def is_empty(db_url: str) -> bool:
    """Whether there is no gradebook yet: no file, for SQLite; a server has to be asked.

    Raises:
        CourseError: when the address is no database's.
    """
    try:
        url = make_url(db_url)
    except FAULTS as error:
        raise trouble(error, db_url, "read") from error
    return url.drivername.startswith("sqlite") and not Path(url.database or "").is_file()


def trouble(error: Exception, db_url: str, verb: str) -> CourseError:
    """One line for what went wrong.

    Args:
        error: one of ``FAULTS``.
        db_url: the database's address.
        verb: what could not be done: ``read`` or ``written``.
    """
    if isinstance(error, ImportError):
        return CourseError(
            f"the gradebook needs {error.name}, which is not installed",
            where=shown(db_url),
            remedy="for PostgreSQL: pip install 'psycopg[binary]', and an address that starts with "
            "postgresql+psycopg://",
        )
    lost = "" if verb == "read" else ", and run again: nothing that was graded is lost"
    if not db_url.startswith(SQLITE):
        remedy = f"start the server, or mend CourseDirectory.db_url in nbgrader_config.py{lost}"
    elif verb == "read":
        remedy = "try `nbgrader db upgrade`"
    else:
        remedy = f"close what holds it, or mend its folder's rights{lost}"
    return CourseError(
        f"the gradebook cannot be {verb}: {reason_of(error)}", where=shown(db_url), remedy=remedy
    )


def reason_of(error: Exception) -> str:
    """What a database says, without the statement and its values."""
    whole = error.__context__ if isinstance(error, InvalidEntry) and error.__context__ else error
    return shown(str(getattr(whole, "orig", None) or whole).splitlines()[0])


def refuses(error: Exception) -> bool:
    """Whether a database took offence at the values themselves, such as a name that is too long."""
    return isinstance(error, DataError) or isinstance(error.__context__, DataError)
