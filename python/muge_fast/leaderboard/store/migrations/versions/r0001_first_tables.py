"""The first tables."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from muge_fast.leaderboard.store.column_types import Instant, JsonText
from muge_fast.leaderboard.store.guards import REFUSE_FUNCTION, Guard, trigger_statements

revision = "0001"
down_revision = None

GUARDS = (
    Guard("task_version"),
    Guard("blob"),
    Guard("verdict"),
    Guard("month"),
    Guard("audit"),
    Guard(
        "submission",
        fixed=("id", "task", "team", "account", "number", "blob", "accepted_at", "client_key", "method", "links"),
    ),
    Guard("evaluator", fixed=("id", "task", "gold_sha256", "package_version", "options", "signature", "created_at")),
    Guard(
        "evaluation",
        fixed=("id", "submission", "evaluator", "original", "created_at"),
        final="OLD.state IN ('scored', 'invalid')",
    ),
    Guard(
        "rejudge",
        fixed=("id", "task", "from_evaluator", "to_evaluator", "reason", "actor", "created_at"),
        final="OLD.state IN ('applied', 'cancelled')",
    ),
    Guard("membership", fixed=("id", "account", "team", "joined_at"), final="OLD.left_at IS NOT NULL"),
)


def upgrade() -> None:
    """Make the tables and their guards."""
    _make_task()
    _make_task_version()
    _make_evaluator()
    _make_account()
    _make_session()
    _make_api_token()
    _make_team()
    _make_membership()
    _make_invitation()
    _make_blob()
    _make_submission()
    _make_evaluation()
    _make_verdict()
    _make_rejudge()
    _make_month()
    _make_audit()
    dialect = op.get_context().dialect.name
    if dialect == "postgresql":
        op.execute(REFUSE_FUNCTION)
    for guard in GUARDS:
        for statement in trigger_statements(dialect, guard):
            op.execute(sa.text(statement))


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.String(length=36), nullable=False)


def _key(name: str, *, nullable: bool = False) -> sa.Column[str]:
    """Return a column of ids of another table, of hashes, or of names of tasks."""
    return sa.Column(name, sa.String(length=64), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, JsonText(), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, Instant(), nullable=nullable)


def _is_hash(table: str, column: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"length({column}) = 64", name=f"ck_{table}_{column}")


def _make_unique_where(name: str, table: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, [column], unique=True, sqlite_where=where, postgresql_where=where)


def _make_task() -> None:
    op.create_table(
        "task",
        _key("slug"),
        _flag("higher_is_better"),
        sa.Column("board_version", sa.BigInteger(), server_default="0", nullable=False),
        _time("last_accepted_at", nullable=True),
        _time("created_at"),
        sa.PrimaryKeyConstraint("slug", name="pk_task"),
    )


def _make_task_version() -> None:
    op.create_table(
        "task_version",
        _key("task"),
        sa.Column("version", sa.Integer(), nullable=False),
        _json("settings"),
        _text("actor"),
        _time("created_at"),
        sa.ForeignKeyConstraint(["task"], ["task.slug"], name="fk_task_version_task"),
        sa.PrimaryKeyConstraint("task", "version", name="pk_task_version"),
    )


def _make_evaluator() -> None:
    op.create_table(
        "evaluator",
        _id(),
        _key("task"),
        _key("gold_sha256"),
        _text("package_version"),
        _json("options"),
        _text("signature"),
        sa.Column("state", sa.String(length=16), server_default="draft", nullable=False),
        _time("created_at"),
        _time("activated_at", nullable=True),
        _time("retired_at", nullable=True),
        sa.CheckConstraint("state IN ('draft', 'active', 'retired')", name="ck_evaluator_state"),
        _is_hash("evaluator", "gold_sha256"),
        sa.ForeignKeyConstraint(["task"], ["task.slug"], name="fk_evaluator_task"),
        sa.PrimaryKeyConstraint("id", name="pk_evaluator"),
    )
    _make_unique_where("uq_evaluator_active", "evaluator", "task", "state = 'active'")


def _make_account() -> None:
    op.create_table(
        "account",
        _id(),
        _text("name"),
        _text("name_key"),
        _text("password_hash", nullable=True),
        sa.Column("role", sa.String(length=16), server_default="participant", nullable=False),
        _time("created_at"),
        _time("disabled_at", nullable=True),
        _time("erased_at", nullable=True),
        sa.CheckConstraint("role IN ('participant', 'organizer', 'admin')", name="ck_account_role"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name_key", name="uq_account_name_key"),
    )


def _make_session() -> None:
    op.create_table(
        "session",
        _key("sha256"),
        _key("account"),
        _time("created_at"),
        _time("expires_at"),
        _time("revoked_at", nullable=True),
        _is_hash("session", "sha256"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_session_account"),
        sa.PrimaryKeyConstraint("sha256", name="pk_session"),
    )
    op.create_index("ix_session_account", "session", ["account"])


def _make_api_token() -> None:
    op.create_table(
        "api_token",
        _id(),
        _key("sha256"),
        _key("account"),
        _text("label"),
        _json("scopes"),
        _time("created_at"),
        _time("expires_at", nullable=True),
        _time("revoked_at", nullable=True),
        _is_hash("api_token", "sha256"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_api_token_account"),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("sha256", name="uq_api_token_sha256"),
    )
    op.create_index("ix_api_token_account", "api_token", ["account"])


def _make_team() -> None:
    op.create_table(
        "team",
        _id(),
        _text("name"),
        _text("name_key"),
        _text("alias", nullable=True),
        _flag("public"),
        _flag("host"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_team"),
        sa.UniqueConstraint("name_key", name="uq_team_name_key"),
    )


def _make_membership() -> None:
    op.create_table(
        "membership",
        _id(),
        _key("account"),
        _key("team"),
        _time("joined_at"),
        _time("left_at", nullable=True),
        sa.CheckConstraint("left_at IS NULL OR left_at >= joined_at", name="ck_membership_order"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_membership_account"),
        sa.ForeignKeyConstraint(["team"], ["team.id"], name="fk_membership_team"),
        sa.PrimaryKeyConstraint("id", name="pk_membership"),
    )
    op.create_index("ix_membership_team", "membership", ["team"])
    _make_unique_where("uq_membership_current", "membership", "account", "left_at IS NULL")


def _make_invitation() -> None:
    op.create_table(
        "invitation",
        _id(),
        _key("sha256"),
        _key("team"),
        _key("created_by"),
        _time("created_at"),
        _time("expires_at"),
        _key("used_by", nullable=True),
        _time("used_at", nullable=True),
        _time("revoked_at", nullable=True),
        sa.CheckConstraint("(used_by IS NULL) = (used_at IS NULL)", name="ck_invitation_used"),
        _is_hash("invitation", "sha256"),
        sa.ForeignKeyConstraint(["created_by"], ["account.id"], name="fk_invitation_created_by"),
        sa.ForeignKeyConstraint(["team"], ["team.id"], name="fk_invitation_team"),
        sa.ForeignKeyConstraint(["used_by"], ["account.id"], name="fk_invitation_used_by"),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("sha256", name="uq_invitation_sha256"),
    )
    op.create_index("ix_invitation_team", "invitation", ["team"])


def _make_blob() -> None:
    op.create_table(
        "blob",
        _key("sha256"),
        sa.Column("size", sa.BigInteger(), nullable=False),
        _time("created_at"),
        _is_hash("blob", "sha256"),
        sa.CheckConstraint("size >= 0", name="ck_blob_size"),
        sa.PrimaryKeyConstraint("sha256", name="pk_blob"),
    )


def _make_submission() -> None:
    op.create_table(
        "submission",
        _id(),
        _key("task"),
        _key("team"),
        _key("account"),
        sa.Column("number", sa.Integer(), nullable=False),
        _key("blob"),
        _time("accepted_at"),
        sa.Column("client_key", sa.String(length=200), nullable=False),
        _text("method"),
        _json("links"),
        _flag("visible"),
        _time("withdrawn_at", nullable=True),
        _time("ruled_out_at", nullable=True),
        _text("ruled_out_reason", nullable=True),
        sa.CheckConstraint("(ruled_out_at IS NULL) = (ruled_out_reason IS NULL)", name="ck_submission_ruled_out"),
        sa.CheckConstraint("number >= 1", name="ck_submission_number"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_submission_account"),
        sa.ForeignKeyConstraint(["blob"], ["blob.sha256"], name="fk_submission_blob"),
        sa.ForeignKeyConstraint(["task"], ["task.slug"], name="fk_submission_task"),
        sa.ForeignKeyConstraint(["team"], ["team.id"], name="fk_submission_team"),
        sa.PrimaryKeyConstraint("id", name="pk_submission"),
        sa.UniqueConstraint("account", "client_key", name="uq_submission_account_client_key"),
        sa.UniqueConstraint("team", "task", "number", name="uq_submission_team_task_number"),
    )
    op.create_index("ix_submission_blob", "submission", ["blob"])
    op.create_index("ix_submission_task_accepted_at", "submission", ["task", "accepted_at"])
    op.create_index(
        "ix_submission_task_account_accepted_at", "submission", ["task", "account", "accepted_at"], unique=False
    )


def _make_evaluation() -> None:
    op.create_table(
        "evaluation",
        _id(),
        _key("submission"),
        _key("evaluator"),
        _flag("original"),
        sa.Column("state", sa.String(length=16), server_default="queued", nullable=False),
        _flag("waived"),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("faults", sa.Integer(), server_default="0", nullable=False),
        _time("lease_until", nullable=True),
        _text("worker", nullable=True),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        _time("not_before"),
        _time("created_at"),
        _time("started_at", nullable=True),
        _time("finished_at", nullable=True),
        _text("fault", nullable=True),
        sa.CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", name="ck_evaluation_lease"),
        sa.CheckConstraint("(state IN ('queued', 'running')) = (finished_at IS NULL)", name="ck_evaluation_finished"),
        sa.CheckConstraint("state <> 'running' OR (worker IS NOT NULL AND attempt >= 1)", name="ck_evaluation_worker"),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'scored', 'invalid', 'faulted', 'cancelled')", name="ck_evaluation_state"
        ),
        sa.CheckConstraint("attempt >= faults AND faults >= 0", name="ck_evaluation_attempts"),
        sa.ForeignKeyConstraint(["evaluator"], ["evaluator.id"], name="fk_evaluation_evaluator"),
        sa.ForeignKeyConstraint(["submission"], ["submission.id"], name="fk_evaluation_submission"),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation"),
        sa.UniqueConstraint("submission", "evaluator", name="uq_evaluation_submission_evaluator"),
    )
    op.create_index("ix_evaluation_evaluator_state", "evaluation", ["evaluator", "state"])
    op.create_index(
        "ix_evaluation_state_priority_created_at", "evaluation", ["state", "priority", "created_at"], unique=False
    )
    _make_unique_where("uq_evaluation_original", "evaluation", "submission", "original")


def _make_verdict() -> None:
    op.create_table(
        "verdict",
        _key("evaluation"),
        _key("submission"),
        _key("evaluator"),
        _key("team"),
        _time("accepted_at"),
        _flag("ok"),
        _json("report"),
        _json("scores"),
        sa.Column("published", sa.Double(), nullable=True),
        sa.Column("order_key", sa.Double(), nullable=True),
        _key("rows_blob", nullable=True),
        sa.Column("seconds", sa.Double(), nullable=False),
        _text("package_version"),
        _time("created_at"),
        sa.CheckConstraint(
            "(ok AND published IS NOT NULL) OR (NOT ok AND published IS NULL)", name="ck_verdict_published"
        ),
        sa.CheckConstraint("octet_length(report) <= 65536", name="ck_verdict_report"),
        sa.CheckConstraint(
            "order_key IN (published, -published) OR published IS NULL AND order_key IS NULL",
            name="ck_verdict_order_key",
        ),
        sa.CheckConstraint(
            "published BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308", name="ck_verdict_finite"
        ),
        sa.CheckConstraint("seconds BETWEEN 0 AND 1.7976931348623157e308", name="ck_verdict_seconds"),
        sa.ForeignKeyConstraint(["evaluation"], ["evaluation.id"], name="fk_verdict_evaluation"),
        sa.ForeignKeyConstraint(["evaluator"], ["evaluator.id"], name="fk_verdict_evaluator"),
        sa.ForeignKeyConstraint(["rows_blob"], ["blob.sha256"], name="fk_verdict_rows_blob"),
        sa.ForeignKeyConstraint(["submission"], ["submission.id"], name="fk_verdict_submission"),
        sa.ForeignKeyConstraint(["team"], ["team.id"], name="fk_verdict_team"),
        sa.PrimaryKeyConstraint("evaluation", name="pk_verdict"),
    )
    op.create_index(
        "ix_verdict_best", "verdict", ["evaluator", "team", "order_key", "accepted_at", "submission"], unique=False
    )


def _make_rejudge() -> None:
    op.create_table(
        "rejudge",
        _id(),
        _key("task"),
        _key("from_evaluator"),
        _key("to_evaluator"),
        _text("reason"),
        _text("actor"),
        sa.Column("state", sa.String(length=16), server_default="computing", nullable=False),
        _time("created_at"),
        _time("decided_at", nullable=True),
        sa.CheckConstraint("(state IN ('applied', 'cancelled')) = (decided_at IS NOT NULL)", name="ck_rejudge_decided"),
        sa.CheckConstraint("state IN ('computing', 'ready', 'applied', 'cancelled')", name="ck_rejudge_state"),
        sa.CheckConstraint("from_evaluator <> to_evaluator", name="ck_rejudge_evaluators"),
        sa.CheckConstraint("length(reason) > 0", name="ck_rejudge_reason"),
        sa.ForeignKeyConstraint(["from_evaluator"], ["evaluator.id"], name="fk_rejudge_from_evaluator"),
        sa.ForeignKeyConstraint(["task"], ["task.slug"], name="fk_rejudge_task"),
        sa.ForeignKeyConstraint(["to_evaluator"], ["evaluator.id"], name="fk_rejudge_to_evaluator"),
        sa.PrimaryKeyConstraint("id", name="pk_rejudge"),
    )
    _make_unique_where("uq_rejudge_open", "rejudge", "task", "state IN ('computing', 'ready')")


def _make_month() -> None:
    op.create_table(
        "month",
        _key("task"),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        _key("evaluator"),
        _time("closed_at"),
        _time("boundary"),
        _json("rows"),
        _key("sha256"),
        _text("reason"),
        _text("actor"),
        sa.CheckConstraint("closed_at >= boundary", name="ck_month_closed"),
        sa.CheckConstraint("length(month) = 7", name="ck_month_month"),
        _is_hash("month", "sha256"),
        sa.CheckConstraint("revision = 1 OR length(reason) > 0", name="ck_month_reason"),
        sa.CheckConstraint("revision >= 1", name="ck_month_revision"),
        sa.ForeignKeyConstraint(["evaluator"], ["evaluator.id"], name="fk_month_evaluator"),
        sa.ForeignKeyConstraint(["task"], ["task.slug"], name="fk_month_task"),
        sa.PrimaryKeyConstraint("task", "month", "revision", name="pk_month"),
    )


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        _time("at"),
        _text("actor"),
        _text("action"),
        _text("subject"),
        _json("before", nullable=True),
        _json("after", nullable=True),
        _text("request", nullable=True),
        _key("previous_hash"),
        _key("hash"),
        _is_hash("audit", "hash"),
        _is_hash("audit", "previous_hash"),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
        sa.UniqueConstraint("hash", name="uq_audit_hash"),
    )
