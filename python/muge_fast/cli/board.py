"""``muge-fast board``: the door to the commands of the leaderboard, which needs an extra."""

from __future__ import annotations

from importlib import import_module

import click

from muge_fast.cli.errors import usage_errors
from muge_fast.cli.program import Group, debug_option, language_option

# By name, because the leaderboard is built on this package.
COMMANDS = "muge_fast.leaderboard.commands"


class LazyGroup(Group):
    """A group whose commands are imported when they are first asked for."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command.

        Args:
            ctx: Context of the group.
            cmd_name: Its name.

        Returns:
            The command; None if there is no such command.

        """
        self.load()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands.

        Args:
            ctx: Context of the group.

        Returns:
            The names.

        """
        self.load()
        # In the order of their importance, not of the alphabet.
        del ctx
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command.

        Args:
            ctx: Context of the group.
            args: The name of the command and its arguments.

        Returns:
            Name, command and remaining arguments.

        """
        self.load()
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands.

        Args:
            ctx: Context of the group.
            formatter: The formatter to write to.

        """
        self.load()
        super().format_options(ctx, formatter)

    def load(self) -> None:
        """Import the commands, or end with one line that names the extra."""
        if not self.commands:
            with usage_errors():
                self.commands.update(_commands())


def _commands() -> dict[str, click.Command]:
    try:
        found: dict[str, click.Command] = import_module(COMMANDS).COMMANDS
    except ModuleNotFoundError as error:
        raise ImportError(missing_package(error)) from error
    return found


def missing_package(error: ModuleNotFoundError) -> str:
    """Return the message for a package of the extra that is not installed.

    Args:
        error: The error of its import.

    Returns:
        One line that names the package and the extra.

    Example:
        >>> from muge_fast.cli.board import missing_package
        >>> missing_package(ModuleNotFoundError(name="sqlalchemy.orm"))
        "the leaderboard needs sqlalchemy, which is not installed: pip install 'muge-fast[leaderboard]'"

    """
    package = (error.name or str(error)).partition(".")[0]
    return f"the leaderboard needs {package}, which is not installed: pip install 'muge-fast[leaderboard]'"


@click.group(cls=LazyGroup, params=[language_option(), debug_option()])
def board() -> None:
    """Run a challenge: a site with a board for each task, on which teams are ranked by their submissions."""
