"""Feature extractors: networks that turn images into features.

Importing this package does not import torch: :class:`InceptionExtractor`, :class:`ClipExtractor` and :func:`preprocess`
are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from muge_fast.image.extractors.interface import (
    BatchedExtractor,
    FeatureExtractor,
    InceptionScoreConvention,
    MultiOutputExtractor,
)

if TYPE_CHECKING:
    from muge_fast.image.extractors.clip import ClipExtractor
    from muge_fast.image.extractors.inception import InceptionExtractor
    from muge_fast.image.extractors.preprocessing import preprocess

__all__ = [
    "BatchedExtractor",
    "ClipExtractor",
    "FeatureExtractor",
    "InceptionExtractor",
    "InceptionScoreConvention",
    "MultiOutputExtractor",
    "preprocess",
]

# Module of each name that needs torch.
_LAZY = {"ClipExtractor": "clip", "InceptionExtractor": "inception", "preprocess": "preprocessing"}


def __getattr__(name: str) -> object:
    """Import names that need torch when they are first used."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value
