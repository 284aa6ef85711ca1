"""Checks whose failures teach: they name the shape, the dtype and the place, never the answer.

The visible tests of a lesson and its hidden ones call the same functions, so a student
reads the same quality of message at the desk and in the feedback.
"""

from __future__ import annotations

import builtins
import reprlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])


# What a result may be. Anything else that claims to be an array stays outside: a generator, a dict,
# an object of the student's own with an __array__ method.
ARRAY_LIKE = (np.ndarray, np.generic, bool, int, float, complex, list, tuple, range)
NUMBERS = (np.number, np.bool_, bool, int, float, complex)
FUNCTIONS = ("function", "method", "builtin_function_or_method", "_ArrayFunctionDispatcher")


def _is_tensor(value: Any) -> bool:
    # By name: importing torch here would cost every NumPy lesson two seconds.
    kinds = type(value).__mro__
    return any(kind.__module__ == "torch" and kind.__name__ == "Tensor" for kind in kinds)


def _as_array(value: Any, what: str) -> np.ndarray:
    """``value`` as a numeric array, or an AssertionError that says what came instead."""
    if value is None:
        raise AssertionError(f"{what} is None: does your function end with a return?")
    kind = type(value).__name__
    if _is_tensor(value):
        value = _read_tensor(value, what)
    # The type itself, not isinstance: that would believe what an object says of its class.
    elif not issubclass(type(value), ARRAY_LIKE):
        hint = ": are its parentheses missing?" if kind in FUNCTIONS else ""
        raise AssertionError(f"{what} should be an array of numbers, not {kind}{hint}")
    try:
        array = _stacked(value, what)
    except (TypeError, ValueError, RuntimeError) as error:
        ragged = "inhomogeneous" in str(error) or "ambiguous" in str(error)
        said = "its parts have different shapes" if ragged else str(error)
        raise AssertionError(f"{what} is not an array of numbers: {said}") from None
    if array.dtype.kind not in "biufc":
        odd = [type(x).__name__ for x in array.flat if not issubclass(type(x), NUMBERS)]
        inside = f", with {odd[0]} in it" if odd and array.dtype.kind == "O" else ""
        raise AssertionError(
            f"{what} should hold numbers; it is {kind} of dtype {array.dtype}{inside}"
        )
    return array


def _read_tensor(tensor: Any, what: str) -> np.ndarray:
    """A tensor's numbers, whatever its device, dtype or graph."""
    try:
        # NumPy has no bfloat16.
        plain = tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor
        return np.asarray(plain.numpy(force=True))
    except (TypeError, NotImplementedError, RuntimeError):
        where = "on the device meta" if tensor.device.type == "meta" else f"{tensor.layout}"
        raise AssertionError(f"{what} is a tensor without plain numbers ({where})") from None


