"""Types of parameters: names from a list, and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from muge_fast._internal.display import format_argument
from muge_fast.cli.language import translate

if TYPE_CHECKING:
    # click.ParamType is generic from click 8.4 on, but not when the oldest click runs.
    NameType = click.ParamType[str]
    NumberType = click.ParamType[int]
    LevelType = click.ParamType[float]
else:
    NameType = NumberType = LevelType = click.ParamType


class Name(NameType):
    """Type of a parameter that takes one of several names, in any case.

    click's own ``Choice`` suggests nothing, and puts all names into the usage of the command.

    Args:
        kind: What the names are of, in the singular, such as ``"task"``.
        choices: The names.

    """

    name = "name"

    def __init__(self, kind: str, choices: Sequence[str]) -> None:
        self.kind, self.choices = kind, tuple(choices)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name that was given.

        Args:
            value: The argument.
            param: The parameter.
            ctx: Context of the command.

        Returns:
            One of the names.

        Raises:
            click.BadParameter: The name is not known; the message has the most similar one, or all of them.

        """
        by_folded = {choice.casefold(): choice for choice in self.choices}
        if (found := by_folded.get(value.casefold())) is not None:
            return found
        near = get_close_matches(value.casefold(), list(by_folded), n=1)
        text = (
            "unknown {kind} {value}, did you mean {near}?" if near else "unknown {kind} {value}, choose from {choices}"
        )
        message = translate(text, ctx).format(
            kind=translate(self.kind, ctx),
            value=format_argument(value),
            near=by_folded[near[0]] if near else "",
            choices=", ".join(self.choices),
        )
        raise click.BadParameter(message, ctx=ctx, param=param)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete a name.

        Args:
            ctx: Context of the command.
            param: The parameter.
            incomplete: The beginning of the argument.

        Returns:
            The completions.

        """
        del ctx, param
        folded = incomplete.casefold()
        return [CompletionItem(choice) for choice in self.choices if choice.casefold().startswith(folded)]


class AtLeast(NumberType):
    """Type of a parameter that takes an integer that is not too small.

    Args:
        least: The smallest integer that is allowed.

    """

    name = "n"

    def __init__(self, least: int) -> None:
        self.least = least

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number.

        Args:
            value: The argument.
            param: The parameter.
            ctx: Context of the command.

        Returns:
            The number.

        Raises:
            click.BadParameter: It is not an integer, or too small.

        """
        with suppress(ValueError):
            if int(value) >= self.least:
                return int(value)
        message = translate("must be an integer of at least {least}, got {value}", ctx)
        raise click.BadParameter(message.format(least=self.least, value=format_argument(value)), ctx=ctx, param=param)


class RealNumber(LevelType):
    """Type of a parameter that takes a number of a range."""

    message: str
    """Error for anything else, with a placeholder for the value."""

    def accepts(self, value: float) -> bool:
        """Return whether a number is in the range.

        Args:
            value: The number.

        Returns:
            True if it is.

        """
        raise NotImplementedError

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number.

        Args:
            value: The argument.
            param: The parameter.
            ctx: Context of the command.

        Returns:
            The number.

        Raises:
            click.BadParameter: It is not a number, or not in the range.

        """
        with suppress(ValueError):
            if self.accepts(float(value)):
                return float(value)
        message = translate(self.message, ctx)
        raise click.BadParameter(message.format(value=format_argument(value)), ctx=ctx, param=param)


class Level(RealNumber):
    """Type of a parameter that takes a number between 0 and 1."""

    name = "level"
    message = "must be a number between 0 and 1, such as 0.95, got {value}"

    def accepts(self, value: float) -> bool:
        """Return whether a number is between 0 and 1.

        Args:
            value: The number.

        Returns:
            True if it is.

        """
        return 0 < value < 1


class Guidance(RealNumber):
    """Type of a parameter that takes a guidance scale, which is not negative."""

    name = "scale"
    message = "must be a number of at least 0, such as 7.5, got {value}"

    def accepts(self, value: float) -> bool:
        """Return whether a number is at least 0 and finite.

        Args:
            value: The number.

        Returns:
            True if it is.

        """
        return 0 <= value < math.inf
