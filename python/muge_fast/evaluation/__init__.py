"""Evaluation of submission files: check a file, score it, and report the result."""

from muge_fast.datasets.limits import Limits
from muge_fast.datasets.problem_groups import ProblemGroup
from muge_fast.datasets.problems import Problem
from muge_fast.evaluation._evaluate import check, evaluate
from muge_fast.evaluation.file_info import describe
from muge_fast.evaluation.report import Report
from muge_fast.evaluation.submission import GoldError

__all__ = ["GoldError", "Limits", "Problem", "ProblemGroup", "Report", "check", "describe", "evaluate"]
