"""Drop-in replacement for the evaluation script of Chinese-CLIP.

``python -m muge_fast.compat.chinese_clip GOLD PREDICTIONS RESULT`` takes the arguments of
``cn_clip/eval/evaluation.py`` and writes the official result object, whether the submission can be scored or not.

Success and score are those of the original for every file. Like it, this requires the fields ``text_id`` and
``image_ids``, uses the last line of a query that occurs twice, ignores queries that the annotation does not have, and
accepts ``true`` as an integer. The command prints a warning for such files, because these are nearly always mistakes.
Errors name the line and are the same for each broken file, while the original fails with an unrelated error on some.

The script of MUGE's retrieval baseline has the same rules for the fields ``query_id`` and ``item_ids``; that is
``muge-fast official retrieval``.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from muge_fast._internal.atomic import replacing
from muge_fast._internal.display import json_text, printable
from muge_fast._internal.field_names import TEXT_TO_IMAGE
from muge_fast._internal.paths import PathLike
from muge_fast.evaluation.official_retrieval import OfficialError, score_as_published
from muge_fast.evaluation.official_verdict import official_verdict

__all__ = ["compute_score", "main", "result"]


def compute_score(golden_file: PathLike, predict_file: PathLike) -> list[float]:
    """Compute MeanRecall and Recall@1, @5 and @10 of a submission, as ``evaluation.py`` does.

    Args:
        golden_file: Path of the annotation, JSON Lines with ``text_id`` and ``image_ids``. Queries without items are
            allowed; they count as not found.
        predict_file: Path of the submission, lines with the same fields and exactly 10 different items each, best
            first.

    Returns:
        ``[mean_recall, r1, r5, r10]``, from 0 to 100. Recall@K is the percentage of queries with any relevant item
        among the first K.

    Raises:
        OSError: A file does not exist or cannot be read.
        ValueError: The original fails: a line is not in the format or does not have exactly 10 items, a query of the
            annotation is missing in the submission, or the annotation cannot be used. The message names the file and
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
    try:
        return [*score_as_published(golden_file, predict_file, names=TEXT_TO_IMAGE)]
    except OfficialError as error:
        separator = ": " if error.problem.line is None else ", "
        raise ValueError(f"{os.fspath(predict_file)}{separator}{error}") from None


def result(golden_file: PathLike, predict_file: PathLike) -> dict[str, Any]:
    """Return the official result object of a submission, whether it can be scored or not.

    Args:
        golden_file: Path of the annotation, JSON Lines with ``text_id`` and ``image_ids``.
        predict_file: Path of the submission, lines with the same fields and exactly 10 different items each, best
            first.

    Returns:
        ``{"success": True, "score": …, "scoreJson": {"score": …, "mean_recall": …, "r1": …, "r5": …, "r10": …}}`` with
        scores from 0 to 100. If the original fails, ``{"success": False, "score": 0, "scoreJson": {}, "errorMsg": …,
        "errorDetail": …}``: the first error of the original in one line, and all errors, the first of which
        names the kind of the file if it is another one. Both are without paths of the server and content of the
        annotation.

    Example:
        >>> from muge_fast.compat.chinese_clip import result
        >>> result("no such file", "no such file")["success"]
        False

    """
    return official_verdict("retrieval", golden_file, predict_file, names=TEXT_TO_IMAGE).result


def main(arguments: list[str]) -> int:
    """Run the command: score a submission and write the official result object to a file.

    Args:
        arguments: Paths of the annotation, the submission and the result.

    Returns:
        The exit code: 0 if the submission was scored, 1 if it is invalid, 2 if it could not be evaluated, if there are
        not three arguments, or if the result cannot be written.

    Example:
        >>> from muge_fast.compat.chinese_clip import main
        >>> main(["MR_valid_queries.jsonl", "predictions.jsonl", "result.json"])  # doctest: +SKIP
        0

    """
    if len(arguments) != 3:  # noqa: PLR2004
        sys.stderr.write("usage: python -m muge_fast.compat.chinese_clip GOLD PREDICTIONS RESULT\n")
        return 2
    gold, predictions, target = arguments
    verdict = official_verdict("retrieval", gold, predictions, names=TEXT_TO_IMAGE)
    try:
        with replacing(target) as file:
            file.write(json_text(verdict.result).encode("utf-8"))
    except OSError as error:
        sys.stderr.write(printable(f"{error}") + "\n")
        return 2
    for warning in verdict.warnings:
        sys.stderr.write(printable(f"Warning: {warning}") + "\n")
    if verdict.error is not None:
        sys.stderr.write(printable(verdict.error) + "\n")
        return 2
    if not verdict.result["success"]:
        cause = verdict.result["errorDetail"].partition("\n")[0]
        sys.stderr.write(printable(f"invalid: {cause}") + "\n")
    return 0 if verdict.result["success"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
