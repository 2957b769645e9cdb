"""Running torch on a CPU with one thread per chunk of a batch.

Layers are small for a few images: threads that share every layer wait for one another at the end of each. A thread that
takes whole chunks waits only at the end of the work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import Protocol, TypeVar

import torch

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")
Batch = TypeVar("Batch", bound="Sliceable")


class Sliceable(Protocol):
    """A batch with a length and slices: a list, an array or a tensor.

    Example:
        >>> from muge_fast.image.extractors.cpu_threads import Sliceable
        >>> def halves(batch: Sliceable):
        ...     return batch[: len(batch) // 2], batch[len(batch) // 2 :]
        >>> halves([1, 2, 3])
        ([1], [2, 3])

    """

    def __len__(self) -> int: ...

    def __getitem__(self: Batch, index: slice, /) -> Batch: ...  # noqa: PYI019 - typing.Self is new in Python 3.11


def split_batch(batch: Batch, size: int) -> list[Batch]:
    """Split a batch into chunks.

    From the last ``2 * size`` images on, chunks are half as large, so that threads, which never run equally fast, end
    at about the same time.

    Args:
        batch: A list, array or tensor of images.
        size: Number of images of a chunk.

    Returns:
        The chunks, in order; a single empty one for an empty batch.

    Example:
        >>> from muge_fast.image.extractors.cpu_threads import split_batch
        >>> [len(chunk) for chunk in split_batch([0] * 13, 4)]
        [4, 4, 2, 2, 1]

    """
    chunks, start = [], 0
    while start < len(batch):
        length = size if len(batch) - start > 2 * size else -(-size // 2)
        chunks.append(batch[start : start + length])
        start += length
    return chunks or [batch]


def run_chunks(run: Callable[[Chunk], Result], chunks: Sequence[Chunk]) -> list[Result]:
    """Run a function on all chunks, on as many threads as torch may use.

    Args:
        run: Function of one chunk, which uses torch. Modes that torch keeps per thread, such as
            ``torch.inference_mode``, must be set inside it.
        chunks: The chunks.

    Returns:
        The results, in the order of the chunks.

    Example:
        >>> import torch
        >>> from muge_fast.image.extractors.cpu_threads import run_chunks
        >>> run_chunks(lambda chunk: chunk.sum().item(), torch.ones(5, 2).split(2))
        [4.0, 4.0, 2.0]

    """
    (results,) = run_batches(run, [chunks])
    return results


def run_batches(run: Callable[[Chunk], Result], batches: Iterable[Sequence[Chunk]]) -> Iterator[list[Result]]:
    """Run a function on the chunks of one batch after another, on as many threads as torch may use.

    Threads begin the next batch before the previous one has ended. If there are fewer chunks than threads, the
    remaining threads work inside the function. Torch's number of threads is restored at the end.

    Args:
        run: Function of one chunk, which uses torch. Modes that torch keeps per thread, such as
            ``torch.inference_mode``, must be set inside it.
        batches: The chunks of each batch.

    Yields:
        The results of each batch, in order.

    Example:
        >>> from muge_fast.image.extractors.cpu_threads import run_batches
        >>> list(run_batches(abs, [[-1, -2, -3], [], [-4]]))
        [[1, 2, 3], [], [4]]

    """
    threads = torch.get_num_threads()
    remaining, first = iter(batches), list[Sequence[Chunk]]()
    while sum(map(len, first)) < threads and (chunks := next(remaining, None)) is not None:
        first.append(chunks)
    workers = min(threads, sum(map(len, first)))
    if workers <= 1:
        yield from ([run(chunk) for chunk in chunks] for chunks in chain(first, remaining))
        return
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(threads // workers,))
    try:
        pending = deque[list[Future[Result]]]()
        for chunks in chain(first, remaining):
            pending.append([pool.submit(run, chunk) for chunk in chunks])
            while sum(map(len, pending)) - len(pending[0]) >= workers:
                yield [result.result() for result in pending.popleft()]
        while pending:
            yield [result.result() for result in pending.popleft()]
    finally:
        pool.shutdown(cancel_futures=True)
        # The setting of one thread is also the default of threads started later, so it must be restored here.
        torch.set_num_threads(threads)
