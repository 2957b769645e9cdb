"""Stages of a run: items that go through a model in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from muge_fast._internal.display import format_argument
from muge_fast._internal.progress import Progress
from muge_fast.datasets.decoding import BrokenImageError
from muge_fast.image.sources import load_ahead
from muge_fast.models.kept_results import KeptResults
from muge_fast.models.out_of_memory import apply_in_parts


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of a run: items that go through the model in batches.

    Batches are always the same items, whether a run was interrupted or not, because the features of an image may change
    in their last digits with the other images of its batch.

    Attributes:
        name: Name of the stage, such as ``"images"``.
        unit: Name of an item in the singular, for the progress bar.
        items: Ids of the items.
        load: Function of an id that returns what the model gets of the item. It is called by several threads and raises
            :class:`muge_fast.datasets.BrokenImageError` for an item that is left out.
        apply: Function of the ids and the values of a batch that returns a result of each.
        encode: Function of an id and its result that returns the bytes to keep, or raises for a result that cannot be
            used.

    Example:
        >>> from muge_fast.models.stages import Stage
        >>> Stage(name="texts", unit="text", items=[1], load=str, apply=len, encode=bytes).items
        [1]

    """

    name: str
    unit: str
    items: Sequence[Any]
    load: Callable[[Any], object]
    apply: Callable[[Sequence[Any], list[Any]], Any]
    encode: Callable[[Any, Any], bytes]

    def remaining(self, results: KeptResults) -> dict[Any, str]:
        """Return the reasons of the items that have no result.

        Args:
            results: Results of all items.

        Returns:
            Reasons by id.

        """
        return {self.items[index]: reason for index, reason in results.broken.items()}


class _Broken(NamedTuple):
    """An item that cannot be loaded."""

    error: Exception


def run_stage(
    stage: Stage, results: KeptResults, *, batch_size: int, threads: int, progress: bool | None = None
) -> None:
    """Send the items of a stage that have no result yet through the model, while threads load the next ones.

    Args:
        stage: The stage.
        results: The results so far, to which those of each batch are added.
        batch_size: Number of items of a batch. A batch that is too large for the memory is sent in smaller parts, and
            so are those that follow.
        threads: Number of threads that load items.
        progress: Whether to show a progress bar; None to show it on a terminal.

    Raises:
        OSError: The results cannot be written.
        BrokenImageError: All images of the first batch are broken.
        OutOfMemoryError: There is too little memory for a single item.
        TypeError: The model returns something else than results.
        ValueError: The model returns another number of results than there are items.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.models.kept_results import KeptResults
        >>> from muge_fast.models.stages import Stage, run_stage
        >>> def double(items, values):
        ...     return [2 * value for value in values]
        >>> stage = Stage(name="numbers", unit="number", items=[1, 2, 3], load=float, apply=double,
        ...               encode=lambda item, result: f"{item}: {result}; ".encode())
        >>> with tempfile.TemporaryDirectory() as folder, KeptResults(pathlib.Path(folder), "numbers") as results:
        ...     run_stage(stage, results, batch_size=2, threads=1)
        ...     results.path.read_bytes()
        b'1: 2.0; 2: 4.0; 3: 6.0; '

    """
    first = results.items
    loads = (partial(_load, stage.load, item) for item in stage.items[first:])
    with (
        Progress(len(stage.items), stage.unit, progress, stage.name, start=first) as bar,
        closing(load_ahead(loads, ahead=2 * batch_size, threads=threads)) as loaded,
    ):
        for start in range(first, len(stage.items), batch_size):
            batch = stage.items[start : start + batch_size]
            values = [next(loaded) for _ in batch]
            part_size = min(results.part_size or batch_size, batch_size)
            _run_batch(stage, results, batch, values, part_size)
            if bar.callback is not None:
                bar.callback(results.items)


def _load(load: Callable[[Any], object], item: object) -> object:
    try:
        return load(item)
    except BrokenImageError as error:
        return _Broken(error)


def _run_batch(
    stage: Stage, results: KeptResults, batch: Sequence[Any], values: Sequence[object], part_size: int
) -> None:
    """Send a batch through the model, and keep its results."""
    start = results.items
    broken = {start + index: value.error for index, value in enumerate(values) if isinstance(value, _Broken)}
    if not start and len(broken) == len(batch) > 1:
        # An item may be broken, but this is a wrong file, or a fault of the model's own preparation.
        raise broken[0]
    whole = [item for item, value in zip(batch, values, strict=True) if not isinstance(value, _Broken)]
    given = [value for value in values if not isinstance(value, _Broken)]
    outputs, part_size = apply_in_parts(partial(_checked, stage), whole, given, part_size)
    data = b"".join(map(stage.encode, whole, outputs))
    reasons = {index: str(error) for index, error in broken.items()}
    results.add(data, items=len(batch), part_size=part_size, broken=reasons)


def _checked(stage: Stage, items: Sequence[Any], values: list[Any]) -> Iterable[Any]:
    """Return the results of a model, if there is one for each item."""
    outputs = stage.apply(items, values)
    if isinstance(outputs, (str, bytes, Mapping)) or not hasattr(outputs, "__len__"):
        raise TypeError(
            f"the model returns {type(outputs).__name__} for {len(items)} {stage.name}, needs a result of each"
        )
    if len(outputs) != len(items):
        raise ValueError(
            f"the model returns {len(outputs)} results for {len(items)} {stage.name}, the first of which is "
            f"{format_argument(items[0])}"
        )
    results: Iterable[Any] = outputs
    return results
