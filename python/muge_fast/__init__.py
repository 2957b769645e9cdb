"""Metrics of the MUGE benchmark: the numbers of the reference implementations, hundreds of times faster."""

from muge_fast import tasks
from muge_fast._core import __version__
from muge_fast.caption import Captions, DocumentFrequency, score_captions
from muge_fast.datasets import read_captions, read_queries
from muge_fast.datasets.limits import Limits
from muge_fast.evaluation import GoldError, Report, check, evaluate
from muge_fast.features import read_features, write_features
from muge_fast.retrieval import Ranking, TopK, cpu_level, score_retrieval, top_k, top_k_of, transpose_references
from muge_fast.scores import Score, Scores
from muge_fast.text import tokenize

__all__ = [
    "Captions",
    "DocumentFrequency",
    "GoldError",
    "Limits",
    "Ranking",
    "Report",
    "Score",
    "Scores",
    "TopK",
    "__version__",
    "check",
    "cpu_level",
    "evaluate",
    "read_captions",
    "read_features",
    "read_queries",
    "score_captions",
    "score_retrieval",
    "tasks",
    "tokenize",
    "top_k",
    "top_k_of",
    "transpose_references",
    "write_features",
]
