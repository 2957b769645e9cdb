"""Routes of forms."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from muge_fast.leaderboard.web.bodies import MultipartBody, read_form
from muge_fast.leaderboard.web.body_limits import MAX_BODY, declared_length
from muge_fast.leaderboard.web.cookies import clear_session, set_session
from muge_fast.leaderboard.web.forms import account_forms, submission_forms
from muge_fast.leaderboard.web.forms.outcomes import Form, Outcome
from muge_fast.leaderboard.web.page_routes import pages_of, show_page, to_login
from muge_fast.leaderboard.web.page_table import Notice
from muge_fast.leaderboard.web.problems import INTERNAL, LOGIN, NOT_FOUND, ProblemError, problem_headers, problem_of
from muge_fast.leaderboard.web.site import site_of
from muge_fast.leaderboard.web.submissions import Description, check_upload, links_of, receive_submission
from muge_fast.leaderboard.web.viewers import SiteViewer, viewer_of

FORMS = (*account_forms.FORMS, *submission_forms.FORMS)
SUBMIT = "/tasks/{task}/submit"


def routes_of_forms() -> list[Route]:
    """Return a route for each form.

    Returns:
        The routes.

    """
    routes = [Route(form.path, _endpoint(form), methods=["POST"], name=f"post {form.path}") for form in FORMS]
    return [*routes, Route(SUBMIT, submit, methods=["POST"], name=f"post {SUBMIT}")]


def _endpoint(form: Form) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def post(request: Request) -> Response:
        site, viewer = site_of(request), await viewer_of(request)
        if form.path.startswith("/admin/") and not viewer.is_organizer:
            raise ProblemError(NOT_FOUND)
        fields = await read_form(request)
        try:
            outcome = await run_in_threadpool(form.action, site, viewer, request, fields)
        except Exception as error:
            if problem_of(error) is None:
                raise
            shown = {name: value for name, value in fields.items() if name not in form.secrets}
            return await _refused(request, viewer, form.page, error, shown)
        return await _answer(request, viewer, outcome)

    return post


async def _refused(
    request: Request, viewer: SiteViewer, page: str, error: Exception, values: dict[str, str]
) -> Response:
    """Show a form again, with what was entered."""
    problem = problem_of(error) or INTERNAL
    if problem is LOGIN:
        return to_login(request)
    if problem.status == 404:  # noqa: PLR2004 - of HTTP
        raise ProblemError(problem)
    shown = await show_page(request, viewer, page, Notice(problem, values), status=problem.status)
    shown.headers.update(problem_headers(error, problem))
    return shown


async def _answer(request: Request, viewer: SiteViewer, outcome: Outcome) -> Response:
    site = site_of(request)
    if outcome.secret is not None:
        return await show_page(request, viewer, outcome.page, Notice(secret=outcome.secret))
    path = pages_of(request).path(outcome.page, **outcome.values) if outcome.page else outcome.path
    response = RedirectResponse(f"{path}?done={outcome.done}" if outcome.done else path, 303)
    if outcome.session is not None:
        set_session(site, response, outcome.session)
    if outcome.ends_session:
        clear_session(site, response)
        # A shared computer shows the pages of the next person only.
        response.headers["Clear-Site-Data"] = '"cache"'
    return response


async def submit(request: Request) -> Response:
    """Accept a submission from a form without scripts.

    The key of the request may be in the address, ``?key=…``, so that a form that is sent twice is one submission even
    if the first one used the last place of a limit.

    Args:
        request: The request, of the type ``multipart/form-data``.

    Returns:
        A redirect to the page of the submission, or the form again.

    """
    site, viewer = site_of(request), await viewer_of(request)
    slug, key = request.path_params["task"], request.query_params.get("key", "")
    values: dict[str, str] = {}
    try:
        length = declared_length(request.headers)
        # The other fields have some room; the file itself is limited while it arrives.
        file_length = None if length is None else max(1, length - MAX_BODY)
        task = await run_in_threadpool(check_upload, site, viewer, slug, length=file_length, key=key)
        body = MultipartBody(request)
        values = body.fields

        def describe() -> Description:
            links = links_of(values.get("links", ""))
            return Description(values.get("method", ""), links, key or values.get("key", "")).cleaned()

        accepted = await receive_submission(site, viewer, task, body.file(), describe)
    except Exception as error:
        if problem_of(error) is None:
            raise
        return await _refused(request, viewer, "submit", error, values)
    outcome = Outcome("submitted", "submission", values={"submission": accepted.submission})
    return await _answer(request, viewer, outcome)
