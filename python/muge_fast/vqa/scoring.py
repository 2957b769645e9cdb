"""Scores of answers in words, by the rules of a protocol."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from muge_fast import _core
from muge_fast._internal.checks import align_ids, check_choice
from muge_fast._internal.display import format_id
from muge_fast._internal.labelled import labelled_kind, missing_hint, plain_items, to_list
from muge_fast.scores import FloatArray, Score, Scores, mean_score, signature
from muge_fast.text.tokenizers import as_list

Protocol = Literal[
    "vqa-v2", "evalai", "vlmevalkit", "anls", "anls-inclusive", "exact", "contains", "char-f1", "muge-zh"
]

PROTOCOLS: tuple[str, ...] = tuple(_core.VQA_PROTOCOLS)
"""Names of the protocols of :func:`score_answers`."""

EVALAI_ANSWERS = 10
# The only protocol whose texts are normalized by Python: its tables of NFKC are those of this version of Unicode.
CHINESE = "muge-zh"

Groups = Mapping[str, Mapping[Any, str]]
"""The group of each item, such as the type of its question, by the name of the grouping and by id."""


def score_answers(
    predictions: Mapping[Any, str],
    references: Mapping[Any, Sequence[str]],
    *,
    protocol: Protocol = "vqa-v2",
    groups: Groups | None = None,
    threads: int | None = None,
) -> Scores:
    """Score one answer to each question against the answers of annotators.

    Args:
        predictions: Predicted answer of each question, by id: a mapping, a pandas Series whose index has the ids, or a
            table with the columns ``question_id`` and ``answer``. An empty answer is valid.
        references: One or more answers of each question, by the same ids: a mapping, a Series, or a table with the
            columns ``question_id`` and ``answers``.
        protocol: The rules of the comparison, from 0 to 1 for each question:

            - ``"vqa-v2"``: accuracy of VQA v1 and v2 as ``vqaEval.py`` of github.com/GT-Vision-Lab/VQA computes it: the
              mean over annotators of ``min(1, n / 3)``, where ``n`` of the other annotators gave the predicted answer.
              Answers are normalized only if annotators differ, so ``"Yes."`` is wrong where all say ``"yes"``.
            - ``"evalai"``: the same with the normalization of EvalAI's ``TextVQA``, of mmf and of lmms-eval, for all
              questions. Each needs exactly ten answers.
            - ``"vlmevalkit"``: the same with the normalization of VLMEvalKit, for all questions.
            - ``"anls"``: average normalized Levenshtein similarity of the closest answer, zero from half of the length
              on, as the package anls 0.0.2 computes it.
            - ``"anls-inclusive"``: the same, one half at half of the length, as VLMEvalKit computes it.
            - ``"exact"``: whether an answer is equal, in lower case and without white space at its ends.
            - ``"contains"``: whether the prediction contains an answer, in lower case and without points, as for MTVQA.
            - ``"char-f1"``: F1 of Chinese characters and other words with the closest answer, in lower case and without
              punctuation, as ``mlqa_evaluation_v1.py`` of github.com/facebookresearch/MLQA computes it for Chinese.
            - ``"muge-zh"``: whether an answer is equal after a normalization of Chinese that is our own: NFKC, lower
              case, digits for numerals such as ``十二``, without punctuation and without spaces between Chinese
              characters.
        groups: Groups of questions, such as ``{"question_type": {1: "color", …}}``, for scores of each group; questions
            without a group are left out of these.
        threads: Number of threads, at least 1; None for all cores. The result does not depend on it.

    Returns:
        ``"vqa"``, the mean over questions, whose signature names the protocol. ``parts`` has the mean of each group,
        such as ``"question_type:color"``; merged scores do not have them.

    Raises:
        TypeError: An answer that is not a string, or an option of the wrong type.
        ValueError: The ids differ, there are no questions, a question has no answers or, for ``"evalai"``, other than
            ten, an answer is not valid Unicode, or the protocol is unknown.

    Example:
        >>> import muge_fast as mf
        >>> answers = {1: ["red"] * 3 + ["blue"] * 7, 2: ["two"] * 5 + ["2"] * 5}
        >>> score = mf.vqa.score_answers({1: "Red.", 2: "2"}, answers)["vqa"]
        >>> score.per_item.round(2).tolist(), score.signature
        ([0.9, 1.0], 'vqa|protocol:vqa-v2|version:0.2.0')

    """
    chosen = check_choice("protocol", protocol, PROTOCOLS)
    given, wanted = (
        answers_by_id(predictions, "predictions", "answer"),
        answers_by_id(references, "references", "answers"),
    )
    if not wanted:
        raise ValueError("references are empty, expected at least one question")
    ids = list(wanted)
    order = align_ids(list(given), ids, given_name="predictions", wanted_name="references")
    predicted = list(given.values())
    texts = [predicted[index] for index in order]
    answers = _listed(wanted)
    _check_counts(chosen, ids, answers)
    if chosen == CHINESE:
        texts, answers = _normal(texts), [_normal(row) for row in answers]
    values = _core.score_answers(chosen, texts, answers, ids, threads)
    parts = _parts(values, ids, groups or {})
    score: Score = mean_score("vqa", signature("vqa", protocol=chosen), values, parts=parts)
    return Scores({"vqa": score}, len(ids), ids)


def normalize_answers(texts: Iterable[str], *, protocol: Protocol = "vqa-v2") -> list[str]:
    """Return answers in the form in which a protocol compares them.

    Args:
        texts: The answers.
        protocol: A protocol of :func:`score_answers`.

    Returns:
        The normalized answers. ``"vqa-v2"`` normalizes them only where annotators differ.

    Raises:
        TypeError: An answer that is not a string.
        ValueError: The protocol is unknown, or an answer is not valid Unicode.

    Example:
        >>> import muge_fast as mf
        >>> mf.vqa.normalize_answers(["The dogs, isnt it?"])
        ["dogs isn't it"]
        >>> mf.vqa.normalize_answers(["１２只！", "十二只"], protocol="muge-zh")
        ['12只', '12只']

    """
    chosen = check_choice("protocol", protocol, PROTOCOLS)
    listed = as_list(texts, "texts")
    for index, text in enumerate(listed):
        if not isinstance(text, str):
            raise TypeError(f"texts[{index}]: expected str, found {type(text).__name__}{missing_hint(text)}")
    return _core.normalize_answers(chosen, _normal(listed) if chosen == CHINESE else listed)


def answers_by_id(values: object, name: str, column: str) -> Mapping[Any, Any]:
    """Return what belongs to each question as a mapping from its id.

    Args:
        values: A mapping, a pandas Series whose index has the ids, or a table.
        name: Name of the argument, for errors.
        column: Name of the column of a table.

    Returns:
        The mapping.

    Raises:
        TypeError: Not such an object.
        ValueError: An id is missing or occurs twice.

    Example:
        >>> from muge_fast.vqa.scoring import answers_by_id
        >>> answers_by_id({1: "red"}, "predictions", "answer")
        {1: 'red'}

    """
    if isinstance(values, Mapping):
        return values
    columns = (("question_id", column),)
    by_id: Any = None
    if labelled_kind(values) == "frame":
        from muge_fast._internal.tables import column_items  # noqa: PLC0415 - few callers have tables

        by_id = column_items(values, name, columns)
    by_id = plain_items(values, name, columns=columns[0]) if by_id is None else by_id
    if not isinstance(by_id, Mapping):
        found = type(values).__name__
        raise TypeError(f"{name} must be a mapping from question ids, got {found}: pass dict(zip(ids, {name}))")
    return by_id


def _listed(references: Mapping[Any, Sequence[str]]) -> list[list[str]]:
    """Return the answers of each question as a list."""
    rows = []
    for key, row in references.items():
        if isinstance(row, np.ndarray) or labelled_kind(row) == "column":
            row = to_list(row)  # noqa: PLW2901
        if isinstance(row, str) or not isinstance(row, (list, tuple)):
            found = f"{type(row).__name__}{missing_hint(row)}"
            raise TypeError(f"references[{key!r}]: expected a list of str, found {found}")
        rows.append(row if type(row) is list else list(row))
    return rows


def _check_counts(protocol: str, ids: list[Hashable], answers: list[list[str]]) -> None:
    for key, row in zip(ids, answers, strict=True):
        if not row:
            raise ValueError(f"references[{format_id(key)}] is empty, needs at least one answer")
        if protocol == "evalai" and len(row) != EVALAI_ANSWERS:
            raise ValueError(
                f"references[{format_id(key)}] has {len(row)} answers, protocol 'evalai' needs exactly {EVALAI_ANSWERS}"
            )


def _normal(texts: list[str]) -> list[str]:
    return [unicodedata.normalize("NFKC", text) if isinstance(text, str) else text for text in texts]


def _parts(values: FloatArray, ids: list[Hashable], groups: Groups) -> dict[str, float]:
    """Return the mean of the items of each group, by name of the grouping and of the group, sorted."""
    parts = {}
    for name, group_of in groups.items():
        labels = [group_of.get(key) for key in ids]
        known = sorted({label for label in labels if label is not None})
        code_of = {label: code for code, label in enumerate(known)}
        codes = np.array([-1 if label is None else code_of[label] for label in labels])
        order = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(len(known) + 1))
        for label, start, end in zip(known, bounds, bounds[1:], strict=False):
            parts[f"{name}:{label}"] = _core.mean(np.ascontiguousarray(values[order[start:end]]))
    return parts
