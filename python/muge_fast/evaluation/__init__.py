"""Evaluation of submission files: check a file, score it, and report the result."""

from typing import TYPE_CHECKING

from muge_fast._internal.lazy_modules import lazy_modules
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.problem_groups import ProblemGroup
from muge_fast.datasets.problems import Problem
from muge_fast.evaluation._evaluate import check, evaluate
from muge_fast.evaluation.report import Report
from muge_fast.evaluation.submission import GoldError

if TYPE_CHECKING:
    from muge_fast.evaluation.file_info import describe
    from muge_fast.evaluation.prepared import PreparedEvaluation, prepare

__all__ = [
    "GoldError",
    "Limits",
    "PreparedEvaluation",
    "Problem",
    "ProblemGroup",
    "Report",
    "check",
    "describe",
    "evaluate",
    "prepare",
]

_LAZY = {"describe": "file_info", "PreparedEvaluation": "prepared", "prepare": "prepared"}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_modules(__name__, __all__, _LAZY)
