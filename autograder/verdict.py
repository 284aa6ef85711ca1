"""Runs one test cell in the referee and says how it ended, in words a student may read."""

from __future__ import annotations

import ast
import contextlib
import io
import linecache
import math
import numbers
import re
import traceback
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

MAX_OUTPUT = 20_000
MAX_MESSAGE = 2_000
# Assertions of these modules print the expected values: only their counts are passed on.
TELLTALES = ("numpy.testing", "unittest", "torch.testing", "pandas._testing", "pandas.testing")
# The largest difference would tell the one expected value from the student's own.
COUNTS = re.compile(r"^\s*Mismatched elements.*$")


@dataclass
class Verdict:
    """How a test cell ended.

    Attributes:
        status: ``ok`` only when the cell ran to its end.
        value: the number that the cell's last expression gave, for partial credit; else None.
        error: class name of the exception.
        message: what a student may read: no hidden source, no expected array.
        outputs: notebook outputs for the instructor's copy (streams, the error with traceback).
        calls: the call log of the cell.
        leans: it passed only because the submission changed arguments in place.
    """

    status: str = "ok"
    value: float | None = None
    error: str = ""
    message: str = ""
    outputs: list[dict] = field(default_factory=list)
    calls: dict = field(default_factory=dict)
    leans: bool = False

    def to_dict(self) -> dict:
        """The verdict as plain data."""
        return dict(vars(self))

    @classmethod
    def of_connection(cls, error: BaseException) -> Verdict:
        """The verdict when the submission's kernel could not be asked at all."""
        output = _error_output(error, [])
        return cls("error", None, type(error).__name__, _message(error), [output])


class _Stream(io.StringIO):
    """Keeps the first ``MAX_OUTPUT`` characters and drops the rest."""

    def write(self, text: str) -> int:
        room = MAX_OUTPUT - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)


def filename_of(name: str) -> str:
    """What a cell is called in tracebacks."""
    return f"<{name}>"


def run_cell(source: str, name: str, namespace: dict[str, Any]) -> Verdict:
    """Run a test cell's source in ``namespace``."""
    filename = filename_of(name)
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    out, err = _Stream(), _Stream()
    verdict = Verdict()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("default")
                value = _execute(source, filename, namespace)
            verdict.value = _credit(value)
        except KeyboardInterrupt:
            raise
        except SystemExit as error:
            verdict = Verdict("error", None, "SystemExit", "the test ended itself")
            verdict.outputs = [_error_output(error, [])]
        except BaseException as error:  # pytest's own failures are no Exception
            verdict = Verdict("error", None, type(error).__name__, explain(error))
            verdict.outputs = [_error_output(error, traceback.extract_tb(error.__traceback__))]
    streams = (("stdout", out), ("stderr", err))
    verdict.outputs[:0] = [
        {"output_type": "stream", "name": which, "text": _writable(stream.getvalue())}
        for which, stream in streams
        if stream.getvalue()
    ]
    if verdict.value is not None:
        result = {"text/plain": repr(verdict.value)}
        verdict.outputs.append(
            {
                "output_type": "execute_result",
                "data": result,
                "metadata": {},
                "execution_count": None,
            }
        )
    return verdict


def _execute(source: str, filename: str, namespace: dict[str, Any]) -> Any:
    """Execute all statements; the value of the last one when it is an expression."""
    namespace["get_ipython"] = lambda: _Shell(namespace)
    namespace.setdefault("display", print)
    body, last = compiled(source, filename)
    exec(body, namespace)
    return None if last is None else eval(last, namespace)


@lru_cache(maxsize=1024)
def compiled(source: str, filename: str) -> tuple[CodeType, CodeType | None]:
    """The code of a cell's statements, and of the last one when it is an expression.

    Raises:
        SyntaxError: when it is no Python, magics aside.
    """
    try:
        tree = ast.parse(source, filename)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        tree = ast.parse(TransformerManager().transform_cell(source), filename)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    body = compile(tree, filename, "exec")
    if isinstance(last, ast.Expr):
        return body, compile(ast.Expression(last.value), filename, "eval")
    return body, None


class _Shell:
    """``get_ipython()`` for the rare test that uses a magic: runs its cell, ignores the rest."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        """``%%time``, ``%%capture`` and the like: the cell alone."""
        exec(compile(cell, f"<%%{name}>", "exec"), self.namespace)

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def _credit(value: Any) -> float | None:
    """The partial credit that a cell's last value gives, if any; NaN and infinity give none."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    credit = float(value)
    return credit if math.isfinite(credit) else 0.0


def _writable(text: str) -> str:
    """Text that any file takes: half a character of the student's own must not stop the grading."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _message(error: BaseException) -> str:
    try:
        return _writable(str(error)[:MAX_MESSAGE])
    except Exception:  # such as an integer of more than 4300 digits
        return ""


def tells(error: BaseException) -> bool:
    """Whether an exception's message shows expected values."""
    return isinstance(error, AssertionError) and _raised_in(error, TELLTALES)


def explain(error: BaseException) -> str:
    """What a student may read of an exception that ended a test.

    An assertion's own message is the author's word to the student. One that a testing library made
    prints both arrays, so only its counts remain. What the student's own code raised is told as is.
    """
    text = _message(error)
    if hasattr(error, "remote_traceback"):
        return f"your code raised {type(error).__name__}" + (f": {text}" if text else "")
    if isinstance(error, ConnectionError):
        return "your notebook's kernel had stopped before this test"
    if isinstance(error, AssertionError):
        if tells(error):
            counts = [line.strip() for line in text.splitlines() if COUNTS.match(line)]
            return "; ".join(["not the expected values", *counts])
        return text or "not the expected result"
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        return f"{text}: did the cell that defines it run?"
    if isinstance(error, KeyError):
        return "the result lacks a key that it should have"
    return f"the test could not use your result: {type(error).__name__}: {text}"


def _raised_in(error: BaseException, modules: tuple[str, ...]) -> bool:
    step = error.__traceback__
    while step is not None:
        if str(step.tb_frame.f_globals.get("__name__", "")).startswith(modules):
            return True
        step = step.tb_next
    return False


def _error_output(error: BaseException, frames: Any) -> dict:
    kept = [f for f in frames if not f.filename.endswith(("peer.py", "verdict.py", "remote.py"))]
    lines = traceback.format_list(kept)
    if remote := getattr(error, "remote_traceback", ""):
        lines += ["In the submission:\n", _writable(remote)]
    message = _message(error)
    last = f"{type(error).__name__}: {message}"
    return {
        "output_type": "error",
        "ename": type(error).__name__,
        "evalue": message,
        "traceback": [*"".join(lines).splitlines(), last[:MAX_MESSAGE]],
    }
