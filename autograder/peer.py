"""One end of the connection between a submission and its referee.

Both ends are alike: each keeps the objects that it handed out, each may ask the other for
something, and while one waits for an answer it serves what the other asks meanwhile (a test hands
a function to the submission, and the submission calls it back). Calls nest; they never cross.
"""

from __future__ import annotations

import builtins
import socket
import traceback
import weakref
from typing import Any

from autograder import wire

MAX_MESSAGE = 4_000
MAX_TRACEBACK = 6_000
# Calls back and forth inside one another, well before Python's own limit cuts a message in two.
MAX_NESTING = 100


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
        # The same object of the other side is the same stand-in here, as long as anyone has it.
        self._stand_ins: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self._nesting = 0
        self.closed = False
        # Whether a call's arguments are brought home changed, and how many were so far.
        self.bringing, self.brought_home = True, 0

    def stand_in(self, fields: dict) -> Any:
        """What stands on this side for an object of the other."""
        raise NotImplementedError

    def fields_of(self, value: Any) -> dict | None:
        """The handle that ``value`` stands for, when it is a stand-in."""
        raise NotImplementedError

    def answer(self, operation: str, arguments: list[Any]) -> Any:
        """Do what the other side asks for; what is returned crosses, what is raised too."""
        raise NotImplementedError

    def describe(self, error: BaseException) -> dict:
        """What the other side may know of an exception of this side."""
        return _describe(error)

    def handed_out(self, value: Any) -> bool:
        """Whether ``value`` is an object that this side gave to the other."""
        return id(value) in self._numbers

    def ask(self, operation: str, *arguments: Any) -> Any:
        """Ask the other side and return its answer.

        Mutable arguments that the other side changed in place are changed here too.

        Raises:
            ConnectionError: when the other side is gone, or its answer is malformed.
            wire.WireError: when a value cannot cross.
            RecursionError: when both sides call each other too deeply.
            Exception: what the other side raised, as a built-in class.
        """
        if self._nesting >= MAX_NESTING:
            raise RecursionError("the calls back and forth are nested too deeply")
        tree, buffers = self.codec.encode(list(arguments))
        self._nesting += 1
        try:
            self._send({"ask": operation, "v": tree}, buffers)
            while True:
                message, buffers = self._receive()
                if "ask" not in message:
                    break
                self._serve(message, buffers)
        except KeyboardInterrupt:
            # The answer would be taken for that of the next question.
            self._close()
            raise
        finally:
            self._nesting -= 1
        try:
            return self._settle(message, buffers, _passed(operation, list(arguments)))
        except wire.WireError as error:
            raise ConnectionError(f"what came back is not readable ({error})") from None

    def _settle(self, message: dict, buffers: list[Any], passed: list[Any]) -> Any:
        """Bring changes home, then return or raise what the answer says."""
        changes = message.get("changed", [])
        if type(changes) is not list:
            raise wire.WireError("the message is malformed")
        for change in changes:
            if type(change) is not list or len(change) != 2 or type(change[0]) is not int:
                raise wire.WireError("the message is malformed")
            position, tree = change
            if not 0 <= position < len(passed):
                raise wire.WireError("the message is malformed")
            value = self.codec.decode(tree, buffers)
            self.brought_home += 1
            if self.bringing:
                _restore(passed[position], value)
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
        operation, arguments = "", []
        self._nesting += 1
        try:
            operation, arguments = str(message["ask"]), self.codec.decode(message["v"], buffers)
            if type(arguments) is not list:
                raise wire.WireError("the message is malformed")
            result = self.answer(operation, arguments)
            reply["v"], out = self.codec.encode(result)
        except BaseException as error:  # the other side decides what an exit or an interrupt means
            reply, out = {"error": self.describe(error)}, []
        finally:
            self._nesting -= 1
        if type(arguments) is list:
            before = _passed(operation, message.get("v"), wired=True)
            reply["changed"] = self._changed(before, buffers, _passed(operation, arguments), out)
        try:
            self._send(reply, out)
        except wire.WireError as error:
            self._send({"error": self.describe(error)}, [])

    def _changed(
        self, before: list[Any], buffers: list[Any], values: list[Any], out: list[Any]
    ) -> list:
        """Which arguments no longer read as they came, encoded into ``out``."""
        changed = []
        for position, (tree, value) in enumerate(zip(before, values, strict=False)):
            if not _mutable(value):
                continue
            try:
                now, parts = self.codec.encode(value)
            except Exception:  # it has become something that cannot cross
                continue
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
        return {
            "i": number,
            "k": type.__dict__["__name__"].__get__(type(value)),
            "n": _name_of(value),
            "c": callable(value),
        }

    def _resolve(self, fields: dict) -> Any:
        number = fields.get("i")
        if type(number) is not int or number < 0:
            raise wire.WireError("a handle without a number")
        if fields["$"] == "yours":
            if number >= len(self._objects):
                raise wire.WireError("a handle of an object that was never handed out")
            return self._objects[number]
        found = self._stand_ins.get(number)
        if found is None:
            found = self._stand_ins[number] = self.stand_in(fields)
        return found

    def _send(self, tree: dict, buffers: list[Any]) -> None:
        try:
            wire.send(self.sock, tree, buffers, self.limit)
        except OSError as error:
            self.closed = True
            raise ConnectionError("the submission's kernel is gone") from error

    def _receive(self) -> tuple[dict, list[Any]]:
        try:
            message, buffers = wire.receive(self.sock, self.limit)
            if type(message) is not dict:
                raise wire.WireError("the message is malformed")
        except (EOFError, OSError, wire.WireError) as error:
            # After a malformed message nothing that follows can be trusted to be a message.
            self._close()
            raise ConnectionError(f"the submission's kernel is gone ({error})") from error
        return message, buffers

    def _close(self) -> None:
        self.closed = True
        self.sock.close()


