"""``muge-fast board user``."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import click

from muge_fast._internal.display import json_text
from muge_fast.cli.language import translate
from muge_fast.cli.options import option
from muge_fast.cli.parameter_types import AtLeast, Name
from muge_fast.cli.program import Command
from muge_fast.leaderboard.commands.errors import board_errors
from muge_fast.leaderboard.commands.listing import every
from muge_fast.leaderboard.commands.names import account_of_name
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
from muge_fast.leaderboard.rules.scopes import SCOPES, TEAM_SCOPES
from muge_fast.leaderboard.store.accounts import (
    create_account,
    create_token,
    disable_account,
    erase_account,
    list_tokens,
    revoke_token,
    set_password,
)
from muge_fast.leaderboard.store.oversight import AccountRow, list_accounts
from muge_fast.leaderboard.store.schema import ROLES
from muge_fast.leaderboard.store.teams import find_team

user_argument = click.argument("name", metavar="NAME")


def _scopes(role: str) -> tuple[str, ...]:
    return TEAM_SCOPES if role == "participant" else SCOPES


@group("user")
def user() -> None:
    """Add, list and disable accounts; set passwords, and make and revoke tokens."""


@user.command("add", cls=Command)
@folder_argument
@user_argument
@option("--role", type=Name("role", ROLES), default="participant", show_default=True, metavar="ROLE", help="Role.")
@storage_options
def add(*, folder: Path, name: str, role: str, database: str | None, blobs: str | None) -> None:
    """Add an account without a team, and print its token.

    ROLE is participant, organizer or admin. The token is the last line of standard output, and is shown only once.
    """
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        by, cleaned = actor("user add"), clean_name(name)
        account = create_account(board.database, name=cleaned, name_key=skeleton(cleaned), role=role, actor=by)
        token = create_token(board.database, account, label="user add", scopes=_scopes(role), actor=by)
        note("added the account {name}", name=cleaned)
        click.echo(token)


@user.command("list", cls=Command)
@folder_argument
@json_option
@storage_options
def list_all(*, folder: Path, as_json: bool, database: str | None, blobs: str | None) -> None:
    """List the accounts with their roles and teams."""
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        with board.database.read() as connection:
            rows: list[AccountRow] = every(lambda after: list_accounts(connection, after=after))
            teams = {row.team: find_team(connection, row.team).name for row in rows if row.team}
        if as_json:
            made = [row._asdict() | {"team": teams.get(row.team or "")} for row in rows]
            times = ("created_at", "disabled_at")
            click.echo(json_text([row | {name: row[name] and row[name].isoformat() for name in times} for row in made]))
            return
        cells = [
            (row.name, row.role, teams.get(row.team or ""), "*" if row.disabled_at else "", row.id) for row in rows
        ]
        print_table(("account", "role", "team", "disabled", "id"), cells)


@user.command("password", cls=Command)
@folder_argument
@user_argument
@storage_options
def password(*, folder: Path, name: str, database: str | None, blobs: str | None) -> None:
    """Set the password of an account, and end its sessions.

    The password is asked for on a terminal; otherwise it is the first line of standard input.
    """
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        account = account_of_name(board, name)
        set_password(board.database, account.id, _new_password(), actor=actor("user password"))
        note("the password of {name} is set", name=account.name)


def _new_password() -> str:
    if sys.stdin.isatty():
        entered: str = click.prompt(translate("New password"), hide_input=True, confirmation_prompt=True, err=True)
        return entered
    return sys.stdin.readline().rstrip("\r\n")


@user.command("disable", cls=Command)
@folder_argument
@user_argument
@option("--erase", is_flag=True, help="Erase the name and the password too; submissions and months stay.")
@storage_options
def disable(*, folder: Path, name: str, erase: bool, database: str | None, blobs: str | None) -> None:
    """Disable an account: its password, sessions and tokens do not work any more."""
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        account = account_of_name(board, name)
        change = erase_account if erase else disable_account
        change(board.database, account.id, actor=actor("user disable"))
        note("{name} is disabled", name=account.name)


@user.command("token", cls=Command)
@folder_argument
@user_argument
@option("--label", default="user token", show_default=True, metavar="TEXT", help="Label for the owner.")
@option("--days", type=AtLeast(1), metavar="N", help="Days until it ends.  [default: it does not end]")
@option("--revoke", metavar="ID", help="Revoke this token instead of making one.")
@option("--list", "as_list", is_flag=True, help="List the tokens instead of making one.")
@storage_options
def token(
    *,
    folder: Path,
    name: str,
    label: str,
    days: int | None,
    revoke: str | None,
    as_list: bool,
    database: str | None,
    blobs: str | None,
) -> None:
    """Make a token for an account; or list its tokens, or revoke one.

    A new token is the last line of standard output, and is shown only once.
    """
    with board_errors(), opened_board(folder, database=database, blobs=blobs) as board:
        account, by = account_of_name(board, name), actor("user token")
        if as_list:
            with board.database.read() as connection:
                rows = list_tokens(connection, account.id)
            cells = [
                (row.label, " ".join(row.scopes), "*" if row.revoked_at else "", row.expires_at, row.id) for row in rows
            ]
            print_table(("label", "scopes", "revoked", "ends", "id"), cells)
        elif revoke is not None:
            revoke_token(board.database, revoke, account_id=account.id, actor=by)
            note("the token {token} is revoked", token=revoke)
        else:
            lasts = timedelta(days=days) if days else None
            scopes = _scopes(account.role)
            secret = create_token(board.database, account.id, label=label, scopes=scopes, lasts=lasts, actor=by)
            note("a token of {name}, which is shown only now:", name=account.name)
            click.echo(secret)
