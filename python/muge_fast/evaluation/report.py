"""The verdict on a submission: scores, or everything that is wrong with it."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from muge_fast import _core
from muge_fast._internal.atomic import replacing
from muge_fast._internal.display import escape_surrogates, truncate_id
from muge_fast.datasets.problems import Problem
from muge_fast.datasets.row_reader import messages
from muge_fast.scores import Scores
from muge_fast.tasks.task import Task

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What :func:`muge_fast.evaluate` and :func:`muge_fast.check` return.

    Attributes:
        task: The task.
        ok: Whether the submission is valid.
        scores: Scores by name, plain (0 to 1; CIDEr 0 to 10); None for an invalid submission or a check alone.
        problems: What is wrong, the first hundred.
        problem_count: How much is wrong, the rest included.
        rows: Number of rows of the submission.
        warnings: What is allowed and may still be a mistake, one line each.
        seconds: How long reading, checking and scoring took.
        lang: Language of messages, ``"en"`` or ``"zh"``.
        predictions: What was submitted, by id; empty for an invalid submission.
        references: What the gold file says, by id; empty for a check alone.
        texts: What the gold file says of each id for people, such as the text of a query.

    Example:
        >>> import pathlib, tempfile
        >>> import muge_fast as mf
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     gold, submission = pathlib.Path(folder) / "gold.jsonl", pathlib.Path(folder) / "pred.jsonl"
        ...     _ = gold.write_text('{"image_id": "a", "text": ["红裙", "红色裙子"]}')
        ...     _ = submission.write_text('{"image_id": "a", "text": 5}')
        ...     report = mf.evaluate("caption", gold, submission)
        >>> report.ok, report.errors
        (False, ['line 1: image_id a: text is 5, needs string'])

    """

    task: Task
    ok: bool
    scores: Scores | None = None
    problems: Sequence[Problem] = ()
    problem_count: int = 0
    rows: int = 0
    warnings: Sequence[str] = ()
    seconds: float = 0.0
    lang: str = "en"
    predictions: Mapping[Any, Any] = field(default_factory=dict, repr=False)
    references: Mapping[Any, Any] = field(default_factory=dict, repr=False)
    texts: Mapping[Any, str] = field(default_factory=dict, repr=False)

    @property
    def errors(self) -> list[str]:
        """What is wrong, one line each: the first hundred, then how many more."""
        return list(messages(list(self.problems), self.problem_count, self.lang))

    def official(self) -> dict[str, Any]:
        """Give the official result object, which leaderboard servers read.

        Returns:
            ``{"success": True, "score": S, "scoreJson": {"score": S, …}}`` with scores times 100, or
            ``{"success": False, "score": 0, "scoreJson": {}, "errorMsg": …, "errorDetail": …}``.

        Raises:
            ValueError: The submission is valid and was not scored.

        """
        if not self.ok:
            errors = self.errors
            more = "" if self.problem_count == 1 else f" ({self.problem_count} problems)"
            detail = "\n".join(errors)
            return {"success": False, "score": 0, "scoreJson": {}, "errorMsg": errors[0] + more, "errorDetail": detail}
        if self.scores is None:
            raise ValueError("the submission was checked, not scored")
        values = {name: self.task.official_value(name, score.value) for name, score in self.scores.items()}
        main = values[self.task.main]
        scores = {key: values[name] for key, name in self.task.official.items() if name in values}
        return {"success": True, "score": main, "scoreJson": {"score": main, **scores}}

    def to_dict(self) -> dict[str, Any]:
        """Give everything but single items, as plain objects for JSON.

        Of the id of a problem, which a hostile file may have of any size, 256 characters are given.

        """
        scores = {
            name: {"value": score.value, "signature": score.signature, "parts": dict(score.parts)}
            for name, score in (self.scores or {}).items()
        }
        problems = [
            {
                "line": problem.line,
                "id": truncate_id(problem.id),
                "field": problem.field,
                "code": problem.code,
                "message": message,
            }
            for problem, message in zip(self.problems, self.errors, strict=False)
        ]
        return {
            "task": self.task.name,
            "ok": self.ok,
            "rows": self.rows,
            "main": self.task.main,
            "scores": scores,
            "problem_count": self.problem_count,
            "problems": problems,
            "warnings": list(self.warnings),
            "seconds": self.seconds,
            "version": _core.__version__,
        }

    def to_json(self, *, path: PathLike | None = None) -> str:
        """Give the same as a text of JSON.

        Args:
            path: Where to write it too, whole or not at all.

        """
        return _written(escape_surrogates(json.dumps(self.to_dict(), ensure_ascii=False, indent=2)) + "\n", path)

    def to_markdown(self, *, path: PathLike | None = None) -> str:
        """Give the scores, or the errors, as a table of Markdown.

        Args:
            path: Where to write it too, whole or not at all.

        """
        title = self.task.title_zh if self.lang == "zh" else self.task.title
        lines = [f"# {title}", ""]
        if not self.ok:
            lines += [f"- {_plain(error)}" for error in self.errors]
        elif self.scores is None:
            lines += [f"{self.rows} rows, valid"]
        else:
            times = "" if self.task.scale == 1 else f" times {self.task.scale:g}"
            lines += [f"| score | value{times} | signature |", "| --- | ---: | --- |"]
            for name, score in self.scores.items():
                value = self.task.official_value(name, score.value)
                # A bar ends a cell, also in code.
                label, signature = (text.replace("|", "\\|") for text in (self.task.label(name), score.signature))
                lines.append(f"| {label} | {value:.2f} | `{signature}` |")
        lines += [f"\n> {_plain(warning)}" for warning in self.warnings]
        return _written("\n".join(lines) + "\n", path)

    def to_html(self, *, path: PathLike | None = None, images: Mapping[str, bytes] | None = None) -> str:
        """Give one page without other files: scores, how they are spread, the best and the worst items.

        Args:
            path: Where to write it too, whole or not at all.
            images: Bytes of images by id, such as an :class:`muge_fast.datasets.ImageTsv`, to be shown with items.

        """
        from muge_fast.evaluation.report_html import page  # noqa: PLC0415 - most reports are not for reading

        return _written(page(self, images), path)

    def items(self) -> Iterator[dict[str, Any]]:
        """Give a row for each item: its id, and each score of it, plain."""
        if self.scores is not None and all(len(score.per_item) for score in self.scores.values()):
            columns = [score.per_item.tolist() for score in self.scores.values()]
            for key, *values in zip(self.scores.ids, *columns, strict=True):
                yield {"id": key, **dict(zip(self.scores, values, strict=True))}

    def to_csv(self, path: PathLike) -> None:
        """Write the scores of each item as a table of commas, whole or not at all."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["id", *(self.scores or ())])
        writer.writerows(row.values() for row in self.items())
        _written(text.getvalue(), path)

    def to_parquet(self, path: PathLike) -> None:
        """Write the scores of each item as a Parquet file, whole or not at all; needs the extra ``arrow``."""
        pa, parquet = import_parquet()
        with replacing(path) as file:
            parquet.write_table(pa.Table.from_pylist(list(self.items())), file)


def import_parquet() -> tuple[Any, Any]:
    """Import what writes Parquet files.

    Returns:
        The modules ``pyarrow`` and ``pyarrow.parquet``.

    Raises:
        ImportError: They are not installed; the message says how to get them.

    Example:
        >>> from muge_fast.evaluation.report import import_parquet
        >>> import_parquet()[1].__name__
        'pyarrow.parquet'

    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise ImportError("Parquet files need pyarrow: pip install 'muge-fast[arrow]'") from error
    return pa, parquet


def _written(text: str, path: PathLike | None) -> str:
    if path is not None:
        with replacing(path) as file:
            file.write(text.encode("utf-8"))
    return text


def _plain(text: str) -> str:
    """Text of a hostile file, without its markup, in one line."""
    marks = "\\`*_{}[]<>()#+-!|=~&"
    letters = (letter if letter.isprintable() else " " for letter in text)
    return "".join(f"\\{letter}" if letter in marks else letter for letter in letters)
