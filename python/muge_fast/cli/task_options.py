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
# Options of which only one can be used.
EXCLUSIVE = ("texts", "image_features")


def check_task_options(name: str, given: Mapping[str, object]) -> None:
    """Raise if a task lacks one of the options.

    Args:
        name: Name of the task.
        given: Values of options by names of arguments; None for an option that was not given.

    Raises:
        click.UsageError: The message names the option as the command writes it, and the tasks that have it.

    """
    task = tasks.get(name)
    for key, value in given.items():
        if value is None or _has(task, key):
            continue
        others = [other for other in tasks.BUILT_IN if _has(tasks.get(other), key)]
        text = "{option} is an option of {others}, not of {this}" if others else "{this} has no option {option}"
        raise _error(text, option=key, others=translate(" and ").join(others), this=name)


def check_combinations(given: Mapping[str, object]) -> None:
    """Raise if an option lacks another one that it needs, or has one that it excludes.

    Args:
        given: Values of options by names of arguments; None for an option that was not given.

    Raises:
        click.UsageError: The message names both options.

    """
    used = [key for key, value in given.items() if value is not None]
    for key in used:
        if key in NEEDS and NEEDS[key] not in used:
            raise _error("{option} needs {other} too", option=key, other=NEEDS[key])
    if all(key in used for key in EXCLUSIVE):
        raise _error("{option} and {other} exclude each other", option=EXCLUSIVE[0], other=EXCLUSIVE[1])


def _has(task: Task, key: str) -> bool:
    return task.has_pool if key == "pool" else task.has_option(key)


def _error(text: str, **values: str) -> click.UsageError:
    """Return an error about options; values that are names of arguments are replaced by those of the options."""
    context = click.get_current_context()
    options = options_of(context)
    named = {key: options.get(value, value) if key in ("option", "other") else value for key, value in values.items()}
    return click.UsageError(translate(text, context).format(**named), context)
