"""The referee: a trusted process that runs the test cells and asks the submission for answers.

One server per grader worker holds the master's imports and helpers; each submission gets a fork of
it, so nothing that a test does to the process reaches the next submission. The server and its forks
speak with the engine over a Unix socket, one JSON object a line each way:

    {"do": "prepare", "statements", "tests"}         → {"ok": true} or {"ok": false, "message": …}
    {"do": "run", "wire": PATH, "limit": BYTES}      forks; → {"ok": true}
    {"do": "accept", "seconds": S}                   → {"ok": true} when the submission connected
    {"do": "cell", "id", "source", "solution", "data"}     → a Verdict as JSON
    {"do": "probe", "id", "source", "solution", "data"}    → a Verdict with a call log alone
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import gc
import importlib
import inspect
import json
import os
import select
import signal
import socket
import sys
import textwrap
import zlib
from types import FunctionType
from typing import Any

from autograder.calllog import CallLog
from autograder.confine import limit_memory
from autograder.peer import Peer
from autograder.probing import probe
from autograder.remote import Remote, stand_in
from autograder.verdict import Verdict, compiled, filename_of, run_cell, tells
from autograder.warmkernel import COMPANIONS

PR_SET_PDEATHSIG = 1


class Referee(Peer):
    """The test's end of the connection: keeps a log of what was asked, serves callbacks only."""

    def __init__(self, sock: socket.socket, limit: int) -> None:
        super().__init__(sock, limit)
        self.log = CallLog()
        self.changed = False

    def ask(self, operation: str, *arguments: Any) -> Any:
        """Ask the submission, and write down the question and its answer."""
        entry = self.log.question(operation, arguments)
        try:
            out = super().ask(operation, *arguments)
        except Exception as error:
            self.log.error(entry, arguments, error, self.changed)
            raise
        if operation == "names":
            self.log.names(arguments[0], out)
        self.log.answer(entry, arguments, out, self.changed)
        return out

    def _receive(self) -> tuple[dict, list[Any]]:
        message, buffers = super()._receive()
        # The last message before a question is settled is its answer.
        self.changed = bool(message.get("changed"))
        return message, buffers

    def stand_in(self, fields: dict) -> Any:
        """A handle on the submission's object."""
        return stand_in(self, fields)

    def fields_of(self, value: Any) -> dict | None:
        """The submission's number of a handle."""
        if isinstance(value, Remote):
            return {"i": object.__getattribute__(value, "_fields")["i"]}
        return None

    def answer(self, operation: str, arguments: list[Any]) -> Any:
        """Call back a function that a test handed over; nothing else is served."""
        target, args, kwargs = arguments
        # By identity: a type such as ``bytes`` crosses by name and was handed over by nobody.
        if operation != "call" or not self.handed_out(target):
            raise PermissionError("the submission may only call what a test handed to it")
        if type(args) is not list or type(kwargs) is not dict:
            raise TypeError("a call takes a list and a dictionary of arguments")
        return target(*args, **kwargs)

    def describe(self, error: BaseException) -> dict:
        """An exception of a test's own function, without the test's source or expected values."""
        fields = {**super().describe(error), "traceback": ""}
        return {**fields, "message": "not the expected values"} if tells(error) else fields


class Namespace(dict):
    """The tests' names; what a test does to a function of the submission is done there too.

    A test may delete or replace a helper to see whether other code relies on it. Only functions
    travel: a plain value that a test keeps under such a name may be an expected one.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__(names)
        self.peer: Referee | None = None
        self.shared: set[str] = set()

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        if name in self.shared and self.peer is not None and callable(value):
            self.peer.ask("bind", name, value)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        if name in self.shared and self.peer is not None:
            self.peer.ask("unbind", name)


class Bench:
    """One submission's session: the namespace of its tests and the connection to its kernel."""

    def __init__(self, namespace: Namespace, path: str, limit: int) -> None:
        self.namespace, self.limit = namespace, limit
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.peer: Referee | None = None
        self.fetched: set[str] = set()
        self.helpers = False
        builtins.__in_submission__ = self.carry  # type: ignore[attr-defined]

    def accept(self, seconds: float) -> None:
        """Wait for the submission's kernel to connect; it may connect once."""
        self.listener.settimeout(seconds)
        sock, _ = self.listener.accept()
        sock.setblocking(True)
        self.listener.close()
        self.peer = self.namespace.peer = Referee(sock, self.limit)

    def carry(self, function: Any) -> Any:
        """A test's helper that runs beside the student's objects; only its result crosses."""
        source = textwrap.dedent(inspect.getsource(function))
        lines = source.splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith(("def ", "async def ")))
        assert self.peer is not None
        return self.peer.ask("define", "\n".join(lines[start:]), function.__name__)

    def carry_helpers(self) -> None:
        """Carry the helpers of locked cells across, now that there is somewhere to carry them."""
        if self.helpers or self.peer is None:
            return
        self.helpers = True
        for name, value in list(self.namespace.items()):
            if type(value) is FunctionType and vars(value).get("__in_submission__") is True:
                self.namespace[name] = self.carry(value)

    def fetch(self, solution: list[str], data: list[str]) -> None:
        """Bind the names that a test needs to what the submission has under them."""
        for name in self.fetched:
            self.namespace.pop(name, None)
        self.fetched.clear()
        self.namespace.shared.clear()
        names = (*solution, *(name for name in data if name not in self.namespace))
        if not names or self.peer is None:
            return
        for name, (found, value) in zip(names, self.peer.ask("names", list(names)), strict=True):
            if found is True:
                self.namespace[name] = value
                self.fetched.add(name)
                if name in solution and callable(value):
                    self.namespace.shared.add(name)

    def run(self, request: dict) -> Verdict:
        """Run one test cell and say how it ended."""
        try:
            if self.peer is not None and self.peer.closed:
                raise ConnectionError("the submission's kernel is gone")
            self.fetch(request["solution"], request["data"])
            self.carry_helpers()
        except Exception as error:
            return Verdict.of_connection(error)
        if request["do"] == "probe":
            verdict = Verdict()
            with contextlib.suppress(Exception):
                probe(request["source"], request["id"], self.namespace)
        else:
            verdict = run_cell(request["source"], request["id"], self.namespace)
        calls = self.calls()
        if request["do"] == "cell" and verdict.status == "ok":
            verdict.leans = self.leans(request, verdict)
        if self.peer is not None and not self.peer.closed:
            with contextlib.suppress(ConnectionError):
                self.peer.finish()
        verdict.calls = calls
        return verdict

    def leans(self, request: dict, verdict: Verdict) -> bool:
        """Whether the cell passed only because the submission changed what it was given.

        A function that sets its arguments to nought and returns nought would pass any test that
        works out the expected value afterwards. So the cell runs again, and this time its arguments
        stay what they were.
        """
        peer = self.peer
        if peer is None or peer.closed or not peer.brought_home:
            return False
        peer.brought_home, peer.bringing = 0, False
        try:
            self.fetch(request["solution"], request["data"])
            again = run_cell(request["source"], request["id"], self.namespace)
        except Exception:
            return True
        finally:
            peer.bringing, peer.brought_home = True, 0
            self.calls()
        less = verdict.value is not None and (again.value or 0.0) < verdict.value
        return again.status != "ok" or less

    def calls(self) -> dict:
        """What was asked since the last time, and what came back."""
        return self.peer.log.take() if self.peer is not None else {}


