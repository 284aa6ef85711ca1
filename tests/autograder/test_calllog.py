"""The call log: what is written down of a call, how much of it, and what it costs."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from autograder.answers import same_answer, same_log, same_question, same_value
from autograder.calllog import (
    MAX_BYTES,
    WHOLE,
    CallLog,
    describe,
    frame_of,
    numbers,
    pack,
    places,
    shape,
    unpack,
)
from autograder.probing import probe

RANDOM = np.random.default_rng(1)


def called(log: CallLog, out: object, *args: object, changed: bool = False, **kwargs: object):
    """Write one call of ``f`` into a log, as the referee does."""
    arguments = (object(), list(args), kwargs)
    log.answer(log.question("call", arguments), arguments, out, changed)


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 2.5, "text", [1, 2, 3], (1.5, [2]), {"a": np.ones(2)}, {1, 2}, np.float32(2)],
)
def test_a_described_value_is_plain_data_and_equals_itself(value):
    assert same_value(json.loads(json.dumps(describe(value))), describe(value))


def test_a_small_array_is_kept_whole_with_shape_and_dtype():
    array = RANDOM.normal(size=(3, 4)).astype(np.float32)
    kept = describe(array)
    assert shape(kept) == (3, 4) and kept["d"] == "<f4"
    assert np.array_equal(numbers(kept), array)


def test_a_large_array_is_sampled_and_a_change_of_many_places_still_shows():
    array = RANDOM.normal(size=(100, 100))
    kept = describe(array)
    assert kept["part"] and len(json.dumps(kept)) < 12_000
    assert np.array_equal(numbers(kept), array.ravel()[places(array.size, 1024)])
    assert same_value(kept, describe(array * (1 + 1e-7)))
    assert not same_value(kept, describe(array * 1.01))
    assert not same_value(kept, describe(array[::-1]))


def test_sampled_places_lie_within_the_array_and_differ():
    for size in (WHOLE + 1, 10_007, 1_000_000):
        found = places(size, 1024)
        assert found.min() >= 0 and found.max() < size
        assert len(set(found.tolist())) == 1024


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ([1.0, 2.0], np.array([1.0, 2.0]), True),
        (np.ones(2, np.float32), np.ones(2), True),
        (np.array([1.0, 1.0 + 1e-9]), np.ones(2), True),
        (78_400, 78_401, False),
        (78_400, 78_400.0, True),
        (np.ones((2, 1)), np.ones((1, 2)), False),
        (np.ones(2), None, False),
        ("a", "b", False),
        (float("nan"), float("nan"), True),
        ((np.ones(2), 3), [np.ones(2), 3], True),
        ((np.ones(2), 3), (np.ones(2), 4), False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
    ],
)
def test_values_are_compared_by_their_numbers_not_their_types(one, other, same):
    assert same_value(describe(one), describe(other)) is same


def test_a_question_is_the_same_when_its_arguments_are():
    log = CallLog()
    called(log, 1, np.ones(3), stride=2)
    called(log, 9, np.ones(3), stride=2)
    called(log, 1, np.ones(3), stride=1)
    first, second, third = log.take()["calls"]
    assert same_question(first, second) and not same_answer(first, second)
    assert not same_question(first, third)


def test_arguments_that_were_changed_in_place_are_written_down():
    log, array = CallLog(), np.zeros(3)
    arguments = (object(), [array], {"out": array})
    entry = log.question("call", arguments)
    array[1] = 5
    log.answer(entry, arguments, None, changed=True)
    (kept,) = log.take()["calls"]
    assert sorted(kept["changed"]) == ["0", "out"]


def test_a_log_is_bounded_and_says_when_it_was_cut():
    log = CallLog()
    for _ in range(100):
        called(log, RANDOM.normal(size=2000))
    taken = log.take()
    assert taken["truncated"] and 0 < len(taken["calls"]) < 100
    assert len(json.dumps(taken)) < MAX_BYTES + 1000
    assert log.take() == {"calls": [], "truncated": False}


def test_a_cut_log_is_compared_as_far_as_it_goes():
    log = CallLog()
    called(log, 1)
    called(log, 2)
    whole = {**log.take(), "probed": True}
    cut = {"calls": whole["calls"][:1], "truncated": True}
    assert same_log(whole, cut)
    assert not same_log(whole, {"calls": whole["calls"][:1], "truncated": False, "probed": True})
    assert not same_log(whole, {"calls": [], "truncated": False})


def test_packed_logs_come_back_and_equal_ones_are_equal_bytes():
    logs = {"b": {"calls": []}, "a": {"calls": [{"out": describe(np.ones(3))}]}}
    assert unpack(pack(logs)) == logs
    assert pack(logs) == pack(dict(reversed(logs.items())))
    with pytest.raises(ValueError, match="not a call log"):
        unpack(b"something else")


def test_the_students_own_line_is_found_in_a_traceback():
    trace = (
        '  File "/usr/lib/numpy/core.py", line 1, in g\n    pass\n'
        '  File "/tmp/ipykernel_7/12.py", line 3, in f\n    return image[9]\n'
        '  File "/usr/lib/numpy/core.py", line 2, in h\n    raise IndexError\n'
    )
    assert frame_of(trace) == "return image[9]"
    assert frame_of("no frames here") == ""


def test_writing_down_a_small_call_takes_less_than_a_fifth_of_a_millisecond():
    log, image, out = CallLog(), RANDOM.normal(size=(6, 6)), RANDOM.normal(size=(4, 4))
    runs = []
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(20):
            called(log, out, image, image, stride=1)
        runs.append((time.perf_counter() - start) / 20)
        log.take()
    assert min(runs) < 0.2e-3


def test_a_probe_goes_on_after_each_failing_statement():
    asked = []

    def ask(value: int) -> int:
        asked.append(value)
        if value == 3:
            raise ValueError(value)
        return value

    source = (
        "assert ask(1) == 5\n"
        "found = ask(3)\n"
        "ask(found)\n"
        "for n in (4, 5):\n    assert ask(n) == 0\n    ask(10 * n)\n"
        "for n in ask(3):\n    ask(99)\n"
        "ask(6)\n"
    )
    namespace = {"ask": ask, "found": 77}
    probe(source, "test", namespace)
    # What `found` was before is forgotten: its statement failed.
    assert asked == [1, 3, 4, 40, 5, 50, 3, 6]
    assert namespace["found"] == 77
