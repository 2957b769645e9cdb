"""States of objects as bytes that are safe to read from anybody: arrays in NumPy's ``.npz`` format, and a version.

Nothing is unpickled, and what an archive may unpack to is bounded, see :mod:`muge_fast._internal.npz`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from muge_fast._internal.json_text import parse_json
from muge_fast._internal.npz import Archive

T = TypeVar("T")
Array = npt.NDArray[Any]

VERSION = 1
NAME = "muge_fast_state"
LONGEST_NAME = 100

# What code raises for arrays of unexpected types and sizes, and for deeply nested JSON.
BROKEN = (ValueError, TypeError, KeyError, IndexError, ArithmeticError, AttributeError, RecursionError)


def pack(kind: str, arrays: Mapping[str, Array]) -> bytes:
    """Return arrays as bytes, with the kind of the object and the version of the format.

    Args:
        kind: Name of the class, such as ``"Scores"``.
        arrays: The arrays by name.

    Returns:
        An ``.npz`` archive. Equal arrays give equal bytes.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.states import kind_of, pack
        >>> kind_of(pack("Scores", {"rows": np.zeros(2)}))
        'Scores'

    """
    file = io.BytesIO()
    # The first member, so that the kind is read without the others.
    np.savez(file, **{NAME: np.array(f"{kind} {VERSION}"), **arrays})  # type: ignore[arg-type]
    return file.getvalue()


def unpack(data: bytes, kind: str, make: Callable[[Mapping[str, Array]], T]) -> T:
    """Return the object of a state.

    Args:
        data: Bytes of :func:`pack`, of any origin.
        kind: Name of the class.
        make: Function from the arrays by name to the object. It may raise what NumPy raises for unexpected arrays.

    Returns:
        The object.

    Raises:
        TypeError: ``data`` is not bytes.
        ValueError: The bytes are not a state of this kind and version, or are damaged.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.states import pack, unpack
        >>> unpack(pack("Scores", {"rows": np.zeros(2)}), "Scores", lambda arrays: arrays["rows"].tolist())
        [0.0, 0.0]

    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"data must be bytes, got {type(data).__name__}")
    try:
        archive = Archive(io.BytesIO(data))
        found, version = _kind_and_version(archive)
        if found != kind:
            raise ValueError(f"it is a state of {found}")
        if version != VERSION:
            raise ValueError(f"its format has version {version}, this package reads {VERSION}")
        return make(archive)
    except BROKEN as error:
        problem = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(f"not a state of {kind}: {problem}") from error


def kind_of(data: bytes) -> str:
    """Return the name of the class whose state bytes are.

    Args:
        data: Bytes of :func:`pack`, of any origin.

    Returns:
        The name.

    Raises:
        ValueError: The bytes are not a state.

    Example:
        >>> from muge_fast._internal.states import kind_of
        >>> kind_of(b"PK")
        Traceback (most recent call last):
        ...
        ValueError: not a state: File is not a zip file

    """
    try:
        return _kind_and_version(Archive(io.BytesIO(data)))[0]
    except BROKEN as error:
        raise ValueError(f"not a state: {str(error).partition(chr(10))[0]}") from error


def _kind_and_version(archive: Archive) -> tuple[str, int]:
    if NAME not in archive:
        raise ValueError(f"it has no array {NAME!r}")
    array = archive[NAME]
    if array.dtype.kind != "U" or array.ndim or array.size != 1:
        raise ValueError(f"array {NAME!r} is not a text")
    kind, _, version = str(array)[:LONGEST_NAME].partition(" ")
    if not kind.isidentifier() or not version.isdecimal() or not version.isascii():
        raise ValueError(f"array {NAME!r} does not name a kind and a version")
    return kind, int(version)


def json_array(value: object) -> Array:
    """Return a value as an array of the bytes of its JSON.

    Args:
        value: A value that JSON can represent.

    Returns:
        uint8 of one axis.

    Example:
        >>> from muge_fast._internal.states import json_array, json_value
        >>> json_value({"x": json_array([1, "红"])}, "x")
        [1, '红']

    """
    return np.frombuffer(json.dumps(value).encode("ascii"), dtype=np.uint8)


def json_value(arrays: Mapping[str, Array], name: str) -> Any:  # noqa: ANN401 - of any type
    """Return the value of an array of :func:`json_array`.

    Args:
        arrays: The arrays by name.
        name: Name of the array.

    Returns:
        The value.

    Raises:
        ValueError: The array is missing or not JSON.

    """
    return parse_json(array_of(arrays, name, "u1", 1).tobytes())


def array_of(arrays: Mapping[str, Array], name: str, dtype: str, axes: int) -> Array:
    """Return an array of a known type in the byte order of this machine.

    Args:
        arrays: The arrays by name.
        name: Name of the array.
        dtype: Its type, such as ``"<f8"``.
        axes: Its number of axes.

    Returns:
        The array in C order.

    Raises:
        ValueError: The array is missing, damaged, or of another type or number of axes.

    Example:
        >>> import numpy as np
        >>> from muge_fast._internal.states import array_of
        >>> array_of({"x": np.zeros(2)}, "x", "<f8", 1).tolist()
        [0.0, 0.0]

    """
    if name not in arrays:
        raise ValueError(f"it has no array {name!r}")
    array = arrays[name]
    if array.ndim != axes or array.dtype != np.dtype(dtype):
        raise ValueError(f"array {name!r} has {array.ndim} axes and type {array.dtype}, needs {axes} and {dtype}")
    return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False))
