"""Input files of a command: regular files, and standard input and pipes, which are copied first."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
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
    NamedFileType = click.ParamType["NamedFile"]
else:
    PathType = NamedFileType = click.ParamType

STDIN = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
"""Names of standard input."""

NO_NAME = "the name is empty, expected the name of a file"

IS_FOLDER = "a folder, expected a file"
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


def file_error(name: str, reason: str, param: click.Parameter | None, ctx: click.Context | None) -> FileArgumentError:
    """Return the error for the file that a parameter names.

    Args:
        name: The argument.
        reason: The problem: a text that has a translation, or words of the operating system.
        param: The parameter.
        ctx: Context of the command.

    Returns:
        The error, whose message begins with the name of the option.

    Example:
        >>> from muge_fast.cli.input_files import file_error
        >>> file_error("pred.jsonl", "no such file", None, None).message
        'pred.jsonl: no such file'

    """
    option = "" if param is None else f"{option_name(param)} "
    shown = format_id(name, PATH_LENGTH) if name else "''"
    text = translate(reason, ctx)
    return FileArgumentError(f"{option}{shown}: {in_chinese(text) if language(ctx) == 'zh' else text}", ctx)


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
            raise file_error("", NO_NAME, param, ctx)
        return super().convert(value, param, ctx)


class InputFile(PathType):
    """Type of a parameter: an existing file, ``-`` for standard input, or a pipe.

    Commands get a regular file: :func:`copy_streams` copies streams, because readers go through a file more than once.

    Args:
        words: Words that are allowed in place of a path, such as ``"download"``.
        may_be_folder: Whether the path of a folder is accepted too.

    """

    name = "path"

    def __init__(self, *words: str, may_be_folder: bool = False) -> None:
        self.words, self.may_be_folder = words, may_be_folder

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
        if name not in STDIN and (reason := _reason(name)) and not (self.may_be_folder and reason == IS_FOLDER):
            raise file_error(name, reason, param, ctx)
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


@dataclass(frozen=True)
class NamedFile:
    """A submission and the name of the system that made it.

    Attributes:
        path: The file.
        name: The name that was given; None if it comes from the name of the file.

    """

    path: Path
    name: str | None = None


class NamedInputFile(NamedFileType):
    """Type of a parameter: ``FILE`` or ``NAME=FILE``, where the file is one that :class:`InputFile` takes.

    Args:
        may_be_folder: Whether the path of a folder is accepted too.

    """

    name = "path"

    def __init__(self, *, may_be_folder: bool = False) -> None:
        self.file = InputFile(may_be_folder=may_be_folder)

    def convert(self, value: str | NamedFile, param: click.Parameter | None, ctx: click.Context | None) -> NamedFile:
        """Check that the file can be opened, and find the name.

        Args:
            value: The argument. What stands before its first ``=`` is a name if it has no slash, unless there is a file
                whose name is the whole argument.
            param: The parameter.
            ctx: Context of the command.

        Returns:
            The file with its name.

        Raises:
            click.BadParameter: The name is empty.
            FileArgumentError: There is no such file, or it is a folder or a device.

        """
        if isinstance(value, NamedFile):
            return value
        name, equals, path = value.partition("=")
        if not equals or "/" in name or os.sep in name or os.path.exists(value):  # noqa: PTH110 - may have a null
            return NamedFile(Path(self.file.convert(value, param, ctx)))
        if not name.strip():
            message = translate("the name in {value} is empty, expected NAME=FILE", ctx)
            raise click.BadParameter(message.format(value=format_id(value, PATH_LENGTH)), ctx=ctx, param=param)
        return NamedFile(Path(self.file.convert(path, param, ctx)), name)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete names of files.

        Args:
            ctx: Context of the command.
            param: The parameter.
            incomplete: The beginning of the argument.

        Returns:
            The completions.

        """
        return InputFile().shell_complete(ctx, param, incomplete)


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
        return IS_FOLDER
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
    given = {
        parameter: context.params[parameter.name or ""]
        for parameter in context.command.params
        if isinstance(parameter.type, (InputFile, NamedInputFile)) and parameter.name in context.params
    }
    from_stdin = [parameter for parameter, value in given.items() for path in paths_of(value) if str(path) in STDIN]
    if len(from_stdin) > 1:
        names = translate(" and ", context).join(option_name(parameter) for parameter in from_stdin)
        message = translate("standard input can be read only once, not for {names}", context)
        raise click.UsageError(message.format(names=names), context)
    for parameter, value in given.items():
        key = parameter.name or ""
        limit = _limit(context, key)
        if isinstance(value, tuple):
            context.params[key] = tuple(_without_stream(context, item, limit) for item in value)
        else:
            context.params[key] = _without_stream(context, value, limit)


def paths_of(value: object) -> list[Path]:
    """Return the paths of a parameter.

    Args:
        value: Its value: a path, an argument that has one, a tuple of them, or anything else.

    Returns:
        The paths.

    Example:
        >>> from pathlib import Path
        >>> from muge_fast.cli.input_files import paths_of
        >>> paths_of(Path("pred.jsonl")), paths_of("download"), paths_of(None)
        ([PosixPath('pred.jsonl')], [], [])

    """
    if isinstance(value, tuple):
        return [path for item in value for path in paths_of(item)]
    path = value.path if isinstance(value, NamedFile) else value
    return [path] if isinstance(path, Path) else []


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
    is_lines = key in ("submission", "submissions") and name is not None and tasks.get(name).file_type == "lines"
    return RowReader.FILE_BYTES if is_lines else ImageReader.FILE_BYTES


def _without_stream(context: click.Context, value: object, limit: int) -> object:
    """Return an argument with a copy in place of standard input or a pipe."""
    if isinstance(value, NamedFile):
        path = _without_stream(context, value.path, limit)
        return NamedFile(path, value.name) if isinstance(path, Path) else value
    if isinstance(value, Path) and (str(value) in STDIN or stat.S_ISFIFO(value.stat().st_mode)):
        return context.with_resource(_copied(context, value, limit))
    return value


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
