"""Send a file to a leaderboard, wait for its verdict, and print the score or every error of the file.

python examples/leaderboard_client.py retrieval pred.jsonl --to https://muge.example --token-file token

`muge-fast submit` does the same. This program needs nothing but Python, for other tools and languages to copy; the API
is described in docs/leaderboard-api.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

WAITING = ("queued", "running")


class Board:
    """The API of a leaderboard.

    Args:
        address: Address of the site.
        token: Token with the scopes ``read`` and ``submit``.

    """

    def __init__(self, address: str, token: str) -> None:
        self.api, self.token = f"{address.rstrip('/')}/api/v1", token

    def request(self, path: str, data: bytes | None = None, **headers: str) -> dict[str, Any]:
        """Return the answer to a GET, or to a POST of ``data``.

        Raises:
            RuntimeError: The site refuses the request; the message is that of the site.

        """
        headers |= {"Authorization": f"Bearer {self.token}", "Accept-Language": "en"}
        try:
            with urlopen(Request(f"{self.api}/{path}", data, headers), timeout=60) as answer:
                result: dict[str, Any] = json.load(answer)
        except HTTPError as error:
            raise RuntimeError(f"the site refuses: {json.load(error)['detail']}") from None
        return result

    def submit(self, task: str, file: Path) -> str:
        """Return the id of a submission. A file that was sent before is not counted twice."""
        data = file.read_bytes()
        key = hashlib.sha256(data).hexdigest()
        headers = {"Idempotency-Key": f"{task}-{key}", "Content-Type": "application/octet-stream"}
        return str(self.request(f"tasks/{task}/submissions", data, **headers)["id"])

    def wait(self, submission: str, *, seconds: float = 2.0) -> dict[str, Any]:
        """Return a submission after its evaluation."""
        while (state := self.request(f"submissions/{submission}"))["state"] in WAITING:
            time.sleep(seconds)
        return state


def main(arguments: Sequence[str] | None = None) -> int:
    """Send a file, and return 0 for a score, 1 for errors of the file, and 2 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task")
    parser.add_argument("file", type=Path)
    parser.add_argument("--to", required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=2.0, help="time between two questions for the verdict")
    options = parser.parse_args(arguments)
    board = Board(options.to, options.token_file.read_text().strip())
    try:
        submission = board.wait(board.submit(options.task, options.file), seconds=options.seconds)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    if submission["state"] == "scored":
        print(f"scored: {submission['verdict']['published']}")
        return 0
    if submission["state"] != "invalid":
        print(f"submission is {submission['state']}", file=sys.stderr)
        return 2
    for problem in submission["verdict"]["problems"]:
        print(problem["message_en"])
    return 1


if __name__ == "__main__":
    sys.exit(main())
