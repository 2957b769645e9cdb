"""The rules, with the numbers of the settings."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from muge_fast.leaderboard.rules.quotas import LIMIT_NAMES
from muge_fast.leaderboard.web.pages.frame import task_title
from muge_fast.leaderboard.web.pages.numbers import size_text
from muge_fast.leaderboard.web.pages.task_parts import task_path
from muge_fast.leaderboard.web.pages.times import offset_of
from muge_fast.leaderboard.web.pages.words import Words
from muge_fast.leaderboard.web.pages.words.rules import MARKS, SECTIONS, VISIBILITY
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer


def rules(site: Site, viewer: SiteViewer, request: Request) -> Mapping[str, object]:
    """Return the context of the rules.

    Args:
        site: The site.
        viewer: The viewer.
        request: The request.

    Returns:
        The context.

    """
    del request
    words, settings = Words(viewer.language), site.settings
    values = {
        "zone": settings.zone.key,
        "offset": offset_of(site.now(), settings.zone),
        "prizes": settings.prizes,
        "vetting": settings.vetting_days,
    }
    # In the order of the columns: days first, then months.
    names = sorted(LIMIT_NAMES, key=lambda name: name.endswith("month"))
    return {
        "limits": [
            {
                "href": task_path(slug),
                "short": task_title(task, viewer.language, short=True),
                "limits": [task.limits.of(name) for name in names],
                "size": size_text(task.max_bytes),
                "opens": task.opens,
                "closes": task.closes,
            }
            for slug, task in settings.tasks.items()
        ],
        "sections": [
            {"id": key, "title": words.pick(title), "rules": [words.pick(rule).format(**values) for rule in found]}
            for key, title, found in SECTIONS
        ],
        "visibility": [
            [words.pick(what), *(words.pick(MARKS[letter]) for letter in letters)] for what, letters in VISIBILITY
        ],
    }
