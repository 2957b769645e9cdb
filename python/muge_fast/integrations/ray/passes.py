"""Passes over a Ray data set: actors turn batches of rows into states, which come back in the order of the rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import ray
import ray.data

from muge_fast._internal.caller_warnings import warn_caller
from muge_fast._internal.checks import find_repeated, whole_number
from muge_fast._internal.display import format_argument

B = TypeVar("B")

ACTOR_CPUS = 0.5
"""CPUs that Ray reserves for an actor: the tasks that read blocks need the others, or they would never start."""

# Errors of the data and of options. All others end the pass as an error of Ray.
REPORTED = {error.__name__: error for error in (TypeError, ValueError, OSError, ImportError)}


class RowError(Exception):
    """An error in one field of one row.

    Args:
        row: Index of the row in its batch.
        field: Name of the field.
        problem: What is wrong, and what to do.
        kind: Class of the error that the caller gets.

    """

    def __init__(self, row: int, field: str, problem: str, kind: type[Exception] = ValueError) -> None:
        super().__init__(problem)
        self.row, self.field, self.problem, self.kind = row, field, problem, kind

    def of(self, name: str, first: int) -> Exception:
        """Return the error that the caller gets.

        Args:
            name: Name of the data set.
            first: Index of the first row of the batch.

        """
        return self.kind(f"{name}, row {first + self.row}, field {self.field!r}: {self.problem}")


@dataclass(frozen=True)
class Pool:
    """The actors of a pass.

    Attributes:
        actors: Number of actors; None for one for each CPU of the cluster.
        threads: Number of threads of each actor.
        options: Options of the actors, such as ``{"num_gpus": 1}``.

    """

    actors: int | None = None
    threads: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the numbers."""
        whole_number("threads", self.threads)
        if self.actors is not None:
            whole_number("actors", self.actors)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of ``map_batches``; warn if the actors leave no CPU for reading."""
        cpus = ray.cluster_resources().get("CPU", 1.0)
        size = max(1, int(cpus)) if self.actors is None else self.actors
        options = {"num_cpus": ACTOR_CPUS, **self.options}
        reserved = size * (options["num_cpus"] or 0)
        if reserved > cpus - 1:
            warn_caller(
                f"{size} actors reserve {reserved:g} of the {cpus:g} CPUs of the cluster, and tasks that read blocks "
                f"need 1: unless the cluster grows they may wait forever; pass fewer actors, or num_cpus in "
                f"actor_options"
            )
        return {"compute": ray.data.ActorPoolStrategy(size=size), **options}


@dataclass(frozen=True)
class Part:
    """The state of a batch.

    Attributes:
        first: Index of its first row in the data set.
        count: Number of its rows.
        state: What the worker returned.

    """

    first: int
    count: int
    state: bytes


class Worker(ABC, Generic[B]):
    """What each actor does: it makes a state of each batch.

    Attributes:
        batch_format: The form of batches, as ``map_batches`` names it.

    """

    batch_format: ClassVar[str]

    @abstractmethod
    def count(self, batch: B) -> int:
        """Return the number of rows of a batch."""

    @abstractmethod
    def state_of(self, batch: B) -> bytes:
        """Return the state of a batch of at least one row.

        Args:
            batch: The batch.

        Raises:
            RowError: A row is wrong.

        """

    def __call__(self, batch: B) -> dict[str, list[object]]:
        """Return a row with the state of a batch, or with the error: Ray would bury an exception in its own."""
        count = self.count(batch)
        try:
            state = self.state_of(batch) if count else b""
        except RowError as error:
            return _row(count, row=error.row, field=error.field, problem=error.problem, kind=_reported(error.kind))
        except tuple(REPORTED.values()) as error:
            return _row(count, problem=str(error) or type(error).__name__, kind=_reported(type(error)))
        return _row(count, state=state)


def _row(
    count: int, *, state: bytes = b"", row: int = -1, field: str = "", problem: str = "", kind: str = ""
) -> dict[str, list[object]]:
    values = {"count": count, "state": state, "row": row, "field": field, "problem": problem, "kind": kind}
    return {name: [value] for name, value in values.items()}


def _reported(kind: type[Exception]) -> str:
    return next(name for name, reported in REPORTED.items() if issubclass(kind, reported))


def check_dataset(name: str, dataset: object, fields: Sequence[str]) -> ray.data.Dataset:
    """Return the fields of a data set, as a data set that keeps the order of rows and loses no block.

    Args:
        name: Name of the argument, for errors.
        dataset: The data set. It is not changed.
        fields: Names of the fields.

    Returns:
        The data set with these fields alone.

    Raises:
        TypeError: Not a data set of Ray, or a name is not a string.
        ValueError: The data set lacks a field, or has no rows.

    """
    if not isinstance(dataset, ray.data.Dataset):
        raise TypeError(
            f"{name} must be a ray.data.Dataset, got {type(dataset).__name__}; ray.data.from_items, from_pandas and "
            f"read_parquet make one"
        )
    wrong = next((field for field in fields if not isinstance(field, str)), None)
    if wrong is not None:
        raise TypeError(f"names of fields must be str, got {format_argument(wrong)}")
    # The settings of a data set are those of all that are made from it, so they are changed in a copy.
    ordered = ray.data.Dataset.copy(dataset, _deep_copy=True)
    ordered.context.execution_options.preserve_order = True
    # With another number, the score would be that of the blocks that did not fail.
    ordered.context.max_errored_blocks = 0
    columns = ordered.columns()
    if columns is None:
        raise ValueError(f"{name} has no rows")
    missing = next((field for field in fields if field not in columns), None)
    if missing is not None:
        raise ValueError(f"{name} has the fields {', '.join(columns)}, not {missing!r}; name its fields in the call")
    return ordered.select_columns(list(fields))


def parts(
    name: str,
    dataset: ray.data.Dataset,
    worker: type[Worker[Any]],
    arguments: Sequence[object],
    pool: Pool,
    *,
    batch_size: int | None,
) -> Iterator[Part]:
    """Yield the state of each batch, in the order of the rows.

    Args:
        name: Name of the data set, for errors.
        dataset: A data set of :func:`check_dataset`.
        worker: Class of the actors.
        arguments: Arguments of the class.
        pool: The actors.
        batch_size: Rows of a batch at most; None for whole blocks.

    Yields:
        A part for each batch that has rows.

    Raises:
        TypeError: A row has a value of a wrong type.
        ValueError: A row has a wrong value, or the data set has no rows.

    """
    mapped = dataset.map_batches(
        worker,
        fn_constructor_args=tuple(arguments),
        batch_size=batch_size,
        batch_format=worker.batch_format,
        **pool.arguments(),
    )
    first = 0
    for row in mapped.iter_rows():
        if row["problem"]:
            _raise(name, first, row)
        if row["count"]:
            yield Part(first, row["count"], row["state"])
        first += row["count"]
    if not first:
        raise ValueError(f"{name} has no rows")


def _raise(name: str, first: int, row: Mapping[str, Any]) -> None:
    kind = REPORTED[row["kind"]]
    if row["row"] >= 0:
        raise RowError(row["row"], row["field"], row["problem"], kind).of(name, first)
    raise kind(f"{name}, rows {first} to {first + row['count'] - 1}: {row['problem']}")


def check_ids(name: str, ids: Sequence[Hashable], field: str) -> None:
    """Check that no id is in two rows, of one block or of two.

    Args:
        name: Name of the data set, for errors.
        ids: The id of each row.
        field: Name of the field of ids.

    Raises:
        ValueError: An id is repeated; the message names both rows.

    """
    repeated = find_repeated(ids)
    if repeated is not None:
        earlier = ids.index(ids[repeated])
        raise ValueError(
            f"{name}, row {repeated}, field {field!r}: {format_argument(ids[repeated])} is the id of row {earlier} "
            f"too; remove one of the rows"
        )
