"""Reading JSON Lines: the rows of a file, or every problem with its line number.

Nearly all files are valid. Rust reads those in one call; any other file is read again line by line, in Python, to
describe each problem. Both accept the same rows.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import IO, Any, NoReturn

from muge_fast import _core
from muge_fast._internal.checks import find_repeated
from muge_fast._internal.display import format_value
from muge_fast._internal.field_names import FieldNames
from muge_fast._internal.file_kinds import HEAD_BYTES
from muge_fast._internal.json_text import cut_deep, is_deeper, is_json_prefix, on_large_stack
from muge_fast._internal.paths import PathLike, is_regular, open_file
from muge_fast.datasets.extra_fields import count_extra, shown_names
from muge_fast.datasets.fields import Integer, IntegerList, Kind, RowFormat, Text, TextList
from muge_fast.datasets.input_file import InputFile
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.problems import Problem
from muge_fast.datasets.recognition import binary_problem, lines_problem
from muge_fast.datasets.rows import KEPT_BYTES, Reader, Rows

# A line that is not blank, from its first character that is not JSON's white space to its end.
LINE = re.compile(rb"[^ \t\r\n][^\n]*")

# Names in Rust of the kinds that it reads. Values that it accepts are valid whatever the options of the kind.
CORE_KINDS: dict[type, str] = {Integer: "integer", Text: "text", TextList: "texts", IntegerList: "ids"}

# Fields of a row that a message lists.
LISTED_FIELDS = 5
NO_FIELDS = ("no fields", "空")
# Problems of the file as a whole after which its lines are read all the same.
STILL_ROWS = {"wrong_role", "swapped"}


class RowReader(Reader):
    """A reader of JSON Lines.

    Args:
        row_format: Fields of a row.
        limits: Limits on the file and on the problems.
        counterpart: The gold file of a submission, or the submission of a gold file, to recognize swapped files: its
            path, or its first bytes.

    Example:
        >>> from muge_fast._internal.field_names import LABEL
        >>> from muge_fast.datasets.fields import RowFormat, Text
        >>> from muge_fast.datasets.limits import Limits
        >>> from muge_fast.datasets.row_reader import RowReader
        >>> reader = RowReader(RowFormat(names=(LABEL,), id=Text(), value=Text()), Limits())
        >>> reader.parse('{"image_id": "a", "label": "鞋"}'.encode()).values
        {'a': '鞋'}

    """

    def __init__(self, row_format: RowFormat, limits: Limits, counterpart: PathLike | bytes | None = None) -> None:
        super().__init__(row_format, limits)
        self._counterpart = counterpart
        self._decoder = _STRICT if row_format.strict else _LENIENT
        self._data = b""
        self._is_stopped = self._is_encoding_checked = False
        self._extra: dict[str, int] = {}
        # Line by id; for a file that Rust has read, counted when a line number is needed.
        self._lines: dict[Any, int] = {}
        self._cost = _core.DictCost()

    def parse(self, data: bytes) -> Rows:
        """Read the content of a file.

        Args:
            data: All bytes of the file.

        Returns:
            Its rows, or its problems.

        """
        converted = None if self.row_format.convert is None else self.row_format.convert(data)
        self._data = data = data if converted is None else converted
        if not self._parse_valid(data) and self._recognize():
            on_large_stack(self._parse_lines, self._data)
        self.rows.extra_fields = shown_names(self._extra)
        if not self.rows.values and not self.rows.problem_count:
            self.add_problem(Problem("empty"))
        return self.rows

    @property
    def data(self) -> bytes:
        """Content of the file, without a byte order mark; empty before it is read and after :meth:`forget_data`."""
        return self._data

    def _recognize(self) -> bool:
        """Add the problem of a file that is not in the format; return False if its lines need not be read."""
        problem = binary_problem(self._data)
        if problem is not None:
            self.add_problem(problem)
            if problem.code != "bom":
                return False
            self._data = self._data[3:]
        problem = lines_problem(self._data, self.row_format, self._counterpart)
        if problem is not None:
            self.add_problem(problem)
        return problem is None or problem.code in STILL_ROWS

    def line_of(self, key: object) -> int:
        """Return the line number of an id that is in the file.

        Args:
            key: The id.

        Returns:
            The number, from 1.

        """
        if not self._lines:
            # A file that Rust has read has one row in each line that is not blank.
            numbers = (number for number, _ in _numbered_lines(self._data))
            self._lines = dict(zip(self.rows.values, numbers, strict=True))
        return self._lines[key]

    def forget_data(self) -> None:
        """Free the content of a large file, where no problem needs its lines any more."""
        super().forget_data()
        if len(self._data) > KEPT_BYTES:
            self._data, self._lines = b"", {}

    # The file

    def _read(self, path: PathLike) -> None:
        with open_file(path, streams=True) as file:
            data = self._read_unchanged(file) if is_regular(file) else self._read_stream(file)
        if data is not None:
            self.source = InputFile(path, data)
            self.parse(data)

    def _read_stream(self, file: IO[bytes]) -> bytes | None:
        """Return all that comes from an open stream; add a problem and return None if it is too much."""
        data = file.read(self.file_bytes + 1)
        return data if self._check_size(len(data)) else None

    def _read_unchanged(self, file: IO[bytes]) -> bytes | None:
        """Return the content; add a problem and return None if it is too large or changes meanwhile."""
        before = os.fstat(file.fileno())
        if not self._check_size(before.st_size):
            return None
        data = file.read(before.st_size + 1)
        after = os.fstat(file.fileno())
        if len(data) != before.st_size or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
            self.add_problem(Problem("changed"))
            return None
        return data

    def _parse_valid(self, data: bytes) -> bool:
        """Read a file without problems in Rust; return False if it has any."""
        row_format = self.row_format
        first = LINE.search(data, 0, self.line_bytes)
        head = b"" if first is None else first[0]
        id_kind, value_kind = _core_kind(row_format.id), _core_kind(row_format.value)
        has_groups = any(b'"%b"' % name.encode() in data for name in row_format.group_fields)
        if id_kind is None or value_kind is None or has_groups:
            return False
        count = row_format.value.count if isinstance(row_format.value, IntegerList) else None
        for names in row_format.names:
            if b'"%b"' % names.id.encode() in head and b'"%b"' % names.value.encode() in head:
                fields = names.id, names.value, list(row_format.text_fields), _names_of_other_forms(row_format, names)
                limits = count, row_format.strict_lines, self.line_bytes
                try:
                    read = _core.read_strict_rows(data, *fields, id_kind, value_kind, *limits)
                except ValueError:
                    self.rows.names = names
                    self.add_problem(Problem("colliding_ids"))
                    return True
                if read is not None:
                    rows = self.rows
                    rows.names, (rows.values, rows.texts, extra, rows.extra_rows) = names, read
                    self._extra = dict(extra)
                return read is not None
        return False

    # Line by line

    def _parse_lines(self, data: bytes) -> None:
        strict_lines, previous = self.row_format.strict_lines, 0
        for number, match in _numbered_lines(data):
            size = match.end() - match.start()
            if strict_lines:
                self._add_blank_lines(previous + 1, number)
            previous = number
            if not self.remaining or self._is_stopped:
                return
            if strict_lines and _has_carriage_return(data, match):
                self.add_problem(Problem("carriage_return", number))
            elif size > self.line_bytes:
                self.add_problem(Problem("long_line", number, details={"size": size, "limit": self.line_bytes}))
            else:
                self._parse_line(number, match)
        if not self._cost.is_fast():
            self._refuse_ids()
        if strict_lines and previous:
            self._add_blank_lines(previous + 1, data.count(b"\n") + (not data.endswith(b"\n")) + 1)

    def _refuse_ids(self) -> None:
        """Add the problem of integers that make a dictionary slow, and stop."""
        self.add_problem(Problem("colliding_ids"), is_first=True)
        self._is_stopped = True
        self.rows.values, self.rows.texts = {}, {}

    def _add_blank_lines(self, start: int, end: int) -> None:
        for number in islice(range(start, end), self.remaining):
            self.add_problem(Problem("blank_line", number))

    def _parse_line(self, number: int, match: re.Match[bytes]) -> None:
        if is_deeper(match[0]):
            self.add_problem(Problem("too_deep", number))
            return
        try:
            row = self._decoder.decode(match[0].decode("utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            self._add_syntax_error(number, match, error)
        except RecursionError:
            self.add_problem(Problem("too_deep", number))
        except _NonStandardJsonError as error:
            self.add_problem(error.problem._replace(line=number))
        except ValueError as error:
            # Python limits the digits of an integer, because converting them takes quadratic time.
            details = {"position": 0, "reason": str(error).partition(";")[0]}
            self.add_problem(Problem("not_json", number, details=details))
        else:
            if isinstance(row, dict):
                self._take_row(number, row)
            else:
                self.add_problem(Problem("not_object", number, details={"actual": format_value(row)}))

    def _add_syntax_error(
        self, number: int, match: re.Match[bytes], error: UnicodeDecodeError | json.JSONDecodeError
    ) -> None:
        if match.end() == len(self._data) and match[0].startswith(b"{") and is_json_prefix(match[0]):
            self.add_problem(Problem("truncated", number))
        elif isinstance(error, json.JSONDecodeError):
            self.add_problem(Problem("not_json", number, details={"position": error.pos, "reason": error.msg}))
        elif encoding := self._encoding(match.start()):
            self.add_problem(Problem(encoding), is_first=True)
            self._is_stopped = True
            self.rows.values, self.rows.texts = {}, {}
        else:
            self.add_problem(Problem("not_utf8", number, details={"position": error.start}))

    def _encoding(self, position: int) -> str | None:
        """Return the code of the encoding of the file, from the lines around the first that is not UTF-8."""
        if self._is_encoding_checked:
            return None
        self._is_encoding_checked = True
        from muge_fast._internal.text_encodings import encoding_kind  # noqa: PLC0415 - few files are not UTF-8

        # The lines before have no letters that differ from ASCII, or they are UTF-8.
        start = self._data.find(b"\n", max(0, position - HEAD_BYTES // 2), position) + 1
        return encoding_kind(self._data[start : position + HEAD_BYTES // 2])

    def _take_row(self, number: int, row: dict[str, Any]) -> None:
        names = self._choose_names(number, row)
        if names is None:
            return
        key = row.get(names.id)
        problems = list(self._field_problems(names, row))
        is_id = names.id in row and not any(self.row_format.id.problems(key))
        for problem in problems:
            self.add_problem(problem._replace(line=number, id_field=names.id, id=key if is_id else None))
        if is_id:
            self._keep_row(number, names, key, row, is_valid=not problems)

    def _choose_names(self, number: int, row: dict[str, Any]) -> FieldNames | None:
        """Return the names of the first row, or None and a problem if this row uses other or several names."""
        partial = [names for names in self.row_format.names if names.id in row or names.value in row]
        complete = [names for names in partial if names.id in row and names.value in row]
        names = (complete or partial or [self.row_format.names[0]])[0]
        if self.rows.names is None and partial:
            self.rows.names = names
        if self.row_format.strict and len(partial) > 1:
            forms = [name for form in partial for name in (form.id, form.value) if name in row]
            details = {"actual": ", ".join(forms), "expected": str(self.rows.names)}
            self.add_problem(Problem("mixed_names", number, details=details))
            return None
        expected = self.rows.names or names
        if partial and expected != names and expected not in partial:
            actual = ", ".join(map(format_value, islice(row, LISTED_FIELDS)))
            self.add_problem(Problem("other_form", number, details={"actual": actual, "expected": str(expected)}))
            return None
        return expected

    def _field_problems(self, names: FieldNames, row: dict[str, Any]) -> Iterator[Problem]:
        """Yield the problems of the fields of a row, without its line and id."""
        row_format, most = self.row_format, self.limits.max_per_value
        optional = (*row_format.text_fields, *row_format.group_fields)
        allowed = (names.id, names.value, *optional)
        extra = [name for name in row if name not in allowed]
        self.rows.extra_rows += bool(extra)
        count_extra(self._extra, extra)
        for name, kind in ((names.id, row_format.id), (names.value, row_format.value)):
            if name in row:
                for code, details in islice(kind.problems(row[name]), most):
                    yield Problem(code, field=name, details=details)
            else:
                actual = ", ".join(map(format_value, islice(row, LISTED_FIELDS))) or NO_FIELDS
                yield Problem("missing_field", field=name, details={"actual": actual, "hint": "row_has"})
        if row_format.strict:
            for name in optional:
                if not isinstance(row.get(name, ""), str):
                    actual = format_value(row[name])
                    yield Problem("wrong_type", field=name, details={"actual": actual, "expected": "a string"})

    def _keep_row(self, number: int, names: FieldNames, key: object, row: dict[str, Any], *, is_valid: bool) -> None:
        rows = self.rows
        # The integers of the format have at most 64 bits.
        if type(key) is int and not self._cost.add(key):
            self._refuse_ids()
            return
        if key in self._lines:
            code = "repeated_id" if rows.values.get(key) == row.get(names.value) else "conflicting_id"
            self.add_problem(Problem(code, number, names.id, key, names.id, {"first": self._lines[key]}))
            return
        self._lines[key] = number
        value = row.get(names.value)
        rows.values[key] = value if is_valid else cut_deep(value)
        if is_valid:
            for name in self.row_format.text_fields:
                if name in row:
                    rows.texts[key] = row[name]
                    break
            for name in self.row_format.group_fields:
                if name in row:
                    rows.groups_by_field.setdefault(name, {})[key] = row[name]


def _core_kind(kind: Kind) -> str | None:
    """Return the name of a kind in Rust; None for a kind of another package."""
    return CORE_KINDS.get(type(kind))


def _names_of_other_forms(row_format: RowFormat, names: FieldNames) -> list[str]:
    """Return the names that a row must not have in addition to those of its form."""
    if not row_format.strict:
        return []
    others = {name for form in row_format.names for name in (form.id, form.value)}
    return sorted(others - {names.id, names.value, *row_format.text_fields})


def _numbered_lines(data: bytes) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Yield the lines that are not blank, with their numbers from 1."""
    number, counted = 1, 0
    for match in LINE.finditer(data):
        number += data.count(b"\n", counted, match.start())
        counted = match.start()
        yield number, match


def _has_carriage_return(data: bytes, match: re.Match[bytes]) -> bool:
    """Return whether a line has a carriage return elsewhere than at its end."""
    line = data[data.rfind(b"\n", 0, match.start()) + 1 : match.end()]
    return b"\r" in line.removesuffix(b"\r")


class _NonStandardJsonError(Exception):
    """JSON that Python accepts although the standard does not."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def _reject_constant(value: str) -> NoReturn:
    raise _NonStandardJsonError(Problem("nan", details={"value": value}))


def _reject_repeated_fields(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = find_repeated(names)
        assert repeated is not None  # noqa: S101 - there are more names than different ones
        raise _NonStandardJsonError(Problem("repeated_field", field=format_value(names[repeated])))
    return row


_STRICT = json.JSONDecoder(parse_constant=_reject_constant, object_pairs_hook=_reject_repeated_fields)
_LENIENT = json.JSONDecoder()
