"""Interfaces of feature extractors. This module does not import torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from muge_fast.image.inputs import Pixels

if TYPE_CHECKING:
    from torch import Tensor

ProtocolName = Literal["tf1", "pytorch-fid", "torchmetrics", "clean", "ofa"]
"""Names of the preprocessing protocols, for type checkers."""

FeatureMatrix: TypeAlias = "npt.NDArray[np.floating[Any]] | Tensor"
"""Features of a batch, of shape ``(images, features)``."""

FeatureOutput: TypeAlias = "FeatureMatrix | Mapping[str, FeatureMatrix]"
"""Features of a batch, or several outputs by name."""


@runtime_checkable
class FeatureExtractor(Protocol):
    """Anything that computes features of a batch of images: a function, or an object that can be called.

    The batch is a list of uint8 arrays of shape ``(height, width, 3)``, RGB, which may differ in size. The result is a
    float array or tensor of shape ``(images, features)``, or a mapping from output names to such matrices. A
    ``torch.nn.Module`` is an extractor too: it is called with one uint8 tensor of shape ``(images, 3, height, width)``.

    Optional attributes:
        signature: A string that identifies the features in signatures of scores, such as the network and a hash of its
            weights. Default: the qualified name of the function or class.
        inception_score_convention: An :class:`InceptionScoreConvention`. Default: ``InceptionScoreConvention()``, the
            convention of torch-fidelity.
        takes_tensors: Whether ``update`` of :class:`muge_fast.image.FID` and others may call the extractor with a
            uint8 tensor of shape ``(images, 3, height, width)`` on any device. Default: False.

    Example:
        >>> import numpy as np
        >>> import muge_fast as mf
        >>> from muge_fast.image.extractors import FeatureExtractor
        >>> def brightness(images):
        ...     return np.array([[image.mean()] for image in images])
        >>> isinstance(brightness, FeatureExtractor)
        True
        >>> images = np.arange(2 * 8 * 8 * 3, dtype="uint8").reshape(2, 8, 8, 3)
        >>> mf.image.fid(images, images, extractor=brightness).value  # doctest: +SKIP
        0.0

    """

    def __call__(self, images: list[Pixels], /) -> FeatureOutput:
        """Compute the features of a batch.

        Args:
            images: uint8 arrays of shape ``(height, width, 3)``, RGB, which may differ in size.

        Returns:
            A float array or tensor of shape ``(images, features)``, or a mapping from output names to such matrices.

        """


@runtime_checkable
class BatchedExtractor(FeatureExtractor, Protocol):
    """A feature extractor that takes a stream of batches, and may begin one before the previous one has ended.

    Example:
        >>> from muge_fast.image.extractors import BatchedExtractor
        >>> isinstance(len, BatchedExtractor)
        False

    """

    def iter_batches(self, batches: Iterable[list[Pixels]], /) -> Iterator[FeatureOutput]:
        """Yield the features of each batch, in order, as calls of the extractor would return them.

        Args:
            batches: Lists of uint8 arrays of shape ``(height, width, 3)``, RGB.

        Yields:
            The output for each batch.

        """


@runtime_checkable
class MultiOutputExtractor(FeatureExtractor, Protocol):
    """A feature extractor that can be restricted to some of its outputs.

    Example:
        >>> from muge_fast.image.extractors import MultiOutputExtractor
        >>> isinstance(len, MultiOutputExtractor)
        False

    """

    def with_outputs(self, outputs: Sequence[str], /) -> FeatureExtractor:
        """Return an extractor that computes only the named outputs.

        Args:
            outputs: Names of outputs. An extractor that does not have all of them returns an unrestricted one.

        Returns:
            The restricted extractor; this one is unchanged.

        """


class InceptionScoreConvention(NamedTuple):
    """How the Inception Score is computed from the outputs of an extractor.

    Attributes:
        logits: Name of the output that holds the logits.
        splits: Default number of splits.
        shuffle: Whether images are shuffled before they are split.

    Example:
        >>> from muge_fast.image.extractors import InceptionScoreConvention
        >>> InceptionScoreConvention().splits
        10

    """

    logits: str = "logits_unbiased"
    splits: int = 10
    shuffle: bool = True


def check_extractor_type(extractor: object) -> None:
    """Check that an extractor can be called.

    Args:
        extractor: The extractor of a caller.

    Raises:
        TypeError: It cannot be called, or is a class.

    Example:
        >>> from muge_fast.image.extractors.interface import check_extractor_type
        >>> check_extractor_type(2048)
        Traceback (most recent call last):
        ...
        TypeError: extractor must be callable, got int: pass a function, a torch.nn.Module or an InceptionExtractor

    """
    name = type(extractor).__name__
    if isinstance(extractor, type):
        raise TypeError(f"extractor is the class {extractor.__name__}: pass an object, {extractor.__name__}(...)")
    if not callable(extractor):
        raise TypeError(
            f"extractor must be callable, got {name}: pass a function, a torch.nn.Module or an InceptionExtractor"
        )


def convention_of_protocol(protocol: str) -> InceptionScoreConvention:
    """Return the Inception Score convention that belongs to a preprocessing protocol.

    Args:
        protocol: A protocol of :class:`muge_fast.image.extractors.InceptionExtractor`.

    Returns:
        A single split without shuffling for ``"ofa"``; 10 shuffled splits for all others.

    Example:
        >>> from muge_fast.image.extractors.interface import convention_of_protocol
        >>> convention_of_protocol("ofa").splits
        1

    """
    if protocol == "ofa":
        return InceptionScoreConvention("logits", splits=1, shuffle=False)
    return InceptionScoreConvention()


def convention_of_extractor(extractor: FeatureExtractor | None) -> InceptionScoreConvention:
    """Return the Inception Score convention of an extractor.

    Args:
        extractor: The extractor; None for the default convention.

    Returns:
        Its attribute ``inception_score_convention``, or the convention of torch-fidelity if it has none.

    Example:
        >>> from muge_fast.image.extractors.interface import convention_of_extractor
        >>> convention_of_extractor(None).logits
        'logits_unbiased'

    """
    default = InceptionScoreConvention()
    convention: InceptionScoreConvention = getattr(extractor, "inception_score_convention", default)
    return convention


def signature_of(extractor: FeatureExtractor) -> str:
    """Return the part of a signature that identifies the features of an extractor.

    Args:
        extractor: The extractor.

    Returns:
        Its attribute ``signature``, or the qualified name of the function or class if it has none.

    Example:
        >>> from muge_fast.image.extractors.interface import signature_of
        >>> signature_of(len)
        'extractor:builtins.len'

    """
    signature = getattr(extractor, "signature", None)
    if isinstance(signature, str):
        return signature
    definition = extractor if hasattr(extractor, "__qualname__") else type(extractor)
    return f"extractor:{definition.__module__}.{definition.__qualname__}"
