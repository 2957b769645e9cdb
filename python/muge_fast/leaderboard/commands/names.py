"""Finding teams and accounts by their names or ids, as organizers type them."""

from __future__ import annotations

from contextlib import suppress

from muge_fast._internal.display import format_argument
from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.rules.names import skeleton
from muge_fast.leaderboard.store.accounts import Account, find_account
from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.store.teams import Team, find_team, find_team_of_name


def team_of_name(board: Board, text: str) -> Team:
    """Return the team of a name or an id.

    Args:
        board: The board.
        text: The name, in any case, or the id.

    Returns:
        The team.

    Raises:
        NotFoundError: There is no such team.

    """
    with board.database.read() as connection:
        if found := find_team_of_name(connection, skeleton(text)):
            return found
        with suppress(NotFoundError):
            return find_team(connection, text)
    shown = format_argument(text)
    raise NotFoundError(
        f"there is no team {shown}: see `muge-fast board team list`",
        f"没有队伍 {shown}：请用 `muge-fast board team list` 查看",
    )


def account_of_name(board: Board, text: str) -> Account:
    """Return the account of a name.

    Args:
        board: The board.
        text: The name, in any case.

    Returns:
        The account.

    Raises:
        NotFoundError: There is no such account.

    """
    with board.database.read() as connection:
        try:
            return find_account(connection, skeleton(text))
        except NotFoundError:
            shown = format_argument(text)
            raise NotFoundError(
                f"there is no account {shown}: see `muge-fast board user list`",
                f"没有账号 {shown}：请用 `muge-fast board user list` 查看",
            ) from None
