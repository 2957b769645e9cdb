"""The first tables."""

from __future__ import annotations

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


def _make_task() -> None:
    op.create_table(
        "task",
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("higher_is_better", sa.Boolean(), nullable=False),
        sa.Column("board_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_accepted_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name="pk_task"),
    )


def _make_task_version() -> None:
    op.create_table(
        "task_version",
        sa.Column("task", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("settings", JsonText(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["task"], ["task.slug"], name="fk_task_version_task"),
        sa.PrimaryKeyConstraint("task", "version", name="pk_task_version"),
    )


def _make_evaluator() -> None:
    op.create_table(
        "evaluator",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("task", sa.String(length=64), nullable=False),
        sa.Column("gold_sha256", sa.String(length=64), nullable=False),
        sa.Column("package_version", sa.Text(), nullable=False),
        sa.Column("options", JsonText(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="draft", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("activated_at", Instant(), nullable=True),
        sa.Column("retired_at", Instant(), nullable=True),
        sa.CheckConstraint("state IN ('draft', 'active', 'retired')", name="ck_evaluator_state"),
        sa.CheckConstraint("length(gold_sha256) = 64", name="ck_evaluator_gold_sha256"),
        sa.ForeignKeyConstraint(["task"], ["task.slug"], name="fk_evaluator_task"),
        sa.PrimaryKeyConstraint("id", name="pk_evaluator"),
    )
    op.create_index(
        "uq_evaluator_active",
        "evaluator",
        ["task"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )


def _make_account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("role", sa.String(length=16), server_default="participant", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.Column("erased_at", Instant(), nullable=True),
        sa.CheckConstraint("role IN ('participant', 'organizer', 'admin')", name="ck_account_role"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name_key", name="uq_account_name_key"),
    )


def _make_session() -> None:
    op.create_table(
        "session",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.CheckConstraint("length(sha256) = 64", name="ck_session_sha256"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_session_account"),
        sa.PrimaryKeyConstraint("sha256", name="pk_session"),
    )
    op.create_index("ix_session_account", "session", ["account"], unique=False)


def _make_api_token() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("scopes", JsonText(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.CheckConstraint("length(sha256) = 64", name="ck_api_token_sha256"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_api_token_account"),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("sha256", name="uq_api_token_sha256"),
    )
    op.create_index("ix_api_token_account", "api_token", ["account"], unique=False)


def _make_team() -> None:
    op.create_table(
        "team",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("host", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_team"),
        sa.UniqueConstraint("name_key", name="uq_team_name_key"),
    )


def _make_membership() -> None:
    op.create_table(
        "membership",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("joined_at", Instant(), nullable=False),
        sa.Column("left_at", Instant(), nullable=True),
        sa.CheckConstraint("left_at IS NULL OR left_at >= joined_at", name="ck_membership_order"),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name="fk_membership_account"),
        sa.ForeignKeyConstraint(["team"], ["team.id"], name="fk_membership_team"),
        sa.PrimaryKeyConstraint("id", name="pk_membership"),
    )
    op.create_index("ix_membership_team", "membership", ["team"], unique=False)
    op.create_index(
        "uq_membership_current",
        "membership",
        ["account"],
        unique=True,
        sqlite_where=sa.text("left_at IS NULL"),
        postgresql_where=sa.text("left_at IS NULL"),
    )


def _make_invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_by", sa.String(length=64), nullable=True),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.CheckConstraint("(used_by IS NULL) = (used_at IS NULL)", name="ck_invitation_used"),
        sa.CheckConstraint("length(sha256) = 64", name="ck_invitation_sha256"),
        sa.ForeignKeyConstraint(["created_by"], ["account.id"], name="fk_invitation_created_by"),
        sa.ForeignKeyConstraint(["team"], ["team.id"], name="fk_invitation_team"),
        sa.ForeignKeyConstraint(["used_by"], ["account.id"], name="fk_invitation_used_by"),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("sha256", name="uq_invitation_sha256"),
    )
    op.create_index("ix_invitation_team", "invitation", ["team"], unique=False)


def _make_blob() -> None:
    op.create_table(
        "blob",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name="ck_blob_sha256"),
        sa.CheckConstraint("size >= 0", name="ck_blob_size"),
        sa.PrimaryKeyConstraint("sha256", name="pk_blob"),
    )


def _make_submission() -> None:
    op.create_table(
        "submission",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("task", sa.String(length=64), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("blob", sa.String(length=64), nullable=False),
        sa.Column("accepted_at", Instant(), nullable=False),
        sa.Column("client_key", sa.String(length=200), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("links", JsonText(), nullable=False),
        sa.Column("visible", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("ruled_out_at", Instant(), nullable=True),
        sa.Column("ruled_out_reason", sa.Text(), nullable=True),
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
    op.create_index("ix_submission_blob", "submission", ["blob"], unique=False)
    op.create_index("ix_submission_task_accepted_at", "submission", ["task", "accepted_at"], unique=False)
    op.create_index(
        "ix_submission_task_account_accepted_at", "submission", ["task", "account", "accepted_at"], unique=False
    )


def _make_evaluation() -> None:
    op.create_table(
        "evaluation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("submission", sa.String(length=64), nullable=False),
        sa.Column("evaluator", sa.String(length=64), nullable=False),
        sa.Column("original", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="queued", nullable=False),
        sa.Column("waived", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("faults", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", Instant(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
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
    op.create_index("ix_evaluation_evaluator_state", "evaluation", ["evaluator", "state"], unique=False)
    op.create_index(
        "ix_evaluation_state_priority_created_at", "evaluation", ["state", "priority", "created_at"], unique=False
    )
    op.create_index(
        "uq_evaluation_original",
        "evaluation",
        ["submission"],
        unique=True,
        sqlite_where=sa.text("original"),
        postgresql_where=sa.text("original"),
    )


def _make_verdict() -> None:
    op.create_table(
        "verdict",
        sa.Column("evaluation", sa.String(length=64), nullable=False),
        sa.Column("submission", sa.String(length=64), nullable=False),
        sa.Column("evaluator", sa.String(length=64), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("accepted_at", Instant(), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("report", JsonText(), nullable=False),
        sa.Column("scores", JsonText(), nullable=False),
        sa.Column("published", sa.Double(), nullable=True),
        sa.Column("order_key", sa.Double(), nullable=True),
        sa.Column("rows_blob", sa.String(length=64), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("package_version", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
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
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("task", sa.String(length=64), nullable=False),
        sa.Column("from_evaluator", sa.String(length=64), nullable=False),
        sa.Column("to_evaluator", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="computing", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.CheckConstraint("(state IN ('applied', 'cancelled')) = (decided_at IS NOT NULL)", name="ck_rejudge_decided"),
        sa.CheckConstraint("state IN ('computing', 'ready', 'applied', 'cancelled')", name="ck_rejudge_state"),
        sa.CheckConstraint("from_evaluator <> to_evaluator", name="ck_rejudge_evaluators"),
        sa.CheckConstraint("length(reason) > 0", name="ck_rejudge_reason"),
        sa.ForeignKeyConstraint(["from_evaluator"], ["evaluator.id"], name="fk_rejudge_from_evaluator"),
        sa.ForeignKeyConstraint(["task"], ["task.slug"], name="fk_rejudge_task"),
        sa.ForeignKeyConstraint(["to_evaluator"], ["evaluator.id"], name="fk_rejudge_to_evaluator"),
        sa.PrimaryKeyConstraint("id", name="pk_rejudge"),
    )
    op.create_index(
        "uq_rejudge_open",
        "rejudge",
        ["task"],
        unique=True,
        sqlite_where=sa.text("state IN ('computing', 'ready')"),
        postgresql_where=sa.text("state IN ('computing', 'ready')"),
    )


def _make_month() -> None:
    op.create_table(
        "month",
        sa.Column("task", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("evaluator", sa.String(length=64), nullable=False),
        sa.Column("closed_at", Instant(), nullable=False),
        sa.Column("boundary", Instant(), nullable=False),
        sa.Column("rows", JsonText(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("closed_at >= boundary", name="ck_month_closed"),
        sa.CheckConstraint("length(month) = 7", name="ck_month_month"),
        sa.CheckConstraint("length(sha256) = 64", name="ck_month_sha256"),
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
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", JsonText(), nullable=True),
        sa.Column("after", JsonText(), nullable=True),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("length(hash) = 64", name="ck_audit_hash"),
        sa.CheckConstraint("length(previous_hash) = 64", name="ck_audit_previous_hash"),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
        sa.UniqueConstraint("hash", name="uq_audit_hash"),
    )
