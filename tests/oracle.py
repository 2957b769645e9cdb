"""The metrics as their sources define them, in plain Python that is easy to compare with the papers, not fast.

Every sum has the order of the reference implementation, so that results can be compared bit by bit. Sources:

- BLEU: Papineni et al., 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation". Smoothing ``tiny`` is
  that of pycocoevalcap 1.2 (``bleu/bleu_scorer.py``); ``none``, ``floor``, ``add-k`` and ``exp`` are those of sacrebleu
  2.6.0 (``metrics/bleu.py``), after Chen and Cherry, 2014, "A Systematic Comparison of Smoothing Techniques".
- ROUGE-L: Lin, 2004, "ROUGE: A Package for Automatic Evaluation of Summaries"; maximum over references as in
  pycocoevalcap 1.2 (``rouge/rouge.py``).
- CIDEr and CIDEr-D: Vedantam et al., 2015, "CIDEr: Consensus-based Image Description Evaluation". CIDEr-D is
  pycocoevalcap 1.2 (``cider/cider_scorer.py``), plain CIDEr is github.com/ruotianluo/cider at dbb3960
  (``pyciderevalcap/cider/cider_scorer.py``). Both use raw counts as term frequencies; the paper divides by the length.
- The rule ``muge``: the caption task of MUGE, https://tianchi.aliyun.com/muge.

An item is a prediction and one or more references; all are lists of tokens.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ORDERS = (1, 2, 3, 4)
BETA = 1.2

Tokens = Sequence[str]
Ngram = tuple[str, ...]


def muge(text: str) -> list[str]:
    """Return runs of ASCII letters and digits, and each other character that is not white space.

    >>> muge("新款A字裙，XL2码")
    ['新', '款', 'A', '字', '裙', '，', 'XL2', '码']
    """
    return re.findall(r"[A-Za-z0-9]+|[^A-Za-z0-9\s]", text)


def char(text: str) -> list[str]:
    """Return every character that is not white space.

    >>> char("A 裙")
    ['A', '裙']
    """
    return [character for character in text if not character.isspace()]


def ngrams(tokens: Tokens, order: int) -> Counter[Ngram]:
    """Count the n-grams of one order, in the order of first occurrence.

    >>> ngrams(["a", "b", "a", "b"], 2)
    Counter({('a', 'b'): 2, ('b', 'a'): 1})
    """
    return Counter(tuple(tokens[start : start + order]) for start in range(len(tokens) - order + 1))


# BLEU


@dataclass(frozen=True)
class BleuCounts:
    """Statistics of BLEU; those of a set are the sum of those of its items."""

    prediction_length: int
    reference_length: int
    matched: tuple[int, ...]
    total: tuple[int, ...]

    def __add__(self, other: "BleuCounts") -> "BleuCounts":
        return BleuCounts(
            self.prediction_length + other.prediction_length,
            self.reference_length + other.reference_length,
            tuple(map(sum, zip(self.matched, other.matched, strict=True))),
            tuple(map(sum, zip(self.total, other.total, strict=True))),
        )


def bleu_counts(prediction: Tokens, references: Sequence[Tokens]) -> BleuCounts:
    """Return matches, clipped to the largest count in any reference, and the closest reference length.

    >>> bleu_counts("aab", ["ab", "bb"])
    BleuCounts(prediction_length=3, reference_length=2, matched=(2, 1, 0, 0), total=(3, 2, 1, 0))
    """
    length = len(prediction)
    # The shorter one of two equally close lengths.
    closest = min((abs(len(reference) - length), len(reference)) for reference in references)[1]
    matched = []
    for order in ORDERS:
        counts = [ngrams(reference, order) for reference in references]
        clipped = [min(n, max(c[ngram] for c in counts)) for ngram, n in ngrams(prediction, order).items()]
        matched.append(sum(clipped))
    total = tuple(max(0, length - order + 1) for order in ORDERS)
    return BleuCounts(length, closest, tuple(matched), total)


def bleu(
    counts: BleuCounts, smoothing: str = "tiny", value: float | None = None, *, effective_order: bool = False
) -> list[float]:
    """Return BLEU-1 to BLEU-4, each 0 to 1.

    BLEU-n = BP * (p_1 * ... * p_n) ** (1/n), where p_k is matched over total of order k and BP the brevity penalty,
    exp(1 - reference length / prediction length) for predictions that are too short.
    """
    if smoothing == "tiny":
        return _bleu_tiny(counts)
    return [_bleu_smoothed(counts, smoothing, value, effective_order, last) for last in ORDERS]


def _bleu_tiny(counts: BleuCounts) -> list[float]:
    tiny, small = 1e-15, 1e-9
    ratio = (counts.prediction_length + tiny) / (counts.reference_length + small)
    scores, product = [], 1.0
    for order, matched, total in zip(ORDERS, counts.matched, counts.total, strict=True):
        product *= (matched + tiny) / (total + small)
        scores.append(product ** (1 / order))
    return [score * math.exp(1 - 1 / ratio) for score in scores] if ratio < 1 else scores


def _bleu_smoothed(counts: BleuCounts, smoothing: str, value: float | None, effective_order: bool, last: int) -> float:
    """Return BLEU of the orders 1 to ``last``, as sacrebleu computes it with that ``max_ngram_order``."""
    if not any(counts.matched[:last]):
        return 0.0
    if value is None:
        value = {"floor": 0.1, "add-k": 1.0}.get(smoothing, 0.0)
    precisions, used, halved = [0.0] * last, last, 1.0
    for order in range(1, last + 1):
        added = value if smoothing == "add-k" and order > 1 else 0.0
        matched, total = counts.matched[order - 1] + added, counts.total[order - 1] + added
        if total == 0:
            break
        if effective_order:
            used = order
        if matched > 0:
            precisions[order - 1] = 100 * matched / total
        elif smoothing == "exp":
            halved *= 2
            precisions[order - 1] = 100 / (halved * total)
        elif smoothing == "floor":
            precisions[order - 1] = 100 * value / total
    if 0.0 in precisions[:used]:
        return 0.0
    mean = sum(math.log(precision) for precision in precisions[:used]) / used
    return _brevity_penalty(counts) * math.exp(mean) / 100


def _brevity_penalty(counts: BleuCounts) -> float:
    if counts.prediction_length >= counts.reference_length:
        return 1.0
    return math.exp(1 - counts.reference_length / counts.prediction_length) if counts.prediction_length > 0 else 0.0


# ROUGE-L


def common_subsequence(a: Tokens, b: Tokens) -> int:
    """Return the length of the longest common subsequence, by dynamic programming.

    >>> common_subsequence("abcbdab", "bdcaba")
    4
    """
    row = [0] * (len(b) + 1)
    for x in a:
        above = row
        row = [0]
        for j, y in enumerate(b, 1):
            row.append(above[j - 1] + 1 if x == y else max(above[j], row[j - 1]))
    return row[-1]


def rouge_l(prediction: Tokens, references: Sequence[Tokens]) -> float:
    """Return F = (1 + beta^2) P R / (R + beta^2 P), where P and R are maximised separately over the references.

    In pycocoevalcap an empty text is one empty token; here it has no tokens and matches nothing.

    >>> rouge_l("ab", ["abcdef", "a"])
    1.0
    """
    common = [common_subsequence(prediction, reference) for reference in references]
    precision = max(length / len(prediction) if prediction else 0.0 for length in common)
    recall = max(n / len(reference) if reference else 0.0 for n, reference in zip(common, references, strict=True))
    if precision == 0 or recall == 0:
        return 0.0
    return ((1 + BETA**2) * precision * recall) / (recall + BETA**2 * precision)


# CIDEr


def document_frequency(items: Sequence[Sequence[Tokens]]) -> Counter[Ngram]:
    """Return the number of items in which each n-gram of 1 to 4 tokens occurs, in any of their references.

    >>> document_frequency([["ab", "b"], ["b"]])[("b",)]
    2
    """
    frequency: Counter[Ngram] = Counter()
    for references in items:
        frequency.update({ngram for order in ORDERS for tokens in references for ngram in ngrams(tokens, order)})
    return frequency


@dataclass(frozen=True)
class Idf:
    """Inverse document frequencies: idf = ln(documents) - ln(max(1, frequency of the n-gram))."""

    frequency: Mapping[Ngram, float]
    documents: float

    def vector(self, tokens: Tokens, order: int) -> dict[Ngram, float]:
        """Return count times idf of each n-gram."""
        log_documents = math.log(self.documents)
        return {
            ngram: count * (log_documents - math.log(max(1.0, self.frequency.get(ngram, 0))))
            for ngram, count in ngrams(tokens, order).items()
        }


def cider(prediction: Tokens, references: Sequence[Tokens], idf: Idf) -> float:
    """Return CIDEr: the cosine of the two vectors, averaged over orders and references, times 10."""
    return _cider(prediction, references, idf, None)


def cider_d(prediction: Tokens, references: Sequence[Tokens], idf: Idf, sigma: float = 6.0) -> float:
    """Return CIDEr-D: weights of the prediction are clipped to the reference's, differing lengths are penalised."""
    return _cider(prediction, references, idf, sigma)


def _cider(prediction: Tokens, references: Sequence[Tokens], idf: Idf, sigma: float | None) -> float:
    by_order = []
    for order in ORDERS:
        a = idf.vector(prediction, order)
        total = 0.0
        for reference in references:
            b = idf.vector(reference, order)
            if sigma is None:
                product = _sum(weight * b.get(ngram, 0.0) for ngram, weight in a.items())
            else:
                product = _sum(min(weight, b.get(ngram, 0.0)) * b.get(ngram, 0.0) for ngram, weight in a.items())
            # The reference implementation does not divide by a norm of zero.
            lengths = _norm(a) * _norm(b) if _norm(a) != 0 and _norm(b) != 0 else 1.0
            total += product / lengths * (1.0 if sigma is None else length_penalty(prediction, reference, sigma))
        by_order.append(total)
    return _sum(by_order) / len(ORDERS) / len(references) * 10


def length_penalty(prediction: Tokens, reference: Tokens, sigma: float = 6.0) -> float:
    """Return exp(-delta^2 / (2 sigma^2)); lengths are counted in bigrams, as in the reference implementation."""
    delta = max(0, len(prediction) - 1) - max(0, len(reference) - 1)
    return math.e ** (-(delta * delta) / (2 * (sigma * sigma)))


def _norm(vector: Mapping[Ngram, float]) -> float:
    return math.sqrt(_sum(weight * weight for weight in vector.values()))


