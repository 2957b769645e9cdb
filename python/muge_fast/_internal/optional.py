"""Packages that only some functions need: imported when these are called, with an error that says how to get them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any


def import_optional(module: str, *, purpose: str, install: str) -> ModuleType:
    """Import a package that is not installed with muge_fast.

    Args:
        module: Its name.
        purpose: What needs it, to begin the error with, such as ``"Parquet files"``.
        install: What to give to ``pip install``, such as ``"muge-fast[arrow]"``.

    Raises:
        ImportError: It is not installed; the message says what to install.

    Example:
        >>> from muge_fast._internal.optional import import_optional
        >>> import_optional("no_such_package", purpose="Everything", install="no-such-package")
        Traceback (most recent call last):
        ImportError: Everything needs no_such_package: pip install 'no-such-package'

    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"{purpose} needs {module.partition('.')[0]}: pip install '{install}'") from error


def import_pandas() -> Any:  # noqa: ANN401 - pandas need not be installed where types are checked
    """Import pandas.

    Raises:
        ImportError: It is not installed.

    Example:
        >>> from muge_fast._internal.optional import import_pandas
        >>> import_pandas().Series([1.0]).tolist()  # doctest: +SKIP
        [1.0]

    """
    return import_optional("pandas", purpose="to_pandas()", install="pandas")
