"""What a task is: the fields of its files, its metrics, and which of them counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from muge_fast._internal.display import format_value
from muge_fast.datasets.jsonl import INT64
from muge_fast.scores import Scores

Found = tuple[str, Mapping[str, Any]]
"""The code of a problem, and its details."""


@dataclass(frozen=True)
class Form:
    """Names of the two fields of a row.

    Attributes:
        id: Field of the id.
        value: Field of what is scored.

    Example:
        >>> from muge_fast.tasks import Form
        >>> Form("query_id", "item_ids").value
        'item_ids'

    """

    id: str
    value: str


class Integer:
    """An id that is a whole number of at most 64 bits; ``true`` and ``1.0`` are none.

    Example:
        >>> from muge_fast.tasks import Integer
        >>> [code for code, _ in Integer().problems(True)]
        ['wrong_type']

    """

    quick = "integer"
    count = None

    def problems(self, value: object) -> Iterator[Found]:
        """Tell what is wrong with a value."""
        if type(value) is not int:
            yield "wrong_type", {"found": format_value(value), "needed": "integer"}
        elif value not in INT64:
            yield "out_of_range", {}


class Text:
    """A text that is not empty, white space aside.

    Example:
        >>> from muge_fast.tasks import Text
        >>> [code for code, _ in Text().problems(" ")]
        ['empty_text']

    """

    quick = "text"
    count = None

    def problems(self, value: object) -> Iterator[Found]:
        """Tell what is wrong with a value."""
        if not isinstance(value, str):
            yield "wrong_type", {"found": format_value(value), "needed": "string"}
        elif not value.strip():
            yield "empty_text", {}
        elif not _is_unicode(value):
            yield "not_unicode", {}


class Texts:
    """A list of texts, at least one.

    Example:
        >>> from muge_fast.tasks import Texts
        >>> [code for code, _ in Texts().problems([])]
        ['too_few']

    """

    quick = "texts"
    count = None

    def problems(self, value: object) -> Iterator[Found]:
        """Tell what is wrong with a value."""
        if not isinstance(value, list):
            yield "wrong_type", {"found": format_value(value), "needed": "list of strings"}
        elif not value:
            yield "too_few", {}
        else:
            for text in value:
                yield from Text().problems(text)


@dataclass(frozen=True)
class Ids:
    """A list of different integers.

    Attributes:
        count: How many there must be; None for any number above zero.

    Example:
        >>> from muge_fast.tasks import Ids
        >>> [code for code, _ in Ids(count=3).problems([1, 1])]
        ['wrong_count', 'repeated_item']

    """

    count: int | None = None
    quick: ClassVar[str] = "ids"

    def problems(self, value: object) -> Iterator[Found]:
        """Tell what is wrong with a value."""
        if not isinstance(value, list):
            yield "wrong_type", {"found": format_value(value), "needed": "list of integers"}
            return
        if self.count is not None and len(value) != self.count:
            yield "wrong_count", {"count": len(value), "needed": self.count}
        elif not value:
            yield "too_few", {}
        seen = set()
        for item in value:
            wrong = list(Integer().problems(item))
            yield from wrong
            if not wrong and item in seen:
                yield "repeated_item", {"value": item}
            if not wrong:
                seen.add(item)


Kind = Integer | Text | Texts | Ids


@dataclass(frozen=True)
class Task:
    """A task of the benchmark: readers, checks, reports and the command follow from this.

    Attributes:
        name: What it is called in calls and on the command line.
        title: For people, in English.
        title_zh: For people, in Chinese.
        forms: Names of the fields, in files of either side; the first is the usual one.
        id: What an id is.
        gold: What the value of a row is in the gold file.
        submission: What it is in a submission.
        optional: Fields that may be there too, and are texts.
        score: Called with predictions and references by id, and options; gives scores.
        main: Name of the score that ranks submissions.
        official: For each key of the official result object beside ``score``, the name of a score.
        higher_is_better: Which way the main score goes.
        pool: Whether values are ids that a pool may limit.
        files: ``"lines"`` of JSON, or ``"images"``, a TSV of ids and base64.
        scale: By what scores are multiplied in the official result.
        scales: Scores that are multiplied by something else.

    Example:
        >>> import muge_fast as mf
        >>> task = mf.tasks.get("retrieval")
        >>> task.main, task.official["r1"]
        ('mean_recall', 'recall@1')

    """

    name: str
    title: str
    title_zh: str
    forms: tuple[Form, ...]
    id: Kind
    gold: Kind
    submission: Kind
    score: Callable[..., Scores] = field(repr=False)
    main: str
    official: Mapping[str, str]
    optional: tuple[str, ...] = ()
    higher_is_better: bool = True
    pool: bool = False
    files: str = "lines"
    scale: float = 100.0
    scales: Mapping[str, float] = field(default_factory=dict)

    def official_value(self, name: str, value: float) -> float:
        """Give a score as the official result has it.

        Args:
            name: The score.
            value: As it is plain.

        Example:
            >>> import muge_fast as mf
            >>> task = mf.tasks.get("t2i")
            >>> task.official_value("fid", 17.5), task.official_value("r_precision", 0.5)
            (17.5, 50.0)

        """
        return self.scales.get(name, self.scale) * value

    def label(self, name: str) -> str:
        """Give the name of a score for a table, with its scale if it is not that of the others.

        Example:
            >>> import muge_fast as mf
            >>> mf.tasks.get("t2i").label("r_precision")
            'r_precision (times 100)'

        """
        return f"{name} (times {self.scales[name]:g})" if name in self.scales else name


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
