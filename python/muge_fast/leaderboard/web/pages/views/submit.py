"""The form that sends a submission, with the team's use of the limits."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from starlette.requests import Request

from muge_fast.leaderboard.rules.quotas import LIMIT_NAMES, Quota
from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.leaderboard.web.pages.commands import curl_command, submit_command
from muge_fast.leaderboard.web.pages.numbers import size_text
from muge_fast.leaderboard.web.pages.task_parts import task_parts
from muge_fast.leaderboard.web.pages.times import time_text
from muge_fast.leaderboard.web.pages.words import Words
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.submissions import quota_of
from muge_fast.leaderboard.web.viewers import SiteViewer
from muge_fast.tasks import get


def submit(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the form of a task.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request, with the task in its path.

    Returns:
        The context.

    Raises:
        NotFoundError: There is no such task.

    """
    task, words = site.task(request.path_params["task"]), Words(viewer.language)
    quota = quota_of(site, viewer, task.slug) if viewer.team and viewer.may("read") else None
    return {
        "task": task_parts(task, words, "submit", now=site.now()),
        "closed": _closed(site, task, words),
        "key": uuid.uuid4().hex,
        "max_bytes": task.max_bytes,
        "max_size": size_text(task.max_bytes),
        "file_kind": words(f"file_{get(task.scorer).file_type}"),
        "command": submit_command(task, request),
        "curl": curl_command(task, request),
        "quota": _quota(quota, words),
    }


def _closed(site: Site, task: TaskSettings, words: Words) -> str | None:
    now, zone = site.now(), site.settings.zone
    if task.opens and now < task.opens:
        return words("closed_before", time_text(task.opens, zone))
    if task.closes and now >= task.closes:
        return words("closed_after", time_text(task.closes, zone))
    return None


def _quota(quota: Quota | None, words: Words) -> dict[str, object]:
    if quota is None:
        return {"known": False, "rows": [], "full": False, "next_free": None}
    rows = [
        {
            "label": words(f"quota_{name}"),
            "used": quota.used[name],
            "limit": quota.limits.of(name),
            "percent": min(100, round(100 * quota.used[name] / quota.limits.of(name))),
        }
        for name in LIMIT_NAMES
        if quota.limits.of(name)
    ]
    return {"known": True, "rows": rows, "full": not quota.is_free, "next_free": quota.next_free}
