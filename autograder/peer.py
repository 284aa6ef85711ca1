"""One end of the connection between a submission and its referee.

Both ends are alike: each keeps the objects that it handed out, each may ask the other for
something, and while one waits for an answer it serves what the other asks meanwhile (a test hands
a function to the submission, and the submission calls it back). Calls nest; they never cross.
"""

from __future__ import annotations

import builtins
import socket
import traceback
from collections.abc import Callable
from typing import Any

from autograder import wire

MAX_MESSAGE = 4_000
MAX_TRACEBACK = 6_000


class Peer:
    """An end of the connection; subclasses say what the other side may ask.

    Args:
        sock: a connected stream socket.
        limit: bytes that one message may have.
    """

    def __init__(self, sock: socket.socket, limit: int = wire.MAX_BYTES) -> None:
        self.sock, self.limit = sock, limit
        self.codec = wire.Codec(self._export, self._resolve, self.fields_of)
        # Handed-out objects stay alive as long as the connection, under numbers of this side.
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self.closed = False

    def stand_in(self, fields: dict) -> Any:
        """What stands on this side for an object of the other."""
        raise NotImplementedError

    def fields_of(self, value: Any) -> dict | None:
        """The handle that ``value`` stands for, when it is a stand-in."""
        raise NotImplementedError

    def answer(self, operation: str, arguments: list[Any]) -> Any:
        """Do what the other side asks for; what is returned crosses, what is raised too."""
        raise NotImplementedError

    def ask(self, operation: str, *arguments: Any) -> Any:
        """Ask the other side and return its answer.

        Mutable arguments that the other side changed in place are changed here too.

        Raises:
            ConnectionError: when the other side is gone.
            wire.WireError: when a value cannot cross.
            Exception: what the other side raised, as a built-in class.
        """
        tree, buffers = self.codec.encode(list(arguments))
        self._send({"ask": operation, "v": tree}, buffers)
        while True:
            message, buffers = self._receive()
            if "ask" in message:
                self._serve(message, buffers)
                continue
            for position, changed in message.get("changed", []):
                _restore(arguments[position], self.codec.decode(changed, buffers))
            if "error" in message:
                raise _exception(message["error"])
            return self.codec.decode(message.get("v"), buffers)

    def serve_one(self) -> bool:
        """Serve one request; False when the other side says it is done."""
        message, buffers = self._receive()
        if message.get("ask") == "done":
            return False
        self._serve(message, buffers)
        return True

    def finish(self) -> None:
        """Tell the other side that this round of requests is over."""
        self._send({"ask": "done"}, [])

    def _serve(self, message: dict, buffers: list[Any]) -> None:
        out: list[Any] = []
        reply: dict[str, Any] = {}
        arguments: list[Any] = []
        try:
            arguments = self.codec.decode(message["v"], buffers)
            result = self.answer(str(message["ask"]), arguments)
            reply["v"], out = self.codec.encode(result)
        except BaseException as error:  # the other side decides what an exit or an interrupt means
            reply, out = {"error": _describe(error)}, []
        try:
            reply["changed"] = self._changed(message.get("v"), buffers, arguments, out)
        except Exception:
            reply["changed"] = []
        try:
            self._send(reply, out)
        except wire.WireError as error:
            self._send({"error": _describe(error)}, [])

    def _changed(self, before: Any, buffers: list[Any], values: list[Any], out: list[Any]) -> list:
        """Which arguments no longer read as they came, encoded into ``out``."""
        if not isinstance(before, list):
            return []
        changed = []
        for position, (tree, value) in enumerate(zip(before, values, strict=False)):
            if not isinstance(value, list | dict | set | tuple) and not hasattr(value, "dtype"):
                continue
            now, parts = self.codec.encode(value)
            if _same(tree, buffers, now, parts):
                continue
            start = len(out)
            out.extend(parts)
            changed.append([position, _shift(now, start)])
        return changed

    def _export(self, value: Any) -> dict:
        number = self._numbers.get(id(value))
        if number is None:
            number = len(self._objects)
            self._objects.append(value)
            self._numbers[id(value)] = number
        name = getattr(value, "__name__", "")
        return {
            "i": number,
            "k": type(value).__name__,
            "n": name if isinstance(name, str) else "",
            "c": callable(value),
        }

    def _resolve(self, fields: dict) -> Any:
        if fields["$"] == "yours":
            return self._objects[int(fields["i"])]
        return self.stand_in(fields)

    def _send(self, tree: dict, buffers: list[Any]) -> None:
        try:
            wire.send(self.sock, tree, buffers, self.limit)
        except OSError as error:
            self.closed = True
            raise ConnectionError("the submission's kernel is gone") from error

    def _receive(self) -> tuple[dict, list[Any]]:
        try:
            message, buffers = wire.receive(self.sock, self.limit)
        except (EOFError, OSError, wire.WireError) as error:
            # After a malformed message nothing that follows can be trusted to be a message.
            self.closed = True
            self.sock.close()
            raise ConnectionError(f"the submission's kernel is gone ({error})") from error
        if not isinstance(message, dict):
            raise wire.WireError("the message is not readable")
        return message, buffers


