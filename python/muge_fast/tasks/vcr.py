"""Visual commonsense reasoning (VCR): one of four answers to each question, and one of four rationales."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from muge_fast._internal.display import format_value
from muge_fast._internal.field_names import FieldNames
from muge_fast.datasets.fields import KindProblem, Text
from muge_fast.tasks.task import Task, score_probe
from muge_fast.vqa.choices import CHOICES, score_choices
from muge_fast.vqa.official_files import convert_vcr_labels, convert_vcr_scores

# In English and Chinese.
LABELS = ("two integers from 0 to 3", "两个 0 到 3 的整数")
OR_SCORES = (
    "two integers from 0 to 3, or lists of 4 and of 4 times 4 numbers",
    "两个 0 到 3 的整数，或 4 个与 4×4 个分数",
)


@dataclass(frozen=True)
class Choices:
    """An answer and a rationale, each from 0 to 3.

    Attributes:
        or_scores: Whether their scores are valid too: four numbers, and four for each of the four answers.

    Example:
        >>> from muge_fast.tasks.vcr import Choices
        >>> [code for code, _ in Choices().problems([2, 4])], list(Choices().problems([2, 3]))
        (['wrong_type'], [])

    """

    or_scores: bool = False

    def problems(self, value: object) -> Iterator[KindProblem]:
        """Yield what is wrong with a value.

        Args:
            value: The value, as parsed from JSON.

        Yields:
            Codes of problems, with their details; see :class:`muge_fast.tasks.Kind`.

        """
        expected = OR_SCORES if self.or_scores else LABELS
        if not isinstance(value, list) or len(value) != 2 or not self._is_valid(*value):  # noqa: PLR2004 - a pair
            yield "wrong_type", {"actual": format_value(value), "expected": expected}

    def _is_valid(self, answer: object, rationale: object) -> bool:
        if all(type(choice) is int and 0 <= choice < CHOICES for choice in (answer, rationale)):
            return True
        return self.or_scores and _are_all(_is_score, answer) and _are_all(partial(_are_all, _is_score), rationale)


def _are_all(is_valid: Callable[[object], bool], values: object) -> bool:
    return isinstance(values, list) and len(values) == CHOICES and all(map(is_valid, values))


def _is_score(value: object) -> bool:
    if type(value) is int:
        # Larger ones have no float.
        return -(2**53) <= value <= 2**53
    return type(value) is float and math.isfinite(value)


TASK = Task(
    name="vcr",
    title="Visual commonsense reasoning (VCR)",
    title_zh="视觉常识推理（VCR）",
    fields=(FieldNames("annot_id", "choice"),),
    id=Text(),
    gold=Choices(),
    submission=Choices(or_scores=True),
    text_fields=("question",),
    convert_gold=convert_vcr_labels,
    convert_submission=convert_vcr_scores,
    score=score_choices,
    main="q_ar",
    lower_is_better=(),
    official={"q_ar": "q_ar", "q_a": "q_a", "qa_r": "qa_r"},
    check_values=partial(score_probe, score_choices, {"a": [0, 0]}, {"a": [0, 0]}),
)
