"""Text-to-image: how generated images compare with real ones, and with their texts.

What works on features needs NumPy alone; torch is imported only by what runs a network.
"""

from typing import TYPE_CHECKING, Any

from muge_fast.image._fid import fid, fid_of, inception_score, kid
from muge_fast.image._inception_score import MeanAndSpread, inception_score_of
from muge_fast.image._kid import kid_of, kid_of_all
from muge_fast.image._precision_recall import Manifold, precision_recall
from muge_fast.image._r_precision import RPrecision, clip_score_of, r_precision, text_recall
from muge_fast.image.frechet import frechet_distance
from muge_fast.image.metrics import FID, KID, InceptionScore
from muge_fast.image.statistics import Statistics
from muge_fast.image.uncertainty import Extrapolation, Interval, fid_infinity, fid_interval, inception_score_interval

if TYPE_CHECKING:
    from muge_fast.image._score_images import score_images

__all__ = [
    "FID",
    "KID",
    "Extrapolation",
    "InceptionScore",
    "Interval",
    "Manifold",
    "MeanAndSpread",
    "RPrecision",
    "Statistics",
    "clip_score_of",
    "fid",
    "fid_infinity",
    "fid_interval",
    "fid_of",
    "frechet_distance",
    "inception_score",
    "inception_score_interval",
    "inception_score_of",
    "kid",
    "kid_of",
    "kid_of_all",
    "precision_recall",
    "r_precision",
    "score_images",
    "text_recall",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Find what imports torch when it is asked for."""
    if name == "score_images":
        from muge_fast.image._score_images import score_images  # noqa: PLC0415

        return score_images
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