def _same(before: Any, old: list[Any], now: Any, new: list[Any]) -> bool:
    """Whether two trees are equal, their buffers compared by content."""
    if isinstance(before, dict) and isinstance(now, dict):
        if before.keys() != now.keys() or before.get("$") != now.get("$"):
            return before.get("$") == "yours" or now.get("$") == "yours"
        return all(
            bytes(old[before[key]]) == bytes(new[now[key]])
            if key == "b"
            else _same(before[key], old, now[key], new)
            for key in before
        )
    if isinstance(before, list) and isinstance(now, list):
        return len(before) == len(now) and all(
            _same(a, old, b, new) for a, b in zip(before, now, strict=True)
        )
    return bool(before == now) or (before != before and now != now)


def _shift(tree: Any, start: int) -> Any:
    if isinstance(tree, dict):
        return {k: v + start if k == "b" else _shift(v, start) for k, v in tree.items()}
    return [_shift(item, start) for item in tree] if isinstance(tree, list) else tree


def _restore(target: Any, value: Any) -> Any:
    """Give ``target`` the content of ``value``, in place where the type allows it."""
    if type(target) is not type(value) or target is value:
        return value
    if isinstance(target, list) and len(target) == len(value):
        target[:] = [_restore(old, new) for old, new in zip(target, value, strict=True)]
    elif isinstance(target, list):
        target[:] = value
    elif isinstance(target, dict):
        merged = {k: _restore(target[k], v) if k in target else v for k, v in value.items()}
        target.clear()
        target.update(merged)
    elif isinstance(target, set):
        target.clear()
        target.update(value)
    elif type(target).__module__.startswith("torch") and hasattr(target, "copy_"):
        if target.shape == value.shape:
            target.detach().copy_(value.detach())
    elif hasattr(target, "dtype") and getattr(target, "shape", None) == value.shape:
        if getattr(getattr(target, "flags", None), "writeable", False):
            target[...] = value
    else:
        return value
    return target


def _describe(error: BaseException) -> dict:
    names = [base.__name__ for base in type(error).__mro__ if base.__module__ == "builtins"]
    try:
        single = isinstance(error, KeyError) and len(error.args) == 1
        message = str(error.args[0]) if single else str(error)
    except BaseException:
        message = ""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.endswith(("autograder/peer.py", "autograder/bridge.py"))
    ]
    text = "".join(traceback.format_list(frames))
    return {
        "types": names,
        "name": type(error).__name__,
        "message": message[:MAX_MESSAGE],
        "traceback": text[-MAX_TRACEBACK:],
    }


def _exception(fields: Any) -> BaseException:
    """The exception of the other side as its nearest built-in class."""
    if not isinstance(fields, dict):
        return wire.WireError("the message is not readable")
    name, message = str(fields.get("name", ""))[:200], str(fields.get("message", ""))[:MAX_MESSAGE]
    if name == "KeyboardInterrupt":
        return TimeoutError("the call took too long and was interrupted")
    if name in ("SystemExit", "GeneratorExit"):
        return RuntimeError(f"the code ended itself ({name})")
    found: Callable[..., BaseException] = RuntimeError
    for candidate in fields.get("types", []):
        known = getattr(builtins, str(candidate), None)
        if isinstance(known, type) and issubclass(known, Exception):
            found = known
            if candidate != name:
                message = f"{name}: {message}"
            break
    try:
        error = found(message)
    except TypeError:  # UnicodeDecodeError and its like want more than a message
        error = ValueError(f"{name}: {message}")
    error.remote_traceback = str(fields.get("traceback", ""))[:MAX_TRACEBACK]  # type: ignore[attr-defined]
    return error
