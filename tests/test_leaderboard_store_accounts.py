"""Accounts, sessions, tokens, teams and invitations: secrets are stored as hashes, and rules hold at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from leaderboard_boards import ADMIN
from muge_fast.leaderboard.store import accounts, secrets
from muge_fast.leaderboard.store.accounts import (
    account_of_session,
    account_of_token,
    check_password,
    create_account,
    create_token,
    disable_account,
    end_session,
    erase_account,
    list_tokens,
    revoke_token,
    set_password,
    start_session,
)
from muge_fast.leaderboard.store.errors import ConflictError, NotFoundError, RefusedError
from muge_fast.leaderboard.store.teams import (
    accept_invitation,
    change_team,
    create_team,
    find_team,
    invite,
    leave_team,
    memberships_of,
    revoke_invitations,
    team_of,
)

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def fast_hashes(monkeypatch):
    """Hash passwords with little memory."""
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    accounts._hash_of_no_account.cache_clear()
    yield
    accounts._hash_of_no_account.cache_clear()


def register(board, name: str = "ann", password: str | None = "red skirt") -> str:  # noqa: S107 - of a test
    return create_account(board.database, name=name, name_key=name, password=password, actor=ADMIN)


def test_passwords_are_stored_as_argon2id(board):
    account = register(board)
    assert check_password(board.database, "ann", "red skirt").id == account
    assert board.scalar("SELECT password_hash FROM account WHERE name = 'ann'").startswith("$argon2id$")
    for name, password in (("ann", "Red skirt"), ("bob", "red skirt"), ("ann", ""), ("ann", "x" * 5000)):
        assert check_password(board.database, name, password) is None
    assert check_password(board.database, "red", "") is None  # An account with tokens only.


def test_a_wrong_name_costs_a_hash_too(board, monkeypatch):
    verified = []
    monkeypatch.setattr(accounts, "_matches", lambda stored, _password: verified.append(stored) or False)
    assert check_password(board.database, "unknown", "x") is None
    assert verified[0].startswith("$argon2id$")


def test_hashes_with_old_parameters_are_written_again(board, monkeypatch):
    register(board)
    old = board.scalar("SELECT password_hash FROM account WHERE name = 'ann'")
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert check_password(board.database, "ann", "red skirt")
    assert board.scalar("SELECT password_hash FROM account WHERE name = 'ann'") != old
    assert check_password(board.database, "ann", "red skirt")


@pytest.mark.parametrize("password", ["", "x" * 1025])
def test_passwords_have_a_length(board, password):
    with pytest.raises(ValueError, match="between 1 and 1024 bytes"):
        register(board, password=password)


def test_names_are_unique_by_their_key(board):
    register(board)
    with pytest.raises(ConflictError, match="the name is taken"):
        create_account(board.database, name="Ann", name_key="ann", actor=ADMIN)


def test_sessions_end(board):
    account = register(board)
    session = start_session(board.database, account, lasts=DAY)
    assert account_of_session(board.database, session).id == account
    assert board.scalar("SELECT sha256 FROM session") == secrets.secret_hash(session)
    assert account_of_session(board.database, session[:-1] + ("0" if session[-1] != "0" else "1")) is None
    other = start_session(board.database, account, lasts=2 * DAY)
    board.clock.advance(days=1)
    assert account_of_session(board.database, session) is None
    assert account_of_session(board.database, other).id == account
    end_session(board.database, other)
    assert account_of_session(board.database, other) is None


@pytest.mark.parametrize("end", ["password", "disable", "erase"])
def test_a_new_password_and_the_end_of_an_account_end_its_sessions(board, end):
    account = register(board)
    session = start_session(board.database, account, lasts=DAY)
    token = create_token(board.database, account, label="laptop", scopes=["submit"], actor=ADMIN)
    if end == "password":
        set_password(board.database, account, "blue skirt", actor=ADMIN)
        assert check_password(board.database, "ann", "blue skirt")
    else:
        {"disable": disable_account, "erase": erase_account}[end](board.database, account, actor=ADMIN)
        assert check_password(board.database, "ann", "red skirt") is None
        assert account_of_token(board.database, token) is None
    assert account_of_session(board.database, session) is None


def test_erased_accounts_leave_their_name(board):
    account = register(board)
    erase_account(board.database, account, actor=ADMIN)
    assert board.scalar("SELECT count(*) FROM account WHERE name = 'ann' OR password_hash IS NOT NULL") == 0
    assert register(board) != account
    with pytest.raises(NotFoundError):
        erase_account(board.database, "other", actor=ADMIN)


def test_tokens_have_scopes_and_can_be_revoked(board):
    account = register(board)
    token = create_token(board.database, account, label="laptop", scopes=["submit"], lasts=2 * DAY, actor=ADMIN)
    found = account_of_token(board.database, token)
    assert (found.id, found.scopes) == (account, ("submit",))
    with board.database.read() as connection:
        (listed,) = list_tokens(connection, account)
        dump = " ".join(str(row) for row in connection.execute(text("SELECT * FROM api_token")))
    assert token.split("_")[2][:64] not in dump
    with pytest.raises(NotFoundError):
        revoke_token(board.database, listed.id, account_id=board.accounts["red"], actor=ADMIN)
    board.clock.advance(days=1)
    assert account_of_token(board.database, token)
    revoke_token(board.database, listed.id, account_id=account, actor=ADMIN)
    assert account_of_token(board.database, token) is None


def test_tokens_expire(board):
    token = create_token(board.database, register(board), label="", scopes=[], lasts=DAY, actor=ADMIN)
    board.clock.advance(days=1)
    assert account_of_token(board.database, token) is None


def test_secrets_of_one_kind_are_not_those_of_another(board):
    account = register(board)
    token = create_token(board.database, account, label="", scopes=[], actor=ADMIN)
    assert account_of_session(board.database, token) is None
    assert not secrets.is_secret(token, "invitation")
    assert secrets.is_secret(token, "token")
    assert not any(secrets.is_secret(wrong, "token") for wrong in ("", "\0", token + "\n", token.upper(), token[:-1]))


# Teams


def link_to(board, team: str = "red", **options) -> str:
    options = {"lasts": DAY, "account_id": board.accounts[team]} | options
    return invite(board.database, board.teams[team], actor=ADMIN, **options)


def test_an_invitation_is_used_once(board):
    ann, bob = register(board), register(board, "bob")
    link = link_to(board)
    assert accept_invitation(board.database, link, account_id=ann, actor=ADMIN) == board.teams["red"]
    with board.database.read() as connection:
        assert team_of(connection, ann).name == "red"
        assert [one.account for one in memberships_of(connection, board.teams["red"])] == [board.accounts["red"], ann]
    with pytest.raises(NotFoundError, match="ask for a new one"):
        accept_invitation(board.database, link, account_id=bob, actor=ADMIN)


def test_invitations_expire_and_can_be_revoked(board):
    ann = register(board)
    old, revoked = link_to(board), link_to(board, lasts=3 * DAY)
    board.clock.advance(days=1)
    assert revoke_invitations(board.database, board.teams["red"], actor=ADMIN) == 2
    for link in (old, revoked, "mfb_invitation_", secrets.new_secret("invitation")):
        with pytest.raises(NotFoundError):
            accept_invitation(board.database, link, account_id=ann, actor=ADMIN)


def test_only_members_invite(board):
    with pytest.raises(RefusedError, match="only members"):
        link_to(board, account_id=board.accounts["blue"])


def test_an_account_is_in_one_team(board):
    link = link_to(board)
    with pytest.raises(RefusedError, match="is in the team blue: leave it first"):
        accept_invitation(board.database, link, account_id=board.accounts["blue"], actor=ADMIN)
    with pytest.raises(RefusedError, match="leave it first"):
        create_team(board.database, name="x", name_key="x", founder=board.accounts["blue"], actor=ADMIN)
    leave_team(board.database, board.accounts["blue"], actor=ADMIN)
    accept_invitation(board.database, link, account_id=board.accounts["blue"], actor=ADMIN)
    with board.database.read() as connection:
        (past,) = memberships_of(connection, board.teams["blue"])
    assert past.left_at == board.clock.now


def test_a_full_team_takes_no_one(board):
    link = link_to(board)
    with pytest.raises(RefusedError, match="it has 1 members"):
        accept_invitation(board.database, link, account_id=register(board), max_members=1, actor=ADMIN)


def test_leaving_no_team_is_refused(board):
    with pytest.raises(RefusedError, match="in no team"):
        leave_team(board.database, register(board), actor=ADMIN)


def test_leaving_with_a_clock_that_stepped_back(board):
    board.clock.advance(hours=-1)
    leave_team(board.database, board.accounts["red"], actor=ADMIN)
    with board.database.read() as connection:
        (past,) = memberships_of(connection, board.teams["red"])
    assert past.left_at == past.joined_at


def test_teams_change_their_name_unless_it_is_taken(board):
    board.accept()
    version = board.scalar("SELECT board_version FROM task")
    change_team(board.database, board.teams["red"], name=("Rot", "rot"), alias="team 7", public=False, actor=ADMIN)
    with board.database.read() as connection:
        assert find_team(connection, board.teams["red"])[1:4] == ("Rot", "team 7", False)
    assert board.scalar("SELECT board_version FROM task") == version + 1
    with pytest.raises(ConflictError, match="name is taken"):
        change_team(board.database, board.teams["red"], name=("Blue", "blue"), actor=ADMIN)
    with pytest.raises(NotFoundError):
        change_team(board.database, "other", public=True, actor=ADMIN)


def test_32_requests_never_put_an_account_into_two_teams_or_a_team_over_its_size(board):
    people = [register(board, f"p{number}", None) for number in range(8)]
    links = [link_to(board) for _ in range(32)]

    def join(number: int) -> bool:
        try:
            accept_invitation(board.database, links[number], account_id=people[number % 8], max_members=5, actor=ADMIN)
        except (ConflictError, RefusedError):
            return False
        return True

    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(join, range(32))) == 4
    assert board.scalar("SELECT count(*) FROM membership WHERE left_at IS NULL") == 6
    assert board.scalar("SELECT count(DISTINCT account) FROM membership WHERE left_at IS NULL") == 6
    assert board.scalar("SELECT count(*) FROM invitation WHERE used_at IS NOT NULL") == 4


def test_32_requests_with_one_invitation_add_one_member(board):
    people = [register(board, f"p{number}", None) for number in range(32)]
    link = link_to(board)

    def join(person: str) -> bool:
        try:
            accept_invitation(board.database, link, account_id=person, actor=ADMIN)
        except NotFoundError:
            return False
        return True

    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(join, people)) == 1
