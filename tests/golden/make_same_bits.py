"""Write same_bits.json: hashes of scores of the sample files, computed by the reference implementations.

    .venv/bin/python tests/golden/make_same_bits.py

Captions are scored by pycocoevalcap 1.2, with the tokens of muge_fast; metrics of rankings and searches are computed by
their definitions, in plain Python. `tests/same_bits.rs` compares the core with these hashes on each platform.
"""

import json
import math
import operator
from collections.abc import Iterable, Iterator
from functools import reduce
from importlib.metadata import version

from check_same_bits import FILE, SAMPLES, SHAPE, SYSTEMS, TOKENIZERS, K, fnv1a, vectors
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

import muge_fast as mf


def rows(task: str, name: str) -> list[dict]:
    lines = (SAMPLES / task / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def caption_hashes() -> Iterator[tuple[str, str]]:
    gold = rows("caption", "IC_sample.jsonl")
    for tokenizer in TOKENIZERS:

        def cut(texts: list[str], tokenizer: str = tokenizer) -> list[str]:
            return [" ".join(tokens) for tokens in mf.tokenize(texts, tokenizer)]

        references = {row["image_id"]: cut(row["text"]) for row in gold}
        for system in SYSTEMS:
            predicted = {row["image_id"]: row["text"] for row in rows("caption", f"IC_sample.pred.{system}.jsonl")}
            predictions = {key: cut([predicted[key]]) for key in references}
            _, by_order = Bleu(4).compute_score(references, predictions, verbose=0)
            name = f"caption {tokenizer} {system}"
            yield f"{name} bleu", fnv1a(value for item in zip(*by_order, strict=True) for value in item)
            yield f"{name} cider_d", fnv1a(Cider().compute_score(references, predictions)[1])
            yield f"{name} rouge_l", fnv1a(Rouge().compute_score(references, predictions)[1])


def add(values: Iterable[float]) -> float:
    """Return the sum, rounded after each number: `sum` compensates for roundings from Python 3.12 on."""
    return reduce(operator.add, values, 0.0)


def gain(ranks: Iterable[int]) -> float:
    return add(1 / math.log2(rank + 1) for rank in ranks)


def ranking_values(ranked: list[int], relevant: list[int]) -> dict[str, float]:
    ranks = [rank for rank, item in enumerate(ranked, 1) if item in relevant]
    first = [rank for rank in ranks if rank <= K]
    return {
        "recall": float(bool(first)),
        "relevant_recall": len(first) / len(relevant),
        "precision": len(first) / K,
        "ndcg": gain(first) / gain(range(1, min(len(relevant), K) + 1)),
        "mrr": 1 / ranks[0] if ranks else 0.0,
        "map": add(count / rank for count, rank in enumerate(ranks, 1)) / len(relevant),
    }


def retrieval_hashes() -> Iterator[tuple[str, str]]:
    gold = rows("retrieval", "MR_sample_queries.jsonl")
    for system in SYSTEMS:
        predicted = rows("retrieval", f"MR_sample.pred.{system}.jsonl")
        pairs = zip(predicted, gold, strict=True)
        values = [ranking_values(ranked["item_ids"], relevant["item_ids"]) for ranked, relevant in pairs]
        for name in values[0]:
            yield f"retrieval {system} {name}", fnv1a(row[name] for row in values)


def dot(left: list[float], right: list[float]) -> float:
    """Return the inner product as docs/top-k.md defines it."""
    sums = [0.0] * 32
    for index, (a, b) in enumerate(zip(left, right, strict=True)):
        sums[index % 32] += a * b
    while len(sums) > 1:
        half = len(sums) // 2
        sums = [sums[index] + sums[index + half] for index in range(half)]
    return sums[0]


def top_k_hashes() -> Iterator[tuple[str, str]]:
    queries, items = vectors(1, SHAPE[0]), vectors(2, SHAPE[1])
    lengths = {id(vector): math.sqrt(dot(vector, vector)) for vector in queries + items}

    def cosine(query: list[float], item: list[float]) -> float:
        return dot(query, item) / (lengths[id(query)] * lengths[id(item)])

    for name, score in (("ip", dot), ("cosine", cosine)):
        found = []
        for query in queries:
            scores = [score(query, item) for item in items]
            found += sorted(((value, index) for index, value in enumerate(scores)), key=lambda p: (-p[0], p[1]))[:K]
        yield f"top_k {name}", fnv1a([value for value, _ in found] + [float(index) for _, index in found])


def compute_hashes() -> dict[str, str]:
    """Return the hash of each set of scores."""
    return dict([*caption_hashes(), *retrieval_hashes(), *top_k_hashes()])


def main() -> None:
    golden = {
        "tool": f"pycocoevalcap {version('pycocoevalcap')} on x86-64 Linux; definitions in plain Python",
        "command": "python tests/golden/make_same_bits.py",
        "hashes": compute_hashes(),
    }
    FILE.write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
