"""Text-to-image: how generated images compare with real ones, and with their texts.

What works on features needs NumPy alone; torch is imported only by what runs a network.
"""

from muge_fast.image.fid import fid, fid_of, inception_score, kid
from muge_fast.image.frechet import frechet_distance
from muge_fast.image.inception_score import MeanAndSpread, inception_score_of
from muge_fast.image.kid import kid_of, kid_of_all
from muge_fast.image.manifold import Manifold, precision_recall
from muge_fast.image.r_precision import RPrecision, clip_score_of, r_precision, text_recall
from muge_fast.image.resampling import Extrapolation, Interval, fid_infinity, fid_interval
from muge_fast.image.statistics import Statistics
from muge_fast.image.streaming import FID, KID, InceptionScore

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
    "inception_score_of",
    "kid",
    "kid_of",
    "kid_of_all",
    "precision_recall",
    "r_precision",
    "text_recall",
]
