"""Checking and scoring of submission files."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from muge_fast import tasks
from muge_fast._internal.checks import check_choice
from muge_fast._internal.field_names import RETRIEVAL
from muge_fast._internal.paths import PathLike
from muge_fast.datasets.decoding import BrokenImageError
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.problems import LANGUAGES, WARNINGS, Problem
from muge_fast.datasets.rows import Reader
from muge_fast.evaluation.gold_comparison import check_pool, compare_with_gold, find_file_warnings, find_warnings
from muge_fast.evaluation.official_retrieval import PublishedGold, has_script, read_bytes
from muge_fast.evaluation.report import Report
from muge_fast.evaluation.report_inputs import report_inputs, texts_of_images
from muge_fast.evaluation.submission import GoldError, Pool, check_files, load_pool, read_gold, read_submission
from muge_fast.scores import Scores
from muge_fast.tasks.task import Task

Notes = Mapping[str, Sequence[str]]
"""Lines of a report in each language."""

NO_NOTES: Notes = dict.fromkeys(LANGUAGES, ())


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
    task = find_task(task, lang)
    task.check_options(options)
    check_files(submission, gold=gold, pool=pool, texts=options.get("texts"))
    pool_ids = load_pool(task, pool)
    gold_reader = read_gold(task, gold, lang, submission)
    reader = read_submission(task, submission, limits or Limits(), gold_reader.rows.values, gold)
    compare_files(reader, gold_reader, pool_ids)
    scores = None
    if not reader.rows.problem_count:
        # The rows are all that is needed of the files, and large contents are freed.
        reader.forget_data()
        gold_reader.forget_data()
        score = partial(task.score, **options_with_groups(task, gold_reader, options))
        scores = score_rows(task, reader, gold_reader, gold, score)
    if scores is None:
        unofficial = script_notes(published_golds(task, gold), submission)
    else:
        unofficial = unofficial_notes(task, scores)
    used = {**options, "pool": pool}
    return make_report(task, reader, start, lang, scores=scores, gold=gold_reader, options=used, unofficial=unofficial)


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
    task = find_task(task, lang)
    check_files(submission, gold=gold, pool=pool)
    pool_ids = load_pool(task, pool)
    gold_reader = None if gold is None else read_gold(task, gold, lang, submission)
    gold_ids = None if gold_reader is None else gold_reader.rows.values
    reader = read_submission(task, submission, limits or Limits(), gold_ids, gold)
    compare_files(reader, gold_reader, pool_ids)
    unofficial = NO_NOTES
    if reader.rows.problem_count:
        unofficial = NO_NOTES if gold is None else script_notes(published_golds(task, gold), submission)
    else:
        for file in filter(None, (reader, gold_reader)):
            file.forget_data()
    return make_report(task, reader, start, lang, gold=gold_reader, options={"pool": pool}, unofficial=unofficial)


# Steps, which evaluations of many submissions share


def find_task(task: str | Task, lang: str) -> Task:
    """Return a task by its name, and check the language.

    Args:
        task: Its name, or the task.
        lang: Language of errors and of the report.

    Returns:
        The task.

    Raises:
        ValueError: The task or the language is unknown.

    """
    check_choice("lang", lang, LANGUAGES)
    return task if isinstance(task, Task) else tasks.get(task)


def compare_files(reader: Reader, gold: Reader | None, pool: Collection[Any] | None) -> None:
    """Add the problems of ids and items, unless no row could be read, because then every id would be missing.

    Args:
        reader: The submission, after reading.
        gold: The gold file, if there is one.
        pool: Ids of the items that may be retrieved; None to allow all.

    """
    if not reader.rows.values and reader.rows.problem_count:
        return
    if gold is not None:
        compare_with_gold(reader, gold.rows)
    if pool is not None:
        check_pool(reader, pool)


def score_rows(
    task: Task, reader: Reader, gold: Reader, path: PathLike, score: Callable[[Any, Any], Scores]
) -> Scores | None:
    """Return the scores of a submission without problems.

    Args:
        task: The task.
        reader: The submission.
        gold: The gold file.
        path: Path of the gold file, for errors.
        score: Function of predictions and references.

    Returns:
        The scores; None, and a problem of the submission, if it was changed meanwhile.

    Raises:
        GoldError: An image of the gold file is broken.
        OSError: A file cannot be read.
        ValueError: The score function rejects an option, or the main score is missing.

    """
    try:
        ids = gold.rows.values.keys()
        scores = score(reader.values_for(ids), gold.values_for(ids))
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


def options_with_groups(task: Task, gold: Reader, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options of a score function with the groups of the gold file, if the task has groups.

    Args:
        task: The task.
        gold: The gold file.
        options: Options of the score function.

    Returns:
        The options; groups that the caller gives come before those of the file.

    """
    return {"groups": gold.rows.groups_by_field, **options} if task.group_fields else options


