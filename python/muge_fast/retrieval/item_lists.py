"""The items of all queries as one flat list, of which errors name the query and the item."""

from __future__ import annotations

import math
import operator
from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from itertools import chain
from typing import Any, NoReturn, cast

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import find_repeated
from muge_fast._internal.display import format_argument, format_id
from muge_fast._internal.dlpack import resolve_negation
from muge_fast._internal.labelled import has_default_index, labelled_kind, refuse_unordered, to_list

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

PADDING = -1
"""Placeholder for a missing item in results of faiss and in padded arrays."""

COLUMNS = ("query_id", "item_ids")
"""Typical names of columns, for errors."""


class ItemLists:
    """The item ids of all queries.

    Args:
        name: Name of the argument, for errors.
        ids: The id of each query; None if queries have no ids.
        flat: The items of all queries, one query after the other.
        lengths: Number of items of each query.
        gains: The gain of each item; None if all are 1.
        columns: Number of columns of a matrix whose column numbers the items are; None if they come from no matrix.
        padded: Whether the items come from arrays, in which -1 stands for a missing item.

    """

    def __init__(
        self,
        name: str,
        ids: Sequence[Hashable] | None,
        flat: list[Any],
        lengths: IntArray,
        *,
        gains: FloatArray | None = None,
        columns: int | None = None,
        padded: bool = False,
    ) -> None:
        self.name, self.ids = name, ids
        self.flat, self.lengths = flat, lengths
        self.gains, self.columns, self.padded = gains, columns, padded

    @classmethod
    def from_lists(cls, name: str, lists: Sequence[Any], ids: Sequence[Hashable] | None, *, padded: bool) -> ItemLists:
        """Return the items of lists, arrays, tensors or columns, one for each query.

        Args:
            name: Name of the argument, for errors.
            lists: The items of each query.
            ids: The id of each query; None if queries have no ids.
            padded: Whether the lists come from an array.

        Returns:
            The items.

        Raises:
            TypeError: The items of a query are not a list, or those of a prediction are a set, which has no order.

        """
        types = set(map(type, lists))
        if not types <= {list, tuple}:
            padded = padded or any(hasattr(item_type, "dtype") for item_type in types)
            lists = [_plain_list(name, ids, query, items) for query, items in enumerate(lists)]
        lengths = np.fromiter(map(len, lists), np.int64, len(lists))
        return cls(name, ids, list(chain.from_iterable(lists)), lengths, padded=padded)

    def label(self, query: int) -> str:
        """Return how errors name a query, such as ``predictions['a']``."""
        return label(self.name, self.ids, query)

    def check_unique(self) -> None:
        """Raise ``ValueError`` for the first query that has an item twice."""
        start = 0
        for query, length in enumerate(self.lengths.tolist()):
            items = self.flat[start : start + length]
            repeated = find_repeated(items)
            if repeated is not None:
                hint = _padding_hint(self.name) if items[repeated] == PADDING else ""
                raise ValueError(f"{self.label(query)} has the item {format_argument(items[repeated])} twice{hint}")
            start += length

    def check_filled(self) -> None:
        """Raise ``ValueError`` for the first query that has no items."""
        empty = np.flatnonzero(self.lengths == 0)
        if len(empty):
            what = "needs at least one item" if self.gains is None else "needs at least one item with a gain above 0"
            found = "is empty" if self.gains is None else "has no relevant item"
            raise ValueError(f"{self.label(int(empty[0]))} {found}, {what}; drop the query if it has none")

    def normalize(self) -> type | None:
        """Convert all ids to ``int`` or ``str``; return which of the two, or None if there are no items."""
        types = set(map(type, self.flat))
        id_types = set(map(_id_type, types))
        if not id_types <= {int} and not id_types <= {str}:
            self.flat = list(map(number_of_array, self.flat))
            types = set(map(type, self.flat))
            id_types = set(map(_id_type, types))
        if not id_types <= {int} and not id_types <= {str}:
            self._raise_mixed()
        if not types <= {int, str}:
            # Members of a str Enum equal their string but have another hash.
            convert = operator.index if id_types == {int} else str.__str__
            self.flat = list(map(convert, self.flat))
        return next(iter(id_types), None)

    def find(self, flat_index: int) -> tuple[int, int]:
        """Return the query of an item of the flat list, and the index of the item in the list of that query."""
        query = int(np.searchsorted(np.cumsum(self.lengths), flat_index, side="right"))
        return query, flat_index - int(self.lengths[:query].sum())

    def _raise_mixed(self) -> NoReturn:
        id_types = [_id_type(type(item)) for item in self.flat]
        wanted = str if id_types[0] is str else int
        flat_index = next(index for index, id_type in enumerate(id_types) if id_type is not wanted)
        query, index = self.find(flat_index)
        item = self.flat[flat_index]
        raise TypeError(
            f"{self.label(query)}: item {index} is {format_id(repr(item))} ({type(item).__name__}), "
            f"all items must be integers or all strings{self._mixed_hint(item)}"
        )

    def _mixed_hint(self, item: object) -> str:
        if isinstance(item, tuple) and len(item) == 2:  # noqa: PLR2004
            return "; pass pairs of an item and its score as a dict" if self.name == "predictions" else ""
        if isinstance(item, (bool, np.bool_)) and self.name == "references":
            return "; pass a matrix of booleans as one array: np.array(references)"
        return ""


