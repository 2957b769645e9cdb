"""Downloading a file of weights, when the user asks for it.

``torch.hub.download_url_to_file`` would do most of this. It is not used because it starts again after an interrupted
download of 95 MB, waits without a time limit for a server that does not answer, and raises ``RuntimeError`` for a file
with a wrong hash.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path

from muge_fast._internal.paths import file_sha256
from muge_fast._internal.progress import Progress

BLOCK_BYTES = 1 << 20
TIMEOUT_SECONDS = 30


def download_file(url: str, path: Path, *, sha256_prefix: str, progress: bool | None = None) -> None:
    """Download a file. An interrupted download is resumed, and ``path`` exists only once the hash has been checked.

    Args:
        url: Address of the file.
        path: Where to write it. An incomplete download is kept next to it, as ``<name>.part``.
        sha256_prefix: First hexadecimal digits of the file's SHA-256.
        progress: Whether to show a progress bar; None to show it on a terminal.

    Raises:
        OSError: The server cannot be reached or does not answer for 30 seconds, the connection ended early, or the file
            cannot be written.
        ValueError: The file has a wrong hash. It is removed.

    Example:
        >>> import pathlib
        >>> from muge_fast.image.extractors.download import download_file
        >>> url = "https://example.com/weights-6726825d.pth"
        >>> download_file(url, pathlib.Path("weights.pth"), sha256_prefix="6726825d")  # doctest: +SKIP

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    _resume(url, part, progress)
    with part.open("rb") as file:
        digest = file_sha256(file)
    if not digest.startswith(sha256_prefix):
        part.unlink()
        raise ValueError(f"{url}: the file has the SHA-256 {digest}, which should start with {sha256_prefix}")
    part.replace(path)


def _resume(url: str, part: Path, progress: bool | None) -> None:
    """Append the missing bytes of a file to its ``.part``."""
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})  # noqa: S310
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310 - addresses are constants
    except urllib.error.HTTPError as error:
        if start and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            # All bytes are there already.
            return
        raise OSError(f"{url}: {error}") from error
    with response:
        # A server without support for ranges sends the whole file.
        done = start if response.status == HTTPStatus.PARTIAL_CONTENT else 0
        length = response.headers.get("Content-Length")
        total = None if length is None else done + int(length)
        with part.open("ab" if done else "wb") as file, Progress(total, "B", progress) as bar:
            while block := response.read(BLOCK_BYTES):
                file.write(block)
                done += len(block)
                if bar.callback is not None:
                    bar.callback(done)
    if total is not None and done < total:
        raise OSError(f"{url}: the connection ended after {done} of {total} bytes; call again to resume")
