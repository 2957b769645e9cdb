"""Options that only some tasks have."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import click

from muge_fast import tasks
from muge_fast.cli.argument_names import options_of
from muge_fast.cli.language import listed, translate
from muge_fast.tasks.task import Task

OF_CAPTIONS, OF_RETRIEVAL, OF_IMAGES = "Options of captions", "Options of retrieval", "Options of text-to-image"
SECTIONS = (OF_CAPTIONS, OF_RETRIEVAL, OF_IMAGES)
"""Headings of the options that only some tasks have."""

# Options that are useless without another one.
NEEDS = {
    "texts": "clip",
    "clip": "texts",
    "image_features": "text_features",
    "text_features": "image_features",
    "images": "html",
    "date": "html",
    "seconds": "html",
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
        raise _error(text, option=key, others=listed(others) if others else "", this=name)


def refuse_other_tasks(name: object, given: Collection[click.Parameter]) -> None:
    """Raise for an option of another task before its value is looked at: the file that it names may not exist.

    Args:
        name: The argument for the task, which may be misspelled or missing.
        given: The parameters that are given.

    Raises:
        click.UsageError: The message names the option, and the tasks that have it.

    """
    keys = [item.name for item in given if getattr(item, "section", None) in SECTIONS]
    if isinstance(name, str) and name.casefold() in tasks.names():
        check_task_options(name.casefold(), dict.fromkeys(filter(None, keys), ""))


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
