"""Captions: all metrics, BLEU alone, prepared references, Chinese words, and sets of growing size."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

import muge_fast as mf
from benches import rivals
from benches.data import CaptionSet, caption_set
from benches.timing import Row, check, clock, show, times

METRICS = ("bleu", "rouge_l", "cider_d", "cider")


def captions(count: int = 10_000) -> Iterable[Row]:
    """All comparisons on one set of captions."""
    texts = caption_set(count)
    return chain(all_metrics(texts), bleu_alone(texts), prepared(texts), words(texts))


def all_metrics(texts: CaptionSet) -> Iterable[Row]:
    """All metrics from strings against pycocoevalcap on the same strings already tokenised."""
    ours = mf.score_captions(texts.predictions, texts.references, metrics=METRICS)
    spaced = join_tokens(texts)
    start = time.perf_counter()
    expected = rivals.pycocoevalcap(spaced)
    rival = time.perf_counter() - start
    for name, values in expected.items():
        check(name, np.abs(np.array([ours[name].value, *ours[name].per_item]) - values).max(), 1e-12)
    exact = np.array_equal(ours["cider_d"].per_item, expected["cider_d"][1:])
    for threads in (None, 1):
        own = measure(lambda p, r, t=threads: mf.score_captions(p, r, metrics=METRICS, threads=t), texts, 9)
        name = "BLEU-1..4, ROUGE-L, CIDEr-D, CIDEr, tokenizing included" + (", one thread" if threads else "")
        yield name, f"pycocoevalcap {show(rival)}", show(own), f"{rival / own:.0f}x"
    yield "CIDEr-D of each item has the same bits as pycocoevalcap's", "", "", "yes" if exact else "no"


def bleu_alone(texts: CaptionSet) -> Iterable[Row]:
    """Corpus BLEU on tokens joined by spaces, no smoothing, against two rivals."""
    spaced = join_tokens(texts)
    options: dict[str, Any] = {"tokenizer": "whitespace", "metrics": ("bleu",), "smoothing": "none"}
    value = mf.score_captions(*spaced, **options)["bleu"].value
    joined = CaptionSet(*spaced)
    for name, rival in {"bleuscore": rivals.bleuscore_bleu, "sacrebleu": rivals.sacrebleu}.items():
        check(name, abs(rival(spaced) - value), 1e-12)
        ratios, theirs, own = [], [], []
        for _ in range(3):
            theirs.append(clock(lambda rival=rival: rival(spaced)))
            own.append(measure(lambda p, r: mf.score_captions(p, r, **options), joined, 3))
            ratios.append(theirs[-1] / own[-1])
        yield "BLEU alone", f"{name} {show(statistics.median(theirs))}", show(statistics.median(own)), times(ratios)


def prepared(texts: CaptionSet) -> Iterable[Row]:
    """New predictions against references that were prepared once."""
    captions = mf.Captions(texts.references)
    again = captions.score(texts.predictions, metrics=METRICS)
    scratch = mf.score_captions(texts.predictions, texts.references, metrics=METRICS)
    check("prepared", max(np.abs(again[name].per_item - scratch[name].per_item).max() for name in METRICS), 0)
    ratios, whole, part = [], [], []
    for _ in range(15):
        whole.append(measure(lambda p, r: mf.score_captions(p, r, metrics=METRICS), texts, 1))
        part.append(measure(lambda p, _: captions.score(p, metrics=METRICS), texts, 1))
        ratios.append(whole[-1] / part[-1])
    yield (
        "All metrics, references prepared",
        f"from scratch {show(statistics.median(whole))}",
        show(statistics.median(part)),
        times(ratios),
    )
    yield from batches(texts, captions, again["cider_d"].per_item)


def batches(texts: CaptionSet, captions: mf.Captions, per_item: NDArray[np.float64]) -> Iterable[Row]:
    """Batches of a training loop, each of other items."""
    parts = [slice(start, start + 50) for start in range(0, len(texts.predictions), 50)]
    frequency = mf.DocumentFrequency.from_references(texts.references)
    options: dict[str, Any] = {"metrics": ("cider_d",)}

    def prepared(part: slice) -> mf.Scores:
        return captions.score(texts.predictions[part], ids=range(len(texts.predictions))[part], **options)

    def anew(part: slice) -> mf.Scores:
        predictions, references = texts.predictions[part], texts.references[part]
        return mf.score_captions(predictions, references, document_frequency=frequency, **options)

    for name, run in {
        "CIDEr-D of a training batch: 50 predictions, prepared references": prepared,
        "The same, references tokenised anew, prepared document frequency": anew,
    }.items():
        check(name, max(np.abs(run(part)["cider_d"].per_item - per_item[part]).max() for part in parts), 0)
        yield name, "", show(statistics.median(clock(lambda part=part, run=run: run(part)) for part in parts)), ""


def words(texts: CaptionSet) -> Iterable[Row]:
    """Chinese words: tokens kept in Rust and tokens as Python lists."""
    flat = [text for row in texts.references for text in row] + texts.predictions
    sample = flat[:: max(1, len(flat) // 2000)]
    expected = rivals.jieba_tokens(sample)
    assert mf.tokenize(sample, "jieba") == expected
    rows = [[text] for text in flat]
    ours: dict[str, Callable[[], object]] = {
        "tokens kept in Rust": lambda: mf.Captions(rows, tokenizer="jieba"),
        "lists of strings": lambda: mf.tokenize(flat, "jieba"),
    }
    for name, run in ours.items():
        own, theirs, slow = [], [], []
        for _ in range(5):
            theirs.append(clock(lambda: rivals.rjieba_tokens(flat)))
            own.append(clock(run))
            slow.append(clock(lambda: rivals.jieba_tokens(sample)) * len(flat) / len(sample))
        for rival, seconds in {"rjieba": theirs, "jieba": slow}.items():
            ratios = [their / our for their, our in zip(seconds, own, strict=True)]
            yield (
                f"jieba, {name}",
                f"{rival} {show(statistics.median(seconds))}",
                show(statistics.median(own)),
                times(ratios),
            )


def growth(sizes: list[int]) -> Iterable[Row]:
    """Time and memory at several sizes, each in a process of its own."""
    for items in sizes:
        output = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "benches.growth", str(items)], check=True, capture_output=True, text=True
        )
        found = json.loads(output.stdout)
        yield (
            f"All metrics, {items:,} items",
            "",
            show(found["seconds"]),
            f"{found['seconds'] / items * 1e6:.1f} µs an item, {found['megabytes']:.0f} MB above the input",
        )


def join_tokens(texts: CaptionSet) -> rivals.Spaced:
    """The tokens of all texts, joined by spaces."""
    predictions = [" ".join(tokens) for tokens in mf.tokenize(texts.predictions)]
    return predictions, [[" ".join(tokens) for tokens in mf.tokenize(row)] for row in texts.references]


def measure(run: Callable[[list[str], list[list[str]]], object], texts: CaptionSet, rounds: int) -> float:
    """Median seconds on strings that are new each time: Python keeps a string's UTF-8 form once it was asked for."""
    seconds = []
    for _ in range(rounds):
        predictions = [text.encode().decode() for text in texts.predictions]
        references = [[text.encode().decode() for text in row] for row in texts.references]
        seconds.append(clock(lambda p=predictions, r=references: run(p, r)))
    return statistics.median(seconds)
