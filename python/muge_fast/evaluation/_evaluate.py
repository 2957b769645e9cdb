"""Checking and scoring of submission files."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from muge_fast import tasks
from muge_fast._internal.checks import check_choice
from muge_fast._internal.paths import PathLike
from muge_fast.datasets.decoding import BrokenImageError
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.problems import LANGUAGES, WARNINGS, Problem
from muge_fast.datasets.rows import Reader
from muge_fast.evaluation.gold_comparison import check_pool, compare_with_gold, find_file_warnings, find_warnings
from muge_fast.evaluation.official_retrieval import has_script, score_if_accepted
from muge_fast.evaluation.report import Report
from muge_fast.evaluation.report_inputs import report_inputs, texts_of_images
from muge_fast.evaluation.submission import GoldError, Pool, check_files, load_pool, read_gold, read_submission
from muge_fast.scores import Scores
from muge_fast.tasks.task import Task


def evaluate(
    task: tasks.TaskName | Task,
    gold: PathLike,
    submission: PathLike,
    *,
    pool: Pool | None = None,
    lang: str = "en",
    limits: Limits | None = None,
    **options: Any,  # noqa: ANN401 - those of the task's score function
) -> Report:
    """Check a submission against a gold file, and score it if it is valid.

    An invalid submission does not raise: the report has ``ok == False`` and lists its errors. Wrong arguments, files
    that cannot be read and a broken gold file raise. Options are checked before any file is read; of ``"t2i"``, the
    network and its weights are checked when a valid submission is scored.

    Args:
        task: Name of a task, ``"caption"``, ``"retrieval"``, ``"t2i"``, ``"classification"`` or one of another package,
            or a :class:`muge_fast.tasks.Task`.
        gold: The gold file: JSON Lines, or the image TSV of ``"t2i"``. It is trusted.
        submission: The submission, in the same format. It is untrusted: errors in its content are reported, not raised.
        pool: For retrieval, the items that may be retrieved: their ids, or the path of an image TSV or of a text file
            with one id in each line; None to allow all.
        lang: Language of errors and of the report, ``"en"`` or ``"zh"``.
        limits: Limits on the submission, its images and the number of errors; None for the defaults of
            :class:`muge_fast.Limits`.
        options: Keyword options of the task's score function, such as ``tokenizer`` of
            :func:`muge_fast.score_captions`, ``ks`` of :func:`muge_fast.score_retrieval`, and ``texts`` and ``clip`` of
            :func:`muge_fast.image.score_images`. All tasks have ``threads``.

    Returns:
        The report, with scores if the submission is valid.

    Raises:
        OSError: A file does not exist or cannot be read.
        GoldError: The gold file has problems.
        ValueError: The task or the language is unknown, the score function rejects an option, or ``metrics`` lacks the
            task's main metric.
        TypeError: The task has no such option; the message names the most similar one. Also if a pool is given for a
            task without one.
        ImportError: The task needs an optional package that is not installed.

    Example:
        >>> import pathlib
        >>> from importlib.resources import files
        >>> import muge_fast as mf
        >>> folder = pathlib.Path(str(files("muge_fast"))) / "samples" / "caption"
        >>> report = mf.evaluate("caption", folder / "IC_sample.jsonl", folder / "IC_sample.pred.large.jsonl")
        >>> report.ok, round(report.official()["score"], 2)
        (True, 91.64)

    """
    start = time.perf_counter()
    task = _find_task(task, lang)
    task.check_options(options)
    check_files(submission, gold=gold, pool=pool, texts=options.get("texts"))
    pool_ids = load_pool(task, pool)
    gold_reader = read_gold(task, gold, lang, submission)
    reader = read_submission(task, submission, limits or Limits(), gold_reader.rows.values, gold)
    _compare(reader, gold_reader, pool_ids)
    scores = None if reader.rows.problem_count else _score(task, reader, gold_reader, gold, options)
    if scores is None:
        unofficial = _script_accepts(task, gold, submission, lang)
    else:
        unofficial = [] if task.unofficial is None else list(task.unofficial(scores, lang))
    used = {**options, "pool": pool}
    return _report(task, reader, start, lang, scores=scores, gold=gold_reader, options=used, unofficial=unofficial)


def check(
    task: tasks.TaskName | Task,
    submission: PathLike,
    *,
    gold: PathLike | None = None,
    pool: Pool | None = None,
    lang: str = "en",
    limits: Limits | None = None,
) -> Report:
    """Check a submission without scoring it; no gold file is needed.

    Args:
        task: Name of a task, ``"caption"``, ``"retrieval"``, ``"t2i"``, ``"classification"`` or one of another package,
            or a :class:`muge_fast.tasks.Task`.
        submission: The submission. It is untrusted: errors in its content are reported, not raised.
        gold: The gold file, or any file of the task with the same ids, to find missing and unknown ids; None to check
            the submission alone.
        pool: For retrieval, the items that may be retrieved: their ids, or the path of an image TSV or of a text file
            with one id in each line; None to allow all.
        lang: Language of errors and of the report, ``"en"`` or ``"zh"``.
        limits: Limits on the submission, its images and the number of errors; None for the defaults of
            :class:`muge_fast.Limits`.

    Returns:
        The report, without scores.

    Raises:
        OSError: A file does not exist or cannot be read.
        GoldError: The gold file has problems.
        ValueError: The task or the language is unknown.
        TypeError: A pool is given for a task without one.
        ImportError: Images are checked and Pillow is not installed.

    Example:
        >>> import pathlib
        >>> from importlib.resources import files
        >>> import muge_fast as mf
        >>> folder = pathlib.Path(str(files("muge_fast"))) / "samples" / "caption"
        >>> mf.check("caption", folder / "IC_sample.pred.base.jsonl").ok
        True

    """
    start = time.perf_counter()
    task = _find_task(task, lang)
    check_files(submission, gold=gold, pool=pool)
    pool_ids = load_pool(task, pool)
    gold_reader = None if gold is None else read_gold(task, gold, lang, submission)
    gold_ids = None if gold_reader is None else gold_reader.rows.values
    reader = read_submission(task, submission, limits or Limits(), gold_ids, gold)
    _compare(reader, gold_reader, pool_ids)
    unofficial = _script_accepts(task, gold, submission, lang) if gold is not None and reader.rows.problem_count else []
    return _report(task, reader, start, lang, gold=gold_reader, options={"pool": pool}, unofficial=unofficial)


def _find_task(task: str | Task, lang: str) -> Task:
    check_choice("lang", lang, LANGUAGES)
    return task if isinstance(task, Task) else tasks.get(task)


def _compare(reader: Reader, gold: Reader | None, pool: Collection[Any] | None) -> None:
    """Add the problems of ids and items, unless no row could be read, because then every id would be missing.

    Where there are no problems at all, the rows are all that is needed of the files, and large contents are freed.
    """
    if not reader.rows.values and reader.rows.problem_count:
        return
    if gold is not None:
        compare_with_gold(reader, gold.rows)
    if pool is not None:
        check_pool(reader, pool)
    if not reader.rows.problem_count:
        for file in filter(None, (reader, gold)):
            file.forget_data()


def _score(task: Task, reader: Reader, gold: Reader, path: PathLike, options: Mapping[str, Any]) -> Scores | None:
    """Return the scores; None and a problem if the submission was changed meanwhile."""
    ids = gold.rows.values.keys()
    try:
        scores = task.score(reader.values_for(ids), gold.values_for(ids), **options)
    except (OSError, ValueError) as error:
        if _is_changed(reader):
            return None
        if isinstance(error, BrokenImageError):
            # The images of the submission have all been decoded before.
            raise GoldError(path, [str(error)]) from error
        raise
    if _is_changed(reader):
        return None
    if task.main not in scores:
        raise ValueError(f"scores lack {task.main!r}, the main score of task {task.name!r}; got {', '.join(scores)}")
    return scores


def _is_changed(reader: Reader) -> bool:
    """Return whether the submission is not the file that was checked, and add the problem."""
    is_changed = reader.was_changed()
    if is_changed:
        reader.add_problem(Problem("changed"))
    return is_changed


def _script_accepts(task: Task, gold: PathLike, submission: PathLike, lang: str) -> list[str]:
    """Return a note if the script of the benchmark accepts a submission that is refused here."""
    accepted = score_if_accepted(gold, submission) if has_script(task) else None
    text = WARNINGS["script_accepts"][LANGUAGES.index(lang)]
    return [] if accepted is None else [text.format(score=accepted.mean_recall)]


def _report(
    task: Task,
    reader: Reader,
    start: float,
    lang: str,
    *,
    options: Mapping[str, Any],
    scores: Scores | None = None,
    gold: Reader | None = None,
    unofficial: Sequence[str] = (),
) -> Report:
    rows = reader.rows
    found = [*find_file_warnings(reader, gold, lang), *([] if rows.problem_count else find_warnings(rows, lang))]
    mark = WARNINGS["unofficial"][LANGUAGES.index(lang)]
    return Report(
        task=task,
        scores=scores,
        problems=tuple(rows.problems),
        problem_count=rows.problem_count,
        problem_groups=tuple(rows.groups),
        rows=len(rows.values),
        warnings=(*found, *(mark.format(reason=reason) for reason in unofficial)),
        unofficial=tuple(unofficial),
        seconds=time.perf_counter() - start,
        lang=lang,
        predictions={} if rows.problem_count else rows.values,
        references={} if gold is None else gold.rows.values,
        texts={} if gold is None else gold.rows.texts or texts_of_images(scores, options),
        **report_inputs(task, reader, gold, options),
    )
