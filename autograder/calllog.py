"""The call log: what a test asked of a submission, and what came back, as plain data.

The referee keeps one log for each graded cell. An entry is a dictionary:

    {"op": "call", "on": "conv2d_forward", "args": [VALUE, …], "kwargs": {"stride": VALUE},
     "out": VALUE, "changed": {"x": VALUE}}      or, for an exception,
    {"op": "call", …, "error": {"class": NAME, "message": TEXT, "where": TEXT}}

and a VALUE says type, shape, dtype, a digest and the numbers: all of them up to ``WHOLE``, else a
fixed sample of ``SAMPLE`` of them and their moments. A log holds at most ``MAX_BYTES``.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import sys
from typing import Any

import numpy as np

from autograder.remote import Remote

MAX_BYTES = 256 * 1024  # of one cell's log, as JSON
MAX_CALLS = 2_000
WHOLE = 4096  # numbers of an answer that are kept verbatim
WHOLE_ARGUMENT = 512  # numbers of an argument
SAMPLE = 1024
MAX_ITEMS = 64
MAX_TEXT = 500
MAX_DEPTH = 6
STRIDE = 2_654_435_761  # a prime beyond 2**31: sampled places spread over the whole array
FRAME = re.compile(r'File "(?P<file>[^"]*)", line (?P<line>\d+), in (?P<name>.*)\n\s*(?P<code>.*)')


class CallLog:
    """Records the questions of one test cell at a time and their answers."""

    def __init__(self) -> None:
        self.paths: dict[int, str] = {}
        self.clear()

    def clear(self) -> None:
        """Start the log of another cell; the names of handles are kept."""
        self.entries: list[dict] = []
        self.room, self.truncated = MAX_BYTES, False

    def take(self) -> dict:
        """The log as plain data, and an empty one from here on."""
        taken = {"calls": self.entries, "truncated": self.truncated}
        self.clear()
        return taken

    def question(self, operation: str, arguments: tuple[Any, ...]) -> dict | None:
        """Describe a question before it is asked; None when the log is full."""
        if self.truncated or operation == "names":
            return None
        try:
            target = self.path(arguments[0]) if arguments else ""
            entry: dict[str, Any] = {"op": operation, "on": target}
            if operation == "call":
                entry["args"] = [self.value(item, WHOLE_ARGUMENT) for item in arguments[1]]
                entry["kwargs"] = {
                    k: self.value(v, WHOLE_ARGUMENT) for k, v in arguments[2].items()
                }
            elif operation == "define":
                entry["on"], entry["args"] = str(arguments[1]), []
            else:
                entry["args"] = [self.value(item, WHOLE_ARGUMENT) for item in arguments[1:]]
            return entry
        except Exception:  # whatever a submission sent, keeping the log must not change a verdict
            self.truncated = True
            return None

    def answer(
        self, entry: dict | None, arguments: tuple[Any, ...], out: Any, changed: bool
    ) -> None:
        """Complete an entry with what came back and the arguments that were changed in place."""
        if entry is None:
            return
        try:
            entry["out"] = self.value(out)
            self._name(out, f"{entry['on']}{_suffix(entry, arguments)}")
            if changed:
                entry["changed"] = self._changed(entry, arguments)
            self._keep(entry)
        except Exception:
            self.truncated = True

    def error(
        self, entry: dict | None, arguments: tuple[Any, ...], error: BaseException, changed: bool
    ) -> None:
        """Complete an entry with the exception that came back."""
        if entry is None:
            return
        try:
            where = frame_of(str(getattr(error, "remote_traceback", "")))
            entry["error"] = {
                "class": type(error).__name__,
                "message": str(error)[:MAX_TEXT],
                "where": where,
            }
            if changed:
                entry["changed"] = self._changed(entry, arguments)
            self._keep(entry)
        except Exception:
            self.truncated = True

    def names(self, names: list[str], found: list[Any]) -> None:
        """Record the values that a test fetched by name; a function is only given its name."""
        try:
            for name, (there, value) in zip(names, found, strict=True):
                if type(value) in _REMOTES or isinstance(value, Remote):
                    self._name(value, name)
                elif there:
                    self._keep({"op": "name", "on": name, "args": [], "out": self.value(value)})
                else:
                    error = {"class": "NameError", "message": "not defined", "where": ""}
                    self._keep({"op": "name", "on": name, "args": [], "error": error})
        except Exception:
            self.truncated = True

    def path(self, value: Any) -> str:
        """What a handle is known as: the name it was fetched by, and how it was reached."""
        if not isinstance(value, Remote):
            return type(value).__name__
        fields = object.__getattribute__(value, "_fields")
        return self.paths.get(fields["i"]) or f"{fields.get('k')}"[:MAX_TEXT]

    def value(self, value: Any, whole: int = WHOLE) -> dict:
        """Describe a value; a handle by what it is known as."""
        return describe(value, whole, self.path)

    def _name(self, value: Any, path: str) -> None:
        if isinstance(value, Remote):
            fields = object.__getattribute__(value, "_fields")
            self.paths.setdefault(fields["i"], path[:200])

    def _changed(self, entry: dict, arguments: tuple[Any, ...]) -> dict[str, dict]:
        if entry["op"] != "call":
            return {}
        after = {str(i): self.value(v, WHOLE_ARGUMENT) for i, v in enumerate(arguments[1])}
        after |= {k: self.value(v, WHOLE_ARGUMENT) for k, v in arguments[2].items()}
        before = {str(i): v for i, v in enumerate(entry["args"])} | entry["kwargs"]
        return {name: value for name, value in after.items() if value != before.get(name)}

    def _keep(self, entry: dict) -> None:
        size = len(json.dumps(entry))
        if size > self.room or len(self.entries) >= MAX_CALLS:
            self.truncated = True
            return
        self.room -= size
        self.entries.append(entry)


_REMOTES = (Remote, *Remote.__subclasses__())


def _suffix(entry: dict, arguments: tuple[Any, ...]) -> str:
    if entry["op"] == "get":
        return f".{arguments[1]}"
    return {"call": "()", "item": "[…]", "define": ""}.get(entry["op"], f":{entry['op']}")


def frame_of(trace: str) -> str:
    """The innermost line of the student's own cells in a traceback; empty when there is none."""
    found = [m for m in FRAME.finditer(trace) if "ipy" in m["file"] or m["file"].startswith("<")]
    if not found:
        return ""
    return f"{found[-1]['code'].strip()[:160]}"


