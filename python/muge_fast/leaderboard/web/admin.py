"""What organizers do: look at the queue, queue faults again, rejudge, rule submissions out, read the audit log."""

from __future__ import annotations

from typing import NamedTuple

from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.store.accounts import disable_account
from muge_fast.leaderboard.store.audit import AuditEntry
from muge_fast.leaderboard.store.oversight import (
    AccountRow,
    Fault,
    RejudgeRow,
    TeamRow,
    list_accounts,
    list_evaluators,
    list_faults,
    list_rejudges,
    list_teams,
    newest_audit,
)
from muge_fast.leaderboard.store.queue import QueueState, queue_state, requeue
from muge_fast.leaderboard.store.rejudge import (
    RejudgeChange,
    RejudgeSet,
    apply_rejudge,
    cancel_rejudge,
    find_rejudge,
    rejudge_changes,
    start_rejudge,
)
from muge_fast.leaderboard.store.submissions import rule_out
from muge_fast.leaderboard.store.tasks import StoredEvaluator
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

MAX_REASON = 1000


class Overview(NamedTuple):
    """What the first page of organizers shows.

    Attributes:
        queue: The queue.
        faults: Faulted evaluations, the newest first.
        rejudges: Rejudge sets, the newest first.
        evaluators: Evaluators by task, the newest first.

    """

    queue: QueueState
    faults: list[Fault]
    rejudges: list[RejudgeRow]
    evaluators: dict[str, list[StoredEvaluator]]


def overview(site: Site, viewer: SiteViewer) -> Overview:
    """Return what the first page of organizers shows.

    Args:
        site: The site.
        viewer: The viewer.

    Returns:
        The overview.

    Raises:
        ProblemError: The viewer is not an organizer; as all functions of this module.

    """
    viewer.need_organizer()
    with site.board.database.read() as connection:
        evaluators = {slug: list_evaluators(connection, slug) for slug in site.settings.tasks}
        return Overview(queue_state(connection), list_faults(connection), list_rejudges(connection), evaluators)


def teams(site: Site, viewer: SiteViewer, *, after: str = "") -> list[TeamRow]:
    """Return teams in the order in which they were made.

    Args:
        site: The site.
        viewer: The viewer.
        after: Id of a team, to begin with the next one.

    Returns:
        Up to 200 teams.

    """
    viewer.need_organizer()
    with site.board.database.read() as connection:
        return list_teams(connection, after=after)


def accounts(site: Site, viewer: SiteViewer, *, after: str = "") -> list[AccountRow]:
    """Return accounts in the order in which they were made.

    Args:
        site: The site.
        viewer: The viewer.
        after: Id of an account, to begin with the next one.

    Returns:
        Up to 200 accounts.

    """
    viewer.need_organizer()
    with site.board.database.read() as connection:
        return list_accounts(connection, after=after)


def audit_log(site: Site, viewer: SiteViewer, *, before: int | None = None) -> list[AuditEntry]:
    """Return entries of the audit log, the newest first.

    Args:
        site: The site.
        viewer: The viewer.
        before: Number of an entry, to begin with the one before it.

    Returns:
        Up to 100 entries.

    """
    viewer.need_organizer()
    with site.board.database.read() as connection:
        return newest_audit(connection, before=before)


def requeue_fault(site: Site, viewer: SiteViewer, evaluation_id: str) -> None:
    """Try a faulted evaluation again.

    Args:
        site: The site.
        viewer: The viewer.
        evaluation_id: The evaluation.

    Raises:
        NotFoundError: There is no such evaluation.
        RefusedError: It is not faulted.

    """
    viewer.need_organizer()
    requeue(site.board.database, evaluation_id, actor=viewer.actor)


def rule_submission_out(site: Site, viewer: SiteViewer, submission_id: str, *, reason: str) -> None:
    """Take a submission out of the ranking.

    Args:
        site: The site.
        viewer: The viewer.
        submission_id: The submission.
        reason: The reason, which its team sees.

    Raises:
        NotFoundError: There is no such submission.
        RefusalError: There is no reason.

    """
    viewer.need_organizer()
    rule_out(site.board.database, submission_id, reason=checked_reason(reason), actor=viewer.actor)


