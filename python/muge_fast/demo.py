"""The main job on sample data: three captioning systems scored against the same references."""

from __future__ import annotations

import time
from importlib.resources import files
from pathlib import Path

from muge_fast.caption import Captions
from muge_fast.files import read_captions
from muge_fast.score import Scores

SYSTEMS = ("template", "base", "large")
METRICS = ("cider_d", "bleu", "rouge_l", "cider")
TITLES = {"cider_d": "CIDEr-D", "bleu": "BLEU-4", "rouge_l": "ROUGE-L", "cider": "CIDEr"}


def demo_captions() -> str:
    """Score the sample captions; returns a table of systems by metric.

    Example:
        >>> from muge_fast.demo import demo_captions
        >>> "CIDEr-D" in demo_captions()
        True

    """
    folder = Path(str(files("muge_fast"))) / "samples" / "caption"
    references = read_captions(folder / "IC_sample.jsonl")
    predictions = {system: read_captions(folder / f"IC_sample.pred.{system}.jsonl") for system in SYSTEMS}
    start = time.perf_counter()
    captions = Captions(references)
    scores = {system: captions.score(predictions[system], metrics=METRICS) for system in SYSTEMS}  # type: ignore[arg-type]
    milliseconds = (time.perf_counter() - start) * 1000
    texts = sum(map(len, references.values())) + len(SYSTEMS) * len(references)
    return "\n".join(
        [
            f"ECommerce-IC sample: {len(references)} items, {texts} captions, scores times 100, best marked *",
            "",
            *table(scores),
            "",
            f"Tokenised and scored in {milliseconds:.1f} ms. {next(iter(scores.values()))['cider_d'].signature}",
        ]
    )


def table(scores: dict[str, Scores]) -> list[str]:
    """Lay scores out as lines: one row for each system, one column for each metric, the best of a column marked."""
    metrics = list(next(iter(scores.values())))
    best = {metric: max(row[metric].value for row in scores.values()) for metric in metrics}
    lines = [f"{'system':<12}" + "".join(f"{TITLES[metric]:>11}" for metric in metrics)]
    lines.append("-" * len(lines[0]))
    for system, row in scores.items():
        cells = (
            f"{row[metric].value * 100:>10.2f}" + ("*" if row[metric].value == best[metric] else " ")
            for metric in metrics
        )
        lines.append(f"{system:<12}" + "".join(cells).rstrip())
    return lines
