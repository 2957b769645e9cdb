"""From the report on a file to its verdict: what a board stores, and what a team may see.

The report of a verdict is JSON:

- ``problem_count``, the number of errors, and ``problems``, a list of those that a page shows. Each has ``code``,
  ``field``, ``count``, ``message_en`` and ``message_zh``. An error of few lines also has ``line``, ``id`` and
  ``excerpt``, the beginning of the line; one of many lines has ``lines``, ``ids`` and ``examples``. The messages are
  those of ``muge-fast check``, in its order.
- ``is_cut``, whether errors were left out because there is a limit on the size.
- ``warnings_en`` and ``warnings_zh``: what may be a mistake in a valid file.
- ``page``: for a valid file, a page by language without references, scores of items, or digits that are not published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from muge_fast._core import __version__
from muge_fast._internal.display import format_id
from muge_fast.datasets.problem_groups import MAX_SINGLE, ProblemGroup
from muge_fast.datasets.problems import LANGUAGES, Problem
from muge_fast.evaluation.report import Report
from muge_fast.leaderboard.rules.ranking import published_number
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.standings.item_rows import write_item_rows
from muge_fast.leaderboard.store.column_types import canonical_json
from muge_fast.leaderboard.store.schema import MAX_REPORT
from muge_fast.leaderboard.store.verdicts import NewVerdict
from muge_fast.scores import Score, Scores

MESSAGE_LENGTH = 600
MAX_WARNINGS = 20
ID_LENGTH = 80
# Bytes of a report for all but the list of errors.
SPARE = 4096


class Judged(NamedTuple):
    """What a scoring process returns.

    Attributes:
        verdict: The verdict, without the file of scores of items.
        rows: That file; None if there is none.

    """

    verdict: NewVerdict
    rows: bytes | None


def judge_report(report: Report, task: TaskSettings) -> Judged:
    r"""Return the verdict on a report.

    Args:
        report: The report, with scores if the file is valid.
        task: Settings of the task by which it was scored.

    Returns:
        The verdict, and the file of scores of items.

    Raises:
        ValueError: A score is NaN or infinite, which is a fault of the scorer and not of the file.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import muge_fast as mf
        >>> from muge_fast.leaderboard.rules.settings import parse_settings
        >>> from muge_fast.leaderboard.worker.report_verdict import judge_report
        >>> task = parse_settings('[tasks.caption]\ngold = "gold.jsonl"', folder=Path("board")).tasks["caption"]
        >>> path = Path(tempfile.mkdtemp()) / "gold.jsonl"
        >>> _ = path.write_text('{"image_id": "a", "text": ["红裙"]}')
        >>> verdict = judge_report(mf.evaluate("caption", path, path), task).verdict
        >>> verdict.ok, verdict.published, verdict.report["problems"][0]["code"]
        (False, None, 'wrong_role')

    """
    if not report.ok:
        content = _errors(report)
        return Judged(NewVerdict(False, content, {}, None, report.seconds, __version__), None)
    scores = report.scores
    if scores is None:
        raise ValueError("the report has no scores: evaluate the file, do not only check it")
    number = published_number(scores[task.main].value, task.ranking)
    if number is None:
        raise ValueError(f"the score {task.main} is not finite")
    values = {name: float(score.value) for name, score in scores.items()}
    content = _valid(report, scores, task)
    verdict = NewVerdict(True, content, values, float(number), report.seconds, __version__)
    return Judged(verdict, write_item_rows(scores, task.main))


# Files with errors


def _errors(report: Report) -> dict[str, object]:
    """Return the report of a file with errors, without those that do not fit."""
    problems: list[dict[str, Any]] = []
    content: dict[str, object] = {"problem_count": report.problem_count, "problems": problems, "is_cut": False}
    room = MAX_REPORT - SPARE
    for problem in _problems(report):
        kept = problem
        if (size := _size(problem)) > room and "examples" in problem:
            kept = {name: value for name, value in problem.items() if name != "examples"}
            size = _size(kept)
        if kept is not problem or size > room:
            content["is_cut"] = True
        if size > room:
            break
        problems.append(kept)
        room -= size
    return content


def _size(problem: Mapping[str, Any]) -> int:
    return len(canonical_json(problem).encode()) + 1


def _problems(report: Report) -> Iterator[dict[str, Any]]:
    """Yield the errors by kind: one by one if there are few of a kind, or all of them as one."""
    for group in report.problem_groups:
        if group.count <= MAX_SINGLE:
            for problem in group.examples or [group.first]:
                yield {"code": problem.code, "field": _text(problem.field), "count": 1} | _example(report, problem)
        else:
            yield _many(report, group)


def _many(report: Report, group: ProblemGroup) -> dict[str, Any]:
    messages = {f"message_{lang}": format_id(group.message(lang=lang), MESSAGE_LENGTH) for lang in LANGUAGES}
    return {
        "code": group.first.code,
        "field": _text(group.first.field),
        "count": group.count,
        "lines": group.lines,
        "ids": [_id(key) for key in group.ids],
        **messages,
        "examples": [_example(report, problem) for problem in group.examples],
    }


def _example(report: Report, problem: Problem) -> dict[str, Any]:
    found: dict[str, Any] = {"line": problem.line, "id": _id(problem.id)}
    for lang in LANGUAGES:
        found[f"message_{lang}"] = format_id(problem.message(lang=lang), MESSAGE_LENGTH)
    excerpt = report.excerpts.get(problem.line or 0)
    return found if excerpt is None else found | {"excerpt": excerpt}


def _id(key: object) -> int | str | None:
    # Text is escaped, because databases and JSON have no lone surrogates.
    return key if key is None or type(key) is int else format_id(key, ID_LENGTH)


def _text(name: str | None) -> str | None:
    return None if name is None else format_id(name, ID_LENGTH)


# Valid files


def _valid(report: Report, scores: Scores, task: TaskSettings) -> dict[str, object]:
    shown = _redacted(report, scores, task)
    content: dict[str, object] = {"problem_count": 0, "problems": [], "is_cut": False}
    for lang in LANGUAGES:
        content[f"warnings_{lang}"] = _warnings(shown.in_language(lang))
    content["page"] = {lang: shown.in_language(lang).to_html() for lang in LANGUAGES}
    if len(canonical_json(content).encode()) > MAX_REPORT:
        content["page"] = {}
    return content


def _warnings(report: Report) -> list[str]:
    return [format_id(warning, MESSAGE_LENGTH) for warning in report.warnings[:MAX_WARNINGS]]


def _redacted(report: Report, scores: Scores, task: TaskSettings) -> Report:
    """Return the report without references, scores of items, and digits that are not published."""
    rounded = {name: _rounded(score, report, task) for name, score in scores.items()}
    return replace(
        report, scores=Scores(rounded), references={}, predictions={}, texts={}, files={}, excerpts={}, names=None
    )


def _rounded(score: Score, report: Report, task: TaskSettings) -> Score:
    scale = report.task.official_value(score.name, 1.0)
    rule = replace(task.ranking, scale=scale)
    number = published_number(score.value, rule)
    value = float("nan") if number is None else float(number) / scale
    return Score(score.name, value, signature=score.signature, higher_is_better=score.higher_is_better)


# Between processes

HEADER_LENGTH = 8
MAX_HEADER = 2 * MAX_REPORT + (1 << 16)


def write_judged(judged: Judged) -> bytes:
    """Return a verdict as bytes, for the process that waits for it.

    Args:
        judged: The verdict, and the file of scores of items.

    Returns:
        The bytes.

    """
    values = judged.verdict._asdict() | {"rows": None if judged.rows is None else len(judged.rows)}
    values["scores"] = {name: float(score).hex() for name, score in judged.verdict.scores.items()}
    header = json.dumps(values, allow_nan=False).encode()
    return len(header).to_bytes(HEADER_LENGTH, "big") + header + (judged.rows or b"")


def read_judged(data: bytes) -> Judged:
    """Read a verdict from the bytes of a process that is not trusted: it has read an untrusted file.

    Args:
        data: Bytes of :func:`write_judged`.

    Returns:
        The verdict.

    Raises:
        ValueError: The bytes are incomplete, or not a verdict.

    """
    length = int.from_bytes(data[:HEADER_LENGTH], "big")
    if not 0 < length <= MAX_HEADER or len(data) < HEADER_LENGTH + length:
        raise ValueError("the verdict of a process is incomplete")
    try:
        values = json.loads(data[HEADER_LENGTH : HEADER_LENGTH + length])
        rows = values.pop("rows")
        scores = {str(name): float.fromhex(number) for name, number in values.pop("scores").items()}
        verdict = NewVerdict(**values, scores=scores)
        verdict = verdict._replace(ok=verdict.ok is True, seconds=float(verdict.seconds), rows_blob=None)
        verdict.checked()
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("the verdict of a process has another form") from error
    found = data[HEADER_LENGTH + length :]
    if (rows is None and found) or (rows is not None and rows != len(found)):
        raise ValueError("the verdict of a process is incomplete")
    return Judged(verdict, None if rows is None else found)
