"""The application: routes of the API, the forms and the pages, and the layers that protect them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from muge_fast._internal.display import printable
from muge_fast.leaderboard.board import Board
from muge_fast.leaderboard.web.addresses import KnownAddresses
from muge_fast.leaderboard.web.api import accounts, admin, boards, submissions
from muge_fast.leaderboard.web.body_limits import BodyLimit
from muge_fast.leaderboard.web.csrf import CrossSiteRequests
from muge_fast.leaderboard.web.flood_limit import FloodLimit
from muge_fast.leaderboard.web.forms.routes import routes_of_forms
from muge_fast.leaderboard.web.headers import SecurityHeaders
from muge_fast.leaderboard.web.languages import language_of
from muge_fast.leaderboard.web.monitoring import ROUTES
from muge_fast.leaderboard.web.page_cache import PageCache
from muge_fast.leaderboard.web.page_routes import routes_of_pages, show_problem
from muge_fast.leaderboard.web.page_table import Pages
from muge_fast.leaderboard.web.pages import PAGES
from muge_fast.leaderboard.web.problems import (
    EXPECTED,
    INTERNAL,
    Problem,
    problem_headers,
    problem_of,
    problem_response,
)
from muge_fast.leaderboard.web.proxies import ForwardedHeaders, parse_networks
from muge_fast.leaderboard.web.site import Site, WebOptions
from muge_fast.leaderboard.web.viewers import SiteViewer, viewer_of

API = "/api/v1"
log = logging.getLogger(__name__)


def create_app(board: Board, *, options: WebOptions | None = None, pages: Pages | None = None) -> ASGIApp:
    """Return the application of a board.

    Args:
        board: The board, which is open. It stays open when the application ends.
        options: Options of the web server.
        pages: The pages; None for those of this package.

    Returns:
        An ASGI application.

    """
    return app_of(Site(board, options), pages or PAGES)


def app_of(site: Site, pages: Pages) -> ASGIApp:
    """Return the application of a site, which ends the site when it ends.

    Args:
        site: The site.
        pages: The pages.

    Returns:
        An ASGI application.

    """
    return _protected(_routed(site, pages), site)


def _routed(site: Site, pages: Pages) -> ASGIApp:
    """Return the application of all routes: pages and forms do without what FastAPI does for the API."""
    api, rest = _api(), _pages_and_forms(site, pages)
    for app in (api, rest):
        app.state.site, app.state.pages = site, pages
        for kind in (*EXPECTED, RequestValidationError, Exception):
            app.add_exception_handler(kind, _answer_error)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["type"] == "http" and scope["path"].startswith("/api/")
        await (api if is_api else rest)(scope, receive, send)

    return dispatch


def _api() -> FastAPI:
    # The pages that would show the description load scripts of other sites.
    app = FastAPI(
        title="muge-fast leaderboard", version="1", openapi_url=f"{API}/openapi.json", docs_url=None, redoc_url=None
    )
    app.router.redirect_slashes = False
    for router in (boards.router, submissions.router, accounts.router, admin.router):
        app.include_router(router, prefix=API)
    return app


def _pages_and_forms(site: Site, pages: Pages) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        yield
        site.close()

    app = Starlette(routes=[*routes_of_pages(pages), *ROUTES, *routes_of_forms()], lifespan=lifespan)
    app.router.redirect_slashes = False
    if pages.static is not None:
        app.router.routes.append(Mount("/static", StaticFiles(directory=pages.static)))
    return app


def _protected(app: ASGIApp, site: Site) -> ASGIApp:
    """Return an application within the layers, the outermost last."""
    options = site.options
    app = PageCache(app, database=site.board.database)
    app = BodyLimit(app)
    app = CrossSiteRequests(app, address=options.address)
    if options.limit_floods:
        app = FloodLimit(app, limits=site.limits)
    if options.trusted_proxies:
        app = ForwardedHeaders(app, trusted=parse_networks(options.trusted_proxies))
    app = SecurityHeaders(KnownAddresses(app), is_https=options.is_https)

    async def with_site(scope: Scope, receive: Receive, send: Send) -> None:
        scope["app_site"] = site
        await app(scope, receive, send)

    return with_site


async def _answer_error(request: Request, error: Exception) -> Response:
    """Answer an error: as JSON for programs, as a page for browsers. Faults are logged, and show nothing."""
    problem = _of_validation(error) if isinstance(error, RequestValidationError) else problem_of(error)
    if problem is None:
        # The framework logs the error itself.
        log.error("fault of the request %s: %s", request.state.request_id, printable(request.url.path, 200))
        problem = INTERNAL
    headers = problem_headers(error, problem)
    site: Site = request.app.state.site
    if not request.url.path.startswith("/api/"):
        viewer = await _viewer_or_visitor(request)
        try:
            return await show_problem(request, viewer, problem, headers)
        except Exception:
            log.exception("the page of an error cannot be shown")
    return problem_response(request, problem, language_of(request, site.settings), headers)


async def _viewer_or_visitor(request: Request) -> SiteViewer:
    try:
        return await viewer_of(request)
    except Exception:  # noqa: BLE001 - the page of an error must not depend on the database
        return SiteViewer(language_of(request, request.app.state.site.settings))


def _of_validation(error: RequestValidationError) -> Problem:
    """Return the problem of parameters that cannot be read; without their values, which may be secret."""
    fields = ", ".join(sorted({printable(str(one["loc"][-1]), 60) for one in error.errors()}))
    return Problem(422, "bad_parameter", f"a parameter cannot be used: {fields}", f"参数无效：{fields}")
