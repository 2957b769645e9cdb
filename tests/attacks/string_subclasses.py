"""Subclasses of ``str`` that define ``__len__``: the string itself counts, not what its class answers.

A length that is too large would read beyond the string, and one of 10**9 would ask for gigabytes.
"""

import muge_fast as mf

MEMORY = 256 << 20


class Text(str):  # noqa: SLOT000 - a stranger's class
    length = 0

    def __len__(self):
        return self.length

    def __iter__(self):
        return iter("xyz")

    def __str__(self):
        return "xyz"


def attack():
    for length in (0, 1, 5, 10**9, -1):
        Text.length = length
        text = Text("红裙")
        assert mf.tokenize([text]) == [["红", "裙"]]
        for predictions, references in (([text], [["红裙"]]), (["红裙"], [[text]])):
            assert mf.score_captions(predictions, references, metrics=["rouge_l"])["rouge_l"].value == 1.0