def label(name: str, ids: Sequence[Hashable] | None, query: int) -> str:
    """Return how errors name a query.

    Args:
        name: Name of the argument.
        ids: The id of each query; None if queries have no ids.
        query: Index of the query.

    Returns:
        Such as ``predictions['a']`` or ``predictions[0]``.

    Example:
        >>> from muge_fast.retrieval.item_lists import label
        >>> label("predictions", ["a"], 0), label("predictions", None, 0)
        ("predictions['a']", 'predictions[0]')

    """
    return f"{name}[{format_id(repr(query if ids is None else ids[query]))}]"


def as_int64(predictions: ItemLists, references: ItemLists) -> tuple[IntArray, IntArray]:
    """Return the flat items of both as int64: integers unchanged if they fit, otherwise codes in order of first use.

    Args:
        predictions: The ranked items.
        references: The relevant items.

    Returns:
        An integer for each item; equal items have equal integers.

    Raises:
        TypeError: Items are neither all integers nor all strings.
        ValueError: An array has -1 for a missing item, or both lists of a query end with it, or a predicted item is
            not a column of the matrix of references.

    """
    types = predictions.normalize(), references.normalize()
    if None not in types and types[0] is not types[1]:
        raise TypeError(
            "items are strings in one of predictions and references and integers in the other: "
            f"predictions have {cast('type', types[0]).__name__}, references {cast('type', types[1]).__name__}; "
            "convert one of them"
        )
    if str not in types:
        with suppress(OverflowError):
            ranked, relevant = np.array(predictions.flat, np.int64), np.array(references.flat, np.int64)
            _check_padding(predictions, ranked, references, relevant)
            if references.columns is not None:
                _check_columns(predictions, ranked, references.columns)
            return ranked, relevant
    codes: dict[Any, int] = {}
    ranked, relevant = (
        np.fromiter((codes.setdefault(item, len(codes)) for item in lists.flat), np.int64, len(lists.flat))
        for lists in (predictions, references)
    )
    return ranked, relevant


def to_numpy(values: object) -> Any:  # noqa: ANN401 - of any package
    """Return a torch tensor on any device as a NumPy array; other objects unchanged.

    Args:
        values: Any object.

    Returns:
        A NumPy array, or the object.

    Raises:
        TypeError: A tensor that NumPy cannot hold: sparse, nested, or of a type such as bfloat16.

    Example:
        >>> from muge_fast.retrieval.item_lists import to_numpy
        >>> to_numpy([1, 2])
        [1, 2]

    """
    if not hasattr(values, "cpu"):
        return values
    tensor = cast("Any", values)
    try:
        return np.asarray(resolve_negation((tensor.detach() if hasattr(tensor, "detach") else tensor).cpu()))
    except (TypeError, RuntimeError):
        dtype = str(getattr(tensor, "dtype", "")).removeprefix("torch.")
        raise TypeError(
            f"a {type(values).__name__} of dtype {dtype} is sparse, nested or of a type that NumPy lacks; pass a dense "
            f"tensor of integers, such as x.to_dense(), or lists"
        ) from None


def is_number(value: object) -> bool:
    """Return whether an object is an integer or a float of Python or NumPy, or an array of one; booleans are not.

    Args:
        value: Any object.

    Returns:
        Whether it is a number.

    Example:
        >>> from muge_fast.retrieval.item_lists import is_number
        >>> is_number(2.5), is_number("2.5"), is_number(True)
        (True, False, False)

    """
    if type(value) in (int, float):
        return True
    return getattr(value, "shape", None) == () and cast("Any", value).dtype.kind in "iuf"


def row_with_nan(array: npt.NDArray[Any]) -> str:
    """Return what an error adds about an array of floats that has missing values.

    Args:
        array: Any array of one or two dimensions.

    Returns:
        Text with the first row that has NaN; empty if none has.

    Example:
        >>> import numpy as np
        >>> from muge_fast.retrieval.item_lists import row_with_nan
        >>> row_with_nan(np.array([[1.0, 2.0], [3.0, np.nan]]))
        ' (row 1 has a missing value)'

    """
    rows = np.isnan(array.reshape(len(array), -1)).any(axis=1) if array.dtype.kind == "f" and array.ndim else []
    return f" (row {int(np.argmax(rows))} has a missing value)" if np.any(rows) else ""


