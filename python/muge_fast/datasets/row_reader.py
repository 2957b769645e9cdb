"""Reading a file of rows: either all of it is right, or everything that is wrong with it is told."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, NoReturn

from muge_fast import _core
from muge_fast._internal.checks import find_repeated
from muge_fast._internal.display import format_value
from muge_fast._internal.paths import file_type_problem, magic_bytes_problem
from muge_fast.datasets.problems import Problem
from muge_fast.tasks.task import Form, Kind, Task

# A line with anything but white space of JSON, from there to its end.
LINE = re.compile(rb"[^ \t\r\n][^\n]*")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of a file is looked at.

    Attributes:
        file_bytes: The largest file, in bytes; None for 128 MiB, or 16 GiB of a file of images.
        line_bytes: The longest line; None for 1 MiB, or 64 MiB in a file of images.
        pixels: The largest image that is decoded, width times height.
        listed: How many problems are kept; the rest is counted.
        counted: After so many problems nothing more is read.
        for_each: How many problems of one value are told.

    Example:
        >>> import muge_fast as mf
        >>> mf.Limits(file_bytes=1 << 20).listed
        100

    """

    file_bytes: int | None = None
    line_bytes: int | None = None
    pixels: int = 1 << 22
    listed: int = 100
    counted: int = 10_000
    for_each: int = 10


