"""Options that only some tasks have."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import click
from click.shell_completion import CompletionItem

from muge_fast import tasks
from muge_fast.cli.argument_names import options_of
from muge_fast.cli.language import listed, translate
from muge_fast.cli.parameter_types import Name
from muge_fast.tasks.task import Task

OF_CAPTIONS, OF_RETRIEVAL, OF_IMAGES = "Options of captions", "Options of retrieval", "Options of text-to-image"
OF_IMAGES_AND_VQA = "Options of text-to-image and vqa"
SECTIONS = (OF_CAPTIONS, OF_RETRIEVAL, OF_IMAGES, OF_IMAGES_AND_VQA)
"""Headings of the options that only some tasks have."""

# Where the context of a command keeps the name of the task, which is parsed after the options.
TASK_KEY = "muge_fast.task"

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
        if value is None or value == () or _has(task, key):
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
    if isinstance(name, str):
        click.get_current_context().meta[TASK_KEY] = name.casefold()
    keys = [item.name for item in given if getattr(item, "section", None) in SECTIONS]
    if isinstance(name, str) and name.casefold() in tasks.names():
        check_task_options(name.casefold(), dict.fromkeys(filter(None, keys), ""))


class NameOfTask(Name):
    """Type of an option that takes one of several names, which differ between tasks.

    Args:
        kind: Name of the option, such as ``"protocol"``.
        choices: The names for tasks that do not declare them in ``option_choices``.

    """

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name that was given.

        Args:
            value: The argument.
            param: The parameter.
            ctx: Context of the command.

        Returns:
            One of the names.

        Raises:
            click.BadParameter: The task does not know the name; the message has the most similar one, or all of them.

        """
        return self._of_task(ctx and ctx.meta.get(TASK_KEY)).convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete a name.

        Args:
            ctx: Context of the command.
            param: The parameter.
            incomplete: The beginning of the argument.

        Returns:
            The completions.

        """
        return self._of_task(ctx.params.get("task")).shell_complete(ctx, param, incomplete)

    def _of_task(self, name: object) -> Name:
        is_known = isinstance(name, str) and name in tasks.names()
        declared = tasks.get(str(name)).option_choices.get(self.kind) if is_known else None
        return Name(self.kind, tuple(declared or self.choices))


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
    # Other tasks compute all of their metrics, or have names with a number.
    return {"pool": task.has_pool, "metrics": "metrics" in task.option_choices}.get(key, task.has_option(key))


def _error(text: str, **values: str) -> click.UsageError:
    """Return an error about options; values that are names of arguments are replaced by those of the options."""
    context = click.get_current_context()
    options = options_of(context)
    named = {key: options.get(value, value) if key in ("option", "other") else value for key, value in values.items()}
    return click.UsageError(translate(text, context).format(**named), context)
