"""The pages: a table of them, a view for each, and their templates, words, style and script.

``table.py`` names every page. A view in ``views`` reads a request and returns what a template of ``templates`` shows;
``rendering.py`` writes the HTML. Words in English and Chinese are in ``words``.
"""

from __future__ import annotations

from muge_fast.leaderboard.web.page_table import Pages
from muge_fast.leaderboard.web.pages.frame import STATIC
from muge_fast.leaderboard.web.pages.rendering import render, render_problem
from muge_fast.leaderboard.web.pages.table import TABLE

PAGES = Pages(TABLE, render, render_problem, STATIC)
"""All pages."""
