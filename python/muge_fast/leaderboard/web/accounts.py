"""Accounts: logging in and out, registering, passwords."""

from __future__ import annotations

import threading

from muge_fast.leaderboard.rules.names import clean_name, skeleton
from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.store.accounts import (
    MAX_PASSWORD,
    Account,
    account_of_token,
    check_password,
    create_account,
    end_session,
    erase_account,
    has_password,
    set_password,
    start_session,
)
from muge_fast.leaderboard.store.audit import Actor
from muge_fast.leaderboard.store.errors import StoreError
from muge_fast.leaderboard.store.secrets import is_secret
from muge_fast.leaderboard.store.teams import accept_invitation
from muge_fast.leaderboard.web.problems import Problem, ProblemError
from muge_fast.leaderboard.web.rate_limits import address_key
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

MIN_PASSWORD = 8
MAX_NAME = 200

LOGIN_FAILED = Problem(
    401,
    "login_failed",
    "the name or the password is wrong: check both, or log in with a token in place of the password",
    "名称或密码错误：请检查，也可以用令牌代替密码登录",
)
CLOSED = Problem(
    403, "registration_closed", "the host makes the accounts: ask the host", "账号由主办方创建：请联系主办方"
)
INVITED_ONLY = Problem(
    403,
    "invitation_needed",
    "an account needs the invitation of a team: open its link",
    "注册需要队伍的邀请：请打开邀请链接",
)

# Argon2 takes 64 MiB for each password.
_hashing = threading.BoundedSemaphore(2)


def log_in(site: Site, viewer: SiteViewer, name: str, password: str, *, old_session: str | None = None) -> str:
    """Return the secret of a new session.

    A token with the scope ``manage`` counts as a password, so that an account that has only a token can log in.

    Args:
        site: The site.
        viewer: The viewer, whose address is limited.
        name: Name of the account.
        password: Its password, or a token.
        old_session: Secret of a session of the same browser, which ends.

    Returns:
        The secret for the cookie.

    Raises:
        ProblemError: The name or the password is wrong, or there were too many tries. Which of both is wrong, and
            whether the account exists, cannot be seen.

    """
    key = skeleton(name[:MAX_NAME])
    site.limits.logins_of_address.take(address_key(viewer.address))
    site.limits.logins_of_name.take(key)
    account = _account_of(site, key, password.strip() if is_secret(password.strip(), "token") else password)
    if account is None:
        raise ProblemError(LOGIN_FAILED)
    if old_session is not None:
        end_session(site.board.database, old_session)
    return start_session(site.board.database, account.id, lasts=site.options.session_lasts)


def _account_of(site: Site, key: str, password: str) -> Account | None:
    database = site.board.database
    if is_secret(password, "token"):
        account = account_of_token(database, password)
        is_right = account is not None and account.scopes is not None and "manage" in account.scopes
        return account if account is not None and is_right and key in ("", skeleton(account.name)) else None
    with _hashing:
        return check_password(database, key, password)


def log_out(site: Site, secret: str | None) -> None:
    """End a session.

    Args:
        site: The site.
        secret: The secret of the cookie; None without one.

    """
    if secret is not None:
        end_session(site.board.database, secret)


def register(site: Site, viewer: SiteViewer, name: str, password: str, *, invitation: str = "") -> str:
    """Make an account, and return the secret of its first session.

    Args:
        site: The site.
        viewer: The viewer, whose address is limited.
        name: Name of the account, from a stranger.
        password: Its password.
        invitation: Secret of an invitation to a team; needed if the settings say so.

    Returns:
        The secret for the cookie.

    Raises:
        ProblemError: The settings do not allow it, or there were too many registrations.
        RefusalError: The name or the password is not accepted.
        StoreError: The name is taken, or the invitation is not valid. Then there is no account.

    """
    if site.settings.registration == "closed":
        raise ProblemError(CLOSED)
    if site.settings.registration == "invitation" and not invitation:
        raise ProblemError(INVITED_ONLY)
    cleaned = clean_name(name)
    check_new_password(password)
    site.limits.registrations.take(address_key(viewer.address))
    database, actor = site.board.database, viewer.actor
    with _hashing:
        account_id = create_account(database, name=cleaned, name_key=skeleton(cleaned), password=password, actor=actor)
    if invitation:
        try:
            accept_invitation(database, invitation, account_id=account_id, actor=Actor(account_id, actor.request))
        except StoreError:
            # The name is free again.
            erase_account(database, account_id, actor=actor)
            raise
    return start_session(database, account_id, lasts=site.options.session_lasts)


def change_password(site: Site, viewer: SiteViewer, old: str, new: str) -> str:
    """Change the password of the viewer, end all sessions, and return the secret of a new one.

    Args:
        site: The site.
        viewer: The viewer.
        old: The password until now; any for an account that has none.
        new: The new password.

    Returns:
        The secret for the cookie.

    Raises:
        ProblemError: There is no login, the old password is wrong, or there were too many tries.
        RefusalError: The new password is not accepted.

    """
    account, database = viewer.need("manage"), site.board.database
    check_new_password(new)
    site.limits.logins_of_name.take(skeleton(account.name))
    with _hashing:
        if has_password(database, account.id) and check_password(database, skeleton(account.name), old) is None:
            raise ProblemError(LOGIN_FAILED)
        set_password(database, account.id, new, actor=viewer.actor)
    return start_session(database, account.id, lasts=site.options.session_lasts)


def check_new_password(password: str) -> None:
    """Raise if a password is not accepted.

    Args:
        password: The password.

    Raises:
        RefusalError: It is too short or too long (``password_length``).

    Example:
        >>> from muge_fast.leaderboard.web.accounts import check_new_password
        >>> try:
        ...     check_new_password("1234567")
        ... except ValueError as error:
        ...     print(error)
        a password has at least 8 characters and at most 1024 bytes

    """
    if len(password) < MIN_PASSWORD or len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD:
        raise RefusalError(
            "password_length",
            f"a password has at least {MIN_PASSWORD} characters and at most {MAX_PASSWORD} bytes",
            f"密码至少 {MIN_PASSWORD} 个字符，最多 {MAX_PASSWORD} 字节",
        )