def describe(value: Any, whole: int = WHOLE, path: Any = None, depth: int = 0) -> dict:
    """A value as plain data; nothing of the value itself is called.

    Args:
        value: what crossed the wire: plain types, arrays, tensors, handles.
        whole: how many numbers of an array are kept verbatim.
        path: names a handle; its type is its name when None.
        depth: how deep in containers it lies.
    """
    kind = type(value)
    if value is None:
        return {"t": "None"}
    if isinstance(value, Remote):
        return {"t": "handle", "v": path(value) if path else "object"}
    if kind is bool or kind is int or kind is float:
        return {"t": kind.__name__, "v": value}
    if kind is str:
        return {"t": "str", "v": value[:MAX_TEXT], "n": len(value)}
    if isinstance(value, np.ndarray | np.generic):
        return _array(
            "array" if isinstance(value, np.ndarray) else "scalar", np.asarray(value), whole
        )
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        plain = value.detach()
        dtype = str(plain.dtype).removeprefix("torch.")
        array = plain.to(torch.float32) if dtype == "bfloat16" else plain
        return {**_array("tensor", array.numpy(), whole), "dtype": dtype}
    if isinstance(value, list | tuple) and _numbers(value, depth):
        try:
            array = np.asarray(value)
        except ValueError:  # rows of different lengths
            array = None
        if array is not None and array.dtype.kind in "biuf" and array.size:
            return _array(kind.__name__, array, whole)
    if isinstance(value, list | tuple | set | frozenset) and depth < MAX_DEPTH:
        items = list(value)[:MAX_ITEMS]
        inner = [describe(item, whole, path, depth + 1) for item in items]
        if isinstance(value, set | frozenset):
            inner.sort(key=lambda item: json.dumps(item, sort_keys=True))
        return {"t": kind.__name__, "n": len(value), "v": inner}
    if isinstance(value, dict) and depth < MAX_DEPTH:
        pairs = list(value.items())[:MAX_ITEMS]
        held = [(_key(k), describe(v, whole, path, depth + 1)) for k, v in pairs]
        held.sort(key=lambda pair: pair[0])
        return {"t": "dict", "n": len(value), "v": [list(pair) for pair in held]}
    if callable(value) and not isinstance(value, type):
        return {"t": "function"}
    return {"t": kind.__name__, "v": repr(value)[:MAX_TEXT]}