def _is_changed(reader: Reader) -> bool:
    """Return whether the submission is not the file that was checked, and add the problem."""
    is_changed = reader.was_changed()
    if is_changed:
        reader.add_problem(Problem("changed"))
    return is_changed


def published_golds(task: Task, gold: PathLike | bytes) -> Iterable[PublishedGold]:
    """Yield a gold file as each public script of the benchmark reads it, if it can.

    Args:
        task: The task.
        gold: The gold file, or its content.

    Yields:
        The gold file; nothing for tasks without a public script.

    """
    for names in RETRIEVAL if has_script(task) else ():
        with suppress(OSError, ValueError):
            yield PublishedGold.parse(gold, names) if isinstance(gold, bytes) else PublishedGold.read(gold, names)


def script_notes(golds: Iterable[PublishedGold], submission: PathLike) -> Notes:
    """Return a note if a script of the benchmark accepts a submission that is refused here.

    Args:
        golds: The gold file as the scripts read it.
        submission: The submission. It is untrusted.

    Returns:
        The note in each language; empty if there is none.

    """
    for gold in golds:
        with suppress(OSError, ValueError):
            score = gold.score(read_bytes(submission)).mean_recall
            return {
                lang: [text.format(score=score)]
                for lang, text in zip(LANGUAGES, WARNINGS["script_accepts"], strict=True)
            }
    return NO_NOTES


def unofficial_notes(task: Task, scores: Scores) -> Notes:
    """Return why scores are not those of the benchmark.

    Args:
        task: The task.
        scores: The scores.

    Returns:
        One line each, in each language.

    """
    return NO_NOTES if task.unofficial is None else {lang: list(task.unofficial(scores, lang)) for lang in LANGUAGES}


def make_report(
    task: Task,
    reader: Reader,
    start: float,
    lang: str,
    *,
    options: Mapping[str, Any],
    scores: Scores | None = None,
    gold: Reader | None = None,
    unofficial: Notes = NO_NOTES,
) -> Report:
    """Collect the report on a submission.

    Args:
        task: The task.
        reader: The submission, after reading and comparing.
        start: When the evaluation began, by ``time.perf_counter``.
        lang: Language of the report.
        options: Options of the task, and ``pool``.
        scores: The scores, if there are any.
        gold: The gold file, if there is one.
        unofficial: Why the result is not official, one line each, in each language.

    Returns:
        The report.

    """
    rows = reader.rows
    warnings = {}
    for language, mark in zip(LANGUAGES, WARNINGS["unofficial"], strict=True):
        found = list(find_file_warnings(reader, gold, language))
        found += [] if rows.problem_count else find_warnings(rows, language)
        warnings[language] = (*found, *(mark.format(reason=reason) for reason in unofficial[language]))
    return Report(
        task=task,
        scores=scores,
        problems=tuple(rows.problems),
        problem_count=rows.problem_count,
        problem_groups=tuple(rows.groups),
        rows=len(rows.values),
        warnings=warnings[lang],
        unofficial=tuple(unofficial[lang]),
        seconds=time.perf_counter() - start,
        lang=lang,
        predictions={} if rows.problem_count else rows.values,
        references={} if gold is None else gold.rows.values,
        texts={} if gold is None else gold.rows.texts or texts_of_images(scores, options),
        _notes={name: (warnings[name], tuple(unofficial[name])) for name in LANGUAGES},
        **report_inputs(task, reader, gold, options),
    )
