"""The verdict on a submission for a leaderboard server: the official result object in every case."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from muge_fast import tasks
from muge_fast._internal.field_names import QUERY, FieldNames
from muge_fast._internal.paths import PathLike
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.problem_groups import ProblemGroup, format_groups
from muge_fast.datasets.problems import LANGUAGES, WARNINGS, Problem
from muge_fast.datasets.recognition import is_file_problem
from muge_fast.datasets.row_reader import RowReader
from muge_fast.datasets.rows import Rows
from muge_fast.evaluation._evaluate import evaluate
from muge_fast.evaluation.gold_comparison import compare_with_gold, find_warnings
from muge_fast.evaluation.official_result import failed_result, scored_result
from muge_fast.evaluation.official_retrieval import GoldNamesError, OfficialError, PublishedGold, has_script, read_bytes
from muge_fast.evaluation.submission import GoldError

# Problems that are kept to be grouped, and those that a result lists.
COUNTED = Limits(max_reported=Limits().stop_after)
LISTED = Limits().max_reported
NO_FILE = ("no such file", "文件不存在")


class Verdict(NamedTuple):
    """The official result object, and what the organizer of a leaderboard should know.

    Attributes:
        result: The object. It has no path of the server and no content of the gold file.
        warnings: What :func:`muge_fast.evaluate` refuses or warns about in an accepted submission, one line each.
        error: Why nothing could be evaluated, with paths; None if the submission was accepted or rejected.

    """

    result: dict[str, Any]
    warnings: tuple[str, ...] = ()
    error: str | None = None


def official_verdict(
    task: str, gold: PathLike, submission: PathLike, *, names: FieldNames = QUERY, lang: str = "en"
) -> Verdict:
    """Evaluate a submission as the benchmark does, and return a result object whatever happens.

    Retrieval has the success and the score of the public evaluation script; other tasks, whose evaluators are not
    public, have those of :func:`muge_fast.evaluate`.

    Args:
        task: Name of the task.
        gold: The gold file.
        submission: The submission. It is untrusted.
        names: For retrieval, the names of the fields that the script requires: those of MUGE, or those of Chinese-CLIP.
        lang: Language of messages, ``"en"`` or ``"zh"``.

    Returns:
        The verdict.

    Example:
        >>> from muge_fast.evaluation.official_verdict import official_verdict
        >>> official_verdict("retrieval", "no such file", "no such file").result["errorMsg"]
        'the gold file cannot be read'

    """
    try:
        if has_script(tasks.get(task)):
            return _verdict_of_script(gold, submission, names, lang)
        report = evaluate(tasks.get(task), gold, submission, lang=lang)
        return Verdict(report.official(), tuple(report.warnings))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - there is a result for every error, also of plug-ins
        message = _public_message(error, gold, submission, LANGUAGES.index(lang))
        return Verdict(failed_result(message), (), _organizer_message(error, gold, submission, LANGUAGES.index(lang)))


def _organizer_message(error: BaseException, gold: PathLike, submission: PathLike, language: int) -> str:
    """Return the message of an error with the path and, where it is known, the side of the file."""
    if isinstance(error, GoldError):
        return error.message(lang=LANGUAGES[language])
    if not isinstance(error, OSError) or error.filename is None or not error.strerror:
        return str(error) or type(error).__name__
    name = os.fspath(error.filename)
    sides = {os.fspath(submission): ("submission", "提交文件"), os.fspath(gold): ("gold file", "标准答案文件")}
    side = f"{sides[name][language]} " if name in sides else ""
    reason = NO_FILE[language] if isinstance(error, FileNotFoundError) else error.strerror
    return f"{side}{name}{(': ', '：')[language]}{reason}"


def _public_message(error: BaseException, gold: PathLike, submission: PathLike, language: int) -> str:
    """Return the message of an error for a participant: without paths and without content of the gold file."""
    if isinstance(error, GoldNamesError):
        return error.errors[0]
    if isinstance(error, GoldError):
        return ("the gold file has errors, which the organizer has to correct", "标准答案文件有错误，需由主办方更正")[
            language
        ]
    if isinstance(error, OSError) and error.filename is not None:
        # The gold file is read first, which matters where both are the same.
        if os.fspath(error.filename) == os.fspath(gold):
            return ("the gold file cannot be read", "无法读取标准答案文件")[language]
        if os.fspath(error.filename) == os.fspath(submission):
            reason = NO_FILE[language] if isinstance(error, FileNotFoundError) else error.strerror
            return (f"the submission cannot be read: {reason}", f"无法读取提交文件：{reason}")[language]
    message = str(error)
    if isinstance(error, ImportError) and not set(message) & {"/", "\\"}:
        return message
    name = type(error).__name__
    return (f"the submission could not be evaluated ({name})", f"无法评测提交文件（{name}）")[language]


def _verdict_of_script(gold: PathLike, submission: PathLike, names: FieldNames, lang: str) -> Verdict:
    published = PublishedGold.read(gold, names, submission, lang)
    data = None
    try:
        data = read_bytes(submission)
        scores = published.score(data)
    except OfficialError as error:
        groups = [] if data is None else list(_read_strictly(data, published, gold).rows.groups)
        return Verdict(_rejection(error, groups, lang))
    result = scored_result(scores.mean_recall, scores._asdict())
    is_gold = data and os.path.getsize(gold) == len(data) and read_bytes(gold) == data  # noqa: PTH202 - may be a string
    same = [WARNINGS["same_file"][LANGUAGES.index(lang)]] if is_gold else []
    return Verdict(result, (*same, *_find_warnings(data, published, lang)))


def _rejection(error: OfficialError, groups: list[ProblemGroup], lang: str) -> dict[str, Any]:
    """Return the result object of a rejected submission: the error of the script, and all errors, its cause first."""
    message = error.message(lang)
    cause = next((group.first for group in groups if _is_cause(group.first, error.problem)), None)
    causes = [] if cause is None else [cause.message(lang=lang)]
    return failed_result(message, "\n".join(dict.fromkeys([*causes, message, *format_groups(groups, lang)])))


def _is_cause(problem: Problem, error: Problem) -> bool:
    """Return whether a problem is the cause of the script's error: another kind of file, or one that is cut off."""
    return is_file_problem(problem) or (problem.code == "truncated" and problem.line == error.line)