def number_of_array(item: Any) -> Any:  # noqa: ANN401 - of any package
    """Return the number of a tensor or array without axes; other objects unchanged, numbers of NumPy included.

    Args:
        item: Any object.

    Returns:
        A number of Python, or the object.

    Example:
        >>> import numpy as np
        >>> from muge_fast.retrieval.item_lists import number_of_array
        >>> number_of_array(np.array(3)), number_of_array([3])
        (3, [3])

    """
    is_number = getattr(item, "shape", None) == () and hasattr(item, "item") and not isinstance(item, np.generic)
    return item.item() if is_number else item


def _plain_list(name: str, ids: Sequence[Hashable] | None, query: int, items: Any) -> Any:  # noqa: ANN401
    """Return the items of one query as a list or an array with one axis or more."""
    if type(items) is np.ndarray and items.ndim > 0:
        return items
    kind = labelled_kind(items)
    if kind == "series" and not has_default_index(items):
        # The index may number rows of a table, or have items whose scores are the values.
        how = "pass .tolist() for a list of items, .to_dict() for scores or gains of items"
        raise TypeError(f"{label(name, ids, query)} is a Series with an index; {how}")
    if kind in ("series", "column"):
        return to_list(items)
    if kind == "masked":
        refuse_unordered(items, label(name, ids, query))
    items = items.as_py() if hasattr(items, "as_py") else to_numpy(items)
    if name == "predictions" and isinstance(items, AbstractSet):
        raise TypeError(f"{label(name, ids, query)} is a set ({type(items).__name__}), needs a list, best first")
    # An array without axes has a __len__ too, but calling it raises.
    is_list = hasattr(items, "__len__") and getattr(items, "ndim", 1) > 0
    if isinstance(items, (str, bytes, Mapping)) or not is_list or kind not in (None, "tensor"):
        got = f"{type(items).__name__}{_list_hint(items)}"
        raise TypeError(f"{label(name, ids, query)} must be a list of item ids, got {got}")
    return items


def _list_hint(items: object) -> str:
    """Return how to make a list of something else."""
    if isinstance(items, str):
        return "; split it, or parse it with json.loads"
    if items is None or type(items).__name__ == "NAType" or (isinstance(items, float) and math.isnan(items)):
        return " (a missing value); drop the query, or pass [] for one without predictions"
    return "; convert whole numbers to integers" if isinstance(items, float) else ""


def _check_padding(predictions: ItemLists, ranked: IntArray, references: ItemLists, relevant: IntArray) -> None:
    """Raise ``ValueError`` where -1 at the end of a list stands for a missing item, which another -1 would match.

    A -1 from an array is certainly padding at the end of a row. In a list it may be an id, unless both lists of a query
    end with it.
    """
    if not (ranked == PADDING).any() and not (relevant == PADDING).any():
        return
    ends = []
    for lists, flat in ((predictions, ranked), (references, relevant)):
        ends.append(np.zeros(len(lists.lengths), bool))
        filled = lists.lengths > 0
        ends[-1][filled] = flat[lists.lengths.cumsum()[filled] - 1] == PADDING
        if lists.padded and ends[-1].any():
            query = int(ends[-1].argmax())
            start = int(lists.lengths[:query].sum())
            rank = flat[start:].tolist().index(PADDING) + 1
            raise ValueError(f"{lists.label(query)} has {PADDING} at rank {rank}{_padding_hint(lists.name)}")
    both = np.flatnonzero(ends[0] & ends[1] & (predictions.lengths > 1) & (references.lengths > 1)).tolist()
    if both:
        names = f"{predictions.label(both[0])} and {references.label(both[0])}"
        raise ValueError(f"{names} end with {PADDING}{_padding_hint('both')}")


def _padding_hint(name: str) -> str:
    rows = "predictions" if name == "both" else name
    return (
        f"; faiss and padded arrays have {PADDING} where they have no item: drop it, "
        f"[[item for item in row if item != {PADDING}] for row in {rows}]"
    )


def _check_columns(predictions: ItemLists, ranked: IntArray, columns: int) -> None:
    """Raise ``ValueError`` for a predicted item that is not a column of the matrix of references."""
    outside = np.flatnonzero((ranked < 0) | (ranked >= columns)).tolist()
    if outside:
        query, _ = predictions.find(outside[0])
        raise ValueError(
            f"{predictions.label(query)} has the item {ranked[outside[0]]}, but references is a matrix of "
            f"{columns} columns, whose items are 0 to {columns - 1}"
        )


def _id_type(item_type: type) -> type:
    """Return ``int`` or ``str`` for types of integers and strings, such as NumPy's and ``IntEnum``; others unchanged.

    ``bool`` and ``timedelta64`` are subclasses of integers, but not ids.
    """
    if issubclass(item_type, str):
        return str
    is_integer = issubclass(item_type, (int, np.integer)) and not issubclass(item_type, (bool, np.timedelta64))
    return int if is_integer else item_type
