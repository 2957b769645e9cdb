"""Feature extractors: networks that turn images into features.

Importing this package does not import torch: :class:`InceptionExtractor`, :class:`ClipExtractor` and :func:`preprocess`
are imported when they are first used.
"""

from typing import TYPE_CHECKING

from muge_fast._internal.lazy_modules import lazy_modules
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
LAZY = {"ClipExtractor": "clip", "InceptionExtractor": "inception", "preprocess": "preprocessing"}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_modules(__name__, __all__, LAZY)
