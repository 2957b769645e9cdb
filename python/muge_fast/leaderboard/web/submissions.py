"""Sending submissions, and what their teams do with them."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from muge_fast.leaderboard.blobs.interface import StoredBlob
from muge_fast.leaderboard.rules.admission import admission
from muge_fast.leaderboard.rules.descriptions import clean_links, clean_method
from muge_fast.leaderboard.rules.quotas import Quota, measure_quota
from muge_fast.leaderboard.rules.refusals import RefusalError
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.store.errors import NotFoundError, RefusedError
from muge_fast.leaderboard.store.queue import cancel
from muge_fast.leaderboard.store.submission_records import (
    SubmissionRecord,
    find_by_client_key,
    find_submission,
    submissions_of_team,
)
from muge_fast.leaderboard.store.submissions import WINDOW, Accepted, NewSubmission, accept, past_submissions, withdraw
from muge_fast.leaderboard.store.tasks import latest_acceptance
from muge_fast.leaderboard.store.teams import Team
from muge_fast.leaderboard.web.problems import FULL, Problem, ProblemError
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

MAX_KEY = 200
# Space that an upload leaves for the database.
RESERVE = 256 * 1024 * 1024
EMPTY = Problem(422, "empty", "the file is empty: choose another", "文件为空：请选择其他文件")


class Description(NamedTuple):
    """What a request says about a submission besides the file.

    Attributes:
        method: Description of the method.
        links: Addresses of a paper or code.
        key: Key of the request: a second request with the same one is the same submission. Empty for a new key.

    """

    method: str = ""
    links: tuple[str, ...] = ()
    key: str = ""

    def cleaned(self) -> Description:
        """Return the description as it is stored.

        Returns:
            The description, with a key.

        Raises:
            RefusalError: A value is not accepted.

        """
        key = self.key.strip() or uuid.uuid4().hex
        if len(key) > MAX_KEY or not (key.isascii() and key.isprintable()):
            raise RefusalError(
                "bad_key",
                f"Idempotency-Key has at most {MAX_KEY} printable ASCII characters",
                f"Idempotency-Key 最多 {MAX_KEY} 个可打印的 ASCII 字符",
            )
        return Description(clean_method(self.method), clean_links(self.links), key)


def check_upload(site: Site, viewer: SiteViewer, slug: str, *, length: int | None, key: str = "") -> TaskSettings:
    """Refuse an upload before its file is received: without a team, a place in the quota, or space on the disk.

    The rules are applied again, exactly, when the submission is accepted.

    Args:
        site: The site.
        viewer: The viewer.
        slug: The task.
        length: Size that the request declares; None if it does not.
        key: Key of the request.

    Returns:
        The settings of the task.

    Raises:
        ProblemError: There is no login or no team, the token lacks the scope, the file is too large, or the disk is
            full.
        NotFoundError: There is no such task.
        RefusalError: The task is not open, or a limit is reached.

    """
    task = site.task(slug)
    account, team = viewer.need("submit"), viewer.need_team("submit")
    if length is not None and length > task.max_bytes:
        raise ProblemError(too_large(task), {"Connection": "close"})
    if length == 0:
        raise ProblemError(EMPTY)
    with site.board.database.read() as connection:
        if not (key and find_by_client_key(connection, account.id, key)):
            now = latest_acceptance(site.board.database, connection, slug)
            past = past_submissions(connection, slug, team.id, since=now - WINDOW)
            admission(task, site.settings.zone)(now, past)
    folder = getattr(site.board.blobs, "folder", None)
    if isinstance(folder, Path) and shutil.disk_usage(folder).free < RESERVE + (length or 0):
        raise ProblemError(FULL)
    return task


def too_large(task: TaskSettings) -> Problem:
    """Return the problem of a file that is larger than a task allows.

    Args:
        task: Settings of the task.

    Returns:
        The problem.

    """
    size = f"{task.max_bytes // 1_000_000} MB"
    return Problem(
        413, "too_large", f"the file is larger than {size}, the limit of the task", f"文件超过该任务的上限 {size}"
    )


async def receive_submission(
    site: Site,
    viewer: SiteViewer,
    task: TaskSettings,
    chunks: AsyncIterator[bytes],
    describe: Callable[[], Description],
) -> Accepted:
    """Store a file and accept it as a submission.

    Args:
        site: The site.
        viewer: The viewer.
        task: Settings of the task, after :func:`check_upload`.
        chunks: The bytes of the file.
        describe: Function that returns what the request says about it, cleaned, after the file was read.

    Returns:
        The acknowledgement, after the file and the row are on the disk.

    Raises:
        ProblemError: The connection ends early, or the file arrives too slowly, or is empty.
        BlobTooLargeError: The file is too large.
        RefusalError: The task is not open, a limit is reached, or the description is not accepted.
        StoreError: The key was used for another file, the account has no team, or the disk is full.

    """
    with site.uploads.turn(viewer.need("submit").id):
        stored = await site.uploads.store(chunks, max_bytes=task.max_bytes)
    return await run_in_threadpool(accept_stored, site, viewer, task, stored, describe())


def accept_stored(
    site: Site, viewer: SiteViewer, task: TaskSettings, stored: StoredBlob, description: Description
) -> Accepted:
    """Accept a file that is stored.

    Args:
        site: The site.
        viewer: The viewer.
        task: Settings of the task.
        stored: The file.
        description: What the request says about it, cleaned.

    Returns:
        The acknowledgement.

    Raises:
        ProblemError: The file is empty.
        RefusalError: The task is not open, or a limit is reached.
        StoreError: The key was used for another file, the account has no team, or the disk is full.

    """
    if stored.size == 0:
        raise ProblemError(EMPTY)
    new = NewSubmission(
        task=task.slug,
        account=viewer.need("submit").id,
        sha256=stored.sha256,
        size=stored.size,
        client_key=description.key,
        method=description.method,
        links=description.links,
    )
    return accept(site.board.database, new, admit=admission(task, site.settings.zone))


def quota_of(site: Site, viewer: SiteViewer, slug: str) -> Quota:
    """Return the use that the viewer's team has made of the limits of a task.

    Args:
        site: The site.
        viewer: The viewer.
        slug: The task.

    Returns:
        The quota.

    Raises:
        ProblemError: There is no login or no team.
        NotFoundError: There is no such task.

    """
    task, team = site.task(slug), viewer.need_team("read")
    with site.board.database.read() as connection:
        now = latest_acceptance(site.board.database, connection, slug)
        past = past_submissions(connection, slug, team.id, since=now - WINDOW)
    return measure_quota(past, task.limits, now=now, zone=site.settings.zone)


def list_submissions(site: Site, team: Team, slug: str, *, before: int | None = None) -> list[SubmissionRecord]:
    """Return submissions of a team, the newest first.

    Args:
        site: The site.
        team: The team.
        slug: The task.
        before: Number of a submission, to begin with the one before it.

    Returns:
        Up to 100 submissions.

    """
    with site.board.database.read() as connection:
        return submissions_of_team(connection, team.id, slug, before=before)


def withdraw_own(site: Site, viewer: SiteViewer, submission_id: str, *, undo: bool = False) -> None:
    """Take a submission of the viewer's team off the board.

    Args:
        site: The site.
        viewer: The viewer.
        submission_id: The submission.
        undo: Bring it back.

    Raises:
        ProblemError: There is no login or no team.
        NotFoundError: The team has no such submission.

    """
    _own(site, viewer, submission_id)
    withdraw(site.board.database, submission_id, actor=viewer.actor, undo=undo)


def cancel_own(site: Site, viewer: SiteViewer, submission_id: str) -> None:
    """Cancel a submission of the viewer's team that waits.

    Args:
        site: The site.
        viewer: The viewer.
        submission_id: The submission.

    Raises:
        ProblemError: There is no login or no team.
        NotFoundError: The team has no such submission.
        RefusedError: Its evaluation has begun.

    """
    _own(site, viewer, submission_id)
    if not cancel(site.board.database, submission_id, actor=viewer.actor):
        raise RefusedError(
            "the evaluation has begun: a submission can be cancelled while it waits only",
            "评测已经开始：只有排队中的提交可以取消",
        )


def _own(site: Site, viewer: SiteViewer, submission_id: str) -> None:
    team = viewer.need_team("submit")
    with site.board.database.read() as connection:
        record = find_submission(connection, submission_id)
    if record.team != team.id:
        raise NotFoundError(f"there is no submission {submission_id!r}", "没有这个提交")


def links_of(text: str | Iterable[str]) -> tuple[str, ...]:
    """Return the links of a form, one in each line, or of the parameters of an address.

    Args:
        text: The text of the field, or the parameters.

    Returns:
        The links as they were written.

    """
    return tuple(text.split()) if isinstance(text, str) else tuple(text)
