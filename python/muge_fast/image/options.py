"""Options that several image metrics share, and the default seed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from muge_fast._internal.checks import whole_number
from muge_fast.image.extractors.interface import (
    FeatureExtractor,
    InceptionScoreConvention,
    ProtocolName,
    convention_of_extractor,
    convention_of_protocol,
)
from muge_fast.image.extractors.opening import open_extractor

# The default of torch-fidelity, so that shuffles and subsets are the same.
SEED = 2020
# Part of a score's signature in place of the signature of an unknown extractor.
UNKNOWN_EXTRACTOR = "extractor:unknown"


@dataclass(frozen=True)
class NetworkOptions:
    """Options of the published network, which a caller's extractor replaces.

    Attributes:
        weights: Path of the weights, ``"download"``, or None for the default path.
        protocol: Name of the preprocessing protocol.
        precision: ``"fp32"``, ``"tf32"`` or ``"bf16"``.
        device: torch device that runs the network; None for a GPU if there is one.

    Example:
        >>> from muge_fast.image.options import NetworkOptions
        >>> NetworkOptions(protocol="ofa").convention(None).splits
        1

    """

    weights: str | os.PathLike[str] | None = None
    protocol: ProtocolName = "tf1"
    precision: str = "fp32"
    device: str | None = None

    def open(self, extractor: FeatureExtractor | None, outputs: Sequence[str]) -> FeatureExtractor:
        """Return the caller's extractor, or open the published network.

        Args:
            extractor: The caller's extractor, or None.
            outputs: Outputs of the network to compute.

        Returns:
            The extractor.

        Raises:
            ImportError: torch or Pillow is not installed.
            TypeError: ``extractor`` cannot be called, or an option has the wrong type.
            OSError: There is no file of weights.
            ValueError: An unknown option, or one that is set together with ``extractor``.

        """
        try:
            return open_extractor(
                extractor,
                outputs=outputs,
                weights=self.weights,
                protocol=self.protocol,
                precision=self.precision,
                device=self.device,
            )
        except ModuleNotFoundError as error:
            raise ImportError("the Inception network needs torch and Pillow: pip install 'muge-fast[t2i]'") from error

    def convention(self, extractor: FeatureExtractor | None) -> InceptionScoreConvention:
        """Return the Inception Score convention of the caller's extractor, or of the protocol.

        Args:
            extractor: The caller's extractor, or None.

        Returns:
            The output with the logits, the default number of splits, and whether images are shuffled.

        """
        return convention_of_protocol(self.protocol) if extractor is None else convention_of_extractor(extractor)


@dataclass(frozen=True)
class LoadOptions:
    """Options of reading images.

    Attributes:
        batch_size: Images per batch, at least 1.
        threads: Threads that decode images, at least 1; None for the number of CPU cores.
        progress: Whether to show a progress bar; None to show it on a terminal only.

    Raises:
        TypeError: A number is not an integer.
        ValueError: A number is smaller than 1.

    Example:
        >>> from muge_fast.image.options import LoadOptions
        >>> LoadOptions(batch_size=0)
        Traceback (most recent call last):
        ...
        ValueError: batch_size must be at least 1, got 0

    """

    batch_size: int = 32
    threads: int | None = None
    progress: bool | None = None

    def __post_init__(self) -> None:
        """Check the numbers."""
        whole_number("batch_size", self.batch_size)
        if self.threads is not None:
            whole_number("threads", self.threads)
