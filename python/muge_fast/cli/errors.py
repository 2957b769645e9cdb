"""How a command fails: one line and exit code 2, or a traceback for who asks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn errors of the library into one line on stderr and exit code 2; ``--debug`` lets them through.

    Example:
        >>> from muge_fast.cli.errors import usage_errors
        >>> with usage_errors():
        ...     print("all is well")
        all is well

    """
    context = click.get_current_context(silent=True)
    if context is not None and context.find_root().params.get("debug"):
        yield
        return
    try:
        yield
    except (OSError, ValueError, TypeError, ImportError) as error:
        click.echo(click.style("Error: ", fg="red") + str(error), err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        click.echo("Interrupted", err=True)
        sys.exit(130)
