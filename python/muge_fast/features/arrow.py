"""Feature files in Parquet and Arrow formats, which need pyarrow."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from muge_fast._internal.display import format_argument, format_id
from muge_fast._internal.field_names import FEATURE_IDS
from muge_fast._internal.ids import IdArray
from muge_fast._internal.npz import unpacked_limit
from muge_fast._internal.optional import import_optional
from muge_fast._internal.paths import open_named
from muge_fast.features.validation import FeatureFile, check_features

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = {".parquet": "a Parquet file", ".arrow": "an Arrow file", ".feather": "a Feather file"}
STRINGS = ("string", "large_string", "string_view")
"""Types of columns of strings."""

WIDTHS = {"INT32": 4, "INT64": 8, "FLOAT": 4, "DOUBLE": 8, "BYTE_ARRAY": 0}
"""Bytes of a value of each physical type of Parquet; other types have their own length."""

LISTED_COLUMNS = 8
"""Names of columns that an error lists."""


def import_pyarrow() -> ModuleType:
    """Import pyarrow with its readers of Parquet and Arrow files.

    Returns:
        The module ``pyarrow``.

    Raises:
        ImportError: pyarrow is not installed.

    Example:
        >>> from muge_fast.features.arrow import import_pyarrow
        >>> import_pyarrow().__name__  # doctest: +SKIP
        'pyarrow'

    """
    for name in ("pyarrow.compute", "pyarrow.feather", "pyarrow.parquet", "pyarrow"):
        module = import_optional(name, purpose="Parquet and Arrow files", install="muge-fast[arrow]")
    return module


def read_table(path: str, suffix: str) -> FeatureFile:
    """Read ids and features from a Parquet or Arrow file.

    Args:
        path: Path of the file. It has one column of integers or strings named ``image_id``, ``item_id``, ``text_id`` or
            ``query_id``, and one named ``feature`` of lists of floating-point numbers, all of one length. Other columns
            are ignored.
        suffix: ``".parquet"``, ``".arrow"`` or ``".feather"``.

    Returns:
        Ids, features, and the name of the column of ids.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not such a table, has no rows, has nulls, a feature is not finite, or an id does not fit
            in int64.
        ImportError: pyarrow is not installed.

    Example:
        >>> from muge_fast.features.arrow import read_table
        >>> read_table("img_feat.parquet", ".parquet").id_field  # doctest: +SKIP
        'image_id'

    """
    pyarrow = import_pyarrow()
    # One open file for checks and reading, so that it cannot be replaced between them.
    with open_named(path) as opened, _format_errors(pyarrow, f"not {FORMATS[suffix]}"):
        file = pyarrow.PythonFile(opened, mode="r")
        table = _parquet_table(pyarrow, file) if suffix == ".parquet" else _arrow_table(pyarrow, file)
        # Without this, broken offsets would read beyond the end of buffers.
        table.validate(full=True)
        limit = unpacked_limit(file.seek(0, os.SEEK_END))
        field, ids, features = _columns(pyarrow, table, limit)
    return FeatureFile(*check_features(ids, features), field)


def write_table(file: IO[bytes], suffix: str, id_field: str, ids: IdArray, features: npt.NDArray[np.float32]) -> None:
    """Write ids and features to a Parquet or Arrow file.

    Args:
        file: A file that was opened for writing in binary mode.
        suffix: ``".parquet"``, ``".arrow"`` or ``".feather"``.
        id_field: Name of the column of ids.
        ids: Ids of shape ``(rows,)``, int64 or ``str``.
        features: Features of shape ``(rows, dimensions)``.

    Raises:
        OSError: The file cannot be written.
        ImportError: pyarrow is not installed.

    Example:
        >>> import io
        >>> import numpy as np
        >>> from muge_fast.features.arrow import write_table
        >>> features = np.array([[0.5]], dtype="float32")
        >>> write_table(io.BytesIO(), ".parquet", "image_id", np.array([7]), features)  # doctest: +SKIP

    """
    pyarrow = import_pyarrow()
    column = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(features.ravel()), features.shape[1])
    table = pyarrow.table({id_field: pyarrow.array(ids), "feature": column})
    if suffix == ".parquet":
        pyarrow.parquet.write_table(table, file)
    else:
        pyarrow.feather.write_feather(table, file, compression="uncompressed")


def _parquet_table(pyarrow: ModuleType, file: IO[bytes]) -> pa.Table:
    """Read the columns of ids and features, after a check of their types and unpacked sizes."""
    from muge_fast.features.parquet_pages import check_pages, read_footer  # noqa: PLC0415 - few files are tables

    footer = read_footer(file)
    opened = pyarrow.parquet.ParquetFile(file)
    names = _column_names(opened.schema_arrow)
    if not opened.metadata.num_rows:
        raise ValueError("has no rows")
    _check_types(pyarrow, opened.schema_arrow, *names)
    columns = {}
    for index in range(opened.metadata.num_columns):
        column = opened.schema.column(index)
        if column.path.split(".")[0] in names:
            columns[index] = WIDTHS.get(column.physical_type, max(0, column.length))
    if check_pages(file, footer, columns):
        # Strings stay in dictionaries, where one may stand for many.
        opened = pyarrow.parquet.ParquetFile(file, read_dictionary=names[:1])
    return opened.read(columns=list(names))


def _arrow_table(pyarrow: ModuleType, file: IO[bytes]) -> pa.Table:
    """Read the columns of ids and features, after a check of their types and unpacked sizes."""
    from muge_fast.features.arrow_buffers import check_buffers  # noqa: PLC0415 - few files are tables

    check_buffers(file)
    file.seek(0)
    opened = pyarrow.ipc.open_file(file)
    names = _column_names(opened.schema)
    if not opened.num_record_batches:
        raise ValueError("has no rows")
    _check_types(pyarrow, opened.schema, *names)
    file.seek(0)
    options = pyarrow.ipc.IpcReadOptions(included_fields=sorted(map(opened.schema.names.index, names)))
    return pyarrow.ipc.open_file(file, options=options).read_all()


def _column_names(schema: pa.Schema) -> tuple[str, str]:
    """Return the names of the columns of ids and of features."""
    fields = [name for name in schema.names if name in FEATURE_IDS]
    if len(fields) != 1 or schema.names.count("feature") != 1:
        listed = ", ".join(map(format_argument, schema.names[:LISTED_COLUMNS]))
        more = f", and {len(schema.names) - LISTED_COLUMNS} more" if len(schema.names) > LISTED_COLUMNS else ""
        raise ValueError(f"has columns [{listed}{more}], needs feature and one of {', '.join(FEATURE_IDS)}, once")
    return fields[0], "feature"


def _check_types(pyarrow: ModuleType, schema: pa.Schema, field: str, feature: str) -> None:
    types = pyarrow.types
    id_type, feature_type = schema.field(field).type, schema.field(feature).type
    value_type = id_type.value_type if types.is_dictionary(id_type) else id_type
    if not types.is_integer(value_type) and str(value_type) not in STRINGS:
        raise ValueError(f"{field} is a column of {format_id(id_type)}, needs integers or strings")
    is_list = any(check(feature_type) for check in (types.is_list, types.is_large_list, types.is_fixed_size_list))
    if not is_list or not types.is_floating(feature_type.value_type):
        raise ValueError(f"feature is a column of {format_id(feature_type)}, needs lists of floating-point numbers")


def _columns(pyarrow: ModuleType, table: pa.Table, limit: int) -> tuple[str, object, npt.NDArray[Any]]:
    field = next(name for name in table.column_names if name != "feature")
    if not table.num_rows:
        raise ValueError("has no rows")
    column = table.column(field)
    _check_decoded(pyarrow, column, limit)
    if pyarrow.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    ids = column.combine_chunks()
    if ids.null_count:
        raise ValueError(f"{field}[{_first_null(ids)}] is null, every row needs an id")
    values = ids.to_numpy() if pyarrow.types.is_integer(ids.type) else ids.to_pylist()
    return field, values, _matrix(pyarrow, table.column("feature").combine_chunks())


def _check_decoded(pyarrow: ModuleType, column: pa.ChunkedArray, limit: int) -> None:
    """Raise ``ValueError`` for strings that share bytes, in dictionaries or views, and are too long without that."""
    types, total = pyarrow.types, 0
    for chunk in column.chunks:
        lengths = _lengths(pyarrow, chunk.dictionary if types.is_dictionary(chunk.type) else chunk)
        if types.is_dictionary(chunk.type):
            lengths = lengths.take(chunk.indices)
        total += pyarrow.compute.sum(lengths).as_py() or 0
        if total > limit:
            raise ValueError(f"ids unpack to more than the {limit} bytes allowed, 16 MiB plus 20 times the file's size")


def _lengths(pyarrow: ModuleType, values: pa.Array) -> pa.Array:
    """Return the length of each string in bytes; 0 for other values."""
    if pyarrow.types.is_integer(values.type):
        return pyarrow.array(np.zeros(len(values), dtype=np.int64))
    if str(values.type) == "string_view":
        # A view begins with its length.
        views = np.frombuffer(values.buffers()[1], dtype=np.int32).reshape(-1, 4)
        return pyarrow.array(views[values.offset :][: len(values), 0].astype(np.int64))
    return pyarrow.compute.binary_length(values).cast("int64")


def _matrix(pyarrow: ModuleType, feature: pa.Array) -> npt.NDArray[Any]:
    if feature.null_count:
        raise ValueError(f"feature[{_first_null(feature)}] is null, every row needs a list of numbers")
    lengths = pyarrow.compute.list_value_length(feature).to_numpy(zero_copy_only=False)
    uneven = np.flatnonzero(lengths != lengths[0])
    if len(uneven):
        row = uneven[0]
        raise ValueError(f"feature[{row}] has {lengths[row]} numbers, the first row has {lengths[0]}")
    values = feature.flatten()
    if values.null_count:
        row, column = divmod(_first_null(values), int(lengths[0]))
        raise ValueError(f"feature[{row}] is null at [{column}], needs a finite number")
    matrix: npt.NDArray[Any] = values.to_numpy().reshape(len(feature), int(lengths[0]))
    return matrix


def _first_null(values: pa.Array) -> int:
    return int(values.is_null().to_numpy(zero_copy_only=False).argmax())


@contextmanager
def _format_errors(pyarrow: ModuleType, problem: str) -> Iterator[None]:
    """Raise one ``ValueError`` for the errors that pyarrow and the conversion to NumPy raise for damaged files."""
    try:
        yield
    except MemoryError:
        raise
    except (pyarrow.ArrowException, ValueError, LookupError, OverflowError, OSError) as error:
        # The ValueErrors of this module need no explanation. pyarrow reports most damage as an OSError without a
        # errno, and bad offsets as EINVAL; any other errno is an error of the disk.
        if type(error) is ValueError or (isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)):
            raise
        lines = str(error).splitlines()
        raise ValueError(f"{problem}: {format_id(lines[0], 200) if lines else type(error).__name__}") from error
