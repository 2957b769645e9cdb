"""Metrics of torchmetrics with the numbers of this package, for ``MetricCollection``, Lightning and several processes.

Each class computes its value from everything that it was updated with, by the function of this package that its
documentation names. With several processes, the states of all processes are joined first, in the order of their ranks.
States are kept by metrics of one ``MetricCollection`` once: captions for all metrics of captions, and features for FID
and KID.

Values are tensors of double precision, with the same bits as the values of this package.
"""

from muge_fast.integrations.torchmetrics.captions import BLEU, METEOR, ROUGEL, CIDEr, CIDErD
from muge_fast.integrations.torchmetrics.images import FID, KID, CLIPScore, InceptionScore
from muge_fast.integrations.torchmetrics.retrieval import RetrievalRecall

__all__ = [
    "BLEU",
    "FID",
    "KID",
    "METEOR",
    "ROUGEL",
    "CIDEr",
    "CIDErD",
    "CLIPScore",
    "InceptionScore",
    "RetrievalRecall",
]
