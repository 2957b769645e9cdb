"""A caption of a million different tokens: ROUGE-L must not keep a bit mask of all positions for each of them.

Such masks would take 125 GB. The longest common subsequence with "5 7 3 9" is known.
"""

import muge_fast as mf

MEMORY = 512 << 20
RATIO = 20


def prepare():
    return " ".join(map(str, range(1_000_000))), " ".join(["5"] * 1_000_000)


def score(text):
    return mf.score_captions([text, "1"], [["5 7 3 9"], ["1"]], metrics=["rouge_l"], tokenizer="whitespace")["rouge_l"]


def harmless(texts):
    score(texts[1])


def attack(texts):
    precision, recall = 3 / 1_000_000, 3 / 4
    expected = 2.44 * precision * recall / (recall + 1.44 * precision)
    assert abs(score(texts[0]).per_item[0] - expected) < 1e-12
