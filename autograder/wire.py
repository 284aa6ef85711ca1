"""The wire between a submission and its referee: typed values, never pickle, bounded in size.

One message is a JSON tree with raw buffers behind it:

    uint32 length of the JSON, uint32 number of buffers, uint64 length of each buffer, JSON, buffers

JSON's own types stand for themselves (lists, strings, numbers, booleans, None); everything else is
an object with a tag ``"$"``. What has no tag stays with its owner and crosses as a handle.

Both ends run this file, the submission's end from its source alone, so it imports nothing of the
package and needs only the standard library and, when a message holds an array, NumPy or torch.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
from collections import namedtuple
from collections.abc import Callable
from functools import lru_cache
from typing import Any

MAX_BYTES = 256 * 1024 * 1024
# Parsed JSON takes up to twenty times its text: numbers in bulk belong into an array.
MAX_TREE = 16 * 1024 * 1024
MAX_BUFFERS = 10_000
MAX_DEPTH = 60
MAX_SHAPE = 32
MAX_NAME = 100
MAX_NAMED = 256  # classes of named tuples that one process makes for its other side
# Classes that may cross by name, as an argument such as dtype=float.
TYPES: dict[str, type] = {
    t.__name__: t for t in (bool, int, float, complex, str, bytes, list, tuple, dict, set)
}
NUMPY_KINDS = "biufcSUmM"


class WireError(Exception):
    """A message is malformed, too large, too deep, or of a refused type."""


class Codec:
    """Turns values into a JSON tree and buffers, and back.

    Args:
        export: called with an object that cannot cross; returns its handle's fields.
        resolve: called with a handle's fields; returns what stands for it on this side.
        own: returns the handle of the other side's object that a stand-in stands for, or None.
    """

    def __init__(
        self,
        export: Callable[[Any], dict],
        resolve: Callable[[dict], Any],
        own: Callable[[Any], dict | None],
    ) -> None:
        self.export, self.resolve, self.own = export, resolve, own

    def encode(self, value: Any) -> tuple[Any, list[Any]]:
        """The tree and the buffers of ``value``.

        Raises:
            WireError: when the value is nested too deeply (or in a circle) or is too large.
        """
        buffers: list[Any] = []
        return self._tree(value, buffers, 0), buffers

    def decode(self, tree: Any, buffers: list[Any]) -> Any:
        """The value of a tree; only plain types come out.

        Raises:
            WireError: when the tree is malformed.
        """
        try:
            return self._value(tree, buffers, 0)
        except WireError:
            raise
        except (RecursionError, MemoryError):
            raise WireError("the value is too deep or too large") from None
        except Exception as error:
            raise WireError(f"malformed value ({type(error).__name__})") from None

    def _tree(self, value: Any, buffers: list[Any], depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise WireError(f"the value is nested more than {MAX_DEPTH} deep, or holds itself")
        if value is None or value is True or value is False:
            return value
        # The type itself, not isinstance: that would believe what an object says of its class.
        kind = type(value)
        if issubclass(kind, int | float | str) and kind.__module__ != "numpy":
            return _plain(value)
        if (fields := self.own(value)) is not None:
            return {"$": "yours", **fields}
        if issubclass(kind, list):
            return [self._tree(item, buffers, depth + 1) for item in list.__iter__(value)]
        if issubclass(kind, tuple):
            items = [self._tree(item, buffers, depth + 1) for item in tuple.__iter__(value)]
            names = getattr(kind, "_fields", None)
            if kind is not tuple and isinstance(names, tuple) and len(names) == len(items):
                return {"$": "named", "n": kind.__name__, "f": [str(n) for n in names], "v": items}
            return {"$": "tuple", "v": items}
        if issubclass(kind, dict):
            pairs = [
                [self._tree(k, buffers, depth + 1), self._tree(v, buffers, depth + 1)]
                for k, v in dict.items(value)
            ]
            return {"$": "dict", "v": pairs}
        if issubclass(kind, set | frozenset):
            name, base = ("set", set) if issubclass(kind, set) else ("frozenset", frozenset)
            items = [self._tree(item, buffers, depth + 1) for item in base.__iter__(value)]
            return {"$": name, "v": items}
        if issubclass(kind, complex) and kind.__module__ != "numpy":
            plain = complex.__pos__(value)
            return {"$": "complex", "v": [plain.real, plain.imag]}
        if issubclass(kind, bytes | bytearray):
            return {"$": "bytes", "b": _add(buffers, bytes(memoryview(value)))}
        if kind is range:
            bounds = (value.start, value.stop, value.step)
            return {"$": "range", "v": [_plain(bound) for bound in bounds]}
        if kind is slice:
            parts = (value.start, value.stop, value.step)
            return {"$": "slice", "v": [self._tree(part, buffers, depth + 1) for part in parts]}
        if value is Ellipsis:
            return {"$": "ellipsis"}
        if kind is type and value in TYPES.values():
            return {"$": "type", "n": value.__name__}
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        tree = _numpy_tree(numpy, value, buffers) if hasattr(numpy, "ndarray") else None
        if tree is None and hasattr(torch, "Tensor"):
            tree = _torch_tree(torch, value, buffers)
        return {"$": "handle", **self.export(value)} if tree is None else tree

    def _value(self, tree: Any, buffers: list[Any], depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise WireError(f"the value is nested more than {MAX_DEPTH} deep")
        if tree is None or isinstance(tree, bool | int | float | str):
            return tree
        if isinstance(tree, list):
            return [self._value(item, buffers, depth + 1) for item in tree]
        tag = tree["$"]
        if tag == "int":
            return int(tree["v"], 16)
        if tag in ("tuple", "set", "frozenset", "named", "slice"):
            items = [self._value(item, buffers, depth + 1) for item in tree["v"]]
            if tag == "slice":
                return slice(*items)
            if tag == "named":
                return _named(tree["n"], tuple(tree["f"]))(*items)
            return {"tuple": tuple, "set": set, "frozenset": frozenset}[tag](items)
        if tag == "dict":
            pairs = [[self._value(part, buffers, depth + 1) for part in pair] for pair in tree["v"]]
            return dict(pairs)
        if tag == "complex":
            real, imag = tree["v"]
            if not isinstance(real, float) or not isinstance(imag, float):
                raise WireError("a complex number of other things than numbers")
            return complex(real, imag)
        if tag == "bytes":
            return bytes(_buffer(tree, buffers))
        if tag == "range":
            found = range(*[self._value(bound, buffers, depth + 1) for bound in tree["v"]])
            # Eight bytes each, as soon as a test makes a list or an array of it.
            if len(found) > MAX_BYTES // 8:
                raise WireError("a range is too long to cross")
            return found
        if tag == "ellipsis":
            return Ellipsis
        if tag == "type":
            return TYPES[tree["n"]]
        if tag in ("array", "scalar", "dtype", "nptype"):
            return _numpy_value(tree, buffers)
        if tag in ("tensor", "tdtype", "device"):
            return _torch_value(tree, buffers)
        if tag in ("handle", "yours"):
            return self.resolve(tree)
        raise WireError(f"unknown tag {str(tag)[:40]!r}")


def _plain(value: int | float | str) -> Any:
    """A subclass that lies about itself crosses as the plain value it holds."""
    if isinstance(value, float):
        return float.__pos__(value)
    if isinstance(value, str):
        return str.__str__(value)
    whole = int.__pos__(value)
    # Python reads and writes no more than 4300 decimal digits.
    return whole if -(1 << 63) <= whole < 1 << 63 else {"$": "int", "v": f"{whole:x}"}


@lru_cache(maxsize=MAX_NAMED)
def _named(name: str, fields: tuple[str, ...]) -> type:
    """One class for all named tuples of a name: they are slow to make and large."""
    if _named.cache_info().currsize >= MAX_NAMED:
        raise WireError("too many kinds of named tuples")
    return namedtuple(name, fields)


def _add(buffers: list[Any], data: Any) -> int:
    buffers.append(data)
    return len(buffers) - 1


def _buffer(tree: dict, buffers: list[Any]) -> Any:
    number = tree["b"]
    if type(number) is not int or not 0 <= number < len(buffers):
        raise WireError("a value names a buffer that is not there")
    return buffers[number]


def _shape(tree: dict, itemsize: int, size: int) -> list[int]:
    """The shape in ``tree``, when it and the buffer's ``size`` in bytes agree."""
    shape, count = tree["s"], 1
    if type(shape) is not list or len(shape) > MAX_SHAPE:
        raise WireError("an array's shape is malformed")
    for n in shape:
        if type(n) is not int or not 0 <= n < 1 << 62:
            raise WireError("an array's shape is malformed")
        count *= n
    if count * itemsize != size or (itemsize == 0 and count):
        raise WireError("an array's shape and its data disagree")
    return shape


