"""One search that many threads update, merge and read at the same time: no block is lost, and no call waits forever.

Calls during another one raised "Already borrowed", and their blocks were missing.
"""

import copy
import threading

import numpy as np

import muge_fast as mf

MEMORY = 2 << 30
THREADS, BLOCKS, ROWS = 8, 6, 500


def attack():
    random = np.random.default_rng(0)
    queries = random.standard_normal((50, 16)).astype(np.float32)
    items = random.standard_normal((2 * THREADS * BLOCKS * ROWS, 16)).astype(np.float32)
    searches, errors = (mf.TopK(5), mf.TopK(5)), []

    def work(thread):
        try:
            for block in range(BLOCKS):
                for half, search in enumerate(searches):
                    start = ((half * THREADS + thread) * BLOCKS + block) * ROWS
                    search.update(queries, items[start : start + ROWS], start, threads=2)
                    repr(search)
                    copy.copy(search)
        except Exception as error:  # noqa: BLE001 - of a thread
            errors.append(error)

    run(work, range(THREADS))
    assert not errors, errors
    copies = list(map(copy.copy, searches))
    # Each is added to the other: one of them has the items already, and neither may wait for the other.
    run(lambda pair: merge(*pair, errors), [copies, copies[::-1]])
    searches[0].merge(searches[1])
    expected, found = mf.top_k(queries, items, 5), searches[0].compute()
    assert np.array_equal(expected.indices, found.indices)
    assert np.array_equal(expected.scores, found.scores)


def merge(first, second, errors):
    try:
        first.merge(second)
    except ValueError as error:
        errors.append(error)


def run(function, arguments):
    threads = [threading.Thread(target=function, args=(argument,), daemon=True) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
