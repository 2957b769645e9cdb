"""Items that belong together, such as the captions of one image or the queries of one user."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt

from muge_fast._internal.display import format_argument
from muge_fast._internal.labelled import plain_ids

FloatArray = npt.NDArray[np.float64]


def cluster_codes(clusters: object, items: int) -> npt.NDArray[np.intp]:
    """Return the index of each item's cluster, in the order of the first item of each cluster.

    Args:
        clusters: A key for each item, an integer or a string; items with equal keys form a cluster.
        items: Number of items.

    Returns:
        Indices from 0, of shape ``(items,)``.

    Raises:
        TypeError: Not a list or column of integers and strings.
        ValueError: A missing key, another number of keys than items, or fewer than two clusters.

    Example:
        >>> from muge_fast.significance.clusters import cluster_codes
        >>> cluster_codes(["user 7", "user 3", "user 7"], 3).tolist()
        [0, 1, 0]

    """
    keys = plain_ids(clusters, "clusters")
    if len(keys) != items:
        raise ValueError(f"clusters has {len(keys)} keys, needs one for each of the {items} items")
    # Integers can be chosen so that they make a dictionary slow; the hashes of bytes and strings have random seeds.
    for index, key in enumerate(keys):
        if not isinstance(key, (str, int)):
            raise TypeError(f"clusters[{index}] is {format_argument(key)}, keys are integers or strings")
    keys = [key if isinstance(key, str) else b"%x" % cast("int", key) for key in keys]
    indices = {key: index for index, key in enumerate(dict.fromkeys(keys))}
    if len(indices) < 2:  # noqa: PLR2004
        raise ValueError("all items are in one cluster, needs at least two clusters")
    return np.fromiter((indices[key] for key in keys), dtype=np.intp, count=items)


def sum_by_cluster(rows: FloatArray, codes: npt.NDArray[np.intp]) -> FloatArray:
    """Return the sum of the rows of each cluster, added in the order of the items.

    Args:
        rows: Rows of the items, of shape ``(items, columns)``.
        codes: The index of each item's cluster.

    Returns:
        Sums of shape ``(clusters, columns)``.

    Example:
        >>> import numpy as np
        >>> from muge_fast.significance.clusters import sum_by_cluster
        >>> sum_by_cluster(np.array([[1.0], [2.0], [4.0]]), np.array([0, 1, 0])).tolist()
        [[5.0], [2.0]]

    """
    return np.stack([np.bincount(codes, weights=column) for column in rows.T], axis=1)