@dataclass
class Rows:
    """What a file holds.

    Attributes:
        values: The value of each id, in the order of the file.
        texts: What the first optional field says, by id.
        form: The names of the fields.
        lines: The line of each id, if the file was read line by line.
        problems: The first problems.
        count: The number of all problems.

    """

    values: dict[Any, Any] = field(default_factory=dict)
    texts: dict[Any, str] = field(default_factory=dict)
    form: Form | None = None
    lines: dict[Any, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    count: int = 0


class Reader:
    """Reads one side of a task, and tells what is wrong with it.

    Args:
        task: The task.
        limits: How much is looked at.

    """

    FILE_BYTES, LINE_BYTES = 1 << 27, 1 << 20

    def __init__(self, task: Task, limits: Limits) -> None:
        self.task, self.limits = task, limits
        self.file_bytes = self.FILE_BYTES if limits.file_bytes is None else limits.file_bytes
        self.line_bytes = self.LINE_BYTES if limits.line_bytes is None else limits.line_bytes
        self.rows = Rows()

    def tell(self, problem: Problem) -> None:
        """Add a problem."""
        self.rows.count += 1
        if len(self.rows.problems) < self.limits.listed:
            self.rows.problems.append(problem)

    def left(self) -> int:
        """How many problems may be told until there are so many that nothing more is looked at."""
        return max(0, self.limits.counted - self.rows.count)

    def find_lines(self) -> None:
        """Know the line of each id."""

    def values_of(self, ids: Iterable[Any]) -> Mapping[Any, Any]:
        """Give the values of some ids, all of which are there, in a form to be scored."""
        return {key: self.rows.values[key] for key in ids}

    def _is_file(self, path: str | os.PathLike[str]) -> bool:
        """Tell of a path that is none."""
        code = file_type_problem(Path(path).stat().st_mode)
        if code is not None:
            self.tell(Problem(code))
        return code is None

    def _is_small(self, size: int) -> bool:
        """Tell of a file that is too large."""
        if size > self.file_bytes:
            self.tell(Problem("too_large", details={"size": size, "limit": self.file_bytes}))
        return size <= self.file_bytes


class RowReader(Reader):
    """Reads a file of JSON lines.

    Args:
        task: The task.
        kind: What a value is on this side.
        limits: How much is looked at.

    """

    def __init__(self, task: Task, kind: Kind, limits: Limits) -> None:
        super().__init__(task, limits)
        self.kind = kind
        self._data = b""

    def read(self, path: str | os.PathLike[str]) -> Rows:
        """Read a file.

        Raises:
            OSError: There is no such file, or it may not be read.

        """
        data = self._bytes(path)
        if data is not None:
            self._data = data
            if self.rows.count or not self._read_quickly():
                self._read_lines(data)
            if not self.rows.values and not self.rows.count:
                self.tell(Problem("empty"))
        return self.rows

    def find_lines(self) -> None:
        """Know the line of each id."""
        if not self.rows.lines:
            self.rows = Rows()
            self._read_lines(self._data)

    # The file

    def _bytes(self, path: str | os.PathLike[str]) -> bytes | None:
        if not self._is_file(path):
            return None
        with Path(path).open("rb") as file:
            return self._whole(file)

    def _whole(self, file: IO[bytes]) -> bytes | None:
        before = os.fstat(file.fileno())
        if not self._is_small(before.st_size):
            return None
        data = file.read(before.st_size + 1)
        after = os.fstat(file.fileno())
        if len(data) != before.st_size or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            self.tell(Problem("changed"))
            return None
        code = magic_bytes_problem(data[:4])
        if code is None:
            return data
        self.tell(Problem(code))
        return data[3:] if code == "bom" else None

    def _read_quickly(self) -> bool:
        """Read a file in which nothing is wrong; False leaves it to be read line by line."""
        head = self._data[: self.line_bytes].partition(b"\n")[0]
        for form in self.task.forms:
            if b'"%b"' % form.id.encode() in head and b'"%b"' % form.value.encode() in head:
                kinds = self.task.id.quick, self.kind.quick, self.kind.count
                names = form.id, form.value, list(self.task.optional)
                found = _core.read_strict_rows(self._data, *names, *kinds, self.line_bytes)
                if found is not None:
                    self.rows.form, (self.rows.values, self.rows.texts) = form, found
                return found is not None
        return False

    # Line by line

    def _read_lines(self, data: bytes) -> None:
        number, counted = 1, 0
        for match in LINE.finditer(data):
            number += data.count(b"\n", counted, match.start())
            counted = match.start()
            size = match.end() - match.start()
            if self.rows.count >= self.limits.counted:
                return
            if size > self.line_bytes:
                self.tell(Problem("long_line", number, details={"size": size, "limit": self.line_bytes}))
            else:
                self._line(number, match[0], is_last=match.end() == len(data))

    def _line(self, number: int, line: bytes, *, is_last: bool) -> None:
        try:
            row = _STRICT.decode(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            self.tell(Problem("not_utf8", number, details={"place": error.start}))
        except json.JSONDecodeError as error:
            if is_last and error.pos >= len(error.doc.rstrip()) - 1 and line.lstrip()[:1] == b"{":
                self.tell(Problem("truncated", number))
            else:
                self.tell(Problem("not_json", number, details={"place": error.pos, "reason": error.msg}))
        except RecursionError:
            self.tell(Problem("too_deep", number))
        except _Odd as odd:
            self.tell(odd.problem._replace(line=number))
        except ValueError as error:
            # An integer of too many digits.
            self.tell(Problem("not_json", number, details={"place": 0, "reason": str(error).partition(";")[0]}))
        else:
            if isinstance(row, dict):
                self._row(number, row)
            else:
                self.tell(Problem("not_object", number, details={"found": format_value(row)}))

    def _row(self, number: int, row: dict[str, Any]) -> None:
        form = self._form(number, row)
        if form is None:
            return
        key = row.get(form.id)
        wrong = list(self._wrong(form, row))
        is_id = form.id in row and not any(self.task.id.problems(key))
        for problem in wrong:
            self.tell(problem._replace(line=number, id_field=form.id, id=key if is_id else None))
        if is_id:
            self._keep(number, form, key, row, is_right=not wrong)

    def _wrong(self, form: Form, row: dict[str, Any]) -> Iterator[Problem]:
        """What is wrong with the fields of a row, without where it is."""
        names = (form.id, form.value, *self.task.optional)
        known, most = ", ".join(names), self.limits.for_each
        for name in islice((name for name in row if name not in names), most):
            yield Problem("unknown_field", field=format_value(name), details={"known": known})
        for name, kind in ((form.id, self.task.id), (form.value, self.kind)):
            if name not in row:
                yield Problem("missing_field", field=name)
                continue
            for code, details in islice(kind.problems(row[name]), most):
                yield Problem(code, field=name, details=details)
        for name in self.task.optional:
            if not isinstance(row.get(name, ""), str):
                yield Problem("wrong_type", field=name, details={"found": format_value(row[name]), "needed": "string"})

    def _keep(self, number: int, form: Form, key: object, row: dict[str, Any], *, is_right: bool) -> None:
        rows = self.rows
        if key in rows.lines:
            code = "repeated_id" if rows.values.get(key) == row.get(form.value) else "conflicting_id"
            self.tell(Problem(code, number, form.id, key, form.id, {"first": rows.lines[key]}))
            return
        rows.lines[key] = number
        rows.values[key] = row.get(form.value)
        if is_right:
            for name in self.task.optional:
                if name in row:
                    rows.texts[key] = row[name]
                    break

    def _form(self, number: int, row: dict[str, Any]) -> Form | None:
        """The names of the fields: those of the first line, which each other line must have."""
        fits = [form for form in self.task.forms if form.id in row or form.value in row]
        whole = [form for form in fits if form.id in row and form.value in row]
        form = (whole or fits or [self.task.forms[0]])[0]
        if self.rows.form is None and fits:
            self.rows.form = form
        first = self.rows.form or form
        if fits and first != form and first not in fits:
            known, found = f"{first.id}, {first.value}", ", ".join(map(format_value, list(row)[:5]))
            self.tell(Problem("other_form", number, details={"found": found, "known": known}))
            return None
        return first


def compare(reader: Reader, gold: Rows, pool: Collection[Any] | None) -> None:
    """Tell what does not fit between a submission and its gold file, and the pool of items."""
    if gold.values.keys() != reader.rows.values.keys():
        reader.find_lines()
        rows, form = reader.rows, reader.rows.form or reader.task.forms[0]
        unknown = (key for key in rows.values if key not in gold.values)
        for key in islice(unknown, reader.left()):
            reader.tell(Problem("unknown_id", rows.lines[key], form.id, key, form.id))
        missing = (key for key in gold.values if key not in rows.values)
        for key in islice(missing, reader.left()):
            reader.tell(Problem("missing_id", None, form.id, key, form.id))
    if pool is not None:
        outside(reader, frozenset(pool))


def outside(reader: Reader, pool: frozenset[Any]) -> None:
    """Tell which items are not in the pool."""
    if pool.issuperset(chain.from_iterable(filter(_is_list, reader.rows.values.values()))):
        return
    reader.find_lines()
    form = reader.rows.form or reader.task.forms[0]
    for key, values in reader.rows.values.items():
        if not reader.left():
            return
        # What is no list, or holds what is no id, was told before.
        strangers = (value for value in values if type(value) is int and value not in pool) if _is_list(values) else ()
        for value in islice(strangers, reader.limits.for_each):
            line = reader.rows.lines[key]
            reader.tell(Problem("not_in_pool", line, form.id, key, form.value, {"value": value}))


def _is_list(value: object) -> bool:
    return isinstance(value, list) and set(map(type, value)) <= {int}


class _Odd(Exception):  # noqa: N818 - not an error of the caller
    """JSON that Python reads and others do not."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def _refuse_constant(value: str) -> NoReturn:
    raise _Odd(Problem("nan", details={"value": value}))


def _unique(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        again = find_repeated(names)
        assert again is not None  # noqa: S101 - there are more names than different ones
        raise _Odd(Problem("repeated_field", field=format_value(names[again])))
    return row


_STRICT = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_unique)


def messages(problems: list[Problem], count: int, lang: str) -> Iterator[str]:
    """Tell problems in a language, and how many more there are."""
    for problem in problems:
        yield problem.message(lang)
    if count > len(problems):
        more = count - len(problems)
        yield f"and {more} more problems" if lang == "en" else f"另有 {more} 个问题"
