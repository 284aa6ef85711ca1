"""The submission's end: does in the student's kernel what the referee's tests ask for.

This code runs beside the student's and may be tampered with; it holds no test and no expected
value, and the referee believes nothing it says beyond the values themselves.
"""

from __future__ import annotations

import contextlib
import operator
import signal
import socket
import sys
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
            with self._whole():
                return super().ask(operation, *arguments)
        finally:
            self._heed()

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
        """Let no interrupt cut a message in two: a test out of time must not cost the next ones.

        ``serve`` does the same for the messages that the submission has no part in.
        """
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
    """Let the kernel take ``notebook_request``: all cells in one message, which is far cheaper."""
    kernel.shell_handlers["notebook_request"] = lambda stream, identity, parent: run_all(
        kernel, identity, parent
    )


async def run_all(kernel: Any, identity: Any, parent: dict) -> None:
    """Run the cells of a request, one after the other, whatever becomes of each.

    What a cell says has the cell's own id as its parent, as if it had come in a message of its own,
    and so has the ``idle`` at its end. A cell without code is the referee's: here it is served.
    """
    # Between two cells an interrupt comes too late for the one and is not for the other.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for cell in parent["content"]["cells"]:
            header = {**parent["header"], "msg_id": cell["id"], "msg_type": "execute_request"}
            kernel.set_parent(identity, {**parent, "header": header, "content": {}})
            with contextlib.suppress(KeyboardInterrupt):
                if cell["code"] is None:
                    serve()
                else:
                    await run_cell(kernel, cell["code"])
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):  # it may be the submission's own
                    stream.flush()
            kernel.send_response(kernel.iopub_socket, "status", {"execution_state": "idle"})
    finally:
        # The kernel puts back what it had before the request.
        signal.signal(signal.SIGINT, signal.default_int_handler)


async def run_cell(kernel: Any, code: str) -> None:
    """Run a cell of the submission as IPython does."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "await" in code or "async" in code:
        await kernel.do_execute(code, silent=False, allow_stdin=False)
        return
    # The same without the looks for a top-level ``await``, each of which compiles the cell.
    shell = kernel.shell
    shell.autoawait, before = False, shell.autoawait
    kernel._forward_input(allow_stdin=False)
    try:
        shell.run_cell(code, store_history=True)
    finally:
        kernel._restore_input()
        shell.autoawait = before


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
