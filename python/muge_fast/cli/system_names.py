"""Names of systems, from the names of their submissions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from muge_fast._internal.checks import find_repeated
from muge_fast._internal.display import escape_surrogates, format_path
from muge_fast.cli.input_files import NamedFile
from muge_fast.cli.language import translate


def system_names(files: Sequence[NamedFile]) -> list[str]:
    """Return a different name for each system: the given ones, or the names of files without their suffixes.

    Of files with the same name, as many folders are added as distinguish them, and the suffix if they are still the
    same.

    Args:
        files: The submissions.

    Returns:
        The names.

    Raises:
        click.UsageError: Two systems have the same name.

    Example:
        >>> from pathlib import Path
        >>> from muge_fast.cli.input_files import NamedFile
        >>> from muge_fast.cli.system_names import system_names
        >>> system_names([NamedFile(Path(path)) for path in ("runs/a/pred.jsonl", "runs/b/pred.jsonl", "c.jsonl")])
        ['a/pred', 'b/pred', 'c']

    """
    candidates = [[file.name] if file.name is not None else _names(file.path) for file in files]
    names = [shortest for shortest, *_ in candidates]
    for step in range(1, max(map(len, candidates))):
        # All files of the same name get a longer one at once.
        repeated = {name for name in names if names.count(name) > 1}
        names = [
            longer[min(step, len(longer) - 1)] if name in repeated else name
            for longer, name in zip(candidates, names, strict=True)
        ]
    paths = [name if file.name is not None else str(file.path) for file, name in zip(files, names, strict=True)]
    names = [
        escape_surrogates(path if names.count(name) > 1 else name) for name, path in zip(names, paths, strict=True)
    ]
    if (index := find_repeated(names)) is not None:
        message = translate("two submissions have the name {name}; give one of them another, as NAME=FILE")
        raise click.UsageError(message.format(name=format_path(names[index])), click.get_current_context())
    return names


def _names(path: Path) -> list[str]:
    """Return the names that a file may have without its suffix, the shortest first."""
    folders = [part for part in path.parent.parts if part != path.anchor]
    return ["/".join([*folders[len(folders) - count :], path.stem]) for count in range(len(folders) + 1)]
