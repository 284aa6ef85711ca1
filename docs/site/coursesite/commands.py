"""The command line's page, from the functions behind the commands."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Any

from typer.models import ArgumentInfo, OptionInfo, ParameterInfo

from autograder.cli import app


def commands_page() -> str:
    """Every command of ``autograder`` with its arguments and options, as Markdown."""
    parts = [
        "# Commands",
        "Made from the command line itself; `autograder COMMAND --help` says the same. What "
        "exit codes and JSON mean is in [the instructor's "
        "guide](guides/grading.md#exit-codes-and-json).",
    ]
    for name, function in sorted(commands().items()):
        parameters = list(read_parameters(function))
        parts.append(f"## autograder {name}")
        parts.append(_prose(function.__doc__ or ""))
        parts.append(f"```text\n{_usage(name, parameters)}\n```")
        parts.append("\n".join(["| | |", "|---|---|", *(_line(each) for each in parameters)]))
    return "\n\n".join(part for part in parts if part) + "\n"


def commands() -> dict[str, Callable[..., None]]:
    """The functions of the commands by name."""
    found = {}
    for info in app.registered_commands:
        assert info.callback is not None
        found[info.name or info.callback.__name__.replace("_", "-")] = info.callback
    return found


class Parameter(typing.NamedTuple):
    """An argument or an option, as its function declares it."""

    name: str
    kind: Any
    info: ParameterInfo
    default: Any

    @property
    def positional(self) -> bool:
        """Whether it is an argument, without a flag."""
        return isinstance(self.info, ArgumentInfo)

    @property
    def required(self) -> bool:
        """Whether the command refuses to run without it."""
        return self.default is inspect.Parameter.empty

    @property
    def repeated(self) -> bool:
        """Whether there may be several."""
        return "list" in str(self.kind)


def read_parameters(function: Callable[..., None]) -> Iterator[Parameter]:
    """What a command takes, in order."""
    hints = typing.get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        kind, *notes = typing.get_args(hints[name])
        info = next(note for note in notes if isinstance(note, (ArgumentInfo, OptionInfo)))
        yield Parameter(name, kind, info, parameter.default)


def _usage(name: str, parameters: list[Parameter]) -> str:
    words = ["autograder", name]
    for each in parameters:
        if each.positional:
            word = each.name.upper() + ("…" if each.repeated else "")
            words.append(word if each.required else f"[{word}]")
    return " ".join([*words, "[OPTIONS]"])


def _line(each: Parameter) -> str:
    said = " ".join((each.info.help or "").split()).replace("|", "\\|")
    default = each.info.show_default
    if isinstance(default, str):
        said += f" Default: {default}."
    elif not each.positional and isinstance(each.default, str) and each.default:
        said += f" Default: {each.default}."
    return f"| {_names(each)} | {said} |"


def _names(each: Parameter) -> str:
    if each.positional:
        return f"`{each.name.upper()}`"
    # In `Annotated`, the first flag stands where a default would.
    declared = [flag for flag in (each.info.default, *(each.info.param_decls or ())) if flag]
    flags = sorted((str(flag) for flag in declared if flag is not ...), key=len, reverse=True)
    flags = flags or ["--" + each.name.replace("_", "-")]
    takes = "" if each.kind is bool else f" {each.name.upper()}"
    return ", ".join(f"`{flag}{takes}`" for flag in flags)


def _prose(text: str) -> str:
    """Help text as paragraphs; ``\\b`` marks one that keeps its lines."""
    parts = []
    for part in inspect.cleandoc(text).split("\n\n"):
        if part.startswith("\b"):
            parts.append("```text\n" + part.lstrip("\b\n") + "\n```")
        else:
            parts.append(" ".join(part.split()))
    return "\n\n".join(parts)
