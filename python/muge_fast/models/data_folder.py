"""The files of a data set: which of a folder's files belong to a task and a split."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from muge_fast._internal.checks import check_choice
from muge_fast._internal.display import format_path, format_value
from muge_fast._internal.paths import PathLike

# Names of files, those of the benchmark first. Those of Chinese-CLIP and of VQA v2 follow.
NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "caption": {
        "images": ("IC_{split}.tsv", "IC_{split}_imgs.tsv", "IC_{split}.img.tsv"),
        "gold": ("IC_{split}.jsonl",),
    },
    "retrieval": {
        "images": ("MR_{split}_imgs.tsv", "{split}_imgs.tsv"),
        "texts": ("MR_{split}_queries.jsonl", "{split}_queries.jsonl", "{split}_texts.jsonl"),
    },
    "t2i": {
        "texts": ("T2I_{split}.text.tsv", "T2I_{split}.txt.tsv"),
        "gold": ("T2I_{split}.img.tsv",),
    },
    "vqa": {
        "images": ("VQA_{split}.tsv", "VQA_{split}_imgs.tsv", "{split}"),
        "texts": (
            "VQA_{split}.jsonl",
            "v2_OpenEnded_mscoco_{split}_questions.json",
            "OpenEnded_mscoco_{split}_questions.json",
        ),
        "gold": (
            "VQA_{split}.jsonl",
            "v2_mscoco_{split}_annotations.json",
            "mscoco_{split}_annotations.json",
        ),
    },
}

# A test set has no gold file.
OPTIONAL = ("gold",)
# Names of one split in different data sets.
SAME_SPLIT = ("valid", "val", "dev")
# What a split may be named, as a part of names of files.
SPLIT = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# Names that a message lists.
LISTED = 20


@dataclass(frozen=True)
class DataFiles:
    """The files of a task and a split.

    Attributes:
        images: Image TSV of the images that the model gets, or a folder of image files; None for text-to-image.
        texts: File of queries, of texts or of questions; None for captions.
        gold: Gold file; None for a split without one. For retrieval it is the file of queries, if it has their items.

    Example:
        >>> from muge_fast.models.data_folder import DataFiles
        >>> DataFiles(images=None, texts=None, gold=None).given()
        {}

    """

    images: Path | None
    texts: Path | None
    gold: Path | None

    def given(self) -> dict[str, Path]:
        """Return the files by name, without those that the split does not have.

        Returns:
            Paths by ``"images"``, ``"texts"`` and ``"gold"``.

        """
        files = {"images": self.images, "texts": self.texts, "gold": self.gold}
        return {role: path for role, path in files.items() if path is not None}


def find_data(task: str, folder: PathLike, split: str) -> DataFiles:
    """Find the files of a task and a split by their names, in a folder or in one of its folders.

    Args:
        task: ``"retrieval"``, ``"caption"``, ``"t2i"`` or ``"vqa"``.
        folder: Folder with the files as the benchmark names them, such as ``IC_valid.tsv`` and ``IC_valid.jsonl``.
            Files of Chinese-CLIP (``valid_imgs.tsv``, ``valid_texts.jsonl``) and of VQA v2 are found too.
        split: Name of the split in the names of the files. ``"valid"``, ``"val"`` and ``"dev"`` stand for each other.

    Returns:
        The files.

    Raises:
        FileNotFoundError: There is no such folder, or it lacks a file that the task needs.
        ValueError: The task is unknown, ``split`` cannot be a part of a name, or several files are candidates.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.models.data_folder import find_data
        >>> with tempfile.TemporaryDirectory() as name:
        ...     folder = pathlib.Path(name)
        ...     _ = (folder / "IC_test.tsv").write_text("")
        ...     files = find_data("caption", folder, "test")
        >>> files.images.name, files.gold
        ('IC_test.tsv', None)

    """
    roles = NAMES[check_choice("task", task, NAMES)]
    if not isinstance(split, str) or not SPLIT.fullmatch(split) or split in (".", ".."):
        raise ValueError(f"split is {format_value(split)}, needs a part of the names of files such as 'valid'")
    root = Path(folder)
    if root.is_file():
        raise ValueError(f"data: {format_path(root)} is a file; pass its folder, and unpack it if it is an archive")
    if not root.is_dir():
        raise FileNotFoundError(f"data: {format_path(root)}: no such folder")
    folders = [root, *sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))]
    found = {role: _find(folders, _names(patterns, split)) for role, patterns in roles.items()}
    for role, path in found.items():
        if path is None and role not in OPTIONAL:
            wanted = " or ".join(_names(roles[role], split))
            raise FileNotFoundError(
                f"data: {format_path(root)}: no file of {role} for the split {split!r}, needs {wanted}; "
                f"there are {_listed(folders)}"
            )
    return DataFiles(found.get("images"), found.get("texts"), found.get("gold"))


def _names(patterns: Sequence[str], split: str) -> list[str]:
    """Return the names that a file may have, those with the split as it was given first."""
    splits = [split, *(other for other in SAME_SPLIT if split in SAME_SPLIT and other != split)]
    return [pattern.format(split=name) for name in splits for pattern in patterns]


def _find(folders: Sequence[Path], names: Sequence[str]) -> Path | None:
    """Return the first name that exists; it must be in one folder."""
    for name in names:
        # The folder itself comes first, whatever is below it.
        if _fits(folders[0] / name):
            return folders[0] / name
        candidates = [folder / name for folder in folders[1:] if _fits(folder / name)]
        if len(candidates) > 1:
            both = " and ".join(format_path(path) for path in candidates[:2])
            raise ValueError(f"data: there are {both}: pass the folder of one of them")
        if candidates:
            return candidates[0]
    return None


def _fits(path: Path) -> bool:
    """Return whether a path is a file; or a folder, for a name without a suffix."""
    try:
        return path.is_file() if path.suffix else path.is_dir()
    except PermissionError:  # Such as lost+found.
        return False


def _listed(folders: Sequence[Path]) -> str:
    names = list(_file_names(folders))
    rest = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{', '.join(names[:LISTED])}{rest}" if names else "no files"


def _file_names(folders: Sequence[Path]) -> Iterator[str]:
    root = folders[0]
    for folder in folders:
        if not os.access(folder, os.R_OK | os.X_OK):
            continue
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if not entry.name.startswith(".") and entry.is_file():
                yield format_path(Path(entry.path).relative_to(root))
