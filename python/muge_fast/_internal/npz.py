"""Files of arrays: what metrics keep, saved and read again. They may come from anywhere: nothing in them is called."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from muge_fast._internal.atomic import replacing

Array = npt.NDArray[Any]
T = TypeVar("T")

# Files of arrays are hardly smaller than their arrays: one that grows by more when it is read was made to do harm.
MOST_BYTES, MOST_GROWTH = 1 << 24, 20
# What reading raises for a file that is none: wrong headers, sizes beyond memory, compression that breaks off.
BROKEN_NUMBERS = (ValueError, TypeError, AttributeError, KeyError, ArithmeticError, MemoryError, SyntaxError)
BROKEN_ARCHIVE = (EOFError, RuntimeError, struct.error, zlib.error, zipfile.BadZipFile)


def save_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Array]) -> None:
    """Write an ``.npz``, whole or not at all.

    Args:
        path: The file.
        arrays: What is in it, by name.

    Raises:
        OSError: The file cannot be written.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> from muge_fast._internal.npz import load_arrays, save_arrays
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_arrays(pathlib.Path(folder) / "x.npz", {"mu": np.zeros(2)})
        ...     load_arrays(pathlib.Path(folder) / "x.npz", "names", sorted)
        ['mu']

    """
    with replacing(path) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_arrays(path: str | os.PathLike[str], kind: str, make: Callable[[dict[str, Array]], T]) -> T:
    """Make something of the arrays of an ``.npz``.

    Args:
        path: The file.
        kind: What errors call it.
        make: Takes the arrays by name, and may raise ``ValueError``.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no such file, or ``make`` does not take it.

    Example:
        >>> from muge_fast._internal.npz import load_arrays
        >>> load_arrays("real.npz", "names", sorted)  # doctest: +SKIP
        ['mu', 'sigma']

    """
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            size = sum(member.file_size for member in arrays.zip.infolist())
            if size > MOST_BYTES + MOST_GROWTH * Path(path).stat().st_size:
                raise ValueError(f"its arrays have {size} bytes")
            return make(dict(arrays))
    except (*BROKEN_NUMBERS, *BROKEN_ARCHIVE) as error:
        raise ValueError(f"{os.fspath(path)}: not a file of {kind}: {error}") from None
