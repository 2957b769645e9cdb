"""Import of optional packages when a function needs one, with an error that says how to install it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def import_optional(module: str, *, purpose: str, install: str) -> ModuleType:
    """Import a module of a package that is not installed with muge_fast.

    Args:
        module: Name of the module, such as ``"pyarrow.parquet"``.
        purpose: What needs it, for the error, such as ``"Parquet files"``.
        install: Argument of ``pip install``, such as ``"muge-fast[arrow]"``.

    Returns:
        The module.

    Raises:
        ImportError: The package is not installed.

    Example:
        >>> from muge_fast._internal.optional import import_optional
        >>> import_optional("no_such_package", purpose="Parquet files", install="no-such-package")
        Traceback (most recent call last):
        ImportError: no_such_package is required for Parquet files: pip install 'no-such-package'

    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(f"{package} is required for {purpose}: pip install '{install}'") from error


def import_pandas() -> ModuleType:
    """Import pandas, for the ``to_pandas`` methods.

    Returns:
        The module.

    Raises:
        ImportError: pandas is not installed.

    Example:
        >>> from muge_fast._internal.optional import import_pandas
        >>> import_pandas().Series([1.0]).tolist()  # doctest: +SKIP
        [1.0]

    """
    return import_optional("pandas", purpose="to_pandas()", install="pandas")
