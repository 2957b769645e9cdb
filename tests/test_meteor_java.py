"""METEOR has the rows of the original program, on texts of every kind. Skipped where there is no Java."""

import numpy as np
import pytest

from meteor_jar import MeteorJar, has_java
from meteor_texts import pairs
from muge_fast.caption.meteor import meteor_corpus, meteor_items, meteor_rows

pytestmark = [
    pytest.mark.java,
    pytest.mark.slow,
    pytest.mark.skipif(not has_java(), reason="there is no java, so METEOR is not compared with the original"),
]

COUNTS = {"chinese": 2500, "english": 2000, "mixed": 1500, "repetitive": 1500, "pieces": 2500}


@pytest.fixture(scope="module")
def jar():
    with MeteorJar() as jar:
        yield jar


def test_there_are_ten_thousand_segments():
    assert sum(COUNTS.values()) == 10_000


@pytest.mark.parametrize("kind", COUNTS)
def test_rows_and_scores_have_the_bits_of_the_original(jar, kind):
    predictions, references = pairs(kind, COUNTS[kind])
    rows, scores, corpus = jar.score(predictions, references)
    ours = meteor_rows(predictions, references)
    assert [
        pair for pair in zip(predictions, references, ours.tolist(), rows.tolist(), strict=True) if pair[2] != pair[3]
    ] == []
    assert meteor_items(ours).tolist() == scores
    assert meteor_corpus(ours) == corpus
    # Not all of them are trivial.
    assert len(np.unique(rows, axis=0)) > COUNTS[kind] // 10
