"""Scopes of API tokens: the actions that a token allows. A login by password allows everything its account may do."""

from __future__ import annotations

from collections.abc import Iterable

from muge_fast.leaderboard.rules.refusals import RefusalError

SCOPES = ("read", "submit", "manage", "organize")
"""See what the team sees; send, withdraw and cancel submissions; change the team and the account, and log in; act as an
organizer, for accounts that are one."""

TEAM_SCOPES = ("read", "submit", "manage")
"""Scopes of the first token of a team, by which it also logs in to the pages."""

DEFAULT_SCOPES = ("read", "submit")
"""Scopes of a token that a participant makes for scripts."""


def clean_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return scopes in their order, each once.

    Args:
        scopes: Names of scopes, from a stranger.

    Returns:
        The scopes.

    Raises:
        RefusalError: A name is unknown, or there is no name (``unknown_scope``).

    Example:
        >>> from muge_fast.leaderboard.rules.scopes import clean_scopes
        >>> clean_scopes(["submit", "read"])
        ('read', 'submit')

    """
    given = set(scopes)
    if not given or given - set(SCOPES):
        known = ", ".join(SCOPES)
        raise RefusalError("unknown_scope", f"the scopes must be some of {known}", f"权限范围只能是 {known} 中的若干项")
    return tuple(scope for scope in SCOPES if scope in given)
