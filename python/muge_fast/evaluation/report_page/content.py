"""The content of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from muge_fast._internal.field_names import FieldNames
from muge_fast.datasets.input_file import InputFile
from muge_fast.datasets.problem_groups import ProblemGroup
from muge_fast.datasets.problems import Problem
from muge_fast.evaluation.report_page.words import WORDS
from muge_fast.scores import Scores
from muge_fast.tasks.task import Task
from muge_fast.text.tokenizers import Tokenizer


@dataclass(frozen=True, kw_only=True)
class PageContent:
    """The content of a page, collected from a report.

    Attributes:
        task: The task.
        lang: Language of the page, ``"en"`` or ``"zh"``.
        rows: Number of rows of the submission.
        warnings: Warnings, one line each.
        problems: The problems that are listed.
        problem_groups: All problems by kind.
        problem_count: Number of all problems; 0 for a valid submission.
        scores: Scores by name; None for a page without scores.
        predictions: Predictions by id.
        references: Content of the gold file by id.
        names: Names of the fields of the submission.
        texts: Text for human readers by id.
        images: Bytes of image files by id, to show with the items.
        files: The files that were read, by ``"submission"`` and ``"gold"``.
        excerpts: The beginning of lines with problems, by line number.
        options: Options that differ from the defaults, as plain values.
        tokenizer: Tokenizer of the scores, to mark shared n-grams; None to mark nothing.
        seconds: Time for reading and scoring; None to leave it out, so that the page has the same bytes every time.
        date: Date to show, if any.

    """

    task: Task
    lang: str
    rows: int = 0
    warnings: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    problem_groups: Sequence[ProblemGroup] = ()
    problem_count: int = 0
    scores: Scores | None = None
    predictions: Mapping[Any, Any] = field(default_factory=dict)
    references: Mapping[Any, Any] = field(default_factory=dict)
    names: FieldNames | None = None
    texts: Mapping[Any, str] = field(default_factory=dict)
    images: Mapping[Any, bytes] = field(default_factory=dict)
    files: Mapping[str, InputFile] = field(default_factory=dict)
    excerpts: Mapping[int, str] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    tokenizer: Tokenizer | None = None
    seconds: float | None = None
    date: str | None = None

    @property
    def title(self) -> str:
        """Title of the task in the language of the page."""
        return self.task.title_zh if self.lang == "zh" else self.task.title

    def word(self, key: str) -> str:
        """Return a word or a sentence in the language of the page.

        Args:
            key: Key of ``WORDS``.

        Returns:
            The text.

        """
        return WORDS[self.lang][key]
