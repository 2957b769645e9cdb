"""The manifest of a run: what has to be known to repeat it."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from muge_fast import _core
from muge_fast._internal.atomic import replacing
from muge_fast._internal.display import format_path, format_value, json_text
from muge_fast._internal.json_text import parse_json
from muge_fast._internal.paths import PathLike, file_sha256, open_file, read_whole

FILE = "run.json"
"""Name of the manifest in the folder of a run."""

RUNNING, COMPLETE = "running", "complete"
"""States of a run."""

# Keys of what a run has found out at its end. All others are as they were at its beginning.
RESULTS = ("state", "files", "missing", "ok", "scoring", "scores")


def make_manifest(
    task: str,
    split: str,
    *,
    model: Mapping[str, Any],
    data: Mapping[str, Path],
    gold: Path | None,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the manifest of a run at its beginning.

    It has neither times nor paths, so that equal runs have equal manifests.

    Args:
        task: Name of the task.
        split: Name of the split.
        model: What is known of the model: its name, its signature and its own description.
        data: Files of the data set by what they are, hashed here.
        gold: The gold file, which is one of them; None for a split without one.
        options: Options of the run that its results depend on.

    Returns:
        A dictionary, ready for JSON.

    Raises:
        OSError: A file cannot be read.

    Example:
        >>> from muge_fast.models.manifest import make_manifest
        >>> manifest = make_manifest("caption", "valid", model={}, data={}, gold=None, options={"seed": 0})
        >>> manifest["state"], manifest["options"]
        ('running', {'seed': 0})

    """
    files = {role: describe_data(path) for role, path in data.items()}
    role = next((role for role, path in data.items() if path == gold), None)
    return {
        "task": task,
        "split": split,
        "state": RUNNING,
        "model": dict(model),
        "data": files,
        "gold": None if role is None else files[role],
        "options": dict(options),
        "versions": _versions(),
    }


def describe_data(path: Path) -> dict[str, Any]:
    """Return the name, the size and the SHA-256 of a file, or of all files of a folder.

    Args:
        path: The file. The hash of a folder is that of a line for each file in it, sorted by their paths: the SHA-256
            of the file, two spaces, and its path in the folder, as ``sha256sum`` prints them.

    Returns:
        ``name``, ``bytes`` and ``sha256``.

    Raises:
        OSError: The file cannot be read.

    Example:
        >>> from importlib.resources import files
        >>> from muge_fast.models.manifest import describe_data
        >>> describe_data(files("muge_fast") / "py.typed")["name"]
        'py.typed'

    """
    if not path.is_dir():
        return {"name": path.name, "bytes": path.stat().st_size, "sha256": _sha256(path)}
    files = sorted((file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file())
    lines = "".join(f"{_sha256(file)}  {name}\n" for name, file in files)
    size = sum(file.stat().st_size for _, file in files)
    return {"name": path.name, "bytes": size, "sha256": hashlib.sha256(lines.encode()).hexdigest()}


def _sha256(path: Path) -> str:
    with open_file(path) as file:
        return file_sha256(file)


def _versions() -> dict[str, str]:
    versions = {"muge_fast": _core.__version__, "python": sys.version.split()[0], "numpy": np.__version__}
    try:
        versions["pillow"] = import_module("PIL").__version__
    except ImportError:
        return versions
    return versions


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a run, which appears complete or not at all.

    Args:
        folder: Folder of the run.
        manifest: The manifest.

    Raises:
        OSError: The file cannot be written.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.models.manifest import read_manifest, write_manifest
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_manifest(pathlib.Path(folder), {"task": "caption"})
        ...     read_manifest(folder)
        {'task': 'caption'}

    """
    with replacing(folder / FILE) as file:
        file.write((json_text(dict(manifest), indent=2) + "\n").encode())


def read_manifest(folder: PathLike) -> dict[str, Any]:
    """Read the manifest of a run.

    Args:
        folder: Folder of the run.

    Returns:
        The manifest: ``task``, ``split``, ``state``, ``model``, ``data``, ``gold``, ``options`` and ``versions``; of a
        run that is complete also ``files``, ``missing``, ``ok``, ``scoring``, the options of the evaluation, and
        ``scores``.

    Raises:
        OSError: There is no manifest, or it cannot be read.
        ValueError: The file is not a manifest.

    Example:
        >>> from muge_fast.models.manifest import read_manifest
        >>> read_manifest("runs/chinese-clip")["model"]["name"]  # doctest: +SKIP
        'chinese-clip-vit-base-patch16'

    """
    path = Path(folder) / FILE
    try:
        manifest = parse_json(read_whole(path))
    except ValueError as error:
        raise ValueError(f"{format_path(path)}: not the manifest of a run: {error}") from None
    if not isinstance(manifest, dict) or "task" not in manifest:
        raise ValueError(f"{format_path(path)}: not the manifest of a run: {format_value(manifest)}")
    return manifest


def find_difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Return the first difference of two manifests of one folder, apart from results.

    Args:
        before: Manifest of the run that was begun in the folder.
        now: Manifest of a run that is to be continued there.

    Returns:
        The name and both values; None if there is no difference.

    Example:
        >>> from muge_fast.models.manifest import find_difference
        >>> find_difference({"options": {"seed": 0}}, {"options": {"seed": 1}})
        'options.seed is 1, and it was 0'

    """
    # As JSON has them: tuples are lists there.
    return _difference(_inputs(before), json.loads(json.dumps(_inputs(now))), "")


def _inputs(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in manifest.items() if key not in RESULTS}


def _difference(before: object, now: object, name: str) -> str | None:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = dict.fromkeys((*now, *before))
        found = (_difference(before.get(key), now.get(key), f"{name}.{key}" if name else key) for key in keys)
        return next(filter(None, found), None)
    return None if before == now else f"{name} is {format_value(now)}, and it was {format_value(before)}"