class Server:
    """Prepares masters and forks one session per connection that asks to run."""

    def __init__(self) -> None:
        self.namespaces: dict[str, Namespace] = {}

    def serve(self, listener: socket.socket) -> None:
        """Serve engines until standard input closes: the grader holds its other end."""
        while True:
            gate = sys.stdin.fileno()
            ready, _, _ = select.select([listener.fileno(), gate], [], [])
            if gate in ready:
                return
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb") as stream:
                self.converse(listener, stream)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass

    def converse(self, listener: socket.socket, stream: Any) -> None:
        """Handle one connection: prepare as often as asked, fork on run."""
        for line in stream:
            request = json.loads(line)
            if request["do"] == "prepare":
                _reply(stream, self.prepare(request["statements"], request.get("tests", {})))
            elif request["do"] == "run":
                if os.fork() == 0:
                    status = 1
                    try:
                        die_with_parent()
                        listener.close()
                        self.session(stream, request)
                        status = 0
                    finally:
                        os._exit(status)
                return

    def prepare(self, statements: str, tests: dict[str, str]) -> dict:
        """Run the master's own imports and definitions and compile its tests, once for all."""
        if statements in self.namespaces:
            return {"ok": True}
        gc.disable()  # nothing that imports make is garbage
        # The helpers' own globals, too: they see what a test binds.
        namespace = Namespace({"__name__": "__main__", "__builtins__": __builtins__})
        # A name of its own: helpers are looked up by it when they are carried to a submission.
        name = f"imports and helpers {zlib.crc32(statements.encode()):08x}"
        verdict = run_cell(statements, name, namespace)
        if verdict.status != "ok":
            gc.enable()
            return {"ok": False, "message": f"{verdict.error}: {verdict.message}"}
        self.namespaces[statements] = namespace
        for name, source in tests.items():
            with contextlib.suppress(SyntaxError, ValueError):  # the test will say so itself
                compiled(source, filename_of(name))
        import_lazy_parts()
        # Keep collections in the forks from writing to pages that they share.
        gc.collect()
        gc.freeze()
        gc.enable()
        return {"ok": True}

    def session(self, stream: Any, request: dict) -> None:
        """One submission, in a process of its own."""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if request.get("cwd"):
            os.chdir(request["cwd"])
        if request.get("memory_mb") and sys.platform == "linux":
            limit_memory(request["memory_mb"])
        prepared = self.namespaces.get(request["statements"])
        namespace = prepared or Namespace({"__name__": "__main__"})
        bench = Bench(namespace, request["wire"], request["limit"])
        _reply(stream, {"ok": True, "pid": os.getpid()})
        for line in stream:
            order = json.loads(line)
            try:
                if order["do"] == "accept":
                    bench.accept(order["seconds"])
                    _reply(stream, {"ok": True})
                elif order["do"] in ("cell", "probe"):
                    _reply(stream, bench.run(order).to_dict())
            except TimeoutError:
                _reply(stream, {"ok": False, "message": "the submission's kernel did not connect"})
            except KeyboardInterrupt:
                late = Verdict(status="error", error="TimeoutError", message="interrupted")
                late.calls = bench.calls()
                _reply(stream, late.to_dict())


def import_lazy_parts() -> None:
    """Import what NumPy and torch put off until a test first uses it: that would be each fork."""
    for package in ("numpy", "torch"):
        for part in COMPANIONS[package] if package in sys.modules else ():
            with contextlib.suppress(ImportError):  # another version may not have it
                importlib.import_module(part)


def _reply(stream: Any, message: dict) -> None:
    stream.write(json.dumps(message).encode() + b"\n")
    stream.flush()


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Have this process sent a signal when its parent ends, however that happens (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def main() -> None:
    """``python -m autograder.referee SOCKET``: serve until standard input closes."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(64)
    Server().serve(listener)


if __name__ == "__main__":
    main()
