"""Caption metrics: all of them, BLEU only, prepared references, the tokenizer jieba, and growing sets."""

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
    """Yield all comparisons on one set of captions."""
    texts = caption_set(count)
    return chain(all_metrics(texts), bleu_only(texts), prepared(texts), words(texts))


def all_metrics(texts: CaptionSet) -> Iterable[Row]:
    """Compare all metrics, from raw strings, with pycocoevalcap on the same strings, already tokenized."""
    ours = mf.score_captions(texts.predictions, texts.references, metrics=METRICS)
    spaced = join_tokens(texts)
    start = time.perf_counter()
    expected = rivals.pycocoevalcap(spaced)
    rival = time.perf_counter() - start
    for name, values in expected.items():
        check(name, np.abs(np.array([ours[name].value, *ours[name].per_item]) - values).max(), 1e-12)
    exact = np.array_equal(ours["cider_d"].per_item, expected["cider_d"][1:])
    for threads in (None, 1):
        seconds = measure(lambda p, r, t=threads: mf.score_captions(p, r, metrics=METRICS, threads=t), texts, 9)
        name = "BLEU-1..4, ROUGE-L, CIDEr-D, CIDEr, including tokenization" + (", one thread" if threads else "")
        yield name, f"pycocoevalcap {show(rival)}", show(seconds), f"{rival / seconds:.0f}x"
    yield "CIDEr-D of each item has the same bits as pycocoevalcap's", "", "", "yes" if exact else "no"


def bleu_only(texts: CaptionSet) -> Iterable[Row]:
    """Compare corpus BLEU without smoothing, on tokens joined by spaces, with two rivals."""
    spaced = join_tokens(texts)
    options: dict[str, Any] = {"tokenizer": "whitespace", "metrics": ("bleu",), "smoothing": "none"}
    value = mf.score_captions(*spaced, **options)["bleu"].value
    joined = CaptionSet(*spaced)
    for name, rival in {"bleuscore": rivals.bleuscore_bleu, "sacrebleu": rivals.sacrebleu}.items():
        check(name, abs(rival(spaced) - value), 1e-12)
        ratios, rival_seconds, seconds = [], [], []
        for _ in range(3):
            rival_seconds.append(clock(lambda rival=rival: rival(spaced)))
            seconds.append(measure(lambda p, r: mf.score_captions(p, r, **options), joined, 3))
            ratios.append(rival_seconds[-1] / seconds[-1])
        rival_time = f"{name} {show(statistics.median(rival_seconds))}"
        yield "BLEU only", rival_time, show(statistics.median(seconds)), times(ratios)


def prepared(texts: CaptionSet) -> Iterable[Row]:
    """Compare scoring against prepared references with scoring from scratch."""
    captions = mf.Captions(texts.references)
    scores = captions.score(texts.predictions, metrics=METRICS)
    scratch = mf.score_captions(texts.predictions, texts.references, metrics=METRICS)
    check("prepared", max(np.abs(scores[name].per_item - scratch[name].per_item).max() for name in METRICS), 0)
    ratios, scratch_seconds, seconds = [], [], []
    for _ in range(15):
        scratch_seconds.append(measure(lambda p, r: mf.score_captions(p, r, metrics=METRICS), texts, 1))
        seconds.append(measure(lambda p, _: captions.score(p, metrics=METRICS), texts, 1))
        ratios.append(scratch_seconds[-1] / seconds[-1])
    yield (
        "All metrics, references prepared",
        f"from scratch {show(statistics.median(scratch_seconds))}",
        show(statistics.median(seconds)),
        times(ratios),
    )
    yield from batches(texts, captions, scores["cider_d"].per_item)


def batches(texts: CaptionSet, captions: mf.Captions, per_item: NDArray[np.float64]) -> Iterable[Row]:
    """Time batches of a training loop, each with different items."""
    slices = [slice(start, start + 50) for start in range(0, len(texts.predictions), 50)]
    frequency = mf.DocumentFrequency.from_references(texts.references)
    options: dict[str, Any] = {"metrics": ("cider_d",)}

    def prepared(batch: slice) -> mf.Scores:
        return captions.score(texts.predictions[batch], ids=range(len(texts.predictions))[batch], **options)

    def from_texts(batch: slice) -> mf.Scores:
        predictions, references = texts.predictions[batch], texts.references[batch]
        return mf.score_captions(predictions, references, document_frequency=frequency, **options)

    for name, run in {
        "CIDEr-D of a training batch: 50 predictions, prepared references": prepared,
        "The same, references tokenized each time, prepared document frequency": from_texts,
    }.items():
        check(name, max(np.abs(run(batch)["cider_d"].per_item - per_item[batch]).max() for batch in slices), 0)
        yield name, "", show(statistics.median(clock(lambda batch=batch, run=run: run(batch)) for batch in slices)), ""


def words(texts: CaptionSet) -> Iterable[Row]:
    """Compare the tokenizer jieba with two rivals, with tokens in Rust and as Python lists."""
    flat = [text for row in texts.references for text in row] + texts.predictions
    sample = flat[:: max(1, len(flat) // 2000)]
    expected = rivals.jieba_tokens(sample)
    assert mf.tokenize(sample, "jieba") == expected
    rows = [[text] for text in flat]
    ours: dict[str, Callable[[], object]] = {
        "tokens in Rust": lambda: mf.Captions(rows, tokenizer="jieba"),
        "lists of strings": lambda: mf.tokenize(flat, "jieba"),
    }
    for name, run in ours.items():
        seconds, rjieba, jieba = [], [], []
        for _ in range(5):
            rjieba.append(clock(lambda: rivals.rjieba_tokens(flat)))
            seconds.append(clock(run))
            jieba.append(clock(lambda: rivals.jieba_tokens(sample)) * len(flat) / len(sample))
        for rival, rival_seconds in {"rjieba": rjieba, "jieba": jieba}.items():
            ratios = [slow / fast for slow, fast in zip(rival_seconds, seconds, strict=True)]
            yield (
                f"jieba, {name}",
                f"{rival} {show(statistics.median(rival_seconds))}",
                show(statistics.median(seconds)),
                times(ratios),
            )


def growth(sizes: list[int]) -> Iterable[Row]:
    """Measure time and memory at several sizes, each in a separate process."""
    for items in sizes:
        output = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "benches.growth", str(items)], check=True, capture_output=True, text=True
        )
        result = json.loads(output.stdout)
        yield (
            f"All metrics, {items:,} items",
            "",
            show(result["seconds"]),
            f"{result['seconds'] / items * 1e6:.1f} µs per item, {result['megabytes']:.0f} MB in addition to the input",
        )


def join_tokens(texts: CaptionSet) -> rivals.Spaced:
    """Return the tokens of all texts, joined by spaces."""
    predictions = [" ".join(tokens) for tokens in mf.tokenize(texts.predictions)]
    return predictions, [[" ".join(tokens) for tokens in mf.tokenize(row)] for row in texts.references]


def measure(run: Callable[[list[str], list[list[str]]], object], texts: CaptionSet, rounds: int) -> float:
    """Return the median time on new strings: Python caches the UTF-8 form of a string after the first use."""
    seconds = []
    for _ in range(rounds):
        predictions = [text.encode().decode() for text in texts.predictions]
        references = [[text.encode().decode() for text in row] for row in texts.references]
        seconds.append(clock(lambda p=predictions, r=references: run(p, r)))
    return statistics.median(seconds)
