"""How pages become routes: a table of pages, and two functions that write their HTML.

A view reads the request and returns what its template shows. It runs in a thread, so it may use the database. Errors
of the rules and the store become pages of their status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from starlette.requests import Request

from muge_fast.leaderboard.web.problems import Problem
from muge_fast.leaderboard.web.site import Site
from muge_fast.leaderboard.web.viewers import SiteViewer

View = Callable[[Site, SiteViewer, Request], Mapping[str, object]]
Access = Literal["everyone", "account", "organizer"]


class Page(NamedTuple):
    """A page.

    Attributes:
        name: Its name, by which forms and links refer to it.
        path: Its path, such as ``"/tasks/{task}"``.
        view: Function that returns the context of the template.
        template: File name of the template.
        access: Who may open it. Visitors are sent to the page ``login``; organizers' pages do not exist for others.
        cached: Whether what visitors see depends on the address, the language and the boards alone, so that it may be
            kept in memory until a board changes. A view that returns ``"pending": True`` is not kept.

    """

    name: str
    path: str
    view: View
    template: str
    access: Access = "everyone"
    cached: bool = False


class Notice(NamedTuple):
    """The outcome of a form, for the page that is shown next.

    Attributes:
        problem: Why the form was refused; None if it was not.
        values: The entered values by field, without passwords, to fill the form again.
        secret: A token or the link of an invitation, which is shown this once.

    """

    problem: Problem | None = None
    values: Mapping[str, str] = {}
    secret: str | None = None


NO_NOTICE = Notice()


@dataclass(frozen=True)
class Pages:
    """All pages, and how they are written.

    Attributes:
        table: The pages. Forms need the names ``login``, ``register``, ``account``, ``my_team``, ``join``, ``submit``,
            ``submission``, ``admin``, ``admin_teams``, ``admin_rejudges`` and ``admin_rejudge``.
        render: Function that returns the HTML of a page from its context.
        render_problem: Function that returns the HTML of an error.
        static: Folder of the files under ``/static``; None for no files.

    """

    table: tuple[Page, ...]
    render: Callable[[Site, SiteViewer, Request, Page, Mapping[str, object], Notice], str]
    render_problem: Callable[[Site, SiteViewer, Request, Problem], str]
    static: Path | None = None
    by_name: Mapping[str, Page] = field(init=False)

    def __post_init__(self) -> None:
        """Index the pages by name."""
        object.__setattr__(self, "by_name", {page.name: page for page in self.table})

    def path(self, name: str, **values: str) -> str:
        """Return the path of a page.

        Args:
            name: Its name.
            **values: Values of the path's parameters.

        Returns:
            The path.

        """
        return self.by_name[name].path.format(**values)
