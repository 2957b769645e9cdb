"""Document frequencies: in how many items each n-gram occurs, from which CIDEr computes its weights."""

from __future__ import annotations

import io
import os
import pickle
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from muge_fast import _core
from muge_fast._internal.atomic import replacing
from muge_fast._internal.checks import find_repeated, finite_number, whole_number
from muge_fast._internal.display import quantity
from muge_fast._internal.npz import Archive
from muge_fast._internal.paths import PathLike, open_named
from muge_fast.caption.texts import ReferencesLike, split_references
from muge_fast.text.tokenizers import Tokenizer, TokenizerLike

MAX_ORDER = 4
MAX_COUNT = 2**32 - 1
PICKLE_SUFFIXES = (".p", ".pkl", ".pickle")

MAX_FILE_BYTES = 8 << 30
MAX_SIGNATURE = 10_000

ARRAYS = {
    "documents": ("<f8", 0),
    "token_lengths": ("<u4", 1),
    "token_bytes": ("u1", 1),
    "ngrams": ("<u4", 2),
    "counts": ("<u4", 1),
    "tokenizer": ("U", 0),
}
"""Arrays of a saved table: dtype, or "U" for text of any length, and number of axes."""


class DocumentFrequency:
    """Document frequencies of n-grams of 1 to 4 tokens, for CIDEr and CIDEr-D.

    CIDEr weighs an n-gram by ``log(documents / max(1, count))``, where ``count`` is the number of items whose
    references contain it. Counted once over a large set and saved, the table makes scores of small sets meaningful,
    down to a single item, and scores of shards comparable.

    Create one with :meth:`from_references`, :meth:`from_counts` or :meth:`load`. Instances are immutable, and can be
    pickled and copied.

    Args:
        core: The table in Rust; not for use outside this package.
        tokenizer: Signature of the tokenizer that made the tokens; None if it is not known.

    Attributes:
        tokenizer: Signature of the tokenizer that made the tokens, such as ``"muge"``; None if it is not known, which
            matches any tokenizer.

    Example:
        >>> import muge_fast as mf
        >>> frequency = mf.DocumentFrequency.from_references([["红色连衣裙"], ["黑色皮鞋"], ["红色衬衫"]])
        >>> frequency.documents, len(frequency), frequency.count(["红", "色"])
        (3.0, 30, 2)

    """

    def __init__(self, core: _core.DocumentFrequency, tokenizer: str | None = None) -> None:
        self.core = core
        self.tokenizer = tokenizer

    @classmethod
    def from_references(
        cls,
        references: ReferencesLike,
        *,
        tokenizer: TokenizerLike = "muge",
        user_dict: PathLike | None = None,
        threads: int | None = None,
    ) -> DocumentFrequency:
        """Count in how many items each n-gram occurs; an item counts once, however many of its references contain it.

        Args:
            references: One or more captions for each item: a mapping from id, or a sequence.
            tokenizer: ``"muge"`` (each Chinese character and each run of ASCII letters and digits is a token: the
                rule of the MUGE caption task), ``"char"``, ``"whitespace"``, ``"space"``, ``"jieba"``, ``"13a"``,
                ``"zh"``, or a function from a text to its tokens. :func:`muge_fast.tokenize` defines each name.
            user_dict: Path of a user dictionary in jieba's format, for the tokenizer ``"jieba"`` only.
            threads: Number of threads, at least 1; None for all cores. The result does not depend on it.

        Returns:
            A table of all n-grams of 1 to 4 tokens in the references; its number of documents is the number of items.

        Raises:
            ValueError: No items, an item without references, a text that is not valid Unicode, or an unknown
                tokenizer.
            TypeError: A reference that is not a string, or an option of the wrong type.
            OSError: The user dictionary cannot be read.

        Example:
            >>> import muge_fast as mf
            >>> frequency = mf.DocumentFrequency.from_references({"a": ["红裙", "红色裙"], "b": ["黑裙"]})
            >>> frequency.count(["红"]), frequency.count(["裙"])
            (1, 2)

        """
        resolved = Tokenizer.resolve(tokenizer, user_dict)
        ids, rows = split_references(references)
        texts = resolved.prepare_nested(rows, "references", ids)
        prepared = _core.References(texts, resolved.core, ids, threads=threads)
        return cls(prepared.document_frequency(threads), resolved.signature)

    @classmethod
    def from_counts(cls, documents: float, counts: Mapping[tuple[str, ...], float]) -> DocumentFrequency:
        """Create a table from counts made elsewhere.

        Args:
            documents: Number of documents, positive and finite; it need not be whole.
            counts: For each n-gram, a tuple of 1 to 4 tokens, the number of documents that contain it: a whole number
                from 0 to 4294967295, as an integer or a float of Python or NumPy.

        Returns:
            The table. Its tokenizer is not known, so it may be used with any.

        Raises:
            ValueError: ``documents`` is not positive and finite, an n-gram is not a tuple of 1 to 4 strings or not
                valid Unicode, or a count is not a whole number in its range. The message names the n-gram.
            TypeError: ``documents`` is not a number.

        Example:
            >>> import muge_fast as mf
            >>> frequency = mf.DocumentFrequency.from_counts(100, {("红",): 40, ("红", "色"): 25})
            >>> frequency.count(["红", "色"]), frequency.tokenizer
            (25, None)

        """
        documents = finite_number("documents", documents)
        ids: dict[str, int] = {}
        ngrams = np.zeros((len(counts), MAX_ORDER), dtype=np.uint32)
        for row, (ngram, count) in enumerate(counts.items()):
            _check_ngram(ngram)
            _check_count(ngram, count)
            ngrams[row, : len(ngram)] = [ids.setdefault(token, len(ids) + 1) for token in ngram]
        table = np.fromiter(counts.values(), dtype=np.uint32, count=len(counts))
        return cls(_core.DocumentFrequency.from_ids(documents, list(ids), ngrams, table))

    @property
    def documents(self) -> float:
        """Number of documents."""
        return self.core.documents

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the table, 16 hexadecimal digits, which signatures of CIDEr contain.

        It depends on the number of documents, the n-grams and their counts, but not on their order.
        """
        return f"{self.core.fingerprint():016x}"

    def __len__(self) -> int:
        return len(self.core)

    def __repr__(self) -> str:
        documents, ngrams = quantity(f"{self.documents:g}", "document"), quantity(len(self), "n-gram")
        return f"DocumentFrequency({documents}, {ngrams}, {self.fingerprint})"

    def count(self, ngram: Sequence[str]) -> int:
        """Return the number of documents that contain an n-gram.

        Args:
            ngram: Its tokens.

        Returns:
            The count; 0 for an n-gram that is not in the table.

        Raises:
            TypeError: A token that is not a string.

        Example:
            >>> import muge_fast as mf
            >>> frequency = mf.DocumentFrequency.from_references([["红裙"], ["红鞋"]])
            >>> frequency.count(["红"]), frequency.count(["鞋", "红"])
            (2, 0)

        """
        return self.core.count(list(ngram))

    def to_counts(self) -> dict[tuple[str, ...], int]:
        """Return the whole table as a dictionary.

        Returns:
            For each n-gram, a tuple of 1 to 4 tokens, its count; :meth:`from_counts` takes it.

        Example:
            >>> import muge_fast as mf
            >>> mf.DocumentFrequency.from_references([["红裙"], ["红"]]).to_counts()[("红",)]
            2

        """
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

    def save(self, path: PathLike) -> None:
        """Write the table to a file, which :meth:`load` reads.

        The file is replaced atomically: it either has the whole table or is unchanged.

        Args:
            path: A path that ends in ``.p``, ``.pkl`` or ``.pickle`` gets the pickle
                ``{"ref_len", "document_frequency"}`` of github.com/ruotianluo/cider, which does not keep the
                tokenizer. Any other path gets NumPy's ``.npz`` format, which is smaller and safe to load.

        Raises:
            OSError: The file cannot be written.

        Example:
            >>> import pathlib, tempfile
            >>> import muge_fast as mf
            >>> frequency = mf.DocumentFrequency.from_references([["红裙"], ["红鞋"]])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     frequency.save(pathlib.Path(folder) / "train.npz")
            ...     mf.DocumentFrequency.load(pathlib.Path(folder) / "train.npz").fingerprint == frequency.fingerprint
            True

        """
        path = Path(path)
        with replacing(path) as file:
            if path.suffix in PICKLE_SUFFIXES:
                self._write_pickle(file)
            else:
                self._write_arrays(file)

    def _write_pickle(self, file: IO[bytes]) -> None:
        counts = defaultdict(float, {ngram: float(count) for ngram, count in self.to_counts().items()})
        pickle.dump({"ref_len": self.documents, "document_frequency": counts}, file)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        tokens, ngrams, counts = self.core.to_ids()
        encoded = [token.encode("utf-8") for token in tokens]
        return {
            "documents": np.array(self.documents, dtype="<f8"),
            "token_lengths": np.array([len(token) for token in encoded], dtype="<u4"),
            "token_bytes": np.frombuffer(b"".join(encoded), dtype=np.uint8),
            "ngrams": ngrams.astype("<u4"),
            "counts": counts.astype("<u4"),
            "tokenizer": np.array(self.tokenizer or "").astype("<U"),
        }

    def _write_arrays(self, file: IO[bytes]) -> None:
        np.savez_compressed(file, **self._arrays())  # type: ignore[arg-type]

    def to_bytes(self) -> bytes:
        """Return the table as bytes, which :meth:`from_bytes` reads on any machine, and :meth:`load` from a file.

        Returns:
            An ``.npz`` archive.

        Example:
            >>> import muge_fast as mf
            >>> frequency = mf.DocumentFrequency.from_references([["红裙"], ["红鞋"]])
            >>> mf.DocumentFrequency.from_bytes(frequency.to_bytes()).fingerprint == frequency.fingerprint
            True

        """
        from muge_fast._internal.states import pack  # noqa: PLC0415 - few tables are saved

        return pack("DocumentFrequency", self._arrays())

    @classmethod
    def from_bytes(cls, data: bytes) -> DocumentFrequency:
        """Return the table of :meth:`to_bytes`; bytes of any origin are safe.

        Args:
            data: The bytes.

        Returns:
            The table.

        Raises:
            TypeError: ``data`` is not bytes.
            ValueError: The bytes are damaged, or are not a table.

        Example:
            >>> import muge_fast as mf
            >>> mf.DocumentFrequency.from_bytes(b"")
            Traceback (most recent call last):
            ...
            ValueError: not a state of DocumentFrequency: File is not a zip file

        """
        from muge_fast._internal.states import unpack  # noqa: PLC0415 - few tables are saved

        return unpack(data, "DocumentFrequency", cls._from_arrays)

    @classmethod
    def merge(cls, shards: Iterable[DocumentFrequency]) -> DocumentFrequency:
        """Add up the tables of several shards. The result equals counting all items at once.

        Args:
            shards: Tables of different items, counted with the same tokenizer, in any order. A table does not have the
                ids of its items, so an item that is in two shards counts twice.

        Returns:
            A table with the sum of the documents and of the counts.

        Raises:
            TypeError: Not a list of :class:`DocumentFrequency`.
            ValueError: No shards, the same object twice, different tokenizers, or an n-gram in more than 4294967295
                documents.

        Example:
            >>> import muge_fast as mf
            >>> first = mf.DocumentFrequency.from_references([["红裙"], ["红鞋"]])
            >>> second = mf.DocumentFrequency.from_references([["黑鞋"]])
            >>> merged = mf.DocumentFrequency.merge([first, second])
            >>> merged.documents, merged.count(["红"]), merged.count(["鞋"])
            (3.0, 2, 2)

        """
        if isinstance(shards, DocumentFrequency) or not isinstance(shards, Iterable):
            raise TypeError(f"shards must be a list of DocumentFrequency, got {type(shards).__name__}")
        tables = list(shards)
        if not tables:
            raise ValueError("shards is empty, needs at least one")
        for index, table in enumerate(tables):
            if not isinstance(table, DocumentFrequency):
                raise TypeError(f"shards[{index}] must be DocumentFrequency, got {type(table).__name__}")
            if table.tokenizer != tables[0].tokenizer:
                names = f"tokenizer {table.tokenizer}, shards[0] with {tables[0].tokenizer}"
                raise ValueError(f"shards[{index}] was counted with {names}")
        repeated = find_repeated([id(table) for table in tables])
        if repeated is not None:
            raise ValueError(f"shards[{repeated}] is the same object as an earlier shard: its items would count twice")
        return cls(_core.DocumentFrequency.merge([table.core for table in tables]), tables[0].tokenizer)

    @classmethod
    def load(cls, path: PathLike, *, max_bytes: int = MAX_FILE_BYTES) -> DocumentFrequency:
        """Read a table that :meth:`save` wrote, or a pickle ``{"ref_len", "document_frequency"}`` made elsewhere.

        Untrusted files are safe to load. Pickles are parsed by code of this package that knows dict, tuple, str, int,
        float and ``collections.defaultdict``, refuses everything else and calls nothing. Time and memory are bounded
        by the size of the file; an ``.npz`` archive may unpack to 20 times its size plus 16 MiB.

        Args:
            path: A regular file.
            max_bytes: Largest allowed size of the file, packed and unpacked, in bytes; 8 GiB by default.

        Returns:
            The table. Its tokenizer is known if the file is an ``.npz`` archive of a table that knew it.

        Raises:
            OSError: The file cannot be read.
            ValueError: The file is not such a table, is too large, or is a pipe or device, or ``max_bytes`` is
                negative.
            TypeError: ``max_bytes`` is not an integer.

        Example:
            >>> import muge_fast as mf
            >>> mf.DocumentFrequency.load("coco-train-words.p")  # doctest: +SKIP
            DocumentFrequency(82783 documents, 7127213 n-grams, 5f0c4d8e9a3b2c61)

        """
        max_bytes = whole_number("max_bytes", max_bytes, least=0)
        path = Path(path)
        with open_named(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > max_bytes:
                raise ValueError(f"{path}: has {size} bytes, more than max_bytes={max_bytes}")
            # No more than the size that was checked, even if the file grows meanwhile.
            data = file.read(size)
        try:
            if data.startswith(b"PK"):
                return cls._from_arrays(Archive(io.BytesIO(data), max_bytes=max_bytes))
            return cls(_core.DocumentFrequency.from_pickle(data))
        except ValueError as error:
            problem = str(error).removeprefix("pickle: ")
            raise ValueError(f"{path}: not a table of document frequencies: {problem}") from error

    @classmethod
    def _from_arrays(cls, archive: Mapping[str, NDArray[Any]]) -> DocumentFrequency:
        arrays = _arrays_of_table(archive)
        encoded, lengths = arrays["token_bytes"], arrays["token_lengths"]
        if int(lengths.sum(dtype=np.int64)) != len(encoded):
            raise ValueError(f"token_lengths add up to {lengths.sum()}, token_bytes has {len(encoded)} bytes")
        tokenizer = str(arrays["tokenizer"])
        if len(tokenizer) > MAX_SIGNATURE:
            raise ValueError(f"the signature of the tokenizer has more than {MAX_SIGNATURE} characters")
        documents = float(arrays["documents"])
        tokens = (np.ascontiguousarray(encoded), np.ascontiguousarray(lengths))
        core = _core.DocumentFrequency.from_encoded(documents, *tokens, arrays["ngrams"], arrays["counts"])
        return cls(core, tokenizer or None)


def _check_ngram(ngram: object) -> None:
    is_tuple = isinstance(ngram, tuple) and 1 <= len(ngram) <= MAX_ORDER
    if not is_tuple or not all(isinstance(token, str) for token in ngram):  # type: ignore[attr-defined]
        raise ValueError(f"counts: n-gram {ngram!r} is not a tuple of 1 to {MAX_ORDER} strings")


def _check_count(ngram: object, count: object) -> None:
    is_number = isinstance(count, (int, float, np.integer, np.floating)) and not isinstance(count, bool)
    if not is_number or not 0 <= count <= MAX_COUNT or count != int(count):  # type: ignore[operator, call-overload]
        raise ValueError(f"counts: count of {ngram!r} is {count!r}, needs a whole number from 0 to {MAX_COUNT}")


def _arrays_of_table(archive: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a saved table in the byte order of this machine.

    Raises:
        ValueError: An array is missing or damaged, or has a wrong type or number of axes.

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
