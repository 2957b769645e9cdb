"""Runs of captions: an image goes in, a caption comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from muge_fast.datasets.jsonl import read_captions
from muge_fast.datasets.writers import caption_line, encode_lines
from muge_fast.models.data_folder import DataFiles
from muge_fast.models.image_store import open_image_store
from muge_fast.models.interface import Captioner
from muge_fast.models.stages import NoResultError, Stage
from muge_fast.models.task_runs.task_run import TaskRun
from muge_fast.models.task_runs.texts import checked_text


class CaptionRun(TaskRun):
    """A run of captions. The images are those of the gold file, or all if there is none.

    Args:
        files: The files of the data set.
        model: A :class:`muge_fast.models.Captioner`.
        seed: Has no effect: captions are not random.

    """

    batch_size = 8

    def __init__(self, files: DataFiles, model: Captioner, *, seed: int) -> None:
        super().__init__(files, model, seed=seed)
        self.model = model
        assert files.images is not None  # noqa: S101 - for the type checker
        self.images = open_image_store(files.images)
        gold = None if files.gold is None else read_captions(files.gold, kind="references")
        self._ids = list(self.images) if gold is None else list(map(str, gold))

    @property
    def stages(self) -> list[Stage]:
        """One stage, of captions."""
        return [
            Stage(name="captions", unit="image", items=self._ids, load=self._load, apply=self._caption, encode=_encode)
        ]

    def _load(self, key: str) -> object:
        assert self.images is not None  # noqa: S101 - for the type checker
        return self.images.load(key, self.prepare)

    def _caption(self, _: Sequence[str], images: list[Any]) -> Sequence[str]:
        return self.model.caption(images)


def _encode(key: str, caption: object) -> bytes:
    text = checked_text("caption", key, caption)
    if not text:
        raise NoResultError("the caption is empty")
    return b"".join(encode_lines("captions", [caption_line(key, text, is_list=False)]))
