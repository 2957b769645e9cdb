"""The group of commands and its commands: languages, grouped options, strict arguments and quiet endings."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from typing import Any, NoReturn

import click

from muge_fast._internal import interrupted_start
from muge_fast._internal.atomic import remove_temporary
from muge_fast.cli.argument_names import option_name
from muge_fast.cli.errors import (
    DEBUG,
    INTERRUPTED,
    WRONG_USAGE,
    flush_output,
    print_interrupted,
    print_traceback,
    printed_warnings,
    quiet_ending,
    show_usage_error,
    usage_errors,
)
from muge_fast.cli.input_files import copy_streams
from muge_fast.cli.language import KEY, VARIABLE, note_language, translate
from muge_fast.cli.output_files import check_outputs
from muge_fast.cli.parameter_types import Name
from muge_fast.cli.signals import Terminated, find_signal, raising_signals
from muge_fast.cli.task_options import refuse_other_tasks
from muge_fast.datasets.problems import LANGUAGES

# Exit codes of programs that a signal ends are larger.
SIGNALLED = 128

OTHER = "Other options"
"""Heading of options without a section."""


class Option(click.Option):
    """An option with a heading in the help of its command.

    Args:
        arguments: Positional arguments of ``click.Option``.
        section: The heading.
        options: Keyword arguments of ``click.Option``.

    """

    def __init__(self, *arguments: Sequence[str], section: str = OTHER, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self.section = section


class Translated(click.Command):
    """A command, or a group of commands, whose usage and description are in the language of the user."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage in the language of the command.

        Args:
            ctx: Context of the command.
            formatter: The formatter to write to.

        """
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=translate("Usage: ", ctx))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the description in the language of the command.

        Args:
            ctx: Context of the command.
            formatter: The formatter to write to.

        """
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text("\n\n".join(translate(paragraph, ctx) for paragraph in description(self)))


class Command(Translated):
    """A command with the options ``--lang`` and ``--debug``, whose options may be given only once."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self.params += [language_option(), debug_option()]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse arguments; an option that is given twice is an error.

        Args:
            ctx: Context of the command.
            args: The arguments.

        Returns:
            What is left of them.

        Raises:
            click.UsageError: The arguments are wrong.

        """
        note_language(ctx, args)
        with _errors_of(ctx):
            if not ctx.resilient_parsing:
                values, _, given = self.make_parser(ctx).parse_args(list(args))
                refuse_repeated(given, ctx)
                with usage_errors():
                    refuse_other_tasks(values.get("task"), given)
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command after its outputs were checked; it gets copies of pipes.

        Args:
            ctx: Context of the command.

        Returns:
            What the function of the command returns.

        """
        with usage_errors():
            check_outputs(ctx)
            copy_streams(ctx)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings.

        Args:
            ctx: Context of the command.
            formatter: The formatter to write to.

        """
        write_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples.

        Args:
            ctx: Context of the command.
            formatter: The formatter to write to.

        """
        if self.epilog:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(self.epilog.replace("Example:", translate("Example:", ctx)))


class Group(Translated, click.Group):
    """A group of commands with the options ``--lang`` and ``--debug``."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments of the group.

        Args:
            ctx: Context of the group.
            args: The arguments.

        Returns:
            What is left of them.

        """
        note_language(ctx, args)
        with _errors_of(ctx):
            if not ctx.resilient_parsing:
                refuse_repeated(self.make_parser(ctx).parse_args(list(args))[2], ctx)
            return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for a misspelled one, name the most similar.

        Args:
            ctx: Context of the group.
            args: The name of the command and its arguments.

        Returns:
            Name, command and remaining arguments.

        Raises:
            click.UsageError: There is no such command.

        """
        if not ctx.resilient_parsing and args[0] not in self.commands and not args[0].startswith("-"):
            near = get_close_matches(args[0].casefold(), list(self.commands), n=1)
            text = "no command {name}, did you mean {near}?" if near else "no command {name}, choose from {choices}"
            message = translate(text, ctx)
            ctx.fail(message.format(name=args[0], near="".join(near), choices=", ".join(self.commands)))
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands.

        Args:
            ctx: Context of the group.
            formatter: The formatter to write to.

        """
        write_options(self, ctx, formatter)
        rows = [(name, _first_sentence(command, ctx)) for name, command in self.commands.items()]
        with formatter.section(translate("Commands", ctx)):
            formatter.write_dl(rows)


class Program(Group):
    """The group of commands, which decides how the process ends."""

    def main(self, *arguments: Any, **options: Any) -> NoReturn:  # noqa: ANN401 - those of click.Group.main
        """Run a command and exit.

        SIGTERM and SIGHUP end it with exit code 143 or 129 after temporary files are removed.

        Args:
            arguments: Positional arguments of ``click.Group.main``.
            options: Keyword arguments of ``click.Group.main``.

        """
        interrupted_start.end()
        options["standalone_mode"] = False
        code = _code_of_signal(partial(_end, partial(super().main, *arguments, **options)))
        sys.exit(code)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - as click
    ) -> click.Context:
        """Return the context of the group. Its help is printed here, perhaps into a closed pipe.

        Args:
            info_name: Name of the program.
            args: The arguments.
            parent: Context of the caller.
            extra: Settings of the context.

        Returns:
            The context.

        """
        with quiet_ending():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; click would exit with 1 for a closed pipe.

        Args:
            ctx: Context of the group.

        Returns:
            What the command returns.

        """
        with quiet_ending():
            return super().invoke(ctx)


