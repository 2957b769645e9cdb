"""Visual question answering: scores of answers to questions about images."""

from muge_fast.vqa.choices import score_choices
from muge_fast.vqa.official_files import read_annotations, read_results
from muge_fast.vqa.scoring import PROTOCOLS, normalize_answers, score_answers

__all__ = ["PROTOCOLS", "normalize_answers", "read_annotations", "read_results", "score_answers", "score_choices"]
