"""Runs of text-to-image: a text goes in, an image comes out."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from muge_fast._internal.display import format_argument
from muge_fast._internal.optional import import_optional
from muge_fast.datasets.texts import read_texts
from muge_fast.image.inputs import CHANNELS, IMAGE_NDIM, describe
from muge_fast.image.split_sums import SplitSums
from muge_fast.models.data_folder import DataFiles
from muge_fast.models.interface import ImageGenerator
from muge_fast.models.stages import Stage
from muge_fast.models.task_runs.task_run import TaskRun

if TYPE_CHECKING:
    from PIL.Image import Image

SEED_BYTES = 6
"""Bytes of the seed of an item. Generators of all frameworks take integers of 48 bits."""


class GenerationRun(TaskRun):
    """A run of text-to-image.

    Args:
        files: The files of the data set.
        model: A :class:`muge_fast.models.ImageGenerator`.
        seed: Seed from which the seed of each item follows, by its id.

    """

    batch_size = 4
    submission = "submission.tsv"

    def __init__(self, files: DataFiles, model: ImageGenerator, *, seed: int) -> None:
        super().__init__(files, model, seed=seed)
        self.model = model
        assert files.texts is not None  # noqa: S101 - for the type checker
        self._texts = read_texts(files.texts)

    @property
    def stages(self) -> list[Stage]:
        """One stage, of images."""
        return [
            Stage(
                name="images",
                unit="image",
                items=list(self._texts),
                load=self._texts.__getitem__,
                apply=self._generate,
                encode=_encode,
            )
        ]

    def _generate(self, keys: Sequence[str], texts: list[str]) -> Sequence[object]:
        return self.model.generate(texts, [item_seed(self.seed, key) for key in keys])

    def check_scoring(self, options: Mapping[str, Any]) -> None:
        """Raise if there are no weights of FID's network, or too few images, before hours of generating.

        Args:
            options: Options of the evaluation.

        Raises:
            OSError: There is no file of weights.
            ValueError: The file has other weights, or there are fewer images than splits of the Inception Score.

        """
        if self.gold is not None:
            from muge_fast.image.extractors.weights import load_weights, published_weights  # noqa: PLC0415 - torch

            protocol = options.get("protocol", "tf1")
            SplitSums(options.get("splits") or (1 if protocol == "ofa" else 10), images=len(self._texts))
            load_weights(options.get("weights"), published_weights(protocol))

    def scoring_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of the evaluation.

        Args:
            given: Those that the caller gave.

        Returns:
            These, and the file of texts where a CLIP model compares them with the images.

        """
        return {"texts": self.files.texts, **given} if "clip" in given else dict(given)


def item_seed(seed: int, key: str) -> int:
    """Return the seed of an item, which does not depend on the other items.

    Args:
        seed: Seed of the run.
        key: Id of the item.

    Returns:
        An integer of 48 bits: the first six bytes, in big-endian order, of BLAKE2b of ``"{seed}:{key}"``.

    Example:
        >>> from muge_fast.models.task_runs.t2i import item_seed
        >>> item_seed(0, "a1b2") == item_seed(0, "a1b2") != item_seed(1, "a1b2")
        True

    """
    return int.from_bytes(hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=SEED_BYTES).digest(), "big")


def _encode(key: str, image: object) -> bytes:
    picture = _as_picture(key, image)
    data = io.BytesIO()
    picture.convert("RGB").save(data, "PNG")
    return key.encode() + b"\t" + base64.urlsafe_b64encode(data.getvalue()) + b"\n"


def _as_picture(key: str, image: object) -> Image:
    pillow = import_optional("PIL.Image", purpose="generated images", install="pillow")
    if isinstance(image, pillow.Image):
        given: Image = image
        return given
    if isinstance(image, np.ndarray) and image.ndim == IMAGE_NDIM and image.dtype == np.uint8:
        height, width, channels = image.shape
        if height and width and channels == CHANNELS:
            picture: Image = pillow.fromarray(np.ascontiguousarray(image))
            return picture
    raise TypeError(
        f"the image of {format_argument(key)} is {describe(image)}, needs a Pillow image or a uint8 array of shape "
        "(height, width, 3)"
    )
