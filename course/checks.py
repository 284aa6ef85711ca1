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
        # NumPy has no bfloat16.
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
        value = value.numpy(force=True)
    # The type itself, not isinstance: that would believe what an object says of its class.
    elif not issubclass(type(value), ARRAY_LIKE):
        raise AssertionError(f"{what} should be an array of numbers, not {kind}")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise AssertionError(f"{what} is not an array of numbers ({error})") from None
    if array.dtype.kind not in "biufc":
        raise AssertionError(f"{what} should hold numbers; it is {kind} of dtype {array.dtype}")
    return array


def _index(position: Sequence[Any]) -> str:
    return "[" + ", ".join(str(int(i)) for i in position) + "]"


def _number(value: Any) -> str:
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
        raise AssertionError(f"{what} has shape {found}, expected {tuple(shape)}")


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

    The message says how many entries differ and where the first one stands with the value found
    there; it never prints an entry of ``want``.

    Raises:
        AssertionError: on None, a non-array, another shape, NaN or infinity where a finite value
            is due, or values out of tolerance.
    """
    array, wanted = _as_array(got, what), _as_array(want, "the reference")
    check_shape(array, wanted.shape, what)
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
    )


def check_number(got: Any, want: float, what: str = "your answer", *, rtol: float = 0.0) -> None:
    """Assert that ``got`` is the number ``want``; ``rtol=0`` asks for it exactly.

    Raises:
        AssertionError: on anything that is not one number, or on another number. The message
            shows the student's number, not the right one.
    """
    kind = type(got).__name__
    # A count of NumPy's or torch's is a number too; its own arithmetic might overflow.
    if (_is_tensor(got) or issubclass(type(got), np.ndarray | np.generic)) and got.ndim == 0:
        got = got.item()
    if isinstance(got, bool) or not issubclass(type(got), int | float):
        raise AssertionError(f"{what} should be one number, not {kind}")
    # Equality first: it is exact for integers that a float cannot hold.
    if got != want and not abs(got - want) <= rtol * abs(want):
        raise AssertionError(f"{what} is {got}, which is not right")


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
    return carry(function) if carry else function
