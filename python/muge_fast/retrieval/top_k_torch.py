"""Exact top-k search over torch tensors, on the device where they are.

A matrix product in single precision gives coarse scores. Pairs whose coarse score is below the k-th best by more than
its error bound are dropped, and the rest are scored in double precision in the same order of additions as on the CPU,
so scores and ranking have the same bits on both. The bound is simpler than that of the CPU: it uses the largest norm of
all items instead of the norm of each.

Usually few pairs are left, so the best ``k + SPARE`` coarse scores of each query include them all. Whether they do is
the only result that a GPU is waited for, once for each tile of queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import SupportsIndex, cast

import numpy as np
import numpy.typing as npt
import torch

from muge_fast._internal.checks import check_choice
from muge_fast._internal.matmul_precision import HIGHEST_MATMUL_PRECISION
from muge_fast._internal.progress import Progress
from muge_fast.retrieval.ranking import Ranking
from muge_fast.retrieval.top_k_arguments import SIMILARITIES, Exclude, check_k, excluded_lists

DTYPES = (torch.float32, torch.float16, torch.bfloat16)

QUERY_TILE = 1024
ITEM_TILE = 65536
"""Queries and items whose coarse scores are computed together: 256 MiB."""

SPARE = 22
"""Number of coarse scores of each query that are kept in addition to the k best."""

KEPT_FLOATS = 1 << 28
"""Largest number of components of items that are kept in single precision for the next queries: 1 GiB."""

RESCORED_FLOATS = 1 << 25
"""Largest number of vector components that are scored in double precision together."""

LANES = 32
"""Number of running sums in the definition of an inner product."""

UNIT = 1.1 * 2.0**-24
"""Relative error of one rounding to float32, with the margin of docs/top-k.md."""

NORM_MARGIN = 1.001
"""Factor that exceeds the relative error of a norm in single precision."""

UNDERFLOW = 1e-30
"""Upper bound of the total underflow in a coarse score."""


def top_k(
    queries: object,
    items: object,
    k: SupportsIndex,
    *,
    metric: str = "ip",
    exclude: Exclude | None = None,
    progress: bool | None = None,
) -> Ranking:
    """Find the ``k`` items with the highest inner product or cosine for each query, on the device of the tensors.

    The tensors are not copied to the host.

    Args:
        queries: Tensor of shape ``(queries, dims)``, float32, float16 or bfloat16.
        items: Tensor of shape ``(items, dims)`` of any of these dtypes, on the same device.
        k: Number of items to find for each query, from 1 to the number of items.
        metric: ``"ip"``, the inner product, or ``"cosine"``, the inner product divided by both Euclidean norms; 0 where
            a norm is 0.
        exclude: For each query, the indices of items that must not be found: a sequence of sequences, or an integer
            matrix with one row per query. None to exclude nothing.
        progress: Whether to show a progress bar. None shows one on a terminal if the search takes longer than a second.

    Returns:
        A :class:`muge_fast.Ranking` of tensors on the same device, with the same bits as on the CPU.

    Raises:
        ValueError: Shapes do not match, a number is not finite (the message has its row and column), ``metric`` is
            unknown, ``k`` is below 1 or above the number of items that a query may find, or ``exclude`` has another
            number of lists than there are queries or an index that no item has.
        TypeError: ``queries`` or ``items`` is not a tensor or has an unsupported dtype, they are on different devices,
            or ``k`` or an index in ``exclude`` is not an integer.

    Example:
        >>> import muge_fast as mf
        >>> features = torch.load("features.pt").cuda()  # doctest: +SKIP
        >>> mf.top_k(features, features, 10).indices.device  # doctest: +SKIP
        device(type='cuda', index=0)

    """
    left, right = _check_tensors(queries, items)
    count = check_k(k, len(right), "the number of items")
    metric = check_choice("metric", metric, SIMILARITIES)
    indices, lengths = excluded_lists(exclude, len(left), len(right))
    ends = np.concatenate([[0], np.cumsum(lengths)])
    scores = [left.new_empty((0, count), dtype=torch.float64)]
    ranked = [left.new_empty((0, count), dtype=torch.int64)]
    # TF32 rounds factors to 10 bits, more than the error bound allows.
    with HIGHEST_MATMUL_PRECISION, Progress(len(left), "query", progress) as bar:
        search = _Search(right, count, metric)
        for start in range(0, len(left), QUERY_TILE):
            tile = left[start : start + QUERY_TILE]
            counts = lengths[start : start + len(tile)]
            owners = np.repeat(np.arange(len(counts)), counts)
            excluded = np.stack([owners, indices[ends[start] : ends[start] + len(owners)]]) if len(owners) else None
            best = search.run(tile, excluded, start)
            scores.append(best[0])
            ranked.append(best[1])
            if bar.callback is not None:
                bar.callback(min(start + QUERY_TILE, len(left)))
    # Ranking documents that its fields are tensors here.
    return Ranking(cast("npt.NDArray[np.float64]", torch.cat(scores)), cast("npt.NDArray[np.int64]", torch.cat(ranked)))


def _check_tensors(queries: object, items: object) -> tuple[torch.Tensor, torch.Tensor]:
    left, right = _check_tensor("queries", queries), _check_tensor("items", items)
    if left.device != right.device:
        raise TypeError(f"queries and items must be on the same device, got {left.device} and {right.device}")
    if left.shape[1] != right.shape[1] or not right.shape[1]:
        raise ValueError(f"items: vectors have {right.shape[1]} dimensions, those of queries have {left.shape[1]}")
    return left, right


def _check_tensor(name: str, tensor: object) -> torch.Tensor:
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name} must be a torch tensor, as the other argument is, got {type(tensor).__name__}")
    if tensor.dtype not in DTYPES:
        raise TypeError(
            f"{name} must be {', '.join(map(str, DTYPES))}, got dtype {tensor.dtype}; convert it with .float()"
        )
    if tensor.ndim != 2:  # noqa: PLR2004
        raise ValueError(f"{name} must have two dimensions, ({name}, dims), got shape {tuple(tensor.shape)}")
    finite = [torch.isfinite(tile).all() for tile in _tiles(tensor)]
    if finite and not bool(torch.stack(finite).all()):
        raise _not_finite(name, tensor)
    return tensor


def _not_finite(name: str, tensor: torch.Tensor) -> ValueError:
    """Return the error about the first number that is not finite."""
    finite = torch.cat([torch.isfinite(tile).all(dim=1) for tile in _tiles(tensor)])
    row = int((~finite).nonzero()[0, 0])
    column = int((~torch.isfinite(tensor[row])).nonzero()[0, 0])
    value = float(tensor[row, column])
    return ValueError(f"{name}: row {row} has {value} in column {column}, needs finite numbers")


class _Search:
    """A search over all items, which takes queries in tiles.

    Args:
        items: Tensor of shape ``(items, dims)``.
        k: Number of items to find for each query.
        metric: ``"ip"`` or ``"cosine"``.

    """

    def __init__(self, items: torch.Tensor, k: int, metric: str) -> None:
        self.items, self.k, self.cosine = items, k, metric == "cosine"
        self.relative_error = (items.shape[1] + 16) * UNIT
        largest = [tile.abs().max().double() for tile in _tiles(items)]
        self.factor = _power_of_two(torch.stack(largest).max())
        self.kept: list[torch.Tensor] | None = None
        if items.numel() <= KEPT_FLOATS:
            self.kept = list(self._coarse_tiles())
        norms = [tile.norm(dim=1).max().double() for tile in self._coarse_tiles()]
        self.largest_norm = torch.stack(norms).max() * NORM_MARGIN

    def run(
        self, queries: torch.Tensor, excluded: npt.NDArray[np.int64] | None, first: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores and indices of the best items for a tile of queries.

        Args:
            queries: The tile.
            excluded: Pairs of a query of the tile and an excluded item, of shape ``(2, pairs)``; None for none.
            first: Index of the first query of the tile, for errors.

        """
        factors = _power_of_two(queries.abs().amax(dim=1, keepdim=True).double())
        coarse, norms = self._coarse(queries, factors)
        # Twice the error bound of a coarse score, because both the candidate's and the k-th best may be wrong by it.
        error = 2 * (coarse.norm(dim=1).double() * NORM_MARGIN * self.largest_norm * self.relative_error + UNDERFLOW)
        shortlist = self._shortlist(coarse, error, excluded)
        if shortlist is not None:
            return self._rank_shortlist(queries, norms, *shortlist)
        rows, columns = self._candidates(coarse, error, excluded)
        scores = self._rescore(queries, norms, rows, columns)
        # Stable sorts, by the least important key first: score descending, then index ascending, within each query.
        order = columns.sort(stable=True).indices
        order = order[scores[order].sort(stable=True, descending=True).indices]
        order = order[rows[order].sort(stable=True).indices]
        rows, columns, scores = rows[order], columns[order], scores[order]
        counts = torch.bincount(rows, minlength=len(queries))
        short = (counts < self.k).nonzero()
        if len(short):
            row = int(short[0])
            raise ValueError(f"k: is {self.k}, but queries[{first + row}] has only {int(counts[row])} items to find")
        starts = counts.cumsum(0) - counts
        picked = starts[:, None] + torch.arange(self.k, device=queries.device)
        return scores[picked], columns[picked]

    def _shortlist(
        self, coarse: torch.Tensor, error: torch.Tensor, excluded: npt.NDArray[np.int64] | None
    ) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Return coarse scores and items for each query, as many for all, with every item that may be among its k best.

        None if there may be more than ``k + SPARE`` of them, or a query has fewer than k items to find.
        """
        width = min(self.k + SPARE, len(self.items))
        best = coarse.new_empty((len(coarse), 0))
        columns = torch.empty((len(coarse), 0), dtype=torch.int64, device=coarse.device)
        for start, scores in self._coarse_scores(coarse, excluded):
            top = scores.topk(min(width, scores.shape[1]))
            best = torch.cat([best, top.values], dim=1)
            columns = torch.cat([columns, top.indices + start], dim=1)
            if start:
                top = best.topk(min(width, best.shape[1]))
                best, columns = top.values, columns.gather(1, top.indices)
        limit = best[:, self.k - 1].double() - error
        counts = (best.double() >= limit[:, None]).sum(dim=1)
        counts = counts.masked_fill(best[:, self.k - 1].isneginf(), len(self.items) + 1)
        # The only value that a GPU is waited for.
        longest = int(counts.max()) if len(counts) else 0
        # If the last one kept reaches the limit, one that was not kept may reach it too.
        if longest < width or longest == len(self.items):
            return best[:, :longest], columns[:, :longest]
        return None

    def _rank_shortlist(
        self, queries: torch.Tensor, norms: torch.Tensor | None, coarse: torch.Tensor, columns: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores and indices of the best of the items of each query."""
        # By index, so that the stable sort by score leaves equal scores in the order of indices.
        columns, order = columns.sort(dim=1)
        is_excluded = coarse.gather(1, order).isneginf()
        rows = torch.arange(len(columns), device=columns.device).repeat_interleave(columns.shape[1])
        scores = self._rescore(queries, norms, rows, columns.reshape(-1)).view(columns.shape)
        scores = scores.masked_fill(is_excluded, -torch.inf)
        order = scores.sort(dim=1, stable=True, descending=True).indices[:, : self.k]
        return scores.gather(1, order), columns.gather(1, order)

    def _coarse_tiles(self) -> Iterator[torch.Tensor]:
        """Yield tiles of items, scaled and in single precision."""
        yield from self.kept or (self._coarse(tile, self.factor)[0] for tile in _tiles(self.items))

    def _coarse_scores(
        self, coarse: torch.Tensor, excluded: npt.NDArray[np.int64] | None
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """Yield the index of the first item of each tile, and the coarse scores of its items."""
        start = 0
        for tile in self._coarse_tiles():
            scores = coarse @ tile.T
            if excluded is not None:
                inside = (excluded[1] >= start) & (excluded[1] < start + len(tile))
                pairs = torch.from_numpy(excluded[:, inside] - [[0], [start]]).to(coarse.device)
                scores[pairs[0], pairs[1]] = -torch.inf
            yield start, scores
            start += len(tile)

    def _candidates(
        self, coarse: torch.Tensor, error: torch.Tensor, excluded: npt.NDArray[np.int64] | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the pairs of a query and an item that may be among the k best, by their coarse scores."""
        best = coarse.new_empty((len(coarse), 0))
        limit = torch.full_like(error, -torch.inf)
        kept = []
        for start, scores in self._coarse_scores(coarse, excluded):
            best = torch.cat([best, scores.topk(min(self.k, scores.shape[1])).values], dim=1)
            best = best.topk(min(self.k, best.shape[1])).values
            if best.shape[1] == self.k:
                limit = best[:, -1].double() - error
            reached = (scores.double() >= limit[:, None]) & (scores > -torch.inf)
            rows, columns = reached.nonzero(as_tuple=True)
            kept.append((rows, columns + start, scores[rows, columns].double()))
        rows, columns, coarse_scores = (torch.cat(tiles) for tiles in zip(*kept, strict=True))
        # The limit has risen since the first tiles.
        reached = coarse_scores >= limit[rows]
        return rows[reached], columns[reached]

    def _rescore(
        self, queries: torch.Tensor, norms: torch.Tensor | None, rows: torch.Tensor, columns: torch.Tensor
    ) -> torch.Tensor:
        """Return the scores of pairs in double precision."""
        step = max(1, RESCORED_FLOATS // queries.shape[1])
        scores = [torch.empty(0, dtype=torch.float64, device=queries.device)]
        for start in range(0, len(rows), step):
            left, vectors = rows[start : start + step], self.items[columns[start : start + step]]
            score = _dot(queries[left], vectors)
            if norms is not None:
                product = norms[left] * _norm(vectors)
                score = torch.where(product > 0, score / product, torch.zeros_like(score))
            scores.append(score)
        return torch.cat(scores)

    def _coarse(self, vectors: torch.Tensor, factors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return vectors scaled to about 1 in single precision, and, for cosines, their norms in double precision."""
        if not self.cosine:
            return (vectors.double() * factors).float(), None
        norms = _norm(vectors)
        inverse = torch.where(norms > 0, 1 / norms, torch.zeros_like(norms))
        return (vectors.double() * inverse[:, None]).float(), norms


def _tiles(items: torch.Tensor) -> list[torch.Tensor]:
    return [items[start : start + ITEM_TILE] for start in range(0, len(items), ITEM_TILE)]


def _power_of_two(numbers: torch.Tensor) -> torch.Tensor:
    """Return the powers of two that scale numbers to between 0.5 and 1."""
    exponents = torch.frexp(numbers).exponent
    return torch.ldexp(torch.ones_like(numbers), -exponents)


def _norm(vectors: torch.Tensor) -> torch.Tensor:
    square = _dot(vectors, vectors)
    if square.device.type == "cpu":
        # On a CPU, torch's square root is not always correctly rounded.
        return torch.from_numpy(np.sqrt(square.numpy()))
    return square.sqrt()


def _dot(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Return the inner products of rows by the definition: 32 running sums, then their halves added."""
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
