"""Fetching a file of weights, when somebody asks for it."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path

from muge_fast._internal.progress import Progress

BLOCK = 1 << 20
SECONDS = 30


def download(url: str, path: Path, *, digits: str, progress: bool | None = None) -> None:
    """Fetch a file; a second call goes on where the first one was cut off, and the file appears whole or not at all.

    Args:
        url: Where it is.
        path: Where it shall be. What there is of it lies beside it, under the same name and ``.part``.
        digits: How its SHA-256 starts.
        progress: Whether to show how far it is; None for on a terminal.

    Raises:
        OSError: It cannot be reached, the connection ended early, or it cannot be written.
        ValueError: What came is another file. It is removed.

    Example:
        >>> import pathlib
        >>> from muge_fast.image.extractors.download import download
        >>> url = "https://example.com/weights-6726825d.pth"
        >>> download(url, pathlib.Path("weights.pth"), digits="6726825d")  # doctest: +SKIP

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    _fetch(url, part, progress)
    digest = _sha256(part)
    if not digest.startswith(digits):
        part.unlink()
        raise ValueError(f"{url}: what came has the SHA-256 {digest}, needs one that starts with {digits}")
    part.replace(path)


def _fetch(url: str, part: Path, progress: bool | None) -> None:
    """Add to a part what is missing of it."""
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})  # noqa: S310
    try:
        answer = urllib.request.urlopen(request, timeout=SECONDS)  # noqa: S310 - addresses are ours
    except urllib.error.HTTPError as error:
        if start and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            # Nothing was missing.
            return
        raise OSError(f"{url}: {error}") from error
    with answer:
        # A server that knows no ranges sends all of it.
        done = start if answer.status == HTTPStatus.PARTIAL_CONTENT else 0
        length = answer.headers.get("Content-Length")
        total = None if length is None else done + int(length)
        with part.open("ab" if done else "wb") as file, Progress(total, "B", progress) as bar:
            while block := answer.read(BLOCK):
                file.write(block)
                done += len(block)
                if bar.callback is not None:
                    bar.callback(done)
    if total is not None and done < total:
        raise OSError(f"{url}: the connection ended after {done} of {total} bytes; the next call goes on from there")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
