"""Arrays of other libraries as NumPy arrays, without a copy."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt


def as_array(name: str, array: Any, dtypes: tuple[str, ...]) -> npt.NDArray[Any]:  # noqa: ANN401 - any array
    """Share an array on the CPU that is NumPy's or has ``__dlpack__``.

    Args:
        name: What errors call it.
        array: The array.
        dtypes: What errors say is needed.

    Returns:
        The same numbers as a NumPy array.

    Raises:
        TypeError: Something that is no array, or that NumPy cannot share.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.dlpack import as_array
        >>> as_array("items", np.zeros((2, 3)), ("float64",)).shape
        (2, 3)

    """
    if isinstance(array, np.ndarray):
        return array
    if not hasattr(array, "__dlpack__"):
        raise TypeError(f"{name}: expected a NumPy array or an array with __dlpack__, found {type(array).__name__}")
    try:
        return np.from_dlpack(negated(array))
    except (BufferError, RuntimeError, TypeError) as error:
        needed = ", ".join(dtypes)
        raise TypeError(f"{name}: NumPy cannot share this array ({error}); needs {needed} on the CPU") from error


def negated(array: Any) -> Any:  # noqa: ANN401 - any array
    """Negate the numbers of a torch tensor that are still to be negated when they are read, as ``z.conj().imag`` is.

    Args:
        array: A torch tensor, or any other array, which stays as it is.

    Returns:
        An array whose memory has the numbers that it stands for.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.dlpack import negated
        >>> negated(np.array([1.0, -2.0])).tolist()
        [1.0, -2.0]

    """
    return array.resolve_neg() if hasattr(array, "resolve_neg") else array


def bfloat16_bits(array: Any) -> Any:  # noqa: ANN401 - any array
    """View bfloat16 numbers as integers, because NumPy has no such type of its own.

    Args:
        array: A torch tensor, a NumPy array with the dtype of ml_dtypes, or any other array.

    Returns:
        The bits as 16-bit integers; None if the array holds something else.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.dlpack import bfloat16_bits
        >>> print(bfloat16_bits(np.zeros(3, dtype="float32")))
        None

    """
    dtype = str(getattr(array, "dtype", ""))
    if dtype == "torch.bfloat16":
        # Whoever made the tensor has imported torch.
        return negated(array).view(sys.modules["torch"].int16)
    return array.view("int16") if dtype == "bfloat16" else None
