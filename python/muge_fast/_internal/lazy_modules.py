"""Modules of a package that are imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module
from types import ModuleType


def lazy_modules(package: str, names: Collection[str]) -> tuple[Callable[[str], ModuleType], Callable[[], list[str]]]:
    """Return the functions ``__getattr__`` and ``__dir__`` of a package that imports its modules on first use.

    Args:
        package: Name of the package, its ``__name__``.
        names: Public names of the package, its ``__all__``. Those that the package does not define are modules.

    Returns:
        ``__getattr__``, which is called for names that the package does not define yet, and ``__dir__``.

    Example:
        >>> from muge_fast._internal.lazy_modules import lazy_modules
        >>> getattr_, dir_ = lazy_modules("muge_fast.compat", ["pycocoevalcap", "chinese_clip"])
        >>> dir_(), getattr_("chinese_clip").__name__
        (['chinese_clip', 'pycocoevalcap'], 'muge_fast.compat.chinese_clip')

    """

    def get_module(name: str) -> ModuleType:
        if name in names:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get_module, lambda: sorted(names)
