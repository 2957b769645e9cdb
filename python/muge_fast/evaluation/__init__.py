"""From files to a verdict: check a submission, score it, report it."""

from muge_fast.evaluation._evaluate import GoldError, check, evaluate
from muge_fast.evaluation.file_info import describe
from muge_fast.evaluation.report import Report

__all__ = ["GoldError", "Report", "check", "describe", "evaluate"]
