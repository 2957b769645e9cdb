"""What organizers see and do. For everyone else, these addresses do not exist."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from muge_fast.leaderboard.web import admin
from muge_fast.leaderboard.web.api.answers import PROBLEMS, json_response, rows_json
from muge_fast.leaderboard.web.api.schemas import Named
from muge_fast.leaderboard.web.bodies import read_json, text_of
from muge_fast.leaderboard.web.site import site_of
from muge_fast.leaderboard.web.viewers import CurrentViewer

router = APIRouter(prefix="/admin", tags=["organizers"], responses=PROBLEMS)


@router.get("/queue")
def show_queue(request: Request, viewer: CurrentViewer) -> Response:
    """Return the queue, the faults, rejudge sets and evaluators."""
    found = admin.overview(site_of(request), viewer)
    return json_response(
        {
            "queue": found.queue._asdict(),
            "faults": rows_json(found.faults),
            "rejudges": rows_json(found.rejudges),
            "evaluators": {slug: rows_json(ones) for slug, ones in found.evaluators.items()},
        }
    )


@router.get("/teams")
def list_teams(request: Request, viewer: CurrentViewer, after: str = "") -> Response:
    """Return teams in the order in which they were made, up to 200."""
    return json_response({"teams": rows_json(admin.teams(site_of(request), viewer, after=after))})


@router.get("/accounts")
def list_accounts(request: Request, viewer: CurrentViewer, after: str = "") -> Response:
    """Return accounts in the order in which they were made, up to 200."""
    return json_response({"accounts": rows_json(admin.accounts(site_of(request), viewer, after=after))})


@router.get("/audit")
def show_audit(
    request: Request, viewer: CurrentViewer, before: Annotated[int | None, Query(ge=1, le=2**53)] = None
) -> Response:
    """Return entries of the audit log, the newest first, up to 100."""
    return json_response({"entries": rows_json(admin.audit_log(site_of(request), viewer, before=before))})


@router.post("/evaluations/{evaluation}/requeue", status_code=204)
def requeue(request: Request, viewer: CurrentViewer, evaluation: str) -> Response:
    """Try a faulted evaluation again."""
    admin.requeue_fault(site_of(request), viewer, evaluation)
    return Response(status_code=204)


@router.post("/submissions/{submission}/rule-out", status_code=204)
async def rule_out(request: Request, viewer: CurrentViewer, submission: str) -> Response:
    """Take a submission out of the ranking, with a ``reason``."""
    viewer.need_organizer()
    reason = text_of(await read_json(request), "reason")
    await run_in_threadpool(admin.rule_submission_out, site_of(request), viewer, submission, reason=reason)
    return Response(status_code=204)


@router.post("/submissions/{submission}/reinstate", status_code=204)
def reinstate(request: Request, viewer: CurrentViewer, submission: str) -> Response:
    """Bring a submission back into the ranking."""
    admin.reinstate(site_of(request), viewer, submission)
    return Response(status_code=204)


@router.post("/accounts/{account}/disable", status_code=204)
def disable_account(request: Request, viewer: CurrentViewer, account: str) -> Response:
    """Disable an account, its sessions and its tokens."""
    admin.disable(site_of(request), viewer, account)
    return Response(status_code=204)


@router.post("/tasks/{task}/rejudges", status_code=201, responses={201: {"model": Named}})
async def start_rejudge(request: Request, viewer: CurrentViewer, task: str) -> Response:
    """Start a rejudge set with an ``evaluator`` and a ``reason``."""
    viewer.need_organizer()
    body = await read_json(request)
    evaluator, reason = text_of(body, "evaluator"), text_of(body, "reason")
    start = admin.start_set
    made = await run_in_threadpool(start, site_of(request), viewer, task, evaluator=evaluator, reason=reason)
    return json_response({"id": made}, 201)


@router.get("/rejudges/{rejudge}")
def show_rejudge(request: Request, viewer: CurrentViewer, rejudge: str) -> Response:
    """Return a rejudge set with the changes that it would make."""
    found, changes = admin.preview_set(site_of(request), viewer, rejudge)
    return json_response({**found._asdict(), "changes": rows_json(changes)})


@router.post("/rejudges/{rejudge}/apply", status_code=204)
async def apply_rejudge(request: Request, viewer: CurrentViewer, rejudge: str) -> Response:
    """Show the verdicts of a rejudge set. ``confirm`` must be the name of the task."""
    viewer.need_organizer()
    body = await read_json(request)
    confirm, with_faults = text_of(body, "confirm"), body.get("with_faults") is True
    apply = admin.apply_set
    await run_in_threadpool(apply, site_of(request), viewer, rejudge, confirm=confirm, with_faults=with_faults)
    return Response(status_code=204)


@router.post("/rejudges/{rejudge}/drop", status_code=204)
def drop_rejudge(request: Request, viewer: CurrentViewer, rejudge: str) -> Response:
    """Drop a rejudge set."""
    admin.drop_set(site_of(request), viewer, rejudge)
    return Response(status_code=204)
