"""The hashes that the core is compared with on each platform are those of the references, and of this package."""

import json
import sys

import numpy as np
import pytest

import muge_fast as mf
from source_files import ROOT, read

sys.path.insert(0, str(ROOT / "tests" / "golden"))
import make_same_bits as golden

HASHES = json.loads(read(golden.FILE))["hashes"]


@pytest.mark.skipif(sys.platform != "linux", reason="logarithms and powers have the bits of the C library")
def test_the_recorded_hashes_are_those_of_the_references():
    assert golden.compute_hashes() == HASHES


@pytest.mark.parametrize("threads", [1, 3])
def test_captions_scored_from_python_have_the_recorded_bits(threads):
    gold = mf.read_captions(golden.SAMPLES / "caption" / "IC_sample.jsonl")
    for tokenizer in golden.TOKENIZERS:
        captions = mf.Captions(gold, tokenizer=tokenizer, threads=threads)
        for system in golden.SYSTEMS:
            predictions = mf.read_captions(golden.SAMPLES / "caption" / f"IC_sample.pred.{system}.jsonl")
            scores = captions.score(predictions, metrics=("cider_d", "rouge_l"))
            for name in ("cider_d", "rouge_l"):
                assert golden.fnv1a(scores[name].per_item) == HASHES[f"caption {tokenizer} {system} {name}"]


@pytest.mark.parametrize("metric", ["ip", "cosine"])
def test_searches_from_python_have_the_recorded_bits(metric):
    queries, items = (np.array(golden.vectors(seed, count), np.float32) for seed, count in ((1, 24), (2, 300)))
    ranking = mf.top_k(queries, items, k=golden.K, metric=metric)
    found = [*ranking.scores.ravel(), *ranking.indices.ravel().astype(float)]
    assert golden.fnv1a(found) == HASHES[f"top_k {metric}"]
