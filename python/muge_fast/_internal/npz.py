"""Reader and writer of NumPy's ``.npz`` and ``.npy`` files that is safe for files of any origin.

Nothing is unpickled, and no size that a file declares is trusted: an archive may unpack to 16 MiB plus 20 times the
size of the file, and may have 10,000 arrays. ``numpy.savez`` writes archives that are as large as their arrays, so only
a compressed archive can exceed the limit.
"""

from __future__ import annotations

import errno
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, TypeVar

import numpy as np
import numpy.typing as npt

from muge_fast._internal.atomic import replacing
from muge_fast._internal.paths import open_file
from muge_fast._internal.zip_files import ENCRYPTED, open_zip

Array = npt.NDArray[Any]
T = TypeVar("T")

UNPACKED_BYTES_ALLOWED = 16 << 20
MAX_EXPANSION = 20
MAX_ARRAYS = 10_000
FLOAT64_BYTES = 8

COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

LAST_CODE_POINT = 0x10FFFF
SURROGATES = 0xD800 >> 11
"""Upper bits of surrogates, each of which is half of a character."""

HEADER_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
"""Readers by version of the format; version 3 is for field names beyond Latin-1, and no array here has fields."""

BROKEN_HEADER = (
    # Raised by ast.literal_eval for malformed text, besides ValueError.
    TypeError,
    SyntaxError,
    MemoryError,
    RecursionError,
    # NumPy parses such text again as Python 2, and warns if that succeeds.
    tokenize.TokenError,
    UserWarning,
    # Raised by numpy.dtype and NumPy's checks for a description of another type.
    AttributeError,
    LookupError,
    OverflowError,
)

BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError)
"""Errors of zipfile for damaged archives, besides ValueError and some of OSError."""

BROKEN_CONTENT = (ValueError, TypeError, KeyError, ArithmeticError)
"""Errors of code that converts arrays of unexpected names, types and sizes."""


def unpacked_limit(size: int) -> int:
    """Return how many bytes a file may unpack to, in any format that compresses: 16 MiB plus 20 times its size.

    Args:
        size: Size of the file in bytes.

    Returns:
        The largest allowed number of bytes.

    Example:
        >>> from muge_fast._internal.npz import unpacked_limit
        >>> unpacked_limit(1000)
        16797216

    """
    return UNPACKED_BYTES_ALLOWED + MAX_EXPANSION * size


class Archive(Mapping[str, Array]):
    """The arrays of an open ``.npz`` file by name, each read when it is looked up.

    Args:
        file: A file that is open for reading in binary mode, and stays open while arrays are read.
        max_bytes: Maximum total size of the arrays in bytes, in addition to the limit that follows from the size of the
            file; None for that limit alone.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not a zip archive, its arrays are too large, or two have the same name. Looking up an
            array that is damaged, encrypted or has Python objects raises it too, with the name of the array.

    Example:
        >>> import io
        >>> import numpy as np
        >>> from muge_fast._internal.npz import Archive
        >>> file = io.BytesIO()
        >>> np.savez(file, mu=np.zeros(2), count=3)
        >>> archive = Archive(file)
        >>> list(archive), archive["mu"].tolist()
        (['mu', 'count'], [0.0, 0.0])

    """

    def __init__(self, file: IO[bytes], *, max_bytes: int | None = None) -> None:
        with _format_errors():
            limit = unpacked_limit(file.seek(0, os.SEEK_END))
            self._zip = open_zip(file, MAX_ARRAYS)
        members = self._zip.infolist()
        self._members = {member.filename.removesuffix(".npy"): member for member in members}
        if len(self._members) < len(members):
            raise ValueError("has two arrays of the same name")
        size = sum(member.file_size for member in members)
        if max_bytes is not None:
            limit = min(limit, max_bytes)
        if size > limit:
            raise ValueError(f"unpacks to {size} bytes, more than the {limit} allowed")

    def __getitem__(self, name: str) -> Array:
        member = self._members[name]
        if member.flag_bits & ENCRYPTED:
            raise ValueError(f"array {name!r} is encrypted")
        if member.compress_type not in COMPRESSIONS:
            raise ValueError(f"array {name!r} has an unknown compression")
        with named_errors(f"array {name!r}"), _format_errors(), self._zip.open(member) as file:
            return read_array(file, member.file_size)

    def __contains__(self, name: object) -> bool:
        # Without reading the array, as Mapping would.
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def read_array(file: IO[bytes], size: int) -> Array:
    """Read an array in NumPy's ``.npy`` format.

    Args:
        file: A file that is open for reading in binary mode, at its beginning.
        size: Size of the file in bytes. If the header declares another size, nothing is allocated.

    Returns:
        The array.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not an array, has Python objects, or has another size than its header declares.

    Example:
        >>> import io
        >>> import numpy as np
        >>> from muge_fast._internal.npz import read_array
        >>> file = io.BytesIO()
        >>> np.save(file, np.arange(3))
        >>> _ = file.seek(0)
        >>> read_array(file, len(file.getvalue())).tolist()
        [0, 1, 2]

    """
    with _format_errors():
        try:
            version = np.lib.format.read_magic(file)
            if version not in HEADER_READERS:
                raise ValueError(f"version {version} of the format is not supported")
            shape, _, dtype = HEADER_READERS[version](file)
        except BROKEN_HEADER as error:
            raise ValueError(f"broken header: {_first_line(error)}") from error
        if dtype.hasobject:
            raise ValueError("has Python objects, which are not unpickled")
        declared, present = math.prod(shape) * dtype.itemsize, size - file.tell()
        if declared != present or min(shape, default=0) < 0:
            raise ValueError(f"declares {declared} bytes of data, has {present}")
        file.seek(0)
        array: Array = np.lib.format.read_array(file, allow_pickle=False)
        _check_text(array)
        return array


