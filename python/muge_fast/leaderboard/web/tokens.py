"""API tokens of an account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.rules.scopes import clean_scopes
from muge_fast.leaderboard.store.accounts import ApiToken, create_token, list_tokens, revoke_token
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

MAX_LABEL = 80
MAX_DAYS = 3650
MAX_TOKENS = 50


def own_tokens(site: Site, viewer: SiteViewer) -> list[ApiToken]:
    """Return the tokens of the viewer's account.

    Args:
        site: The site.
        viewer: The viewer.

    Returns:
        The tokens, the oldest first.

    Raises:
        ProblemError: There is no login.

    """
    account = viewer.need("manage")
    with site.board.database.read() as connection:
        return list_tokens(connection, account.id)


def make_token(site: Site, viewer: SiteViewer, *, label: str, scopes: Iterable[str], days: int) -> str:
    """Make a token.

    Args:
        site: The site.
        viewer: The viewer.
        label: A label for its owner.
        scopes: Scopes; a token cannot have more than the viewer.
        days: Days until it ends; 0 for never.

    Returns:
        The secret, which is shown once.

    Raises:
        ProblemError: There is no login.
        RefusalError: A value is not accepted.

    """
    account = viewer.need("manage")
    cleaned = clean_scopes(scopes)
    lacking = [scope for scope in cleaned if not viewer.may(scope) or (scope == "organize" and not viewer.is_organizer)]
    if lacking:
        names = ", ".join(lacking)
        raise RefusalError(
            "scope_missing", f"the account cannot give the scopes {names}", f"该账号不能授予权限：{names}"
        )
    label = " ".join(label.split())
    if len(label) > MAX_LABEL or not label.isprintable():
        raise RefusalError(
            "label", f"a label has at most {MAX_LABEL} visible characters", f"标签最多 {MAX_LABEL} 个可见字符"
        )
    if not 0 <= days <= MAX_DAYS:
        raise RefusalError("days", f"days must be between 0 and {MAX_DAYS}", f"天数须在 0 到 {MAX_DAYS} 之间")
    working = [token for token in own_tokens(site, viewer) if token.revoked_at is None]
    if len(working) >= MAX_TOKENS:
        raise RefusalError(
            "too_many_tokens",
            f"an account has at most {MAX_TOKENS} tokens: revoke some",
            f"最多 {MAX_TOKENS} 个令牌：请撤销一些",
        )
    lasts = timedelta(days=days) if days else None
    return create_token(site.board.database, account.id, label=label, scopes=cleaned, lasts=lasts, actor=viewer.actor)


def revoke_own_token(site: Site, viewer: SiteViewer, token_id: str) -> None:
    """Revoke a token of the viewer's account.

    Args:
        site: The site.
        viewer: The viewer.
        token_id: The token.

    Raises:
        ProblemError: There is no login.
        NotFoundError: The account has no such token.

    """
    account = viewer.need("manage")
    revoke_token(site.board.database, token_id, account_id=account.id, actor=viewer.actor)
