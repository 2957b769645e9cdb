"""Errors of a command: one line on stderr and an exit code."""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from typing import TextIO

import click

from muge_fast._internal.display import printable
from muge_fast.cli.argument_names import name_options, option_name, options_of
from muge_fast.cli.error_language import in_chinese
from muge_fast.cli.input_files import FileArgumentError, original_names
from muge_fast.cli.language import language, listed, translate
from muge_fast.cli.signals import Terminated, find_signal
from muge_fast.evaluation.submission import GoldError

WRONG_USAGE, INTERRUPTED, CLOSED_PIPE = 2, 130, 141
"""Exit codes. The last two are those of a program that a signal ends: 128 and the number of SIGINT or SIGPIPE."""


class Ended(SystemExit):
    """The end of a command with its result as exit code; any other ``SystemExit`` is an error of what was called."""


# Errors of the library, whose messages are sentences.
EXPECTED = (OSError, ValueError, TypeError, ImportError, MemoryError, RuntimeError)

# The least similarity of a suggested option, from 0 to 1: --sumbission is as similar as that, --ks and --json are not.
MIN_SIMILARITY = 0.75

# Key of --debug among the data of a context.
DEBUG = "muge_fast.debug"


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn every error into one line on stderr and exit code 2, because 1 means an invalid submission.

    With ``--debug`` it is the traceback. Ctrl-C ends with exit code 130, a closed pipe with 141. What a plug-in task
    raises is an error, too, whatever it is.

    Yields:
        Nothing.

    Example:
        >>> from muge_fast.cli.errors import usage_errors
        >>> with usage_errors():
        ...     print("no error")
        no error

    """
    context = click.get_current_context(silent=True)
    try:
        yield
    except (BrokenPipeError, click.UsageError, FileArgumentError, Ended, Terminated, GeneratorExit):
        raise
    except KeyboardInterrupt:
        print_interrupted(context)
        sys.exit(INTERRUPTED)
    except BaseException as error:  # noqa: BLE001 - there is an exit code for every error, also for a panic of PyO3
        if (found := find_signal(error)) is not None:
            raise found from None
        if context is not None and context.meta.get(DEBUG):
            print_traceback(error)
        else:
            print_error(describe(error, context), context)
        sys.exit(WRONG_USAGE)


def describe(error: BaseException, context: click.Context | None) -> str:
    """Return the message of an error of the library as a command shows it.

    Args:
        error: The error.
        context: Context of the command; None outside of commands.

    Returns:
        One line that speaks of options and of files as they were given. An error of the system is in words, such as
        ``"pred.jsonl: no such file"``.

    Example:
        >>> from muge_fast.cli.errors import describe
        >>> describe(FileNotFoundError(2, "No such file or directory", "pred.jsonl"), None)
        'pred.jsonl: no such file'

    """
    message = str(error)
    if not message or not isinstance(error, EXPECTED):
        # The messages of other errors are often a single word.
        message = ": ".join(filter(None, (type(error).__name__, message)))
    if isinstance(error, GoldError) and language(context) == "zh":
        # Images are decoded by functions that know no language.
        message = GoldError(error.path, list(map(in_chinese, error.errors))).message(lang="zh")
    if isinstance(error, OSError) and error.strerror:
        reason = translate("no such file" if isinstance(error, FileNotFoundError) else error.strerror, context)
        message = reason if error.filename is None else f"{os.fsdecode(error.filename)}: {reason}"
    if context is None:
        return message
    for copy, name in original_names(context).items():
        message = message.replace(copy, name)
    # Some packages raise messages of many lines.
    message = " ".join(filter(None, map(str.strip, message.split("\n"))))
    message = name_options(message, options_of(context))
    return in_chinese(message) if language(context) == "zh" else message


def print_error(message: str, context: click.Context | None = None) -> None:
    """Print a message on stderr after the word "Error".

    Args:
        message: The message.
        context: Context of the command; None for the current one.

    """
    _print(click.style(translate("Error: ", context), fg="red") + printable(message))


def print_traceback(error: BaseException) -> None:
    """Print the traceback of an error on stderr, without characters that control a terminal.

    Args:
        error: The error.

    """
    for part in traceback.format_exception(error):
        for line in part.rstrip("\n").split("\n"):
            _print(printable(line))


def _print(line: str) -> None:
    """Print a line on stderr. If that is full, there is nothing left that could say so."""
    try:
        click.echo(line, err=True)
    except BrokenPipeError:
        raise
    except OSError:
        _drop_output()


@contextmanager
def printed_warnings() -> Iterator[None]:
    """Print Python's warnings within the block as one line on stderr; they may have text of a file.

    Yields:
        Nothing.

    Example:
        >>> import warnings
        >>> from muge_fast.cli.errors import printed_warnings
        >>> with printed_warnings():
        ...     warnings.simplefilter("ignore")

    """

    def show(message: Warning | str, *place: object, **more: object) -> None:
        del place, more
        text = in_chinese(str(message)) if language() == "zh" else str(message)
        click.echo(click.style(translate("Warning: "), fg="yellow") + printable(text), err=True)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def print_interrupted(context: click.Context | None = None) -> None:
    """Print on stderr that the user ended the command.

    Args:
        context: Context of the command; None for the current one.

    """
    click.echo(translate("Interrupted", context), err=True)


# Wrong usage


def show_usage_error(error: click.ClickException) -> None:
    """Print an error of click in the language of the command, with the usage of the command if it is about that.

    Args:
        error: The error.

    """
    context: click.Context | None = getattr(error, "ctx", None)
    if not isinstance(error, click.UsageError):
        print_error(error.format_message(), context)
        return
    if context is None or type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return
    click.echo(context.get_usage(), err=True)
    hint = translate("Try '{command}' for help.", context)
    click.echo(hint.format(command=f"{context.command_path} {context.help_option_names[-1]}") + "\n", err=True)
    print_error(_usage_message(error, context), context)


def _usage_message(error: click.UsageError, context: click.Context) -> str:
    if isinstance(error, click.NoSuchOption):
        return _no_option(error, context)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return translate("{name} is missing", context).format(name=option_name(error.param))
    if isinstance(error, click.BadOptionUsage):
        # A flag with a value, such as --json=1, is the other case.
        text = "{name} takes no value" if "not take a value" in error.message else "{name} needs a value"
        return translate(text, context).format(name=error.option_name)
    if found := re.match(r"Got unexpected extra arguments? \((.*)\)", error.message):
        return translate("unexpected argument {names}", context).format(names=found[1])
    return _other_message(error, context)


def _other_message(error: click.UsageError, context: click.Context) -> str:
    """Return the message of an error that has words for it, of click or of a command."""
    message = error.message if isinstance(error, click.BadParameter) else error.format_message()
    if language(context) == "zh":
        message = in_chinese(message)
    if isinstance(error, click.BadParameter) and isinstance(error.param, click.Option):
        return f"{option_name(error.param)}: {message}"
    # Messages of click begin with a capital letter.
    return message[:1].lower() + message[1:]


def _no_option(error: click.NoSuchOption, context: click.Context) -> str:
    name = error.option_name
    if commands := _commands_with(name, context):
        message = translate("{option} is an option of {others}, not of {this}", context)
        return message.format(option=name, others=listed(commands, context), this=context.info_name)
    near = _similar_option(name, context)
    text = "no option {name}, did you mean {near}?" if near else "no option {name}"
    return translate(text, context).format(name=name, near=near)


def _similar_option(option: str, context: click.Context) -> str:
    """Return the option of a command that is written most similarly; an empty string if none is similar."""
    # The hyphens at the beginning, which all options have, would make short names similar.
    names = {
        name.lstrip("-"): name
        for parameter in context.command.get_params(context)
        for name in parameter.opts
        if name.startswith("--")
    }
    word = option.lstrip("-").replace("_", "-").casefold()
    longer = [name for name in names if name.startswith(word)]
    found = longer if len(longer) == 1 else get_close_matches(word, list(names), n=1, cutoff=MIN_SIMILARITY)
    return names[found[0]] if found else ""


def _commands_with(option: str, context: click.Context) -> list[str]:
    """Return the names of the other commands that have an option, and of the program for its options."""
    group = context.find_root().command
    commands = {**group.commands, str(group.name): group} if isinstance(group, click.Group) else {}
    return [name for name, command in commands.items() if any(option in parameter.opts for parameter in command.params)]


# The end of the process


@contextmanager
def quiet_ending() -> Iterator[None]:
    """End quietly with exit code 141 if the reader of a pipe is gone, as programs do that SIGPIPE ends.

    SIGPIPE itself is left alone: its default action would end the process within a download, and would leave
    temporary files.

    Yields:
        Nothing.

    Example:
        >>> from muge_fast.cli.errors import quiet_ending
        >>> with quiet_ending():
        ...     raise BrokenPipeError
        Traceback (most recent call last):
        SystemExit: 141

    """
    try:
        yield
    except BrokenPipeError:
        _drop_output()
        sys.exit(CLOSED_PIPE)
    except OSError as error:
        # Only stdout has no name. It is full while the help is printed, outside of commands.
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        _drop_output()
        print_error(describe(error, None))
        sys.exit(WRONG_USAGE)


def flush_output() -> None:
    """Write what is left in the buffers of stdout and stderr, so that an error is not reported after the last line.

    Raises:
        BrokenPipeError: The reader of a pipe is gone.

    """
    for stream in (sys.stdout, sys.stderr):
        _flush(stream)


def _flush(stream: TextIO | None) -> None:
    try:
        if stream is not None and not stream.closed:
            stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_output()
        print_error(error.strerror or str(error))
        sys.exit(WRONG_USAGE)


def _drop_output() -> None:
    """Send what cannot be written nowhere; Python would try again when it exits, and print an error."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            _drop(stream)


def _drop(stream: TextIO) -> None:
    try:
        stream.flush()
    except OSError:
        # Streams of tests have no file.
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
