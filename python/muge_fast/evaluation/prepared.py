"""Evaluation of many submissions against one gold file, which is read once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from muge_fast import tasks
from muge_fast._internal.display import quantity
from muge_fast._internal.file_kinds import HEAD_BYTES
from muge_fast._internal.paths import PathLike
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.row_reader import RowReader
from muge_fast.datasets.rows import Reader
from muge_fast.evaluation._evaluate import (
    NO_NOTES,
    compare_files,
    find_task,
    make_report,
    options_with_groups,
    published_golds,
    score_rows,
    script_notes,
    unofficial_notes,
)
from muge_fast.evaluation.official_retrieval import PublishedGold
from muge_fast.evaluation.report import Report
from muge_fast.evaluation.submission import Pool, check_files, load_pool, read_gold, read_submission
from muge_fast.scores import Scores
from muge_fast.tasks.task import Task


class PreparedEvaluation:
    """A gold file and options, prepared to evaluate many submissions. :func:`prepare` makes it.

    Reports have the scores of :func:`muge_fast.evaluate`, with the same bits. Several threads may evaluate at the same
    time, except text-to-image, and so may processes that are forked.

    Args:
        task: The task.
        gold: The gold file.
        pool: The items that may be retrieved; None to allow all.
        limits: Limits on submissions; None for the defaults.
        lang: Language of errors of the gold file.
        submission: A submission, to recognize a gold file that was swapped with it; None if there is none yet.
        options: Options of the task's score function.

    Attributes:
        task: The task.
        gold_sha256: SHA-256 of the gold file in hexadecimal.
        signature: Signature of the main score; for tasks that cannot be tried on made-up items, None before a valid
            submission was scored.

    Example:
        >>> import pathlib
        >>> from importlib.resources import files
        >>> from muge_fast.evaluation import prepare
        >>> folder = pathlib.Path(str(files("muge_fast"))) / "samples" / "caption"
        >>> prepared = prepare("caption", folder / "IC_sample.jsonl")
        >>> for name in ("base", "large"):
        ...     report = prepared.evaluate(folder / f"IC_sample.pred.{name}.jsonl")
        ...     print(round(report.official()["score"], 2))
        9.39
        91.64

    """

    def __init__(
        self,
        task: Task,
        gold: PathLike,
        *,
        pool: Pool | None,
        limits: Limits | None,
        options: Mapping[str, Any],
        lang: str = "en",
        submission: PathLike | None = None,
    ) -> None:
        self.task = task
        self._path, self._limits = gold, limits or Limits()
        self._options = {**options, "pool": pool}
        self._pool = load_pool(task, pool)
        self._gold = read_gold(task, gold, lang, submission)
        # Kept for invalid submissions of tasks with a public script.
        self._data = self._gold.data if isinstance(self._gold, RowReader) else b""
        self._head = self._data[:HEAD_BYTES]
        self._published: list[PublishedGold] | None = None
        source = self._gold.source
        self.signature = _signature(task, options)
        self.gold_sha256: str = "" if source is None else source.sha256 or ""
        # The rows are all that is needed from now on.
        self._gold.forget_data()
        self._score = _prepared_score(
            task,
            self._gold.values_for(self._gold.rows.values.keys()),
            options_with_groups(task, self._gold, options),
        )

    def evaluate(self, submission: PathLike, *, lang: str = "en") -> Report:
        """Check a submission, and score it if it is valid, as :func:`muge_fast.evaluate` does.

        The gold file is not read again, and ``seconds`` of the report has no time for it.

        Args:
            submission: The submission. It is untrusted: errors in its content are reported, not raised.
            lang: Language of errors and of the report, ``"en"`` or ``"zh"``.

        Returns:
            The report, with scores if the submission is valid.

        Raises:
            OSError: The file does not exist or cannot be read.
            GoldError: An image of the gold file is broken.
            ValueError: The language is unknown, or the score function rejects an option.

        """
        start = time.perf_counter()
        reader = self._read(submission, lang)
        scores = None
        if not reader.rows.problem_count:
            reader.forget_data()
            scores = score_rows(self.task, reader, self._gold, self._path, self._score)
            self.signature = scores[self.task.main].signature if scores is not None else self.signature
        if scores is None:
            unofficial = script_notes(self.read_as_published(), submission)
        else:
            unofficial = unofficial_notes(self.task, scores)
        options = self._options
        return make_report(
            self.task, reader, start, lang, scores=scores, gold=self._gold, options=options, unofficial=unofficial
        )

    def check(self, submission: PathLike, *, lang: str = "en") -> Report:
        """Check a submission without scoring it, as :func:`muge_fast.check` does with a gold file.

        Args:
            submission: The submission. It is untrusted: errors in its content are reported, not raised.
            lang: Language of errors and of the report, ``"en"`` or ``"zh"``.

        Returns:
            The report, without scores.

        Raises:
            OSError: The file does not exist or cannot be read.
            ValueError: The language is unknown.
            ImportError: Images are checked and Pillow is not installed.

        Example:
            >>> from importlib.resources import files
            >>> from muge_fast.evaluation import prepare
            >>> path = files("muge_fast") / "samples" / "classification" / "CC_sample.jsonl"
            >>> prepare("classification", path).check(path).ok
            True

        """
        start = time.perf_counter()
        reader = self._read(submission, lang)
        unofficial = NO_NOTES
        if reader.rows.problem_count:
            unofficial = script_notes(self.read_as_published(), submission)
        else:
            reader.forget_data()
        options = {"pool": self._options["pool"]}
        return make_report(self.task, reader, start, lang, gold=self._gold, options=options, unofficial=unofficial)

    def read_as_published(self) -> Sequence[PublishedGold]:
        """Read the gold file as the public scripts of the benchmark do; otherwise the first invalid submission does.

        Returns:
            The gold file as each script reads it that can; empty for tasks without one.

        Example:
            >>> from importlib.resources import files
            >>> from muge_fast.evaluation import prepare
            >>> path = files("muge_fast") / "samples" / "classification" / "CC_sample.jsonl"
            >>> prepare("classification", path).read_as_published()
            []

        """
        if self._published is None:
            self._published = list(published_golds(self.task, self._data))
        return self._published

    def _read(self, submission: PathLike, lang: str) -> Reader:
        """Read a submission, and compare it with the gold file."""
        task = find_task(self.task, lang)
        check_files(submission)
        reader = read_submission(task, submission, self._limits, self._gold.rows.values, self._head)
        compare_files(reader, self._gold, self._pool)
        return reader

    def __repr__(self) -> str:
        return f"PreparedEvaluation({self.task.name!r}, {quantity(len(self._gold.rows.values), 'item')})"


def prepare(
    task: tasks.TaskName | Task,
    gold: PathLike,
    *,
    pool: Pool | None = None,
    limits: Limits | None = None,
    lang: str = "en",
    submission: PathLike | None = None,
    **options: Any,  # noqa: ANN401 - those of the task's score function
) -> PreparedEvaluation:
    """Read a gold file once, to evaluate many submissions.

    References of captions are tokenized and counted here. Real images of ``"t2i"`` go through the network with the
    first valid submission.

    Args:
        task: Name of a task, ``"caption"``, ``"retrieval"``, ``"t2i"``, ``"classification"`` or one of another package,
            or a :class:`muge_fast.tasks.Task`.
        gold: The gold file: JSON Lines, or the image TSV of ``"t2i"``. It is trusted.
        pool: For retrieval, the items that may be retrieved: their ids, or the path of an image TSV or of a text file
            with one id in each line; None to allow all.
        limits: Limits on submissions, their images and the number of errors; None for the defaults of
            :class:`muge_fast.Limits`.
        lang: Language of errors of the gold file, ``"en"`` or ``"zh"``.
        submission: One of the submissions, to recognize a gold file that was swapped with it; it is evaluated like all
            others.
        options: Keyword options of the task's score function, as for :func:`muge_fast.evaluate`.

    Returns:
        An object whose :meth:`PreparedEvaluation.evaluate` reports on a submission.

    Raises:
        OSError: A file does not exist or cannot be read.
        GoldError: The gold file has problems.
        ValueError: The task or the language is unknown, the score function rejects an option, or ``metrics`` lacks the
            task's main metric.
        TypeError: The task has no such option. Also if a pool is given for a task without one.

    Example:
        >>> from importlib.resources import files
        >>> from muge_fast.evaluation import prepare
        >>> path = files("muge_fast") / "samples" / "classification" / "CC_sample.jsonl"
        >>> prepared = prepare("classification", path)
        >>> prepared.evaluate(path).official()["score"]
        100.0

    """
    task = find_task(task, lang)
    task.check_options(options)
    check_files(gold if submission is None else submission, gold=gold, pool=pool, texts=options.get("texts"))
    return PreparedEvaluation(task, gold, pool=pool, limits=limits, lang=lang, submission=submission, options=options)


def _signature(task: Task, options: Mapping[str, Any]) -> str | None:
    """Return the signature of the main score of made-up items."""
    scores = None if task.check_values is None else task.check_values(options)
    return scores[task.main].signature if isinstance(scores, Scores) and task.main in scores else None


def _prepared_score(task: Task, references: Mapping[Any, Any], options: Mapping[str, Any]) -> Callable[..., Scores]:
    """Return a function of predictions and references, which are those of the gold file."""
    if task.prepare is None:
        return partial(task.score, **options)
    score = task.prepare(references, options)
    return lambda predictions, _: score(predictions)
