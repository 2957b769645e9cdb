"""Drop-in replacement for the evaluation script of Chinese-CLIP and the MUGE retrieval baseline.

``python -m muge_fast.compat.chinese_clip GOLD PREDICTIONS RESULT`` takes the arguments of
``cn_clip/eval/evaluation.py`` and writes the official result object, whether the submission can be scored or not.

The original stops at the first error, uses the last line of a query that occurs twice, ignores queries that the
annotation does not have, and accepts ``true`` as an integer. Here such files are errors that name the line.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from muge_fast._internal.atomic import replacing
from muge_fast._internal.paths import PathLike
from muge_fast.datasets.jsonl import read_numbered_queries
from muge_fast.evaluation.official_result import failed_result, scored_result
from muge_fast.retrieval.scoring import score_retrieval

__all__ = ["compute_score", "main", "result"]

KS = (1, 5, 10)

ITEMS_PER_QUERY = 10
"""Number of items in each line of a submission."""


def compute_score(golden_file: PathLike, predict_file: PathLike) -> list[float]:
    """Compute MeanRecall and Recall@1, @5 and @10 of a submission, as ``evaluation.py`` does.

    Args:
        golden_file: Path of the annotation, JSON Lines with ``query_id`` and ``item_ids``, or ``text_id`` and
            ``image_ids``. Queries without items are allowed; they count as not found.
        predict_file: Path of the submission, lines with the same fields and exactly 10 different items each, best
            first.

    Returns:
        ``[mean_recall, r1, r5, r10]``, from 0 to 100. Recall@K is the percentage of queries with any relevant item
        among the first K.

    Raises:
        OSError: A file cannot be read.
        ValueError: A line is not in the format, a query of the annotation is missing in the submission, a query is not
            in the annotation or occurs twice, or a line does not have exactly 10 items. The message names the file and
            the line.

    Example:
        >>> import json, pathlib, tempfile
        >>> from muge_fast.compat.chinese_clip import compute_score
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     gold, predictions = pathlib.Path(folder) / "gold.jsonl", pathlib.Path(folder) / "predictions.jsonl"
        ...     _ = gold.write_text(json.dumps({"text_id": 8426, "image_ids": [3]}))
        ...     _ = predictions.write_text(json.dumps({"text_id": 8426, "image_ids": list(range(10))}))
        ...     compute_score(gold, predictions)
        [66.66666666666666, 0.0, 100.0, 100.0]

    """
    gold, gold_lines = read_numbered_queries(golden_file)
    predictions, lines = read_numbered_queries(predict_file, ITEMS_PER_QUERY)
    gold_name, name = os.fspath(golden_file), os.fspath(predict_file)
    if not gold:
        raise ValueError(f"{gold_name}: no queries")
    missing = [query for query in gold if query not in predictions]
    if missing:
        query = missing[0]
        raise ValueError(f"{name}: no query {query}, which {gold_name} has in line {gold_lines[query]}{_more(missing)}")
    unknown = [query for query in predictions if query not in gold]
    if unknown:
        query = unknown[0]
        raise ValueError(f"{name}, line {lines[query]}: query {query} is not in {gold_name}{_more(unknown)}")
    # score_retrieval needs a relevant item for each query; queries without any get an item that no prediction has.
    unused_item = min((item for items in predictions.values() for item in items), default=0) - 1
    references = {query: items or [unused_item] for query, items in gold.items()}
    scores = score_retrieval(predictions, references, ks=KS)
    recalls = [scores[f"recall@{k}"].value for k in KS]
    # Summed and divided as in the original, to get the same bits.
    mean_recall = sum(recalls) / 3.0
    return [100 * value for value in (mean_recall, *recalls)]


def _more(queries: list[int]) -> str:
    return f", and {len(queries) - 1} more such queries" if len(queries) > 1 else ""


def result(golden_file: PathLike, predict_file: PathLike) -> dict[str, Any]:
    """Return the official result object of a submission, whether it can be scored or not.

    Args:
        golden_file: Path of the annotation, JSON Lines with ``query_id`` and ``item_ids``, or ``text_id`` and
            ``image_ids``.
        predict_file: Path of the submission, lines with the same fields and exactly 10 different items each, best
            first.

    Returns:
        ``{"success": True, "score": …, "scoreJson": {"score": …, "mean_recall": …, "r1": …, "r5": …, "r10": …}}`` with
        scores from 0 to 100. If a file cannot be read or is not valid, ``{"success": False, "score": 0,
        "scoreJson": {}, "errorMsg": …, "errorDetail": …}``; both messages are the same.

    Example:
        >>> from muge_fast.compat.chinese_clip import result
        >>> result("no such file", "no such file")["success"]
        False

    """
    try:
        mean_recall, r1, r5, r10 = compute_score(golden_file, predict_file)
    except (OSError, ValueError) as error:
        return failed_result(str(error))
    return scored_result(mean_recall, {"mean_recall": mean_recall, "r1": r1, "r5": r5, "r10": r10})


def main(arguments: list[str]) -> int:
    """Run the command: score a submission and write the official result object to a file.

    Args:
        arguments: Paths of the annotation, the submission and the result.

    Returns:
        The exit code: 0 if the submission was scored, 1 if it was not, 2 if there are not three arguments or the
        result cannot be written.

    Example:
        >>> from muge_fast.compat.chinese_clip import main
        >>> main(["MR_valid_queries.jsonl", "predictions.jsonl", "result.json"])  # doctest: +SKIP
        0

    """
    if len(arguments) != 3:  # noqa: PLR2004
        sys.stderr.write("usage: python -m muge_fast.compat.chinese_clip GOLD PREDICTIONS RESULT\n")
        return 2
    gold, predictions, target = arguments
    verdict = result(gold, predictions)
    try:
        with replacing(target) as file:
            file.write(json.dumps(verdict, ensure_ascii=False).encode("utf-8"))
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0 if verdict["success"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
