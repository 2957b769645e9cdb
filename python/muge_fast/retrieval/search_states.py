"""States of top-k searches as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from muge_fast._internal.states import array_of, json_array, json_value, pack, unpack
from muge_fast.retrieval.top_k_arguments import Indices

State = tuple[int, str, int, list[int], npt.NDArray[np.float64], Indices, list[tuple[int, int]]]
"""``k``, metric, dimensions, end of each query's scores, scores, indices, and ranges of items."""

# Each range is compared with all others when a search is restored.
MOST_RANGES = 10_000


def pack_search(state: State) -> bytes:
    """Return the bytes of a search.

    Args:
        state: The state of the search.

    Returns:
        An archive.

    """
    k, metric, dims, ends, scores, indices, ranges = state
    arrays = {
        "search": json_array({"k": k, "metric": metric, "dims": dims}),
        "ends": np.array(ends, dtype="<i8"),
        "scores": np.asarray(scores, dtype="<f8"),
        "indices": np.asarray(indices, dtype="<i8"),
        "ranges": np.array(_joined(ranges), dtype="<i8").reshape(-1, 2),
    }
    return pack("TopK", arrays)


def unpack_search(arrays: Mapping[str, npt.NDArray[Any]]) -> State:
    """Return the state of a search from an archive of any origin.

    Args:
        arrays: Arrays of the archive.

    Returns:
        The state; the core checks that the best items of each query are in order.

    Raises:
        ValueError: The arrays are not the state of a search.

    """
    options = json_value(arrays, "search")
    if not isinstance(options, dict) or type(options.get("dims")) is not int or options["dims"] < 0:
        raise ValueError("it has no dimensions")
    ends, indices = (array_of(arrays, name, "<i8", 1) for name in ("ends", "indices"))
    scores, ranges = array_of(arrays, "scores", "<f8", 1), array_of(arrays, "ranges", "<i8", 2)
    if ranges.shape[1:] != (2,) or len(ranges) > MOST_RANGES:
        raise ValueError(f"its ranges of items have shape {ranges.shape}, needs at most {MOST_RANGES} pairs")
    if (np.diff(ends, prepend=0) < 0).any() or (ends[-1] if len(ends) else 0) != len(scores):
        raise ValueError("the ends of its queries are not in order")
    if not np.isfinite(scores).all():
        raise ValueError("it has a score that is not finite")
    ranges = ranges[np.argsort(ranges[:, 0], kind="stable")]
    starts, stops = np.ascontiguousarray(ranges[:, 0]), np.ascontiguousarray(ranges[:, 1])
    place = np.searchsorted(starts, indices, side="right") - 1
    if (place < 0).any() or (len(indices) and (indices >= stops[place]).any()):
        raise ValueError("it has an item outside of its ranges")
    return (
        options["k"],
        options["metric"],
        options["dims"],
        ends.tolist(),
        scores,
        indices,
        list(zip(starts.tolist(), stops.tolist(), strict=True)),
    )


def move_search(data: bytes, offset: int) -> bytes:
    """Return the bytes of a search as if its items had higher indices, so that searches of shards can be merged.

    Args:
        data: Bytes of :meth:`muge_fast.TopK.to_bytes`.
        offset: What is added to each index.

    Returns:
        Bytes of a search.

    Raises:
        ValueError: The bytes are not a search.

    Example:
        >>> import numpy as np
        >>> import muge_fast as mf
        >>> from muge_fast.retrieval.search_states import move_search
        >>> search = mf.TopK(1)
        >>> search.update(np.ones((1, 2), "float32"), np.eye(2, dtype="float32"), 0)
        >>> mf.TopK.from_bytes(move_search(search.to_bytes(), 40)).compute().indices.tolist()
        [[40]]

    """
    k, metric, dims, ends, scores, indices, ranges = unpack(data, "TopK", unpack_search)
    moved = [(start + offset, stop + offset) for start, stop in ranges]
    return pack_search((k, metric, dims, ends, scores, indices + offset, moved))


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges in order, with those that follow each other as one."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined
