"""Write comparisons of the sample submissions, computed by plain NumPy and by trying all patterns.

    python tests/golden/comparisons.py

sacrebleu 2.6.0 and NumPy 2 must be installed. This package is not imported. The output is reproducible.
"""

import itertools
import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from paired import NAMES, SAMPLES, SYSTEMS, read
from sacrebleu.metrics.bleu import BLEU

TARGET = Path(__file__).with_name("comparisons.json")
LEVEL, DRAWS, SEED = 0.95, 10_000, 12345


def main() -> None:
    """Write the file."""
    rows = {name: bleu_rows(systems) for name, systems in SYSTEMS.items()}
    tool = f"NumPy {version('numpy')}, sacrebleu {version('sacrebleu')}"
    content = {
        "tool": tool,
        "command": "python tests/golden/comparisons.py",
        "rows": {name: {key: own.tolist() for key, own in systems.items()} for name, systems in rows.items()},
        "exact_swaps": {
            name: {key: exact_swap(systems[first], own) for key, own in systems.items() if key != first}
            for name, systems in rows.items()
            for first in [next(iter(systems))]
        },
        "rank_ranges": rank_ranges({key: own for key, own in rows["all"].items() if key != "same"}),
        "hits": {name: hits(name) for name in NAMES.values()},
    }
    TARGET.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def bleu_rows(systems: dict) -> dict:
    """Return sacrebleu's statistics of each item of each system."""
    references = [row["text"] for row in read("IC_sample.jsonl")]
    texts = {letter: [row["text"] for row in read(f"IC_sample.pred.{name}.jsonl")] for letter, name in NAMES.items()}
    items = len(next(iter(systems.values())))
    most = max(map(len, references[:items]))
    streams = [[gold[n] if n < len(gold) else None for gold in references[:items]] for n in range(most)]
    bleu = BLEU(tokenize="zh", references=streams)
    return {
        name: np.array(bleu._extract_corpus_statistics([texts[s][i] for i, s in enumerate(sources)], None))
        for name, sources in systems.items()
    }


def score(sums: np.ndarray) -> float:
    """Return BLEU of sums of statistics, with the smoothing "exp"."""
    numbers = [int(number) for number in sums]
    return BLEU.compute_bleu(numbers[2:6], numbers[6:], numbers[0], numbers[1], smooth_method="exp").score / 100


def exact_swap(base: np.ndarray, other: np.ndarray) -> dict:
    """Count the patterns of swaps of differing items whose difference is at least as large as the observed one."""
    differing = np.flatnonzero((base != other).any(axis=1))
    observed = abs(score(other.sum(axis=0)) - score(base.sum(axis=0)))
    count = 0
    for pattern in itertools.product([False, True], repeat=len(differing)):
        swapped = np.zeros(len(base), dtype=bool)
        swapped[differing] = pattern
        first, second = (np.where(swapped[:, None], *pair).sum(axis=0) for pair in ((base, other), (other, base)))
        count += abs(score(first) - score(second)) >= observed
    return {"differing": len(differing), "count": int(count), "of": 2 ** len(differing)}


def contributions(rows: np.ndarray) -> np.ndarray:
    """Return what each item contributes to BLEU to first order, with the sum of BLEU: derivatives by differences."""
    sums = rows.sum(axis=0).astype(float)
    steps = 1e-4 * np.eye(len(sums))
    gradient = np.array([(plain_bleu(sums + step) - plain_bleu(sums - step)) / 2e-4 for step in steps])
    return (rows - rows.mean(axis=0)) @ gradient + plain_bleu(sums) / len(rows)


def plain_bleu(sums: np.ndarray) -> float:
    """Return BLEU of sums of statistics with matches of every order."""
    brevity_penalty = min(1.0, np.exp(1 - sums[1] / sums[0]))
    return brevity_penalty * np.exp(np.log(sums[2:6] / sums[6:10]).mean())


def rank_ranges(systems: dict) -> dict:
    """Return critical values, adjusted p-values and rank ranges by the step-down method on all ordered pairs."""
    names = list(systems)
    table = np.stack([contributions(systems[name]) for name in names], axis=1)
    signs = np.where(np.random.default_rng(SEED).integers(2, size=(DRAWS, len(table)), dtype=bool), 1, -1)
    drawn, observed = signs @ table, table.sum(axis=0)
    pairs = list(itertools.permutations(range(len(names)), 2))
    differences = np.array([drawn[:, i] - drawn[:, j] for i, j in pairs]).T
    means = np.array([observed[i] - observed[j] for i, j in pairs])
    errors = np.sqrt((means**2 + (differences**2).sum(axis=0)) / (DRAWS + 1))
    statistics, null = means / errors, differences / errors
    order = np.argsort(-statistics)
    adjusted, largest = {}, 0.0
    for step, index in enumerate(order):
        maxima = null[:, order[step:]].max(axis=1)
        largest = max(largest, (1 + np.count_nonzero(maxima >= statistics[index])) / (DRAWS + 1))
        adjusted[pairs[index]] = largest
    critical, open_pairs = [], list(range(len(pairs)))
    while open_pairs:
        critical.append(float(np.quantile(null[:, open_pairs].max(axis=1), LEVEL)))
        kept = [index for index in open_pairs if statistics[index] <= critical[-1]]
        if len(kept) == len(open_pairs):
            break
        open_pairs = kept
    above = {pair for pair, p in adjusted.items() if p <= 1 - LEVEL + 1e-12}
    ranges = {
        name: [1 + sum(pair[1] == i for pair in above), len(names) - sum(pair[0] == i for pair in above)]
        for i, name in enumerate(names)
    }
    named = {f"{names[i]} > {names[j]}": p for (i, j), p in sorted(adjusted.items())}
    return {"critical": critical, "ranges": ranges, "adjusted": named}


def hits(name: str) -> list:
    """Return for each sample query whether its first 1, 5 and 10 items have a relevant one."""
    folder = SAMPLES.parent / "retrieval"
    lines = [
        (folder / file).read_text(encoding="utf-8").splitlines()
        for file in ("MR_sample_queries.jsonl", f"MR_sample.pred.{name}.jsonl")
    ]
    relevant, found = ({row["query_id"]: row["item_ids"] for row in map(json.loads, rows)} for rows in lines)
    return [[int(bool({*found[key][:k]} & {*relevant[key]})) for k in (1, 5, 10)] for key in relevant]


if __name__ == "__main__":
    main()
