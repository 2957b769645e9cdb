"""Output files of a command, which are checked before any work is done."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from muge_fast._internal.paths import replaced_input
from muge_fast.cli.argument_names import option_name
from muge_fast.cli.input_files import NO_NAME, FileArgumentError, InputFile, NamedInputFile, file_error, paths_of
from muge_fast.cli.language import translate

if TYPE_CHECKING:
    # click.ParamType is generic from click 8.4 on, but not when the oldest click runs.
    PathType = click.ParamType[Path]
else:
    PathType = click.ParamType


class OutputFile(PathType):
    """Type of a parameter: a file that can be written."""

    name = "path"

    def convert(self, value: Path | str, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Check that the file can be written.

        Args:
            value: The argument.
            param: The parameter.
            ctx: Context of the command.

        Returns:
            The path.

        Raises:
            FileArgumentError: The file cannot be written.

        """
        path = Path(value)
        if not os.fspath(value):
            raise file_error("", NO_NAME, param, ctx)
        try:
            check_writable("" if param is None else option_name(param), path)
        except ValueError as error:
            raise FileArgumentError(str(error), ctx) from None
        return path


def check_writable(option: str, path: Path | None) -> None:
    """Raise if a file cannot be written, before the work whose result it is for.

    Args:
        option: Name of the option, for the error.
        path: The file; None if the option is not used.

    Raises:
        ValueError: The folder does not exist or is not writable, or the path is a folder.

    """
    if path is None:
        return
    if str(path) == "-":
        raise ValueError(f"{option} -: " + translate("expected the name of a file"))
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise ValueError(f"{option}: " + translate("the folder {path} does not exist").format(path=folder))
    if path.is_dir():
        raise ValueError(f"{option}: " + translate("{path} is a folder, expected a file").format(path=path))
    if not path.exists() and not os.access(folder, os.W_OK):
        raise ValueError(f"{option}: " + translate("the folder {path} is not writable").format(path=folder))


def refuse_input(option: str, path: Path, inputs: Mapping[str, Path]) -> None:
    """Raise if an output is the file of an input, also under another name or over links.

    Args:
        option: Name of the option of the output.
        path: The output.
        inputs: Input files by the names of their options.

    Raises:
        ValueError: The message names both options.

    """
    if (other := replaced_input(path, inputs)) is not None:
        message = translate("{name} {path} is the file of {other}, which would be replaced")
        raise ValueError(message.format(name=option, path=path, other=other))


def check_outputs(context: click.Context) -> None:
    """Raise if a command would write to one of its inputs, or twice to the same file.

    Args:
        context: Context of the command.

    Raises:
        ValueError: The message names the options.

    """
    given = [
        (option_name(parameter), parameter.type, context.params.get(parameter.name or ""))
        for parameter in context.command.params
    ]
    inputs = [
        (name, path)
        for name, kind, value in given
        if isinstance(kind, InputFile | NamedInputFile | click.Path)
        for path in paths_of(value)
    ]
    seen: dict[str, str] = {}
    for name, kind, path in given:
        if not isinstance(kind, OutputFile) or not isinstance(path, Path):
            continue
        for other, read in inputs:
            refuse_input(name, path, {other: read})
        first = seen.setdefault(os.path.realpath(path), name)
        if first != name:
            message = translate("{first} and {second} are the same file {path}")
            raise ValueError(message.format(first=first, second=name, path=path))
