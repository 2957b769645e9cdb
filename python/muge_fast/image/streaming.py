"""Base class of the metrics that accumulate batches: an extractor, its signature, and files of their state."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np

from muge_fast._internal.npz import Array, load_arrays, save_arrays
from muge_fast.image.extractors.interface import FeatureExtractor, FeatureMatrix, check_extractor_type, signature_of
from muge_fast.image.extractors.running import extract_batch, output_of
from muge_fast.image.inputs import checked_features, refuse_masked
from muge_fast.scores import Score, without_engine

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Tensor

M = TypeVar("M", bound="StreamingMetric")
# Images for a metric with an extractor; features, or a mapping of outputs, for one without.
Batch: TypeAlias = "npt.ArrayLike | Tensor | Sequence[npt.NDArray[np.uint8]] | Mapping[str, npt.ArrayLike | Tensor]"


class StreamingMetric(ABC):
    """A metric that accumulates batches, and can be merged with metrics of the same class, saved and loaded.

    Args:
        extractor: Extractor of the features; None if batches are features already.
        extractor_signature: Signature of the extractor, for the score's signature; None for that of ``extractor``.

    Example:
        >>> from muge_fast.image import KID
        >>> from muge_fast.image.streaming import StreamingMetric
        >>> issubclass(KID, StreamingMetric)
        True

    """

    def __init__(self, extractor: FeatureExtractor | None, extractor_signature: str | None) -> None:
        if extractor is not None:
            check_extractor_type(extractor)
        self.extractor = extractor
        default = "" if extractor is None else signature_of(extractor)
        self.extractor_signature = default if extractor_signature is None else extractor_signature

    @abstractmethod
    def compute(self) -> Score:
        """Return the score of all images so far."""

    @abstractmethod
    def reset(self) -> None:
        """Forget all images."""

    @abstractmethod
    def state(self) -> dict[str, Array]:
        """Return the state as arrays, for :meth:`from_state`."""

    @classmethod
    @abstractmethod
    def from_state(cls: type[M], state: Mapping[str, Array], extractor: FeatureExtractor | None = None) -> M:
        """Return a metric from :meth:`state`, ready for more batches."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state to an ``.npz`` file, atomically. The extractor is saved by its signature only.

        Args:
            path: The file.

        Raises:
            OSError: The file cannot be written.

        Example:
            >>> from muge_fast.image import FID
            >>> FID(dims=2).save("fid.npz")  # doctest: +SKIP

        """
        save_arrays(path, self.state())

    @classmethod
    def load(cls: type[M], path: str | os.PathLike[str], extractor: FeatureExtractor | None = None) -> M:  # noqa: PYI019
        """Return a metric from a file that :meth:`save` wrote, ready for more batches.

        Args:
            path: The file.
            extractor: Extractor of further batches; None if they are features.

        Returns:
            The metric, with the images of the file.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is not a file of this metric, or was made with a different extractor.

        Example:
            >>> from muge_fast.image import FID
            >>> FID.load("fid.npz").real.count  # doctest: +SKIP
            5000

        """
        return load_arrays(path, cls.__name__, lambda state: cls.from_state(state, extractor))

    def _check_other(self, other: StreamingMetric) -> None:
        """Check that another metric may be merged into this one."""
        if not isinstance(other, type(self)):
            fix = "; merge the metrics of a list one by one" if isinstance(other, (list, tuple)) else ""
            raise TypeError(f"other must be {type(self).__name__}, got {type(other).__name__}{fix}")
        if other is self:
            raise ValueError("other is this object itself: its images would count twice")
        if other.extractor_signature != self.extractor_signature:
            raise ValueError(
                f"other: has features of {other.extractor_signature!r}, this one has {self.extractor_signature!r}"
            )

    def _extract(self, batch: Batch, output: str) -> FeatureMatrix:
        """Return one output of the extractor for a batch, or of the batch itself without an extractor."""
        if self.extractor is not None:
            return extract_batch(self.extractor, batch, output)
        name = "logits" if "logits" in output else "features"
        outputs = ", outputs=('logits_unbiased',)" if name == "logits" else ""
        hint = (
            f"images need an extractor, {type(self).__name__}(InceptionExtractor(weights=...{outputs})) "
            f"with that of muge_fast.image.extractors"
        )
        features: FeatureMatrix = checked_features(name, output_of(batch, output), hint=hint)  # type: ignore[arg-type]
        return features

    def _signatures(self) -> dict[str, Array]:
        """Return the declared signature, and that of the extractor, which may differ, as arrays."""
        signatures = {"extractor_signature": np.array(self.extractor_signature)}
        if self.extractor is not None:
            signatures["extractor"] = np.array(signature_of(self.extractor))
        return signatures


def check_extractor(extractor: FeatureExtractor | None, state: Mapping[str, Array]) -> None:
    """Check that a state was made with the extractor of further batches; the engine that ran it may differ.

    Args:
        extractor: Extractor of further batches; None if they are features.
        state: Arrays by name; without ``"extractor"`` there is nothing to check.

    Raises:
        TypeError: An array of the state is masked.
        ValueError: The state was made with a different extractor.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.streaming import check_extractor
        >>> check_extractor(len, {"extractor": np.array("extractor:builtins.sum")})
        Traceback (most recent call last):
        ...
        ValueError: was made with extractor:builtins.sum, the extractor is extractor:builtins.len

    """
    refuse_masked(state)
    if extractor is None or "extractor" not in state:
        return
    earlier, now = str(state["extractor"]), signature_of(extractor)
    if without_engine(earlier) != without_engine(now):
        raise ValueError(f"was made with {earlier}, the extractor is {now}")
