"""Names of options in messages of the library, which speaks of arguments of Python functions."""

from __future__ import annotations

import re
from collections.abc import Mapping

import click

# Advice that has no option.
PHRASES = {
    "call again to resume": "run the command again to resume",
}


# Advice about an argument, for commands that lack its option.
WITHOUT_OPTION = {
    "download": (("(download=True downloads it)", "(download it with the command hf of huggingface_hub)"),),
    "weights": (
        ('pass weights="download", or download', "download"),
        (" and pass its path as weights or in the", " and pass its path in the"),
    ),
}


def options_of(context: click.Context) -> dict[str, str]:
    """Return the options of a command by the names of its Python arguments.

    Args:
        context: Context of the command.

    Returns:
        The first long form of each option.

    Example:
        >>> import click
        >>> from muge_fast.cli.argument_names import options_of
        >>> command = click.Command("f", params=[click.Option(["-s", "--batch-size"])])
        >>> options_of(click.Context(command))
        {'batch_size': '--batch-size'}

    """
    return {
        parameter.name: option_name(parameter)
        for parameter in context.command.params
        if isinstance(parameter, click.Option) and parameter.name
    }


def option_name(parameter: click.Parameter) -> str:
    """Return how a command writes a parameter: the first long form of an option, or the metavar of an argument.

    Args:
        parameter: The parameter.

    Returns:
        The name.

    Example:
        >>> import click
        >>> from muge_fast.cli.argument_names import option_name
        >>> option_name(click.Option(["-s", "--submission"])), option_name(click.Argument(["gold"]))
        ('--submission', 'GOLD')

    """
    if isinstance(parameter, click.Option):
        return next((name for name in parameter.opts if name.startswith("--")), parameter.opts[0])
    return (parameter.metavar or (parameter.name or "").upper()).rstrip("…")


def name_options(message: str, options: Mapping[str, str]) -> str:
    """Return a message with names of options in place of the names of Python arguments.

    Args:
        message: Message of an error of the library.
        options: Names of options by names of arguments.

    Returns:
        The message. Parts of paths are not replaced, nor words that do not stand for an argument.

    Example:
        >>> from muge_fast.cli.argument_names import name_options
        >>> options = {"weights": "--weights", "image_features": "--image-feats", "negatives": "--negatives"}
        >>> name_options('pass weights="download", or pass its path as weights', options)
        'pass --weights download, or pass its path as --weights'
        >>> name_options("(download=True downloads it)", {"download": "--download"})
        '(--download downloads it)'
        >>> name_options("image_features has shape (2, 3)", options)
        '--image-feats has shape (2, 3)'
        >>> name_options("weights/image_features.npy: not a file of features", options)
        'weights/image_features.npy: not a file of features'

    """
    for phrase, advice in PHRASES.items():
        message = message.replace(phrase, advice)
    for argument, phrases in WITHOUT_OPTION.items():
        for phrase, advice in () if argument in options else phrases:
            message = message.replace(phrase, advice)
    names = "|".join(map(re.escape, sorted(options, key=len, reverse=True)))
    if not names:
        return message
    # An argument with its value.
    message = re.sub(
        rf"(?<![\w./\\-])({names})=(\"[^\"]*\"|'[^']*'|[\w.-]+)",
        lambda found: options[found[1]] + ("" if found[2] == "True" else f" {found[2].strip(chr(34) + chr(39))}"),
        message,
    )
    # At the beginning, where a message names the argument that is wrong; and "as weights".
    message = re.sub(
        rf"^({names})(?=\[\d+\]| (?:must|is|are|has|have|lack|lacks|needs)\b)|(?<=\bas )({names})(?![\w./\\-])",
        lambda found: options[found[1] or found[2]],
        message,
    )
    # A name with an underscore cannot be an English word.
    return re.sub(
        rf"(?<![\w./\\-])({names})(?![\w/\\-]|\.\w)",
        lambda found: options[found[1]] if "_" in found[1] else found[1],
        message,
    )
