"""``muge-fast board team``."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from muge_fast._internal.display import json_text
from muge_fast.cli.options import option
from muge_fast.cli.parameter_types import AtLeast
from muge_fast.cli.program import Command
from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.commands.errors import board_errors
from muge_fast.leaderboard.commands.listing import every
from muge_fast.leaderboard.commands.names import team_of_name
from muge_fast.leaderboard.commands.options import (
    actor,
    folder_argument,
    group,
    json_option,
    note,
    opened_board,
    print_table,
    storage_options,
)
from muge_fast.leaderboard.rules.names import clean_name, skeleton
from muge_fast.leaderboard.rules.scopes import TEAM_SCOPES
from muge_fast.leaderboard.store.accounts import create_account, create_token
from muge_fast.leaderboard.store.errors import NameTakenError, RefusedError
from muge_fast.leaderboard.store.oversight import TeamRow, list_teams
from muge_fast.leaderboard.store.teams import change_team, create_team, find_team_of_name, invite, memberships_of

team_argument = click.argument("team", metavar="TEAM")
DAYS = 14


@group("team")
def team() -> None:
    """Add, list and rename teams, and invite members."""


@team.command("add", cls=Command)
@folder_argument
@click.argument("name", metavar="NAME")
@option("--account", metavar="NAME", help="Name of the account.  [default: the name of the team]")
@option("--alias", metavar="NAME", help="Name under which the team is shown in anonymous tasks.")
@option("--host", is_flag=True, help="The team of the host: its submissions are baselines, without a rank.")
@storage_options
def add(
    *,
    folder: Path,
    name: str,
    account: str | None,
    alias: str | None,
    host: bool,
    database: str | None,
    blobs: str | None,
) -> None:
    """Add a team with one account, and print its token.

    The token is the last line of standard output, and is shown only once. With it, the account sends submissions and
    logs in.
    """
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        # Names of the host, such as "baseline", are reserved for it.
        team_name = name.strip() if host else clean_name(name)
        account_name = clean_name(account) if account is not None else team_name
        token = _add(board, team_name, account_name, clean_name(alias) if alias else None, host=host)
        note("added the team {team} with the account {account}", team=team_name, account=account_name)
        click.echo(token)


def _add(board: Board, name: str, account_name: str, alias: str | None, *, host: bool) -> str:
    """Add a team and its account, and return the token."""
    by, key = actor("team add"), skeleton(name)
    with board.database.read() as connection:
        # First, so that no account is left without its team.
        if not key or find_team_of_name(connection, key):
            raise NameTakenError
    founder = create_account(board.database, name=account_name, name_key=skeleton(account_name), actor=by)
    create_team(board.database, name=name, name_key=key, founder=founder, alias=alias, host=host, actor=by)
    return create_token(board.database, founder, label="team add", scopes=TEAM_SCOPES, actor=by)


@team.command("list", cls=Command)
@folder_argument
@json_option
@storage_options
def list_all(*, folder: Path, as_json: bool, database: str | None, blobs: str | None) -> None:
    """List the teams with the numbers of their members and submissions."""
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        with board.database.read() as connection:
            rows: list[TeamRow] = every(lambda after: list_teams(connection, after=after))
        if as_json:
            click.echo(json_text([{**row._asdict(), "created_at": row.created_at.isoformat()} for row in rows]))
            return
        cells = [(row.name, row.alias, "*" if row.host else "", row.members, row.submissions, row.id) for row in rows]
        print_table(("team", "alias", "host", "members", "submissions", "id"), cells)


@team.command("rename", cls=Command)
@folder_argument
@team_argument
@click.argument("name", metavar="NAME")
@storage_options
def rename(*, folder: Path, team: str, name: str, database: str | None, blobs: str | None) -> None:
    """Rename a team. TEAM is its name or its id."""
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        found, new = team_of_name(board, team), clean_name(name)
        change_team(board.database, found.id, name=(new, skeleton(new)), actor=actor("team rename"))
        note("{old} is {new} now", old=found.name, new=new)


@team.command("alias", cls=Command)
@folder_argument
@team_argument
@click.argument("alias", metavar="NAME")
@storage_options
def set_alias(*, folder: Path, team: str, alias: str, database: str | None, blobs: str | None) -> None:
    """Set the name under which a team is shown in anonymous tasks."""
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        found, new = team_of_name(board, team), clean_name(alias)
        change_team(board.database, found.id, alias=new, actor=actor("team alias"))
        note("{old} is shown as {new} in anonymous tasks", old=found.name, new=new)


@team.command("invite", cls=Command)
@folder_argument
@team_argument
@option("--days", type=AtLeast(1), default=DAYS, show_default=True, metavar="N", help="Days until it ends.")
@storage_options
def invite_member(*, folder: Path, team: str, days: int, database: str | None, blobs: str | None) -> None:
    """Make an invitation to a team, for one account.

    The last line of standard output is the path of its link, which is shown only once.
    """
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        found = team_of_name(board, team)
        with board.database.read() as connection:
            members = [one.account for one in memberships_of(connection, found.id) if one.left_at is None]
        if not members:
            raise RefusedError("the team has no members who could invite", "该队伍没有可以邀请他人的成员")
        secret = invite(
            board.database, found.id, account_id=members[0], lasts=timedelta(days=days), actor=actor("team invite")
        )
        note(
            "the invitation to {team}, for {days} days; put the address of the site before it:",
            team=found.name,
            days=days,
        )
        click.echo(f"/team/join?invitation={secret}")
