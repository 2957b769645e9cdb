"""Tokenizers of Chinese and mixed text."""

from muge_fast.text.tokenizers import TokenizerName as TokenizerName
from muge_fast.text.tokenizers import tokenize

__all__ = ["tokenize"]
