"""The report on a submission: its scores, or all its errors."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from muge_fast import _core
from muge_fast._internal.atomic import replacing, save_text
from muge_fast._internal.checks import check_choice
from muge_fast._internal.display import json_text, plain_markdown, spreadsheet_text, truncate_id
from muge_fast._internal.field_names import FieldNames
from muge_fast._internal.paths import PathLike
from muge_fast.datasets.input_file import InputFile
from muge_fast.datasets.problem_groups import ProblemGroup, format_groups, group_problems
from muge_fast.datasets.problems import LANGUAGES, Problem
from muge_fast.evaluation.official_result import failed_result, mark_unofficial, scored_result
from muge_fast.features.arrow import import_pyarrow
from muge_fast.scores import FloatArray, Scores
from muge_fast.tasks.task import Task
from muge_fast.text.tokenizers import Tokenizer, TokenizerLike

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from muge_fast.evaluation.report_page.content import PageContent
    from muge_fast.evaluation.report_page.picture_files import PictureSource

TokenizerOptions = tuple[TokenizerLike, PathLike | None]
"""The options ``tokenizer`` and ``user_dict`` of caption metrics."""

# Characters of an id of a group of problems.
GROUP_ID_LENGTH = 80


@dataclass(frozen=True, kw_only=True)
class Report:
    """The result of :func:`muge_fast.evaluate` and :func:`muge_fast.check`.

    Attributes:
        task: The task.
        scores: Scores by name, as the metrics define them (0 to 1; CIDEr 0 to 10); None for an invalid submission, and
            after :func:`muge_fast.check`.
        problems: The problems of the submission, the first hundred by default.
        problem_count: Number of all problems found.
        problem_groups: All problems by kind, those that explain others first.
        rows: Number of rows of the submission that have an id.
        warnings: Properties of a valid submission that may be mistakes, and why the result is not official, one line
            each.
        unofficial: Why the official result is not that of the benchmark, one line each: options that the benchmark does
            not use, or an evaluation script that accepts what is refused here. Empty if it is.
        seconds: Time for reading, checking and scoring, in seconds.
        lang: Language of messages and tables, ``"en"`` or ``"zh"``.
        predictions: Predictions by id; empty for an invalid submission.
        references: Content of the gold file by id; empty if there is none.
        texts: Text for human readers by id, such as the text of a query or of an image.
        files: The files that were read, by ``"submission"`` and ``"gold"``: name, size and hash.
        options: Options of the task that differ from their defaults, as plain values; file names without folders.
        names: Names of the fields of the submission; None if no row could be read.
        excerpts: The beginning of the lines with problems, by line number.

    Example:
        >>> import pathlib, tempfile
        >>> import muge_fast as mf
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     gold, submission = pathlib.Path(folder) / "gold.jsonl", pathlib.Path(folder) / "pred.jsonl"
        ...     _ = gold.write_text('{"image_id": "a", "text": ["红裙", "红色裙子"]}')
        ...     _ = submission.write_text('{"image_id": "a", "text": 5}')
        ...     report = mf.evaluate("caption", gold, submission)
        >>> report.ok, report.errors
        (False, ['line 1: image_id a: text is 5, expected a string; write the integer in quotes'])

    """

    task: Task
    scores: Scores | None = None
    problems: Sequence[Problem] = ()
    problem_count: int = 0
    problem_groups: Sequence[ProblemGroup] = field(default=(), repr=False)
    rows: int = 0
    warnings: Sequence[str] = ()
    unofficial: Sequence[str] = ()
    seconds: float = 0.0
    lang: str = "en"
    predictions: Mapping[Any, Any] = field(default_factory=dict, repr=False)
    references: Mapping[Any, Any] = field(default_factory=dict, repr=False)
    texts: Mapping[Any, str] = field(default_factory=dict, repr=False)
    files: Mapping[str, InputFile] = field(default_factory=dict, repr=False)
    options: Mapping[str, object] = field(default_factory=dict, repr=False)
    names: FieldNames | None = field(default=None, repr=False)
    excerpts: Mapping[int, str] = field(default_factory=dict, repr=False)
    _tokenizer: TokenizerOptions | None = field(default=None, repr=False)
    _notes: Mapping[str, tuple[Sequence[str], Sequence[str]]] = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        """True if the submission is valid: no problem was found."""
        return not self.problem_count

    @property
    def errors(self) -> list[str]:
        """Messages of the problems by kind, one line each; one for all problems of a kind that is frequent."""
        return format_groups(self.problem_groups or group_problems(self.problems), self.lang)

    @property
    def title(self) -> str:
        """Title of the task in the language of the report."""
        return self.task.title_zh if self.lang == "zh" else self.task.title

    def in_language(self, lang: str) -> Report:
        """Return the same report in a language.

        Args:
            lang: ``"en"`` or ``"zh"``.

        Returns:
            The report, whose messages, tables and pages are in this language.

        Raises:
            ValueError: The language is unknown.

        Example:
            >>> from importlib.resources import files
            >>> import muge_fast as mf
            >>> path = files("muge_fast") / "samples" / "classification" / "CC_sample.jsonl"
            >>> mf.check("classification", path).in_language("zh").title
            '跨模态分类'

        """
        check_choice("lang", lang, LANGUAGES)
        warnings, unofficial = self._notes.get(lang, (self.warnings, self.unofficial))
        return replace(self, lang=lang, warnings=warnings, unofficial=unofficial)

    def official(self) -> dict[str, Any]:
        """Return the official result object, which leaderboard servers read.

        Returns:
            For a valid submission ``{"success": True, "score": S, "scoreJson": {"score": S, …}}``, with scores times
            100 except those of images; otherwise
            ``{"success": False, "score": 0, "scoreJson": {}, "errorMsg": …, "errorDetail": …}``. If the benchmark's own
            result would be another one, also ``"unofficial"``, a list of reasons.

        Raises:
            ValueError: The submission is valid, but was only checked and has no scores.

        Example:
            >>> from importlib.resources import files
            >>> import muge_fast as mf
            >>> path = files("muge_fast") / "samples" / "classification" / "CC_sample.jsonl"
            >>> mf.evaluate("classification", path, path).official()["score"]
            100.0

        """
        if not self.ok:
            errors = self.errors
            count = f"（共 {self.problem_count} 个问题）" if self.lang == "zh" else f" ({self.problem_count} problems)"
            result = failed_result(errors[0] + (count if self.problem_count > 1 else ""), "\n".join(errors))
            return mark_unofficial(result, self.unofficial)
        if self.scores is None:
            raise ValueError("the submission was checked, not scored; use evaluate()")
        values = {name: self.task.official_value(name, score.value) for name, score in self.scores.items()}
        named = {key: values[name] for key, name in self.task.official.items() if name in values}
        return mark_unofficial(scored_result(values[self.task.main], named), self.unofficial)

    def to_dict(self) -> dict[str, Any]:
        """Return everything except the scores of single items as plain Python objects, ready for JSON.

        Returns:
            A dictionary with the keys ``task``, ``ok``, ``rows``, ``main``, ``scores`` (value, signature and parts by
            name), ``problem_count``, ``problem_groups`` (code, field, count, message, and the first lines and ids of
            each kind), ``problems`` (line, id, field, code and message of each), ``warnings``, ``files`` (name,
            bytes and sha256 of ``submission`` and ``gold``), ``options``, ``seconds`` and
            ``version``. Ids of problems are truncated to 256 characters.

        Example:
            >>> from importlib.resources import files
            >>> import muge_fast as mf
            >>> path = files("muge_fast") / "samples" / "classification" / "CC_sample.jsonl"
            >>> mf.check("classification", path).to_dict()["ok"]
            True

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
                "message": problem.message(lang=self.lang),
            }
            for problem in self.problems
        ]
        groups = [
            {
                "code": group.first.code,
                "field": group.first.field,
                "count": group.count,
                "line_count": group.line_count,
                "lines": group.lines,
                "ids": [truncate_id(key, GROUP_ID_LENGTH) for key in group.ids],
                "message": group.message(lang=self.lang),
            }
            for group in self.problem_groups
        ]
        return {
            "task": self.task.name,
            "ok": self.ok,
            "rows": self.rows,
            "main": self.task.main,
            "scores": scores,
            "problem_count": self.problem_count,
            "problem_groups": groups,
            "problems": problems,
            "warnings": list(self.warnings),
            "files": {role: file.to_dict() for role, file in self.files.items()},
            "options": dict(self.options),
            "seconds": self.seconds,
            "version": _core.__version__,
        }

    def to_json(self, *, path: PathLike | None = None) -> str:
        """Return the dictionary of :meth:`to_dict` as JSON, and write it to a file if there is a path.

        Args:
            path: File to write, in UTF-8. It appears complete or not at all.

        Returns:
            The text.

        Raises:
            OSError: The file cannot be written.

        """
        return save_text(json_text(self.to_dict(), indent=2) + "\n", path)

    def to_markdown(self, *, path: PathLike | None = None) -> str:
        """Return the scores as a Markdown table, or the errors as a list, and write them to a file if there is a path.

        The table has the 95 % confidence interval of each score, see :meth:`muge_fast.Score.interval`; none for metrics
        of a whole set of images unless they were computed with ``influence=True``.

        Args:
            path: File to write, in UTF-8. It appears complete or not at all.

        Returns:
            The text.

        Raises:
            OSError: The file cannot be written.

        """
        lines = [f"# {self.title}", ""]
        if not self.ok:
            lines += [f"- {plain_markdown(error)}" for error in self.errors]
        elif self.scores is None:
            lines += [f"{self.rows} 行，有效" if self.lang == "zh" else f"{self.rows} rows, valid"]
        else:
            from muge_fast.evaluation.report_page.score_table import markdown_scores  # noqa: PLC0415 - few need a table

            lines += markdown_scores(self.task, self.scores, self.lang)
        lines += [f"\n> {plain_markdown(warning)}" for warning in self.warnings]
        return save_text("\n".join(lines) + "\n", path)

    def to_html(
        self,
        *,
        path: PathLike | None = None,
        images: PictureSource | None = None,
        date: str | None = None,
        seconds: bool = False,
    ) -> str:
        """Return one self-contained HTML page, and write it to a file if there is a path.

        The page has what was scored, the scores with their 95 % confidence intervals, histograms, and all items, the
        worst ones first, with what they share with the gold file; or all problems by kind. It loads nothing. It can be
        read without scripts; its own script adds sorting, search and filters. The same report gives the same bytes.

        Args:
            path: File to write, in UTF-8. It appears complete or not at all.
            images: Images to show with the items that the page has without scripts: next to the texts of captions, to
                the ids that a ranking lists, or to image queries; those of questions by the ids of the questions. Bytes
                of image files by id, such as an :class:`muge_fast.datasets.ImageTsv`; or the path of an image TSV, or
                of a folder or a zip archive whose image files have ids as names. Pages of text-to-image show those of
                the submission and of the gold file by themselves. Pictures are small, and take 16 MB of a page at most;
                a note says if some are left out. Needs Pillow.
            date: Date to show on the page, if any.
            seconds: Whether to show the time that scoring took, which differs from run to run.

        Returns:
            The text.

        Raises:
            OSError: The file cannot be written, or ``images`` cannot be read.
            ValueError: ``images`` has none, or two with the same id.
            ImportError: There are images, and Pillow is not installed.

        """
        from muge_fast.evaluation.report_page.page import render_page  # noqa: PLC0415 - few evaluations need a page
        from muge_fast.evaluation.report_page.picture_files import open_pictures  # noqa: PLC0415

        shown_seconds = self.seconds if seconds else None
        content = replace(self._page_content(), images=open_pictures(images), seconds=shown_seconds, date=date)
        return save_text(render_page(content), path)

    def _page_content(self) -> PageContent:
        """Return the content of a page, without images, date and seconds."""
        from muge_fast.evaluation.report_page.content import PageContent  # noqa: PLC0415 - few evaluations need a page

        return PageContent(
            task=self.task,
            lang=self.lang,
            rows=self.rows,
            warnings=self.warnings,
            problems=self.problems,
            problem_groups=self.problem_groups,
            problem_count=self.problem_count,
            scores=self.scores,
            predictions=self.predictions,
            references=self.references,
            names=self.names,
            texts=self.texts,
            files=self.files,
            excerpts=self.excerpts,
            options=self.options,
            tokenizer=self._resolve_tokenizer(),
        )

    def _resolve_tokenizer(self) -> Tokenizer | None:
        """Return the tokenizer of the scores; None if they have none, or if its user dictionary was changed since."""
        if self._tokenizer is None:
            return None
        try:
            tokenizer = Tokenizer.resolve(*self._tokenizer)
        except (OSError, ValueError):
            return None
        signatures = [score.signature for score in (self.scores or {}).values()]
        return tokenizer if any(f"|tokenizer:{tokenizer.signature}|" in text for text in signatures) else None

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields, without a tokenizer that is a function, because few functions can be pickled."""
        is_function = self._tokenizer is not None and not isinstance(self._tokenizer[0], str)
        return {**self.__dict__, "_tokenizer": None if is_function else self._tokenizer}

    def items(self) -> Iterator[dict[str, Any]]:
        """Yield the scores of each item.

        Yields:
            A dictionary with ``"id"`` and each score by name, as the metrics define them. Nothing if the submission is
            invalid, or if a metric has no scores of single items, such as FID.

        Example:
            >>> from importlib.resources import files
            >>> import muge_fast as mf
            >>> path = files("muge_fast") / "samples" / "classification" / "CC_sample.jsonl"
            >>> next(mf.evaluate("classification", path, path).items())["accuracy"]
            1.0

        """
        if self.scores is not None and all(len(score.per_item) for score in self.scores.values()):
            columns = [score.per_item.tolist() for score in self.scores.values()]
            for key, *values in zip(self.scores.ids, *columns, strict=True):
                yield {"id": key, **dict(zip(self.scores, values, strict=True))}

    def to_csv(self, *, path: PathLike | None = None) -> str:
        """Return the scores of each item as CSV, and write them to a file if there is a path.

        An id of text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end gets an apostrophe in front
        unless it is a number, because spreadsheets would calculate it as a formula. Parquet has all ids unchanged.

        Args:
            path: File to write, in UTF-8. It appears complete or not at all.

        Returns:
            The text: a header, then one line for each item.

        Raises:
            OSError: The file cannot be written.

        """
        import csv  # noqa: PLC0415 - few reports are written as CSV

        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["id", *(self.scores or ())])
        writer.writerows(map(spreadsheet_text, row.values()) for row in self.items())
        return save_text(text.getvalue(), path)

    def to_parquet(self, *, path: PathLike) -> None:
        """Write the scores of each item to a Parquet file.

        Args:
            path: File to write. It appears complete or not at all.

        Raises:
            OSError: The file cannot be written.
            ImportError: pyarrow, the extra ``arrow``, is not installed.

        """
        pyarrow = import_pyarrow()
        with replacing(path) as file:
            pyarrow.parquet.write_table(self.to_arrow(), file)

    def to_pandas(self) -> pd.DataFrame:
        """Return the scores of each item as a pandas DataFrame.

        Returns:
            A float64 frame with a row for each item, indexed by ``"id"``, and a column for each metric; without rows
            where :meth:`items` yields nothing.

        Raises:
            ImportError: pandas is not installed.

        """
        from muge_fast._internal.output_tables import pandas_frame  # noqa: PLC0415 - few reports become tables

        columns = self._columns()
        return pandas_frame(columns, self.scores.ids if self.scores is not None and columns else [])

    def to_arrow(self) -> pa.Table:
        """Return the scores of each item as a table of Arrow, with the columns ``"id"`` and those of the metrics.

        Returns:
            The table; without rows where :meth:`items` yields nothing.

        Raises:
            ImportError: pyarrow, the extra ``arrow``, is not installed.

        """
        from muge_fast._internal.output_tables import arrow_ids, arrow_table  # noqa: PLC0415 - few become tables

        columns = self._columns()
        ids = self.scores.ids if self.scores is not None and columns else []
        return arrow_table({"id": arrow_ids(ids), **columns})

    def _columns(self) -> dict[str, FloatArray]:
        """Return the scores of items by metric; empty if the submission is invalid or a metric has none."""
        if self.scores is None or not all(len(score.per_item) for score in self.scores.values()):
            return {}
        return {name: score.per_item for name, score in self.scores.items()}
