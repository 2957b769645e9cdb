"""Tables of the leaderboard: migrations equal the schema, fixed rows cannot change, unsafe SQLite is refused."""

import math
import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from leaderboard_boards import ADMIN, Board, valid
from muge_fast.leaderboard.store import sqlite
from muge_fast.leaderboard.store.database import Database, open_database
from muge_fast.leaderboard.store.errors import UnsafeDatabaseError
from muge_fast.leaderboard.store.migrations import upgrade
from muge_fast.leaderboard.store.migrations.versions.r0001_first_tables import GUARDS
from muge_fast.leaderboard.store.months import close_month
from muge_fast.leaderboard.store.queue import claim, finish
from muge_fast.leaderboard.store.rejudge import start_rejudge
from muge_fast.leaderboard.store.schema import metadata


def empty_database(address: str, request, tmp_path) -> Database:
    """Return a database of the same kind without tables."""
    if address.startswith("postgresql"):
        return Database(sqlite_or_postgresql(request.getfixturevalue("postgresql_server").new_database()))
    return Database(sqlite_or_postgresql(str(tmp_path / "empty.sqlite")))


def sqlite_or_postgresql(address: str):
    from muge_fast.leaderboard.store.database import _engine  # noqa: PLC0415 - opens a database without tables

    return _engine(address, create=True)


def described(database: Database) -> dict[str, object]:
    """Return columns, constraints and indexes of every table, as the database has them."""
    found = inspect(database.engine)
    kinds = ("columns", "check_constraints", "foreign_keys", "unique_constraints", "indexes")
    described = {}
    for table in metadata.tables:
        for kind in kinds:
            rows = [plain(row) for row in getattr(found, f"get_{kind}")(table)]
            described[table, kind] = sorted(rows, key=lambda row: row["name"])
        described[table, "primary_key"] = found.get_pk_constraint(table)
    return described


def plain(value: object) -> object:
    return {key: plain(one) for key, one in value.items()} if isinstance(value, dict) else str(value)


def test_migrations_give_the_tables_of_the_schema(address, request, tmp_path):
    migrated = open_database(address)
    with migrated.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
    made = empty_database(address, request, tmp_path)
    with made.write() as connection:
        metadata.create_all(connection)
    assert described(migrated) == described(made)
    made.close()
    migrated.close()


def test_migrating_again_changes_nothing(address):
    database = open_database(address, create=True)
    before = described(database)
    with database.write() as connection:
        upgrade(connection)
    assert described(database) == before
    database.close()


def test_tables_of_another_version_are_refused(address):
    database = open_database(address)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    database.close()
    with pytest.raises(UnsafeDatabaseError, match="version 0000, and this package needs 00"):
        open_database(address)


def test_a_database_without_tables_is_refused(address, request, tmp_path):
    empty = empty_database(address, request, tmp_path)
    name = empty.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    with empty.write():
        pass
    empty.close()
    with pytest.raises(UnsafeDatabaseError, match="version none"):
        open_database(name.removeprefix("sqlite:///"))


