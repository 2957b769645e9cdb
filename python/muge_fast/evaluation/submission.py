"""Reading a submission and its gold file."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from muge_fast._internal.display import format_path
from muge_fast._internal.paths import PathLike, check_file
from muge_fast.datasets.image_reader import ImageReader
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.problem_groups import format_groups
from muge_fast.datasets.problems import Problem
from muge_fast.datasets.row_reader import RowReader
from muge_fast.datasets.rows import Reader
from muge_fast.datasets.texts import read_pool
from muge_fast.tasks.task import Task

Pool = PathLike | Collection[Any]
"""Ids of the items that may be retrieved, or the path of a file for :func:`muge_fast.datasets.read_pool`."""

# The gold file is trusted, so these only stop a file that cannot be one.
GOLD_BYTES = 1 << 40
GOLD_LIMITS = Limits(file_bytes=GOLD_BYTES, line_bytes=1 << 30)


class GoldError(ValueError):
    """An error in the gold file, which the organizer of a leaderboard has to fix.

    Attributes:
        path: Path of the gold file.
        errors: Messages of its problems, one line each.

    Example:
        >>> import muge_fast as mf
        >>> error = mf.GoldError("IC_valid.jsonl", ["line 3: field text is missing", "line 9: field text is missing"])
        >>> str(error)
        'gold file IC_valid.jsonl: line 3: field text is missing (and 1 more error)'

    """

    def __init__(self, path: PathLike, errors: list[str]) -> None:
        more = len(errors) - 1
        suffix = f" (and {more} more error{'s' if more > 1 else ''})" if more else ""
        super().__init__(f"gold file {format_path(path)}: {errors[0]}{suffix}")
        self.path = os.fspath(path)
        self.errors = errors

    def message(self, *, lang: str = "en") -> str:
        """Return the path and the first problem in a language.

        Args:
            lang: ``"en"`` or ``"zh"``; the problem itself is in the language of the call that raised the error.

        Returns:
            One line of text.

        Example:
            >>> import muge_fast as mf
            >>> mf.GoldError("IC_valid.jsonl", ["第 3 行：缺少字段 text"]).message(lang="zh")
            '标准答案文件 IC_valid.jsonl：第 3 行：缺少字段 text'

        """
        if lang == "en":
            return str(self)
        more = len(self.errors) - 1
        return f"标准答案文件 {self.path}：{self.errors[0]}" + (f"（另有 {more} 个错误）" if more else "")

    def __reduce__(self) -> tuple[type[GoldError], tuple[str, list[str]]]:
        # By default an exception is unpickled from its message alone. That would fail here, and a process pool would
        # wait forever for the result.
        return type(self), (self.path, self.errors)


def check_files(
    submission: PathLike, *, gold: PathLike | None = None, pool: Pool | None = None, texts: object = None
) -> None:
    """Raise if one of the files is missing or a directory, before any of them is read.

    Args:
        submission: The submission.
        gold: The gold file, if there is one.
        pool: The pool; checked if it is a path.
        texts: The texts of images; checked if they are a path.

    Raises:
        OSError: A file does not exist or is a directory; the message says which one.

    """
    files = {"gold file": gold, "submission": submission, "pool": pool, "file of texts": texts}
    for name, path in files.items():
        if isinstance(path, (str, os.PathLike)):
            check_file(path, name)


def read_submission(
    task: Task, path: PathLike, limits: Limits, gold_ids: Collection[Any] | None, gold: PathLike | bytes | None = None
) -> Reader:
    """Read a submission, and decode its images if it has any.

    Args:
        task: The task.
        path: The submission.
        limits: Limits on the file and on the problems.
        gold_ids: Ids of the gold file: other images are not decoded; None for all.
        gold: The gold file, or its first bytes, to recognize swapped files.

    Returns:
        A reader with rows, or problems.

    Raises:
        OSError: The file does not exist or cannot be read.

    """
    if task.file_type == "images":
        images = ImageReader(task.submission_format, limits, gold_ids)
        try:
            images.read(path)
            images.decode()
        except (OSError, ValueError):
            if not images.was_changed():
                raise
        if images.was_changed():
            images.add_problem(Problem("changed"), is_first=True)
        return images
    rows = RowReader(task.submission_format, limits, gold)
    rows.read(path)
    return rows


def read_gold(task: Task, path: PathLike, lang: str, submission: PathLike | None = None) -> Reader:
    """Read a gold file; its images are not decoded yet.

    Args:
        task: The task.
        path: The gold file.
        lang: Language of messages.
        submission: The submission, to recognize swapped files.

    Returns:
        A reader with rows.

    Raises:
        OSError: The file does not exist or cannot be read.
        GoldError: The file has problems.

    """
    reader: Reader
    if task.file_type == "images":
        reader = ImageReader(task.gold_format, GOLD_LIMITS, is_trusted=True)
    else:
        reader = RowReader(task.gold_format, GOLD_LIMITS, submission)
    rows = reader.read(path)
    if rows.problem_count:
        raise GoldError(path, format_groups(rows.groups, lang))
    return reader


def load_pool(task: Task, pool: Pool | None) -> Collection[Any] | None:
    """Return the ids of a pool.

    Args:
        task: The task.
        pool: The ids, the path of a file, or None.

    Returns:
        The ids; None without a pool.

    Raises:
        TypeError: The task has no pool.
        OSError: The file cannot be read.
        ValueError: A line of the file is not an id; the message begins with "pool".

    """
    if pool is None:
        return None
    if not task.has_pool:
        raise TypeError(f"task {task.name!r} has no pool")
    if not isinstance(pool, (str, os.PathLike)):
        return pool
    try:
        return read_pool(pool)
    except ValueError as error:
        raise ValueError(f"pool {error}") from error
