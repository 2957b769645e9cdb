"""Typed access to a table of TOML that notes every problem with its key, and finds keys that are unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timezone, tzinfo
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from muge_fast._internal.checks import find_repeated, suggest
from muge_fast._internal.display import format_argument, format_id
from muge_fast.leaderboard.rules.calendar_months import FIRST_YEAR, LAST_YEAR

SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
MOST = 10**9

Value = TypeVar("Value")

# Names that people in China write for their zone.
ZONE_NAMES = {"asia/beijing": "Asia/Shanghai", "beijing": "Asia/Shanghai", "shanghai": "Asia/Shanghai"}
ZONE_NAMES |= {"utc+8": "Asia/Shanghai", "gmt+8": "Asia/Shanghai", "+08:00": "Asia/Shanghai", "cst": "Asia/Shanghai"}


class Table:
    """A table of TOML. A method that reads a key notes a problem and returns a stand-in where the value cannot be used.

    Args:
        name: Name of the table with dots, for problems; empty for the whole file.
        data: Its keys and values.
        problems: List that problems are added to.

    Example:
        >>> from muge_fast.leaderboard.rules.settings_table import Table
        >>> problems = []
        >>> table = Table("limits", {"valid_per_day": -1, "valid_pr_month": 9}, problems)
        >>> table.whole("valid_per_day", 5)
        5
        >>> table.finish()
        >>> problems[0]
        'limits.valid_per_day: must be at least 0, got -1'
        >>> problems[1]
        "limits.valid_pr_month: unknown key: remove it, or choose from valid_per_day; did you mean 'valid_per_day'?"

    """

    def __init__(self, name: str, data: Mapping[str, object], problems: list[str]) -> None:
        self.name = name
        self.data = data
        self.problems = problems
        self.known: list[str] = []

    def problem(self, key: str, text: str) -> None:
        """Note a problem of a key.

        Args:
            key: The key.
            text: What is wrong and what to do.

        """
        path = [format_id(part) for part in (self.name, key) if part]
        self.problems.append(f"{'.'.join(path)}: {text}")

    def finish(self) -> None:
        """Note the keys that no method has read."""
        for key in self.data:
            if key not in self.known:
                hint = f"remove it, or choose from {', '.join(self.known)}{suggest(key, self.known)}"
                self.problem(key, f"unknown key: {hint}")

    def text(self, key: str, default: str) -> str:
        """Return a string.

        Args:
            key: The key.
            default: Value without the key.

        Returns:
            The string.

        """
        value = self._get(key, default)
        return value if isinstance(value, str) else self._wrong(key, value, 'text in quotes, such as "MUGE"', default)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a boolean.

        Args:
            key: The key.
            default: Value without the key.

        Returns:
            The boolean.

        """
        value = self._get(key, default)
        return value if isinstance(value, bool) else self._wrong(key, value, "true or false, without quotes", default)

    def whole(self, key: str, default: int, *, least: int = 0, most: int = MOST) -> int:
        """Return an integer.

        Args:
            key: The key.
            default: Value without the key.
            least: Smallest allowed value.
            most: Largest allowed value.

        Returns:
            The integer.

        """
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            return self._wrong(key, value, "a whole number, without quotes", default)
        if not least <= value <= most:
            bound = f"at least {least}" if value < least else f"at most {most}"
            self.problem(key, f"must be {bound}, got {format_argument(value)}")
            return default
        return value

    def wholes(self, keys: Iterable[str]) -> dict[str, int]:
        """Return the integers of those keys that are there.

        Args:
            keys: The keys.

        Returns:
            The integers by key, at least 0.

        """
        keys = list(keys)
        self.known += keys
        return {key: self.whole(key, 0) for key in keys if key in self.data}

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """Return one of several names.

        Args:
            key: The key.
            choices: The names; the first is the value without the key.

        Returns:
            The name.

        """
        value = self.text(key, choices[0])
        if value not in choices:
            hint = f"choose one of {', '.join(choices)}{suggest(value, choices)}"
            self.problem(key, f"{format_argument(value)} is unknown: {hint}")
        return value

    def choices(self, key: str, choices: tuple[str, ...]) -> tuple[str, ...]:
        """Return a list of different names, at least one; all of them without the key.

        Args:
            key: The key.
            choices: The names.

        Returns:
            The names that are chosen.

        """
        value = self._get(key, list(choices))
        form = f"a list of names from {', '.join(choices)}, such as {key} = {list(choices)}".replace("'", '"')
        if not isinstance(value, list) or not value or any(element not in choices for element in value):
            return self._wrong(key, value, form, choices)
        repeated = find_repeated(value)
        if repeated is not None:
            self.problem(key, f"has {format_argument(value[repeated])} twice: remove one")
        return tuple(value)

    def zone(self, key: str, default: str) -> ZoneInfo | None:
        """Return a time zone.

        Args:
            key: The key.
            default: Name of the zone without the key.

        Returns:
            The zone; None after a problem.

        """
        name = self.text(key, default)
        try:
            return ZoneInfo(name)
        except (OSError, ValueError, KeyError):  # a folder, a path, an unknown name
            pass
        known = available_timezones()
        if not known:
            self.problem(key, "this system has no time zones: pip install tzdata")
            return None
        meant = ZONE_NAMES.get(name.casefold().replace(" ", ""))
        hint = f"; did you mean {meant!r}?" if meant else suggest(name, known)
        self.problem(key, f"there is no zone {format_argument(name)}{hint or f': write a name such as {default}'}")
        return None

    def moment(self, key: str, zone: tzinfo) -> datetime | None:
        """Return a moment; a date stands for its midnight, and a time without an offset is in the board's zone.

        Args:
            key: The key.
            zone: The board's zone.

        Returns:
            The moment in UTC; None without the key.

        """
        value = self._get(key, None)
        if value is None:
            return None
        if not isinstance(value, date) or not FIRST_YEAR <= value.year <= LAST_YEAR:
            form = "a date and time without quotes, such as 2026-12-01T00:00:00+08:00"
            return self._wrong(key, value, form, None)
        if not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day, tzinfo=zone)
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(timezone.utc)

    def path(self, key: str, folder: Path) -> Path:
        """Return a path of a file within a folder.

        Args:
            key: The key, which must be there.
            folder: The folder.

        Returns:
            The path, which begins with the folder.

        """
        value = self.text(key, "")
        if key not in self.data:
            self.problem(
                key, f'missing: add the path of the file, relative to the folder, such as {key} = "gold/a.jsonl"'
            )
        elif not value.strip() or "\0" in value:
            self.problem(key, "is not a path: write one that is relative to the folder")
        elif PurePosixPath(value).is_absolute() or PureWindowsPath(value).drive or ".." in re.split(r"[/\\]", value):
            # A board is moved and backed up as a folder.
            hint = "write a path relative to it, and copy or link the file there"
            self.problem(key, f"{format_argument(value)} is not inside the folder: {hint}")
        return folder / value

    def table(self, key: str) -> Table:
        """Return a table inside this one; an empty one without the key.

        Args:
            key: The key.

        Returns:
            The table.

        """
        value = self._get(key, {})
        if not isinstance(value, dict):
            value = self._wrong(key, value, f"a table: write [{self._path(key)}] above its keys", {})
        return Table(self._path(key), value, self.problems)

    def tables(self, key: str) -> dict[str, Table]:
        """Return the tables inside a table.

        Args:
            key: The key of the outer table.

        Returns:
            The inner tables by their names.

        """
        outer = self.table(key)
        return {name: outer.table(name) for name in outer.data}

    def values(self, key: str) -> dict[str, object]:
        """Return a table as it is.

        Args:
            key: The key.

        Returns:
            Its keys and values, unchecked.

        """
        return dict(self.table(key).data)

    def slug(self, name: str) -> str:
        """Return the last part of this table's name, which is part of addresses.

        Args:
            name: The part.

        Returns:
            The part.

        """
        if not SLUG.fullmatch(name):
            self.problem("", "is not a name for addresses: use small letters of ASCII, digits and hyphens, 40 at most")
        return name

    def _get(self, key: str, default: object) -> object:
        self.known.append(key)
        return self.data.get(key, default)

    def _path(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key

    def _wrong(self, key: str, value: object, form: str, default: Value) -> Value:
        self.problem(key, f"must be {form}, got {format_argument(value)}")
        return default