def _numpy_tree(numpy: Any, value: Any, buffers: list[Any]) -> dict | None:
    kind = type(value)
    if issubclass(kind, numpy.ndarray):
        # The base class's own view: a subclass cannot lie about shape, type or values.
        array = numpy.ndarray.view(value, numpy.ndarray)
        if array.dtype.kind not in NUMPY_KINDS or array.dtype.hasobject:
            return None
        if array.nbytes > MAX_BYTES:
            raise WireError(f"an array of {array.nbytes >> 20} MB is too large to cross")
        data: Any = b""
        if array.nbytes:
            data = numpy.ascontiguousarray(array).reshape(-1).view(numpy.uint8).data
        return {
            "$": "array",
            "d": array.dtype.str,
            "s": list(array.shape),
            "b": _add(buffers, data),
        }
    if issubclass(kind, numpy.generic):
        dtype = numpy.generic.dtype.__get__(value)
        if dtype.kind not in NUMPY_KINDS:
            return None
        data = numpy.generic.tobytes(value)
        return {"$": "scalar", "d": dtype.str, "s": [], "b": _add(buffers, data)}
    if issubclass(kind, numpy.dtype):
        return {"$": "dtype", "d": value.str} if value.kind in NUMPY_KINDS else None
    if issubclass(kind, type) and issubclass(value, numpy.generic):
        name = value.__name__
        return {"$": "nptype", "n": name} if vars(numpy).get(name) is value else None
    return None


