"""Reading submissions: one with what its page needs, those of a team, and those with the same file."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from muge_fast.leaderboard.store.errors import NotFoundError
from muge_fast.leaderboard.store.schema import account, blob, evaluation, evaluator, submission, team, verdict
from muge_fast.leaderboard.store.verdicts import read_scores


class SubmissionRecord(NamedTuple):
    """A submission.

    Attributes:
        id: Its id.
        task: Its task.
        team: Id of the team.
        team_name: Name of the team.
        alias: Name under which an anonymous team is shown.
        host: Whether the team is the host.
        team_public: Whether the team shows its name.
        account: Id of the account that sent it.
        account_name: Name of the account.
        number: Its number among those of the team.
        sha256: Hash of the file.
        size: Size of the file in bytes.
        accepted_at: When it was accepted.
        client_key: Key of the request.
        method: The method.
        links: Addresses of a paper or code.
        visible: Whether the team shows it.
        withdrawn_at: When its team withdrew it.
        ruled_out_at: When an organizer took it out of the ranking.
        ruled_out_reason: The reason.

    """

    id: str
    task: str
    team: str
    team_name: str
    alias: str | None
    host: bool
    team_public: bool
    account: str
    account_name: str
    number: int
    sha256: str
    size: int
    accepted_at: datetime
    client_key: str
    method: str
    links: list[str]
    visible: bool
    withdrawn_at: datetime | None
    ruled_out_at: datetime | None
    ruled_out_reason: str | None


class Judgement(NamedTuple):
    """The evaluation of a submission that counts now, with its verdict if there is one.

    Attributes:
        id: Its id.
        state: Its state.
        attempt: The number of claims.
        worker: The worker that holds it.
        lease_until: When another worker may take it.
        started_at: When the last try began.
        finished_at: When it ended.
        fault: The last fault.
        evaluator: The evaluator.
        signature: Signature of the main score.
        package_version: Version of muge_fast that made the verdict, or that of the evaluator.
        ok: Whether the file is valid; None without a verdict.
        report: The report.
        scores: Every score by name.
        published: The rounded main score.
        rows_blob: Hash of the file with scores of items.
        seconds: How long the scorer took.

    """

    id: str
    state: str
    attempt: int
    worker: str | None
    lease_until: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    fault: str | None
    evaluator: str
    signature: str
    package_version: str
    ok: bool | None
    report: object
    scores: dict[str, float]
    published: float | None
    rows_blob: str | None
    seconds: float | None


_COLUMNS = {
    **{name: submission.c[name] for name in submission.c.keys() if name != "blob"},  # noqa: SIM118 - of SQLAlchemy
    "team_name": team.c.name,
    "alias": team.c.alias,
    "host": team.c.host,
    "team_public": team.c.public,
    "account_name": account.c.name,
    "sha256": submission.c.blob,
    "size": blob.c.size,
}
_SUBMISSIONS = (
    select(*(_COLUMNS[name].label(name) for name in SubmissionRecord._fields))
    .join(team, team.c.id == submission.c.team)
    .join(account, account.c.id == submission.c.account)
    .join(blob, blob.c.sha256 == submission.c.blob)
)


def find_submission(connection: Connection, submission_id: str) -> SubmissionRecord:
    """Return a submission.

    Args:
        connection: A connection.
        submission_id: Its id.

    Returns:
        The submission.

    Raises:
        NotFoundError: There is no such submission.

    """
    row = connection.execute(_SUBMISSIONS.where(submission.c.id == submission_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no submission {submission_id!r}", "没有这个提交")
    return SubmissionRecord(*row)


def submissions_of_team(
    connection: Connection, team_id: str, slug: str, *, before: int | None = None, limit: int = 100
) -> list[SubmissionRecord]:
    """Return the submissions of a team for a task, the newest first.

    Args:
        connection: A connection.
        team_id: The team.
        slug: The task.
        before: Number of a submission, to begin with the one before it.
        limit: The largest number of submissions.

    Returns:
        The submissions.

    """
    query = _SUBMISSIONS.where(submission.c.team == team_id, submission.c.task == slug)
    if before is not None:
        query = query.where(submission.c.number < before)
    rows = connection.execute(query.order_by(submission.c.number.desc()).limit(limit))
    return [SubmissionRecord(*row) for row in rows]


def find_by_client_key(connection: Connection, account_id: str, client_key: str) -> str | None:
    """Return the submission of an earlier request with the same key.

    Args:
        connection: A connection.
        account_id: The account that sent it.
        client_key: The key.

    Returns:
        Its id; None if the key is new.

    """
    mine = (submission.c.account == account_id) & (submission.c.client_key == client_key)
    return connection.execute(select(submission.c.id).where(mine)).scalar_one_or_none()


def judgement_of(connection: Connection, submission_id: str) -> Judgement:
    """Return the evaluation of a submission that counts: by the active evaluator, or else the original one.

    Those of rejudge sets that are not applied are not shown to anyone.

    Args:
        connection: A connection.
        submission_id: The submission.

    Returns:
        The evaluation.

    Raises:
        NotFoundError: There is no such submission.

    """
    is_active = evaluator.c.state == "active"
    # A verdict names the version that computed it; an evaluation without one has that of its evaluator.
    columns = {
        **{name: evaluation.c[name] for name in Judgement._fields[:9]},
        "signature": evaluator.c.signature,
        **{name: verdict.c[name] for name in Judgement._fields[11:]},
    }
    versions = (verdict.c.package_version, evaluator.c.package_version)
    query = (
        select(*columns.values(), *versions)
        .join(evaluator, evaluator.c.id == evaluation.c.evaluator)
        .outerjoin(verdict, verdict.c.evaluation == evaluation.c.id)
        .where(evaluation.c.submission == submission_id, is_active | evaluation.c.original)
        .order_by(is_active.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no submission {submission_id!r}", "没有这个提交")
    values = dict(zip(columns, row, strict=False))
    values["scores"] = read_scores(values["scores"])
    return Judgement(package_version=row[-2] or row[-1], **values)


def same_files(connection: Connection, record: SubmissionRecord) -> list[str]:
    """Return the submissions of other teams with the same file.

    Args:
        connection: A connection.
        record: A submission.

    Returns:
        Their ids, the earliest first.

    """
    query = (
        select(submission.c.id)
        .where(submission.c.blob == record.sha256, submission.c.task == record.task, submission.c.team != record.team)
        .order_by(submission.c.accepted_at, submission.c.id)
    )
    return list(connection.execute(query.limit(100)).scalars())
