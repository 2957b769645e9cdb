"""From files to a verdict."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from typing import Any

from muge_fast import tasks
from muge_fast.datasets.decoding import BrokenImageError
from muge_fast.datasets.image_reader import ImageReader
from muge_fast.datasets.problems import LANGUAGES, WARNINGS
from muge_fast.datasets.row_reader import Limits, Reader, RowReader, Rows, compare, messages, outside
from muge_fast.evaluation.report import Report
from muge_fast.tasks.task import Task

PathLike = str | os.PathLike[str]
Pool = PathLike | Collection[Any]

# Whoever runs the leaderboard knows how large the gold file is.
GOLD_LIMITS = Limits(file_bytes=1 << 40, line_bytes=1 << 30)


class GoldError(ValueError):
    """A gold file that is broken: whoever runs the leaderboard must mend it.

    Attributes:
        path: The gold file.
        errors: What is wrong, one line each.

    Example:
        >>> import muge_fast as mf
        >>> issubclass(mf.GoldError, ValueError)
        True

    """

    def __init__(self, path: PathLike, errors: list[str]) -> None:
        more = f" (and {len(errors) - 1} more lines of errors)" if len(errors) > 1 else ""
        super().__init__(f"gold file {os.fspath(path)}: {errors[0]}{more}")
        self.path = os.fspath(path)
        self.errors = errors

    def __reduce__(self) -> tuple[type[GoldError], tuple[str, list[str]]]:
        # Exceptions are made anew from their message alone, and a pool of processes waits for ever for one that fails.
        return type(self), (self.path, self.errors)


def evaluate(
    task: str | Task,
    gold: PathLike,
    submission: PathLike,
    *,
    pool: Pool | None = None,
    lang: str = "en",
    limits: Limits | None = None,
    **options: Any,  # noqa: ANN401 - those of the task's function
) -> Report:
    """Check a submission and score it.

    An invalid submission is a result: a report with ``ok`` false and every error. What raises is wrong usage, a path
    that cannot be read, and a broken gold file.

    Args:
        task: Name of a task, ``"caption"``, ``"retrieval"``, ``"t2i"`` or ``"classification"``, or a task of your own.
        gold: The gold file: JSON lines, or the image TSV of ``"t2i"``.
        submission: The submission, in the same form. It is untrusted: nothing in it does harm.
        pool: For retrieval, the items that may be found: their ids, or the path of the image TSV.
        lang: Language of errors, ``"en"`` or ``"zh"``.
        limits: How large files may be; None for 128 MiB, and 1 MiB for a line, or more where it holds images.
        options: For the function that scores, such as ``tokenizer`` for :func:`muge_fast.score_captions`, ``ks`` for
            :func:`muge_fast.score_retrieval`, ``texts`` and ``clip`` for ``"t2i"``, and ``threads``.

    Returns:
        A :class:`Report`.

    Raises:
        OSError: A file is not there or may not be read.
        GoldError: The gold file is broken.
        ValueError: An unknown task or language, options that the task refuses, or metrics without the main one.
        TypeError: Options that the task does not have, or a pool for a task without one.

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
    declared = _declared(task, lang)
    expected = _gold(declared, gold, lang)
    reader = _read(declared, submission, limits or Limits(), expected.rows.values)
    _compare(reader, expected.rows, _pool(declared, pool))
    rows, references = reader.rows, expected.rows
    if rows.count:
        return _report(reader, start, lang, references=references.values, texts=references.texts)
    keys = references.values.keys()
    try:
        scores = declared.score(reader.values_of(keys), expected.values_of(keys), **options)
    except BrokenImageError as error:
        # Those of the submission have been decoded before.
        raise GoldError(gold, [str(error)]) from error
    if declared.main not in scores:
        raise ValueError(f"metrics lack {declared.main}, the main score of {declared.name}: it is what a verdict gives")
    return _report(
        reader,
        start,
        lang,
        scores=scores,
        warnings=tuple(_warnings(rows, references, lang)),
        references=references.values,
        texts=references.texts,
    )


