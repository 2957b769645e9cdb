"""The main jobs on sample data: three systems of each kind, scored against the same references."""

from __future__ import annotations

import io
import os
import tempfile
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from muge_fast.caption.scoring import Captions
from muge_fast.datasets import ImageTsv
from muge_fast.datasets.jsonl import read_captions, read_queries
from muge_fast.evaluation._evaluate import evaluate
from muge_fast.features.files import write_features
from muge_fast.retrieval.predictions import predict
from muge_fast.retrieval.scoring import score_retrieval
from muge_fast.scores import Scores

SYSTEMS = ("template", "base", "large")
METRICS = ("cider_d", "bleu", "rouge_l", "cider")
TITLES = {
    "cider_d": "CIDEr-D",
    "bleu": "BLEU-4",
    "rouge_l": "ROUGE-L",
    "cider": "CIDEr",
    "recall@1": "Recall@1",
    "recall@5": "Recall@5",
    "recall@10": "Recall@10",
    "mean_recall": "MeanRecall",
}

GOLD = {
    "caption": "IC_sample.jsonl",
    "retrieval": "MR_sample_queries.jsonl",
    "classification": "CC_sample.jsonl",
}

# Synthetic images on each side of the text-to-image sample.
PICTURES = 24

# The synthetic features of the retrieval sample.
SEED = 2022
QUERIES, ITEMS, DIMENSIONS = 500, 2_000, 64
ENCODERS = {"small": 6.0, "base": 4.0, "large": 2.5}


