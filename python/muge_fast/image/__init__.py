"""Metrics of text-to-image generation: generated images against real ones, and against their texts.

Importing this package needs only NumPy. Metrics of features never import torch; those of images need it, unless the
caller passes an extractor that does not use torch.
"""

from typing import TYPE_CHECKING

from muge_fast._internal.lazy_modules import lazy_modules
from muge_fast.image._fid import FID, fid, fid_from_features
from muge_fast.image._inception_score import InceptionScore, inception_score, inception_score_from_logits
from muge_fast.image._kid import KID, kid, kid_from_features
from muge_fast.image._precision_recall import precision_recall
from muge_fast.image._r_precision import clip_score, r_precision, text_recall
from muge_fast.image._score_images import score_images
from muge_fast.image.frechet import frechet_distance
from muge_fast.image.statistics import Statistics
from muge_fast.image.uncertainty import fid_infinity, fid_interval, inception_score_interval

if TYPE_CHECKING:
    from muge_fast.image import extractors

__all__ = [
    "FID",
    "KID",
    "InceptionScore",
    "Statistics",
    "clip_score",
    "extractors",
    "fid",
    "fid_from_features",
    "fid_infinity",
    "fid_interval",
    "frechet_distance",
    "inception_score",
    "inception_score_from_logits",
    "inception_score_interval",
    "kid",
    "kid_from_features",
    "precision_recall",
    "r_precision",
    "score_images",
    "text_recall",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_modules(__name__, __all__)
