from collections.abc import Callable
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "VQA_PROTOCOLS",
    "DictCost",
    "DocumentFrequency",
    "Meteor",
    "MeteorReferences",
    "MeteorTables",
    "Pcg64",
    "References",
    "RoundedSums",
    "Tokenizer",
    "TopK",
    "__version__",
    "bleu_items",
    "bleu_of_sums",
    "bleu_score",
    "cpu_level",
    "decode_base64",
    "format_feature_lines",
    "index_images",
    "mean",
    "meteor_additive",
    "meteor_corpus",
    "meteor_items",
    "normalize_answers",
    "read_features",
    "read_strict_rows",
    "retrieval_rows",
    "score_answers",
    "sign_flip_exact",
    "step_down",
    "subset_sums",
    "tokenize",
    "top_k_of",
]
VQA_PROTOCOLS: Final[list[str]]
__version__: Final[str]

@final
class Tokenizer:
    NAMES: Final[list[str]]
    def __new__(cls, name: str, user_dict: str | None = None) -> Tokenizer: ...
    @staticmethod
    def ptb(class_file: bytes) -> Tokenizer: ...
    def caption_lines(self, captions: list[str], threads: int | None) -> list[str]: ...
    @property
    def name(self) -> str: ...

@final
class DocumentFrequency:
    @staticmethod
    def from_ids(
        documents: float, tokens: list[str], ngrams: NDArray[np.uint32], counts: NDArray[np.uint32]
    ) -> DocumentFrequency: ...
    @staticmethod
    def from_encoded(
        documents: float,
        encoded: NDArray[np.uint8],
        lengths: NDArray[np.uint32],
        ngrams: NDArray[np.uint32],
        counts: NDArray[np.uint32],
    ) -> DocumentFrequency: ...
    @staticmethod
    def from_pickle(data: bytes) -> DocumentFrequency: ...
    @staticmethod
    def merge(tables: list[DocumentFrequency]) -> DocumentFrequency: ...
    @property
    def documents(self) -> float: ...
    def __len__(self) -> int: ...
    def fingerprint(self) -> int: ...
    def count(self, ngram: list[str]) -> int: ...
    def to_ids(self) -> tuple[list[str], NDArray[np.uint32], NDArray[np.uint32]]: ...

@final
class DictCost:
    def add(self, key: int) -> bool: ...
    def is_fast(self) -> bool: ...

@final
class References:
    def __new__(
        cls,
        references: list[list[str]] | list[list[list[str]]],
        tokenizer: Tokenizer | None,
        ids: list[object] | None = None,
        document_frequency: DocumentFrequency | None = None,
        threads: int | None = None,
    ) -> References: ...
    def __len__(self) -> int: ...
    def document_frequency(self, threads: int | None = None) -> DocumentFrequency: ...
    def fingerprint(self) -> int: ...
    def to_ids(self) -> tuple[list[str], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]: ...
    def score(
        self,
        predictions: list[str] | list[list[str]],
        tokenizer: Tokenizer | None,
        metrics: list[str],
        ids: list[object] | None = None,
        items: list[int] | None = None,
        *,
        sigma: float,
        orders: int,
        keep_tables: bool,
        threads: int | None = None,
    ) -> dict[str, NDArray[np.float64]]: ...

@final
class Meteor:
    def __new__(cls, head: bytes | None = None, read: Callable[[int, int], bytes] | None = None) -> Meteor: ...
    def words(self, text: str) -> list[str]: ...

@final
class MeteorReferences:
    def __new__(
        cls,
        references: list[list[str]],
        meteor: Meteor,
        ids: list[object] | None = None,
        threads: int | None = None,
    ) -> MeteorReferences: ...
    def __len__(self) -> int: ...
    def score(
        self,
        predictions: list[str],
        ids: list[object] | None = None,
        items: list[int] | None = None,
        threads: int | None = None,
    ) -> NDArray[np.float64]: ...

@final
class MeteorTables:
    def __new__(cls) -> MeteorTables: ...
    def feed(self, part: bytes) -> None: ...
    def finish(self, function_words: str, prefixes: str, synsets: str, exceptions: str) -> tuple[bytes, bytes]: ...

