"""Metrics of retrieval as metrics of torchmetrics."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from muge_fast._internal.checks import whole_number
from muge_fast.image.inputs import checked_features
from muge_fast.integrations.torchmetrics.states import ListMetric, matrix_of
from muge_fast.retrieval import score_retrieval, top_k

# Stands for rows whose items have no ids.
NO_ID = -1


class RetrievalRecall(ListMetric):
    """Recall@K of retrieval with features, 0 to 1: whether the item of a query is among its first K.

    Each row is a pair of a query and its item, such as a text and its image. All queries search in the items of all
    batches and processes, exactly and in double precision. Rows with the same item id share an item, such as several
    texts of an image.

    Args:
        k: Number of items to find for each query.
        metric: ``"cosine"`` or ``"ip"``, the inner product.
        threads: Number of threads; None for all cores.
        kwargs: Options of ``torchmetrics.Metric``.

    Raises:
        TypeError: ``k`` is not an integer.
        ValueError: ``k`` is below 1, or ``metric`` is unknown.

    Example:
        >>> import torch
        >>> from muge_fast.integrations.torchmetrics import RetrievalRecall
        >>> recall = RetrievalRecall(k=1)
        >>> recall.update(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.9, 0.1], [0.8, 0.3]]))
        >>> recall.compute().item()
        1.0

    """

    higher_is_better = True
    plot_upper_bound = 1.0
    states: ClassVar[dict[str, torch.dtype]] = {
        "queries": torch.float32,
        "items": torch.float32,
        "ids": torch.int64,
        "widths": torch.int64,
    }

    def __init__(
        self,
        k: int = 10,
        *,
        metric: str = "cosine",
        threads: int | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.k = whole_number("k", k)
        if metric not in ("cosine", "ip"):
            raise ValueError(f"unknown metric {metric!r}, use 'cosine' or 'ip'")
        self.metric, self.threads = metric, threads

    def update(self, queries: Tensor, items: Tensor, item_ids: Tensor | None = None) -> None:
        """Add a batch of pairs of a query and its item.

        Args:
            queries: Features of queries, of shape ``(pairs, dims)``.
            items: Features of their items, of the same shape.
            item_ids: Integer id of each item, from 0, of shape ``(pairs,)``. None if all items are different.

        Raises:
            TypeError: Not tensors or arrays of numbers.
            ValueError: Shapes differ, or an id is negative.

        Example:
            >>> import torch
            >>> from muge_fast.integrations.torchmetrics import RetrievalRecall
            >>> recall = RetrievalRecall(k=1)
            >>> recall.update(torch.eye(2), torch.eye(2), item_ids=torch.tensor([7, 9]))

        """
        left = torch.as_tensor(checked_features("queries", queries))
        right = torch.as_tensor(checked_features("items", items))
        if left.shape != right.shape:
            raise ValueError(f"queries has shape {tuple(left.shape)}, items {tuple(right.shape)}: need the same")
        self.append("ids", _checked_ids(item_ids, len(left)))
        self.append("queries", left.flatten())
        self.append("items", right.flatten())
        self.append("widths", torch.tensor([left.shape[1]]))

    def compute(self) -> Tensor:
        """Return Recall@K of all queries so far, of all processes.

        Returns:
            The value of :func:`muge_fast.score_retrieval` as a tensor of double precision.

        Raises:
            ValueError: There are no pairs, fewer than K items, or ids for some batches only; or one id has items with
                different features.

        Example:
            >>> import torch
            >>> from muge_fast.integrations.torchmetrics import RetrievalRecall
            >>> recall = RetrievalRecall(k=1)
            >>> recall.update(torch.eye(2), torch.ones(2, 2).triu())
            >>> recall.compute().item()
            1.0

        """
        widths = self.joined("widths")
        queries = matrix_of(self.joined("queries"), widths, "queries")
        items, relevant = _different_items(matrix_of(self.joined("items"), widths, "items"), self.joined("ids"))
        if self.k > len(items):
            raise ValueError(f"k is {self.k}, there are {len(items)} items")
        ranking = top_k(queries, items, self.k, metric=self.metric, threads=self.threads, progress=False)
        scores = score_retrieval(ranking, relevant[:, None], ks=self.k, threads=self.threads)
        return self.value_of(scores[f"recall@{self.k}"])


def _checked_ids(ids: Tensor | None, count: int) -> Tensor:
    if ids is None:
        return torch.full((count,), NO_ID)
    ids = torch.as_tensor(ids)
    if ids.is_floating_point() or ids.dtype == torch.bool or tuple(ids.shape) != (count,):
        raise ValueError(
            f"item_ids has shape {tuple(ids.shape)} and dtype {ids.dtype}, need integers of shape ({count},)"
        )
    if count and int(ids.min()) < 0:
        raise ValueError(f"item_ids has {int(ids.min())}, ids must be at least 0")
    return ids


def _different_items(
    items: NDArray[np.float32], ids: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the items, each once, and the index of the item of each row."""
    if (ids == NO_ID).all():
        return items, np.arange(len(items))
    if (ids == NO_ID).any():
        raise ValueError("item_ids were passed for some batches only: pass them for all, or for none")
    known, first, index = np.unique(ids, return_index=True, return_inverse=True)
    different = (items != items[first][index]).any(axis=1)
    if different.any():
        raise ValueError(f"item {known[index[different.argmax()]]} has different features in two rows")
    return items[first], index
