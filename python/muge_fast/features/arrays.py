"""Feature files in NumPy's formats: ``.npz`` with ids and features, ``.npy`` with features alone."""

from __future__ import annotations

import os
from typing import IO

import numpy as np
import numpy.typing as npt

from muge_fast._internal.field_names import FEATURE_IDS
from muge_fast._internal.ids import IdArray
from muge_fast._internal.npz import Archive, named_errors, read_array
from muge_fast._internal.paths import open_named
from muge_fast.features.validation import FeatureFile, check_features

ID_ARRAYS = ("ids", *FEATURE_IDS)
FEATURE_ARRAYS = ("features", "feature")


def read_npz(path: str) -> FeatureFile:
    """Read ids and features from an ``.npz`` file.

    Args:
        path: Path of the file. It has one array named ``ids``, ``image_id``, ``item_id``, ``text_id`` or ``query_id``,
            and one named ``features`` or ``feature``. Other arrays are not read.

    Returns:
        Ids, features, and the name of the array of ids; None as the name if it is ``ids``.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not such an archive, shapes do not match, or a feature is not finite.
        TypeError: Ids are neither integers nor strings, or features are not numbers.

    Example:
        >>> from muge_fast.features.arrays import read_npz
        >>> read_npz("img_feat.npz").features.shape  # doctest: +SKIP
        (30588, 512)

    """
    with open_named(path) as file, named_errors("not an archive of features"):
        archive = Archive(file)
        id_name, feature_name = _only_name(archive, ID_ARRAYS), _only_name(archive, FEATURE_ARRAYS)
        ids, features = archive[id_name], archive[feature_name]
    return FeatureFile(*check_features(ids, features), id_name if id_name in FEATURE_IDS else None)


def read_npy(path: str) -> FeatureFile:
    """Read features from an ``.npy`` file.

    Args:
        path: Path of the file, one array of shape ``(rows, dimensions)``.

    Returns:
        Row indices as ids, features, and None as the name of the ids.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not an array, has a different shape, or a feature is not finite.
        TypeError: Features are not numbers.

    Example:
        >>> from muge_fast.features.arrays import read_npy
        >>> read_npy("img_feat.npy").features.shape  # doctest: +SKIP
        (30588, 512)

    """
    with open_named(path) as file, named_errors("not an array of features"):
        features = read_array(file, os.fstat(file.fileno()).st_size)
    # A header may declare any number of rows without columns, so count rows only where there is data.
    rows = len(features) if features.ndim and features.size else 0
    return FeatureFile(*check_features(np.arange(rows), features), None)


def write_npz(file: IO[bytes], ids: IdArray, features: npt.NDArray[np.float32]) -> None:
    """Write ids and features to an ``.npz`` file.

    Args:
        file: A file that was opened for writing in binary mode.
        ids: Ids of shape ``(rows,)``, int64 or ``str``.
        features: Features of shape ``(rows, dimensions)``.

    Raises:
        OSError: The file cannot be written.
        ValueError: An id ends in a null character, which NumPy's arrays of strings lose.

    Example:
        >>> import io
        >>> import numpy as np
        >>> from muge_fast.features.arrays import write_npz
        >>> write_npz(io.BytesIO(), np.array([7]), np.array([[0.5]], dtype="float32"))

    """
    if ids.dtype.kind == "O":
        index = next((index for index, value in enumerate(ids) if value.endswith("\0")), None)
        if index is not None:
            raise ValueError(f"ids: [{index}] ends in a null character, which an .npz file cannot hold")
        # As text of fixed width: arrays of objects are pickled.
        ids = ids.astype(np.str_)
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


def _only_name(archive: Archive, names: tuple[str, ...]) -> str:
    present = [name for name in names if name in archive]
    if len(present) != 1:
        raise ValueError(f"has arrays {sorted(archive)}, needs one of {', '.join(names)}")
    return present[0]
