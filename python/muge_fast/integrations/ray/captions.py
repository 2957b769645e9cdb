"""Scores of captions in a Ray data set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import ray

from muge_fast._internal.display import format_argument
from muge_fast.caption import DocumentFrequency
from muge_fast.caption import score_captions as score_batch
from muge_fast.caption.options import DEFAULT_METRICS, CaptionMetric, ScoringOptions, Smoothing
from muge_fast.integrations.ray.passes import Part, Pool, RowError, Worker, check_dataset, check_ids, parts
from muge_fast.scores import Scores
from muge_fast.text.tokenizers import Tokenizer, TokenizerLike

if TYPE_CHECKING:
    import pyarrow as pa

CIDER = {"cider", "cider_d"}


class ScoringWorker(Worker["pa.Table"]):
    """An actor that scores captions. Its batches are tables of Arrow, whose texts become those of Python at once.

    Args:
        fields: Fields of ids, or None, of predictions and of references.
        frequency: Reference to document frequencies, or None.
        options: Further arguments of :func:`muge_fast.score_captions`.

    """

    batch_format: ClassVar[str] = "pyarrow"

    def __init__(
        self, fields: tuple[str | None, str, str], frequency: ray.ObjectRef | None, options: Mapping[str, Any]
    ) -> None:
        self.id_field, self.prediction_field, self.reference_field = fields
        self.options = dict(options)
        if frequency is not None:
            self.options["document_frequency"] = ray.get(frequency)

    def count(self, batch: pa.Table) -> int:
        """Return the number of rows."""
        return int(batch.num_rows)

    def state_of(self, batch: pa.Table) -> bytes:
        """Return the scores of a batch."""
        predictions = _predictions(batch, self.prediction_field)
        references = _references(batch, self.reference_field)
        if self.id_field is None:
            return score_batch(predictions, references, **self.options).to_bytes()
        ids = _ids(batch, self.id_field)
        by_id = dict(zip(ids, predictions, strict=True))
        return score_batch(by_id, dict(zip(ids, references, strict=True)), **self.options).to_bytes()


def score_captions(
    dataset: ray.data.Dataset,
    *,
    id_field: str | None = "id",
    prediction_field: str = "prediction",
    reference_field: str = "references",
    tokenizer: TokenizerLike = "muge",
    metrics: Iterable[CaptionMetric] = DEFAULT_METRICS,
    smoothing: Smoothing = "tiny",
    smoothing_value: float | None = None,
    effective_order: bool = False,
    sigma: float = 6.0,
    document_frequency: DocumentFrequency | None = None,
    batch_size: int = 4096,
    actors: int | None = None,
    threads: int = 1,
    actor_options: Mapping[str, Any] | None = None,
) -> Scores:
    """Score captions of a Ray data set against their references.

    The scores have the bits of :func:`muge_fast.score_captions` over all rows, in the order of the rows. CIDEr without
    ``document_frequency`` weighs n-grams by how many of all items have them, so it is computed here, from all rows and
    by all threads: tables of n-grams are many times larger than texts, and sending them takes longer. Actors compute
    the other metrics. ``dataset.materialize()`` keeps the rows of an expensive data set for both.

    Args:
        dataset: Data set with a row for each item.
        id_field: Field of ids, integers or strings, which differ. None for rows without ids.
        prediction_field: Field of captions.
        reference_field: Field of lists of references, at least one in each.
        tokenizer: Name of a tokenizer, or a function from a text to its tokens, which must be importable by actors.
        metrics: Names of metrics, as for :func:`muge_fast.score_captions`.
        smoothing: Smoothing of BLEU.
        smoothing_value: Parameter of the smoothings ``"floor"`` and ``"add-k"``.
        effective_order: Whether BLEU skips the orders that a text is too short for.
        sigma: Standard deviation of CIDEr-D's length penalty.
        document_frequency: Document frequencies for CIDEr and CIDEr-D, which actors then compute; None to count them in
            all references.
        batch_size: Rows that an actor scores at once. The result does not depend on it.
        actors: Number of actors; None for one for each CPU of the cluster. The result does not depend on it.
        threads: Threads of each actor. The result does not depend on it.
        actor_options: Options of the actors, such as ``{"num_cpus": 1}``. Each reserves half a CPU by default.

    Returns:
        The scores, with items in the order of the rows.

    Raises:
        TypeError: Not a data set of Ray, a text is not a string, an id is neither an integer nor a string, or an option
            has the wrong type.
        ValueError: A field is missing, there are no rows, an item has no references, an id is in two rows, or an option
            is unknown. The message names the row and the field.
        ray.exceptions.RayError: A block could not be read or made; there is no score of the others.

    Warns:
        UserWarning: The actors reserve all CPUs, so that blocks may never be read.

    Example:
        >>> import ray
        >>> from muge_fast.integrations.ray import score_captions
        >>> rows = [{"id": 1, "prediction": "红裙", "references": ["红裙", "红色长裙"]}]
        >>> score_captions(ray.data.from_items(rows), metrics=["rouge_l"])  # doctest: +SKIP
        Scores(1 item, rouge_l=1.0000)

    """
    checked = ScoringOptions.check(
        metrics=metrics,
        smoothing=smoothing,
        smoothing_value=smoothing_value,
        effective_order=effective_order,
        sigma=sigma,
    )
    Tokenizer.resolve(tokenizer, None)
    pool = Pool(actors, threads, actor_options or {})
    fields = (id_field, prediction_field, reference_field)
    rows = check_dataset("dataset", dataset, [field for field in fields if field is not None])
    options: dict[str, Any] = {"tokenizer": tokenizer, "sigma": sigma}
    here = [name for name in checked.metrics if name in CIDER and document_frequency is None]
    by_actors = [name for name in checked.metrics if name not in here]
    scores = [_score_here(rows, fields, {**options, "metrics": here})] if here else []
    if by_actors:
        options |= {"metrics": by_actors, "smoothing": smoothing, "smoothing_value": smoothing_value}
        options |= {"effective_order": effective_order, "threads": threads}
        stored = None if document_frequency is None else ray.put(document_frequency)
        arguments = (fields, stored, options)
        scores.append(_merge(parts("dataset", rows, ScoringWorker, arguments, pool, batch_size=batch_size), id_field))
    found = {name: score for part in scores for name, score in part.items()}
    ids = scores[0].ids
    return Scores({name: found[name] for name in checked.metrics}, len(ids), None if id_field is None else ids)


def _score_here(dataset: ray.data.Dataset, fields: tuple[str | None, str, str], options: Mapping[str, Any]) -> Scores:
    """Return the scores of all rows, by all threads of this process."""
    id_field, prediction_field, reference_field = fields
    predictions: list[str] = []
    references: list[list[str]] = []
    ids: list[int | str] = []
    try:
        for batch in dataset.iter_batches(batch_size=None, batch_format="pyarrow"):
            first = len(predictions)
            predictions += _predictions(batch, prediction_field, first)
            references += _references(batch, reference_field, first)
            ids += [] if id_field is None else _ids(batch, id_field, first)
    except RowError as error:
        raise error.of("dataset", 0) from None
    if id_field is None:
        return score_batch(predictions, references, **options)
    check_ids("dataset", ids, id_field)
    by_id = dict(zip(ids, predictions, strict=True))
    return score_batch(by_id, dict(zip(ids, references, strict=True)), **options)


def _merge(states: Iterable[Part], id_field: str | None) -> Scores:
    shards = [Scores.from_bytes(part.state) for part in states]
    if id_field is not None:
        # Names the rows, which Scores.merge does not know.
        check_ids("dataset", [item for shard in shards for item in shard.ids], id_field)
    return Scores.merge(shards)


def _predictions(batch: pa.Table, field: str, first: int = 0) -> list[str]:
    texts: list[str] = batch.column(field).to_pylist()
    for row, text in enumerate(texts, first):
        if type(text) is not str:
            raise RowError(row, field, f"expected str, found {_type_name(text)}", TypeError)
    return texts


def _references(batch: pa.Table, field: str, first: int = 0) -> list[list[str]]:
    # Lists that went through a function of NumPy are arrays.
    values = batch.column(field).to_pylist()
    lists: list[list[str]] = [value.tolist() if isinstance(value, np.ndarray) else value for value in values]
    for row, texts in enumerate(lists, first):
        if not isinstance(texts, (list, tuple)):
            raise RowError(row, field, f"expected a list of str, found {_type_name(texts)}", TypeError)
        if not texts:
            raise RowError(row, field, "is empty, needs at least one reference")
        wrong = next((text for text in texts if type(text) is not str), "")
        if type(wrong) is not str:
            raise RowError(row, field, f"expected a list of str, found {_type_name(wrong)} in it", TypeError)
    return lists


def _ids(batch: pa.Table, field: str, first: int = 0) -> list[int | str]:
    ids: list[int | str] = batch.column(field).to_pylist()
    seen: dict[int | str, int] = {}
    for row, item in enumerate(ids, first):
        if type(item) not in (int, str):
            raise RowError(row, field, f"expected an integer or a str, found {_type_name(item)}", TypeError)
        if item in seen:
            problem = f"{format_argument(item)} is the id of another row too, {row - seen[item]} before; remove one"
            raise RowError(row, field, problem)
        seen[item] = row
    return ids


def _type_name(value: object) -> str:
    return "null" if value is None else type(value).__name__
