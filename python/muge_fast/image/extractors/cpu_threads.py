"""Parts of a batch worked on side by side by the threads of a CPU.

The layers of a network are small for a few images: threads that share each layer wait for one another at its end.
Where each thread takes images of its own, none waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import Any, TypeVar

import torch

Part = TypeVar("Part")
Result = TypeVar("Result")


def cut(batch: Any, size: int) -> list[Any]:  # noqa: ANN401 - whatever has a length and slices
    """Cut a batch into parts of a size.

    The last two are halved: so the threads of a CPU, which never take quite the same time, end at about the same time.

    Args:
        batch: A list or a tensor.
        size: Images of a part.

    Example:
        >>> from muge_fast.image.extractors.cpu_batches import cut
        >>> [len(part) for part in cut([0] * 13, 4)]
        [4, 4, 2, 2, 1]

    """
    parts, start = [], 0
    while start < len(batch):
        length = size if len(batch) - start > 2 * size else -(-size // 2)
        parts.append(batch[start : start + length])
        start += length
    return parts or [batch]


def side_by_side(run: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """Run a function on all parts, on as many threads as torch may use.

    Args:
        run: Works on one part, with torch.
        parts: The parts.

    Returns:
        The results, in the order of the parts. See :func:`batches_side_by_side`.

    Example:
        >>> import torch
        >>> from muge_fast.image.extractors.cpu_batches import side_by_side
        >>> side_by_side(lambda part: part.sum().item(), torch.ones(5, 2).split(2))
        [4.0, 4.0, 2.0]

    """
    (results,) = batches_side_by_side(run, [parts])
    return results


def batches_side_by_side(run: Callable[[Part], Result], batches: Iterable[Sequence[Part]]) -> Iterator[list[Result]]:
    """Run a function on the parts of one batch after the other, on as many threads as torch may use.

    The next batch is begun before the one before it is at its end, so no thread waits there. With fewer parts than
    threads, the threads left over share the work inside. Torch's number of threads is as before at the end. Modes that
    torch keeps by thread, as ``torch.inference_mode``, do not reach into the function.

    Args:
        run: Works on one part, with torch.
        batches: The parts of each batch.

    Returns:
        The results of each batch, in order.

    Example:
        >>> from muge_fast.image.extractors.cpu_batches import batches_side_by_side
        >>> list(batches_side_by_side(abs, [[-1, -2, -3], [], [-4]]))
        [[1, 2, 3], [], [4]]

    """
    threads = torch.get_num_threads()
    rest, first = iter(batches), list[Sequence[Part]]()
    while sum(map(len, first)) < threads and (parts := next(rest, None)) is not None:
        first.append(parts)
    workers = min(threads, sum(map(len, first)))
    if workers <= 1:
        yield from ([run(part) for part in parts] for parts in chain(first, rest))
        return
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(threads // workers,))
    try:
        waiting = deque[list[Future[Result]]]()
        for parts in chain(first, rest):
            waiting.append([pool.submit(run, part) for part in parts])
            while sum(map(len, waiting)) - len(waiting[0]) >= workers:
                yield [part.result() for part in waiting.popleft()]
        while waiting:
            yield [part.result() for part in waiting.popleft()]
    finally:
        pool.shutdown(cancel_futures=True)
        # What a thread sets is also where threads that come later start.
        torch.set_num_threads(threads)
