"""Receiving files: from the connection into the storage, piece by piece, in bounded memory and at a least speed."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import anyio
from starlette.requests import ClientDisconnect, Request

from muge_fast.leaderboard.blobs.interface import Blobs, StoredBlob
from muge_fast.leaderboard.web.problems import INCOMPLETE, TOO_SLOW, Problem, ProblemError

MAX_WAITING = 512 * 1024
STALL_SECONDS = 30.0
GRACE_SECONDS = 60.0
LEAST_RATE = 2_000.0  # bytes per second, after the grace
MAX_UPLOADS = 64
MAX_UPLOADS_OF_ACCOUNT = 16

TOO_MANY_UPLOADS = Problem(
    429, "too_many_uploads", "too many uploads at once: wait for the others", "同时上传过多：请等待其他上传完成"
)


class Pipe:
    """Bytes from the event loop to the thread that stores them. The sender waits while too much is in it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._state = "open"
        self._changed = threading.Condition()
        self._room = asyncio.Event()

    async def send(self, chunk: bytes) -> None:
        """Add bytes, and wait until there is room for more.

        Args:
            chunk: The bytes.

        Raises:
            BrokenPipeError: The thread has stopped reading.

        """
        with self._changed:
            if self._state == "stopped":
                raise BrokenPipeError
            self._chunks.append(chunk)
            self._size += len(chunk)
            is_full = self._size >= MAX_WAITING
            if is_full:
                self._room.clear()
            self._changed.notify()
        if is_full:
            await self._room.wait()

    def close(self, *, complete: bool) -> None:
        """End the bytes.

        Args:
            complete: Whether the file is complete; if not, the thread gets an error and keeps nothing.

        """
        with self._changed:
            if self._state == "open":
                self._state = "complete" if complete else "broken"
            self._changed.notify()

    def read(self) -> Iterator[bytes]:
        """Yield the bytes, in the thread.

        Yields:
            Each piece.

        Raises:
            ProblemError: The file is not complete.

        """
        while chunks := self._take():
            yield from chunks

    def _take(self) -> list[bytes]:
        with self._changed:
            while not self._chunks and self._state == "open":
                self._changed.wait()
            if self._state == "broken":
                raise ProblemError(INCOMPLETE)
            chunks, self._size = list(self._chunks), 0
            self._chunks.clear()
            self._loop.call_soon_threadsafe(self._room.set)
            return chunks

    def stop(self) -> None:
        """Stop reading, after an error of the storage, so that the sender does not wait forever."""
        with self._changed:
            self._state = "stopped"
            self._chunks.clear()
            self._loop.call_soon_threadsafe(self._room.set)


class Uploads:
    """The uploads that are in progress, and the threads that store them.

    Args:
        blobs: The storage.

    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._threads = ThreadPoolExecutor(MAX_UPLOADS, thread_name_prefix="upload")
        self._of_account: Counter[str] = Counter()

    @contextmanager
    def turn(self, account: str) -> Iterator[None]:
        """Count an upload of an account while it runs.

        Args:
            account: The account.

        Yields:
            Nothing.

        Raises:
            ProblemError: The account, or the site, has too many uploads at once.

        """
        if self._of_account[account] >= MAX_UPLOADS_OF_ACCOUNT or sum(self._of_account.values()) >= MAX_UPLOADS:
            raise ProblemError(TOO_MANY_UPLOADS, {"Retry-After": "5"})
        self._of_account[account] += 1
        try:
            yield
        finally:
            self._of_account[account] -= 1
            if not self._of_account[account]:
                del self._of_account[account]

    def close(self) -> None:
        """End the threads, after the uploads that they store."""
        self._threads.shutdown(wait=True)

    async def store(self, chunks: AsyncIterator[bytes], *, max_bytes: int) -> StoredBlob:
        """Store the bytes of a request.

        Args:
            chunks: The bytes. An error of it ends the upload, and nothing is kept.
            max_bytes: Largest size.

        Returns:
            The hash and the size, after both are on the disk.

        Raises:
            BlobTooLargeError: There are more bytes.
            OSError: The file cannot be written.

        """
        pipe = Pipe()
        stored = asyncio.get_running_loop().run_in_executor(self._threads, _store, self._blobs, pipe, max_bytes)
        # The error of an upload that is cancelled is not awaited.
        stored.add_done_callback(lambda done: done.cancelled() or done.exception())
        complete = False
        try:
            async for chunk in chunks:
                await pipe.send(chunk)
            complete = True
        except BrokenPipeError:
            pass  # The storage has an error, which is raised below.
        finally:
            pipe.close(complete=complete)
        return await stored


def _store(blobs: Blobs, pipe: Pipe, max_bytes: int) -> StoredBlob:
    try:
        return blobs.put(pipe.read(), max_bytes=max_bytes)
    except BaseException:
        pipe.stop()
        raise


async def body_of(request: Request, *, clock: Callable[[], float] = anyio.current_time) -> AsyncIterator[bytes]:
    """Yield the body of a request, which must not stall and must arrive at a least speed.

    Args:
        request: The request.
        clock: Function that returns seconds, for tests.

    Yields:
        Each piece.

    Raises:
        ProblemError: It arrives too slowly, or the connection ended.

    """
    started, received = clock(), 0
    stream = request.stream().__aiter__()
    while True:
        try:
            with anyio.fail_after(STALL_SECONDS):
                chunk = await stream.__anext__()
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise ProblemError(TOO_SLOW, {"Connection": "close"}) from None
        except ClientDisconnect:
            raise ProblemError(INCOMPLETE) from None
        received += len(chunk)
        if received < LEAST_RATE * (clock() - started - GRACE_SECONDS):
            raise ProblemError(TOO_SLOW, {"Connection": "close"})
        if chunk:
            yield chunk