@final
class TopK:
    def __new__(cls, k: int, metric: str) -> TopK: ...
    @property
    def items(self) -> int: ...
    @property
    def queries(self) -> int: ...
    def update(
        self,
        queries: NDArray[Any],
        items: NDArray[Any],
        offset: int,
        exclude: NDArray[np.int64],
        exclude_lengths: NDArray[np.int64],
        threads: int | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> None: ...
    def merge(self, other: TopK) -> None: ...
    def best(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]: ...
    def state(
        self,
    ) -> tuple[int, str, int, list[int], NDArray[np.float64], NDArray[np.int64], list[tuple[int, int]]]: ...
    @staticmethod
    def from_state(
        k: int,
        metric: str,
        dims: int,
        ends: list[int],
        scores: NDArray[np.float64],
        indices: NDArray[np.int64],
        blocks: list[tuple[int, int]],
    ) -> TopK: ...

@final
class Pcg64:
    def __new__(cls, seed: list[int]) -> Pcg64: ...
    def raw(self, count: int) -> NDArray[np.uint64]: ...
    def indices(self, n: int, count: int) -> NDArray[np.uint32]: ...
    def bits(self, count: int) -> NDArray[np.bool_]: ...
    def advance(self, steps: int) -> None: ...
    def resample_sums(
        self, rows: NDArray[np.float64], resamples: int, threads: int | None = None
    ) -> NDArray[np.float64]: ...
    def rounded_sums(
        self, values: NDArray[np.float64], resamples: int, threads: int | None = None
    ) -> RoundedSums | None: ...
    def swap_sums(self, rows: NDArray[np.float64], trials: int, threads: int | None = None) -> NDArray[np.float64]: ...

@final
class RoundedSums:
    @property
    def error(self) -> float: ...
    def sums(self) -> NDArray[np.float64]: ...
    def exact(self, resamples: NDArray[np.int64]) -> NDArray[np.float64]: ...

def tokenize(
    texts: list[str] | list[list[str]], tokenizer: Tokenizer | None, threads: int | None = None
) -> list[list[str]]: ...
def bleu_score(
    rows: NDArray[np.float64], smoothing: str, smoothing_value: float | None, effective_order: bool
) -> tuple[list[float], float]: ...
def bleu_items(
    rows: NDArray[np.float64], smoothing: str, smoothing_value: float | None, effective_order: bool
) -> NDArray[np.float64]: ...
def bleu_of_sums(
    sums: NDArray[np.float64],
    smoothing: str,
    smoothing_value: float | None,
    effective_order: bool,
    precision: str,
    percent: bool = False,
) -> NDArray[np.float64]: ...
def meteor_additive(rows: NDArray[np.float64]) -> NDArray[np.float64]: ...
def meteor_corpus(rows: NDArray[np.float64]) -> float: ...
def meteor_items(rows: NDArray[np.float64]) -> NDArray[np.float64]: ...
def mean(values: NDArray[np.float64]) -> float: ...
def cpu_level() -> str: ...
def sign_flip_exact(differences: NDArray[np.int64], alternative: str, mid_p: bool = False) -> float | None: ...
def subset_sums(rows: NDArray[np.float64]) -> NDArray[np.float64]: ...
def step_down(
    scores: NDArray[np.float64],
    observed: NDArray[np.float64],
    pairs: NDArray[np.uint32],
    level: float,
    threads: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[float]]: ...
def top_k_of(
    similarity: NDArray[Any], k: int, threads: int | None = None
) -> tuple[NDArray[Any], NDArray[np.int64]]: ...
def retrieval_rows(
    predictions: NDArray[np.int64],
    prediction_lengths: NDArray[np.int64],
    references: NDArray[np.int64],
    reference_lengths: NDArray[np.int64],
    metrics: list[tuple[str, int]],
    threads: int | None = None,
) -> NDArray[np.float64]: ...
def read_features(
    path: str, threads: int | None = None
) -> tuple[NDArray[np.int64] | list[str], NDArray[np.float32], str]: ...
def format_feature_lines(
    ids: NDArray[np.int64] | list[str], features: NDArray[np.float32], field: str, threads: int | None = None
) -> list[bytes]: ...
def read_strict_rows(
    data: bytes,
    id_field: str,
    value_field: str,
    optional: list[str],
    refused: list[str],
    id_kind: str,
    value_kind: str,
    count: int | None,
    strict_lines: bool,
    line_bytes: int,
) -> tuple[dict[Any, Any], dict[Any, str], list[tuple[str, int]], int] | None: ...
def index_images(
    path: str,
    threads: int | None = None,
    most_images: int | None = None,
    most_broken: int | None = None,
    start: tuple[int, int] = ...,
) -> tuple[
    list[str], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], list[tuple[int, str]], tuple[int, int]
]: ...
def decode_base64(text: bytes) -> bytes: ...
def score_answers(
    protocol: str,
    predictions: list[str],
    references: list[list[str]],
    ids: list[Any] | None = None,
    threads: int | None = None,
) -> NDArray[np.float64]: ...
def normalize_answers(protocol: str, texts: list[str]) -> list[str]: ...
