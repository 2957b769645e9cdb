"""Types of columns that hold the same values in SQLite and in PostgreSQL."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """A time in UTC: microseconds since 1970 in SQLite, which has no type for times; `timestamptz` in PostgreSQL."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of the column in a database."""
        plain: TypeEngine[Any] = BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True)
        return dialect.type_descriptor(plain)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        """Refuse a time without a zone, and convert others."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value} has no zone: pass a time in UTC")
        moment = value.astimezone(timezone.utc)
        return (moment - EPOCH) // MICROSECOND if dialect.name == "sqlite" else moment

    def process_result_value(self, value: int | datetime | None, dialect: Dialect) -> datetime | None:
        """Return a time in UTC."""
        del dialect
        if isinstance(value, int):
            return EPOCH + value * MICROSECOND
        return None if value is None else value.astimezone(timezone.utc)


class JsonText(TypeDecorator[object]):
    """A JSON value as text, always written the same way, so that its hash can be computed again."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:
        """Write a value; NaN and infinity are refused."""
        del dialect
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> object:
        """Read a value."""
        del dialect
        return None if value is None else json.loads(value)


def canonical_json(value: object) -> str:
    """Write a value as JSON with sorted keys, without spaces.

    Args:
        value: The value.

    Returns:
        The text.

    Raises:
        ValueError: The value has NaN or infinity.

    Example:
        >>> from muge_fast.leaderboard.store.column_types import canonical_json
        >>> canonical_json({"b": 1, "a": "红"})
        '{"a":"红","b":1}'

    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def json_hash(value: object) -> str:
    """Return the SHA-256 of a value, written by :func:`canonical_json`.

    Args:
        value: The value.

    Returns:
        64 hexadecimal digits.

    Raises:
        ValueError: The value has NaN or infinity.

    Example:
        >>> from muge_fast.leaderboard.store.column_types import json_hash
        >>> json_hash([])[:8]
        '4f53cda1'

    """
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
