"""Runs of models through the tasks of the benchmark."""

from muge_fast.models.interface import Captioner, DualEncoder, ImageGenerator, QuestionAnswerer

__all__ = ["Captioner", "DualEncoder", "ImageGenerator", "QuestionAnswerer"]
