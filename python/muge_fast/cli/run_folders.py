"""Folders of ``muge-fast run`` in place of submissions: their submissions, names and numbers of missing items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from muge_fast._internal.display import format_id, format_path, format_value
from muge_fast.cli.input_files import NamedFile
from muge_fast.cli.language import translate
from muge_fast.models.manifest import COMPLETE, FILE, describe_data, read_manifest


@dataclass(frozen=True)
class ComparedRun:
    """A complete run.

    Attributes:
        folder: Its folder.
        submission: Its submission.
        model: Name of the model.
        signature: Signature of the model; None if it has none.
        missing: Number of items without a result.
        split: Name of the split.

    """

    folder: Path
    submission: Path
    model: str
    signature: str | None
    missing: int
    split: str

    def to_dict(self) -> dict[str, Any]:
        """Return what the output in JSON has.

        Returns:
            ``model``, ``signature``, ``split`` and ``missing``.

        """
        return {"model": self.model, "signature": self.signature, "split": self.split, "missing": self.missing}


def read_runs(files: Sequence[NamedFile], task: str, gold: Path) -> tuple[list[NamedFile], dict[Path, ComparedRun]]:
    """Read the runs among several submissions, and check that they can be compared.

    Args:
        files: Submissions, and folders of runs.
        task: Name of the task.
        gold: The gold file.

    Returns:
        The submissions, where those of runs are named after their models; and the runs by their submissions.

    Raises:
        OSError: A file of a run cannot be read.
        ValueError: A folder is not that of a complete run of this task, of one split and with this gold file.

    """
    folders = [file.path for file in files if file.path.is_dir()]
    if not folders:
        return list(files), {}
    sha256 = describe_data(gold)["sha256"]
    runs = {folder: _read_run(folder, task, gold, sha256) for folder in folders}
    _check_splits([runs[file.path] for file in files if file.path in runs])
    names = Counter(runs[file.path].model for file in files if file.path in runs and file.name is None)
    named = [_named(file, runs[file.path], names) if file.path in runs else file for file in files]
    return named, {run.submission: run for run in runs.values()}


def _named(file: NamedFile, run: ComparedRun, names: Mapping[str, int]) -> NamedFile:
    """Return the submission of a run, named after its model; also after its folder if several have the same model."""
    folder = run.folder.name or run.folder.resolve().name
    name = f"{run.model} ({folder})" if names[run.model] > 1 else run.model
    return replace(file, path=run.submission, name=file.name or name)


def _read_run(folder: Path, task: str, gold: Path, sha256: str) -> ComparedRun:
    if not (folder / FILE).is_file():
        message = translate("a folder without {file}, expected a submission or the folder of a run")
        raise ValueError(f"{format_path(folder)}: {message.format(file=FILE)}")
    manifest = read_manifest(folder)
    if manifest["task"] != task:
        message = translate("a run of the task {found}, not of {task}")
        raise _refused(folder, message, found=_shown(manifest["task"]), task=task)
    if manifest.get("state") != COMPLETE:
        raise _refused(folder, translate("the run is not complete; muge-fast run with the same options continues it"))
    made_with = manifest.get("gold")
    if not isinstance(made_with, dict):
        raise _refused(folder, translate("a run of a split without a gold file"))
    if made_with.get("sha256") != sha256:
        message = translate(
            "the run was made with another gold file than {gold}: the one named {name}, by SHA-256 {hash}"
        )
        name, found = _shown(made_with.get("name")), _shown(made_with.get("sha256"))
        raise _refused(folder, message, gold=format_path(gold), name=name, hash=found)
    return _of_manifest(folder, manifest)


def _of_manifest(folder: Path, manifest: Mapping[str, Any]) -> ComparedRun:
    """Return a run, after checking what its manifest says: the file may come from elsewhere."""
    files, model, missing = manifest.get("files"), manifest.get("model"), manifest.get("missing")
    name = files.get("submission") if isinstance(files, dict) else None
    if not isinstance(name, str) or name != Path(name).name or not (folder / name).is_file():
        message = translate("{file} names no submission in this folder")
        raise _refused(folder, message, file=FILE)
    name_of_model = model.get("name") if isinstance(model, dict) else None
    if not isinstance(name_of_model, str) or not name_of_model.strip() or not isinstance(missing, list):
        raise _refused(folder, translate("{file} lacks the name of the model or the missing items"), file=FILE)
    signature = manifest["model"].get("signature")
    return ComparedRun(
        folder=folder,
        submission=folder / name,
        model=name_of_model,
        signature=signature if isinstance(signature, str) else None,
        missing=len(missing),
        split=_shown(manifest.get("split")),
    )


def _check_splits(runs: Sequence[ComparedRun]) -> None:
    """Raise if runs are of several splits, which may have the same gold file under two names."""
    for run in runs[1:]:
        if run.split != runs[0].split:
            message = translate("a run of the split {found}, and {other} is one of {split}")
            raise _refused(run.folder, message, found=run.split, other=format_path(runs[0].folder), split=runs[0].split)


def _refused(folder: Path, message: str, **values: str) -> ValueError:
    return ValueError(f"{format_path(folder)}: {message.format(**values)}")


def _shown(value: object) -> str:
    return format_id(value) if isinstance(value, str) else format_value(value)
