"""Stages of a run: items that go through a model in batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from muge_fast._internal.display import format_argument
from muge_fast._internal.progress import Progress
from muge_fast.datasets.decoding import BrokenImageError
from muge_fast.image.sources import load_ahead
from muge_fast.models.kept_results import KeptResults
from muge_fast.models.out_of_memory import OutOfMemoryError, apply_in_parts, is_out_of_memory, release_memory

MANY = 32
"""Number of items that are not all broken by chance."""


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
        encode: Function of an id and its result that returns the bytes to keep. It raises :class:`NoResultError` for an
            empty result, which is listed, and another exception for one that cannot be used.

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


class NoResultError(ValueError):
    """The result of an item is empty, so that the item has none; raised by ``encode``.

    Example:
        >>> from muge_fast.models.stages import NoResultError
        >>> issubclass(NoResultError, ValueError)
        True

    """


class _Failed(NamedTuple):
    """An item that could not be loaded: it is broken, or there was too little memory."""

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
        BrokenImageError: All of the first 32 images, or all that there are, are broken.
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
    results.sync()


def _load(load: Callable[[Any], object], item: object) -> object:
    try:
        return load(item)
    except BrokenImageError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno is not None:
            # An error of the system says nothing about the image; those of Pillow have no number.
            raise cause from None
        return _Failed(cause if isinstance(cause, Exception) and is_out_of_memory(cause) else error)
    except MemoryError as error:
        return _Failed(error)


def _load_alone(stage: Stage, item: object) -> object:
    """Load an item again that there was too little memory for while others were loaded."""
    release_memory()
    value = _load(stage.load, item)
    if isinstance(value, _Failed) and is_out_of_memory(value.error):
        raise OutOfMemoryError(f"too little memory to prepare item {item!r} alone: {value.error}")
    return value


def _run_batch(
    stage: Stage, results: KeptResults, batch: Sequence[Any], values: Sequence[object], part_size: int
) -> None:
    """Send a batch through the model, and keep its results."""
    values = [
        _load_alone(stage, item) if isinstance(value, _Failed) and is_out_of_memory(value.error) else value
        for item, value in zip(batch, values, strict=True)
    ]
    failed = [(index, value.error) for index, value in enumerate(values) if isinstance(value, _Failed)]
    _refuse_only_failures(stage, results, len(batch), failed)
    given = [(item, value) for item, value in zip(batch, values, strict=True) if not isinstance(value, _Failed)]
    outputs, part_size = apply_in_parts(
        partial(_checked, stage), [item for item, _ in given], [value for _, value in given], part_size
    )
    reasons = {results.items + index: str(error) for index, error in failed}
    indices = [index for index in range(len(batch)) if results.items + index not in reasons]
    data = []
    for index, (item, _), output in zip(indices, given, outputs, strict=True):
        encoded, reason = _encode(stage, item, output)
        data.append(encoded)
        if reason is not None:
            reasons[results.items + index] = reason
    results.add(b"".join(data), items=len(batch), part_size=part_size, broken=dict(sorted(reasons.items())))


def _encode(stage: Stage, item: object, output: object) -> tuple[bytes, str | None]:
    """Return the bytes to keep, or nothing and why there is no result."""
    try:
        return stage.encode(item, output), None
    except NoResultError as error:
        return b"", str(error)


def _refuse_only_failures(
    stage: Stage, results: KeptResults, count: int, failed: Sequence[tuple[int, Exception]]
) -> None:
    """Raise the first error if all items so far are broken and they are many, or all that there are.

    An image may be broken, but this is a wrong file, or a fault in the preparation of the model. Nothing is kept.
    """
    if len(failed) < count or len(results.broken) < results.items:
        return
    total = results.items + count
    if total >= MANY or (total == len(stage.items) and total > 1):
        results.forget()
        raise failed[0][1]


def _checked(stage: Stage, items: Sequence[Any], values: list[Any]) -> Sequence[Any]:
    """Return the results of a model, if there is one for each item."""
    outputs = stage.apply(items, values)
    has_order = hasattr(outputs, "__len__") and hasattr(outputs, "__getitem__")
    if isinstance(outputs, (str, bytes, Mapping)) or not has_order:
        raise TypeError(
            f"the model returns {type(outputs).__name__} for {len(items)} {stage.name}, needs a result of each"
        )
    if len(outputs) != len(items):
        raise ValueError(
            f"the model returns {len(outputs)} results for {len(items)} {stage.name}, the first of which is "
            f"{format_argument(items[0])}"
        )
    results: Sequence[Any] = outputs
    return results
