"""Health and metrics, for monitoring."""

from __future__ import annotations

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from muge_fast.leaderboard.rules.states import STATES
from muge_fast.leaderboard.store.oversight import count_states, newest_verdict_at
from muge_fast.leaderboard.store.queue import queue_state
from muge_fast.leaderboard.store.schema import task
from muge_fast.leaderboard.web.problems import NOT_FOUND, ProblemError
from muge_fast.leaderboard.web.rate_limits import is_loopback
from muge_fast.leaderboard.web.site import Site, site_of
from muge_fast.leaderboard.web.viewers import viewer_of

METRICS = "text/plain; version=0.0.4; charset=utf-8"


async def health(request: Request) -> Response:
    """Answer 200 if the database can be read.

    Args:
        request: The request.

    Returns:
        The answer.

    """
    await run_in_threadpool(_read_tasks, site_of(request))
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


def _read_tasks(site: Site) -> None:
    # The time alone would not do: for SQLite it is that of the machine.
    with site.board.database.read() as connection:
        connection.execute(select(task.c.slug)).all()


async def metrics(request: Request) -> Response:
    """Answer with the state of the queue, to organizers and to programs of this machine.

    Args:
        request: The request.

    Returns:
        Text in the format of Prometheus.

    Raises:
        ProblemError: Someone else asks.

    """
    viewer = await viewer_of(request)
    # Behind a proxy, everyone seems to be on this machine.
    is_local = is_loopback(viewer.address) and "x-forwarded-for" not in request.headers
    if not (is_local or viewer.is_organizer):
        raise ProblemError(NOT_FOUND)
    text = await run_in_threadpool(metrics_text, site_of(request))
    return Response(text, media_type=METRICS)


def metrics_text(site: Site) -> str:
    """Return the state of the queue.

    Args:
        site: The site.

    Returns:
        Text in the format of Prometheus.

    """
    database = site.board.database
    with database.read() as connection:
        now, queue = database.now(connection), queue_state(connection)
        counts, newest = count_states(connection), newest_verdict_at(connection)
    age = (now - queue.oldest).total_seconds() if queue.oldest else 0.0
    lines = ["# HELP muge_evaluations Evaluations by state.", "# TYPE muge_evaluations gauge"]
    lines += [f'muge_evaluations{{state="{state}"}} {counts.get(state, 0)}' for state in STATES]
    lines += ["# HELP muge_queue_oldest_seconds Age of the oldest evaluation that waits."]
    lines += ["# TYPE muge_queue_oldest_seconds gauge", f"muge_queue_oldest_seconds {max(0.0, age):.3f}"]
    if newest is not None:
        since = max(0.0, (now - newest).total_seconds())
        lines += ["# HELP muge_newest_verdict_seconds Time since the newest verdict."]
        lines += ["# TYPE muge_newest_verdict_seconds gauge", f"muge_newest_verdict_seconds {since:.3f}"]
    return "\n".join(lines) + "\n"


ROUTES = [Route("/healthz", health, methods=["GET"]), Route("/metrics", metrics, methods=["GET"])]