def _numpy_value(tree: dict, buffers: list[Any]) -> Any:
    import numpy

    if tree["$"] == "nptype":
        found = vars(numpy).get(tree["n"])
        if not (isinstance(found, type) and issubclass(found, numpy.generic)):
            raise WireError("not a NumPy scalar type")
        return found
    if len(tree["d"]) > MAX_NAME:
        raise WireError("not a dtype")
    dtype = numpy.dtype(str(tree["d"]))
    if dtype.kind not in NUMPY_KINDS or dtype.hasobject:
        raise WireError(f"dtype {dtype} does not cross")
    if tree["$"] == "dtype":
        return dtype
    data = _buffer(tree, buffers)
    shape = _shape(tree, dtype.itemsize, len(data))
    if not len(data):
        return numpy.empty(shape, dtype)
    array = numpy.frombuffer(bytearray(data), dtype=dtype).reshape(shape)
    return array[()] if tree["$"] == "scalar" else array


def _torch_tree(torch: Any, value: Any, buffers: list[Any]) -> dict | None:
    kind = type(value)
    if issubclass(kind, torch.Tensor):
        # Without the subclass's own idea of what a tensor does.
        with torch.no_grad(), torch._C.DisableTorchFunctionSubclass():
            strange = value.is_quantized or value.is_nested or value.device.type == "meta"
            if value.layout != torch.strided or strange:
                return None
            grows = bool(value.requires_grad)
            plain = value.detach().as_subclass(torch.Tensor)
            plain = plain.resolve_conj().resolve_neg().cpu().contiguous()
            if plain.numel() * plain.element_size() > MAX_BYTES:
                raise WireError("a tensor is too large to cross")
            flat = plain.reshape(-1)
            if flat.stride(-1) != 1:  # one element counts as contiguous at any stride
                flat = flat.clone(memory_format=torch.contiguous_format)
            data = flat.view(torch.uint8).numpy().data if flat.numel() else b""
        return {
            "$": "tensor",
            "d": str(plain.dtype).removeprefix("torch."),
            "s": list(plain.shape),
            "b": _add(buffers, data),
            "g": grows,
        }
    if kind is torch.dtype:
        return {"$": "tdtype", "n": str(value).removeprefix("torch.")}
    if kind is torch.device:
        return {"$": "device", "n": str(value)}
    return None


