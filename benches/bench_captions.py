"""Caption metrics under pytest-benchmark: ``pytest benches --benchmark-only``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import muge_fast as mf
from benches.data import CaptionSet, caption_set
from benches.rivals import jieba_tokens, pycocoevalcap

METRICS = ("bleu", "rouge_l", "cider_d", "cider")
Benchmark = Callable[..., Any]


@cache
def captions() -> CaptionSet:
    return caption_set(10_000)


def fresh(texts: CaptionSet) -> tuple[tuple[list[str], list[list[str]]], dict[str, Any]]:
    """Return new strings: Python caches the UTF-8 form of a string after the first use."""
    copy = lambda text: text.encode().decode()  # noqa: E731
    references = [[copy(reference) for reference in row] for row in texts.references]
    return ([copy(prediction) for prediction in texts.predictions], references), {}


@pytest.fixture(scope="module", autouse=True)
def _check_scores() -> None:
    """Check the scores before anything is timed."""
    small = caption_set(100, seed=1)
    spaced = [" ".join(tokens) for tokens in mf.tokenize(small.predictions)]
    references = [[" ".join(tokens) for tokens in mf.tokenize(row)] for row in small.references]
    scores = mf.score_captions(small.predictions, small.references)
    for name, expected in pycocoevalcap((spaced, references)).items():
        np.testing.assert_allclose(scores[name].per_item, expected[1:], rtol=0, atol=1e-12)
    texts = [small.predictions[0], small.references[0][0]]
    assert mf.tokenize(texts, "jieba") == jieba_tokens(texts)


def test_all_metrics(benchmark: Benchmark) -> None:
    benchmark.pedantic(  # type: ignore[attr-defined]
        lambda predictions, references: mf.score_captions(predictions, references, metrics=METRICS),
        setup=lambda: fresh(captions()),
        rounds=7,
    )


@pytest.mark.parametrize("metric", METRICS)
def test_one_metric(benchmark: Benchmark, metric: str) -> None:
    benchmark.pedantic(  # type: ignore[attr-defined]
        lambda predictions, references: mf.score_captions(predictions, references, metrics=(metric,)),
        setup=lambda: fresh(captions()),
        rounds=5,
    )


def test_prepared_references(benchmark: Benchmark) -> None:
    prepared = mf.Captions(captions().references)
    benchmark(prepared.score, captions().predictions, metrics=METRICS)


def test_training_batch(benchmark: Benchmark) -> None:
    prepared = mf.Captions(captions().references)
    benchmark(prepared.score, captions().predictions[:50], ids=range(50), metrics=("cider_d",))


@pytest.mark.parametrize("tokenizer", ["muge", "char", "jieba", "13a", "zh"])
def test_tokenize(benchmark: Benchmark, tokenizer: str) -> None:
    benchmark(mf.tokenize, captions().predictions, tokenizer)
