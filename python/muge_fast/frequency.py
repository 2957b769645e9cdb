"""In how many items each n-gram occurs: what CIDEr weighs n-grams by."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np

from muge_fast import _core
from muge_fast.text import Tokenizer, TokenizerLike

MAX_ORDER = 4
MAX_COUNT = 2**32 - 1
PICKLES = (".p", ".pkl", ".pickle")


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
        ids, rows = (
            (list(references), list(references.values()))
            if isinstance(references, Mapping)
            else (None, list(references))
        )
        prepared = _core.References(chosen.nested_texts(rows, "references", ids), chosen.core, ids, threads=threads)  # type: ignore[arg-type]
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
                isinstance(count, (int, float))
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

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table to a file; the file appears whole or not at all.

        A path that ends in ``.p``, ``.pkl`` or ``.pickle`` gets the pickle ``{"ref_len", "document_frequency"}`` that
        code for self-critical training shares; any other path gets NumPy's ``.npz`` format, which is smaller and safe
        to load anywhere.
        """
        path = Path(path)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                if path.suffix in PICKLES:
                    self._write_pickle(file)
                else:
                    self._write_arrays(file)
                file.close()
                Path(file.name).replace(path)
            except BaseException:
                file.close()
                Path(file.name).unlink(missing_ok=True)
                raise

    def _write_pickle(self, file: IO[bytes]) -> None:
        counts = defaultdict(float, {ngram: float(count) for ngram, count in self.to_counts().items()})
        pickle.dump({"ref_len": self.documents, "document_frequency": counts}, file)

    def _write_arrays(self, file: IO[bytes]) -> None:
        tokens, ngrams, counts = self.core.to_ids()
        encoded = [token.encode("utf-8") for token in tokens]
        np.savez_compressed(
            file,
            documents=np.float64(self.documents),
            token_lengths=np.array([len(token) for token in encoded], dtype=np.uint32),
            token_bytes=np.frombuffer(b"".join(encoded), dtype=np.uint8),
            ngrams=ngrams,
            counts=counts,
            tokenizer=np.array(self.tokenizer or "", dtype=np.str_),
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> DocumentFrequency:
        """Read a table written by :meth:`save`, or a pickle ``{"ref_len", "document_frequency"}`` of other code.

        Pickles are read by an unpickler that makes nothing but dict, tuple, str, int, float and
        ``collections.defaultdict``; anything else in the file is refused.

        Raises:
            OSError: The file cannot be read.
            ValueError: The file is not such a table.

        """
        path = Path(path)
        with path.open("rb") as file:
            is_arrays = file.read(2) == b"PK"
        try:
            return cls._read_arrays(path) if is_arrays else cls._read_pickle(path)
        except (
            ValueError,
            KeyError,
            TypeError,
            IndexError,
            EOFError,
            pickle.UnpicklingError,
            MemoryError,
            OverflowError,
        ) as error:
            raise ValueError(f"{path}: not a table of document frequencies: {error}") from error

    @classmethod
    def _read_arrays(cls, path: Path) -> DocumentFrequency:
        with np.load(path, allow_pickle=False) as arrays:
            data = arrays["token_bytes"].astype(np.uint8, casting="equiv").tobytes()
            ends = np.cumsum(arrays["token_lengths"], dtype=np.int64)
            starts = np.concatenate([[0], ends[:-1]])
            tokens = [data[start:end].decode("utf-8") for start, end in zip(starts, ends, strict=True)]
            core = _core.DocumentFrequency.from_ids(
                float(arrays["documents"]), tokens, arrays["ngrams"], arrays["counts"]
            )
            return cls(core, str(arrays["tokenizer"]) or None)

    @classmethod
    def _read_pickle(cls, path: Path) -> DocumentFrequency:
        try:
            loaded = _unpickle(path, "utf-8")
        except UnicodeDecodeError:
            # Byte strings of Python 2 that are not UTF-8; the original code reads all of them as Latin-1.
            loaded = _unpickle(path, "latin1")
        if not isinstance(loaded, dict) or not {"ref_len", "document_frequency"} <= loaded.keys():
            raise ValueError("the pickle is not a dict with ref_len and document_frequency")
        documents, counts = loaded["ref_len"], loaded["document_frequency"]
        if isinstance(documents, bool) or not isinstance(documents, (int, float)) or not isinstance(counts, dict):
            raise ValueError("ref_len is not a number or document_frequency not a dict")
        return cls.from_counts(documents, counts)


def _unpickle(path: Path, encoding: str) -> object:
    with path.open("rb") as file:
        return _Unpickler(file, encoding=encoding).load()


class _Unpickler(pickle.Unpickler):
    """Makes plain containers and numbers, and calls nothing that the file names."""

    ALLOWED: Mapping[tuple[str, str], type] = {
        ("collections", "defaultdict"): defaultdict,
        ("builtins", "float"): float,
        ("builtins", "int"): int,
        ("__builtin__", "float"): float,
        ("__builtin__", "int"): int,
    }

    def find_class(self, module: str, name: str) -> type:
        try:
            return self.ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"refused to load {module}.{name}") from None

    def persistent_load(self, pid: object) -> object:
        raise pickle.UnpicklingError(f"refused to load persistent object {pid!r}")