def _read_strictly(data: bytes, gold: PublishedGold, path: PathLike | None = None) -> RowReader:
    """Read a submission as :func:`muge_fast.evaluate` does, with all problems; the path is that of the gold file."""
    row_format = tasks.get("retrieval").submission_format
    others = (names for names in row_format.names if names != gold.names)
    reader = RowReader(replace(row_format, names=(gold.names, *others)), COUNTED, path)
    reader.parse(data)
    if reader.rows.values or not reader.rows.problem_count:
        compare_with_gold(reader, Rows(values=gold.relevant, names=gold.names))
    return reader


def _find_warnings(data: bytes, gold: PublishedGold, lang: str) -> Iterator[str]:
    """Yield what is unusual in a submission that the script accepts, one line for each kind."""
    reader = _read_strictly(data, gold)
    groups: dict[tuple[str, str | None], list[Problem]] = {}
    for problem in reader.rows.problems:
        # The script has found all queries: those that are missing here are in rows that are refused.
        if problem.code != "missing_id":
            groups.setdefault((problem.code, problem.field), []).append(problem)
    language = LANGUAGES.index(lang)
    for first, *others in groups.values():
        more = ("", "") if not others else (f" (and {len(others)} more)", f"（另有 {len(others)} 个）")
        text = first.message(lang=lang) + more[language]
        yield WARNINGS["stricter"][language].format(problem=text)
    if reader.rows.values:
        yield from find_warnings(reader.rows, lang)
