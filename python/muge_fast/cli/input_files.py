"""Input files of a command: regular files, and standard input and pipes, which are copied first."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from muge_fast import tasks
from muge_fast._internal.atomic import temporary_path
from muge_fast._internal.display import format_id
from muge_fast.cli.argument_names import option_name
from muge_fast.cli.error_language import in_chinese
from muge_fast.cli.language import language, translate
from muge_fast.datasets.image_reader import ImageReader
from muge_fast.datasets.row_reader import RowReader

if TYPE_CHECKING:
    # click.ParamType is generic from click 8.4 on, but not when the oldest click runs.
    PathType = click.ParamType["Path | str"]
else:
    PathType = click.ParamType

STDIN = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
"""Names of standard input."""

NO_NAME = "the name is empty, expected the name of a file"

# Characters of a path that are shown.
PATH_LENGTH = 4096
# Bytes that are copied at once.
BLOCK = 1 << 20
# Key of the names of copies among the data of a context.
COPIES = "muge_fast.copies"


class FileArgumentError(click.ClickException):
    """Raised for a file that cannot be read or written; the usage of the command is not printed.

    Attributes:
        ctx: Context of the command.

    """

    exit_code = 2

    def __init__(self, message: str, ctx: click.Context | None = None) -> None:
        super().__init__(message)
        self.ctx = ctx


class NamedPath(click.Path):
    """Type of a parameter: a path with a name; an empty one would be the current folder."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Check that the name is not empty.

        Args:
            value: The argument.
            param: The parameter.
            ctx: Context of the command.

        Returns:
            The path.

        Raises:
            FileArgumentError: The name is empty.

        """
        if not os.fspath(value):
            option = "" if param is None else f"{option_name(param)} "
            raise FileArgumentError(f"{option}'': {translate(NO_NAME, ctx)}", ctx)
        return super().convert(value, param, ctx)


class InputFile(PathType):
    """Type of a parameter: an existing file, ``-`` for standard input, or a pipe.

    Commands get a regular file: :func:`copy_streams` copies streams, because readers go through a file more than once.

    Args:
        words: Words that are allowed in place of a path, such as ``"download"``.

    """

    name = "path"

    def __init__(self, *words: str) -> None:
        self.words = words

    def convert(self, value: Path | str, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        """Check that the file can be opened, before any work is done.

        Args:
            value: The argument.
            param: The parameter.
            ctx: Context of the command.

        Returns:
            The path, or one of the words.

        Raises:
            FileArgumentError: There is no such file, or it is a folder or a device.

        """
        name = os.fspath(value)
        if name in self.words:
            return name
        if name not in STDIN and (reason := _reason(name)):
            option = "" if param is None else f"{option_name(param)} "
            shown = format_id(name, PATH_LENGTH) if name else "''"
            text = translate(reason, ctx)
            # Others are words of the operating system.
            text = in_chinese(text) if language(ctx) == "zh" else text
            raise FileArgumentError(f"{option}{shown}: {text}", ctx)
        return Path(name)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete names of files, and the words.

        Args:
            ctx: Context of the command.
            param: The parameter.
            incomplete: The beginning of the argument.

        Returns:
            The completions.

        """
        del ctx, param
        words = [CompletionItem(word) for word in self.words if incomplete and word.startswith(incomplete)]
        return words or [CompletionItem(incomplete, type="file")]


def _reason(name: str) -> str:
    """Return why a path cannot be read; an empty string if it can."""
    if not name:
        return NO_NAME
    try:
        mode = Path(name).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "no such file"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    if stat.S_ISDIR(mode):
        return "a folder, expected a file"
    if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
        return "neither a file nor a pipe"
    return "" if os.access(name, os.R_OK) else "no permission to read it"


def copy_streams(context: click.Context) -> None:
    """Replace parameters that are standard input or a pipe by copies, which exist until the command ends.

    A stream that ends in the middle cannot be distinguished from a complete one, as for all commands that read pipes.

    Args:
        context: Context of the command.

    Raises:
        click.UsageError: Two parameters are standard input.
        OSError: A stream cannot be read, or the copy cannot be written.

    """
    streams = [
        parameter
        for parameter in context.command.params
        if isinstance(parameter.type, InputFile) and _is_stream(context.params.get(parameter.name or ""))
    ]
    from_stdin = [parameter for parameter in streams if str(context.params[parameter.name or ""]) in STDIN]
    if len(from_stdin) > 1:
        names = translate(" and ", context).join(option_name(parameter) for parameter in from_stdin)
        message = translate("standard input can be read only once, not for {names}", context)
        raise click.UsageError(message.format(names=names), context)
    for parameter in streams:
        key = parameter.name or ""
        context.params[key] = context.with_resource(_copied(context, context.params[key], _limit(context, key)))


def original_names(context: click.Context) -> dict[str, str]:
    """Return the names of the streams that were copied, by the paths of the copies.

    Args:
        context: Context of the command.

    Returns:
        Names for messages.

    Example:
        >>> import click
        >>> from muge_fast.cli.input_files import original_names
        >>> original_names(click.Context(click.Command("f")))
        {}

    """
    names: dict[str, str] = context.meta.get(COPIES, {})
    return names


def _limit(context: click.Context, key: str) -> int:
    """Return the maximum number of bytes of a stream; a submission has the limit of its reader."""
    name = context.params.get("task")
    is_lines = key == "submission" and name is not None and tasks.get(name).file_type == "lines"
    return RowReader.FILE_BYTES if is_lines else ImageReader.FILE_BYTES


def _is_stream(value: object) -> bool:
    """Return whether an argument is standard input or a pipe."""
    return isinstance(value, Path) and (str(value) in STDIN or stat.S_ISFIFO(value.stat().st_mode))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder for temporary files, and remove it in the end.

    Other than with :mod:`tempfile`, a signal at any moment cannot leave it behind.

    Yields:
        The folder, which only this user can enter.

    Example:
        >>> from muge_fast.cli.input_files import temporary_folder
        >>> with temporary_folder() as folder:
        ...     folder.is_dir()
        True

    """
    with temporary_path(Path(tempfile.gettempdir()) / f"muge_fast.{os.urandom(8).hex()}") as folder:
        folder.mkdir(mode=0o700)
        yield folder


@contextmanager
def _copied(context: click.Context, path: Path, limit: int) -> Iterator[Path]:
    is_stdin = str(path) in STDIN
    with temporary_folder() as folder:
        copy = folder / ("stdin" if is_stdin else path.name)
        with ExitStack() as stack, copy.open("wb") as file:
            # Standard input stays open.
            _copy(_stdin() if is_stdin else stack.enter_context(path.open("rb")), file, limit)
        context.meta.setdefault(COPIES, {})[str(copy)] = "<stdin>" if is_stdin else str(path)
        yield copy


def _stdin() -> IO[bytes]:
    # A shell closes it for <&-.
    if sys.stdin is None:
        raise OSError(translate("standard input is closed"))
    return sys.stdin.buffer


def _copy(stream: IO[bytes], file: IO[bytes], limit: int) -> None:
    # One byte more than allowed, so that the reader finds the file too large.
    left = limit + 1
    while left and (block := stream.read(min(BLOCK, left))):
        left -= file.write(block)
