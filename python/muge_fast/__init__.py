"""Metrics of the MUGE benchmark: the numbers of the reference implementations, hundreds of times faster."""

from muge_fast._core import __version__

__all__ = ["__version__"]