def save_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Array]) -> None:
    """Write an ``.npz`` file, which appears complete or not at all.

    Args:
        path: The file.
        arrays: The arrays by name.

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
    """Return an object made from the arrays of an ``.npz`` file.

    Args:
        path: The file.
        kind: What the file holds, for errors, such as ``"statistics"``.
        make: Function from the arrays by name to the object. It may raise ``ValueError``, or what NumPy raises for
            arrays of another type or size than it expects.

    Returns:
        The result of ``make``.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not such an archive, its arrays would be too large as float64, or ``make`` refuses it.
            The message names the file.

    Example:
        >>> from muge_fast._internal.npz import load_arrays
        >>> load_arrays("real.npz", "names", sorted)  # doctest: +SKIP
        ['mu', 'sigma']

    """
    with open_file(path) as file:
        try:
            arrays = dict(Archive(file))
            _check_wide(arrays, unpacked_limit(file.seek(0, os.SEEK_END)))
            return make(arrays)
        except BROKEN_CONTENT as error:
            raise ValueError(f"{os.fspath(path)}: not a file of {kind}: {_first_line(error)}") from error


def checked_arrays(archive: Mapping[str, Array]) -> dict[str, Array]:
    """Return all arrays of an archive in memory, which are used as float64.

    Args:
        archive: The archive.

    Returns:
        The arrays by name.

    Raises:
        ValueError: An array is damaged, or they would be too large as float64.

    """
    arrays = dict(archive)
    _check_wide(arrays, unpacked_limit(sum(array.nbytes for array in arrays.values())))
    return arrays


def _check_wide(arrays: Mapping[str, Array], limit: int) -> None:
    """Raise if arrays take more bytes than the limit as float64, in which they are used: a byte becomes eight."""
    size = sum(array.size * max(FLOAT64_BYTES, array.itemsize) for array in arrays.values())
    if size > limit:
        raise ValueError(f"takes {size} bytes as float64, more than the {limit} allowed")


@contextmanager
def named_errors(subject: str) -> Iterator[None]:
    """Put a subject before the message of a ``ValueError``.

    Args:
        subject: What the error is about, such as the name of a file.

    Raises:
        ValueError: The block raised one.

    Example:
        >>> from muge_fast._internal.npz import named_errors
        >>> with named_errors("f.npz"):
        ...     raise ValueError("is empty")
        Traceback (most recent call last):
        ...
        ValueError: f.npz: is empty

    """
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{subject}: {error}") from error


def _check_text(array: Array) -> None:
    """Raise ``ValueError`` for text that cannot be used as ``str``.

    NumPy stores code points as 32-bit integers. Converting those beyond Unicode raises ``SystemError``, and surrogates
    cannot be printed.
    """
    if array.dtype.kind == "U" and array.size:
        code_points = array.reshape(-1).view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        if ((code_points > LAST_CODE_POINT) | (code_points >> 11 == SURROGATES)).any():
            raise ValueError("has text that is not Unicode")


@contextmanager
def _format_errors() -> Iterator[None]:
    """Raise ``ValueError`` for a damaged archive; keep ``OSError`` for errors of the disk or the system."""
    try:
        yield
    except BROKEN_ARCHIVE as error:
        raise ValueError(_first_line(error)) from error
    except OSError as error:
        # A damaged archive makes zipfile seek to a negative offset, which some files report as EINVAL.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise ValueError(_first_line(error)) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
