"""The search of :func:`muge_fast.top_k` for torch tensors, on the device where they are.

A product of matrices in single precision rules out what cannot be among the best, by the same kind of bound as on the
CPU; what is left is scored in double precision, in the same order of additions, so that scores and ranking have the
same bits.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, SupportsIndex

import numpy as np

from muge_fast._internal.progress import Progress
from muge_fast.retrieval.ranking import Ranking
from muge_fast.retrieval.top_k_embeddings import METRICS, Exclude, excluded_lists

DTYPES = ("torch.float32", "torch.float16", "torch.bfloat16")
# A tile of scores takes 256 MiB.
QUERIES = 1024
ITEMS = 65536
# Pairs that are scored in double precision together, in numbers.
EXACT = 1 << 25
# Running sums of the definition.
LANES = 32
# Relative error of one rounding to float32, with the margin of docs/top-k.md.
UNIT = 1.1 * 2.0**-24
# More than any underflow adds up to.
TINY = 1e-30


def top_k(
    queries: Any,  # noqa: ANN401 - a tensor
    items: Any,  # noqa: ANN401 - a tensor
    k: SupportsIndex,
    *,
    metric: str = "ip",
    exclude: Exclude | None = None,
    progress: bool | None = None,
) -> Ranking:
    """Find the ``k`` best items of each query where the tensors are; they are never copied to the host as a whole.

    Args:
        queries: Tensor of shape ``(queries, dims)``, float32, float16 or bfloat16.
        items: Tensor of shape ``(items, dims)`` on the same device.
        k: As for :func:`muge_fast.top_k`.
        metric: As for :func:`muge_fast.top_k`.
        exclude: As for :func:`muge_fast.top_k`.
        progress: As for :func:`muge_fast.top_k`.

    Returns:
        A :class:`muge_fast.Ranking` of tensors on the same device, with the bits of :func:`muge_fast.top_k`.

    Raises:
        ValueError: As :func:`muge_fast.top_k`.
        TypeError: Something that is no tensor, another dtype, or tensors on different devices.

    Example:
        >>> import muge_fast as mf
        >>> features = torch.load("features.pt").cuda()  # doctest: +SKIP
        >>> mf.top_k(features, features, 10).indices.device  # doctest: +SKIP
        device(type='cuda', index=0)

    """
    torch = sys.modules["torch"]
    _check(torch, queries, items)
    count = operator.index(k)
    if not 1 <= count <= len(items):
        raise ValueError(f"k is {count}, needs 1 to {len(items)}, the number of items")
    if metric not in METRICS:
        raise ValueError(f'unknown metric "{metric}", choose one of {", ".join(METRICS)}')
    indices, lengths = excluded_lists(exclude, len(queries), len(items))
    owners = np.repeat(np.arange(len(lengths)), lengths)
    pairs = torch.as_tensor(np.stack([owners, indices]), device=queries.device)
    search = _Search(torch, items, count, metric)
    parts = []
    with _single_precision(torch), Progress(len(queries), "query", progress) as bar:
        for start in range(0, len(queries), QUERIES):
            inside = (pairs[0] >= start) & (pairs[0] < start + QUERIES)
            block = pairs[:, inside] - torch.tensor([[start], [0]], device=queries.device)
            parts.append(search.run(queries[start : start + QUERIES], block, start))
            if bar.callback is not None:
                bar.callback(min(start + QUERIES, len(queries)))
    if not parts:
        empty = torch.empty((0, count), device=queries.device)
        return Ranking(empty.double(), empty.long())
    return Ranking(*(torch.cat(part) for part in zip(*parts, strict=True)))


@contextmanager
def _single_precision(torch: Any) -> Iterator[None]:  # noqa: ANN401
    """No TF32: its products have 10 bits."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _check(torch: Any, queries: Any, items: Any) -> None:  # noqa: ANN401
    for name, tensor in (("queries", queries), ("items", items)):
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{name}: expected a torch tensor, as the other side is, found {type(tensor).__name__}")
        if str(tensor.dtype) not in DTYPES:
            raise TypeError(f"{name} has dtype {tensor.dtype}, needs one of {', '.join(DTYPES)}")
        if tensor.ndim != 2:  # noqa: PLR2004
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, needs two dimensions, ({name}, dims)")
        for start in range(0, len(tensor), ITEMS):
            bad = (~torch.isfinite(tensor[start : start + ITEMS])).nonzero()
            if len(bad):
                row, column = (int(place) for place in bad[0])
                value = float(tensor[start + row, column])
                problem = f"row {start + row} has {value} in column {column}, needs finite numbers"
                raise ValueError(f"{name}: {problem}")
    if queries.device != items.device:
        raise TypeError(f"items are on {items.device}, queries on {queries.device}: need the same device")
    if queries.shape[1] != items.shape[1] or not items.shape[1]:
        dims = items.shape[1], queries.shape[1]
        raise ValueError(f"items: vectors have {dims[0]} dimensions, those of queries have {dims[1]}")


