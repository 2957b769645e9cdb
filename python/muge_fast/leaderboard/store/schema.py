"""The tables.

Submissions, verdicts, months and the audit log are never changed or deleted (``guards.py``). A verdict belongs to a
submission and an evaluator, so a new evaluator never touches what an old one computed. The queue is the table
``evaluation``. Boards are queries.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from muge_fast.leaderboard.rules.states import STATES
from muge_fast.leaderboard.store.column_types import Instant, JsonText

EVALUATOR_STATES = ("draft", "active", "retired")
REJUDGE_STATES = ("computing", "ready", "applied", "cancelled")
OPEN_REJUDGE_STATES = ("computing", "ready")
ROLES = ("participant", "organizer", "admin")
MAX_REPORT = 64 * 1024
LARGEST = "1.7976931348623157e308"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id(name: str = "id") -> Column[str]:
    return Column(name, String(36), primary_key=True)


def _reference(name: str, target: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String(64), ForeignKey(target), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, Instant(), nullable=nullable)


def _hash(name: str, *, primary_key: bool = False, unique: bool = False) -> Column[str]:
    check = CheckConstraint(f"length({name}) = 64", name)
    return Column(name, String(64), check, primary_key=primary_key, nullable=False, unique=unique)


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(map(repr, values))})", column)


def _unique_where(name: str, column: str, condition: str) -> Index:
    """Return an index by which rows that meet a condition differ in a column."""
    return Index(name, column, unique=True, sqlite_where=text(condition), postgresql_where=text(condition))


task = Table(
    "task",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("higher_is_better", Boolean, nullable=False),
    # Counts every change that a board could show, so that caches can compare one number.
    Column("board_version", BigInteger, nullable=False, server_default="0"),
    # The latest time of acceptance: later submissions are never earlier, even if the clock steps back.
    _time("last_accepted_at", nullable=True),
    _time("created_at"),
)

task_version = Table(
    "task_version",
    metadata,
    _reference("task", "task.slug"),
    Column("version", Integer, nullable=False),
    Column("settings", JsonText, nullable=False),
    Column("actor", Text, nullable=False),
    _time("created_at"),
    PrimaryKeyConstraint("task", "version"),
)

evaluator = Table(
    "evaluator",
    metadata,
    _id(),
    _reference("task", "task.slug"),
    _hash("gold_sha256"),
    Column("package_version", Text, nullable=False),
    Column("options", JsonText, nullable=False),
    Column("signature", Text, nullable=False),
    Column("state", String(16), nullable=False, server_default="draft"),
    _time("created_at"),
    _time("activated_at", nullable=True),
    _time("retired_at", nullable=True),
    _one_of("state", EVALUATOR_STATES),
    _unique_where("uq_evaluator_active", "task", "state = 'active'"),
)

account = Table(
    "account",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    # The skeleton of the name by the rule for names, equal for names that look alike.
    Column("name_key", Text, nullable=False, unique=True),
    Column("password_hash", Text),
    Column("role", String(16), nullable=False, server_default="participant"),
    _time("created_at"),
    _time("disabled_at", nullable=True),
    _time("erased_at", nullable=True),
    _one_of("role", ROLES),
)

session = Table(
    "session",
    metadata,
    _hash("sha256", primary_key=True),
    _reference("account", "account.id"),
    _time("created_at"),
    _time("expires_at"),
    _time("revoked_at", nullable=True),
    Index(None, "account"),
)

api_token = Table(
    "api_token",
    metadata,
    _id(),
    _hash("sha256", unique=True),
    _reference("account", "account.id"),
    Column("label", Text, nullable=False),
    Column("scopes", JsonText, nullable=False),
    _time("created_at"),
    _time("expires_at", nullable=True),
    _time("revoked_at", nullable=True),
    Index(None, "account"),
)

team = Table(
    "team",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("alias", Text),
    Column("public", Boolean, nullable=False),
    # The team of the organizers, whose submissions are baselines.
    Column("host", Boolean, nullable=False),
    _time("created_at"),
)

membership = Table(
    "membership",
    metadata,
    _id(),
    _reference("account", "account.id"),
    _reference("team", "team.id"),
    _time("joined_at"),
    _time("left_at", nullable=True),
    CheckConstraint("left_at IS NULL OR left_at >= joined_at", "order"),
    _unique_where("uq_membership_current", "account", "left_at IS NULL"),
    Index(None, "team"),
)

invitation = Table(
    "invitation",
    metadata,
    _id(),
    _hash("sha256", unique=True),
    _reference("team", "team.id"),
    _reference("created_by", "account.id"),
    _time("created_at"),
    _time("expires_at"),
    _reference("used_by", "account.id", nullable=True),
    _time("used_at", nullable=True),
    _time("revoked_at", nullable=True),
    CheckConstraint("(used_by IS NULL) = (used_at IS NULL)", "used"),
    Index(None, "team"),
)

blob = Table(
    "blob",
    metadata,
    _hash("sha256", primary_key=True),
    Column("size", BigInteger, nullable=False),
    _time("created_at"),
    CheckConstraint("size >= 0", "size"),
)

submission = Table(
    "submission",
    metadata,
    _id(),
    _reference("task", "task.slug"),
    _reference("team", "team.id"),
    _reference("account", "account.id"),
    Column("number", Integer, nullable=False),
    _reference("blob", "blob.sha256"),
    _time("accepted_at"),
    Column("client_key", String(200), nullable=False),
    Column("method", Text, nullable=False),
    Column("links", JsonText, nullable=False),
    Column("visible", Boolean, nullable=False),
    _time("withdrawn_at", nullable=True),
    _time("ruled_out_at", nullable=True),
    Column("ruled_out_reason", Text),
    CheckConstraint("(ruled_out_at IS NULL) = (ruled_out_reason IS NULL)", "ruled_out"),
    UniqueConstraint("team", "task", "number"),
    UniqueConstraint("account", "client_key"),
    Index(None, "task", "accepted_at"),
    Index(None, "task", "account", "accepted_at"),
    Index(None, "blob"),
    CheckConstraint("number >= 1", "number"),
)

evaluation = Table(
    "evaluation",
    metadata,
    _id(),
    _reference("submission", "submission.id"),
    _reference("evaluator", "evaluator.id"),
    # The evaluation that was queued when the submission was accepted: the one that counts for quotas.
    Column("original", Boolean, nullable=False),
    Column("state", String(16), nullable=False, server_default="queued"),
    # It once was faulted, and is free of the quota for good.
    Column("waived", Boolean, nullable=False),
    # The number of claims, which fences late workers, and the number of those that ended by a fault of the site.
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("faults", Integer, nullable=False, server_default="0"),
    _time("lease_until", nullable=True),
    Column("worker", Text),
    Column("priority", Integer, nullable=False, server_default="0"),
    _time("not_before"),
    _time("created_at"),
    _time("started_at", nullable=True),
    _time("finished_at", nullable=True),
    Column("fault", Text),
    _one_of("state", STATES),
    CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", "lease"),
    CheckConstraint("(state IN ('queued', 'running')) = (finished_at IS NULL)", "finished"),
    CheckConstraint("state <> 'running' OR (worker IS NOT NULL AND attempt >= 1)", "worker"),
    CheckConstraint("attempt >= faults AND faults >= 0", "attempts"),
    UniqueConstraint("submission", "evaluator"),
    _unique_where("uq_evaluation_original", "submission", "original"),
    Index(None, "state", "priority", "created_at"),
    Index(None, "evaluator", "state"),
)

verdict = Table(
    "verdict",
    metadata,
    Column("evaluation", String(64), ForeignKey("evaluation.id"), primary_key=True),
    # Copies of what never changes, so that an index leads to the best verdict of a team.
    _reference("submission", "submission.id"),
    _reference("evaluator", "evaluator.id"),
    _reference("team", "team.id"),
    _time("accepted_at"),
    Column("ok", Boolean, nullable=False),
    Column("report", JsonText, nullable=False),
    # Numbers in hexadecimal keep their bits; the published one is rounded, and ranks.
    Column("scores", JsonText, nullable=False),
    Column("published", Double),
    # The published number, negative where higher is better: the best one comes first.
    Column("order_key", Double),
    _reference("rows_blob", "blob.sha256", nullable=True),
    Column("seconds", Double, nullable=False),
    Column("package_version", Text, nullable=False),
    _time("created_at"),
    CheckConstraint("(ok AND published IS NOT NULL) OR (NOT ok AND published IS NULL)", "published"),
    CheckConstraint(f"published BETWEEN -{LARGEST} AND {LARGEST}", "finite"),
    CheckConstraint("order_key IN (published, -published) OR published IS NULL AND order_key IS NULL", "order_key"),
    CheckConstraint(f"seconds BETWEEN 0 AND {LARGEST}", "seconds"),
    CheckConstraint(f"octet_length(report) <= {MAX_REPORT}", "report"),
    Index("ix_verdict_best", "evaluator", "team", "order_key", "accepted_at", "submission"),
)

rejudge = Table(
    "rejudge",
    metadata,
    _id(),
    _reference("task", "task.slug"),
    _reference("from_evaluator", "evaluator.id"),
    _reference("to_evaluator", "evaluator.id"),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("state", String(16), nullable=False, server_default="computing"),
    _time("created_at"),
    _time("decided_at", nullable=True),
    _one_of("state", REJUDGE_STATES),
    CheckConstraint("from_evaluator <> to_evaluator", "evaluators"),
    CheckConstraint("(state IN ('applied', 'cancelled')) = (decided_at IS NOT NULL)", "decided"),
    _unique_where("uq_rejudge_open", "task", "state IN ('computing', 'ready')"),
    CheckConstraint("length(reason) > 0", "reason"),
)

month = Table(
    "month",
    metadata,
    _reference("task", "task.slug"),
    Column("month", String(7), nullable=False),
    Column("revision", Integer, nullable=False),
    _reference("evaluator", "evaluator.id"),
    _time("closed_at"),
    _time("boundary"),
    Column("rows", JsonText, nullable=False),
    _hash("sha256"),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    PrimaryKeyConstraint("task", "month", "revision"),
    CheckConstraint("closed_at >= boundary", "closed"),
    CheckConstraint("revision = 1 OR length(reason) > 0", "reason"),
    CheckConstraint("length(month) = 7", "month"),
    CheckConstraint("revision >= 1", "revision"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    _time("at"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", JsonText),
    Column("after", JsonText),
    Column("request", Text),
    _hash("previous_hash"),
    _hash("hash", unique=True),
)
