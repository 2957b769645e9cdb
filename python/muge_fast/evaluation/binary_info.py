"""Descriptions of files that are not text: features, document frequencies, statistics, and files that are refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from muge_fast import _core
from muge_fast._internal.display import truncate_id
from muge_fast._internal.file_kinds import kind_message
from muge_fast._internal.npz import Archive
from muge_fast.caption.document_frequency import DocumentFrequency
from muge_fast.features import arrow
from muge_fast.features.files import read_features

# Errors of a file that are listed.
MAX_ERRORS = 5
# Names of arrays by which an archive is recognized.
ARCHIVES = {
    "document frequency": {"documents", "ngrams", "counts"},
    "statistics of images": {"mu", "sigma"},
    "features": {"features"},
    "state of FID": {"real_mu", "generated_mu"},
    "state of KID": {"subset_size", "real", "generated"},
    "state of InceptionScore": {"sum_p_log_p", "sum_p"},
}
FEATURE_NAMES = {"features", "feature"}


def refused_file(code: str, lang: str = "en") -> dict[str, Any]:
    """Return the description of a file that no reader accepts.

    Args:
        code: Code of the file, a key of ``muge_fast._internal.file_kinds.MESSAGES``.
        lang: Language of the error, ``"en"`` or ``"zh"``.

    Returns:
        ``kind``, ``problems`` and ``errors``.

    Example:
        >>> from muge_fast.evaluation.binary_info import refused_file
        >>> refused_file("pretty_json")["kind"]
        'pretty json'

    """
    return {"kind": code.replace("_", " "), **problems_of([kind_message(code, lang=lang)], 1)}


def describe_features(path: Path) -> dict[str, Any]:
    """Return the description of a file of features.

    Args:
        path: The file.

    Returns:
        ``kind`` and ``problems``, and of a valid file ``rows``, ``dimensions`` and ``ids``.

    Raises:
        OSError: The file cannot be read.

    """
    try:
        # The core accepts repeated ids, which are counted here.
        is_lines = path.suffix.lower() not in {".npy", ".npz", *arrow.FORMATS}
        ids, features = _core.read_features(str(path))[:2] if is_lines else read_features(path)
    except (ValueError, TypeError, ImportError) as error:
        return {"kind": "features", **problems_of([str(error).removeprefix(f"{path}: ")], 1)}
    values = ids if isinstance(ids, list) else ids.tolist()
    repeated = len(values) - len(set(values))
    info = {"rows": len(values), "dimensions": features.shape[1], "ids": min_max(values)}
    return {"kind": "features", **info, **problems_of(repeated_ids(repeated), repeated)}


def min_max(ids: Sequence[Any]) -> list[Any]:
    """Return the smallest and the largest id, short enough for a description.

    Args:
        ids: At least one id, all of one type.

    Returns:
        The two ids.

    Example:
        >>> from muge_fast.evaluation.binary_info import min_max
        >>> min_max([3, 1, 2])
        [1, 3]

    """
    return [truncate_id(min(ids)), truncate_id(max(ids))]


def repeated_ids(count: int) -> list[str]:
    """Return the error of lines that repeat an id.

    Args:
        count: Number of these lines.

    Returns:
        One error, or nothing if there are no such lines.

    Example:
        >>> from muge_fast.evaluation.binary_info import repeated_ids
        >>> repeated_ids(1)
        ['1 line repeats an earlier id']

    """
    return [f"{count} line{'s' if count > 1 else ''} repeat{'' if count > 1 else 's'} an earlier id"] if count else []


def problems_of(errors: list[str], count: int) -> dict[str, Any]:
    """Return the part of a description about problems.

    Args:
        errors: Messages.
        count: Number of problems.

    Returns:
        ``problems``, and the first ``errors`` if there are any.

    Example:
        >>> from muge_fast.evaluation.binary_info import problems_of
        >>> problems_of([], 0)
        {'problems': 0}

    """
    return {"problems": count, **({"errors": errors[:MAX_ERRORS]} if errors else {})}


def _describe_archive(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            names = set(Archive(file))
    except ValueError as error:
        return {"kind": "npz", **problems_of([str(error)], 1)}
    kind = next((kind for kind, arrays in ARCHIVES.items() if arrays <= names), "npz")
    if names & FEATURE_NAMES and kind in {"npz", "features"}:
        return describe_features(path)
    return _describe_table(path) if kind == "document frequency" else {"kind": kind, "arrays": len(names)}


def _describe_pickle(path: Path, lang: str) -> dict[str, Any]:
    info = _describe_table(path)
    return refused_file("pickle", lang) if info["problems"] else info


def _describe_table(path: Path) -> dict[str, Any]:
    try:
        table = DocumentFrequency.load(path)
    except ValueError as error:
        return {"kind": "document frequency", **problems_of([str(error).removeprefix(f"{path}: ")], 1)}
    return {"kind": "document frequency", "documents": table.documents, "ngrams": len(table), **problems_of([], 0)}


# Readers by the code of the file.
BINARY_READERS: dict[str | None, Callable[[Path, str], dict[str, Any]]] = {
    "npz": lambda path, _: _describe_archive(path),
    "npy": lambda path, _: describe_features(path),
    "pickle": _describe_pickle,
}
