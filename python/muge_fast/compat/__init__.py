"""Drop-in replacements for other packages: the same names, arguments and results under another import."""

from typing import TYPE_CHECKING

from muge_fast._internal.lazy_modules import lazy_modules

if TYPE_CHECKING:
    from muge_fast.compat import chinese_clip, pycocoevalcap

__all__ = ["chinese_clip", "pycocoevalcap"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_modules(__name__, __all__)
