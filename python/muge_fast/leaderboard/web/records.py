"""Submissions as their viewers see them. The API and the pages show what these functions return, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.rules.visibility import Disclosure, visible_to
from muge_fast.leaderboard.standings.listed import listed_submissions
from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.store.queue import place_in_queue
from muge_fast.leaderboard.store.submission_records import (
    Judgement,
    SubmissionRecord,
    find_submission,
    judgement_of,
    same_files,
)
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer


class VisibleSubmission(NamedTuple):
    """What a viewer may see of a submission. Fields are those of the tables in ``rules/visibility.py``.

    Attributes:
        submission: Fields of the submission.
        verdict: Fields of the verdict; None without one.
        is_own: Whether the viewer's team sent it.

    """

    submission: Mapping[str, object]
    verdict: Mapping[str, object] | None
    is_own: bool


def visible_submission(site: Site, viewer: SiteViewer, submission_id: str) -> VisibleSubmission:
    """Return what a viewer may see of a submission.

    Args:
        site: The site.
        viewer: The viewer.
        submission_id: The submission.

    Returns:
        The fields.

    Raises:
        NotFoundError: There is no such submission, or the viewer may not learn that there is.

    """
    record, judged = _load(site, submission_id)
    is_listed = _is_listed(site, record)
    more: dict[str, object] = {}
    if viewer.role(record.team) in ("teammate", "organizer"):
        with site.board.database.read() as connection:
            waits = judged.state == "queued"
            more["queue_position"] = place_in_queue(connection, record.id) if waits else None
            more["same_file_as"] = same_files(connection, record)
    return _shown(site, viewer, record, judged, more, is_listed=is_listed)


def _load(site: Site, submission_id: str) -> tuple[SubmissionRecord, Judgement]:
    with site.board.database.read() as connection:
        return find_submission(connection, submission_id), judgement_of(connection, submission_id)


def _is_listed(site: Site, record: SubmissionRecord) -> bool:
    """Return whether a public page lists a submission. No connection may be held, because this takes others."""
    return record.id in _listed(site, record.task, [record])


def _listed(site: Site, slug: str, records: list[SubmissionRecord]) -> frozenset[str]:
    return listed_submissions(site.board, site.standings, site.task(slug).slug, records)


def own_submissions(site: Site, viewer: SiteViewer, records: list[SubmissionRecord]) -> list[VisibleSubmission]:
    """Return what a member of a team, or an organizer, sees in the list of its submissions.

    Args:
        site: The site.
        viewer: The viewer.
        records: Submissions of one team.

    Returns:
        The fields; without places in the queue.

    """
    listed = {
        slug: _listed(site, slug, [record for record in records if record.task == slug])
        for slug in {record.task for record in records}
    }
    with site.board.database.read() as connection:
        judged = [judgement_of(connection, record.id) for record in records]
    return [
        _shown(site, viewer, record, found, {}, is_listed=record.id in listed[record.task])
        for record, found in zip(records, judged, strict=True)
    ]


def _shown(
    site: Site,
    viewer: SiteViewer,
    record: SubmissionRecord,
    judged: Judgement,
    more: Mapping[str, object],
    *,
    is_listed: bool,
) -> VisibleSubmission:
    """Return the fields that the viewer may see; ``more`` are those that take further queries."""
    task = site.task(record.task)
    fields = {**_submission(record, judged, is_listed=is_listed), **more}
    submission = _visible(viewer, "submission", fields, record, task, is_listed=is_listed)
    verdict = None
    if judged.ok is not None:
        verdict = _visible(viewer, "verdict", _verdict(judged, task), record, task, is_listed=is_listed)
    return VisibleSubmission(submission, verdict, viewer.team is not None and viewer.team.id == record.team)


def _visible(
    viewer: SiteViewer,
    kind: str,
    fields: Mapping[str, object],
    record: SubmissionRecord,
    task: TaskSettings,
    *,
    is_listed: bool,
) -> Mapping[str, object]:
    # A team that does not show its name is as one of an anonymous task.
    shown = visible_to(
        viewer.role(record.team),
        "verdict" if kind == "verdict" else "submission",
        fields,
        disclosure=_disclosure(task, record),
        listed=is_listed,
        alias=record.alias,
    )
    if shown is None:
        raise NotFoundError(f"there is no submission {record.id!r}", "没有这个提交")
    return shown


def _disclosure(task: TaskSettings, record: SubmissionRecord) -> Disclosure:
    given = task.disclosure
    return Disclosure(given.references_public, given.anonymous or not record.team_public)


def _submission(record: SubmissionRecord, judged: Judgement, *, is_listed: bool) -> dict[str, object]:
    copied = ("id", "task", "number", "accepted_at", "method", "sha256", "size", "client_key")
    given = record._asdict()
    fields = {name: given[name] for name in copied}
    fields |= {name: given[name] for name in ("withdrawn_at", "ruled_out_at", "ruled_out_reason")}
    fields |= {"team": record.team_name, "account": record.account_name, "links": list(record.links)}
    fields |= {"state": judged.state, "attempt": judged.attempt, "started_at": judged.started_at}
    fields |= {"finished_at": judged.finished_at, "worker": judged.worker, "lease_until": judged.lease_until}
    fields |= {"fault": judged.fault, "listed": is_listed, "file": f"/api/v1/submissions/{record.id}/file"}
    return fields


def _verdict(judged: Judgement, task: TaskSettings) -> dict[str, object]:
    fields: dict[str, object] = {"ok": judged.ok, "published": judged.published, "evaluator": judged.evaluator}
    fields |= {"version": judged.package_version, "signature": judged.signature}
    fields |= {"problems": problems_of_report(judged.report), "exact": judged.scores, "rows": judged.rows_blob}
    fields["seconds"] = judged.seconds
    if judged.published is not None:
        fields["published"] = f"{judged.published:.{task.ranking.digits}f}"
    return fields


def problems_of_report(report: object) -> list[object]:
    """Return the problems of a file from the report of its verdict.

    Args:
        report: The report.

    Returns:
        The problems, as JSON.

    """
    problems = report.get("problems") if isinstance(report, Mapping) else None
    return list(problems) if isinstance(problems, list) else []


def report_of_submission(site: Site, viewer: SiteViewer, submission_id: str) -> dict[str, object]:
    """Return the report of a submission, for its team and organizers: the verdict with every error that is stored.

    Args:
        site: The site.
        viewer: The viewer.
        submission_id: The submission.

    Returns:
        Fields of the verdict, with ``problem_count``, ``is_cut`` and the warnings of valid files.

    Raises:
        NotFoundError: There is no such submission, it belongs to another team, or has no verdict yet.

    """
    shown = visible_submission(site, viewer, submission_id)
    if shown.verdict is None or "problems" not in shown.verdict:
        raise NotFoundError(f"there is no report of the submission {submission_id!r}", "没有这个提交的报告")
    report = _load(site, submission_id)[1].report
    more = ("problem_count", "is_cut", "warnings_en", "warnings_zh")
    found = {name: report[name] for name in more if name in report} if isinstance(report, Mapping) else {}
    return {**shown.verdict, **found}


def page_of_report(site: Site, viewer: SiteViewer, submission_id: str) -> str | None:
    """Return the page of a report without references and scores of items, for its team and organizers.

    Args:
        site: The site.
        viewer: The viewer.
        submission_id: The submission.

    Returns:
        HTML in the language of the viewer; None if there is none, such as of a file with errors.

    Raises:
        NotFoundError: There is no such submission, or it belongs to another team.

    """
    record, judged = _load(site, submission_id)
    pages = judged.report.get("page") if isinstance(judged.report, Mapping) else None
    page = pages.get(viewer.language) if isinstance(pages, Mapping) else None
    task = site.task(record.task)
    shown = _visible(viewer, "verdict", {"page": page}, record, task, is_listed=_is_listed(site, record))
    if "page" not in shown:
        raise NotFoundError(f"there is no submission {submission_id!r}", "没有这个提交")
    return page if isinstance(page, str) else None


def file_of_submission(site: Site, viewer: SiteViewer, submission_id: str) -> SubmissionRecord:
    """Return a submission whose file the viewer may download.

    Args:
        site: The site.
        viewer: The viewer.
        submission_id: The submission.

    Returns:
        The submission.

    Raises:
        NotFoundError: There is no such submission, or it belongs to another team.

    """
    with site.board.database.read() as connection:
        record = find_submission(connection, submission_id)
    shown = _visible(
        viewer,
        "submission",
        {"file": record.sha256},
        record,
        site.task(record.task),
        is_listed=_is_listed(site, record),
    )
    if "file" not in shown:
        raise NotFoundError(f"there is no submission {submission_id!r}", "没有这个提交")
    return record


def json_fields(shown: VisibleSubmission) -> dict[str, object]:
    """Return a submission for the API: its fields, and those of the verdict under ``verdict``.

    Args:
        shown: The submission as the viewer sees it.

    Returns:
        Objects that JSON can represent; times are in UTC.

    """
    fields = {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in shown.submission.items()
    }
    return {**fields, "verdict": None if shown.verdict is None else dict(shown.verdict)}
