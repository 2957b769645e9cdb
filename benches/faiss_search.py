"""One search with faiss, in a separate process because OpenBLAS reads its settings when it is loaded.

``python -m benches.faiss_search FOLDER K`` reads ``queries.npy`` and ``items.npy`` from a folder, writes ``scores.npy``
to it and prints the seconds of the search.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import faiss
import numpy as np


def main() -> None:
    """Search once to warm up, then measure a search from vectors to scores."""
    folder, k = Path(sys.argv[1]), int(sys.argv[2])
    queries, items = (np.load(folder / f"{name}.npy") for name in ("queries", "items"))
    search(queries[:100], items[:1000], k)
    start = time.perf_counter()
    scores = search(queries, items, k)
    seconds = time.perf_counter() - start
    np.save(folder / "scores.npy", scores)
    print(seconds)


def search(queries: np.ndarray, items: np.ndarray, k: int) -> np.ndarray:
    """Return the highest inner products of each query."""
    index = faiss.IndexFlatIP(items.shape[1])
    index.add(items)
    return index.search(queries, k)[0]


main()
