"""Scores of visual commonsense reasoning (VCR): an answer and a rationale, each one of four choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from muge_fast._internal.checks import align_ids, whole_number
from muge_fast._internal.display import format_id
from muge_fast.scores import FloatArray, Scores, mean_score, signature
from muge_fast.vqa.scoring import answers_by_id

CHOICES = 4
METRICS = ("q_ar", "q_a", "qa_r")


def score_choices(
    predictions: Mapping[Any, Sequence[Any]],
    references: Mapping[Any, Sequence[int]],
    *,
    threads: int | None = None,
) -> Scores:
    """Score the chosen answer and rationale of each question, as the leaderboard of VCR does.

    Args:
        predictions: For each id of a mapping or of the index of a pandas Series, the chosen answer and rationale, from
            0 to 3; or their scores, four numbers for the answers, and four numbers for the rationales of each of the
            four answers. The highest score is chosen, the first one of equal ones.
        references: For each of the same ids, the right answer and rationale, from 0 to 3.
        threads: At least 1, or None; it has no effect, as one thread is fast enough.

    Returns:
        Means over questions, from 0 to 1: ``"q_ar"``, both are right; ``"q_a"``, the answer is right; ``"qa_r"``, the
        rationale is right, given the right answer.

    Raises:
        ValueError: The ids differ, there are no questions, a choice is not from 0 to 3, or scores are not finite.
        TypeError: A choice that is not an integer.

    Example:
        >>> import muge_fast as mf
        >>> scores = mf.vqa.score_choices({"a": [2, 0], "b": [1, 3]}, {"a": [2, 1], "b": [1, 3]})
        >>> scores["q_a"].value, scores["qa_r"].value, scores["q_ar"].value
        (1.0, 0.5, 0.5)

    """
    if threads is not None:
        whole_number("threads", threads)
    given, wanted = (
        answers_by_id(predictions, "predictions", "choices"),
        answers_by_id(references, "references", "choices"),
    )
    if not wanted:
        raise ValueError("references are empty, expected at least one question")
    ids = list(wanted)
    align_ids(list(given), ids, given_name="predictions", wanted_name="references")
    true = [_labels("references", key, wanted[key]) for key in ids]
    chosen = [_chosen(key, given[key], answer) for key, (answer, _) in zip(ids, true, strict=True)]
    hits: FloatArray = (np.array(chosen) == np.array(true)).astype(np.float64)
    columns = {"q_ar": hits.prod(axis=1), "q_a": hits[:, 0], "qa_r": hits[:, 1]}
    return Scores(
        {name: mean_score(name, signature(name, choices=CHOICES), columns[name]) for name in METRICS}, len(ids), ids
    )


def _labels(argument: str, key: object, pair: Sequence[Any]) -> tuple[int, int]:
    name = f"{argument}[{format_id(key)}]"
    if isinstance(pair, str) or len(pair) != 2:  # noqa: PLR2004 - an answer and a rationale
        raise ValueError(f"{name} is not a pair of an answer and a rationale")
    for choice in pair:
        if isinstance(choice, bool) or not isinstance(choice, (int, np.integer)):
            raise TypeError(f"{name}: expected integers from 0 to {CHOICES - 1}, found {type(choice).__name__}")
        if not 0 <= choice < CHOICES:
            raise ValueError(f"{name} has choice {choice}, needs 0 to {CHOICES - 1}")
    return int(pair[0]), int(pair[1])


def _chosen(key: object, pair: Sequence[Any], answer: int) -> tuple[int, int]:
    """Return the chosen answer, and the chosen rationale given the right answer."""
    if len(pair) != 2 or isinstance(pair[0], (int, np.integer)):  # noqa: PLR2004 - an answer and a rationale
        return _labels("predictions", key, pair)
    name = f"predictions[{format_id(key)}]"
    answers = _scores(f"{name}[0]", pair[0], (CHOICES,))
    rationales = _scores(f"{name}[1]", pair[1], (CHOICES, CHOICES))
    return int(answers.argmax()), int(rationales[answer].argmax())


def _scores(name: str, values: object, shape: tuple[int, ...]) -> FloatArray:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected numbers of shape {shape}") from None
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, needs {shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has a score that is not finite")
    return array
