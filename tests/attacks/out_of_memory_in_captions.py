"""Captions under ever larger limits of address space: a ``MemoryError``, then the result, and never an abort."""

import muge_fast as mf
from limited_memory import raise_limit

MEMORY = 2 << 30
SHAPES = {
    "characters": (["!"] * 100_000, "char"),
    "sentences": (["".join(chr(0x4E00 + (i * 7 + j) % 20_000) for j in range(20)) for i in range(20_000)], "char"),
    "words": (["a a a"] * 50_000, "whitespace"),
    "one long text": (["".join(chr(0x4E00 + i * i % 20_000) for i in range(400_000))] * 2, "char"),
}


def calls(texts, tokenizer):
    references = [[text] for text in texts]
    metrics = ("cider_d", "bleu", "rouge_l", "cider")
    yield lambda: mf.score_captions(texts, references, metrics=metrics, tokenizer=tokenizer)
    yield lambda: mf.Captions(references, tokenizer=tokenizer).score(texts)
    yield lambda: mf.DocumentFrequency.from_references(references, tokenizer=tokenizer)
    yield lambda: mf.tokenize(texts, tokenizer=tokenizer)


def attack():
    for name, (texts, tokenizer) in SHAPES.items():
        for index, call in enumerate(calls(texts, tokenizer)):
            assert raise_limit(call, (4 + index) << 18, most=MEMORY), (name, index)