@contextmanager
def _errors_of(context: click.Context) -> Iterator[None]:
    """Add the context to errors of the parser that lack it, so that they are in the language of the command."""
    try:
        yield
    except click.UsageError as error:
        error.ctx = error.ctx or context
        raise


def _end(run: Callable[[], object]) -> int:
    """Run a command and return the exit code. As the command ``muge-fast``, a signal ends the process here."""
    with raising_signals():
        code = _code_of_signal(partial(_run, run))
        if code >= SIGNALLED:
            # While further signals are ignored.
            remove_temporary()
            if interrupted_start.is_command():
                # Threads that still decode images would be waited for.
                os._exit(code)
    return code


def _code_of_signal(run: Callable[[], int]) -> int:
    """Return the exit code that a function returns, or that of the signal that ends it."""
    try:
        return run()
    except Terminated as ended:
        return ended.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(run: Callable[[], object]) -> int:
    """Run a command, print its errors and what is left in buffers, and return the exit code."""
    try:
        with quiet_ending(), printed_warnings():
            code = _exit_code(run)
            flush_output()
    except SystemExit as ended:
        # Of a stream that cannot be written to.
        return ended.code if isinstance(ended.code, int) else WRONG_USAGE
    return code


def _exit_code(run: Callable[[], object]) -> int:
    """Run a command, print its errors, and return the exit code."""
    try:
        code = run()
    except click.Abort:
        print_interrupted()
        return INTERRUPTED
    except click.ClickException as error:
        show_usage_error(error)
        # Some errors of click have 1, the code of an invalid submission.
        return max(error.exit_code, WRONG_USAGE)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else WRONG_USAGE * (ended.code is not None)
    except BrokenPipeError:
        raise
    except OSError as error:
        # Standard output is full, which quiet_ending() reports.
        if error.errno == errno.ENOSPC and error.filename is None:
            raise
        print_traceback(error)
        return WRONG_USAGE
    except BaseException as error:  # noqa: BLE001 - Python would exit with 1, which is the code of an invalid submission
        if (found := find_signal(error)) is not None:
            raise found from None
        print_traceback(error)
        return WRONG_USAGE
    return code if isinstance(code, int) else 0


# Options of every command


def language_option() -> Option:
    """Return the option ``--lang``.

    Returns:
        The option; its value is in :func:`muge_fast.cli.language.language`.

    """
    return Option(
        ["--lang"],
        type=Name("language", LANGUAGES),
        envvar=VARIABLE,
        expose_value=False,
        is_eager=True,
        callback=_keep(KEY),
        metavar="en|zh",
        help="Language of everything that is printed.  [default: MUGE_FAST_LANG, or en]",
    )


def debug_option() -> Option:
    """Return the option ``--debug``.

    Returns:
        The option.

    """
    return Option(
        ["--debug"], is_flag=True, expose_value=False, callback=_keep(DEBUG), help="Show the traceback of an error."
    )


def _keep(key: str) -> Callable[[click.Context, click.Parameter, object], None]:
    """Return a callback that keeps a value that was given among the data of the context."""

    def keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
        name = parameter.name or ""
        is_given = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        # The group and its command have the same data; what was given to the group is kept.
        if value and (is_given or key not in context.meta):
            context.meta[key] = value

    return keep


def refuse_repeated(given: Sequence[click.Parameter], context: click.Context) -> None:
    """Raise if an option with one value is given twice, also under another name; click would take the last value.

    Args:
        given: The parameters that are given, in their order.
        context: Context of the command.

    Raises:
        click.UsageError: An option is repeated.

    """
    for parameter, count in Counter(given).items():
        if count > 1 and isinstance(parameter, click.Option) and not (parameter.multiple or parameter.is_flag):
            message = translate("{name} is given {count} times, it takes one value", context)
            raise click.UsageError(message.format(name=option_name(parameter), count=count), context)


# The help


def description(command: click.Command) -> list[str]:
    r"""Return the description of a command, the docstring of its function.

    Args:
        command: The command.

    Returns:
        Each paragraph in one line.

    Example:
        >>> import click
        >>> from muge_fast.cli.program import description
        >>> description(click.Command("f", help="Score.\n\n    All\n    tasks."))
        ['Score.', 'All tasks.']

    """
    return [" ".join(paragraph.split()) for paragraph in (command.help or "").split("\n\n")]


def write_options(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the options of a command in its language, under the headings of their sections.

    Args:
        command: The command.
        context: Its context.
        formatter: The formatter to write to.

    """
    sections: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            section = getattr(parameter, "section", OTHER)
            names, text = record
            sections.setdefault(section, []).append((names, _translated(parameter.help or "", text, context)))
    # The options of every command come last.
    others = sections.pop(OTHER, [])
    for section, rows in [*sections.items(), (OTHER if sections else "Options", others)]:
        with formatter.section(translate(section, context)):
            formatter.write_dl(rows)


def _translated(text: str, record: str, context: click.Context) -> str:
    """Return the help of an option with what click adds, such as ``[required]``, in the language of the command."""
    # Defaults that click cannot know are a part of the text.
    text, mark, default = text.partition("  [default: ")
    added = mark + default or record.removeprefix(text)
    added = added.replace("[required]", translate("[required]", context)).strip()
    if found := re.match(r"\[default: (.*)\]$", added):
        added = translate("[default: {value}]", context).format(value=translate(found[1], context))
    return "  ".join(filter(None, (translate(text, context), added)))


def _first_sentence(command: click.Command, context: click.Context) -> str:
    text = translate(description(command)[0], context)
    return re.split(r"(?<=\.)\s|(?<=。)", text)[0]
