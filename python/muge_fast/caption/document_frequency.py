"""In how many items each n-gram occurs: what CIDEr weighs n-grams by."""

from __future__ import annotations

import io
import os
import pickle
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from muge_fast import _core
from muge_fast._internal.atomic import replacing
from muge_fast._internal.npz import Archive
from muge_fast._internal.paths import refuse_pipes
from muge_fast.text.tokenizers import Tokenizer, TokenizerLike, split_ids

MAX_ORDER = 4
MAX_COUNT = 2**32 - 1
PICKLES = (".p", ".pkl", ".pickle")

MAX_BYTES = 8 << 30
MAX_SIGNATURE = 10_000

ARRAYS = {
    "documents": ("<f8", 0),
    "token_lengths": ("<u4", 1),
    "token_bytes": ("u1", 1),
    "ngrams": ("<u4", 2),
    "counts": ("<u4", 1),
    "tokenizer": ("U", 0),
}
"""The arrays of a saved table: data type, or "U" for text of any length, and number of axes."""


class DocumentFrequency:
    """Document frequencies of n-grams of 1 to 4 tokens, for CIDEr and CIDEr-D.

    CIDEr's weights depend on how many items hold an n-gram. Counted once over a large set and saved, they make scores
    of small sets meaningful, down to a single item, and shards comparable.

    Example:
        >>> import muge_fast as mf
        >>> frequency = mf.DocumentFrequency.from_references([["红色连衣裙"], ["黑色皮鞋"], ["红色衬衫"]])
        >>> frequency.documents, len(frequency), frequency.count(["红", "色"])
        (3.0, 30, 2)

    """

    def __init__(self, core: _core.DocumentFrequency, tokenizer: str | None = None) -> None:
        self.core = core
        self.tokenizer = tokenizer
        """Signature of the tokenizer that made the tokens; None if it is not known."""

    @classmethod
    def from_references(
        cls,
        references: Mapping[Any, Sequence[str]] | Sequence[Sequence[str]],
        *,
        tokenizer: TokenizerLike = "muge",
        user_dict: str | os.PathLike[str] | None = None,
        threads: int | None = None,
    ) -> DocumentFrequency:
        """Count in how many items each n-gram occurs; an item counts once however many references hold it.

        Args:
            references: The references of each item, by id or in order.
            tokenizer: As for :func:`muge_fast.tokenize`.
            user_dict: Path of a user dictionary, for the tokenizer ``"jieba"``.
            threads: Number of threads; None for all cores.

        Raises:
            ValueError: No items, or an item without references.
            TypeError: A reference that is not a string.

        """
        chosen = Tokenizer.of(tokenizer, user_dict)
        ids, rows = split_ids(references, "references")
        prepared = _core.References(chosen.nested_texts(rows, "references", ids), chosen.core, ids, threads=threads)
        return cls(prepared.document_frequency(threads), chosen.signature)

    @classmethod
    def from_counts(cls, documents: float, counts: Mapping[tuple[str, ...], float]) -> DocumentFrequency:
        """Take over frequencies that were counted elsewhere.

        Args:
            documents: Number of documents, a positive number.
            counts: For each n-gram, a tuple of 1 to 4 tokens, the number of documents that hold it.

        Raises:
            ValueError: A number of documents that is not positive, an n-gram that is no tuple of 1 to 4 strings, or
                a count that is no whole number from 0 to 4294967295.

        """
        vocab: dict[str, int] = {}
        ngrams = np.zeros((len(counts), MAX_ORDER), dtype=np.uint32)
        for row, ngram in enumerate(counts):
            if (
                not isinstance(ngram, tuple)
                or not 1 <= len(ngram) <= MAX_ORDER
                or not all(isinstance(t, str) for t in ngram)
            ):
                raise ValueError(f"document_frequency: n-gram {ngram!r} is not a tuple of 1 to {MAX_ORDER} strings")
            ngrams[row, : len(ngram)] = [vocab.setdefault(token, len(vocab) + 1) for token in ngram]
        for ngram, count in counts.items():
            whole = (
                isinstance(count, (int, float, np.integer, np.floating))
                and not isinstance(count, bool)
                and 0 <= count <= MAX_COUNT
                and count == int(count)
            )
            if not whole:
                raise ValueError(
                    f"document_frequency: count of {ngram!r} is {count!r}, needs a whole number from 0 to {MAX_COUNT}"
                )
        numbers = np.fromiter(counts.values(), dtype=np.uint32, count=len(counts))
        return cls(_core.DocumentFrequency.from_ids(float(documents), list(vocab), ngrams, numbers))

    @property
    def documents(self) -> float:
        """Number of documents that were counted."""
        return self.core.documents

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that tell two tables apart; part of CIDEr's signature."""
        return f"{self.core.fingerprint():016x}"

    def __len__(self) -> int:
        return len(self.core)

    def __repr__(self) -> str:
        return f"DocumentFrequency({self.documents:g} documents, {len(self)} n-grams, {self.fingerprint})"

    def count(self, ngram: Sequence[str]) -> int:
        """In how many documents the n-gram of these tokens occurs; 0 if it is not in the table."""
        return self.core.count(list(ngram))

    def to_counts(self) -> dict[tuple[str, ...], int]:
        """All n-grams, as tuples of tokens, with their counts."""
        tokens, ngrams, counts = self.core.to_ids()
        names = np.array(["", *tokens], dtype=object)[ngrams]
        orders = np.count_nonzero(ngrams, axis=1)
        return {tuple(row[:order]): int(count) for row, order, count in zip(names, orders, counts, strict=True)}

    def __reduce__(self) -> tuple[Any, ...]:
        return self._from_ids, (self.documents, *self.core.to_ids(), self.tokenizer)

    @classmethod
    def _from_ids(
        cls,
        documents: float,
        tokens: list[str],
        ngrams: NDArray[np.uint32],
        counts: NDArray[np.uint32],
        tokenizer: str | None,
    ) -> DocumentFrequency:
        return cls(_core.DocumentFrequency.from_ids(documents, tokens, ngrams, counts), tokenizer)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table to a file; the file appears whole or not at all.

        A path that ends in ``.p``, ``.pkl`` or ``.pickle`` gets the pickle ``{"ref_len", "document_frequency"}`` that
        code for self-critical training shares; any other path gets NumPy's ``.npz`` format, which is smaller and safe
        to load anywhere.
        """
        path = Path(path)
        with replacing(path) as file:
            if path.suffix in PICKLES:
                self._write_pickle(file)
            else:
                self._write_arrays(file)

    def _write_pickle(self, file: IO[bytes]) -> None:
        counts = defaultdict(float, {ngram: float(count) for ngram, count in self.to_counts().items()})
        pickle.dump({"ref_len": self.documents, "document_frequency": counts}, file)

    def _write_arrays(self, file: IO[bytes]) -> None:
        tokens, ngrams, counts = self.core.to_ids()
        encoded = [token.encode("utf-8") for token in tokens]
        np.savez_compressed(
            file,
            documents=np.array(self.documents, dtype="<f8"),
            token_lengths=np.array([len(token) for token in encoded], dtype="<u4"),
            token_bytes=np.frombuffer(b"".join(encoded), dtype=np.uint8),
            ngrams=ngrams.astype("<u4"),
            counts=counts.astype("<u4"),
            tokenizer=np.array(self.tokenizer or "").astype("<U"),
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> DocumentFrequency:
        """Read a table written by :meth:`save`, or a pickle ``{"ref_len", "document_frequency"}`` of other code.

        Any file may be given: pickles are read by a small machine of our own, which knows dict, tuple, str, int, float
        and ``collections.defaultdict``, calls nothing and refuses everything else. Time and memory follow the size of
        the file: the arrays of an ``.npz`` archive may have 20 times its size, and 16 MiB more.

        Args:
            path: The file.
            max_bytes: The largest size of the file, and of all that is packed in it.

        Raises:
            OSError: The file cannot be read.
            ValueError: The file is not such a table, too large, or a pipe or device.

        """
        path = Path(path)
        refuse_pipes(path)
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > max_bytes:
                raise ValueError(f"{path}: has {size} bytes, more than max_bytes={max_bytes}")
            # No more than that, should the file grow.
            data = file.read(size)
        try:
            if data.startswith(b"PK"):
                return cls._read_arrays(data, max_bytes)
            return cls(_core.DocumentFrequency.from_pickle(data))
        except ValueError as error:
            problem = str(error).removeprefix("pickle: ")
            raise ValueError(f"{path}: not a table of document frequencies: {problem}") from error

    @classmethod
    def _read_arrays(cls, data: bytes, max_bytes: int) -> DocumentFrequency:
        arrays = _arrays_of_table(Archive(io.BytesIO(data), max_bytes=max_bytes))
        text = arrays["token_bytes"].tobytes()
        lengths = arrays["token_lengths"].astype(np.int64)
        if int(lengths.sum()) != len(text):
            raise ValueError(f"tokens of {lengths.sum()} bytes in a text of {len(text)}")
        ends = np.cumsum(lengths)
        tokens = [text[start:end].decode("utf-8") for start, end in zip(ends - lengths, ends, strict=True)]
        tokenizer = str(arrays["tokenizer"])
        if len(tokenizer) > MAX_SIGNATURE:
            raise ValueError(f"the signature of the tokenizer has more than {MAX_SIGNATURE} characters")
        documents = float(arrays["documents"])
        return cls._from_ids(documents, tokens, arrays["ngrams"], arrays["counts"], tokenizer or None)


def _arrays_of_table(archive: Archive) -> dict[str, NDArray[Any]]:
    """Return the arrays of a saved table in the byte order of this machine.

    Raises:
        ValueError: An array is missing, damaged, or of another type or number of axes.

    """
    arrays = {}
    for name, (kind, axes) in ARRAYS.items():
        if name not in archive:
            raise ValueError(f"has no array {name!r}")
        array = archive[name]
        if array.ndim != axes or not (array.dtype.kind == kind if kind == "U" else array.dtype == np.dtype(kind)):
            raise ValueError(f"array {name!r} has {array.ndim} axes and type {array.dtype}, needs {axes} and {kind}")
        arrays[name] = array.astype(array.dtype.newbyteorder("="), copy=False)
    return arrays
