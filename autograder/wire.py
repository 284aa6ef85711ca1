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
from typing import Any

MAX_BYTES = 256 * 1024 * 1024
MAX_BUFFERS = 10_000
MAX_DEPTH = 60
MAX_SHAPE = 32
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
            return self._value(tree, buffers)
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
        kind = type(value)
        if isinstance(value, int | float | str) and kind.__module__ != "numpy":
            return _plain(value)
        if (fields := self.own(value)) is not None:
            return {"$": "yours", **fields}
        if isinstance(value, list):
            return [self._tree(item, buffers, depth + 1) for item in list.__iter__(value)]
        if isinstance(value, tuple):
            items = [self._tree(item, buffers, depth + 1) for item in tuple.__iter__(value)]
            names = getattr(kind, "_fields", None)
            if kind is not tuple and isinstance(names, tuple) and len(names) == len(items):
                return {"$": "named", "n": kind.__name__, "f": [str(n) for n in names], "v": items}
            return {"$": "tuple", "v": items}
        if isinstance(value, dict):
            pairs = [
                [self._tree(k, buffers, depth + 1), self._tree(v, buffers, depth + 1)]
                for k, v in dict.items(value)
            ]
            return {"$": "dict", "v": pairs}
        if isinstance(value, set | frozenset):
            name = "set" if isinstance(value, set) else "frozenset"
            return {"$": name, "v": [self._tree(item, buffers, depth + 1) for item in list(value)]}
        if isinstance(value, complex) and kind.__module__ != "numpy":
            return {"$": "complex", "v": [value.real, value.imag]}
        if isinstance(value, bytes | bytearray):
            return {"$": "bytes", "b": _add(buffers, bytes(value))}
        if isinstance(value, range):
            return {"$": "range", "v": [value.start, value.stop, value.step]}
        if isinstance(value, slice):
            parts = (value.start, value.stop, value.step)
            return {"$": "slice", "v": [self._tree(part, buffers, depth + 1) for part in parts]}
        if value is Ellipsis:
            return {"$": "ellipsis"}
        if isinstance(value, type) and TYPES.get(value.__name__) is value:
            return {"$": "type", "n": value.__name__}
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        tree = _numpy_tree(numpy, value, buffers) if hasattr(numpy, "ndarray") else None
        if tree is None and hasattr(torch, "Tensor"):
            tree = _torch_tree(torch, value, buffers)
        return {"$": "handle", **self.export(value)} if tree is None else tree

    def _value(self, tree: Any, buffers: list[Any]) -> Any:
        if tree is None or isinstance(tree, bool | int | float | str):
            return tree
        if isinstance(tree, list):
            return [self._value(item, buffers) for item in tree]
        tag = tree["$"]
        if tag in ("tuple", "set", "frozenset"):
            items = [self._value(item, buffers) for item in tree["v"]]
            return {"tuple": tuple, "set": set, "frozenset": frozenset}[tag](items)
        if tag == "named":
            items = [self._value(item, buffers) for item in tree["v"]]
            return namedtuple(str(tree["n"]), [str(n) for n in tree["f"]])(*items)
        if tag == "dict":
            return {self._value(k, buffers): self._value(v, buffers) for k, v in tree["v"]}
        if tag == "complex":
            return complex(*tree["v"])
        if tag == "bytes":
            return bytes(buffers[tree["b"]])
        if tag == "range":
            return range(*tree["v"])
        if tag == "slice":
            return slice(*[self._value(part, buffers) for part in tree["v"]])
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


def _plain(value: int | float | str) -> int | float | str:
    """A subclass that lies about itself crosses as the plain value it holds."""
    if isinstance(value, int):
        return int.__pos__(value)
    return float.__pos__(value) if isinstance(value, float) else str.__str__(value)


def _add(buffers: list[Any], data: Any) -> int:
    buffers.append(data)
    return len(buffers) - 1


