"""Caption sets of any size, generated from a seed.

Words are drawn from jieba's dictionary with their real frequencies, so that n-grams repeat about as in real text: a few
are everywhere, most occur once. The captions of an item share words of its topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

PUNCTUATION = ("，", "，", "，", "。", "、", "！")
LATIN = ("A字裙", "T恤", "V领", "3D", "USB", "500ml", "2.0", "XL码", "100%", "9.9元")


@dataclass(frozen=True)
class CaptionSet:
    """Predictions and references in the same order."""

    predictions: list[str]
    references: list[list[str]]


@cache
def _words() -> tuple[npt.NDArray[np.object_], npt.NDArray[np.float64]]:
    lines = files("jieba").joinpath("dict.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(" ")[:2] for line in lines]
    kept = [(word, int(count)) for word, count in pairs if len(word) <= 4 and int(count) >= 20]
    words = np.array([word for word, _ in kept], dtype=object)
    cumulative = np.cumsum(np.array([count for _, count in kept], dtype=np.float64))
    return words, cumulative / cumulative[-1]


def caption_set(items: int, references: int = 5, words: int = 50, seed: int = 0) -> CaptionSet:
    """Generate captions of about ``1.45 * words`` characters; 50 words are about 73 characters."""
    random = np.random.default_rng(seed)
    vocabulary, cumulative = _words()
    captions = references + 1
    topics = np.searchsorted(cumulative, random.random((items, words)))
    free = np.searchsorted(cumulative, random.random((items, captions, words)))
    shared = np.take_along_axis(topics[:, None, :], random.integers(0, words, (items, captions, words)), axis=2)
    chosen = vocabulary[np.where(random.random((items, captions, words)) < 0.5, shared, free)]
    lengths = random.integers(int(words * 0.7), words + 1, (items, captions))
    stops = random.integers(0, len(PUNCTUATION), (items, captions))
    latin = random.integers(0, len(LATIN) * 4, (items, captions))
    texts = [
        [
            _join(chosen[item, caption, : lengths[item, caption]], stops[item, caption], latin[item, caption])
            for caption in range(captions)
        ]
        for item in range(items)
    ]
    return CaptionSet([text[0] for text in texts], [text[1:] for text in texts])


def _join(words: npt.NDArray[np.object_], stop: int, latin: int) -> str:
    half = len(words) // 2
    extra = LATIN[latin] if latin < len(LATIN) else ""
    return "".join(words[:half]) + PUNCTUATION[stop] + extra + "".join(words[half:]) + "。"
