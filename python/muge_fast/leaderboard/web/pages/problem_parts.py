"""What pages show of the errors of a file: groups of one kind, with examples and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from muge_fast.evaluation.report_page.problem_kinds import problem_hint, problem_title


class ProblemParts(NamedTuple):
    """The errors of a file.

    Attributes:
        groups: Values for the template, a dictionary for each kind.
        total: Number of errors.

    """

    groups: list[dict[str, object]]
    total: int


def problem_parts(report: Mapping[str, Any], language: str) -> ProblemParts:
    """Return the errors of a file in a language.

    Args:
        report: The report of a verdict, with its problems.
        language: ``"en"`` or ``"zh"``.

    Returns:
        The groups and the number of errors.

    """
    groups: dict[str, dict[str, Any]] = {}
    for problem in report.get("problems", ()):
        if not isinstance(problem, Mapping):
            continue
        code = str(problem.get("code", ""))
        group = groups.setdefault(code, _empty_group(code, language))
        group["count"] += int(problem.get("count", 1))
        # Many errors of a kind have one message for all of them, and some examples.
        if "lines" in problem:
            group["message"] = problem[f"message_{language}"]
        for example in problem.get("examples", () if "lines" in problem else (problem,)):
            shown = {"message": example[f"message_{language}"], "excerpt": example.get("excerpt")}
            group["examples"].append(shown)
    for group in groups.values():
        group["more"] = f"{group['count'] - len(group['examples']):,}" if group["examples"] else ""
        group["more"] = "" if group["more"] == "0" else group["more"]
    # There is a limit on the size of a report, so that it may have fewer problems than were found.
    found = sum(group["count"] for group in groups.values())
    return ProblemParts(list(groups.values()), max(found, int(report.get("problem_count") or 0)))


def _empty_group(code: str, language: str) -> dict[str, Any]:
    titles = {"title": problem_title(code, language), "hint": problem_hint(code, language)}
    return {**titles, "message": "", "examples": [], "count": 0}
