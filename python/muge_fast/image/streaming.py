"""What all metrics that take batches have in common: an extractor, a protocol, a file of what they have seen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from muge_fast._internal.npz import Array, load_arrays, save_arrays
from muge_fast.image.extractors.interface import FeatureExtractor, signature_of
from muge_fast.image.extractors.running import evaluating, output_of

M = TypeVar("M", bound="Stream")


class Stream:
    """A metric of batches.

    Example:
        >>> from muge_fast.image import KID
        >>> from muge_fast.image.streaming import Stream
        >>> issubclass(KID, Stream)
        True

    """

    def __init__(self, extractor: FeatureExtractor | None, protocol: str | None) -> None:
        self.extractor = extractor
        known = "" if extractor is None else signature_of(extractor)
        self.protocol = known if protocol is None else protocol

    def state(self) -> dict[str, Array]:
        """Give everything as arrays, for :meth:`from_state`."""
        raise NotImplementedError

    @classmethod
    def from_state(cls: type[M], state: Mapping[str, Array], extractor: FeatureExtractor | None = None) -> M:  # noqa: PYI019 - typing has Self from Python 3.11 only
        """Make a metric of :meth:`state`, to go on where it ended.

        Raises:
            ValueError: Arrays that are missing or do not fit.

        """
        raise NotImplementedError

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to an ``.npz``, whole or not at all.

        Raises:
            OSError: The file cannot be written.

        """
        save_arrays(path, self.state())

    @classmethod
    def load(cls: type[M], path: str | os.PathLike[str], extractor: FeatureExtractor | None = None) -> M:  # noqa: PYI019
        """Read a file of :meth:`save`, to go on where it ended.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is no such file.

        """
        return load_arrays(path, cls.__name__, lambda state: cls.from_state(state, extractor))

    def _refuse_protocol(self, other: Stream) -> None:
        if other.protocol != self.protocol:
            raise ValueError(f"other: has the protocol {other.protocol!r}, this one has {self.protocol!r}")

    def _output(self, batch: Any, name: str) -> Any:  # noqa: ANN401 - arrays or tensors
        """What the extractor gives for a batch."""
        if self.extractor is None:
            return output_of(batch, name)
        with evaluating(self.extractor):
            return output_of(self.extractor(batch), name)

    def _extractor_state(self) -> dict[str, Array]:
        """The extractor by its signature, which may not be the protocol."""
        return {} if self.extractor is None else {"extractor": np.array(signature_of(self.extractor))}


def refuse_other(extractor: FeatureExtractor | None, state: Mapping[str, Array]) -> None:
    """Refuse to go on with another extractor than the one that a state was made with, if it tells.

    Raises:
        ValueError: It is another one.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.streaming import refuse_other
        >>> refuse_other(len, {"extractor": np.array("extractor:builtins.sum")})
        Traceback (most recent call last):
        ...
        ValueError: was made with extractor:builtins.sum, the extractor is extractor:builtins.len

    """
    if extractor is not None and "extractor" in state and str(state["extractor"]) != signature_of(extractor):
        raise ValueError(f"was made with {state['extractor']}, the extractor is {signature_of(extractor)}")
