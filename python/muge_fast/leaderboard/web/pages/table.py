"""The table of pages: the path, the view, the template and the readers of each."""

from __future__ import annotations

from muge_fast.leaderboard.web.page_table import Page
from muge_fast.leaderboard.web.pages.views.account import account, my_team
from muge_fast.leaderboard.web.pages.views.admin import admin, admin_audit, admin_teams
from muge_fast.leaderboard.web.pages.views.board import board
from muge_fast.leaderboard.web.pages.views.data import data
from muge_fast.leaderboard.web.pages.views.entrance import join, login, register
from muge_fast.leaderboard.web.pages.views.months import all_months, one_month, task_months
from muge_fast.leaderboard.web.pages.views.overview import overview
from muge_fast.leaderboard.web.pages.views.rejudges import admin_rejudge, admin_rejudges
from muge_fast.leaderboard.web.pages.views.rules import rules
from muge_fast.leaderboard.web.pages.views.submission import submission
from muge_fast.leaderboard.web.pages.views.submit import submit
from muge_fast.leaderboard.web.pages.views.team import team

TABLE: tuple[Page, ...] = (
    Page("overview", "/", overview, "overview.html", cached=True),
    Page("board", "/tasks/{task}", board, "board.html", cached=True),
    Page("data", "/tasks/{task}/data", data, "data.html", cached=True),
    Page("submit", "/tasks/{task}/submit", submit, "submit.html"),
    Page("task_months", "/tasks/{task}/months", task_months, "months.html", cached=True),
    Page("month", "/tasks/{task}/months/{month}", one_month, "month.html", cached=True),
    Page("months", "/months", all_months, "months.html", cached=True),
    Page("rules", "/rules", rules, "rules.html", cached=True),
    Page("team", "/teams/{team}", team, "team.html", cached=True),
    Page("submission", "/submissions/{submission}", submission, "submission.html"),
    Page("login", "/login", login, "login.html"),
    Page("register", "/register", register, "register.html"),
    Page("join", "/team/join", join, "join.html"),
    Page("account", "/account", account, "account.html", "account"),
    Page("my_team", "/team", my_team, "my_team.html", "account"),
    Page("admin", "/admin", admin, "admin.html", "organizer"),
    Page("admin_teams", "/admin/teams", admin_teams, "admin_teams.html", "organizer"),
    Page("admin_rejudges", "/admin/rejudges", admin_rejudges, "admin_rejudges.html", "organizer"),
    Page("admin_rejudge", "/admin/rejudges/{rejudge}", admin_rejudge, "admin_rejudge.html", "organizer"),
    Page("admin_audit", "/admin/audit", admin_audit, "admin_audit.html", "organizer"),
)
"""The pages."""
