"""What stands in a test for an object that stays in the submission."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.peer import Peer


class Remote:
    """A handle: its attributes, items and calls are remote; it is equal only to itself.

    It has no arithmetic, no ordering and no conversion to a number or an array: those would hand
    the expected value to the submission and let it decide the comparison.
    """

    __array_ufunc__ = None
    __slots__ = ("__weakref__", "_fields", "_peer")

    def __init__(self, peer: Peer, fields: dict) -> None:
        object.__setattr__(self, "_peer", peer)
        object.__setattr__(self, "_fields", fields)

    def __getattr__(self, name: str) -> Any:
        special = name.startswith("__") and name.endswith("__")
        if name in Remote.__slots__ or (special and name not in ("__name__", "__doc__")):
            raise AttributeError(name)
        return self._peer.ask("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._peer.ask("set", self, name, value)

    def __getitem__(self, key: Any) -> Any:
        return self._peer.ask("item", self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._peer.ask("setitem", self, key, value)

    def __delitem__(self, key: Any) -> None:
        self._peer.ask("delitem", self, key)

    def __contains__(self, item: Any) -> bool:
        return self._peer.ask("contains", self, item) is True

    def __len__(self) -> int:
        length = self._peer.ask("len", self)
        if type(length) is not int:
            raise TypeError(f"the length of {self!r} is not a number")
        return length

    def __bool__(self) -> bool:
        return self._peer.ask("bool", self) is True

    def __iter__(self) -> Iterator[Any]:
        return self._peer.ask("iter", self)

    def __next__(self) -> Any:
        return self._peer.ask("next", self)

    def __enter__(self) -> Any:
        return self._peer.ask("call", self._peer.ask("get", self, "__enter__"), [], {})

    def __exit__(self, *exception: object) -> None:
        # An exception of the test stays with the test.
        self._peer.ask("call", self._peer.ask("get", self, "__exit__"), [None, None, None], {})

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{self!r} is an object of the submission, not an array")

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"{self!r} stays there; it can be neither copied nor pickled")

    def __repr__(self) -> str:
        name = self._fields.get("n") or "object"
        return f"<{str(self._fields.get('k'))[:60]} {str(name)[:60]} of the submission>"

    __hash__ = object.__hash__


class RemoteCallable(Remote):
    """A function, a class or another callable of the submission."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it there; the result crosses by value, or comes back as a handle."""
        return self._peer.ask("call", self, list(args), kwargs)


def stand_in(peer: Peer, fields: dict) -> Remote:
    """The handle for the object that ``fields`` describe."""
    kept = {key: fields.get(key) for key in ("i", "k", "n")}
    return (RemoteCallable if fields.get("c") else Remote)(peer, kept)
