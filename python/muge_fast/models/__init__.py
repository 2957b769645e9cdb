"""Runs of models through the tasks of the benchmark.

Importing this package does not import torch.
"""

from muge_fast.models._run import Run, run
from muge_fast.models.interface import Captioner, DualEncoder, ImageGenerator, QuestionAnswerer
from muge_fast.models.manifest import read_manifest
from muge_fast.models.options import ModelOptions
from muge_fast.models.task_runs.task_run import Missing

__all__ = [
    "Captioner",
    "DualEncoder",
    "ImageGenerator",
    "Missing",
    "ModelOptions",
    "QuestionAnswerer",
    "Run",
    "read_manifest",
    "run",
]
