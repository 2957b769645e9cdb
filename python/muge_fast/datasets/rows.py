"""Rows of a file with its problems, and the base class of readers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from operator import eq
from typing import Any

from muge_fast._internal.field_names import FieldNames
from muge_fast._internal.paths import FileTypeError, PathLike
from muge_fast.datasets.fields import RowFormat
from muge_fast.datasets.input_file import InputFile
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.problem_groups import ProblemGroups
from muge_fast.datasets.problems import Problem

# Hashing a larger file, which is done before it is freed, takes little of the time that its rows take.
KEPT_BYTES = 8 << 20


@dataclass
class Rows:
    """Content and problems of a file.

    Attributes:
        values: Value of each id, in the order of the file.
        texts: Text for human readers by id, from the first of the format's ``text_fields`` that the row has.
        groups_by_field: Group of each id by name of the field, for the format's ``group_fields`` that rows have.
        names: Names of the fields; None if no row could be read.
        extra_fields: Number of rows for each field that is not used; see :mod:`muge_fast.datasets.extra_fields`.
        extra_rows: Number of rows with any such field.
        problems: The first problems, at most ``Limits.max_reported``.
        problem_count: Number of all problems found.
        groups: All problems by kind.

    """

    values: dict[Any, Any] = field(default_factory=dict)
    texts: dict[Any, str] = field(default_factory=dict)
    groups_by_field: dict[str, dict[Any, str]] = field(default_factory=dict)
    names: FieldNames | None = None
    extra_fields: dict[str, int] = field(default_factory=dict)
    extra_rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    groups: ProblemGroups = field(default_factory=ProblemGroups)


class Reader(ABC):
    """A reader of a file of rows that collects problems instead of raising.

    Args:
        row_format: Fields of a row.
        limits: Limits on the file and on the problems.

    """

    FILE_BYTES, LINE_BYTES = 1 << 27, 1 << 20

    def __init__(self, row_format: RowFormat, limits: Limits) -> None:
        self.row_format, self.limits = row_format, limits
        self.file_bytes = self.FILE_BYTES if limits.file_bytes is None else limits.file_bytes
        self.line_bytes = self.LINE_BYTES if limits.line_bytes is None else limits.line_bytes
        self.rows = Rows()
        # The file that was read, for reports; None if it could not be read.
        self.source: InputFile | None = None

    @property
    def names(self) -> FieldNames:
        """Names of the fields of the file, or the default ones if no row could be read."""
        return self.rows.names or self.row_format.names[0]

    @property
    def remaining(self) -> int:
        """Number of problems that may still be added before reading stops."""
        return max(0, self.limits.stop_after - self.rows.problem_count)

    def add_problem(self, problem: Problem, *, is_first: bool = False) -> None:
        """Count a problem, and list it unless the list is full.

        Args:
            problem: The problem.
            is_first: Whether it comes before all others, because it explains them.

        """
        rows = self.rows
        rows.problem_count += 1
        rows.groups.add(problem, is_first=is_first)
        if is_first:
            rows.problems.insert(0, problem)
            del rows.problems[self.limits.max_reported :]
        elif len(rows.problems) < self.limits.max_reported:
            rows.problems.append(problem)
        if rows.problem_count == self.limits.stop_after:
            rows.groups.add(Problem("stopped", details={"count": rows.problem_count}))

    def read(self, path: PathLike) -> Rows:
        """Read a file.

        Args:
            path: The file.

        Returns:
            Its rows, or its problems.

        Raises:
            OSError: The file does not exist or cannot be read.

        """
        try:
            self._read(path)
        except FileTypeError as error:
            self.add_problem(Problem(error.code))
        return self.rows

    @abstractmethod
    def _read(self, path: PathLike) -> None:
        """Read a regular file, or a stream that is open already; raise ``FileTypeError`` for another path."""

    @abstractmethod
    def line_of(self, key: object) -> int:
        """Return the line number of an id that is in the file.

        Args:
            key: The id.

        Returns:
            The number, from 1.

        """

    def values_for(self, ids: Collection[Any]) -> Mapping[Any, Any]:
        """Return the values of ids that are in the file, for scoring.

        Args:
            ids: The ids.

        Returns:
            A mapping of these ids, in their order: that of the rows itself, if it is the same. Do not modify it.

        """
        values = self.rows.values
        if len(ids) == len(values) and all(map(eq, ids, values)):
            return values
        return {key: values[key] for key in ids}

    def forget_data(self) -> None:
        """Free the content of a large file that is in memory, where no problem needs its lines any more."""
        if self.source is not None and self.source.size > KEPT_BYTES:
            self.source.forget_data()

    def was_changed(self) -> bool:
        """Return whether the file was changed or removed since it was opened.

        Returns:
            False for a file that is in memory.

        """
        return self.source is not None and not self.source.is_unchanged()

    def _check_size(self, size: int) -> bool:
        """Add a problem and return False if the file is too large."""
        if size > self.file_bytes:
            self.add_problem(Problem("too_large", details={"size": size, "limit": self.file_bytes}))
        return size <= self.file_bytes
