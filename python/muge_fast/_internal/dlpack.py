"""Arrays of other libraries as NumPy arrays, without copying them."""

from __future__ import annotations

import sys
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

T = TypeVar("T")


class DLPackArray(Protocol):
    """An array that other libraries can share: of NumPy, torch, JAX, CuPy and others."""

    def __dlpack__(self, *, stream: None = None) -> object:
        """Return a capsule that describes the memory."""

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return the type and the index of the device."""


def as_array(name: str, array: object, dtypes: tuple[str, ...]) -> npt.NDArray[Any]:
    """Return an array on the CPU as a NumPy array that shares its memory.

    Args:
        name: Name of the argument, for errors.
        array: A NumPy array, or an object with ``__dlpack__``.
        dtypes: Data types that the caller accepts, for errors; they are not checked here.

    Returns:
        The array, of any dtype and shape.

    Raises:
        TypeError: ``array`` is not an array, is on another device, or has a type or layout that NumPy cannot share.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.dlpack import as_array
        >>> as_array("items", np.zeros((2, 3)), ("float64",)).shape
        (2, 3)

    """
    if isinstance(array, np.ndarray):
        return array
    if not hasattr(array, "__dlpack__"):
        raise TypeError(f"{name} must be a NumPy array or have __dlpack__, got {type(array).__name__}")
    try:
        return np.from_dlpack(cast("Any", resolve_negation(array)))
    except (BufferError, RuntimeError, TypeError) as error:
        needed = ", ".join(dtypes)
        raise TypeError(f"{name} must be {needed} on the CPU; NumPy cannot share this array: {error}") from error


def resolve_negation(array: T) -> T:
    """Return a torch tensor with its lazy negation applied; other arrays as they are.

    torch marks views such as ``z.conj().imag`` as negated and negates them when they are read. ``__dlpack__`` and
    ``view`` ignore the mark.

    Args:
        array: A torch tensor, or any other object.

    Returns:
        A tensor whose memory has its values.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.dlpack import resolve_negation
        >>> resolve_negation(np.array([1.0, -2.0])).tolist()
        [1.0, -2.0]

    """
    return cast("T", array.resolve_neg()) if hasattr(array, "resolve_neg") else array


def bfloat16_bits(array: object) -> DLPackArray | None:
    """Return the bits of a bfloat16 array as 16-bit integers, because NumPy has no bfloat16.

    Args:
        array: A torch tensor, a NumPy array with the dtype of ml_dtypes, or any other object.

    Returns:
        An int16 array that shares the memory; None for anything but bfloat16.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.dlpack import bfloat16_bits
        >>> print(bfloat16_bits(np.zeros(3, dtype="float32")))
        None

    """
    dtype = str(getattr(array, "dtype", ""))
    if dtype == "torch.bfloat16":
        # The caller has imported torch, or there would be no tensor.
        bits = resolve_negation(cast("Any", array)).view(sys.modules["torch"].int16)
    elif dtype == "bfloat16":
        bits = cast("npt.NDArray[Any]", array).view("int16")
    else:
        return None
    return cast("DLPackArray", bits)
