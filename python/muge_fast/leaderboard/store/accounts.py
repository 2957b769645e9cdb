"""Accounts with passwords, sessions of browsers, and API tokens."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Connection, Row, Table, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from muge_fast.leaderboard.store.audit import Actor, append_audit
from muge_fast.leaderboard.store.database import Database
from muge_fast.leaderboard.store.errors import NameTakenError, NotFoundError
from muge_fast.leaderboard.store.new_ids import new_id
from muge_fast.leaderboard.store.schema import account, api_token, session
from muge_fast.leaderboard.store.secrets import is_secret, new_secret, secret_hash

MAX_PASSWORD = 1024
_hasher = PasswordHasher()


class Account(NamedTuple):
    """An account that may act.

    Attributes:
        id: Its id.
        name: Its name.
        role: ``"participant"``, ``"organizer"`` or ``"admin"``.
        scopes: Scopes of the token; None for a session, which allows everything.

    """

    id: str
    name: str
    role: str
    scopes: tuple[str, ...] | None = None


class ApiToken(NamedTuple):
    """An API token as its owner sees it in a list, without the secret.

    Attributes:
        id: Its id.
        label: Its label.
        scopes: Scopes, the actions that it allows.
        created_at: When it was made.
        expires_at: When it ends; None for never.
        revoked_at: When it was revoked.

    """

    id: str
    label: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def create_account(
    database: Database,
    *,
    name: str,
    name_key: str,
    password: str | None = None,
    role: str = "participant",
    actor: Actor,
) -> str:
    """Create an account.

    Args:
        database: The database.
        name: The name as it is shown.
        name_key: Skeleton of the name by the rule for names, equal for names that look alike.
        password: The password; None for an account that uses tokens only.
        role: The role.
        actor: Actor for the audit log.

    Returns:
        The id.

    Raises:
        ConflictError: The name is taken.
        ValueError: The password is too long.

    """
    hashed = None if password is None else hash_password(password)
    values = {"id": new_id(), "name": name, "name_key": name_key, "role": role}
    try:
        with database.write() as connection:
            now = database.now(connection)
            connection.execute(insert(account).values(**values, password_hash=hashed, created_at=now))
            append_audit(connection, "account.create", values["id"], actor=actor, at=now, after={"role": role})
    except IntegrityError as error:
        raise NameTakenError from error
    return values["id"]


def find_account(connection: Connection, name_key: str) -> Account:
    """Return the account of a name.

    Args:
        connection: A connection.
        name_key: Skeleton of the name.

    Returns:
        The account.

    Raises:
        NotFoundError: There is no such account.

    """
    columns = (account.c.id, account.c.name, account.c.role)
    row = connection.execute(select(*columns).where(account.c.name_key == name_key)).one_or_none()
    if row is None:
        raise NotFoundError("there is no account of this name", "没有这个名称的账号")
    return Account(*row)


def hash_password(password: str) -> str:
    """Return the hash of a password by Argon2id.

    Args:
        password: The password.

    Returns:
        The hash with its parameters.

    Raises:
        ValueError: It is empty, or has more than 1,024 bytes.

    """
    if not 1 <= len(password.encode("utf-8", "surrogatepass")) <= MAX_PASSWORD:
        raise ValueError(f"a password has between 1 and {MAX_PASSWORD} bytes")
    return _hasher.hash(password)


@cache
def _hash_of_no_account() -> str:
    return _hasher.hash("the time of a wrong name is that of a wrong password")


def check_password(database: Database, name_key: str, password: str) -> Account | None:
    """Return the account of a name and a password.

    A wrong name takes as long as a wrong password.

    Args:
        database: The database.
        name_key: Key of the name.
        password: The password.

    Returns:
        The account; None if the name or the password is wrong, or the account is disabled.

    """
    with database.read() as connection:
        query = select(account).where(account.c.name_key == name_key, account.c.disabled_at.is_(None))
        row = connection.execute(query).one_or_none()
    stored = row.password_hash if row and row.password_hash else _hash_of_no_account()
    is_right = _matches(stored, password)
    if row is None or not row.password_hash or not is_right:
        return None
    if _hasher.check_needs_rehash(stored):
        with database.write() as connection:
            values = {"password_hash": _hasher.hash(password)}
            same = (account.c.id == row.id) & (account.c.password_hash == stored)
            connection.execute(update(account).where(same).values(values))
    return Account(row.id, row.name, row.role)


def _matches(stored: str, password: str) -> bool:
    try:
        return len(password) <= MAX_PASSWORD and _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


def has_password(database: Database, account_id: str) -> bool:
    """Return whether an account can log in by a password.

    Args:
        database: The database.
        account_id: The account.

    Returns:
        Whether it has one.

    """
    with database.read() as connection:
        query = select(account.c.password_hash).where(account.c.id == account_id)
        return connection.execute(query).scalar_one_or_none() is not None


def account_names(connection: Connection, account_ids: Collection[str]) -> dict[str, str]:
    """Return the names of accounts.

    Args:
        connection: A connection.
        account_ids: Their ids, some hundreds at most.

    Returns:
        The names by id; without those that do not exist.

    """
    query = select(account.c.id, account.c.name).where(account.c.id.in_(list(account_ids)))
    return {row[0]: row[1] for row in connection.execute(query)}


def set_password(database: Database, account_id: str, password: str, *, actor: Actor) -> None:
    """Set the password of an account, and end its sessions.

    Args:
        database: The database.
        account_id: The account.
        password: The new password.
        actor: Actor for the audit log.

    Raises:
        NotFoundError: There is no such account.
        ValueError: The password is too long.

    """
    values = {"password_hash": hash_password(password)}
    _change_account(database, account_id, "account.password", values, actor)


def disable_account(database: Database, account_id: str, *, actor: Actor) -> None:
    """Disable an account: its password, sessions and tokens do not work any more.

    Args:
        database: The database.
        account_id: The account.
        actor: Actor for the audit log.

    Raises:
        NotFoundError: There is no such account.

    """
    _change_account(database, account_id, "account.disable", {}, actor, times=("disabled_at",))


def erase_account(database: Database, account_id: str, *, actor: Actor) -> None:
    """Erase the name and the password of an account. Its submissions stay.

    Args:
        database: The database.
        account_id: The account.
        actor: Actor for the audit log.

    Raises:
        NotFoundError: There is no such account.

    """
    erased = {"name": "", "name_key": f"erased:{account_id}", "password_hash": None}
    _change_account(database, account_id, "account.erase", erased, actor, times=("disabled_at", "erased_at"))


def _change_account(
    database: Database,
    account_id: str,
    action: str,
    values: Mapping[str, object],
    actor: Actor,
    *,
    times: Sequence[str] = (),
) -> None:
    """Change an account, set some of its columns to the time, and end its sessions."""
    with database.write() as connection:
        now = database.now(connection)
        values = {**values, **dict.fromkeys(times, now)}
        if connection.execute(update(account).where(account.c.id == account_id).values(values)).rowcount != 1:
            raise NotFoundError(f"there is no account {account_id!r}", "没有这个账号")
        open_ones = (session.c.account == account_id) & session.c.revoked_at.is_(None)
        connection.execute(update(session).where(open_ones).values(revoked_at=now))
        append_audit(connection, action, account_id, actor=actor, at=now)


def start_session(database: Database, account_id: str, *, lasts: timedelta) -> str:
    """Start a session of a browser.

    Args:
        database: The database.
        account_id: The account.
        lasts: Time until it ends.

    Returns:
        The secret for the cookie; only its hash is stored.

    """
    secret = new_secret("session")
    with database.write() as connection:
        now = database.now(connection)
        values = {"sha256": secret_hash(secret), "account": account_id, "created_at": now, "expires_at": now + lasts}
        connection.execute(insert(session).values(values))
    return secret


def account_of_session(database: Database, secret: str) -> Account | None:
    """Return the account of a session.

    Args:
        database: The database.
        secret: The secret of the cookie.

    Returns:
        The account; None if the session has ended, or never existed.

    """
    row = _owner(database, "session", session, secret)
    return Account(row.id, row.name, row.role) if row else None


def end_session(database: Database, secret: str) -> None:
    """End a session.

    Args:
        database: The database.
        secret: The secret of the cookie.

    """
    with database.write() as connection:
        mine = (session.c.sha256 == secret_hash(secret)) & session.c.revoked_at.is_(None)
        connection.execute(update(session).where(mine).values(revoked_at=database.now(connection)))


def create_token(
    database: Database,
    account_id: str,
    *,
    label: str,
    scopes: Sequence[str],
    lasts: timedelta | None = None,
    actor: Actor,
) -> str:
    """Create an API token.

    Args:
        database: The database.
        account_id: The account.
        label: A label for its owner.
        scopes: Scopes, the actions that it allows.
        lasts: Time until it ends; None for never.
        actor: Actor for the audit log.

    Returns:
        The secret, which is shown once; only its hash is stored.

    """
    secret, token_id = new_secret("token"), new_id()
    with database.write() as connection:
        now = database.now(connection)
        described = {"account": account_id, "scopes": list(scopes)}
        ends = now + lasts if lasts else None
        values = {"id": token_id, "sha256": secret_hash(secret), "label": label, "expires_at": ends, **described}
        connection.execute(insert(api_token).values(**values, created_at=now))
        append_audit(connection, "token.create", token_id, actor=actor, at=now, after=described)
    return secret


def account_of_token(database: Database, secret: str) -> Account | None:
    """Return the account of an API token, with its scopes.

    Args:
        database: The database.
        secret: The token.

    Returns:
        The account; None if the token has ended, or never existed.

    """
    row = _owner(database, "token", api_token, secret, api_token.c.scopes)
    return Account(row.id, row.name, row.role, tuple(row.scopes)) if row else None


def _owner(database: Database, kind: str, table: Table, secret: str, *columns: ColumnElement[Any]) -> Row[Any] | None:
    """Return the account of a session or a token that is valid, with further columns."""
    if not is_secret(secret, kind):
        return None
    with database.read() as connection:
        query = (
            select(account.c.id, account.c.name, account.c.role, *columns)
            .join(table, table.c.account == account.c.id)
            .where(table.c.sha256 == secret_hash(secret), table.c.revoked_at.is_(None), account.c.disabled_at.is_(None))
            .where(or_(table.c.expires_at.is_(None), table.c.expires_at > database.now(connection)))
        )
        return connection.execute(query).one_or_none()


def list_tokens(connection: Connection, account_id: str) -> list[ApiToken]:
    """Return the API tokens of an account.

    Args:
        connection: A connection.
        account_id: The account.

    Returns:
        The tokens, the oldest first.

    """
    columns = [api_token.c[name] for name in ApiToken._fields]
    query = select(*columns).where(api_token.c.account == account_id).order_by(api_token.c.created_at, api_token.c.id)
    return [ApiToken(*row) for row in connection.execute(query)]


def revoke_token(database: Database, token_id: str, *, account_id: str, actor: Actor) -> None:
    """Revoke an API token.

    Args:
        database: The database.
        token_id: The token.
        account_id: Its owner.
        actor: Actor for the audit log.

    Raises:
        NotFoundError: The account has no such token, or it is revoked.

    """
    with database.write() as connection:
        now = database.now(connection)
        mine = (api_token.c.id == token_id) & (api_token.c.account == account_id) & api_token.c.revoked_at.is_(None)
        if connection.execute(update(api_token).where(mine).values(revoked_at=now)).rowcount != 1:
            raise NotFoundError(f"there is no token {token_id!r} that works", "没有这个有效的令牌")
        append_audit(connection, "token.revoke", token_id, actor=actor, at=now)
