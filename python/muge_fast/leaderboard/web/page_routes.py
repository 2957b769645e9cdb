"""Routes of pages: who may open them, their HTML, and the errors in place of them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, cast
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from muge_fast.leaderboard.web.cookies import set_language
from muge_fast.leaderboard.web.etags import tagged_response
from muge_fast.leaderboard.web.page_table import NO_NOTICE, Notice, Page, Pages
from muge_fast.leaderboard.web.problems import NOT_FOUND, Problem, ProblemError
from muge_fast.leaderboard.web.site import site_of
from muge_fast.leaderboard.web.viewers import SiteViewer, load_viewer

HTML = "text/html; charset=utf-8"


def pages_of(request: Request) -> Pages:
    """Return the pages of the application.

    Args:
        request: The request.

    Returns:
        The pages.

    """
    return cast(Pages, request.app.state.pages)


def routes_of_pages(pages: Pages) -> list[Route]:
    """Return a route for each page.

    Args:
        pages: The pages.

    Returns:
        The routes.

    """
    return [Route(page.path, _endpoint(page), methods=["GET"], name=page.name) for page in pages.table]


def _endpoint(page: Page) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def show(request: Request) -> Response:
        # One thread for the viewer and the page, because each change of threads takes as long as a query.
        return await run_in_threadpool(_show, request, page)

    return show


def _show(request: Request, page: Page) -> Response:
    site, viewer = site_of(request), load_viewer(request)
    if page.access != "everyone" and viewer.account is None:
        return to_login(request)
    if page.access == "organizer" and not viewer.is_organizer:
        raise ProblemError(NOT_FOUND)
    text, context = _render(request, viewer, page, NO_NOTICE)
    response = tagged_response(request, text.encode("utf-8", "replace"), HTML)
    chosen = request.query_params.get("lang")
    if chosen in site.settings.languages:
        set_language(site, response, chosen)
    elif page.cached and viewer.account is None and not context.get("pending"):
        request.state.keep_page = True
    return response


def _render(request: Request, viewer: SiteViewer, page: Page, notice: Notice) -> tuple[str, Mapping[str, object]]:
    site, pages = site_of(request), pages_of(request)
    context = page.view(site, viewer, request)
    return pages.render(site, viewer, request, page, context, notice), context


def to_login(request: Request) -> Response:
    """Return a redirect to the page where visitors log in, and from there back to this address.

    Args:
        request: The request.

    Returns:
        The answer.

    """
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{pages_of(request).path('login')}?next={quote(path, safe='')}", 303)


async def show_page(request: Request, viewer: SiteViewer, name: str, notice: Notice, *, status: int = 200) -> Response:
    """Return a page after a form: with the problem, or with a secret that is shown once.

    Args:
        request: The request; its path parameters are those of the page.
        viewer: The viewer.
        name: Name of the page.
        notice: The outcome of the form.
        status: Status code.

    Returns:
        The answer, which is not kept by browsers.

    """
    text, _ = await run_in_threadpool(_render, request, viewer, pages_of(request).by_name[name], notice)
    return Response(text.encode("utf-8", "replace"), status, {"Cache-Control": "no-store"}, HTML)


async def show_problem(request: Request, viewer: SiteViewer, problem: Problem, headers: Mapping[str, str]) -> Response:
    """Return an error as a page.

    Args:
        request: The request.
        viewer: The viewer.
        problem: The problem.
        headers: Further headers.

    Returns:
        The answer.

    """
    render = pages_of(request).render_problem
    text = await run_in_threadpool(render, site_of(request), viewer, request, problem)
    body = text.encode("utf-8", "replace")
    return Response(body, problem.status, {**headers, "Cache-Control": "no-store"}, HTML)
