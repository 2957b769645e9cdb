"""Arrays of numbers from callers: the score of each item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from muge_fast._internal.display import format_argument
from muge_fast._internal.dlpack import resolve_negation
from muge_fast._internal.labelled import labelled_kind, refuse_unordered, to_list

FloatArray = npt.NDArray[np.float64]


def numbers(name: str, values: object) -> FloatArray:
    """Return an argument that has a number for each item as a float64 array.

    Args:
        name: Name of the argument, for errors.
        values: A sequence of numbers or booleans, or an array or tensor of one dimension. The index of a pandas Series
            is not used.

    Returns:
        The numbers, contiguous; they may be infinite or NaN.

    Raises:
        TypeError: A mapping, a table, a masked array, an array of more than one dimension, or values that are not
            numbers.
        ValueError: An integer that is too large for a float.

    Example:
        >>> from muge_fast.significance.values import numbers
        >>> numbers("values", [True, 0, 0.5]).tolist()
        [1.0, 0.0, 0.5]
        >>> numbers("values", ["1", "2"])
        Traceback (most recent call last):
        ...
        TypeError: values[0] is '1', needs a number

    """
    refuse_unordered(values, name, columns=("id", "score"))
    kind = labelled_kind(values)
    if kind == "tensor":
        values = resolve_negation(cast("Any", values).detach().cpu())
        if str(cast("Any", values).dtype) == "torch.bfloat16":
            # A type that NumPy does not have.
            values = cast("Any", values).float()
    elif kind is not None:
        values = to_list(values)
    if isinstance(values, (Mapping, set, frozenset)):
        raise TypeError(f"{name} must be a sequence of numbers, got a {type(values).__name__}; pass list(x.values())")
    try:
        array = np.asarray(values)
    except ValueError:
        # Lists of different lengths.
        array = np.empty((0, 0))
    if array.ndim != 1:
        fix = "; pass its per_item" if hasattr(values, "per_item") else ""
        fix = "; pass list(x)" if isinstance(values, Iterator) else fix
        raise TypeError(f"{name} must be numbers in one dimension, got {_described(values, array)}{fix}")
    if array.dtype.kind not in "biuf" and len(array):
        wrong = next((i for i, value in enumerate(cast("Any", values)) if not _is_number(value)), None)
        if wrong is None:
            # Integers of more than 64 bits.
            return _large_numbers(name, cast("Any", values))
        raise TypeError(f"{name}[{wrong}] is {format_argument(cast('Any', values)[wrong])}, needs a number")
    return np.ascontiguousarray(array, dtype=np.float64)


def _large_numbers(name: str, values: Iterable[int | float]) -> FloatArray:
    try:
        return np.array([float(value) for value in values])
    except OverflowError:
        raise ValueError(f"{name} has an integer that is too large for a float") from None


def _is_number(value: object) -> bool:
    is_number = isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating))
    # A time is an integer of NumPy.
    return is_number and not isinstance(value, np.timedelta64)


def _described(values: object, array: npt.NDArray[Any]) -> str:
    shaped = isinstance(values, np.ndarray) or hasattr(values, "__array__")
    return f"an array of shape {array.shape}" if shaped else format_argument(values)
