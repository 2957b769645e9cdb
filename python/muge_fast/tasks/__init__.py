"""The tasks of the benchmark. Each is one file here that declares ``TASK``.

Another package adds one by an entry point in the group ``muge_fast.tasks`` whose name is that of the task and whose
object is a :class:`Task`.
"""

from __future__ import annotations

import importlib
import pkgutil

from muge_fast.tasks.task import Form, Ids, Integer, Task, Text, Texts

__all__ = ["Form", "Ids", "Integer", "Task", "Text", "Texts", "get", "names"]

GROUP = "muge_fast.tasks"


def names() -> list[str]:
    """Name all tasks, those of other packages after our own.

    Example:
        >>> import muge_fast as mf
        >>> mf.tasks.names()[:3]
        ['caption', 'classification', 'retrieval']

    """
    return [*_own(), *(name for name in _added() if name not in _own())]


def get(name: str) -> Task:
    """Find a task by its name.

    Raises:
        ValueError: There is no such task.
        TypeError: Another package gave something that is no :class:`Task`.

    Example:
        >>> import muge_fast as mf
        >>> mf.tasks.get("caption").main
        'cider_d'

    """
    if name in _own():
        task = importlib.import_module(f"{__name__}.{name}").TASK
    else:
        added = _added()
        if name not in added:
            raise ValueError(f'unknown task "{name}", choose one of {", ".join(names())}')
        task = added[name].load()  # type: ignore[attr-defined]
    if not isinstance(task, Task):
        raise TypeError(f'task "{name}" is a {type(task).__name__}, needs a muge_fast.tasks.Task')
    return task


def _own() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "task")


def _added() -> dict[str, object]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - it takes as long to import as all the rest

    return {entry.name: entry for entry in entry_points(group=GROUP)}
