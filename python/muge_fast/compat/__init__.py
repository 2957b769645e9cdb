"""Drop-in replacements for other packages: the same names, arguments and results under another import."""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from muge_fast.compat import chinese_clip, pycocoevalcap

__all__ = ["chinese_clip", "pycocoevalcap"]


def __getattr__(name: str) -> ModuleType:
    """Import a module when it is first used."""
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
