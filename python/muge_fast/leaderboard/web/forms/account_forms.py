"""Forms of accounts, tokens and teams."""

from __future__ import annotations

from starlette.requests import Request

from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.rules.scopes import DEFAULT_SCOPES
from muge_fast.leaderboard.web import accounts, teams, tokens
from muge_fast.leaderboard.web.cookies import session_secret
from muge_fast.leaderboard.web.forms.outcomes import Form, Outcome, local_path
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

Fields = dict[str, str]


def _log_in(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    name, password = fields.get("name", ""), fields.get("password", "")
    secret = accounts.log_in(site, viewer, name, password, old_session=session_secret(site, request))
    return Outcome(path=local_path(fields.get("next", "/")), session=secret)


def _log_out(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del viewer, fields
    accounts.log_out(site, session_secret(site, request))
    return Outcome("logged_out", ends_session=True)


def _register(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del request
    name, password = fields.get("name", ""), fields.get("password", "")
    secret = accounts.register(site, viewer, name, password, invitation=fields.get("invitation", "").strip())
    return Outcome("registered", "my_team", session=secret)


def _change_password(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del request
    secret = accounts.change_password(site, viewer, fields.get("old", ""), fields.get("new", ""))
    return Outcome("password_changed", "account", session=secret)


def _make_token(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del request
    text = fields.get("days", "").strip() or "0"
    if not (text.isascii() and text.isdigit()):
        raise RefusalError("days", "days must be a number", "天数必须是数字")
    scopes = [*DEFAULT_SCOPES, *(["organize"] if fields.get("organize") and viewer.is_organizer else [])]
    # No one has a token for more than five digits of days, and longer numbers take time to read.
    secret = tokens.make_token(site, viewer, label=fields.get("label", ""), scopes=scopes, days=int(text[:6]))
    return Outcome(page="account", secret=secret)


def _revoke_token(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del fields
    tokens.revoke_own_token(site, viewer, request.path_params["token"])
    return Outcome("token_revoked", "account")


def _found_team(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del request
    teams.found_team(site, viewer, fields.get("name", ""))
    return Outcome("team_founded", "my_team")


def _change_team(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del request
    teams.change_own_team(site, viewer, name=fields.get("name") or None, alias=fields.get("alias") or None)
    return Outcome("team_changed", "my_team")


def _invite(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del request, fields
    secret = teams.invite_member(site, viewer)
    return Outcome(page="my_team", secret=f"{site.options.address.rstrip('/')}/team/join?invitation={secret}")


def _revoke_invitations(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del request, fields
    teams.revoke_own_invitations(site, viewer)
    return Outcome("invitations_revoked", "my_team")


def _join(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del request
    teams.join_team(site, viewer, fields.get("invitation", ""))
    return Outcome("team_joined", "my_team")


def _leave(site: Site, viewer: SiteViewer, request: Request, fields: Fields) -> Outcome:
    del request, fields
    teams.leave_own_team(site, viewer)
    return Outcome("team_left", "my_team")


FORMS = (
    Form("/login", "login", _log_in, frozenset({"password"})),
    Form("/logout", "login", _log_out),
    Form("/register", "register", _register, frozenset({"password"})),
    Form("/account/password", "account", _change_password, frozenset({"old", "new"})),
    Form("/account/tokens", "account", _make_token),
    Form("/account/tokens/{token}/revoke", "account", _revoke_token),
    Form("/team", "my_team", _found_team),
    Form("/team/change", "my_team", _change_team),
    Form("/team/invitations", "my_team", _invite),
    Form("/team/invitations/revoke", "my_team", _revoke_invitations),
    Form("/team/join", "join", _join),
    Form("/team/leave", "my_team", _leave),
)
