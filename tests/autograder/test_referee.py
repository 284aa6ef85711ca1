"""The referee's server, as the engine uses it: a process that outlives whatever a test meets."""

import contextlib
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from autograder import wire
from autograder.errors import AutograderError
from autograder.tribunal import tribunal
from autograder.trusted import Names, Trusted

NAMES = Names(("f",), ())


@contextlib.contextmanager
def hearing(script, statements="", seconds=20):
    """A referee's session whose submission is ``script``, run with the connected socket."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "wire"
        session = tribunal().session(Trusted(statements), path, 1 << 20)
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(seconds)
        sock.connect(str(path))

        def run():
            with contextlib.suppress(Exception):
                script(sock)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            assert session.accept(10)
            yield session
        finally:
            session.close()
            sock.close()
            thread.join()


def judged(session, source, names=NAMES, cell="test-f"):
    session.ask(cell, source, names)
    return session.verdict(20)


def forger(reply, rounds=50):
    """A submission that answers every question with ``reply(message)``."""

    def script(sock):
        for _ in range(rounds):
            message, _ = wire.receive(sock)
            if message.get("ask") != "done":
                wire.send(sock, reply(message), [])

    return script


def names_then(answer):
    """Hands out a function ``f`` whose calls are answered with ``answer``."""

    def reply(message):
        if message["ask"] == "names":
            return {"v": [[True, {"$": "handle", "i": 0, "k": "function", "n": "f", "c": True}]]}
        return answer

    return forger(reply)


def test_an_honest_answer_passes_and_a_wrong_one_fails():
    with hearing(names_then({"v": 42})) as session:
        assert judged(session, "assert f(21) == 42").status == "ok"
        assert judged(session, "assert f(21) == 43").status == "error"


def test_tests_use_the_masters_helpers():
    helpers = "import math\ndef near(a, b): return math.isclose(a, b)"
    with hearing(names_then({"v": 42}), helpers) as session:
        assert judged(session, "assert near(f(21), 42)").status == "ok"


def test_helpers_that_fail_are_the_authors_fault_and_said_to_be():
    with pytest.raises(AutograderError, match=r"imports and helpers .* fail.*nowhere"):
        tribunal().session(Trusted("import nowhere"), Path("/nowhere"), 1)


def test_what_one_submissions_tests_do_to_the_process_reaches_no_other():
    spoil = "import builtins, math\nbuiltins.abs = math.sqrt = None\nplanted = 1"
    with hearing(names_then({"v": 1}), "import math") as session:
        assert judged(session, spoil).status == "ok"
    with hearing(names_then({"v": 1}), "import math") as session:
        source = "assert abs(-1) == math.sqrt(1) == f(0) and 'planted' not in globals()"
        assert judged(session, source).status == "ok"


ANSWERS = {
    "nothing": {},
    "a true value": {"v": True},
    "a handle": {"v": {"$": "handle", "i": 9, "k": "int", "n": "42", "c": False}},
    "its own question": {"v": {"$": "yours", "i": 0}},
    "an error": {"error": {"types": ["AssertionError"], "name": "AssertionError", "message": ""}},
    "an exit": {"error": {"types": ["SystemExit"], "name": "SystemExit", "message": "0"}},
    "a change of the arguments": {"changed": [[0, 42]], "v": 41},
    "a malformed value": {"v": {"$": "array"}},
    "a verdict": {"status": "ok", "value": 100.0, "v": None},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_no_forged_answer_earns_points(answer):
    with hearing(names_then(answer)) as session:
        verdict = judged(session, "got = f(21)\nassert got == 42")
        assert verdict is not None and verdict.status == "error" and verdict.value is None


NAMES_FORGED = {
    "nothing": {"v": None},
    "too few": {"v": []},
    "too many": {"v": [[True, 1], [True, 2]]},
    "a number": {"v": 5},
    "pairs of one": {"v": [[True]]},
    "a text": {"v": "f"},
    "found by a number": {"v": [[1, 42]]},
    "a change of the question": {"changed": [[0, ["np"]]], "v": [[True, 42]]},
    "an error": {"error": {"types": ["ValueError"], "name": "ValueError", "message": "x"}},
}


@pytest.mark.parametrize("reply", NAMES_FORGED.values(), ids=NAMES_FORGED.keys())
def test_no_forged_name_reaches_the_tests(reply):
    with hearing(forger(lambda message: reply)) as session:
        source = "import math\nassert f == 43 and math.pi > 3"
        verdict = judged(session, source)
        assert verdict is not None and verdict.status == "error"


@pytest.mark.parametrize("data", [b"", b"garbage " * 100, b"\xff" * 16])
def test_garbage_fails_the_test_and_the_server_goes_on(data):
    def script(sock):
        wire.receive(sock)
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)

    with hearing(script) as session:
        for cell in ("a", "b"):
            verdict = judged(session, "assert f(1)", cell=cell)
            assert verdict is not None and verdict.status == "error"
            assert verdict.message
    with hearing(names_then({"v": 42})) as session:
        assert judged(session, "assert f(21) == 42").status == "ok"


def test_a_submission_connects_once():
    with hearing(names_then({"v": 42})) as session:
        assert judged(session, "assert f(1) == 42").status == "ok"
        import psutil

        listening = [
            c
            for c in psutil.Process(session.pid).net_connections("unix")
            if c.laddr.endswith("wire")
        ]
        with socket.socket(socket.AF_UNIX) as second, pytest.raises(OSError):
            second.connect(listening[0].laddr)


def test_a_test_that_ends_its_process_is_no_verdict_and_the_server_goes_on():
    with hearing(names_then({"v": 42})) as session:
        assert judged(session, "import os\nos._exit(0)") is None
    with hearing(names_then({"v": 42})) as session:
        assert judged(session, "assert f(1) == 42").status == "ok"
