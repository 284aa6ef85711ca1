"""What a submission may do at its end of the connection: answer, call what it was handed, no more."""

import json
import socket
import struct
import threading
from contextlib import contextmanager

import numpy as np
import pytest

from autograder import wire
from autograder.referee import Referee
from autograder.remote import Remote, RemoteCallable


class Forger:
    """A submission's end that sends whatever it likes."""

    def __init__(self, sock):
        self.sock = sock

    def read(self):
        return wire.receive(self.sock)

    def send(self, tree, *buffers):
        wire.send(self.sock, tree, list(buffers))

    def raw(self, data):
        self.sock.sendall(data)


@contextmanager
def forged(script):
    """A referee whose submission runs ``script`` in a thread of its own."""
    ours, theirs = socket.socketpair()
    ours.settimeout(20)
    theirs.settimeout(20)
    outcome = []

    def run():
        try:
            outcome.append(script(Forger(theirs)))
        except Exception as error:
            outcome.append(error)

    with ours, theirs:
        thread = threading.Thread(target=run)
        thread.start()
        yield Referee(ours, 1 << 20), outcome
        thread.join()


def answer_with(*messages):
    """The referee's view of a submission that answers a question with ``messages``."""

    def script(forger):
        forger.read()
        for message in messages:
            forger.send(message)

    return script


def handle(number, **fields):
    return {"$": "handle", "i": number, "k": "Net", "n": "net", "c": False, **fields}


MALFORMED = {
    "a list": [1, 2],
    "a text": "ok",
    "nothing": None,
    "unknown tag": {"v": {"$": "pickle"}},
    "handle without number": {"v": {"$": "handle", "k": "Net"}},
    "handle by truth": {"v": handle(True)},
    "handle by text": {"v": handle("0")},
    "negative handle": {"v": handle(-1)},
    "an object never handed out": {"v": {"$": "yours", "i": 0}},
    "an object from the end": {"v": {"$": "yours", "i": -1}},
    "a huge number": {"v": {"$": "yours", "i": 10**9}},
    "changes as a number": {"changed": 5, "v": 1},
    "changes as a text": {"changed": "ab", "v": 1},
    "a change of nothing": {"changed": [[0]], "v": 1},
    "a change out of range": {"changed": [[9, 1]], "v": 1},
    "a change from the end": {"changed": [[-1, [1]]], "v": 1},
    "a change by text": {"changed": [["0", 1]], "v": 1},
    "a malformed change": {"changed": [[0, {"$": "array"}]], "v": 1},
    "an error as text": {"error": "ValueError"},
    "an error of no types": {"error": {"types": 5, "name": "ValueError"}},
}


@pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_answer_is_a_connection_error(message):
    with forged(answer_with(message)) as (referee, _), pytest.raises(ConnectionError):
        referee.ask("call", None, [[1], np.zeros(2)], {})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"GET / HTTP/1.1\r\n\r\n" * 10,
        struct.pack("<II", 2**31, 0),
        struct.pack("<II", 4, 0) + b"nope",
        struct.pack("<II", 100, 0) + b'{"v": 1}',
        struct.pack("<IIQ", 8, 1, 2**62) + b'{"v": 1}',
        struct.pack("<II", 6000, 0) + b"[" * 6000,
    ],
)
def test_garbage_is_a_connection_error_and_ends_the_connection(data):
    def script(forger):
        forger.read()
        forger.raw(data)
        forger.sock.close()

    with forged(script) as (referee, _):
        with pytest.raises(ConnectionError, match="gone"):
            referee.ask("call", None, [], {})
        assert referee.closed
        with pytest.raises(ConnectionError, match="gone"):
            referee.ask("call", None, [], {})


def test_an_answer_before_the_question_is_the_submissions_own_answer_and_no_more():
    def script(forger):
        forger.send({"v": 1})
        forger.read()

    with forged(script) as (referee, _):
        assert referee.ask("call", None, [], {}) == 1


ERRORS = {
    "no such class": (["Nonsense", "object"], "Nonsense", RuntimeError),
    "no exception": (["print", "int", "dict"], "print", RuntimeError),
    "a base exception": (["SystemExit", "BaseException"], "Mine", RuntimeError),
    "wants more": (["UnicodeDecodeError", "UnicodeError"], "UnicodeDecodeError", UnicodeError),
    "a group": (["ExceptionGroup", "Exception"], "ExceptionGroup", Exception),
    "numbers": ([1, None, [], {}], 5, RuntimeError),
    "a thousand classes": (["x"] * 1000 + ["KeyError"], "x", RuntimeError),
    "an exit": (["SystemExit"], "SystemExit", RuntimeError),
    "an interrupt": (["KeyboardInterrupt"], "KeyboardInterrupt", TimeoutError),
}


@pytest.mark.parametrize("types, name, expected", ERRORS.values(), ids=ERRORS.keys())
def test_whatever_error_is_claimed_an_ordinary_exception_is_raised(types, name, expected):
    error = {"types": types, "name": name, "message": [1], "traceback": {"a": 1}}
    with forged(answer_with({"error": error})) as (referee, _):
        with pytest.raises(expected) as caught:
            referee.ask("call", None, [], {})
        assert type(caught.value) is expected
        assert not referee.closed


def calls(*requests, hand_over=(), after=None):
    """The answers that the referee gives to ``requests`` while it waits for a function's result."""

    def script(forger):
        tree, _ = forger.read()
        numbers = [item.get("i") for item in tree["v"][1] if isinstance(item, dict)]
        answers = []
        for request in requests:
            forger.send(request(numbers) if callable(request) else request)
            answers.append(forger.read()[0])
        forger.send({"v": None})
        return answers

    with forged(script) as (referee, outcome):
        referee.ask("call", None, list(hand_over), {})
    assert isinstance(outcome[0], list), outcome
    return outcome[0]


