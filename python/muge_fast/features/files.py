"""Feature files: the ids and embeddings that an encoder wrote, in any of several formats."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.atomic import replacing
from muge_fast._internal.checks import check_choice
from muge_fast._internal.field_names import FEATURE_IDS
from muge_fast._internal.paths import refuse_pipes
from muge_fast.features import arrays, arrow
from muge_fast.features.validation import Features, check_features, check_unique_ids

ROWS_PER_WRITE = 4096
"""Number of rows that are formatted as JSON at once."""


def read_features(path: str | os.PathLike[str], *, threads: int | None = None) -> Features:
    """Read the ids and features of a feature file.

    The format follows from the suffix of the path:

    - JSON Lines, for any suffix that is not listed here, as Chinese-CLIP and the MUGE baseline write it: a line is
      ``{"image_id": 42967, "feature": [0.0123, …]}``, with ``image_id``, ``text_id`` or ``query_id``, in any order of
      fields. Other fields and blank lines are ignored. A number becomes ``numpy.float32(float(text))``.
    - ``.npz``: an integer array ``ids`` (or ``image_id``, ``text_id``, ``query_id``) of shape ``(rows,)`` and an array
      ``features`` (or ``feature``) of shape ``(rows, dimensions)``, rounded to float32. Arrays may unpack to 16 MiB
      plus 20 times the size of the file.
    - ``.npy``: an array of shape ``(rows, dimensions)``, rounded to float32. Ids are row indices.
    - ``.parquet``, ``.arrow``, ``.feather``: a column ``image_id``, ``text_id`` or ``query_id`` of integers and a
      column ``feature`` of lists of floating-point numbers, rounded to float32. This needs pyarrow:
      ``pip install 'muge-fast[arrow]'``.

    Files may come from anywhere: nothing in them is executed.

    Args:
        path: The file; JSON Lines are UTF-8.
        threads: Number of threads for JSON Lines; None for all cores. The result does not depend on it.

    Returns:
        Ids, int64 of shape ``(rows,)``, and features, float32 of shape ``(rows, dimensions)``, in the order of the
        file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line or the file is not in the format, an id is not an integer or occurs twice, a number is not
            finite in float32, rows have different lengths, there are no rows, or the path is a pipe or a device. The
            message names the file and the line or row.
        TypeError: An array of ids does not have integers that fit in int64, or an array of features does not have
            numbers. The message names the file.
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
    name = os.fspath(path)
    # All formats are read at offsets, which a pipe does not have.
    refuse_pipes(path)
    try:
        ids, features = _read(name, threads)
        check_unique_ids(ids)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from error
    return ids, features


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
        ids: Different integers of shape ``(rows,)``. For ``.npy``, which has no ids, they must be 0, 1, 2, ….
        features: Numbers of shape ``(rows, dimensions)``, rounded to float32, at least one row.
        id_field: Name of the field or column of ids: ``"image_id"``, ``"text_id"`` or ``"query_id"``. An ``.npz`` has
            ``ids`` in any case.
        threads: Number of threads for JSON Lines; None for all cores. The file does not depend on it.

    Raises:
        OSError: The file cannot be written.
        ValueError: Shapes do not match, there are no rows, a number is not finite in float32, an id occurs twice, ids
            for ``.npy`` are not row indices, or ``id_field`` is unknown.
        TypeError: Ids are not integers that fit in int64, or features are not numbers.
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
    rows, matrix = check_features(np.asarray(ids), np.asarray(features))
    check_unique_ids(rows)
    suffix = Path(path).suffix.lower()
    if suffix == ".npy" and not np.array_equal(rows, np.arange(len(rows))):
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


def _read(path: str, threads: int | None) -> Features:
    suffix = Path(path).suffix.lower()
    if suffix == ".npy":
        return arrays.read_npy(path)
    if suffix == ".npz":
        return arrays.read_npz(path)
    if suffix in arrow.FORMATS:
        return arrow.read_table(path, suffix)
    # Raises an error that names the file if it is missing.
    Path(path).open("rb").close()
    return _core.read_features(path, threads)


def _write_lines(
    file: IO[bytes],
    id_field: str,
    ids: npt.NDArray[np.int64],
    features: npt.NDArray[np.float32],
    threads: int | None,
) -> None:
    for start in range(0, len(ids), ROWS_PER_WRITE):
        rows = slice(start, start + ROWS_PER_WRITE)
        file.writelines(_core.format_feature_lines(ids[rows], features[rows], id_field, threads))