def _stacked(value: Any, what: str) -> np.ndarray:
    """``value`` as NumPy sees it; tensors with gradients, which it refuses, as their numbers."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        if type(value) not in (list, tuple):
            raise
        return np.asarray(_without_graphs(value, what))


def _without_graphs(value: Any, what: str, depth: int = 0) -> Any:
    if type(value) in (list, tuple) and depth < 32:
        return [_without_graphs(part, what, depth + 1) for part in value]
    return _read_tensor(value, what) if _is_tensor(value) else value


def _index(position: Sequence[Any]) -> str:
    return "[" + ", ".join(str(int(i)) for i in position) + "]"


def _number(value: Any) -> str:
    if isinstance(value, int) and value.bit_length() > 1000:  # Python refuses to print longer ones
        return f"a whole number of {value.bit_length()} bits"
    return f"{value:.6g}" if isinstance(value, float | complex) else str(value)


def check_shape(got: Any, shape: Sequence[int], what: str = "the result") -> None:
    """Assert that ``got`` has ``shape``; the message shows both.

    Args:
        got: an array, a tensor (on any device, meta too), or nested numbers.
        shape: the expected shape, e.g. ``(N, C, H, W)``.
        what: how the message calls ``got``.

    Raises:
        AssertionError: on None, on a non-array and on another shape.
    """
    found = tuple(got.shape) if _is_tensor(got) else _as_array(got, what).shape
    if found != tuple(shape):
        several = type(got) in (list, tuple) and any(np.ndim(part) for part in _parts(got))
        hint = f": it is a {type(got).__name__} of {len(got)} arrays" if several else ""
        raise AssertionError(f"{what} has shape {found}, expected {tuple(shape)}{hint}")


def _parts(value: Any) -> list[Any]:
    """The arrays and tensors that stand in a list or tuple."""
    return [part for part in value if _is_tensor(part) or issubclass(type(part), np.ndarray)]


def check_dtype(got: Any, dtype: Any, what: str = "the result") -> None:
    """Assert that ``got`` holds ``dtype``, a NumPy dtype or a kind such as ``np.floating``."""
    array = _as_array(got, what)
    if not np.issubdtype(array.dtype, dtype):
        name = getattr(dtype, "__name__", str(dtype))
        raise AssertionError(f"{what} has dtype {array.dtype}, expected {name}")


def check_close(
    got: Any, want: Any, what: str = "the result", *, rtol: float = 1e-5, atol: float = 1e-7
) -> None:
    """Assert that ``got`` equals ``want`` within ``atol + rtol * |want|``, entry by entry.

    The message says how many entries differ, where the first one stands with the value found there,
    and how large the largest error is beside the largest entry due; it never prints an entry of
    ``want``.

    Raises:
        AssertionError: on None, a non-array, another shape, NaN or infinity where a finite value
            is due, or values out of tolerance.
    """
    array, wanted = _as_array(got, what), _as_array(want, "the reference")
    if array.shape != wanted.shape:
        check_shape(got, wanted.shape, what)
        check_shape(array, wanted.shape, what)  # the shape of an object that lies about its own
    same = np.isclose(array, wanted, rtol=rtol, atol=atol, equal_nan=True)
    if same.all():
        return
    if array.ndim == 0:
        raise AssertionError(f"{what} is {_number(array.item())}, which is not right")
    wrong = np.argwhere(~same)
    first = tuple(wrong[0])
    raise AssertionError(
        f"{what} differs in {len(wrong)} of {array.size} places; "
        f"the first is {_index(first)}, where yours is {_number(array[first].item())}"
        f"{_size_of_error(array, wanted, ~same)}"
    )


def _size_of_error(array: np.ndarray, wanted: np.ndarray, wrong: np.ndarray) -> str:
    """How bad it is: NaN and infinities counted, else the largest error in one digit.

    In per cent of the largest entry due, which tells noise from a mistake and not the answer.
    """
    odd = wrong & ~np.isfinite(array) & np.isfinite(wanted)
    if odd.any():
        marks = ((np.isnan(array), "nan"), (np.isinf(array), "inf"))
        names = " or ".join(name for found, name in marks if (odd & found).any())
        return f" ({names} in {np.count_nonzero(odd)} of them)"
    kinds = {array.dtype.kind, wanted.dtype.kind}
    # Of one entry, or of True and False, an error would be the answer.
    if array.size < 2 or kinds & set("b") or not np.isfinite(wanted[wrong]).all():
        return ""
    kind = np.complex128 if "c" in kinds else np.float64
    with np.errstate(all="ignore"):
        error = np.abs(array[wrong].astype(kind) - wanted[wrong].astype(kind)).max()
        share = float(error / np.abs(wanted[np.isfinite(wanted)].astype(kind)).max())
    if not np.isfinite(share):
        return ""
    told = f"; the largest error is about {float(f'{100 * share:.0e}'):g}% of the largest entry due"
    rough = array.dtype.kind in "fc" and array.dtype.itemsize < wanted.dtype.itemsize
    if rough and share < 100 * np.finfo(array.dtype).eps:
        told += f": that is {array.dtype}'s rounding"
    return told


def check_number(got: Any, want: float, what: str = "your answer", *, rtol: float = 0.0) -> None:
    """Assert that ``got`` is the number ``want``; ``rtol=0`` asks for it exactly.

    Raises:
        AssertionError: on anything that is not one number, or on another number. The message
            shows the student's number, not the right one.
    """
    kind = type(got).__name__
    if got is None or got is ...:
        raise AssertionError(f"{what} is {got!r}: it should be one number")
    # A count of NumPy's or torch's is a number too; its own arithmetic might overflow.
    if (_is_tensor(got) or issubclass(type(got), np.ndarray | np.generic)) and got.ndim == 0:
        got = got.item()
    if isinstance(got, bool) or not issubclass(type(got), int | float):
        raise AssertionError(f"{what} should be one number, not {kind}")
    # Equality first: it is exact for integers that a float cannot hold.
    if got != want and not abs(got - want) <= rtol * abs(want):
        shown = _number(got) if isinstance(got, int) else got
        raise AssertionError(f"{what} is {shown}, which is not right")


def check_choice(got: Any, want: Any, options: Sequence[Any], what: str = "your answer") -> None:
    """Assert that ``got``, one of ``options``, is ``want``.

    Raises:
        AssertionError: when ``got`` is no option (the message lists them), or the wrong one.
    """
    if issubclass(type(got), np.generic):
        got = got.item()
    if not any(type(got) is type(option) and got == option for option in options):
        listed = ", ".join(repr(option) for option in options)
        raise AssertionError(f"{what} should be one of {listed}, not {reprlib.repr(got)}")
    if got != want:
        raise AssertionError(f"{what} is {got!r}, which is not right")


def check_unchanged(array: Any, before: Any, what: str = "the input") -> None:
    """Assert that a function left its argument ``array`` as the copy ``before``.

    Raises:
        AssertionError: when an entry is another one; NaN equals NaN.
    """
    now, then = _as_array(array, what), _as_array(before, what)
    if now.shape != then.shape:
        raise AssertionError(f"{what} was changed by the call, even its shape: work on a copy")
    changed = (now != then) & ~((now != now) & (then != then))
    if changed.any():
        places = f"{np.count_nonzero(changed)} of {changed.size} places"
        raise AssertionError(f"{what} was changed by the call in {places}: work on a copy")


def check_raises(
    exception: type[BaseException], function: Callable[..., Any], *args: Any, **kwargs: Any
) -> None:
    """Assert that ``function(*args, **kwargs)`` raises ``exception``.

    A stub's NotImplementedError goes through, though it is a RuntimeError: an untouched exercise
    passes no test.
    """
    try:
        function(*args, **kwargs)
    except NotImplementedError:
        if exception is not NotImplementedError:
            raise
    except exception:
        pass
    except Exception as error:
        raise AssertionError(
            f"the call should raise {exception.__name__}, it raised {type(error).__name__}"
        ) from error
    else:
        raise AssertionError(f"the call should raise {exception.__name__}, it returned")


def in_submission(function: Function) -> Function:
    """Mark a test's helper that has to run beside the student's objects.

    Under the referee the helper's source runs in the submission's kernel and only its return value
    crosses, which hooks and autograd need. Under plain nbgrader, where test and submission share
    one kernel, this is the identity. The helper must be a plain ``def`` that imports what it uses.
    """
    carry = getattr(builtins, "__in_submission__", None)
    if carry:
        return carry(function)
    # A helper of a locked cell is made before there is a submission; the referee carries it then.
    function.__in_submission__ = True  # type: ignore[attr-defined]
    return function
