"""Runs of retrieval: images and texts are encoded, and the best images of each text are searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast._internal.atomic import replacing
from muge_fast._internal.display import format_argument, format_path
from muge_fast.datasets.writers import LIMIT, encode_lines
from muge_fast.features.files import write_features
from muge_fast.features.validation import FeatureFile
from muge_fast.image.backend import to_numpy
from muge_fast.image.extractors.interface import FeatureMatrix
from muge_fast.models.data_folder import DataFiles
from muge_fast.models.data_rows import read_query_texts
from muge_fast.models.image_store import open_image_store
from muge_fast.models.interface import DualEncoder
from muge_fast.models.kept_results import KeptResults
from muge_fast.models.stages import Stage
from muge_fast.models.task_runs.task_run import TaskRun
from muge_fast.retrieval.predictions import Sides, search

# Items that a submission has for each query.
RETRIEVED = 10
MATRIX_NDIM = 2
ROW_TYPE = np.dtype("<f4")


class RetrievalRun(TaskRun):
    """A run of retrieval. Similarity is the cosine of features.

    Args:
        files: The files of the data set.
        model: A :class:`muge_fast.models.DualEncoder`.
        seed: Has no effect: features are not random.

    """

    batch_size = 32

    def __init__(self, files: DataFiles, model: DualEncoder, *, seed: int) -> None:
        super().__init__(files, model, seed=seed)
        self.model = model
        assert files.images is not None  # noqa: S101 - for the type checker
        assert files.texts is not None  # noqa: S101 - for the type checker
        self.images = open_image_store(files.images)
        self._image_keys = _integer_keys(self.images, files.images)
        if len(self._image_keys) < RETRIEVED:
            raise ValueError(
                f"{format_path(files.images)}: there are {len(self._image_keys)} images, "
                f"a submission needs {RETRIEVED} for each query"
            )
        self._queries = read_query_texts(files.texts)
        self._length: int | None = None

    @property
    def gold(self) -> Path | None:
        """The file of queries; None if their items are not in it."""
        return self.files.texts if self._queries.has_items else None

    @property
    def stages(self) -> list[Stage]:
        """Two stages, of images and of texts."""
        images = Stage(
            name="images",
            unit="image",
            items=list(self._image_keys),
            load=self._load,
            apply=partial(self._encode, "images"),
            encode=_row,
        )
        texts = Stage(
            name="texts",
            unit="text",
            items=list(self._queries.texts),
            load=self._queries.texts.__getitem__,
            apply=partial(self._encode, "texts"),
            encode=_row,
        )
        return [images, texts]

    def _load(self, key: int) -> object:
        assert self.images is not None  # noqa: S101 - for the type checker
        return self.images.load(self._image_keys[key], self.prepare)

    def _encode(self, side: str, _: Sequence[int], values: list[Any]) -> npt.NDArray[np.float32]:
        encode = self.model.encode_images if side == "images" else self.model.encode_texts
        matrix = _to_matrix(encode(values), side)
        length = matrix.shape[1]
        if self._length not in (None, length):
            raise ValueError(f"the model returns {length} features for {side}, before it returned {self._length}")
        self._length = length
        return matrix

    def write_submission(self, folder: Path, results: Mapping[str, KeptResults]) -> dict[str, str]:
        """Write the features of images and of texts, and the ten best images of each text.

        Args:
            folder: Folder of the run.
            results: Results by name of the stage.

        Returns:
            The names of the files.

        Raises:
            ValueError: Features of images and of texts have different lengths, or too few images have features.

        """
        images, texts = (_features(stage, results[stage.name]) for stage in self.stages)
        if images.features.shape[1] != texts.features.shape[1]:
            raise ValueError(
                f"the model returns {images.features.shape[1]} features for images and "
                f"{texts.features.shape[1]} for texts"
            )
        if len(images.ids) < RETRIEVED:
            raise ValueError(f"only {len(images.ids)} images are not broken, a submission needs {RETRIEVED}")
        files = {"image_features": "image_features.npz", "text_features": "text_features.npz"}
        for name, side, field in zip(files.values(), (images, texts), ("image_id", "query_id"), strict=True):
            write_features(folder / name, side.ids, side.features, id_field=field)
        lines = search(Sides(images, texts), RETRIEVED, self._queries.names, direction="text-to-image", metric="cosine")
        with replacing(folder / self.submission) as file:
            file.writelines(encode_lines("rankings", lines))
        return {"submission": self.submission, **files}


def _integer_keys(keys: Mapping[str, bytes], path: Path) -> dict[int, str]:
    """Return the ids of images by the integers that submissions have."""
    found: dict[int, str] = {}
    for key in keys:
        if not key.isascii() or not key.isdigit() or int(key) >= LIMIT:
            raise ValueError(
                f"{format_path(path)}: id {format_argument(key)} is not an integer of 64 bits, which retrieval needs"
            )
        if found.setdefault(int(key), key) != key:
            raise ValueError(f"{format_path(path)}: {found[int(key)]} and {key} are the same id")
    return found


def _to_matrix(features: FeatureMatrix, side: str) -> npt.NDArray[np.float32]:
    try:
        array = to_numpy(features)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"they are {array.dtype}")
        matrix: npt.NDArray[np.float32] = array.astype(ROW_TYPE, copy=False)
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise TypeError(f"the model returns features of {side} that are not a matrix of numbers: {error}") from None
    if matrix.ndim != MATRIX_NDIM or not matrix.shape[1]:
        raise ValueError(f"the model returns features of {side} of shape {matrix.shape}, needs ({side}, features)")
    return matrix


def _row(key: int, row: npt.NDArray[np.float32]) -> bytes:
    if not np.isfinite(row).all():
        raise ValueError(
            f"the features of {key} are not finite; a data type with a larger range may help, such as fp32"
        )
    if not row.any():
        raise ValueError(f"the features of {key} are all zero, so their cosine is not defined")
    return row.tobytes()


def _features(stage: Stage, results: KeptResults) -> FeatureFile:
    """Return the features of a stage, in memory that is read from the file when it is used."""
    broken = results.broken
    ids = np.array([key for index, key in enumerate(stage.items) if index not in broken], dtype=np.int64)
    if not len(ids):
        raise ValueError(f"there are no features of {stage.name}: all are broken")
    if results.size % (ROW_TYPE.itemsize * len(ids)):
        raise ValueError(f"the model returned features of {stage.name} of different lengths: pass a new folder")
    rows = np.memmap(results.path, ROW_TYPE, "r", shape=(len(ids), results.size // ROW_TYPE.itemsize // len(ids)))
    return FeatureFile(ids, rows, None)
