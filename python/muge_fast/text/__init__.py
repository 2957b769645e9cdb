"""Tokenizers of Chinese and mixed text."""

from muge_fast.text.tokenizers import TOKENIZERS, tokenize

__all__ = ["TOKENIZERS", "tokenize"]
