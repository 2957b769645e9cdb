"""Caption metrics: CIDEr-D, CIDEr, BLEU, ROUGE-L and METEOR."""

from typing import TYPE_CHECKING

from muge_fast._internal.lazy_modules import lazy_modules
from muge_fast.caption.document_frequency import DocumentFrequency
from muge_fast.caption.options import CaptionMetric as CaptionMetric
from muge_fast.caption.options import Smoothing as Smoothing
from muge_fast.caption.scoring import Captions, score_captions

if TYPE_CHECKING:
    from muge_fast.caption.accumulator import CaptionAccumulator

__all__ = ["CaptionAccumulator", "Captions", "DocumentFrequency", "score_captions"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_modules(__name__, __all__, {"CaptionAccumulator": "accumulator"})
