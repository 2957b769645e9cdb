"""Sending a submission, and waiting for its verdict."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from muge_fast._internal.paths import file_sha256, open_named
from muge_fast.leaderboard.client.errors import ClientError
from muge_fast.leaderboard.client.requests import Api, Body

TOKEN = re.compile(r"[\x21-\x7e]{8,200}")
ENDED = frozenset({"scored", "invalid", "faulted", "cancelled"})
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0


class Sent(NamedTuple):
    """A submission that the site has acknowledged.

    Attributes:
        id: Its id.
        is_new: Whether this request made it, not an earlier one with the same file.
        values: The answer of the site.

    """

    id: str
    is_new: bool
    values: dict[str, Any]


def read_token(path: Path) -> str:
    """Read the token of an account.

    Args:
        path: A file with the token and nothing else.

    Returns:
        The token.

    Raises:
        OSError: The file cannot be read.
        ClientError: It does not have one token.

    """
    with open_named(path, streams=True) as file:
        words = file.read(1000).decode("ascii", "replace").split()
    if len(words) != 1 or not TOKEN.fullmatch(words[0]):
        raise ClientError(
            "no_token",
            "the file of the token must have one token and nothing else: copy it from the page of your account",
            "令牌文件应只包含一个令牌：请从账号页面复制",
        )
    return words[0]


def send_submission(
    api: Api,
    task: str,
    path: Path,
    *,
    method: str = "",
    links: Sequence[str] = (),
    progress: Callable[[int], object] | None = None,
) -> Sent:
    """Send a file. However often this is repeated, the site has it once.

    Args:
        api: The site.
        task: Name of the task in addresses.
        path: The file.
        method: Name or description of the method.
        links: Addresses of a paper or code.
        progress: Function that is called with the number of bytes that were sent.

    Returns:
        The acknowledgement.

    Raises:
        OSError: The file cannot be read.
        ClientError: The site cannot be reached, or refuses the file.

    """
    with open_named(path) as file:
        size = os.fstat(file.fileno()).st_size
        key = request_key(task, file_sha256(file))
        query = [("method", method)] * bool(method) + [("link", link) for link in links]
        body = Body(file, size, progress)
        answer = api.post("tasks", task, "submissions", query=query, headers={"Idempotency-Key": key}, body=body)
    submission = answer.values.get("id")
    if not isinstance(submission, str):
        raise ClientError(
            "no_id",
            f"{api.address} answers without the id of a submission: look whether it is the address of a board",
            f"{api.address} 的回复中没有提交编号：请检查它是否为排行榜的地址",
        )
    return Sent(submission, answer.status == 201, answer.values)  # noqa: PLR2004 - created


def request_key(task: str, sha256: str) -> str:
    """Return the key of the request that sends a file, the same for every try.

    Args:
        task: Name of the task.
        sha256: Hash of the file.

    Returns:
        The key.

    Example:
        >>> from muge_fast.leaderboard.client.submitting import request_key
        >>> request_key("caption", "0" * 64) == request_key("retrieval", "0" * 64)
        False

    """
    return "file-" + hashlib.sha256(f"{task}\n{sha256}".encode()).hexdigest()


def wait_for_verdict(
    api: Api, submission: str, *, sleep: Callable[[float], object] = time.sleep
) -> Iterator[dict[str, Any]]:
    """Yield the submission whenever its state changes, until it has a verdict.

    Args:
        api: The site.
        submission: Its id.
        sleep: Function that waits, for tests.

    Yields:
        The JSON object of the submission.

    Raises:
        ClientError: The site cannot be reached.

    """
    pause, last = FIRST_PAUSE, None
    while True:
        values = api.get("submissions", submission)
        state = values.get("state")
        if state != last:
            yield values
            last, pause = state, FIRST_PAUSE
        if state in ENDED:
            return
        sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
