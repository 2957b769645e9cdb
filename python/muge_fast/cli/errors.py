"""Errors of a command: one line on stderr and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn errors of the library into one line on stderr and exit code 2, because 1 means an invalid submission.

    With ``--debug`` they are raised. Ctrl-C ends with exit code 130.

    Yields:
        Nothing.

    Example:
        >>> from muge_fast.cli.errors import usage_errors
        >>> with usage_errors():
        ...     print("no error")
        no error

    """
    context = click.get_current_context(silent=True)
    if context is not None and context.find_root().params.get("debug"):
        yield
        return
    try:
        yield
    except (OSError, ValueError, TypeError, ImportError, MemoryError, RuntimeError) as error:
        click.echo(click.style("Error: ", fg="red") + (str(error) or type(error).__name__), err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        click.echo("Interrupted", err=True)
        sys.exit(130)