def _sum(values) -> float:
    """Add from left to right; the built-in sum compensates rounding errors from Python 3.12 on."""
    total = 0.0
    for value in values:
        total += value
    return total


# All items of a set


@dataclass(frozen=True)
class Oracle:
    """Each metric of each item of a set, from tokens."""

    predictions: Sequence[Tokens]
    references: Sequence[Sequence[Tokens]]
    idf: Idf

    @classmethod
    def from_texts(
        cls, predictions: Sequence[str], references: Sequence[Sequence[str]], tokenize=muge, idf=None
    ) -> "Oracle":
        """Tokenize texts; document frequencies are counted in the references unless ``idf`` has others."""
        tokens = [[tokenize(text) for text in texts] for texts in references]
        idf = idf or Idf(document_frequency(tokens), len(tokens))
        return cls([tokenize(text) for text in predictions], tokens, idf)

    def per_item(self, metric: str) -> list[float]:
        """Return the metric of each item; ``"bleu"`` is BLEU-4 with the smoothing ``tiny``."""
        items = list(zip(self.predictions, self.references, strict=True))
        if metric == "bleu":
            return [bleu(counts)[-1] for counts in self.bleu_counts()]
        if metric == "rouge_l":
            return [rouge_l(prediction, references) for prediction, references in items]
        function = {"cider": cider, "cider_d": cider_d}[metric]
        return [function(prediction, references, self.idf) for prediction, references in items]

    def bleu_counts(self) -> list[BleuCounts]:
        """Return the statistics of BLEU of each item."""
        return [bleu_counts(*item) for item in zip(self.predictions, self.references, strict=True)]

    def bleu(self, *options, **named) -> list[float]:
        """Return BLEU-1 to BLEU-4 of the whole set."""
        first, *rest = self.bleu_counts()
        return bleu(sum(rest, start=first), *options, **named)


# Retrieval


def retrieval(ranked, relevant, k):
    """Return all metrics of one query."""
    hits = [item in relevant for item in ranked]
    ranks = [rank for rank, hit in enumerate(hits, 1) if hit]
    gains = [1 / math.log2(rank + 1) for rank in ranks if rank <= k]
    best = [1 / math.log2(rank + 1) for rank in range(1, min(k, len(relevant)) + 1)]
    return {
        "recall": float(any(hits[:k])),
        "relevant_recall": sum(hits[:k]) / len(relevant),
        "precision": sum(hits[:k]) / k,
        "ndcg": sum(gains) / sum(best),
        "mrr": 1 / ranks[0] if ranks else 0.0,
        "map": sum(sum(hits[:rank]) / rank for rank in ranks) / len(relevant),
    }
