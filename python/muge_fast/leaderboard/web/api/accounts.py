"""The account of a request, its tokens and its team."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from muge_fast.leaderboard.rules.scopes import DEFAULT_SCOPES
from muge_fast.leaderboard.web import teams, tokens
from muge_fast.leaderboard.web.api.answers import PROBLEMS, json_response, rows_json
from muge_fast.leaderboard.web.api.schemas import Me, Named, Secret, TokenList
from muge_fast.leaderboard.web.bodies import read_json, text_of
from muge_fast.leaderboard.web.problems import Problem, ProblemError
from muge_fast.leaderboard.web.site import site_of
from muge_fast.leaderboard.web.viewers import CurrentViewer

router = APIRouter(tags=["account"], responses=PROBLEMS)


def _body(**properties: str) -> dict[str, object]:
    """Return the description of a JSON body, from names and types of its fields."""
    schema = {"type": "object", "properties": {name: {"type": kind} for name, kind in properties.items()}}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


@router.get("/me", responses={200: {"model": Me}})
def show_me(request: Request, viewer: CurrentViewer) -> Response:
    """Return the account of the login or the token, and its team."""
    account, own = viewer.need("read"), teams.own_team(site_of(request), viewer)
    scopes = None if account.scopes is None else list(account.scopes)
    team = {"team": own.team.name if own else None, "team_id": own.team.id if own else None}
    members = own.members if own else []
    return json_response({"account": account.name, "role": account.role, "scopes": scopes, **team, "members": members})


@router.get("/tokens", responses={200: {"model": TokenList}})
def list_tokens(request: Request, viewer: CurrentViewer) -> Response:
    """Return the tokens of your account, without their secrets."""
    return json_response({"tokens": rows_json(tokens.own_tokens(site_of(request), viewer))})


@router.post(
    "/tokens",
    status_code=201,
    responses={201: {"model": Secret}},
    openapi_extra=_body(label="string", scopes="array", days="integer"),
)
async def make_token(request: Request, viewer: CurrentViewer) -> Response:
    """Make a token. A token cannot have more scopes than the one that makes it; ``days`` of 0 stands for no end."""
    body = await read_json(request)
    scopes, days = body.get("scopes", list(DEFAULT_SCOPES)), body.get("days", 0)
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes) or type(days) is not int:
        raise ProblemError(
            Problem(
                422,
                "bad_field",
                "scopes must be a list of texts, and days a number",
                "scopes 须为文本列表，days 须为数字",
            )
        )
    label = text_of(body, "label", "")
    make = tokens.make_token
    secret = await run_in_threadpool(make, site_of(request), viewer, label=label, scopes=scopes, days=days)
    return json_response({"secret": secret}, 201)


@router.delete("/tokens/{token}", status_code=204)
def revoke_token(request: Request, viewer: CurrentViewer, token: str) -> Response:
    """Revoke a token of your account."""
    tokens.revoke_own_token(site_of(request), viewer, token)
    return Response(status_code=204)


@router.post("/teams", status_code=201, responses={201: {"model": Named}}, openapi_extra=_body(name="string"))
async def found_team(request: Request, viewer: CurrentViewer) -> Response:
    """Make a team whose first member is your account."""
    name = text_of(await read_json(request), "name")
    return json_response({"id": await run_in_threadpool(teams.found_team, site_of(request), viewer, name)}, 201)


@router.patch("/team", responses={200: {"model": Me}}, openapi_extra=_body(name="string", alias="string"))
async def change_team(request: Request, viewer: CurrentViewer) -> Response:
    """Change the name or the alias of your team."""
    body = await read_json(request)
    changes = {name: text_of(body, name) for name in ("name", "alias") if name in body}
    await run_in_threadpool(teams.change_own_team, site_of(request), viewer, **changes)
    return Response(status_code=204)


@router.post("/team/invitations", status_code=201, responses={201: {"model": Secret}})
def invite(request: Request, viewer: CurrentViewer) -> Response:
    """Make an invitation to your team. It can be used once."""
    return json_response({"secret": teams.invite_member(site_of(request), viewer)}, 201)


@router.delete("/team/invitations", status_code=204)
def revoke_invitations(request: Request, viewer: CurrentViewer) -> Response:
    """Revoke the invitations of your team that were not used."""
    teams.revoke_own_invitations(site_of(request), viewer)
    return Response(status_code=204)


@router.post("/team/join", responses={200: {"model": Named}}, openapi_extra=_body(invitation="string"))
async def join_team(request: Request, viewer: CurrentViewer) -> Response:
    """Join a team by an invitation."""
    invitation = text_of(await read_json(request), "invitation")
    return json_response({"id": await run_in_threadpool(teams.join_team, site_of(request), viewer, invitation)})


@router.post("/team/leave", status_code=204)
def leave_team(request: Request, viewer: CurrentViewer) -> Response:
    """Leave your team. Its submissions stay its own."""
    teams.leave_own_team(site_of(request), viewer)
    return Response(status_code=204)
