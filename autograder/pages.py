"""Pages: the templates, and what every value goes through on its way into one."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

# Colours of a terminal; other control characters, and marks that turn the direction of reading.
ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?", re.DOTALL)
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(value: Any) -> Any:
    """``value``; a string without colour codes, its other control characters shown as escapes."""
    if type(value) is not str:  # numbers, and markup that our own code made
        return value
    text = ANSI.sub("", value.replace("\r\n", "\n"))
    return UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)


def number(value: float) -> str:
    """A number as people write it: at most two decimals, no zeros at the end."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def render(template: str, **values: Any) -> bytes:
    """One page of ``templates/``; every value is cleaned, then escaped."""
    return _pages().get_template(template).render(values).encode()


@cache
def _pages() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    pages = Environment(loader=loader, autoescape=True, finalize=clean, undefined=StrictUndefined)
    pages.trim_blocks = pages.lstrip_blocks = True
    pages.filters["number"] = number
    return pages
