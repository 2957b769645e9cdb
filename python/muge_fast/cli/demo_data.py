"""A demo of the main features on sample data: for each task, three systems scored against the same references."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from muge_fast._internal.metric_names import metric_title
from muge_fast.caption.options import CaptionMetric
from muge_fast.caption.scoring import Captions
from muge_fast.cli.input_files import temporary_folder
from muge_fast.cli.language import duration, language, translate
from muge_fast.comparison._compare import compare
from muge_fast.datasets import ImageTsv
from muge_fast.datasets.jsonl import read_captions, read_queries
from muge_fast.evaluation._evaluate import evaluate
from muge_fast.evaluation.report import Report
from muge_fast.features.files import write_features
from muge_fast.retrieval.predictions import predict
from muge_fast.retrieval.scoring import score_retrieval
from muge_fast.scores import Scores
from muge_fast.tasks import TaskName

SAMPLES = Path(str(files("muge_fast"))) / "samples"
SYSTEMS = ("template", "base", "large")
METRICS: tuple[CaptionMetric, ...] = ("cider_d", "bleu", "rouge_l", "cider")
GOLD: dict[TaskName, str] = {
    "caption": "IC_sample.jsonl",
    "retrieval": "MR_sample_queries.jsonl",
    "classification": "CC_sample.jsonl",
    "vqa": "VQA_sample.jsonl",
    "vcr": "VCR_sample.jsonl",
}

COMPARED: tuple[TaskName, ...] = ("caption", "retrieval")

SEED = 2022

# The synthetic features of the retrieval sample, and the noise of each encoder.
QUERIES, ITEMS, DIMENSIONS = 500, 2_000, 64
ENCODERS = {"small": 6.0, "base": 4.0, "large": 2.5}

# Number of synthetic images in each file of the text-to-image sample, and the size of the noise that is enlarged.
IMAGES = 24
NOISE_SIZES = {"real": 6, "generated": 9}


def demo_captions() -> str:
    """Score three captioning systems on the sample captions.

    Returns:
        A table of systems by metric.

    Example:
        >>> from muge_fast.cli.demo_data import demo_captions
        >>> "CIDEr-D" in demo_captions()
        True

    """
    folder = SAMPLES / "caption"
    references = read_captions(folder / "IC_sample.jsonl", kind="references")
    predictions = {
        system: read_captions(folder / f"IC_sample.pred.{system}.jsonl", kind="predictions") for system in SYSTEMS
    }
    start = time.perf_counter()
    captions = Captions(references)
    scores = {system: captions.score(predictions[system], metrics=METRICS) for system in SYSTEMS}
    seconds = time.perf_counter() - start
    texts = sum(map(len, references.values())) + len(SYSTEMS) * len(references)
    return "\n".join(
        [
            translate(
                "ECommerce-IC sample: {items} items, {captions} captions, scores times 100, best marked *"
            ).format(items=len(references), captions=texts),
            "",
            *score_table(scores, "system"),
            "",
            translate("Tokenized and scored in {time}.").format(time=duration(seconds))
            + f" {next(iter(scores.values()))['cider_d'].signature}",
        ]
    )


def demo_retrieval() -> str:
    """Write feature files, search them, and score the predictions of three synthetic encoders.

    Items are random unit vectors. A query is the sum of one to three items that are relevant to it, plus noise that
    differs between the encoders.

    Returns:
        A table of encoders by recall.

    Example:
        >>> from muge_fast.cli.demo_data import demo_retrieval
        >>> "Recall@10" in demo_retrieval()
        True

    """
    random = np.random.default_rng(SEED)
    items = random.standard_normal((ITEMS, DIMENSIONS))
    relevant = {query: random.choice(ITEMS, random.integers(1, 4), replace=False).tolist() for query in range(QUERIES)}
    noise = random.standard_normal((QUERIES, DIMENSIONS))
    exact = np.stack([items[indices].sum(axis=0) for indices in relevant.values()])
    scores = {}
    with temporary_folder() as folder:
        write_features(folder / "img_feat.jsonl", np.arange(ITEMS), _normalize(items))
        start = time.perf_counter()
        for encoder, amount in ENCODERS.items():
            features = _normalize(exact + amount * noise)
            write_features(folder / "txt_feat.jsonl", np.arange(QUERIES), features, id_field="text_id")
            lines = predict(folder / "img_feat.jsonl", folder / "txt_feat.jsonl", 10, progress=False)
            (folder / "predictions.jsonl").write_text("".join(lines), encoding="utf-8")
            scores[encoder] = score_retrieval(read_queries(folder / "predictions.jsonl"), relevant)
        seconds = time.perf_counter() - start
    return "\n".join(
        [
            translate(
                "Retrieval with synthetic features: {queries} queries, {items} items, scores times 100, best marked *"
            ).format(queries=QUERIES, items=f"{ITEMS:,}"),
            "",
            *score_table(scores, "encoder"),
            "",
            translate("Feature files written, searched and scored in {time}.").format(time=duration(seconds)),
        ]
    )


def demo_submissions(path: Path, *, date: str | None = None) -> str:
    """Evaluate sample submissions of five tasks, and write the report of one as HTML.

    Args:
        path: The HTML file.
        date: Date to show in the report, if any.

    Returns:
        A table of the main scores, and the errors of a broken submission.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.cli.demo_data import demo_submissions
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(demo_submissions(pathlib.Path(folder) / "report.html").splitlines()[4])
        caption         CIDEr-D            0.32       9.39      91.64

    """
    lines = [translate("Sample submissions, main score of each task times 100"), ""]
    lines.append(f"{'task':<16}{'score':<12}" + "".join(f"{system:>11}" for system in SYSTEMS))
    lines.append("-" * len(lines[-1]))
    for task in GOLD:
        reports = _sample_reports(task)
        values = "".join(f"{report.official()['score']:>11.2f}" for report in reports.values())
        lines.append(f"{task:<16}{metric_title(reports['large'].task.main):<12}{values}")
        if task == "caption":
            reports["large"].to_html(path=path, date=date)
    report = translate("Report for a browser: {path}").format(path=path)
    return "\n".join([*lines, "", report, "", *_broken_submission()])


def demo_comparisons(path: Path, *, date: str | None = None) -> str:
    """Compare the systems of the sample submissions of two tasks, and write the comparison of one as HTML.

    Args:
        path: The HTML file.
        date: Date to show on the page, if any.

    Returns:
        A table of the systems for the main score of each task.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.cli.demo_data import demo_comparisons
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(demo_comparisons(pathlib.Path(folder) / "comparison.html").splitlines()[19])
        2–3     base         34.4     [23.4, 45.8]       -20.3    [-32.8, -7.8]        0.0043

    """
    start = time.perf_counter()
    comparisons = {}
    for task in COMPARED:
        reports = _sample_reports(task)
        comparisons[task] = compare(reports, [reports["large"].task.main])
    seconds = time.perf_counter() - start
    tables = (comparison.table(lang=language()).replace("\n\n\n", "\n") for comparison in comparisons.values())
    comparisons["caption"].to_html(path=path, lang=language(), date=date)
    return "\n".join(
        [
            translate("Comparison of the sample submissions: which differences do the items support?"),
            "",
            *tables,
            translate("Evaluated, resampled and tested in {time}.").format(time=duration(seconds)),
            translate("Comparison for a browser: {path}").format(path=path),
        ]
    )


def demo_images() -> str:
    """Evaluate a synthetic text-to-image submission, if torch and Pillow are installed.

    The images are noise. The weights of the network are random, unless the environment variable ``MUGE_FAST_INCEPTION``
    names the published file; with random weights the scores are meaningless.

    Returns:
        One line with the scores.

    Example:
        >>> from muge_fast.cli.demo_data import demo_images
        >>> "t2i" in demo_images()
        True

    """
    try:
        import torch  # noqa: PLC0415 - an extra

        from muge_fast.image.extractors.networks import random_weights  # noqa: PLC0415 - it imports torch

        with temporary_folder() as folder:
            published = os.environ.get("MUGE_FAST_INCEPTION")
            weights = published or folder / "random.pth"
            if not published:
                torch.save(random_weights(), weights)
            _write_images(folder)
            report = evaluate(
                "t2i", folder / "real.tsv", folder / "generated.tsv", weights=weights, splits=2, progress=False
            )
    except ImportError:
        return translate("t2i: skipped, torch and Pillow are not installed: pip install 'muge-fast[t2i]'")
    values = ", ".join(
        f"{metric_title(key)} {value:.2f}" for key, value in report.official()["scoreJson"].items() if key != "score"
    )
    note = "" if published else translate(" The weights are random, so the scores are meaningless.")
    text = translate("t2i: {images} real and {images} generated synthetic images in {time}: {values}.")
    return text.format(images=IMAGES, time=duration(report.seconds), values=values) + note


def _sample_reports(task: TaskName) -> dict[str, Report]:
    """Return the reports on the sample submissions of a task by the names of the systems."""
    folder, gold = SAMPLES / task, GOLD[task]
    stem = gold.removesuffix(".jsonl").removesuffix("_queries")
    return {
        system: evaluate(task, folder / gold, folder / f"{stem}.pred.{system}.jsonl", lang=language())
        for system in SYSTEMS
    }


def _write_images(folder: Path) -> None:
    """Write real.tsv and generated.tsv."""
    from PIL import Image  # noqa: PLC0415 - an extra

    random = np.random.default_rng(SEED)
    for name, size in NOISE_SIZES.items():
        images = {}
        for index in range(IMAGES):
            data = io.BytesIO()
            noise = Image.fromarray(random.integers(0, 256, (size, size, 3)).astype("uint8"))
            noise.resize((96, 96), Image.Resampling.BICUBIC).save(data, "PNG")
            images[f"{index:04}"] = data.getvalue()
        ImageTsv.write(folder / f"{name}.tsv", images)


def _broken_submission() -> list[str]:
    """Return the errors of a copy of a submission with three broken lines."""
    folder = SAMPLES / "caption"
    with temporary_folder() as temporary:
        broken = temporary / "broken.jsonl"
        lines = (folder / "IC_sample.pred.large.jsonl").read_text(encoding="utf-8").splitlines()
        lines[4:7] = [lines[3], '{"image_id": 5, "text": "红裙"}', '{"image_id": "x", "text"']
        broken.write_text("\n".join(lines), encoding="utf-8")
        errors = evaluate("caption", folder / GOLD["caption"], broken, lang=language()).errors
    return [translate("Errors of a copy with three broken lines:"), *(f"  {error}" for error in errors)]


def _normalize(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    lengths: npt.NDArray[np.float64] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def score_table(scores: Mapping[str, Scores], title: str) -> list[str]:
    """Return a table: one row for each system, one column for each metric, the best of each column marked.

    Args:
        scores: Scores by name of the system.
        title: Title of the first column.

    Returns:
        The lines.

    """
    metrics = list(next(iter(scores.values())))
    best = {metric: max(row[metric].value for row in scores.values()) for metric in metrics}
    lines = [f"{title:<12}" + "".join(f"{metric_title(metric):>11}" for metric in metrics)]
    lines.append("-" * len(lines[0]))
    for system, row in scores.items():
        cells = (
            f"{row[metric].value * 100:>10.2f}" + ("*" if row[metric].value == best[metric] else " ")
            for metric in metrics
        )
        lines.append(f"{system:<12}" + "".join(cells).rstrip())
    return lines