def _numpy_tree(numpy: Any, value: Any, buffers: list[Any]) -> dict | None:
    if isinstance(value, numpy.ndarray):
        # The base class's own view: a subclass cannot lie about shape, type or values.
        array = numpy.ndarray.view(value, numpy.ndarray)
        if array.dtype.kind not in NUMPY_KINDS or array.dtype.hasobject:
            return None
        if array.nbytes > MAX_BYTES:
            raise WireError(f"an array of {array.nbytes >> 20} MB is too large to cross")
        data = numpy.ascontiguousarray(array).reshape(-1).view(numpy.uint8).data
        return {
            "$": "array",
            "d": array.dtype.str,
            "s": list(array.shape),
            "b": _add(buffers, data if array.size else b""),
        }
    if isinstance(value, numpy.generic):
        array = numpy.asarray(value)
        if array.dtype.kind not in NUMPY_KINDS:
            return None
        return {"$": "scalar", "d": array.dtype.str, "s": [], "b": _add(buffers, array.tobytes())}
    if isinstance(value, numpy.dtype):
        return {"$": "dtype", "d": value.str} if value.kind in NUMPY_KINDS else None
    if isinstance(value, type) and issubclass(value, numpy.generic):
        return {"$": "nptype", "n": value.__name__} if hasattr(numpy, value.__name__) else None
    return None


def _numpy_value(tree: dict, buffers: list[Any]) -> Any:
    import numpy

    if tree["$"] == "nptype":
        found = getattr(numpy, tree["n"])
        if not (isinstance(found, type) and issubclass(found, numpy.generic)):
            raise WireError("not a NumPy scalar type")
        return found
    dtype = numpy.dtype(str(tree["d"]))
    if dtype.kind not in NUMPY_KINDS or dtype.hasobject:
        raise WireError(f"dtype {dtype} does not cross")
    if tree["$"] == "dtype":
        return dtype
    shape = [int(n) for n in tree["s"]]
    data = buffers[tree["b"]]
    count = 1
    for n in shape:
        count *= n
    if len(shape) > MAX_SHAPE or min(shape, default=0) < 0 or count * dtype.itemsize != len(data):
        raise WireError("an array's shape and its data disagree")
    array = numpy.frombuffer(bytearray(data), dtype=dtype).reshape(shape)
    return array[()] if tree["$"] == "scalar" else array


def _torch_tree(torch: Any, value: Any, buffers: list[Any]) -> dict | None:
    if isinstance(value, torch.Tensor):
        with torch.no_grad():
            plain = torch.Tensor.detach(value).as_subclass(torch.Tensor)
            if plain.layout != torch.strided or plain.is_quantized or plain.device.type == "meta":
                return None
            plain = plain.resolve_conj().resolve_neg().cpu().contiguous()
            if plain.numel() * plain.element_size() > MAX_BYTES:
                raise WireError("a tensor is too large to cross")
            data = plain.reshape(-1).view(torch.uint8).numpy().data if plain.numel() else b""
        return {
            "$": "tensor",
            "d": str(plain.dtype).removeprefix("torch."),
            "s": list(plain.shape),
            "b": _add(buffers, data),
            "g": bool(value.requires_grad),
        }
    if isinstance(value, torch.dtype):
        return {"$": "tdtype", "n": str(value).removeprefix("torch.")}
    if isinstance(value, torch.device):
        return {"$": "device", "n": str(value)}
    return None


def _torch_value(tree: dict, buffers: list[Any]) -> Any:
    import torch

    if tree["$"] == "device":
        return torch.device(str(tree["n"]))
    dtype = getattr(torch, str(tree["d" if tree["$"] == "tensor" else "n"]))
    if not isinstance(dtype, torch.dtype):
        raise WireError("not a torch dtype")
    if tree["$"] == "tdtype":
        return dtype
    shape = [int(n) for n in tree["s"]]
    data = bytearray(buffers[tree["b"]])
    if min(shape, default=0) < 0 or len(shape) > MAX_SHAPE:
        raise WireError("a tensor's shape is malformed")
    if not data:
        tensor = torch.empty(shape, dtype=dtype)
        if tensor.numel():
            raise WireError("a tensor's shape and its data disagree")
    else:
        tensor = torch.frombuffer(data, dtype=torch.uint8).view(dtype).reshape(shape).clone()
    return tensor.requires_grad_(bool(tree["g"])) if dtype.is_floating_point else tensor


def send(sock: socket.socket, tree: Any, buffers: list[Any], limit: int = MAX_BYTES) -> None:
    """Send one message.

    Raises:
        WireError: when it is larger than ``limit`` bytes; nothing is sent then.
        OSError: when the other side is gone.
    """
    body = json.dumps(tree).encode()
    sizes = [len(memoryview(data).cast("B")) if len(data) else 0 for data in buffers]
    if len(body) + sum(sizes) > limit or len(buffers) > MAX_BUFFERS:
        raise WireError(f"a message of {(len(body) + sum(sizes)) >> 20} MB is too large to cross")
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
    if count > MAX_BUFFERS or length > limit:
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