def _torch_value(tree: dict, buffers: list[Any]) -> Any:
    import torch

    if tree["$"] == "device":
        return torch.device(str(tree["n"]))
    dtype = vars(torch).get(tree["d" if tree["$"] == "tensor" else "n"])
    if type(dtype) is not torch.dtype:
        raise WireError("not a torch dtype")
    if tree["$"] == "tdtype":
        return dtype
    data = bytearray(_buffer(tree, buffers))
    shape = _shape(tree, dtype.itemsize, len(data))
    if not data:
        tensor = torch.empty(shape, dtype=dtype)
    else:
        # A clone, because memory of Python's own need not be aligned for the dtype.
        tensor = torch.frombuffer(data, dtype=torch.uint8).clone().view(dtype).reshape(shape)
    grows = dtype.is_floating_point or dtype.is_complex
    return tensor.requires_grad_(tree["g"] is True) if grows else tensor


def send(sock: socket.socket, tree: Any, buffers: list[Any], limit: int = MAX_BYTES) -> None:
    """Send one message.

    Raises:
        WireError: when it is larger than ``limit`` bytes; nothing is sent then.
        OSError: when the other side is gone.
    """
    try:
        body = json.dumps(tree).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise WireError(f"a value cannot cross ({type(error).__name__})") from None
    sizes = [len(data) for data in buffers]
    if len(body) > min(limit, MAX_TREE) or len(body) + sum(sizes) > limit:
        raise WireError(f"a message of {(len(body) + sum(sizes)) >> 20} MB is too large to cross")
    if len(buffers) > MAX_BUFFERS:
        raise WireError(f"a message of {len(buffers)} arrays is too large to cross")
    head = struct.pack(f"<II{len(sizes)}Q", len(body), len(sizes), *sizes)
    sock.sendall(head + body)
    for data, size in zip(buffers, sizes, strict=True):
        if size:
            sock.sendall(data)


def receive(sock: socket.socket, limit: int = MAX_BYTES) -> tuple[Any, list[Any]]:
    """Receive one message.

    Raises:
        WireError: when it is malformed or larger than ``limit`` bytes.
        EOFError: when the other side has closed.
        OSError: on a time-out of the socket, or when the connection breaks.
    """
    length, count = struct.unpack("<II", _read(sock, 8))
    if count > MAX_BUFFERS or length > min(limit, MAX_TREE):
        raise WireError("the message is too large")
    sizes = struct.unpack(f"<{count}Q", _read(sock, 8 * count))
    if length + sum(sizes) > limit:
        raise WireError("the message is too large")
    body = bytes(_read(sock, length))
    buffers = [_read(sock, size) for size in sizes]
    try:
        return json.loads(body), buffers
    except (ValueError, RecursionError):
        raise WireError("the message is not readable") from None


def _read(sock: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view, done = memoryview(data), 0
    while done < size:
        got = sock.recv_into(view[done:])
        if not got:
            raise EOFError("the other side has closed")
        done += got
    return data
