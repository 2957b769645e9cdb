"""Metrics of the MUGE benchmark: the numbers of the reference implementations, hundreds of times faster."""

from muge_fast import tasks
from muge_fast._core import __version__
from muge_fast.caption import Captions, score_captions
from muge_fast.embeddings import TopK, top_k
from muge_fast.evaluate import GoldError, check, evaluate
from muge_fast.features import read_features, write_features
from muge_fast.files import read_captions, read_queries
from muge_fast.frequency import DocumentFrequency
from muge_fast.ranking import Ranking, cpu_level
from muge_fast.report import Report
from muge_fast.retrieval import score_retrieval, transpose_references
from muge_fast.score import Score, Scores
from muge_fast.similarity import top_k_of
from muge_fast.text import tokenize
from muge_fast.validation import Limits

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