def demo_captions() -> str:
    """Score the sample captions; returns a table of systems by metric.

    Example:
        >>> from muge_fast.cli.demo_data import demo_captions
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
            *table(scores, "system"),
            "",
            f"Tokenised and scored in {milliseconds:.1f} ms. {next(iter(scores.values()))['cider_d'].signature}",
        ]
    )


def demo_retrieval() -> str:
    """Go from feature files to a table of recall.

    The features are synthetic: random unit vectors of 64 dimensions for 2,000 items, and for each of 500 queries the
    sum of its one to three items, made less exact by noise that differs between three "encoders".

    Example:
        >>> from muge_fast.cli.demo_data import demo_retrieval
        >>> "Recall@10" in demo_retrieval()
        True

    """
    random = np.random.default_rng(SEED)
    items = random.standard_normal((ITEMS, DIMENSIONS))
    relevant = {query: random.choice(ITEMS, random.integers(1, 4), replace=False).tolist() for query in range(QUERIES)}
    noise = random.standard_normal((QUERIES, DIMENSIONS))
    exact = np.stack([items[found].sum(axis=0) for found in relevant.values()])
    scores = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_features(folder / "img_feat.jsonl", np.arange(ITEMS), _unit(items))
        start = time.perf_counter()
        for encoder, amount in ENCODERS.items():
            features = _unit(exact + amount * noise)
            write_features(folder / "txt_feat.jsonl", np.arange(QUERIES), features, id_field="text_id")
            lines = predict(folder / "img_feat.jsonl", folder / "txt_feat.jsonl", 10, progress=False)
            (folder / "predictions.jsonl").write_text("".join(lines), encoding="utf-8")
            scores[encoder] = score_retrieval(read_queries(folder / "predictions.jsonl"), relevant)
        milliseconds = (time.perf_counter() - start) * 1000
    return "\n".join(
        [
            f"Retrieval with synthetic features: {QUERIES} queries, {ITEMS:,} items, scores times 100, best marked *",
            "",
            *table(scores, "encoder"),
            "",
            f"Feature files written, searched and scored in {milliseconds:.0f} ms.",
        ]
    )


def demo_verdicts(path: Path) -> str:
    """Go from files to verdicts: evaluate sample submissions of each task, and write the report of one.

    Args:
        path: Where the report of HTML shall be.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.cli.demo_data import demo_verdicts
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(demo_verdicts(pathlib.Path(folder) / "report.html").splitlines()[4])
        caption         cider_d            0.32       9.39      91.64

    """
    lines = ["Verdicts on sample submissions, main score of each task times 100", ""]
    lines.append(f"{'task':<16}{'score':<12}" + "".join(f"{system:>11}" for system in SYSTEMS))
    lines.append("-" * len(lines[-1]))
    for task, gold in GOLD.items():
        folder = Path(str(files("muge_fast"))) / "samples" / task
        stem = gold.removesuffix(".jsonl").removesuffix("_queries")
        reports = [evaluate(task, folder / gold, folder / f"{stem}.pred.{system}.jsonl") for system in SYSTEMS]
        values = "".join(f"{report.official()['score']:>11.2f}" for report in reports)
        lines.append(f"{task:<16}{reports[0].task.main:<12}{values}")
        if task == "caption":
            reports[-1].to_html(path=path)
    return "\n".join([*lines, "", f"A report to look at in a browser: {path}", *_broken_copy()])


def demo_images() -> str:
    """Go from image files to a verdict of the text-to-image task, if torch and Pillow are installed.

    The images are synthetic, and so are the weights of the network, unless ``MUGE_FAST_INCEPTION`` names the published
    file: with random weights the numbers mean nothing, and the output says so.

    Example:
        >>> from muge_fast.cli.demo_data import demo_images
        >>> "t2i" in demo_images()
        True

    """
    try:
        import torch  # noqa: PLC0415 - an extra
        from PIL import Image  # noqa: PLC0415

        from muge_fast.image.extractors.networks import random_weights  # noqa: PLC0415
    except ImportError:
        return "t2i: not shown, needs torch and Pillow: pip install 'muge-fast[t2i]'"
    given = os.environ.get("MUGE_FAST_INCEPTION")
    random = np.random.default_rng(SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = given or folder / "random.pth"
        if not given:
            torch.save(random_weights(), weights)
        for side, grain in (("real", 6), ("generated", 9)):
            images = {}
            for number in range(PICTURES):
                data = io.BytesIO()
                coarse = Image.fromarray(random.integers(0, 256, (grain, grain, 3)).astype("uint8"))
                coarse.resize((96, 96), Image.Resampling.BICUBIC).save(data, "PNG")
                images[f"{number:04}"] = data.getvalue()
            ImageTsv.write(folder / f"{side}.tsv", images)
        report = evaluate(
            "t2i", folder / "real.tsv", folder / "generated.tsv", weights=weights, splits=2, progress=False
        )
    values = ", ".join(f"{key} {value:.2f}" for key, value in report.official()["scoreJson"].items() if key != "score")
    kind = "" if given else " The weights are random, so the numbers mean nothing."
    return f"t2i: {PICTURES} synthetic images a side in {report.seconds:.1f} s: {values}.{kind}"


def _broken_copy() -> list[str]:
    """What a submission gets that has three broken lines."""
    folder = Path(str(files("muge_fast"))) / "samples" / "caption"
    with tempfile.TemporaryDirectory() as name:
        broken = Path(name) / "broken.jsonl"
        lines = (folder / "IC_sample.pred.large.jsonl").read_text(encoding="utf-8").splitlines()
        lines[4:7] = [lines[3], '{"image_id": 5, "text": "红裙"}', '{"image_id": "x", "text"']
        broken.write_text("\n".join(lines), encoding="utf-8")
        errors = evaluate("caption", folder / GOLD["caption"], broken).errors
    return ["", "The verdict on a copy with three broken lines:", *(f"  {error}" for error in errors)]


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    lengths: npt.NDArray[np.float64] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def table(scores: dict[str, Scores], kind: str) -> list[str]:
    """Lay scores out as lines: one row for each system, one column for each metric, the best of a column marked."""
    metrics = list(next(iter(scores.values())))
    best = {metric: max(row[metric].value for row in scores.values()) for metric in metrics}
    lines = [f"{kind:<12}" + "".join(f"{TITLES[metric]:>11}" for metric in metrics)]
    lines.append("-" * len(lines[0]))
    for system, row in scores.items():
        cells = (
            f"{row[metric].value * 100:>10.2f}" + ("*" if row[metric].value == best[metric] else " ")
            for metric in metrics
        )
        lines.append(f"{system:<12}" + "".join(cells).rstrip())
    return lines
