"""Feature files in Parquet and Arrow formats, which need pyarrow."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from muge_fast._internal.field_names import FEATURE_IDS
from muge_fast._internal.ids import IdArray
from muge_fast._internal.optional import import_optional
from muge_fast.features.validation import FeatureFile, check_features

if TYPE_CHECKING:
    import pyarrow as pa

FORMATS = {".parquet": "a Parquet file", ".arrow": "an Arrow file", ".feather": "a Feather file"}
STRINGS = ("string", "large_string", "string_view")
"""Types of columns of strings."""


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
    for name in ("pyarrow.feather", "pyarrow.parquet", "pyarrow"):
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
    # Raises an error that names the file if it is missing.
    Path(path).open("rb").close()
    with _format_errors(pyarrow, f"not {FORMATS[suffix]}"):
        read = pyarrow.parquet.read_table if suffix == ".parquet" else pyarrow.feather.read_table
        table = read(path)
        # Without this, broken offsets would read beyond the end of buffers.
        table.validate(full=True)
        field, ids, features = _columns(pyarrow, table)
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


def _columns(pyarrow: ModuleType, table: pa.Table) -> tuple[str, object, npt.NDArray[Any]]:
    fields = [field for field in table.column_names if field in FEATURE_IDS]
    if len(fields) != 1 or table.column_names.count("feature") != 1:
        raise ValueError(f"has columns {table.column_names}, needs feature and one of {', '.join(FEATURE_IDS)}, once")
    ids, feature = (table.column(field).combine_chunks() for field in (fields[0], "feature"))
    if not len(ids):
        raise ValueError("has no rows")
    if pyarrow.types.is_dictionary(ids.type):
        ids = ids.dictionary_decode()
    if ids.null_count:
        raise ValueError(f"{fields[0]}[{_first_null(ids)}] is null, every row needs an id")
    if pyarrow.types.is_integer(ids.type):
        return fields[0], ids.to_numpy(), _matrix(pyarrow, feature)
    if str(ids.type) not in STRINGS:
        raise ValueError(f"{fields[0]} is a column of {ids.type}, needs integers or strings")
    return fields[0], ids.to_pylist(), _matrix(pyarrow, feature)


def _matrix(pyarrow: ModuleType, feature: pa.Array) -> npt.NDArray[Any]:
    types = pyarrow.types
    is_list = any(check(feature.type) for check in (types.is_list, types.is_large_list, types.is_fixed_size_list))
    if not is_list or not types.is_floating(feature.type.value_type):
        raise ValueError(f"feature is a column of {feature.type}, needs lists of floating-point numbers")
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
        raise ValueError(f"{problem}: {lines[0] if lines else type(error).__name__}") from error
