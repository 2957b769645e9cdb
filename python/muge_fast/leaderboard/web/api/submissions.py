"""Sending submissions, and asking for their state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from muge_fast.leaderboard.rules.quotas import LIMIT_NAMES
from muge_fast.leaderboard.store.submission_records import SubmissionRecord
from muge_fast.leaderboard.web import submissions
from muge_fast.leaderboard.web.api.answers import JSON, PROBLEMS, json_body, json_response
from muge_fast.leaderboard.web.api.schemas import Quota, Submission, SubmissionList
from muge_fast.leaderboard.web.bodies import MULTIPART, media_type
from muge_fast.leaderboard.web.body_limits import declared_length
from muge_fast.leaderboard.web.etags import tagged_response
from muge_fast.leaderboard.web.headers import REPORT_POLICY
from muge_fast.leaderboard.web.problems import NOT_FOUND, Problem, ProblemError
from muge_fast.leaderboard.web.records import (
    file_of_submission,
    json_fields,
    own_submissions,
    page_of_report,
    report_of_submission,
    visible_submission,
)
from muge_fast.leaderboard.web.site import Site, site_of
from muge_fast.leaderboard.web.uploads import body_of
from muge_fast.leaderboard.web.viewers import CurrentViewer, SiteViewer

router = APIRouter(tags=["submissions"], responses=PROBLEMS)
PIECE = 256 * 1024
RAW = {
    "requestBody": {
        "required": True,
        "description": "The file as it is, not compressed. Without a login, a request is answered before it is read.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}

NOT_A_FORM = Problem(
    415,
    "not_a_form",
    "the body is a form: send the file itself, such as by curl --data-binary @FILE",
    "请求体是表单：请直接发送文件本身，例如 curl --data-binary @FILE",
)

SubmissionId = Annotated[str, Path(max_length=64)]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="Any text, new for each submission. A request with the same key and file is the same submission, "
        "so a request whose answer was lost can be sent again.",
        max_length=300,
    ),
]


@router.post(
    "/tasks/{task}/submissions",
    status_code=201,
    responses={
        201: {"model": Submission, "description": "The submission is stored, and waits for its evaluation."},
        200: {"model": Submission, "description": "It was stored by an earlier request with the same key."},
    },
    openapi_extra=RAW,
)
async def send_submission(  # noqa: PLR0917 - FastAPI passes them by name
    request: Request,
    viewer: CurrentViewer,
    task: str,
    key: Key = "",
    method: Annotated[str, Query(description="Name or description of the method, shown on the board.")] = "",
    link: Annotated[list[str], Query(description="Addresses of a paper or code, up to three.")] = [],  # noqa: B006
) -> Response:
    """Send a file. The answer comes after the file and the submission are on the disk."""
    site = site_of(request)
    if media_type(request) == MULTIPART:
        raise ProblemError(NOT_A_FORM)
    length = declared_length(request.headers)
    found = await run_in_threadpool(submissions.check_upload, site, viewer, task, length=length, key=key)
    description = submissions.Description(method, submissions.links_of(link), key).cleaned()
    accepted = await submissions.receive_submission(site, viewer, found, body_of(request), lambda: description)
    shown = await run_in_threadpool(visible_submission, site, viewer.with_scope("read"), accepted.submission)
    headers = {"Location": f"/api/v1/submissions/{accepted.submission}"}
    return json_response(json_fields(shown), 201 if accepted.created else 200, headers)


@router.get("/tasks/{task}/submissions", responses={200: {"model": SubmissionList}})
def list_submissions(
    request: Request,
    viewer: CurrentViewer,
    task: str,
    before: Annotated[
        int | None, Query(description="Number of a submission, to go on with older ones.", ge=1, le=2**31 - 1)
    ] = None,
) -> Response:
    """Return the submissions of your team for a task, the newest first, up to 100."""
    site, team = site_of(request), viewer.need_team("read")
    records = submissions.list_submissions(site, team, site.task(task).slug, before=before)
    fields = [json_fields(shown) for shown in own_submissions(site, viewer, records)]
    return json_response({"submissions": fields})


@router.get("/tasks/{task}/quota", responses={200: {"model": Quota}})
def show_quota(request: Request, viewer: CurrentViewer, task: str) -> Response:
    """Return how many files your team may still send for a task, and when the next one is possible."""
    quota = submissions.quota_of(site_of(request), viewer, task)
    limits = [{"name": name, "limit": quota.limits.of(name), "used": quota.used[name]} for name in LIMIT_NAMES]
    return json_response({"task": task, "left": quota.left, "next_free": quota.next_free, "limits": limits})


@router.get("/submissions/{submission}", responses={200: {"model": Submission}})
def show_submission(request: Request, viewer: CurrentViewer, submission: SubmissionId) -> Response:
    """Return a submission with its state and verdict: those of your team, and those that a board lists."""
    shown = visible_submission(site_of(request), viewer, submission)
    return tagged_response(request, json_body(json_fields(shown)), JSON)


@router.get("/submissions/{submission}/report", responses={200: {"content": {"text/html": {}, JSON: {}}}})
def show_report(request: Request, viewer: CurrentViewer, submission: SubmissionId) -> Response:
    """Return the report of a submission of your team: JSON with every error, or HTML if you accept only that."""
    site = site_of(request)
    if not _wants_html(request):
        return tagged_response(request, json_body(report_of_submission(site, viewer, submission)), JSON)
    page = page_of_report(site, viewer, submission)
    if page is None:
        raise ProblemError(NOT_FOUND)
    headers = {"Content-Security-Policy": REPORT_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return tagged_response(request, page.encode("utf-8", "replace"), "text/html; charset=utf-8", headers=headers)


def _wants_html(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    return "text/html" in accept and JSON not in accept


@router.get("/submissions/{submission}/file", responses={200: {"content": {"application/octet-stream": {}}}})
def download_file(request: Request, viewer: CurrentViewer, submission: SubmissionId) -> Response:
    """Return the file of a submission of your team, as it was sent."""
    site = site_of(request)
    record = file_of_submission(site, viewer, submission)
    headers = {
        "Content-Disposition": f'attachment; filename="{record.task}-{record.number}"',
        "Content-Length": str(record.size),
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(_pieces(site, record), headers=headers, media_type="application/octet-stream")


def _pieces(site: Site, record: SubmissionRecord) -> Iterator[bytes]:
    with site.board.blobs.local(record.sha256) as path, path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


@router.post("/submissions/{submission}/{action}", responses={200: {"model": Submission}})
def change_submission(
    request: Request,
    viewer: CurrentViewer,
    submission: SubmissionId,
    action: Literal["withdraw", "restore", "cancel"],
) -> Response:
    """Take a submission of your team off the board, bring it back, or cancel it while it waits."""
    site: Site = site_of(request)
    _change(site, viewer, submission, action)
    return json_response(json_fields(visible_submission(site, viewer.with_scope("read"), submission)))


def _change(site: Site, viewer: SiteViewer, submission: str, action: str) -> None:
    if action == "cancel":
        submissions.cancel_own(site, viewer, submission)
    else:
        submissions.withdraw_own(site, viewer, submission, undo=action == "restore")
