"""Metrics of the MUGE benchmark, with the numbers of the reference implementations.

The functions and classes listed here cover captions, retrieval, files of features and evaluation. Image metrics are in
:mod:`muge_fast.image`, datasets in :mod:`muge_fast.datasets`, drop-in replacements for other packages in
:mod:`muge_fast.compat`, metrics for other frameworks in :mod:`muge_fast.integrations`, runs of models in
:mod:`muge_fast.models`. Sub-packages are imported when they are first used, so ``import muge_fast`` is enough.
"""

# First, because it answers Ctrl-C while the other modules are imported.
from muge_fast._internal import interrupted_start  # noqa: F401

# isort: split
from typing import TYPE_CHECKING

from muge_fast._core import __version__
from muge_fast._internal.lazy_modules import lazy_modules
from muge_fast.caption import Captions, DocumentFrequency, score_captions
from muge_fast.datasets import read_captions, read_queries, write_captions, write_queries
from muge_fast.datasets.limits import Limits
from muge_fast.evaluation import GoldError, Report, check, evaluate
from muge_fast.features import read_features, write_features
from muge_fast.retrieval import Ranking, TopK, cpu_level, score_retrieval, top_k, top_k_of, transpose_references
from muge_fast.scores import Score, Scores
from muge_fast.text import tokenize

if TYPE_CHECKING:
    from muge_fast import (
        caption,
        comparison,
        compat,
        datasets,
        evaluation,
        features,
        image,
        integrations,
        models,
        retrieval,
        scores,
        tasks,
        text,
        vqa,
    )
    from muge_fast.caption import CaptionAccumulator
    from muge_fast.comparison import Comparison, compare
    from muge_fast.significance.adjust import adjust
    from muge_fast.significance.intervals import Interval, bootstrap_interval
    from muge_fast.significance.sign_flips import SignFlipTest, sign_flip_test

__all__ = [
    "CaptionAccumulator",
    "Captions",
    "Comparison",
    "DocumentFrequency",
    "GoldError",
    "Interval",
    "Limits",
    "Ranking",
    "Report",
    "Score",
    "Scores",
    "SignFlipTest",
    "TopK",
    "__version__",
    "adjust",
    "bootstrap_interval",
    "caption",
    "check",
    "compare",
    "comparison",
    "compat",
    "cpu_level",
    "datasets",
    "evaluate",
    "evaluation",
    "features",
    "image",
    "integrations",
    "models",
    "read_captions",
    "read_features",
    "read_queries",
    "retrieval",
    "score_captions",
    "score_retrieval",
    "scores",
    "sign_flip_test",
    "tasks",
    "text",
    "tokenize",
    "top_k",
    "top_k_of",
    "transpose_references",
    "vqa",
    "write_captions",
    "write_features",
    "write_queries",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_modules(
        __name__,
        __all__,
        {
            "CaptionAccumulator": "caption.accumulator",
            "Comparison": "comparison",
            "Interval": "significance.intervals",
            "SignFlipTest": "significance.sign_flips",
            "adjust": "significance.adjust",
            "bootstrap_interval": "significance.intervals",
            "compare": "comparison",
            "sign_flip_test": "significance.sign_flips",
        },
    )
