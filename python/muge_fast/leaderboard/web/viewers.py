"""The account behind a request: a session cookie or a bearer token, its team, and its language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from muge_fast.leaderboard.rules.scopes import SCOPES
from muge_fast.leaderboard.rules.visibility import Role, Viewer, role_of
from muge_fast.leaderboard.store.accounts import Account, account_of_session, account_of_token
from muge_fast.leaderboard.store.audit import Actor
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.teams import Team, team_of
from muge_fast.leaderboard.web.cookies import session_secret
from muge_fast.leaderboard.web.csrf import has_token
from muge_fast.leaderboard.web.languages import language_of
from muge_fast.leaderboard.web.problems import LOGIN, NOT_FOUND, Problem, ProblemError
from muge_fast.leaderboard.web.site import site_of

ORGANIZER_ROLES = frozenset({"organizer", "admin"})

BAD_TOKEN = Problem(
    401,
    "bad_token",
    "the token is not valid: it is incomplete, was revoked, or has ended; make another on the page of your account",
    "令牌无效：可能不完整、已被撤销或已过期；请在账号页面重新创建",
)


@dataclass(frozen=True)
class SiteViewer:
    """The one who makes a request.

    Attributes:
        language: ``"en"`` or ``"zh"``.
        account: The account; None without a login.
        team: Its team; None if it is in none.
        address: Address of the client, for the audit log and limits.
        request: Id of the request.

    """

    language: str
    account: Account | None = None
    team: Team | None = None
    address: str = ""
    request: str = ""

    @property
    def is_organizer(self) -> bool:
        """Whether the account belongs to the host, and its token, if it is one, may act for it."""
        return self.account is not None and self.account.role in ORGANIZER_ROLES and self.may("organize")

    @property
    def rights(self) -> Viewer | None:
        """The account as the rules of visibility know it."""
        if self.account is None or not self.may("read"):
            return None
        return Viewer(frozenset({self.team.id}) if self.team else frozenset(), self.is_organizer)

    @property
    def actor(self) -> Actor:
        """The account as the audit log names it."""
        name = self.account.id if self.account else "visitor"
        return Actor(name, f"{self.request} {self.address}".strip())

    def role(self, team_id: str | None) -> Role:
        """Return the role in which the viewer sees something of a team.

        Args:
            team_id: Id of the team; None for something of the host.

        Returns:
            The role.

        """
        return role_of(self.rights, team_id)

    def may(self, scope: str) -> bool:
        """Return whether the session or the token of the viewer allows an action.

        Args:
            scope: A scope of tokens.

        Returns:
            Whether it does; False without a login.

        """
        return self.account is not None and (self.account.scopes is None or scope in self.account.scopes)

    def with_scope(self, scope: str) -> SiteViewer:
        """Return the viewer with one more scope, to be shown what it has just made or changed.

        Args:
            scope: A scope of tokens.

        Returns:
            The viewer.

        """
        if self.account is None or self.account.scopes is None:
            return self
        return replace(self, account=self.account._replace(scopes=(*self.account.scopes, scope)))

    def need(self, scope: str) -> Account:
        """Return the account, if it may act.

        Args:
            scope: A scope of tokens.

        Returns:
            The account.

        Raises:
            ProblemError: There is no login, or the token lacks the scope.

        """
        if self.account is None:
            raise ProblemError(LOGIN)
        if not self.may(scope):
            raise ProblemError(_without(scope))
        return self.account

    def need_organizer(self) -> Account:
        """Return the account, if it belongs to the host.

        Returns:
            The account.

        Raises:
            ProblemError: It does not; the answer is that of an address which does not exist.

        """
        if self.account is None or not self.is_organizer:
            raise ProblemError(NOT_FOUND)
        return self.account

    def need_team(self, scope: str) -> Team:
        """Return the team, if the viewer may act for it.

        Args:
            scope: A scope of tokens.

        Returns:
            The team.

        Raises:
            ProblemError: There is no login or no team, or the token lacks the scope.

        """
        self.need(scope)
        if self.team is None:
            raise ProblemError(NO_TEAM)
        return self.team


NO_TEAM = Problem(
    403,
    "no_team",
    "the account is in no team: found one, or accept an invitation",
    "该账号不在任何队伍中：请创建队伍或接受邀请",
)


def _without(scope: str) -> Problem:
    known = ", ".join(SCOPES)
    return Problem(
        403,
        "scope_missing",
        f"the token lacks the scope {scope!r}: make one that has it (scopes: {known})",
        f"令牌缺少权限 {scope!r}：请创建具有该权限的令牌（可选：{known}）",
    )


async def viewer_of(request: Request) -> SiteViewer:
    """Return the viewer of a request, the same one each time. Without a cookie and a token, no query is made.

    Args:
        request: The request.

    Returns:
        The viewer.

    Raises:
        ProblemError: A token was sent that is not valid. With an old cookie, the viewer is a visitor instead.

    """
    if isinstance(getattr(request.state, "viewer", None), SiteViewer) or _credentials(request) == (None, None):
        return load_viewer(request)
    return await run_in_threadpool(load_viewer, request)


def load_viewer(request: Request) -> SiteViewer:
    """Return the viewer of a request, in a thread that may wait for the database.

    Args:
        request: The request.

    Returns:
        The viewer.

    Raises:
        ProblemError: A token was sent that is not valid.

    """
    known = getattr(request.state, "viewer", None)
    if isinstance(known, SiteViewer):
        return known
    site, (token, secret) = site_of(request), _credentials(request)
    account, team = None, None
    if token is not None or secret is not None:
        account, team = _load(site.board.database, token, secret)
    viewer = SiteViewer(
        language=language_of(request, site.settings),
        account=account,
        team=team,
        address=request.client.host if request.client else "",
        request=getattr(request.state, "request_id", ""),
    )
    request.state.viewer = viewer
    return viewer


def _credentials(request: Request) -> tuple[str | None, str | None]:
    """Return the token and the secret of the session. With a token, the session does not count."""
    if has_token(request.headers):
        return request.headers["authorization"][7:].strip(), None
    return None, session_secret(site_of(request), request)


def _load(database: Database, token: str | None, secret: str | None) -> tuple[Account | None, Team | None]:
    """Return the account of a token or a session, and its team."""
    account = account_of_session(database, secret or "") if token is None else account_of_token(database, token)
    if account is None:
        if token is not None:
            raise ProblemError(BAD_TOKEN)
        return None, None
    with database.read() as connection:
        return account, team_of(connection, account.id)


CurrentViewer = Annotated[SiteViewer, Depends(viewer_of)]
