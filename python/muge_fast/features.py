"""Feature files: ids and vectors, as an encoder has written them."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from muge_fast import _core


def read_features(
    path: str | os.PathLike[str], *, threads: int | None = None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Read the feature JSONL that Chinese-CLIP and the MUGE baseline write.

    Each line is ``{"image_id": 42967, "feature": [0.0123, …]}``, with ``image_id``, ``text_id`` or ``query_id``, keys
    in any order. Other fields and blank lines are passed over. Each number is ``numpy.float32(float(text))``.

    Args:
        path: The file, UTF-8.
        threads: Number of threads; None for all cores. The result does not depend on it.

    Returns:
        Ids, int64 of shape ``(rows,)``, and features, float32 of shape ``(rows, dimensions)``, in the order of the
        file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line that is not such an object, an id that is no integer, a number that float32 cannot hold, rows
            of different lengths, an id that comes twice, or no rows at all. The message names the line or the rows.

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
    try:
        ids, features = _core.read_features(name, threads)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    order = np.argsort(ids, kind="stable")
    twice = np.flatnonzero(ids[order[1:]] == ids[order[:-1]])
    if len(twice):
        first, second = order[twice[0]], order[twice[0] + 1]
        raise ValueError(f"{name}: id {ids[first]} comes twice, in rows {first} and {second}")
    return ids, features
