"""Replacements for other packages, with the same results."""

from typing import TYPE_CHECKING

from muge_fast._internal.lazy_modules import lazy_modules

if TYPE_CHECKING:
    from muge_fast.compat import chinese_clip, pycocoevalcap, sacrebleu

__all__ = ["chinese_clip", "pycocoevalcap", "sacrebleu"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_modules(__name__, __all__)
