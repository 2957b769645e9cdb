"""Feature files: ids and vectors, as an encoder has written them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from muge_fast import _core
from muge_fast._internal.atomic import replacing
from muge_fast._internal.paths import refuse_pipes

Features = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]

ID_FIELDS = ("image_id", "text_id", "query_id")
# Rows that are made lines of together.
BLOCK = 4096


def read_features(path: str | os.PathLike[str], *, threads: int | None = None) -> Features:
    """Read the feature JSONL that Chinese-CLIP and the MUGE baseline write, or a file of arrays.

    Each line is ``{"image_id": 42967, "feature": [0.0123, …]}``, with ``image_id``, ``text_id`` or ``query_id``, keys
    in any order. Other fields and blank lines are passed over. Each number is ``numpy.float32(float(text))``.

    Other formats go by the end of the name: ``.npz`` holds an array of ids (``ids`` or one of the three names) and a
    matrix ``features`` (or ``feature``); ``.npy`` holds a matrix alone, and ids are row numbers; ``.parquet``,
    ``.arrow`` and ``.feather`` hold a column of ids with one of the three names and a column ``feature`` of lists,
    which needs the extra ``arrow``. Their numbers are rounded to float32.

    Args:
        path: The file; JSONL is UTF-8.
        threads: Number of threads for JSONL; None for all cores. The result does not depend on it.

    Returns:
        Ids, int64 of shape ``(rows,)``, and features, float32 of shape ``(rows, dimensions)``, in the order of the
        file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line that is not such an object, an id that is no integer, a number that is not finite in
            float32, rows of different lengths, an id that comes twice, no rows at all, a broken file of arrays, or a
            pipe or device. The message names the file and the line or the rows.
        TypeError: Arrays of ids that are no integers of 64 bits, or of features that are no numbers. The message names
            the file.
        ImportError: An Arrow file, and pyarrow is not installed.

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
    # These files are read at places, which a pipe does not have.
    refuse_pipes(path)
    try:
        ids, features = _read(name, threads)
        _refuse_duplicates(ids)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None
    return ids, features


def write_features(
    path: str | os.PathLike[str],
    ids: npt.ArrayLike,
    features: npt.ArrayLike,
    *,
    id_field: str = "image_id",
    threads: int | None = None,
) -> None:
    r"""Write a feature file that :func:`read_features` and Chinese-CLIP read; it appears whole or not at all.

    The format goes by the end of the name, as for :func:`read_features`. In JSONL each number is the shortest text that
    reads back as the same float32.

    Args:
        path: The file.
        ids: Integers, of shape ``(rows,)``.
        features: Numbers that are finite in float32, of shape ``(rows, dimensions)``.
        id_field: ``"image_id"``, ``"text_id"`` or ``"query_id"``.
        threads: Number of threads for JSONL; None for all cores. The file does not depend on it.

    Raises:
        OSError: The file cannot be written.
        ValueError: Shapes that do not fit, no rows, a number that is not finite, an id that comes twice, or ids for
            ``.npy`` that are not row numbers.
        TypeError: Ids that are no integers, features that are no numbers.
        ImportError: An Arrow file, and pyarrow is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> import muge_fast as mf
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "txt_feat.jsonl"
        ...     mf.write_features(path, [8426], [[0.1, -2.0]], id_field="text_id")
        ...     path.read_text()
        '{"text_id":8426,"feature":[0.1,-2.0]}\n'

    """
    if id_field not in ID_FIELDS:
        raise ValueError(f'unknown id_field "{id_field}", choose one of {", ".join(ID_FIELDS)}')
    rows, matrix = _checked(np.asarray(ids), np.asarray(features))
    _refuse_duplicates(rows)
    suffix = Path(path).suffix.lower()
    if suffix == ".npy" and not np.array_equal(rows, np.arange(len(rows))):
        raise ValueError("ids are not row numbers, which a file without ids (.npy) cannot tell")
    if suffix in ARROW:
        # Before there is a file that it fails for.
        _pyarrow()
    with replacing(path) as file:
        if suffix == ".npy":
            np.save(file, matrix, allow_pickle=False)
        elif suffix == ".npz":
            np.savez(file, ids=rows, features=matrix)
        elif suffix in ARROW:
            _write_table(file, suffix, id_field, rows, matrix)
        else:
            for start in range(0, len(rows), BLOCK):
                block = slice(start, start + BLOCK)
                file.writelines(_core.format_feature_lines(rows[block], matrix[block], id_field, threads))


def _read(name: str, threads: int | None) -> Features:
    suffix = Path(name).suffix.lower()
    if suffix == ".npy":
        features = _load(name)
        # A shape may have any number of rows where it has no columns.
        return _checked(np.arange(len(features) if features.ndim and features.size else 0), features)
    if suffix == ".npz":
        return _read_arrays(name)
    if suffix in ARROW:
        return _read_table(name, suffix)
    # Its error names the file.
    Path(name).open("rb").close()
    return _core.read_features(name, threads)


def _refuse_duplicates(ids: npt.NDArray[np.int64]) -> None:
    order = np.argsort(ids, kind="stable")
    twice = np.flatnonzero(ids[order[1:]] == ids[order[:-1]])
    if len(twice):
        first, second = order[twice[0]], order[twice[0] + 1]
        raise ValueError(f"id {ids[first]} comes twice, in rows {first} and {second}")