def test_a_missing_file_is_not_made(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no database .*board init"):
        open_database(tmp_path / "typo.sqlite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["mysql://host/name", "sqlite:///name"])
def test_other_databases_are_refused(address):
    with pytest.raises(ValueError, match="use PostgreSQL or a file of SQLite"):
        open_database(address)


# Guards


@pytest.fixture
def full(board: Board) -> Board:
    """Return a board with a row in every table that is guarded."""
    board.judge()
    close_month(
        board.database,
        "retrieval",
        "2026-10",
        start=board.clock.now,
        boundary=board.clock.now,
        select_rows=len,
        actor=ADMIN,
    )
    start_rejudge(board.database, "retrieval", to_evaluator=board.new_evaluator(), reason="new gold", actor=ADMIN)
    return board


@pytest.mark.parametrize("table", [guard.table for guard in GUARDS])
def test_rows_that_must_stay_cannot_be_deleted(full, table):
    with (
        pytest.raises(IntegrityError, match=rf"DELETE of rows of {table} is refused"),
        full.database.write() as connection,
    ):
        connection.execute(text(f"DELETE FROM {table}"))


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.table)
def test_columns_that_must_stay_cannot_be_changed(full, guard):
    for column in guard.fixed or [column.name for column in metadata.tables[guard.table].columns]:
        refused = pytest.raises(IntegrityError, match=rf"UPDATE of rows of {guard.table} is refused")
        with refused, full.database.write() as connection:
            connection.execute(text(f'UPDATE {guard.table} SET "{column}" = "{column}"'))


def test_other_columns_of_guarded_tables_are_those_that_functions_change():
    changing = {guard.table: set(metadata.tables[guard.table].columns.keys()) - set(guard.fixed) for guard in GUARDS}
    assert changing["submission"] == {"visible", "withdrawn_at", "ruled_out_at", "ruled_out_reason"}
    assert changing["membership"] == {"left_at"}


def test_rows_cannot_be_replaced(full):
    if not full.database.is_sqlite:
        pytest.skip("PostgreSQL has no REPLACE")
    with pytest.raises(IntegrityError, match="is refused"), full.database.write() as connection:
        connection.execute(text("REPLACE INTO verdict SELECT * FROM verdict"))


def test_tables_cannot_be_truncated(full):
    if full.database.is_sqlite:
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(IntegrityError, match="TRUNCATE of rows of audit"), full.database.write() as connection:
        connection.execute(text("TRUNCATE audit"))


def test_a_verdict_is_final(full):
    with pytest.raises(IntegrityError, match="UPDATE of rows of evaluation"), full.database.write() as connection:
        connection.execute(text("UPDATE evaluation SET state = 'queued', finished_at = NULL"))


# Checks


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["published", "seconds", "scores"])
def test_verdicts_have_finite_numbers(board, number, field):
    board.accept()
    job = claim(board.database, "worker")
    value = {"mean_recall": number} if field == "scores" else number
    with pytest.raises(ValueError, match="finite numbers only"):
        finish(board.database, job, valid()._replace(**{field: value}))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_the_database_refuses_numbers_that_are_not_finite(board, number):
    board.accept()
    job = claim(board.database, "worker")
    statement = (
        "INSERT INTO verdict (evaluation, submission, evaluator, team, accepted_at, "
        "ok, report, scores, published, order_key, seconds, package_version, created_at) "
        "SELECT :id, id, :evaluator, team, accepted_at, TRUE, '{}', '{}', :number, :number, 1, '', accepted_at "
        "FROM submission"
    )
    with pytest.raises(IntegrityError, match="ck_verdict"), board.database.write() as connection:
        connection.execute(text(statement), {"id": job.evaluation, "evaluator": job.evaluator, "number": number})


def test_reports_are_bounded(board):
    board.accept()
    job = claim(board.database, "worker")
    with pytest.raises(ValueError, match="at most 65536 are stored"):
        finish(board.database, job, valid()._replace(report=["红" * 30_000]))
    assert finish(board.database, job, valid()._replace(report=["红" * 20_000]))


def test_unknown_states_are_refused(board):
    board.accept()
    with pytest.raises(IntegrityError, match="ck_evaluation_state"), board.database.write() as connection:
        connection.execute(text("UPDATE evaluation SET state = 'lost', finished_at = created_at"))


def test_times_without_a_zone_are_refused(board):
    board.clock.now = board.clock.now.replace(tzinfo=None)
    with pytest.raises(Exception, match="has no zone"):
        board.accept()


# SQLite


@pytest.mark.parametrize(
    ("version", "has_bug"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
    ],
)
def test_versions_with_the_wal_reset_bug_are_known(version, has_bug):
    assert sqlite.has_wal_reset_bug(version) == has_bug


def test_a_library_with_the_wal_reset_bug_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite.sqlite, "sqlite_version_info", (3, 40, 1))
    with pytest.raises(UnsafeDatabaseError, match="WAL-reset bug"):
        open_database(tmp_path / "board.sqlite", create=True)


def test_a_network_file_system_is_refused(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    share = str(tmp_path / "a share").replace(" ", r"\040")
    mounts.write_text(f"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:9 / {share} rw shared:1 - nfs4 server:/ rw\n")
    assert sqlite.file_system(tmp_path, mounts) == "ext4"
    (tmp_path / "a share").mkdir()
    monkeypatch.setattr(sqlite.file_system, "__defaults__", (mounts,))
    with pytest.raises(UnsafeDatabaseError, match=r"network file system \(nfs4\)"):
        open_database(tmp_path / "a share" / "board.sqlite", create=True)


def test_settings_of_sqlite_lose_nothing(sqlite_template):
    database = open_database(sqlite_template)
    with database.read() as connection:
        names = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        assert [connection.execute(text(f"PRAGMA {name}")).scalar() for name in names] == ["wal", 2, 1, 1]
    database.close()


def test_the_revision_of_every_file_is_in_its_name():
    folder = Path(open_database.__code__.co_filename).parent / "migrations" / "versions"
    for path in folder.glob("r*.py"):
        assert re.search(r'^revision = "(\d{4})"', path.read_text(), re.MULTILINE)[1] == path.name[1:5]
