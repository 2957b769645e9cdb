"""Names of a package that are imported when they are first used, and the names that completion shows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from types import MappingProxyType

NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


def lazy_modules(
    package: str, names: Collection[str], attributes: Mapping[str, str] = NO_ATTRIBUTES
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the functions ``__getattr__`` and ``__dir__`` of a package that imports some names on first use.

    Args:
        package: Name of the package, its ``__name__``.
        names: Public names of the package, its ``__all__``. Those that the package does not define are modules, or in
            ``attributes``.
        attributes: Module of each name that is defined in a module of the package, such as one that needs torch.

    Returns:
        ``__getattr__``, which is called for names that the package does not define yet, and ``__dir__``, so that
        completion shows the public names alone.

    Example:
        >>> from muge_fast._internal.lazy_modules import lazy_modules
        >>> getattr_, dir_ = lazy_modules("muge_fast.compat", ["pycocoevalcap", "chinese_clip"])
        >>> dir_(), getattr_("chinese_clip").__name__
        (['chinese_clip', 'pycocoevalcap'], 'muge_fast.compat.chinese_clip')

    """

    def get(name: str) -> object:
        if name in attributes:
            value: object = getattr(import_module(f"{package}.{attributes[name]}"), name)
            setattr(sys.modules[package], name, value)
            return value
        if name in names:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get, lambda: sorted(names)
