"""The page of a submission: its progress, its score or its errors, and what its team may do with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request

from muge_fast._internal.metric_names import metric_title
from muge_fast.leaderboard.web.pages.commands import check_command
from muge_fast.leaderboard.web.pages.numbers import bounds_text, link_parts, size_text
from muge_fast.leaderboard.web.pages.problem_parts import problem_parts
from muge_fast.leaderboard.web.pages.row_parts import submission_path
from muge_fast.leaderboard.web.pages.task_parts import task_parts
from muge_fast.leaderboard.web.pages.views.board import standing_of
from muge_fast.leaderboard.web.pages.words import Words
from muge_fast.leaderboard.web.records import (
    VisibleSubmission,
    page_of_report,
    report_of_submission,
    visible_submission,
)
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

WAITING = ("queued", "running")
ENDS = {"scored": "flow_judged", "invalid": "flow_invalid", "faulted": "flow_faulted", "cancelled": "flow_cancelled"}


def submission(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the page of a submission.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request, with the id of the submission in its path.

    Returns:
        The context.

    Raises:
        NotFoundError: There is no such submission, or the viewer may not learn that there is.

    """
    shown = visible_submission(site, viewer, request.path_params["submission"])
    fields: Mapping[str, Any] = shown.submission
    verdict: Mapping[str, Any] = shown.verdict or {}
    task, words = site.task(fields["task"]), Words(viewer.language)
    is_full = "sha256" in fields
    row = next((one for one in standing_of(site, viewer, task).rows if one.submission == fields["id"]), None)
    report = report_of_submission(site, viewer, fields["id"]) if "problems" in verdict else {}
    problems = problem_parts(report, viewer.language)
    has_report = is_full and bool(verdict.get("ok")) and page_of_report(site, viewer, fields["id"]) is not None
    return {
        "task": task_parts(task, words),
        "submission": {
            **{name: fields[name] for name in ("number", "state")},
            "team": fields.get("team") or words("anonymous_team"),
            "team_href": f"/teams/{row.team_id}" if row and row.team_id else "/team" if shown.is_own else None,
        },
        "waiting": fields["state"] in WAITING,
        "queue": _queue(fields, words),
        "flow": list(_flow(fields, words)),
        "fault": fields.get("fault") if fields["state"] == "faulted" else None,
        **{name: fields.get(name) for name in ("withdrawn_at", "ruled_out_at", "ruled_out_reason")},
        "same_file_as": _same_files(site, viewer, fields),
        "score": str(verdict.get("published") or "").replace("-", "\u2212"),
        "bounds": bounds_text(*(row.interval or (None, None))) if row else "",
        # Others see listed ones only.
        "listed_text": words("listed_text" if row else "month_text" if fields.get("listed", True) else "unlisted_text"),
        "scores": _scores(verdict),
        "problems": problems.groups,
        "problem_count": f"{problems.total:,}",
        "warnings": report.get(f"warnings_{viewer.language}", ()),
        "check_command": check_command(task),
        "report": f"/api/v1{submission_path(fields['id'])}/report" if has_report else None,
        "properties": list(_properties(shown, words)),
        "actions": list(_actions(shown, words)) if shown.is_own else [],
        "admin_actions": list(_admin_actions(fields, words)) if viewer.is_organizer else [],
    }


def _queue(fields: Mapping[str, Any], words: Words) -> str:
    if fields["state"] != "queued":
        return words("queue_running")
    before = fields.get("queue_position")
    return words.count("queue_wait", before) if before else words("queue_next")


def _flow(fields: Mapping[str, Any], words: Words) -> Iterator[dict[str, object]]:
    """Yield the steps of the evaluation: those that are done, the present one, and those to come."""
    state = fields["state"]
    yield _step(words("flow_accepted"), "done", fields["accepted_at"])
    if state == "queued":
        yield _step(words("state_queued"), "now")
    if state != "cancelled":
        reached = "now" if state == "running" else "" if state == "queued" else "done"
        yield _step(words("flow_running"), reached, fields.get("started_at") if reached else None)
    end = ENDS.get(state)
    yield _step(words(end or "flow_judged"), "done" if end else "", fields.get("finished_at") if end else None)


def _step(label: str, name: str, at: datetime | None = None) -> dict[str, object]:
    return {"label": label, "class": name, "at": at}


def _scores(verdict: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the scores in full precision, which organizers see."""
    found = verdict.get("exact") or {}
    return [{"title": metric_title(name), "value": repr(value)} for name, value in found.items()]


def _same_files(site: Site, viewer: SiteViewer, fields: Mapping[str, Any]) -> list[dict[str, object]]:
    others = [visible_submission(site, viewer, other).submission for other in fields.get("same_file_as", ())]
    return [{"href": submission_path(str(one["id"])), "team": one["team"], "number": one["number"]} for one in others]


def _properties(shown: VisibleSubmission, words: Words) -> Iterator[dict[str, object]]:
    fields, verdict = shown.submission, shown.verdict or {}
    empty = {"at": None, "code": None, "links": None, "text": ""}
    yield {**empty, "label": words("col_accepted"), "at": fields["accepted_at"]}
    if fields.get("method"):
        yield {**empty, "label": words("col_method"), "text": fields["method"]}
    if links := link_parts(fields.get("links")):  # type: ignore[arg-type]  # a list of texts
        yield {**empty, "label": words("prop_links"), "links": links}
    if "account" in fields:
        yield {**empty, "label": words("prop_sent_by"), "text": fields["account"]}
    if "sha256" in fields:
        yield {**empty, "label": words("prop_file"), "code": fields["sha256"]}
        link = [{"href": fields["file"], "host": f"{words('action_file')} ({size_text(int(str(fields['size'])))})"}]
        yield {**empty, "label": words("prop_size"), "links": link}
    for name in ("evaluator", "signature", "version"):
        if verdict.get(name):
            yield {**empty, "label": words(f"prop_{name}"), "code": verdict[name]}
    for name in ("attempt", "worker"):
        if fields.get(name):
            yield {**empty, "label": words(f"prop_{name}"), "text": fields[name]}
    if verdict.get("seconds") is not None:
        yield {**empty, "label": words("prop_seconds"), "text": f"{verdict['seconds']:.3f}"}


def _actions(shown: VisibleSubmission, words: Words) -> Iterator[dict[str, object]]:
    """Yield what the team may do."""
    fields = shown.submission
    path = submission_path(str(fields["id"]))
    if fields["state"] == "queued":
        names = ["cancel"]
    elif fields["state"] == "scored":
        names = ["restore" if fields.get("withdrawn_at") else "withdraw"]
    else:
        names = []
    for name in names:
        texts = {"label": words(f"action_{name}"), "help": words(f"action_{name}_help")}
        yield {**texts, "action": f"{path}/{name}", "danger": name != "restore"}


def _admin_actions(fields: Mapping[str, Any], words: Words) -> Iterator[dict[str, object]]:
    """Yield what organizers may do."""
    name = "reinstate" if fields.get("ruled_out_at") else "rule-out"
    label = words(f"action_{name.replace('-', '_')}")
    path = f"/admin{submission_path(fields['id'])}/{name}"
    yield {"label": label, "action": path, "reason": name == "rule-out"}
