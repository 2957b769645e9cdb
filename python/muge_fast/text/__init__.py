"""Tokenizers."""

from muge_fast.text.tokenizers import tokenize

__all__ = ["tokenize"]