def call(target, args=(), kwargs=None):
    return {"ask": "call", "v": [target, list(args), {"$": "dict", "v": kwargs or []}]}


def test_a_function_that_a_test_handed_over_may_be_called():
    seen = []

    def note(x, *, y):
        seen.append((x, y))
        return x + y

    [answer] = calls(
        lambda numbers: call({"$": "yours", "i": numbers[0]}, [1], [["y", 2]]), hand_over=[note]
    )
    assert answer["v"] == 3 and seen == [(1, 2)]


FORBIDDEN = {
    "a type by name": call({"$": "type", "n": "bytes"}, [2**40]),
    "a scalar type": call({"$": "nptype", "n": "float64"}, [1]),
    "a handle of its own": call(handle(0, c=True)),
    "an object never handed out": call({"$": "yours", "i": 99}),
    "one from the end": call({"$": "yours", "i": -1}),
    "a text": call("print", ["hello"]),
    "a list": call([], []),
    "an attribute": {"ask": "get", "v": [{"$": "yours", "i": 0}, "__globals__"]},
    "an item": {"ask": "item", "v": [{"$": "yours", "i": 0}, 0]},
    "the names": {"ask": "names", "v": [["expected"]]},
    "a definition": {"ask": "define", "v": ["def f(): return 1", "f"]},
    "an unknown wish": {"ask": "system", "v": ["ls", [], {"$": "dict", "v": []}]},
    "the end": {"ask": "done"},
    "no values": {"ask": "call"},
    "too few values": {"ask": "call", "v": [{"$": "yours", "i": 0}]},
    "values by text": {"ask": "call", "v": "abc"},
    "values by handle": {"ask": "call", "v": handle(1)},
    "arguments by number": {"ask": "call", "v": [{"$": "yours", "i": 0}, 5, 5]},
    "arguments by tuple": {
        "ask": "call",
        "v": [{"$": "yours", "i": 0}, {"$": "tuple", "v": []}, 1],
    },
    "a wish by number": {"ask": 5, "v": []},
    "a wish by list": {"ask": ["call"], "v": [{"$": "yours", "i": 0}, [], {"$": "dict", "v": []}]},
    "keywords by number": call({"$": "yours", "i": 0}, [], [[5, 1]]),
}


@pytest.mark.parametrize("request_", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_nothing_else_of_the_referee_may_be_called_or_read(request_):
    called = []

    def handed_over(*args):
        called.append(args)
        return "called"

    [answer] = calls(request_, hand_over=[handed_over])
    assert "error" in answer and "v" not in answer and called == []
    assert answer["error"]["traceback"] == ""


def test_an_object_that_a_test_handed_over_is_not_open_to_questions():
    class Vault:
        secret = 5

    questions = [{"ask": wish, "v": [{"$": "yours", "i": 0}, "secret"]} for wish in ("get", "item")]
    answers = calls(*questions, call({"$": "yours", "i": 0}), hand_over=[Vault()])
    assert all("error" in answer for answer in answers)
    assert "5" not in json.dumps(answers)


def test_the_result_of_a_callback_crosses_by_the_same_rules():
    vault = object()
    [answer] = calls(
        lambda numbers: call({"$": "yours", "i": numbers[0]}), hand_over=[lambda: vault]
    )
    assert answer["v"]["$"] == "handle" and answer["v"]["c"] is False


def test_a_callback_that_exits_does_not_end_the_referee():
    def leave():
        raise SystemExit(0)

    [answer] = calls(lambda numbers: call({"$": "yours", "i": numbers[0]}), hand_over=[leave])
    assert answer["error"]["name"] == "SystemExit"


def test_a_submission_that_calls_back_inside_its_own_calls_for_ever_is_stopped():
    def script(forger):
        tree, _ = forger.read()
        number = tree["v"][1][0]["i"]
        rounds = 0
        while True:
            forger.send(call({"$": "yours", "i": number}, [handle(7, c=True)]))
            message, _ = forger.read()
            if "ask" not in message:
                return rounds
            rounds += 1

    def again(back):
        return back()

    with forged(script) as (referee, outcome):
        referee.sock.settimeout(1)
        with pytest.raises((ConnectionError, RecursionError)):
            referee.ask("call", None, [again], {})
        referee.sock.close()
    assert outcome and (isinstance(outcome[0], Exception) or outcome[0] < 200)


def test_a_change_of_another_kind_or_shape_leaves_the_argument_as_it_was():
    x, y = np.zeros(2), [1]
    changes = [[0, {"$": "array", "d": "<f8", "s": [1], "b": 0}], [1, {"$": "tuple", "v": [9]}]]

    def script(forger):
        forger.read()
        forger.send({"changed": changes, "v": 3}, bytes(8))

    with forged(script) as (referee, _):
        assert referee.ask("call", None, [x, y], {}) == 3
    assert x.tolist() == [0, 0] and y == [1]


def test_the_same_number_is_the_same_handle_for_as_long_as_it_is_kept():
    messages = [{"v": [handle(3), handle(3), handle(4, c=True)]}]
    with forged(answer_with(*messages)) as (referee, _):
        one, two, three = referee.ask("call", None, [], {})
    assert one is two and type(one) is Remote and type(three) is RemoteCallable


def test_a_handle_of_strange_names_prints_and_is_harmless():
    strange = [handle(1, k=["x"], n={"a": 1}), handle(2, k="k" * 10**5, n="n" * 10**5)]
    with forged(answer_with({"v": strange})) as (referee, _):
        got = referee.ask("call", None, [], {})
    assert all(len(repr(item)) < 200 for item in got)