def _key(key: Any) -> str:
    return repr(key)[:100] if isinstance(key, str | int | float | bool | tuple | None) else "?"


def _numbers(value: Any, depth: int) -> bool:
    """Whether a list holds only plain numbers, at any depth, and is worth an array."""
    if type(value) in (int, float, bool):
        return True
    if isinstance(value, np.ndarray | np.generic):
        return depth > 0 and value.dtype.kind in "biuf"
    if not isinstance(value, list | tuple) or depth > MAX_DEPTH or not value:
        return False
    # A tuple of arrays is several answers, not one array.
    if any(isinstance(item, np.ndarray) and item.ndim for item in value):
        return False
    return all(_numbers(item, depth + 1) for item in value)


def _array(tag: str, array: np.ndarray, whole: int) -> dict:
    """An array's type, shape, digest and numbers, or a sample of them."""
    fields: dict[str, Any] = {"t": tag, "d": array.dtype.str, "s": list(array.shape)}
    if array.dtype.kind not in "biufc":
        return {**fields, "v": repr(array)[:MAX_TEXT]}
    array = np.ascontiguousarray(array)
    digest = hashlib.blake2b(array.tobytes(), digest_size=8)
    fields["h"] = digest.hexdigest()
    flat = array.reshape(-1)
    if flat.size > whole:
        flat = flat[places(flat.size, min(SAMPLE, whole))]
        if array.dtype.kind != "c":
            real = array.astype(np.float64, copy=False)
            fields["m"] = [float(f(real)) for f in (np.mean, np.std, np.min, np.max)]
        fields["part"] = True
    return {**fields, "v": base64.b64encode(flat.tobytes()).decode()}


def places(size: int, count: int) -> np.ndarray:
    """The places of a flat array of ``size`` numbers that a sample of ``count`` takes."""
    return (np.arange(count, dtype=np.int64) * STRIDE) % size


def numbers(value: dict) -> np.ndarray | None:
    """The numbers of a described value, in its shape; flat when it is a sample; None for others."""
    if value["t"] in ("bool", "int", "float"):
        return np.asarray(value["v"], dtype=bool if value["t"] == "bool" else np.float64)
    if "d" not in value or "h" not in value:
        return None
    flat = np.frombuffer(base64.b64decode(value["v"]), dtype=np.dtype(value["d"]))
    return flat if value.get("part") else flat.reshape(value["s"])


def shape(value: dict) -> tuple[int, ...] | None:
    """The shape of a described value; () for a plain number, None for what has none."""
    if value["t"] in ("bool", "int", "float"):
        return ()
    return tuple(value["s"]) if "s" in value else None


def pack(logs: dict[str, Any]) -> bytes:
    """The logs of a submission, by cell, as compressed JSON; equal logs give equal bytes."""
    return gzip.compress(json.dumps(logs, sort_keys=True).encode(), 6, mtime=0)


def unpack(content: bytes) -> dict[str, Any]:
    """The logs that ``pack`` wrote.

    Raises:
        ValueError: when the content is no such file.
    """
    try:
        return dict(json.loads(gzip.decompress(content)))
    except (OSError, EOFError, TypeError) as error:
        raise ValueError(f"not a call log: {error}") from error
