"""Feature files: the ids and embeddings that an encoder wrote, in any of several formats."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.atomic import replacing
from muge_fast._internal.checks import check_choice
from muge_fast._internal.dlpack import resolve_negation
from muge_fast._internal.field_names import FEATURE_IDS
from muge_fast._internal.file_kinds import HEAD_BYTES, binary_kind, kind_message, text_kind
from muge_fast._internal.ids import IdArray, id_array, quoted_id, refuse_surrogates, repeated_rows, unique_ids
from muge_fast._internal.labelled import labelled_kind, refuse_other_index, refuse_unordered
from muge_fast._internal.paths import FileTypeError, open_named, read_head
from muge_fast._internal.row_kinds import row_kind
from muge_fast.features import arrays, arrow
from muge_fast.features.validation import FeatureFile, Features, check_features

ROWS_PER_WRITE = 4096
"""Number of rows that are formatted as JSON at once."""

BINARY_SUFFIXES = (".npy", ".npz", *arrow.FORMATS)
"""Suffixes of files that are not JSON Lines."""

SUFFIXES = {"npy": (".npy",), "npz": (".npz",), "parquet": (".parquet",), "arrow": (".arrow", ".feather")}
"""Suffixes of the kinds of files that can be read under another name."""

EXAMPLE = '{"image_id": 42967, "feature": [0.0123, -0.0456]}'
MIN_BYTES = 4
"""Size of the floats that NumPy has in all versions."""


def read_features(path: str | os.PathLike[str], *, threads: int | None = None) -> Features:
    """Read the ids and features of a feature file.

    The format follows from the suffix of the path:

    - JSON Lines, for any suffix that is not listed here, as Chinese-CLIP and the MUGE baseline write it: a line is
      ``{"image_id": 42967, "feature": [0.0123, …]}``, with ``image_id``, ``item_id``, ``text_id`` or ``query_id``, the
      same in all lines, in any order of fields. Other fields and blank lines are ignored. A number becomes
      ``numpy.float32(float(text))``.
    - ``.npz``: an array ``ids`` (or ``image_id``, ``item_id``, ``text_id``, ``query_id``) of integers or strings, of
      shape ``(rows,)``, and an array ``features`` (or ``feature``) of shape ``(rows, dimensions)``, rounded to float32.
      Arrays may unpack to 16 MiB plus 20 times the size of the file.
    - ``.npy``: an array of shape ``(rows, dimensions)``, rounded to float32. Ids are row indices.
    - ``.parquet``, ``.arrow``, ``.feather``: a column ``image_id``, ``item_id``, ``text_id`` or ``query_id`` of
      integers or strings and a column ``feature`` of lists of floating-point numbers, rounded to float32. Both may
      unpack to 16 MiB plus 20 times the size of the file. This needs pyarrow: ``pip install 'muge-fast[arrow]'``.

    Ids are integers of at most 64 bits, or strings, all of one type.

    Files may come from anywhere: nothing in them is executed.

    Args:
        path: The file; JSON Lines are UTF-8.
        threads: Number of threads for JSON Lines; None for all cores. The result does not depend on it.

    Returns:
        Ids of shape ``(rows,)``, and features, float32 of shape ``(rows, dimensions)``, in the order of the file. Ids
        that are integers are int64; strings are ``str`` in an array of dtype object.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line or the file is not in the format, an id is neither an integer nor a string or occurs twice,
            some ids are integers and some are strings, a number is not finite in float32, rows have different lengths,
            there are no rows, or the path is a pipe or a device. The message names the file and the line or row.
        TypeError: An array of ids does not have integers or strings, or an array of features does not have numbers. The
            message names the file.
        ImportError: The file is a Parquet or Arrow file, and pyarrow is not installed.

    Example:
        >>> import json, pathlib, tempfile
        >>> import muge_fast as mf
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "img_feat.jsonl"
        ...     _ = path.write_text(json.dumps({"image_id": 42967, "feature": [0.5, -0.25]}))
        ...     ids, features = mf.read_features(path)
        >>> ids.tolist(), features.tolist()
        ([42967], [[0.5, -0.25]])

    """
    ids, features, _ = read_feature_file(path, threads=threads)
    return ids, features


def read_feature_file(path: str | os.PathLike[str], *, threads: int | None = None) -> FeatureFile:
    """Read a feature file as :func:`read_features` does, with the name of the field of its ids.

    Args:
        path: The file.
        threads: Number of threads for JSON Lines; None for all cores.

    Returns:
        Ids, features, and the name of the ids.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not a feature file, or a row is invalid; the message names the file and the row.
        TypeError: An array has ids or features of a wrong type.
        ImportError: The file is a Parquet or Arrow file, and pyarrow is not installed.

    Example:
        >>> from muge_fast.features.files import read_feature_file
        >>> read_feature_file("txt_feat.jsonl").id_field  # doctest: +SKIP
        'query_id'

    """
    name = os.fspath(path)
    try:
        file = _read(name, threads)
    except FileTypeError:
        # A pipe or a device: all formats are read at offsets.
        raise
    except ValueError as error:
        raise ValueError(f"{name}: {_foreign_kind(name) or error}") from error
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from error
    rows = repeated_rows(file.ids)
    if rows is not None:
        raise ValueError(f"{name}: {_repeated(name, file.ids, rows)}")
    return file


def write_features(
    path: str | os.PathLike[str],
    ids: npt.ArrayLike,
    features: npt.ArrayLike,
    *,
    id_field: str = "image_id",
    threads: int | None = None,
) -> None:
    r"""Write a feature file atomically.

    The format follows from the suffix of the path: ``.npz``, ``.npy``, ``.parquet``, ``.arrow``, ``.feather``, and for
    any other suffix JSON Lines as Chinese-CLIP reads them, ``{"image_id":42967,"feature":[0.0123,…]}``, where a number
    is the shortest text that reads back as the same float32. :func:`read_features` reads all of them.

    Args:
        path: The file.
        ids: Different integers, or different strings, of shape ``(rows,)``. For ``.npy``, which has no ids, they must
            be 0, 1, 2, ….
        features: Numbers of shape ``(rows, dimensions)``, rounded to float32, at least one row: an array, a tensor,
            nested lists, a DataFrame, or a column of vectors of pandas, polars, Arrow or Hugging Face datasets.
        id_field: Name of the field or column of ids: ``"image_id"``, ``"item_id"``, ``"text_id"`` or ``"query_id"``. An
            ``.npz`` has ``ids`` in any case.
        threads: Number of threads for JSON Lines; None for all cores. The file does not depend on it.

    Raises:
        OSError: The file cannot be written.
        ValueError: Shapes do not match, there are no rows, a number is not finite in float32, an id occurs twice, does
            not fit in int64 or is not valid Unicode, ids and features are pandas objects with different indexes, ids
            for ``.npy`` are not row indices, or ``id_field`` is unknown.
        TypeError: Ids are neither all integers nor all strings, or features are not numbers.
        ImportError: The path names a Parquet or Arrow file, and pyarrow is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> import muge_fast as mf
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "txt_feat.jsonl"
        ...     mf.write_features(path, [8426], [[0.1, -2.0]], id_field="text_id")
        ...     path.read_text()
        '{"text_id":8426,"feature":[0.1,-2.0]}\n'

    """
    check_choice("id_field", id_field, FEATURE_IDS)
    refuse_other_index(features, ids, ("features", "ids"))
    rows, matrix = check_features(ids, _as_matrix(features))
    unique_ids(rows, "ids")
    refuse_surrogates(rows, "ids")
    suffix = Path(path).suffix.lower()
    if suffix == ".npy" and (rows.dtype.kind == "O" or not np.array_equal(rows, np.arange(len(rows)))):
        raise ValueError("ids are not row indices, and an .npy file has no other ids")
    if suffix in arrow.FORMATS:
        # Fail before a temporary file is made.
        arrow.import_pyarrow()
    with replacing(path) as file:
        if suffix == ".npy":
            arrays.write_npy(file, matrix)
        elif suffix == ".npz":
            arrays.write_npz(file, rows, matrix)
        elif suffix in arrow.FORMATS:
            arrow.write_table(file, suffix, id_field, rows, matrix)
        else:
            _write_lines(file, id_field, rows, matrix, threads)


def _read(path: str, threads: int | None) -> FeatureFile:
    suffix = Path(path).suffix.lower()
    if suffix == ".npy":
        return arrays.read_npy(path)
    if suffix == ".npz":
        return arrays.read_npz(path)
    if suffix in arrow.FORMATS:
        return arrow.read_table(path, suffix)
    # The core opens it with the same care, but knows fewer types of exceptions.
    open_named(path).close()
    ids, features, id_field = _core.read_features(path, threads)
    return FeatureFile(id_array(ids, "ids"), features, id_field)


def _repeated(path: str, ids: IdArray, rows: tuple[int, int]) -> str:
    """Return the error for an id that occurs twice, with the lines of a text file."""
    words, row = "rows", rows[0]
    if Path(path).suffix.lower() not in BINARY_SUFFIXES:
        with open_named(path) as file:
            words, numbers = "lines", [number for number, line in enumerate(file, 1) if line.strip(b" \t\r\n")]
        rows = numbers[rows[0]], numbers[rows[1]]
    return f"id {quoted_id(ids[row])} occurs twice, in {words} {rows[0]} and {rows[1]}"


def _foreign_kind(path: str) -> str | None:
    """Return what a file is that could not be read, if it is not of the format that its suffix says."""
    suffix = Path(path).suffix.lower()
    head = read_head(path, HEAD_BYTES)
    if not head:
        return "the file is empty"
    code = binary_kind(head)
    if code == "binary" and head.lstrip()[:1] == b"{":
        # A line of JSON with a few odd bytes, whose error names the line.
        return None
    if code is None and suffix not in BINARY_SUFFIXES:
        code = text_kind(head)
        rows = None if code else row_kind(head)
        if rows is not None and rows.task != "features":
            return f"the file is {rows.name()}, needs lines with an id and a feature"
    if code is None or suffix in SUFFIXES.get(code, ()):
        return None
    if code in SUFFIXES:
        message = kind_message(code).removesuffix(", not text")
        return f"{message}; the name of such a file must end in {' or '.join(SUFFIXES[code])}"
    return kind_message(code, row=EXAMPLE)


def _as_matrix(features: object) -> npt.NDArray[Any]:
    """Return an argument as an array; tensors of torch may be on any device."""
    if labelled_kind(features) in ("series", "column"):
        from muge_fast._internal.vectors import vectors_of_column  # noqa: PLC0415 - few callers have columns of vectors

        features = vectors_of_column(features, "features")
    kind = labelled_kind(features)
    if kind == "masked":
        refuse_unordered(features, "features")
    if kind == "tensor":
        tensor = cast("Any", resolve_negation(cast("Any", features).detach().cpu()))
        # NumPy has no bfloat16.
        return np.asarray(tensor.float() if tensor.is_floating_point() and tensor.itemsize < MIN_BYTES else tensor)
    return np.asarray(features)


def _write_lines(
    file: IO[bytes],
    id_field: str,
    ids: IdArray,
    features: npt.NDArray[np.float32],
    threads: int | None,
) -> None:
    for start in range(0, len(ids), ROWS_PER_WRITE):
        rows = slice(start, start + ROWS_PER_WRITE)
        part = ids[rows].tolist() if ids.dtype.kind == "O" else ids[rows]
        file.writelines(_core.format_feature_lines(part, features[rows], id_field, threads))