def _checked(ids: npt.NDArray[Any], features: npt.NDArray[Any]) -> Features:
    """Ids and features in their types, if they are rows that belong together."""
    # By kind and size: the type of the other order of bytes equals none of this machine's.
    if ids.dtype.kind not in "iu" or (ids.dtype.kind == "u" and ids.dtype.itemsize == 8):  # noqa: PLR2004
        raise TypeError(f"ids have dtype {ids.dtype}, need integers of at most 64 bits with a sign")
    if features.dtype.kind not in "fiu":
        raise TypeError(f"features have dtype {features.dtype}, need numbers")
    if not features.size:
        raise ValueError("features are empty, need at least one number")
    if ids.ndim != 1 or features.ndim != 2 or len(ids) != len(features):  # noqa: PLR2004
        raise ValueError(f"ids have shape {ids.shape}, features {features.shape}: need (rows,) and (rows, dimensions)")
    with np.errstate(over="ignore"):
        matrix = np.ascontiguousarray(features, dtype=np.float32)
    bad = np.argwhere(~np.isfinite(matrix))
    if len(bad):
        row, column = bad[0]
        raise ValueError(f"features[{row}, {column}] is {features[row, column]}, needs a finite float32")
    return ids.astype(np.int64), matrix


@contextmanager
def _reading(kind: str) -> Iterator[None]:
    """Whatever the readers of others raise over broken bytes becomes one error that says what the file is not."""
    try:
        yield
    except (ImportError, MemoryError):
        raise
    except Exception as error:
        # A ValueError of our own or of NumPy says enough; an OSError with a number comes from the disk, but for the one
        # of a place before the beginning.
        if type(error) is ValueError or (isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)):
            raise
        lines = str(error).splitlines()
        raise ValueError(f"not {kind}: {lines[0] if lines else type(error).__name__}") from None


# NumPy

# An archive may hold this much, and so many times its size.
FREE_BYTES = 1 << 26
MAX_RATIO = 100


def _load(file: str | IO[bytes]) -> npt.NDArray[Any]:
    try:
        with _reading("a file of an array"):
            array = np.load(file, allow_pickle=False) if isinstance(file, str) else np.lib.format.read_array(file)
    except MemoryError as error:
        # The claim of a header.
        raise ValueError(f"not a file of an array: {error}") from None
    if not isinstance(array, np.ndarray):
        array.close()
        raise ValueError("not a file of an array: an archive")
    return array


def _read_arrays(name: str) -> Features:
    import zipfile  # noqa: PLC0415 - few files are archives

    with _reading("an archive of arrays"), zipfile.ZipFile(name) as archive:
        limit = FREE_BYTES + MAX_RATIO * Path(name).stat().st_size
        size = sum(member.file_size for member in archive.infolist())
        if size > limit:
            raise ValueError(f"holds {size} bytes, more than the {limit} that are allowed for this file")
        names = {Path(member.filename).stem: member for member in archive.infolist()}
        arrays = []
        for known in (("ids", *ID_FIELDS), ("features", "feature")):
            found = [key for key in known if key in names]
            if len(found) != 1:
                raise ValueError(f"has arrays {sorted(names)}, needs one of {', '.join(known)}")
            with archive.open(names[found[0]]) as file:
                arrays.append(_load(file))
    return _checked(*arrays)


# Arrow

ARROW = (".parquet", ".arrow", ".feather")


def _pyarrow() -> Any:  # noqa: ANN401 - it has no types
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.feather  # noqa: PLC0415
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise ImportError("Parquet and Arrow files need pyarrow: pip install 'muge-fast[arrow]'") from error
    return pa


def _read_table(name: str, suffix: str) -> Features:
    pa = _pyarrow()
    # Its error names the file.
    Path(name).open("rb").close()
    with _reading(f"a {suffix[1:]} file"):
        read = pa.parquet.read_table if suffix == ".parquet" else pa.feather.read_table
        table = read(name)
        # Broken offsets would be read beyond the end.
        table.validate(full=True)
        ids, features = _columns(pa, table)
    return _checked(ids, features)


def _columns(pa: Any, table: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:  # noqa: ANN401 - it has no types
    """Ids and features of a table."""
    fields = [field for field in table.column_names if field in ID_FIELDS]
    if len(fields) != 1 or table.column_names.count("feature") != 1:
        raise ValueError(f"has columns {table.column_names}, needs feature and one of {', '.join(ID_FIELDS)}, once")
    ids, feature = (table.column(field).combine_chunks() for field in (fields[0], "feature"))
    if not pa.types.is_integer(ids.type) or not len(ids) or ids.null_count:
        raise ValueError(f"{fields[0]} is a column of {ids.type} with {ids.null_count} nulls, needs integers")
    kind = feature.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not is_list or not pa.types.is_floating(kind.value_type):
        raise ValueError(f"feature is a column of {kind}, needs lists of floating-point numbers")
    lengths = pa.compute.list_value_length(feature).to_numpy(zero_copy_only=False)
    uneven = np.flatnonzero(lengths != lengths[0])
    if len(uneven) or feature.null_count or np.isnan(lengths[0]):
        row = uneven[0] if len(uneven) else 0
        raise ValueError(f"feature[{row}] has {lengths[row]} numbers, the first row has {lengths[0]}")
    values = feature.flatten()
    if values.null_count:
        raise ValueError(f"feature has {values.null_count} nulls among its numbers")
    return ids.to_numpy(), values.to_numpy().reshape(len(ids), int(lengths[0]))


def _write_table(
    file: IO[bytes], suffix: str, id_field: str, ids: npt.NDArray[np.int64], features: npt.NDArray[np.float32]
) -> None:
    pa = _pyarrow()
    column = pa.FixedSizeListArray.from_arrays(pa.array(features.ravel()), features.shape[1])
    table = pa.table({id_field: pa.array(ids), "feature": column})
    if suffix == ".parquet":
        pa.parquet.write_table(table, file)
    else:
        pa.feather.write_feather(table, file, compression="uncompressed")
