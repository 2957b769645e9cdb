"""Comparing the ids of a submission with those of a gold file, and its items with a pool."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain, islice

from muge_fast._internal.display import format_id
from muge_fast.datasets.fields import INT64
from muge_fast.datasets.problems import LANGUAGES, WARNINGS, Problem
from muge_fast.datasets.rows import Reader, Rows


def compare_with_gold(reader: Reader, gold: Rows) -> None:
    """Add a problem for each id that is only in the submission or only in the gold file.

    If the fields have other names than those of the gold file, that is the one problem that is added.

    Args:
        reader: The submission, after reading; problems are added to it.
        gold: The gold file.

    """
    submitted = reader.rows.values
    if gold.names is not None and reader.names != gold.names:
        details = {"actual": str(reader.names), "expected": str(gold.names)}
        reader.add_problem(Problem("other_names", details=details))
        return
    if gold.values.keys() == submitted.keys():
        return
    name = reader.names.id
    if len(submitted) > 1 and len(gold.values) > 1 and submitted.keys().isdisjoint(gold.values):
        reader.add_problem(Problem("no_shared_id"), is_first=True)
    from muge_fast.evaluation.similar_ids import SimilarIds  # noqa: PLC0415 - few submissions have other ids

    similar = SimilarIds(gold.values)
    for key in islice((key for key in submitted if key not in gold.values), reader.remaining):
        reader.add_problem(Problem("unknown_id", reader.line_of(key), name, key, name, similar.hint(key)))
    for key in islice((key for key in gold.values if key not in submitted), reader.remaining):
        reader.add_problem(Problem("missing_id", None, name, key, name))


def check_pool(reader: Reader, pool: Collection[object]) -> None:
    """Add a problem for each item that is not in the pool.

    Args:
        reader: The submission, after reading; problems are added to it.
        pool: Ids of the items that may be retrieved.

    """
    pool = frozenset(pool)
    # Not `issuperset`: Python 3.10 makes a set of the items, which can be chosen to collide.
    if all(map(pool.__contains__, chain.from_iterable(filter(_is_integer_list, reader.rows.values.values())))):
        return
    names = reader.names
    for key, items in reader.rows.values.items():
        if not reader.remaining:
            return
        # Values of another type or out of range have a problem already.
        listed = items if _is_integer_list(items) else ()
        unknown = (item for item in listed if item in INT64 and item not in pool)
        for item in islice(unknown, reader.limits.max_per_value):
            reader.add_problem(Problem("not_in_pool", reader.line_of(key), names.id, key, names.value, {"value": item}))


def find_file_warnings(reader: Reader, gold: Reader | None, lang: str) -> Iterator[str]:
    """Yield a warning if a submission is the gold file itself, byte by byte; where they have one format, it is valid.

    Args:
        reader: The submission, after reading.
        gold: The gold file, if there is one.
        lang: ``"en"`` or ``"zh"``.

    Yields:
        One line.

    """
    own, other = reader.source, None if gold is None else gold.source
    if own is not None and other is not None and own.size and own.has_same_content(other):
        yield WARNINGS["same_file"][LANGUAGES.index(lang)]


def find_warnings(rows: Rows, lang: str) -> Iterator[str]:
    """Yield warnings about a valid submission that may still be a mistake.

    Args:
        rows: The submission, with at least one row.
        lang: ``"en"`` or ``"zh"``.

    Yields:
        One line each.

    """
    language = LANGUAGES.index(lang)
    values = iter(rows.values.values())
    first = next(values)
    # Rows of images have no values to compare.
    if first is not None and len(rows.values) > 1 and all(value == first for value in values):
        yield WARNINGS["all_alike"][language].format(rows=len(rows.values))
    if rows.extra_rows:
        counts = [f"{format_id(name, 40)} ({count:,})" for name, count in rows.extra_fields.items()]
        yield WARNINGS["extra_fields"][language].format(fields=", ".join(counts), rows=f"{rows.extra_rows:,}")


def _is_integer_list(value: object) -> bool:
    return isinstance(value, list) and set(map(type, value)) <= {int}
