"""Tasks of the benchmark. Each is a module of this package that declares ``TASK``.

Other packages add a task with an entry point in the group ``muge_fast.tasks``. Its name is the name of the task, and it
loads a :class:`Task`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Literal

from muge_fast._internal.checks import check_choice
from muge_fast._internal.field_names import FieldNames
from muge_fast.datasets.fields import Integer, IntegerList, Kind, Text, TextList
from muge_fast.tasks.task import Task

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["FieldNames", "Integer", "IntegerList", "Kind", "Task", "Text", "TextList", "get", "names"]

TaskName = Literal["caption", "retrieval", "t2i", "classification", "vcr", "vqa"]
"""Names of the tasks of this package, for type checkers; for a task of another package, pass ``get(name)``."""

GROUP = "muge_fast.tasks"
BUILT_IN = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "task")


def names() -> list[str]:
    """Return the names of all tasks: the built-in ones, then those of other packages.

    Returns:
        Names for :func:`get` and :func:`muge_fast.evaluate`.

    Example:
        >>> import muge_fast as mf
        >>> mf.tasks.names()[:3]
        ['caption', 'classification', 'retrieval']

    """
    return [*BUILT_IN, *(name for name in _entry_points() if name not in BUILT_IN)]


def get(name: str) -> Task:
    """Return the task of a name.

    Args:
        name: One of :func:`names`.

    Returns:
        The task.

    Raises:
        ValueError: There is no such task.
        TypeError: ``name`` is not a string, or the entry point of another package is not a :class:`Task`.

    Example:
        >>> import muge_fast as mf
        >>> mf.tasks.get("caption").main
        'cider_d'

    """
    task: object
    if name in BUILT_IN:
        task = importlib.import_module(f"{__name__}.{name}").TASK
    else:
        added = _entry_points()
        check_choice("task", name, [*BUILT_IN, *added])
        task = added[name].load()
    if not isinstance(task, Task):
        raise TypeError(f"the entry point of task {name!r} must be a muge_fast.tasks.Task, got {type(task).__name__}")
    return task


def _entry_points() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - importing it takes as long as the rest of the package

    return {entry.name: entry for entry in entry_points(group=GROUP)}
