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

__all__ = ["GoldError", "Limits", "Problem", "ProblemGroup", "Report", "check", "describe", "evaluate"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_modules(__name__, __all__, {"describe": "file_info"})
