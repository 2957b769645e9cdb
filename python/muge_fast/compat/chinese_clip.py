"""Drop-in for the evaluation script of Chinese-CLIP and the MUGE retrieval baseline, ``cn_clip/eval/evaluation.py``.

``python -m muge_fast.compat.chinese_clip GOLD PREDICTIONS RESULT`` writes the official result object in every case.

The original stops at the first error, lets the last of two lines with one query win, passes over queries that the
annotation does not have, and takes ``true`` for an integer. Here such files are errors that name the line.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from muge_fast._internal.atomic import replacing
from muge_fast._internal.display import escape_surrogates
from muge_fast.datasets.jsonl import read_numbered_queries
from muge_fast.retrieval.scoring import score_retrieval

KS = (1, 5, 10)
ITEMS = 10
"""How many items each line of a submission has."""

PathLike = str | os.PathLike[str]


def compute_score(golden_file: PathLike, predict_file: PathLike) -> list[float]:
    """Score a file of predictions, as the function of that name in ``evaluation.py``.

    Args:
        golden_file: The annotation: lines of ``query_id`` and ``item_ids``, or ``text_id`` and ``image_ids``.
        predict_file: The submission, lines of the same form with exactly 10 items each, best first.

    Returns:
        ``[mean_recall, r1, r5, r10]``, times 100.

    Raises:
        OSError: A file cannot be read.
        ValueError: A broken line, a query that is missing, unknown or comes twice, or has not exactly 10 items.

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
    predictions, lines = read_numbered_queries(predict_file, ITEMS)
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
    # As in the original, a query without true items is never hit: its only true item is one that nobody has named.
    nobodys = min((item for items in predictions.values() for item in items), default=0) - 1
    reference = {query: items or [nobodys] for query, items in gold.items()}
    scores = score_retrieval(predictions, reference, ks=KS)
    recalls = [scores[f"recall@{k}"].value for k in KS]
    mean_recall = sum(recalls) / 3.0
    return [100 * value for value in (mean_recall, *recalls)]


def _more(queries: list[int]) -> str:
    return f", and {len(queries) - 1} more such queries" if len(queries) > 1 else ""


def result(golden_file: PathLike, predict_file: PathLike) -> dict[str, Any]:
    """Score a file, or say what is wrong, in the official result object.

    Args:
        golden_file: As for :func:`compute_score`.
        predict_file: As for :func:`compute_score`.

    Returns:
        ``{"success": True, "score": …, "scoreJson": {…}}``, or with ``"success": False`` the message.

    """
    try:
        mean_recall, r1, r5, r10 = compute_score(golden_file, predict_file)
    except (OSError, ValueError) as error:
        # A path may have bytes that are no UTF-8, which the result object could not be written with.
        message = escape_surrogates(str(error))
        return {"success": False, "score": 0, "scoreJson": {}, "errorMsg": message, "errorDetail": message}
    scores = {"score": mean_recall, "mean_recall": mean_recall, "r1": r1, "r5": r5, "r10": r10}
    return {"success": True, "score": mean_recall, "scoreJson": scores}


def main(arguments: list[str]) -> int:
    """Run the command.

    Args:
        arguments: The annotation, the submission, and where to write the result object.

    Returns:
        The exit code: 0 scored, 1 not scored, 2 wrong usage or a result that cannot be written.

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