def reinstate(site: Site, viewer: SiteViewer, submission_id: str) -> None:
    """Bring a submission that was ruled out back into the ranking.

    Args:
        site: The site.
        viewer: The viewer.
        submission_id: The submission.

    Raises:
        NotFoundError: There is no such submission.

    """
    viewer.need_organizer()
    rule_out(site.board.database, submission_id, reason=None, actor=viewer.actor)


def start_set(site: Site, viewer: SiteViewer, slug: str, *, evaluator: str, reason: str) -> str:
    """Start a rejudge set.

    Args:
        site: The site.
        viewer: The viewer.
        slug: The task.
        evaluator: Id of the evaluator that computes.
        reason: The reason.

    Returns:
        The id of the set.

    Raises:
        NotFoundError: There is no such task or evaluator.
        StoreError: The evaluator is active or of another task, or the task has an open set.
        RefusalError: There is no reason.

    """
    viewer.need_organizer()
    checked = checked_reason(reason)
    return start_rejudge(
        site.board.database, site.task(slug).slug, to_evaluator=evaluator, reason=checked, actor=viewer.actor
    )


def preview_set(site: Site, viewer: SiteViewer, rejudge_id: str) -> tuple[RejudgeSet, list[RejudgeChange]]:
    """Return a rejudge set with the changes that it would make.

    Args:
        site: The site.
        viewer: The viewer.
        rejudge_id: The set.

    Returns:
        The set, and every submission that it judges.

    Raises:
        NotFoundError: There is no such set.

    """
    viewer.need_organizer()
    found = find_rejudge(site.board.database, rejudge_id)
    with site.board.database.read() as connection:
        return found, rejudge_changes(connection, found)


def apply_set(site: Site, viewer: SiteViewer, rejudge_id: str, *, confirm: str, with_faults: bool = False) -> None:
    """Show the verdicts of a rejudge set on the board.

    Args:
        site: The site.
        viewer: The viewer.
        rejudge_id: The set.
        confirm: Name of the task, typed by the organizer, so that a click by mistake changes no board.
        with_faults: Apply it even if evaluations are faulted.

    Raises:
        NotFoundError: There is no such set.
        RefusalError: The name is not that of the task.
        RefusedError: The set is not ready, or has faulted evaluations.

    """
    viewer.need_organizer()
    slug = find_rejudge(site.board.database, rejudge_id).task
    if confirm.strip() != slug:
        raise RefusalError(
            "not_confirmed", f"type the name of the task, {slug}, to confirm", f"请输入任务名称 {slug} 以确认"
        )
    apply_rejudge(site.board.database, rejudge_id, actor=viewer.actor, with_faults=with_faults)


def drop_set(site: Site, viewer: SiteViewer, rejudge_id: str) -> None:
    """Drop a rejudge set.

    Args:
        site: The site.
        viewer: The viewer.
        rejudge_id: The set.

    Raises:
        NotFoundError: There is no such set.
        RefusedError: The set was applied or dropped.

    """
    viewer.need_organizer()
    cancel_rejudge(site.board.database, rejudge_id, actor=viewer.actor)


def disable(site: Site, viewer: SiteViewer, account_id: str) -> None:
    """Disable an account.

    Args:
        site: The site.
        viewer: The viewer.
        account_id: The account.

    Raises:
        NotFoundError: There is no such account.
        RefusalError: It is the account of the viewer.

    """
    account = viewer.need_organizer()
    if account.id == account_id:
        raise RefusalError(
            "own_account", "this is your account: another organizer can disable it", "不能停用自己的账号"
        )
    disable_account(site.board.database, account_id, actor=viewer.actor)


def checked_reason(reason: str) -> str:
    """Return a reason in the form in which it is stored.

    Args:
        reason: The reason.

    Returns:
        The reason.

    Raises:
        RefusalError: It is blank or too long (``reason_missing``).

    """
    cleaned = " ".join(reason.split())
    if not 0 < len(cleaned) <= MAX_REASON:
        raise RefusalError(
            "reason_missing",
            f"write a reason, of up to {MAX_REASON} characters",
            f"请写明原因（最多 {MAX_REASON} 个字符）",
        )
    return cleaned
