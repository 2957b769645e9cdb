"""Feature files in NumPy's formats: ``.npz`` with ids and features, ``.npy`` with features alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from muge_fast._internal.field_names import FEATURE_IDS
from muge_fast._internal.npz import Archive, Array, named_errors, read_array
from muge_fast.features.validation import Features, check_features

ID_ARRAYS = ("ids", *FEATURE_IDS)
FEATURE_ARRAYS = ("features", "feature")


def read_npz(path: str) -> Features:
    """Read ids and features from an ``.npz`` file.

    Args:
        path: Path of the file. It has one array named ``ids``, ``image_id``, ``text_id`` or ``query_id``, and one named
            ``features`` or ``feature``. Other arrays are not read.

    Returns:
        Ids, int64 of shape ``(rows,)``, and features, float32 of shape ``(rows, dimensions)``.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not such an archive, shapes do not match, or a feature is not finite.
        TypeError: Ids are not integers, or features are not numbers.

    Example:
        >>> from muge_fast.features.arrays import read_npz
        >>> ids, features = read_npz("img_feat.npz")  # doctest: +SKIP

    """
    with Path(path).open("rb") as file, named_errors("not an archive of features"):
        archive = Archive(file)
        ids = _only_array(archive, ID_ARRAYS)
        features = _only_array(archive, FEATURE_ARRAYS)
    return check_features(ids, features)


def read_npy(path: str) -> Features:
    """Read features from an ``.npy`` file.

    Args:
        path: Path of the file, one array of shape ``(rows, dimensions)``.

    Returns:
        Row indices as ids, int64 of shape ``(rows,)``, and features, float32 of shape ``(rows, dimensions)``.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not an array, has a different shape, or a feature is not finite.
        TypeError: Features are not numbers.

    Example:
        >>> from muge_fast.features.arrays import read_npy
        >>> ids, features = read_npy("img_feat.npy")  # doctest: +SKIP

    """
    with Path(path).open("rb") as file, named_errors("not an array of features"):
        features = read_array(file, os.fstat(file.fileno()).st_size)
    # A header may declare any number of rows without columns, so count rows only where there is data.
    rows = len(features) if features.ndim and features.size else 0
    return check_features(np.arange(rows), features)


def write_npz(file: IO[bytes], ids: npt.NDArray[np.int64], features: npt.NDArray[np.float32]) -> None:
    """Write ids and features to an ``.npz`` file.

    Args:
        file: A file that was opened for writing in binary mode.
        ids: Ids of shape ``(rows,)``.
        features: Features of shape ``(rows, dimensions)``.

    Raises:
        OSError: The file cannot be written.

    Example:
        >>> import io
        >>> import numpy as np
        >>> from muge_fast.features.arrays import write_npz
        >>> write_npz(io.BytesIO(), np.array([7]), np.array([[0.5]], dtype="float32"))

    """
    np.savez(file, ids=ids, features=features)


def write_npy(file: IO[bytes], features: npt.NDArray[np.float32]) -> None:
    """Write features to an ``.npy`` file.

    Args:
        file: A file that was opened for writing in binary mode.
        features: Features of shape ``(rows, dimensions)``.

    Raises:
        OSError: The file cannot be written.

    Example:
        >>> import io
        >>> import numpy as np
        >>> from muge_fast.features.arrays import write_npy
        >>> write_npy(io.BytesIO(), np.array([[0.5]], dtype="float32"))

    """
    np.save(file, features, allow_pickle=False)


def _only_array(archive: Archive, names: tuple[str, ...]) -> Array:
    present = [name for name in names if name in archive]
    if len(present) != 1:
        raise ValueError(f"has arrays {sorted(archive)}, needs one of {', '.join(names)}")
    return archive[present[0]]
