"""Steps of ``muge-fast submit``: checking a file, sending it, waiting for the verdict, and printing the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from muge_fast import tasks
from muge_fast._internal.display import format_id, json_text, printable
from muge_fast._internal.progress import Progress
from muge_fast.cli.errors import WRONG_USAGE, Ended
from muge_fast.cli.language import counted, language, translate
from muge_fast.cli.report_text import print_report
from muge_fast.evaluation._evaluate import check
from muge_fast.leaderboard.client.addresses import parse_address
from muge_fast.leaderboard.client.errors import ClientError
from muge_fast.leaderboard.client.requests import Api
from muge_fast.leaderboard.client.submitting import Sent, read_token, send_submission, wait_for_verdict

# Characters of a text of the site that are shown.
SHOWN = 1000
KILOBYTE = 1000


def run_submission(
    task: str,
    file: Path,
    *,
    address: str,
    token_file: Path,
    insecure: bool,
    method: str,
    links: tuple[str, ...],
    check_first: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Send a file to a site, and print what happened.

    Args:
        task: Name of the task.
        file: The file.
        address: Address of the site.
        token_file: File with the token.
        insecure: Whether plain HTTP is allowed for other machines.
        method: Name or description of the method.
        links: Addresses of a paper or code.
        check_first: Whether to check the file, and not to send it if it is invalid.
        wait: Whether to wait for the verdict.
        as_json: Whether to print JSON.

    Raises:
        Ended: The file is invalid, or there is a verdict.
        ValueError: The site cannot be reached, or refuses the file.

    """
    with _client_errors():
        api = Api(parse_address(address, insecure=insecure), token=read_token(token_file), lang=language())
        if check_first:
            _check(api, task, file)
        sent = _send(api, task, file, method=method, links=links)
        _print_sent(api, sent, as_json=as_json and not wait)
        if wait:
            _print_verdict(_verdict(api, sent), as_json=as_json)


def _send(api: Api, task: str, file: Path, *, method: str, links: tuple[str, ...]) -> Sent:
    with Progress(-(-file.stat().st_size // KILOBYTE), "kB", None) as bar:
        show = bar.callback
        progress = None if show is None else lambda sent: show(sent // KILOBYTE)
        return send_submission(api, task, file, method=method, links=links, progress=progress)


@contextmanager
def _client_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise ValueError(error.message(language())) from error


def _check(api: Api, task: str, file: Path) -> None:
    """Print the errors of a file that is invalid whatever the gold file is, and exit with code 1."""
    scorer = task if task in tasks.names() else api.get("tasks", task).get("scorer")
    if scorer not in tasks.names():
        return  # Of another package, which is not installed here.
    try:
        report = check(tasks.get(scorer), file, lang=language())
    except ImportError:
        return  # Images need a package that participants may not have.
    if not report.ok:
        print_report(report, file, None, as_json=False)


def _print_sent(api: Api, sent: Sent, *, as_json: bool) -> None:
    """Print the acknowledgement: on stderr, unless it is the result."""
    if as_json:
        click.echo(json_text(sent.values))
        return
    text = "accepted: submission {number}" if sent.is_new else "accepted before: submission {number}"
    click.echo(translate(text).format(number=_shown(sent.values.get("number", sent.id))), err=True)
    click.echo(f"{api.address}/submissions/{_shown(sent.id)}", err=True)


def _verdict(api: Api, sent: Sent) -> dict[str, Any]:
    """Wait for the verdict; states are printed on stderr."""
    values: dict[str, Any] = {}
    try:
        for values in wait_for_verdict(api, sent.id):
            state = _shown(values.get("state"))
            place = values.get("queue_position")
            words = translate("{state}, {count} before it") if isinstance(place, int) else "{state}"
            click.echo(words.format(state=translate(state), count=place), err=True)
    except KeyboardInterrupt:
        click.echo(translate("the submission stays accepted"), err=True)
        raise
    return values


def _print_verdict(values: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a verdict and exit: with code 0 for a score, 1 for an invalid file, 2 for none."""
    verdict = values.get("verdict")
    verdict = verdict if isinstance(verdict, Mapping) else {}
    state = values.get("state")
    if as_json:
        click.echo(json_text(dict(values)))
    elif state == "scored":
        score = translate("scored: {score}").format(score=_shown(verdict.get("published")))
        click.echo(click.style(score, fg="green"))
    elif state == "invalid":
        _print_problems(verdict)
    else:
        click.echo(translate("there is no verdict: ask the organizers"), err=True)
    raise Ended({"scored": 0, "invalid": 1}.get(str(state), WRONG_USAGE))


def _print_problems(verdict: Mapping[str, Any]) -> None:
    """Print the errors of a file as ``muge-fast check`` does; errors that many lines have are one line."""
    found = verdict.get("problems")
    problems = [problem for problem in found if isinstance(problem, Mapping)] if isinstance(found, list) else []
    for problem in problems:
        click.echo(printable(_shown(problem.get(f"message_{language()}", problem.get("code")))))
    counts = [problem.get("count", 1) for problem in problems]
    total = verdict.get("problem_count", sum(count for count in counts if isinstance(count, int)))
    styled = click.style(translate("invalid"), fg="red")
    colon = "：" if language() == "zh" else ": "
    click.echo(f"{styled}{colon}{counted(total if isinstance(total, int) else len(problems), 'problem')}")


def _shown(value: object) -> str:
    return format_id(str(value), SHOWN)
