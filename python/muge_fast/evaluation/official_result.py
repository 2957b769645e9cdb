"""The official result object, which leaderboard servers read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from muge_fast._internal.display import printable

# Most characters of a line of a message, and most lines.
MAX_LINE, MAX_LINES = 2000, 500


def scored_result(score: float, scores: Mapping[str, float]) -> dict[str, Any]:
    """Return the result object of a scored submission.

    Args:
        score: The main score.
        scores: All scores by their official names.

    Returns:
        The object, ready for JSON.

    Example:
        >>> from muge_fast.evaluation.official_result import scored_result
        >>> scored_result(50.0, {"r1": 20.0})
        {'success': True, 'score': 50.0, 'scoreJson': {'score': 50.0, 'r1': 20.0}}

    """
    return {"success": True, "score": score, "scoreJson": {"score": score, **scores}}


def failed_result(message: str, detail: str | None = None) -> dict[str, Any]:
    """Return the result object of a submission that was not scored.

    Args:
        message: The error in one line. Characters that are not printable are escaped, and it is truncated.
        detail: All errors, one per line; None for the message again. Its lines are escaped and truncated likewise.

    Returns:
        The object, ready for JSON.

    Example:
        >>> from muge_fast.evaluation.official_result import failed_result
        >>> failed_result("the file has no rows")["errorMsg"]
        'the file has no rows'

    """
    message = printable(message, MAX_LINE)
    lines = [] if detail is None else [printable(line, MAX_LINE) for line in detail.split("\n", MAX_LINES)[:MAX_LINES]]
    detail = "\n".join(lines) or message
    return {"success": False, "score": 0, "scoreJson": {}, "errorMsg": message, "errorDetail": detail}


def mark_unofficial(result: dict[str, Any], reasons: Sequence[str]) -> dict[str, Any]:
    """Return a result object with the reasons why it is not that of the benchmark, in a separate field.

    Args:
        result: The object.
        reasons: The reasons, one line each.

    Returns:
        The object unchanged if there are no reasons.

    Example:
        >>> from muge_fast.evaluation.official_result import mark_unofficial
        >>> mark_unofficial({"success": True}, ["ks is 1,3, officially 1,5,10"])
        {'success': True, 'unofficial': ['ks is 1,3, officially 1,5,10']}

    """
    return {**result, "unofficial": list(reasons)} if reasons else result