class _Search:
    """All items, and what is known of them."""

    def __init__(self, torch: Any, items: Any, k: int, metric: str) -> None:  # noqa: ANN401
        self.torch, self.items, self.k, self.cosine = torch, items, k, metric == "cosine"
        self.slack = (items.shape[1] + 16) * UNIT
        largest = [part.abs().max().double() for part in items.split(ITEMS)]
        self.factor = self._power_of_two(torch.stack(largest).max())
        # In the units of the coarse pass, rounded up.
        self.norm = max(float(self._coarse(part)[0].norm(dim=1).max()) for part in items.split(ITEMS)) * 1.001

    def run(self, queries: Any, excluded: Any, first: int) -> tuple[Any, Any]:  # noqa: ANN401
        """Scores and indices of the best for some queries; ``excluded`` has pairs of a query and an item."""
        torch = self.torch
        factors = self._power_of_two(queries.abs().amax(dim=1, keepdim=True).double())
        coarse, norms = self._coarse(queries, factors)
        # The bound of a score, on both sides.
        width = 2 * (coarse.norm(dim=1).double() * 1.001 * self.norm * self.slack + TINY)
        best = torch.full((len(queries), 0), -torch.inf, device=queries.device)
        limit = torch.full((len(queries),), -torch.inf, device=queries.device, dtype=torch.float64)
        found = []
        for start in range(0, len(self.items), ITEMS):
            scores = coarse @ self._coarse(self.items[start : start + ITEMS])[0].T
            here = excluded[:, (excluded[1] >= start) & (excluded[1] < start + scores.shape[1])]
            scores[here[0], here[1] - start] = -torch.inf
            best = torch.cat([best, scores.topk(min(self.k, scores.shape[1])).values], dim=1)
            best = best.topk(min(self.k, best.shape[1])).values
            if best.shape[1] == self.k:
                limit = best[:, -1].double() - width
            reached = (scores.double() >= limit[:, None]) & (scores > -torch.inf)
            rows, columns = reached.nonzero(as_tuple=True)
            found.append((rows, columns + start, scores[rows, columns].double()))
        rows, columns, coarse_scores = (torch.cat(part) for part in zip(*found, strict=True))
        kept = coarse_scores >= limit[rows]
        return self._exact(queries, norms, rows[kept], columns[kept], first)

    def _exact(self, queries: Any, norms: Any, rows: Any, columns: Any, first: int) -> tuple[Any, Any]:  # noqa: ANN401
        """Score pairs in double precision and keep the best of each query."""
        torch = self.torch
        step = max(1, EXACT // queries.shape[1])
        scores = [torch.empty(0, dtype=torch.float64, device=queries.device)]
        for start in range(0, len(rows), step):
            left, right = rows[start : start + step], columns[start : start + step]
            vectors = self.items[right]
            score = _dot(torch, queries[left], vectors)
            if self.cosine:
                lengths = norms[left] * _length(torch, vectors)
                score = torch.where(lengths > 0, score / lengths, torch.zeros_like(score))
            scores.append(score)
        score = torch.cat(scores)
        # Stable sorts from the least to the most important key.
        order = columns.sort(stable=True).indices
        order = order[score[order].sort(stable=True, descending=True).indices]
        order = order[rows[order].sort(stable=True).indices]
        rows, columns, score = rows[order], columns[order], score[order]
        counts = torch.bincount(rows, minlength=len(queries))
        short = (counts < self.k).nonzero()
        if len(short):
            row = int(short[0])
            left = int(counts[row])
            raise ValueError(f"k: is {self.k}, but queries[{first + row}] has only {left} items to find")
        starts = counts.cumsum(0) - counts
        picked = starts[:, None] + torch.arange(self.k, device=queries.device)
        return score[picked], columns[picked]

    def _coarse(self, vectors: Any, factors: Any = None) -> tuple[Any, Any]:  # noqa: ANN401
        """Vectors in single precision, about one in size, and their lengths by the definition for cosines."""
        torch = self.torch
        if not self.cosine:
            return (vectors.double() * (self.factor if factors is None else factors)).float(), None
        norms = _length(torch, vectors)
        inverse = torch.where(norms > 0, 1 / norms, torch.zeros_like(norms))
        return (vectors.double() * inverse[:, None]).float(), norms

    def _power_of_two(self, numbers: Any) -> Any:  # noqa: ANN401
        """What brings numbers to about one."""
        exponents = self.torch.frexp(numbers).exponent
        return self.torch.ldexp(self.torch.ones_like(numbers), -exponents)


def _length(torch: Any, vectors: Any) -> Any:  # noqa: ANN401
    square = _dot(torch, vectors, vectors)
    if square.device.type == "cpu":
        # There torch's square root is not always the number nearest to the true one.
        return torch.from_numpy(np.sqrt(square.numpy()))
    return square.sqrt()


def _dot(torch: Any, left: Any, right: Any) -> Any:  # noqa: ANN401
    """Inner products of rows: 32 running sums, then halves, as everywhere in the library."""
    products = left.double() * right.double()
    products = torch.nn.functional.pad(products, (0, -products.shape[1] % LANES)).view(len(products), -1, LANES)
    sums = torch.zeros_like(products[:, 0])
    for step in products.unbind(1):
        sums = sums + step
    half = LANES // 2
    while half:
        sums = sums[:, :half] + sums[:, half:]
        half //= 2
    return sums[:, 0]
