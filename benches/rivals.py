"""The packages that ours are compared with, each behind one function."""

from __future__ import annotations

import bleuscore
import jieba
import numpy as np
import numpy.typing as npt
import rjieba
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from sacrebleu.metrics import BLEU

FloatArray = npt.NDArray[np.float64]
Spaced = tuple[list[str], list[list[str]]]
"""Predictions and references, with the tokens of each text joined by spaces."""


def pycocoevalcap(texts: Spaced) -> dict[str, FloatArray]:
    """Return BLEU-4, ROUGE-L and CIDEr-D, each as the corpus value followed by the value of each item."""
    predictions, references = texts
    gts = dict(enumerate(references))
    res = {index: [prediction] for index, prediction in enumerate(predictions)}
    bleu, bleu_items = Bleu(4).compute_score(gts, res, verbose=0)
    rouge, rouge_items = Rouge().compute_score(gts, res)
    cider, cider_items = Cider().compute_score(gts, res)
    return {
        "bleu": np.array([bleu[3], *bleu_items[3]]),
        "rouge_l": np.array([rouge, *rouge_items]),
        "cider_d": np.array([cider, *cider_items]),
    }


def sacrebleu(texts: Spaced) -> float:
    """Return corpus BLEU-4 without smoothing, 0 to 1."""
    predictions, references = texts
    streams = [list(stream) for stream in zip(*references, strict=True)]
    return BLEU(tokenize="none", smooth_method="none").corpus_score(predictions, streams).score / 100


def bleuscore_bleu(texts: Spaced) -> float:
    """Return corpus BLEU-4 without smoothing, 0 to 1."""
    predictions, references = texts
    scores = bleuscore.compute(references=references, predictions=predictions, ref_len_method="closest")
    return float(scores["bleu"])


def jieba_tokens(texts: list[str]) -> list[list[str]]:
    """Return the words of each text by jieba."""
    return [jieba.lcut(text) for text in texts]


def rjieba_tokens(texts: list[str]) -> list[list[str]]:
    """Return the words of each text by rjieba; they differ from jieba's next to dots and dashes in ASCII runs."""
    return [rjieba.cut(text) for text in texts]
