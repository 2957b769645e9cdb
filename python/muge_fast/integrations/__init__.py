"""The metrics of this package for other frameworks. Each module imports its framework, and nothing else does."""

from typing import TYPE_CHECKING

from muge_fast._internal.lazy_modules import lazy_modules

if TYPE_CHECKING:
    from muge_fast.integrations import evaluate, lmms_eval, ray, torchmetrics, transformers

__all__ = ["evaluate", "lmms_eval", "ray", "torchmetrics", "transformers"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_modules(__name__, __all__)
