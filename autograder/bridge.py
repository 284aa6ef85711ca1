"""The submission's end: does in the student's kernel what the referee's tests ask for.

This code runs beside the student's and may be tampered with; it holds no test and no expected
value, and the referee believes nothing it says beyond the values themselves.
"""

from __future__ import annotations

import contextlib
import operator
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from autograder.peer import Peer

OPERATIONS: dict[str, Callable[..., Any]] = {
    "get": getattr,
    "set": setattr,
    "item": operator.getitem,
    "setitem": operator.setitem,
    "delitem": operator.delitem,
    "len": len,
    "iter": iter,
    "next": next,
    "contains": operator.contains,
    "bool": bool,
    "str": str,
}


class Callback:
    """A function of a test, called back from the submission."""

    def __init__(self, bridge: Bridge, fields: dict) -> None:
        self._bridge, self._fields = bridge, {"i": fields["i"]}
        self.__name__ = str(fields.get("n", "")) or "callback"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the test's function on the referee's side."""
        return self._bridge.ask("call", self, list(args), kwargs)


class Bridge(Peer):
    """Serves the referee out of the submission's namespace."""

    def __init__(self, path: str, namespace: dict[str, Any], limit: int) -> None:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(path)
        super().__init__(sock, limit)
        self.namespace = namespace
        self.interrupted = False

    def stand_in(self, fields: dict) -> Any:
        """A callable that asks the referee."""
        return Callback(self, fields)

    def fields_of(self, value: Any) -> dict | None:
        """The referee's number of a callback."""
        return value._fields if type(value) is Callback else None

    def answer(self, operation: str, arguments: list[Any]) -> Any:
        """One of ``OPERATIONS``, or ``call``, ``names``, ``define``, ``bind``, ``unbind``."""
        with self._audible():
            return self._do(operation, arguments)

    def _do(self, operation: str, arguments: list[Any]) -> Any:
        self._heed()
        if operation == "call":
            target, args, kwargs = arguments
            return target(*args, **kwargs)
        if operation == "names":
            return [self._look_up(name) for name in arguments[0]]
        if operation == "bind":
            name, value = arguments
            self.namespace[name] = value
            return None
        if operation == "unbind":
            self.namespace.pop(arguments[0], None)
            return None
        if operation == "define":
            source, name = arguments
            scope = dict(self.namespace)
            exec(compile(source, "<test helper>", "exec"), scope)
            return scope[name]
        return OPERATIONS[operation](*arguments)

    def ask(self, operation: str, *arguments: Any) -> Any:
        """Ask the referee; an interrupt that came meanwhile is heard after its answer."""
        try:
            return super().ask(operation, *arguments)
        finally:
            self._heed()

    def _send(self, tree: dict, buffers: list[Any]) -> None:
        with self._whole():
            super()._send(tree, buffers)

    def _receive(self) -> tuple[dict, list[Any]]:
        with self._whole():
            return super()._receive()

    @contextlib.contextmanager
    def _audible(self) -> Iterator[None]:
        """Let an interrupt reach the submission's code, and nothing around it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @contextlib.contextmanager
    def _whole(self) -> Iterator[None]:
        """Let no interrupt cut a message in two: a test out of time must not cost the next ones."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _note(self, *_: object) -> None:
        self.interrupted = True

    def _heed(self) -> None:
        if self.interrupted:
            self.interrupted = False
            raise KeyboardInterrupt

    def _look_up(self, name: str) -> tuple[bool, Any]:
        if name not in self.namespace:
            return False, None
        value = self.namespace[name]
        try:
            self.codec.encode(value)
        except Exception:
            # Too large, too deep or too odd to cross: the tests may still call its methods.
            return True, Opaque(value)
        return True, value

    def _export(self, value: Any) -> dict:
        return super()._export(value.value if type(value) is Opaque else value)


class Opaque:
    """A value that is handed out as a handle although its type could cross."""

    def __init__(self, value: Any) -> None:
        self.value = value


current: Bridge | None = None


def connect(path: str, namespace: dict[str, Any], limit: int) -> None:
    """Connect the kernel's namespace to the referee that listens at ``path``."""
    global current
    current = Bridge(path, namespace, limit)


def attend(kernel: Any) -> None:
    """Let the kernel take ``serve_request`` messages: cheaper than a cell, and on its thread."""
    kernel.shell_handlers["serve_request"] = lambda stream, identity, parent: handle(
        kernel, stream, identity, parent
    )


def handle(kernel: Any, stream: Any, identity: Any, parent: Any) -> None:
    """Serve one round, then reply, whatever ended it."""
    try:
        serve()
    finally:
        kernel.session.send(stream, "serve_reply", {"status": "ok"}, parent, ident=identity)


def serve() -> None:
    """Serve requests until the referee says that its cell is done."""
    if current is None:
        raise RuntimeError("not connected")
    current.interrupted = False
    # Between two messages an interrupt is noted, not raised: it would end the whole service.
    before = signal.signal(signal.SIGINT, current._note)
    try:
        while current.serve_one():
            pass
    finally:
        signal.signal(signal.SIGINT, before)
