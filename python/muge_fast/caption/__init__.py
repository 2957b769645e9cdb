"""Caption metrics: CIDEr-D, CIDEr, BLEU, ROUGE-L and METEOR."""

from muge_fast.caption.document_frequency import DocumentFrequency
from muge_fast.caption.options import CaptionMetric as CaptionMetric
from muge_fast.caption.options import Smoothing as Smoothing
from muge_fast.caption.scoring import Captions, score_captions

__all__ = ["Captions", "DocumentFrequency", "score_captions"]