def _passed(operation: str, arguments: Any, wired: bool = False) -> list[Any]:
    """The arguments of a call, one by one; of a ``wired`` request, their trees.

    Only a call's arguments are brought home changed. What else is asked with (the referee's list of
    names, an attribute's value) is this side's own, and an answer must not rewrite it.
    """
    if type(arguments) is not list or operation != "call" or len(arguments) != 3:
        return []
    _, args, kwargs = arguments
    if wired:
        named = [value for _, value in kwargs["v"]] if type(kwargs) is dict else []
    else:
        named = list(kwargs.values()) if type(kwargs) is dict else []
    return [*(args if type(args) is list else []), *named]


def _mutable(value: Any) -> bool:
    kinds = [(kind.__module__, kind.__name__) for kind in type(value).__mro__]
    array = ("numpy", "ndarray") in kinds or ("torch", "Tensor") in kinds
    return array or issubclass(type(value), list | dict | set | tuple)


def _name_of(value: Any) -> str:
    try:
        name = getattr(value, "__name__", "")
    except BaseException:  # an attribute of the student's own may do anything
        return ""
    return str.__str__(name)[: wire.MAX_NAME] if issubclass(type(name), str) else ""


def _same(before: Any, old: list[Any], now: Any, new: list[Any]) -> bool:
    """Whether two trees are equal, their buffers compared by content."""
    if type(before) is not type(now):
        return False
    if isinstance(before, dict):
        handles = ("handle", "yours")
        if before.get("$") in handles and now.get("$") in handles:
            # What came as the one goes back as the other, under the same number.
            return before["$"] != now["$"] and before.get("i") == now.get("i")
        return before.keys() == now.keys() and all(
            bytes(old[before[key]]) == bytes(new[now[key]])
            if key == "b"
            else _same(before[key], old, now[key], new)
            for key in before
        )
    if isinstance(before, list):
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
    kind = type(target)
    if kind is not type(value) or target is value:
        return value
    if kind is tuple and len(target) == len(value):
        new = tuple(_restore(old, item) for old, item in zip(target, value, strict=True))
        return target if all(a is b for a, b in zip(new, target, strict=True)) else new
    if kind is list and len(target) == len(value):
        target[:] = [_restore(old, new) for old, new in zip(target, value, strict=True)]
    elif kind is list:
        target[:] = value
    elif kind is dict:
        merged = {k: _restore(target[k], v) if k in target else v for k, v in value.items()}
        target.clear()
        target.update(merged)
    elif kind is set:
        target.clear()
        target.update(value)
    elif not _mutable(target) or target.shape != value.shape or target.dtype != value.dtype:
        return value
    elif kind.__module__ == "numpy":
        if target.flags.writeable:
            target[...] = value
    else:
        target.detach().copy_(value.detach())
    return target


def _describe(error: BaseException) -> dict:
    kind = type(error)
    names = [base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"]
    try:
        single = issubclass(kind, KeyError) and len(error.args) == 1
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
        "name": kind.__name__,
        "message": message[:MAX_MESSAGE],
        "traceback": text[-MAX_TRACEBACK:],
    }


def _exception(fields: Any) -> BaseException:
    """The exception of the other side as its nearest built-in class."""
    if type(fields) is not dict or type(fields.get("types", [])) is not list:
        raise wire.WireError("the message is malformed")
    name, message = str(fields.get("name", ""))[:200], str(fields.get("message", ""))[:MAX_MESSAGE]
    error: BaseException
    if name == "KeyboardInterrupt":
        error = TimeoutError("the call took too long and was interrupted")
    elif name in ("SystemExit", "GeneratorExit"):
        error = RuntimeError(f"the code ended itself ({name})")
    else:
        error = _built_in(fields.get("types", []), name, message)
    error.remote_traceback = str(fields.get("traceback", ""))[:MAX_TRACEBACK]  # type: ignore[attr-defined]
    return error


def _built_in(types: list[Any], name: str, message: str) -> BaseException:
    """An instance of the first class that is built in and made from a message alone."""
    for candidate in types[:50]:
        known = vars(builtins).get(str(candidate))
        if not (isinstance(known, type) and issubclass(known, Exception)):
            continue
        try:
            return known(message if known.__name__ == name else f"{name}: {message}")
        except TypeError:  # UnicodeDecodeError and its like want more than a message
            continue
    return RuntimeError(f"{name}: {message}")
