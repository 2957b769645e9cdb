"""Files in an object storage such as S3, under the same names as in a folder.

A file is received into a temporary file of this machine first, because its name is its hash; then it is uploaded, and
is stored when the storage has confirmed it. Workers read a temporary copy.

The storage has no locks, so a sweep removes a file in two steps, at least ``older_than`` apart: it is moved to
``swept/``, where readers still find it, and later removed, or moved back if it has a row by then.

obstore has threads, which a forked process lacks, so it would wait for them forever: there, an error is raised.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store

from muge_fast.leaderboard.blobs.interface import StoredBlob, Sweep
from muge_fast.leaderboard.blobs.local import BATCH, DAY, SHA256, copy_chunks

SWEPT = "swept/"
PART = 8 * 1024 * 1024
BLOCK = 1 << 20
# The process whose threads serve requests.
_process: int | None = None

# How services name what is wrong, in the XML of an error.
CODE = re.compile(r"<Code>(\w+)</Code>")
CODE_OF_BUCKET = "NoSuchBucket"
CODES_OF_KEYS = frozenset(
    {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
)

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class ObjectBlobs:
    """An object storage of files under their hashes, which several machines may use at the same time.

    Args:
        store: The bucket, with the prefix of all names.
        scratch: Folder for temporary files; None for that of the system.

    Example:
        >>> from obstore.store import MemoryStore
        >>> from muge_fast.leaderboard.blobs.object_storage import ObjectBlobs
        >>> blobs = ObjectBlobs(MemoryStore())
        >>> stored = blobs.put([b"one", b"two"])
        >>> with blobs.local(stored.sha256) as path:
        ...     path.read_bytes()
        b'onetwo'

    """

    def __init__(self, store: ObjectStore, *, scratch: Path | None = None) -> None:
        self._store = store
        self._scratch = scratch

    def put(self, chunks: Iterable[bytes], *, max_bytes: int | None = None) -> StoredBlob:
        """Store a file. When this returns, the storage has confirmed it.

        Args:
            chunks: The bytes, in pieces.
            max_bytes: Largest size.

        Returns:
            Its hash and size.

        Raises:
            BlobTooLargeError: It has more bytes.
            OSError: It cannot be written or uploaded. Nothing of it is kept.

        """
        with self._temporary() as file:
            stored = copy_chunks(chunks, file, max_bytes)
            file.seek(0)
            with _as_os_errors("upload"):
                # One part at a time: a server may have many uploads, and each holds its parts in memory.
                obstore.put(self._store, _name(stored.sha256), file, chunk_size=PART, max_concurrency=1)
        return stored

    def _temporary(self) -> IO[bytes]:
        file: IO[bytes] = tempfile.TemporaryFile(dir=self._scratch, prefix="muge-fast-")  # noqa: SIM115 - the caller closes it
        return file

    @contextmanager
    def local(self, sha256: str) -> Iterator[Path]:
        """Yield the path of a temporary copy of a file, whose hash was compared.

        Args:
            sha256: Its hash.

        Yields:
            The path.

        Raises:
            FileNotFoundError: There is no such file.
            OSError: It cannot be downloaded, or is damaged.

        """
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix="muge-fast-") as folder:
            path = Path(folder) / sha256
            digest = hashlib.sha256()
            with path.open("xb") as file:
                for chunk in self._read(sha256):
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != sha256:
                raise OSError(f"the stored file {sha256} is damaged")
            yield path

    def _read(self, sha256: str) -> Iterator[bytes]:
        name = _name(sha256)
        with _as_os_errors("download"):
            try:
                found = obstore.get(self._store, name)
            except FileNotFoundError:
                found = obstore.get(self._store, SWEPT + name)
            for chunk in found.stream(min_chunk_size=BLOCK):
                yield bytes(chunk)

    def verify(self, sha256: str) -> bool:
        """Return whether a file exists and has the bytes of its hash.

        Args:
            sha256: Its hash.

        Returns:
            Whether it is intact.

        Raises:
            OSError: The storage cannot be reached.

        """
        digest = hashlib.sha256()
        try:
            for chunk in self._read(sha256):
                digest.update(chunk)
        except FileNotFoundError:
            return False
        return digest.hexdigest() == sha256

    def hashes(self) -> Iterator[str]:
        """Yield the hash of every stored file.

        Yields:
            The hashes, in no order.

        Raises:
            OSError: The storage cannot be reached.

        """
        yield from {name.rpartition("/")[2] for name, _ in self._list() if SHA256.fullmatch(name.rpartition("/")[2])}

    def _list(self) -> Iterator[tuple[str, datetime]]:
        with _as_os_errors("list files"):
            for batch in obstore.list(self._store, chunk_size=1000):
                yield from ((meta["path"], meta["last_modified"]) for meta in batch)

    def sweep(self, recorded: Callable[[Collection[str]], Collection[str]], *, older_than: float = DAY) -> Sweep:
        """Set files without a row aside that are old, and remove those that an earlier sweep set aside.

        Incomplete uploads are not objects; a rule of the bucket should remove their parts.

        Args:
            recorded: Function that returns which of some hashes the database has.
            older_than: Age in seconds. It must be larger than the time between storing a file and its commit.

        Returns:
            The numbers of removed files: those that were set aside count.

        Raises:
            OSError: The storage cannot be reached.

        """
        limit = datetime.now(timezone.utc) - timedelta(seconds=older_than)
        old = [name for name, modified in self._list() if modified < limit]
        aside = [name.removeprefix(SWEPT) for name in old if name.startswith(SWEPT)]
        present = [name for name in old if name == _name(name[-64:])]
        for name, has_row in _with_rows(aside, recorded):
            if has_row:
                self._move(SWEPT + name, name)
            else:
                self._delete(SWEPT + name)
        lost = [name for name, has_row in _with_rows(present, recorded) if not has_row]
        for name in lost:
            self._move(name, SWEPT + name)
        return Sweep(0, len(lost))

    def _move(self, name: str, target: str) -> None:
        with _as_os_errors("move a file"):
            obstore.copy(self._store, name, target)
        self._delete(name)

    def _delete(self, name: str) -> None:
        with _as_os_errors("delete a file"):
            obstore.delete(self._store, name)


def _name(sha256: str) -> str:
    if not SHA256.fullmatch(sha256):
        raise ValueError("the hash of a file has 64 hexadecimal digits")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def _with_rows(names: list[str], recorded: Callable[[Collection[str]], Collection[str]]) -> Iterator[tuple[str, bool]]:
    """Yield names of files, and whether they have a row."""
    for start in range(0, len(names), BATCH):
        batch = {name[-64:]: name for name in names[start : start + BATCH]}
        found = set(recorded(list(batch)))
        yield from ((name, sha256 in found) for sha256, name in batch.items())


@contextmanager
def _as_os_errors(action: str) -> Iterator[None]:
    """Raise errors of the storage as those of files; their texts have many lines."""
    global _process  # noqa: PLW0603 - the threads are those of the process
    _process = _process or os.getpid()
    if _process != os.getpid():
        raise RuntimeError("an object storage cannot be used after a fork: use it in the process that opened it first")
    try:
        yield
    except FileNotFoundError as error:
        if CODE_OF_BUCKET not in str(error):
            raise FileNotFoundError("the object storage has no such file") from error
        raise OSError(f"the object storage could not {action}: {_reason(str(error))}") from error
    except BaseError as error:
        raise OSError(f"the object storage could not {action}: {_reason(str(error))}") from error


def _reason(text: str) -> str:
    """Return why a request failed in one line; errors of the driver have many, with addresses and traces."""
    found = CODE.search(text)
    code = found[1] if found else ""
    if code == CODE_OF_BUCKET:
        return "there is no such bucket: make it, or correct the name after s3://"
    if code in CODES_OF_KEYS:
        hint = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and what their user may do"
        return f"the service refuses the keys ({code}): {hint}"
    return text.strip().partition("\n")[0]


def open_bucket(address: str) -> ObjectBlobs:
    """Open a bucket of S3, or of a service with the same interface.

    Keys, region and the address of a service come from the environment: ``AWS_ACCESS_KEY_ID``,
    ``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``, ``AWS_ENDPOINT_URL``, or from the machine in a cloud.

    Args:
        address: ``s3://bucket/prefix``.

    Returns:
        The storage.

    Raises:
        ValueError: The address has no bucket.

    Example:
        >>> from muge_fast.leaderboard.blobs.object_storage import open_bucket
        >>> open_bucket("s3://")
        Traceback (most recent call last):
        ValueError: the address 's3://' has no bucket: write s3://BUCKET/PREFIX

    """
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    if not BUCKET.fullmatch(bucket):
        raise ValueError(f"the address {address!r} has no bucket: write s3://BUCKET/PREFIX")
    return ObjectBlobs(S3Store(bucket, prefix=prefix.strip("/") or None))
