"""Commands that pages show for copying."""

from __future__ import annotations

from starlette.requests import Request

from muge_fast.leaderboard.rules.settings import TaskSettings
from muge_fast.tasks import get

FILE = "pred.jsonl"
TOKEN_FILE = "token.txt"  # noqa: S105 - the name of a file


def file_name(task: TaskSettings) -> str:
    """Return the name of a submitted file in examples.

    Args:
        task: The task.

    Returns:
        The name.

    """
    return "pred.img.tsv" if get(task.scorer).file_type == "images" else FILE


def check_command(task: TaskSettings) -> str:
    """Return the command that checks a file on the participant's machine.

    Args:
        task: The task.

    Returns:
        The command.

    """
    return f"muge-fast check {task.scorer} --submission {file_name(task)}"


def submit_command(task: TaskSettings, request: Request) -> str:
    """Return the command that sends a file.

    Args:
        task: The task.
        request: The request, for the address of the site.

    Returns:
        The command.

    """
    return (
        f"muge-fast submit {task.slug} {file_name(task)} \\\n"
        f"    --to {site_address(request)} --token-file {TOKEN_FILE} --wait"
    )


def curl_command(task: TaskSettings, request: Request) -> str:
    """Return the command that sends a file by curl.

    Args:
        task: The task.
        request: The request, for the address of the site.

    Returns:
        The command.

    """
    return (
        f'curl --data-binary @{file_name(task)} -H "Authorization: Bearer $(cat {TOKEN_FILE})" \\\n'
        f'    -H "Idempotency-Key: $(uuidgen)" {site_address(request)}/api/v1/tasks/{task.slug}/submissions'
    )


def site_address(request: Request) -> str:
    """Return the address of the site, as browsers reach it.

    Args:
        request: The request.

    Returns:
        Scheme and host, without a slash at the end.

    """
    return request.app.state.site.options.address.rstrip("/") or str(request.base_url).rstrip("/")
