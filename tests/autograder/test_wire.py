"""The wire carries plain values exactly, objects as handles, and nothing that is malformed."""

import collections
import contextlib
import json
import math
import socket
import struct
import threading
from datetime import datetime

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder import wire
from autograder.wire import Codec, WireError


class Handle:
    """What stands for an object of the other side."""

    def __init__(self, fields):
        self.fields = fields


def codec():
    return Codec(lambda value: {"i": 0, "k": type(value).__name__}, Handle, lambda value: None)


def sent(value):
    """``value`` after a trip through a real pair of sockets."""
    tree, buffers = codec().encode(value)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=wire.send, args=(ours, tree, buffers))
        sender.start()
        tree, buffers = wire.receive(theirs)
        sender.join()
    return codec().decode(tree, buffers)


def same(a, b):
    """Equality that also compares types, signs of zero, NaN and dtypes, at any depth."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return (a != a and b != b) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(map(same, a.items(), b.items()))
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, torch.Tensor):
        agree = a.dtype == b.dtype and a.shape == b.shape and a.requires_grad == b.requires_grad
        return agree and torch.equal(a.detach(), b.detach())
    return a == b


dtypes = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    hnp.complex_number_dtypes(endianness="?"),
    hnp.datetime64_dtypes(),
    hnp.unicode_string_dtypes(max_len=5),
    hnp.byte_string_dtypes(max_len=5),
)
arrays = hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.complex_numbers(),
    st.text(st.characters()),
    st.binary(),
    st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 3)),
    st.just(Ellipsis),
    st.sampled_from([int, float, np.float32, np.int64, np.dtype("<f4"), torch.float16]),
)
keys = st.one_of(st.text(), st.integers(), st.tuples(st.integers(), st.text()))
values = st.recursive(
    st.one_of(scalars, arrays),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(values)
def test_any_nesting_of_values_and_arrays_arrives_as_it_was_sent(value):
    assert same(sent(value), value)


@pytest.mark.parametrize(
    "number",
    [math.nan, math.inf, -math.inf, -0.0, 0.1, 2**63, -(2**63) - 1, 7**9000, True, 0],
    ids=lambda number: f"{number:.3}" if isinstance(number, float) else hex(number)[:9],
)
def test_every_number_arrives_exactly(number):
    assert same(sent([number]), [number])


def test_sets_arrive_as_sets():
    assert same(sent({1, "two", (3, 4)}), {1, "two", (3, 4)})
    assert same(sent(frozenset({1, 2})), frozenset({1, 2}))


def test_slices_arrive_with_their_parts():
    assert sent((slice(1, None, 2), Ellipsis, None)) == (slice(1, None, 2), Ellipsis, None)


def test_half_a_character_arrives():
    assert sent("\ud800") == "\ud800"


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3)),
        np.zeros((2, 0, 10**9)),
        np.array(3.5),
        np.arange(24).reshape(2, 3, 4)[:, ::-1, ::2],
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.broadcast_to(np.float32(1), (3, 2)),
        np.arange(3, dtype=">f8"),
        np.array(["2026-11-21", "NaT"], dtype="M8[ns]"),
        np.array([np.nan, -0.0, np.inf]),
        np.array(["é", ""]),
        np.arange(3, dtype=np.longdouble),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_an_array_arrives_whatever_its_layout(array):
    got = sent(array)
    assert same(np.ascontiguousarray(array).reshape(array.shape), got)
    assert got.flags.writeable


def test_numpy_scalars_arrive_as_numpy_scalars():
    for value in (np.float32(0.1), np.int8(-3), np.bool_(True), np.complex64(1j), np.str_("a")):
        assert same(sent(value), value)


TENSOR_TYPES = (
    torch.bfloat16, torch.float16, torch.float32, torch.float64, torch.int8, torch.int64,
    torch.uint8, torch.bool, torch.complex64,
)  # fmt: skip


@pytest.mark.parametrize("dtype", TENSOR_TYPES, ids=str)
def test_a_tensor_arrives_with_its_dtype(dtype):
    tensor = torch.arange(6).reshape(2, 3).to(dtype)
    for case in (tensor, tensor.T, tensor[:, :0], tensor[0, 0]):
        assert same(sent(case), case.contiguous())


def test_one_element_may_lie_at_any_stride():
    batch = torch.arange(24.0).reshape(1, 2, 3, 4)
    for case in (batch[:, 0, 0, 0], batch[:, :1, 0, 0], batch[:, 1, :1, ::4], batch[0, 0, 0, 1]):
        assert same(sent(case), case.clone())
    odd = torch.ones(3, dtype=torch.uint8).as_strided((1,), (7,))
    assert odd.is_contiguous() and same(sent(odd), torch.ones(1, dtype=torch.uint8))


def test_a_tensor_keeps_whether_it_asks_for_a_gradient():
    leaf = torch.ones(2, 2, requires_grad=True)
    assert same(sent(leaf), leaf)
    assert same(sent(leaf * 2), (leaf * 2).detach().requires_grad_())
    assert same(sent(torch.nn.Parameter(torch.ones(2))), torch.ones(2, requires_grad=True))
    assert sent(torch.ones(2, dtype=torch.complex64, requires_grad=True)).requires_grad
    assert same(sent(torch.ones(2).to(torch.complex64).conj()), torch.ones(2) + 0j)


@pytest.mark.parametrize(
    "value",
    [
        np.array([1, "a", None], dtype=object),
        np.zeros(2, dtype=[("x", int), ("y", float)]),
        np.dtype(object),
        torch.ones(2).to_sparse(),
        torch.ones(2, device="meta"),
        torch.nn.Linear(1, 1),
        datetime(2026, 11, 21),
        object(),
        (n for n in range(3)),
        len,
        ValueError("no"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_plain_form_arrives_as_a_handle(value):
    assert type(sent(value)) is Handle


class LyingInt(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__

    def __pos__(self):
        return 99

    def __int__(self):
        return 99


class LyingFloat(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__

    def __pos__(self):
        return 99.0


class LyingText(str):
    __slots__ = ()

    def __str__(self):
        return "99"

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


class LyingList(list):
    def __iter__(self):
        return iter([99])

    def __len__(self):
        return 99

    def __getitem__(self, key):
        return 99


class LyingTuple(tuple):
    __slots__ = ()
    _fields = ("a", "b", "c")

    def __iter__(self):
        return iter((99,))


class LyingDict(dict):
    def items(self):
        return [("a", 99)]

    def __getitem__(self, key):
        return 99


class LyingSet(set):
    def __iter__(self):
        return iter({99})


class LyingArray(np.ndarray):
    shape = (99,)
    dtype = np.dtype(bool)

    def __array__(self, *args, **kwargs):
        return np.array(99)

    def __array_finalize__(self, obj):
        pass

    def __eq__(self, other):
        return True


class LyingScalar(np.float64):
    dtype = np.dtype(bool)

    def __array__(self, *args, **kwargs):
        return np.array(99.0)

    def tobytes(self):
        return b"99"


class LyingTensor(torch.Tensor):
    shape = (99,)

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return torch.tensor(99.0)


@pytest.mark.parametrize(
    "liar, plain",
    [
        (LyingInt(1), 1),
        (LyingFloat(1.5), 1.5),
        (LyingText("one"), "one"),
        (LyingList([1, 2]), [1, 2]),
        (LyingTuple((1, 2)), (1, 2)),
        (LyingDict(a=1), {"a": 1}),
        (LyingSet({1}), {1}),
        (np.arange(2.0).view(LyingArray), np.arange(2.0)),
        (LyingScalar(1.5), 1.5),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.Counter("aa"), {"a": 2}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_subclass_that_lies_arrives_as_the_plain_value_that_it_holds(liar, plain):
    assert same(sent(liar), plain)


def test_a_tensor_that_lies_cannot_decide_a_comparison():
    assert same(sent(torch.ones(2).as_subclass(LyingTensor)), torch.ones(2))


@pytest.mark.parametrize("claimed", [int, float, str, list, dict, tuple, np.ndarray, torch.Tensor])
def test_an_object_that_claims_another_class_arrives_as_a_handle(claimed):
    class Fake:
        __class__ = claimed

    assert isinstance(Fake(), claimed)
    assert type(sent(Fake())) is Handle


def test_named_tuples_arrive_with_their_names_and_all_of_one_class():
    Pair = collections.namedtuple("Pair", "left right")
    one, two = sent([Pair(1, [2]), Pair(3, 4)])
    assert (one.left, one.right, type(one).__name__) == (1, [2], "Pair")
    assert type(one) is type(two)


def test_a_list_that_holds_itself_is_refused():
    ring = [1]
    ring.append(ring)
    with pytest.raises(WireError, match="holds itself"):
        codec().encode(ring)


def test_a_value_nested_too_deeply_is_refused_both_ways():
    deep = []
    for _ in range(wire.MAX_DEPTH + 5):
        deep = [deep]
    with pytest.raises(WireError, match="deep"):
        codec().encode(deep)
    with pytest.raises(WireError, match="deep"):
        codec().decode(deep, [])


def test_an_array_that_is_small_in_memory_and_large_on_the_wire_is_refused():
    with pytest.raises(WireError, match="too large"):
        codec().encode(np.broadcast_to(np.float64(0), (10**6, 10**6)))


def test_a_message_over_the_limit_is_refused_and_nothing_of_it_is_sent():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(WireError, match="too large"):
            wire.send(ours, None, [bytes(2000)], limit=1000)
        with pytest.raises(WireError, match="too large"):
            wire.send(ours, "x" * (wire.MAX_TREE + 1), [])
        with pytest.raises(WireError, match="too large"):
            wire.send(ours, None, [b""] * (wire.MAX_BUFFERS + 1))
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


MALFORMED = {
    "unknown tag": {"$": "pickle", "v": "cos"},
    "no tag": {"v": 1},
    "tag of another type": {"$": ["list"]},
    "number as items": {"$": "tuple", "v": 5},
    "text as pairs": {"$": "dict", "v": "ab"},
    "triple as pair": {"$": "dict", "v": [[1, 2, 3]]},
    "list as key": {"$": "dict", "v": [[[], 1]]},
    "list in set": {"$": "set", "v": [[]]},
    "text as complex": {"$": "complex", "v": "12"},
    "endless range": {"$": "range", "v": [0, 10**12]},
    "range of floats": {"$": "range", "v": [0.5, 2]},
    "range of steps of zero": {"$": "range", "v": [0, 2, 0]},
    "slice of four": {"$": "slice", "v": [1, 2, 3, 4]},
    "type by another name": {"$": "type", "n": "object"},
    "type by list": {"$": "type", "n": []},
    "int in words": {"$": "int", "v": "twelve"},
    "int as number": {"$": "int", "v": 5},
    "negative buffer": {"$": "bytes", "b": -1},
    "buffer out of range": {"$": "bytes", "b": 1},
    "buffer by float": {"$": "bytes", "b": 0.0},
    "buffer by truth": {"$": "bytes", "b": False},
    "object dtype": {"$": "array", "d": "|O", "s": [1], "b": 0},
    "structured dtype": {"$": "array", "d": "i4,f4", "s": [1], "b": 0},
    "dtype without size": {"$": "array", "d": "|V0", "s": [8], "b": 0},
    "dtype of many fields": {"$": "dtype", "d": ",".join(["i4"] * 10**5)},
    "dtype by list": {"$": "dtype", "d": ["i4"]},
    "shape too large": {"$": "array", "d": "<f8", "s": [10**9], "b": 0},
    "shape too small": {"$": "array", "d": "<f8", "s": [0], "b": 0},
    "negative shape": {"$": "array", "d": "<f8", "s": [-1, -1], "b": 0},
    "shape of floats": {"$": "array", "d": "<f8", "s": [1.0], "b": 0},
    "shape by truth": {"$": "array", "d": "<f8", "s": [True], "b": 0},
    "shape by number": {"$": "array", "d": "<f8", "s": 1, "b": 0},
    "shape by text": {"$": "array", "d": "<f8", "s": "1", "b": 0},
    "shape of many axes": {"$": "array", "d": "<f8", "s": [1] * 65, "b": 0},
    "shape that overflows": {"$": "array", "d": "<f8", "s": [2**63, 2**63], "b": 0},
    "array without data": {"$": "array", "d": "<f8", "s": [1]},
    "function as scalar type": {"$": "nptype", "n": "load"},
    "module as scalar type": {"$": "nptype", "n": "testing"},
    "number as scalar type": {"$": "nptype", "n": 3},
    "function as torch dtype": {"$": "tdtype", "n": "load"},
    "tensor of a function": {"$": "tensor", "d": "load", "s": [1], "b": 0, "g": False},
    "tensor too large": {"$": "tensor", "d": "float64", "s": [10**15], "b": 0, "g": False},
    "tensor of another size": {"$": "tensor", "d": "float32", "s": [1], "b": 0, "g": False},
    "tensor without gradient": {"$": "tensor", "d": "float64", "s": [1], "b": 0},
    "device": {"$": "device", "n": "nowhere"},
    "named by keyword": {"$": "named", "n": "class", "f": ["a"], "v": [1]},
    "named with code": {"$": "named", "n": "A", "f": ["a=__import__('os')"], "v": [1]},
    "named with too few": {"$": "named", "n": "A", "f": ["a", "b"], "v": [1]},
    "named special": {"$": "named", "n": "A", "f": ["__eq__"], "v": [1]},
}


@pytest.mark.parametrize("tree", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_tree_is_refused_in_one_way(tree):
    with pytest.raises(WireError):
        codec().decode([tree], [bytearray(8)])


def test_an_empty_tensor_of_a_huge_shape_takes_no_memory():
    tree = {"$": "tensor", "d": "float64", "s": [10**15], "b": 0, "g": False}
    with pytest.raises(WireError, match="disagree"):
        codec().decode(tree, [bytearray()])


def test_a_flood_of_kinds_of_named_tuples_is_refused():
    trees = [{"$": "named", "n": f"T{i}", "f": ["a"], "v": [1]} for i in range(2 * wire.MAX_NAMED)]
    wire._named.cache_clear()
    try:
        with pytest.raises(WireError):
            codec().decode(trees, [])
    finally:
        wire._named.cache_clear()


TAGS = (
    "tuple", "set", "dict", "int", "complex", "bytes", "range", "slice", "type", "array", "scalar",
    "dtype", "nptype", "tensor", "tdtype", "device", "named", "handle", "yours", "ellipsis",
)  # fmt: skip
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.fixed_dictionaries(
            {"$": st.sampled_from([*TAGS])},
            optional={
                "v": inner,
                "b": st.integers(-2, 2),
                "d": st.sampled_from(["<f8", "float32", "|O", ">i2", "<U2", ""]),
                "s": st.lists(st.integers(-1, 3), max_size=3),
                "n": st.sampled_from(["int", "float64", "cpu", "A", ""]),
                "f": st.just(["a"]),
                "g": inner,
                "i": inner,
            },
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(json_values)
def test_any_json_decodes_to_a_plain_value_or_is_refused(tree):
    with_handles = Codec(lambda value: {}, Handle, lambda value: None)
    with contextlib.suppress(WireError):
        with_handles.decode(tree, [bytearray(8), bytearray(24)])


HEADERS = {
    "huge body": struct.pack("<II", 2**32 - 1, 0),
    "many buffers": struct.pack("<II", 2, 2**31),
    "huge buffer": struct.pack("<IIQ", 2, 1, 2**63),
    "buffers that sum over": struct.pack("<IIQQ", 2, 2, 2**63, 2**63),
    "no json": struct.pack("<II", 5, 0) + b"hello",
    "half a character": struct.pack("<II", 3, 0) + b'"\xff"',
    "brackets without end": struct.pack("<II", 10**6, 0) + b"[" * 10**6,
    "a number of a million digits": struct.pack("<II", 10**6, 0) + b"1" * 10**6,
}


@pytest.mark.parametrize("data", HEADERS.values(), ids=HEADERS.keys())
def test_a_forged_message_is_refused_before_it_takes_memory(data):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        writer = threading.Thread(target=ours.sendall, args=(data,))
        writer.start()
        with pytest.raises(WireError):
            wire.receive(theirs)
        writer.join()


@pytest.mark.parametrize("kept", [0, 4, 12, 20, 27])
def test_a_message_cut_off_is_an_end_and_no_value(kept):
    ours, theirs = socket.socketpair()
    body = json.dumps({"$": "bytes", "b": 0}).encode()
    data = struct.pack("<IIQ", len(body), 1, 4) + body + b"data"
    with theirs:
        ours.sendall(data[: min(kept, len(data) - 1)])
        ours.close()
        with pytest.raises(EOFError):
            wire.receive(theirs)
