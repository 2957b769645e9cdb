"""Options that only some tasks have."""

from __future__ import annotations

from collections.abc import Mapping

import click

from muge_fast import tasks
from muge_fast.cli.argument_names import options_of
from muge_fast.cli.language import translate
from muge_fast.tasks.task import Task

# Options that are useless without another one.
NEEDS = {
    "texts": "clip",
    "clip": "texts",
    "image_features": "text_features",
    "text_features": "image_features",
    "images": "html",
}
# Options that exclude each other.
INSTEAD = ("texts", "image_features")


def check_task_options(name: str, given: Mapping[str, object]) -> None:
    """Raise if a task lacks one of the options, or an option lacks another one that it needs.

    Args:
        name: Name of the task.
        given: Values of options by names of arguments; None for an option that was not given.

    Raises:
        click.UsageError: The message names the options as the command writes them.

    """
    context = click.get_current_context()
    used = [key for key, value in given.items() if value is not None]
    options = options_of(context)
    for key in used:
        if key in ("html", "images"):
            continue
        if not _has(tasks.get(name), key):
            others = [other for other in tasks.BUILT_IN if _has(tasks.get(other), key)]
            text = "{option} is an option of {others}, not of {this}" if others else "{this} has no option {option}"
            joined = translate(" and ", context).join(others)
            message = translate(text, context)
            raise click.UsageError(message.format(option=options[key], others=joined, this=name), context)
    for key in used:
        if key in NEEDS and NEEDS[key] not in used:
            message = translate("{option} needs {other} too", context)
            raise click.UsageError(message.format(option=options[key], other=options[NEEDS[key]]), context)
    if all(key in used for key in INSTEAD):
        first, second = (options[key] for key in INSTEAD)
        message = translate("{option} and {other} exclude each other", context)
        raise click.UsageError(message.format(option=first, other=second), context)


def _has(task: Task, key: str) -> bool:
    return task.has_pool if key == "pool" else task.has_option(key)