def check(
    task: str | Task,
    submission: PathLike,
    *,
    gold: PathLike | None = None,
    pool: Pool | None = None,
    lang: str = "en",
    limits: Limits | None = None,
) -> Report:
    """Check a submission without scoring it, also before there is a gold file.

    Args:
        task: As for :func:`evaluate`.
        submission: As for :func:`evaluate`.
        gold: The gold file, or any file of the task with the same ids; None to look at the submission alone.
        pool: As for :func:`evaluate`.
        lang: As for :func:`evaluate`.
        limits: As for :func:`evaluate`.

    Returns:
        A :class:`Report` without scores.

    Raises:
        OSError: As for :func:`evaluate`.
        GoldError: As for :func:`evaluate`.
        ValueError: An unknown task or language.
        TypeError: A pool for a task without one.

    Example:
        >>> import pathlib
        >>> from importlib.resources import files
        >>> import muge_fast as mf
        >>> folder = pathlib.Path(str(files("muge_fast"))) / "samples" / "caption"
        >>> mf.check("caption", folder / "IC_sample.pred.base.jsonl").ok
        True

    """
    start = time.perf_counter()
    declared = _declared(task, lang)
    expected = None if gold is None else _gold(declared, gold, lang).rows
    reader = _read(declared, submission, limits or Limits(), None if expected is None else expected.values)
    items = _pool(declared, pool)
    if expected is not None:
        _compare(reader, expected, items)
    elif items is not None:
        outside(reader, frozenset(items))
    return _report(reader, start, lang)


def _declared(task: str | Task, lang: str) -> Task:
    if lang not in LANGUAGES:
        raise ValueError(f'unknown lang "{lang}", choose one of {", ".join(LANGUAGES)}')
    return task if isinstance(task, Task) else tasks.get(task)


def _read(task: Task, path: PathLike, limits: Limits, known: Collection[Any] | None) -> Reader:
    if task.files == "images":
        images = ImageReader(task, limits, known)
        images.read(path)
        images.decode()
        return images
    reader = RowReader(task, task.submission, limits)
    reader.read(path)
    return reader


def _gold(task: Task, path: PathLike, lang: str) -> Reader:
    reader: Reader
    if task.files == "images":
        reader = ImageReader(task, GOLD_LIMITS)
        rows = reader.read(path)
    else:
        reader = RowReader(task, task.gold, GOLD_LIMITS)
        rows = reader.read(path)
    if rows.count:
        raise GoldError(path, list(messages(rows.problems, rows.count, lang)))
    return reader


def _compare(reader: Reader, gold: Rows, pool: Collection[Any] | None) -> None:
    """Compare what could be read at all: of a file that is none, every id would be missing."""
    if reader.rows.values or not reader.rows.count:
        compare(reader, gold, pool)


def _report(reader: Reader, start: float, lang: str, **found: Any) -> Report:  # noqa: ANN401 - fields of a report
    """A report of what a reader read, and of what was found beyond that."""
    rows = reader.rows
    return Report(
        task=reader.task,
        ok=not rows.count,
        problems=tuple(rows.problems),
        problem_count=rows.count,
        rows=len(rows.values),
        seconds=time.perf_counter() - start,
        lang=lang,
        predictions={} if rows.count else rows.values,
        **found,
    )


def _warnings(rows: Rows, gold: Rows, lang: str) -> Iterator[str]:
    language = LANGUAGES.index(lang)
    values = iter(rows.values.values())
    first = next(values)
    if first is not None and len(rows.values) > 1 and all(value == first for value in values):
        yield WARNINGS["all_alike"][language].format(rows=len(rows.values))
    if rows.form != gold.form and rows.form is not None and gold.form is not None:
        found, known = (f"{form.id}, {form.value}" for form in (rows.form, gold.form))
        yield WARNINGS["other_names"][language].format(found=found, known=known)


def _pool(task: Task, pool: Pool | None) -> Collection[Any] | None:
    if pool is None:
        return None
    if not task.pool:
        raise TypeError(f'task "{task.name}" has no pool')
    if isinstance(pool, (str, os.PathLike)):
        from muge_fast.datasets import read_pool  # noqa: PLC0415 - few submissions come with one

        return read_pool(pool)
    return pool
