"""Runs of visual question answering: an image and a question go in, an answer comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from muge_fast.datasets.writers import encode_lines
from muge_fast.models.data_folder import DataFiles
from muge_fast.models.data_rows import read_questions
from muge_fast.models.image_store import open_image_store
from muge_fast.models.interface import QuestionAnswerer
from muge_fast.models.stages import Stage
from muge_fast.models.task_runs.task_run import TaskRun
from muge_fast.models.task_runs.texts import checked_text


class AnswerRun(TaskRun):
    """A run of visual question answering.

    Args:
        files: The files of the data set.
        model: A :class:`muge_fast.models.QuestionAnswerer`.
        seed: Has no effect: answers are not random.

    """

    batch_size = 8

    def __init__(self, files: DataFiles, model: QuestionAnswerer, *, seed: int) -> None:
        super().__init__(files, model, seed=seed)
        self.model = model
        assert files.images is not None  # noqa: S101 - for the type checker
        assert files.texts is not None  # noqa: S101 - for the type checker
        self.images = open_image_store(files.images)
        self._questions = read_questions(files.texts)

    @property
    def gold(self) -> Path | None:
        """The gold file; None if the questions have no answers."""
        is_gold = self._questions.have_answers or self.files.gold != self.files.texts
        return self.files.gold if is_gold else None

    @property
    def stages(self) -> list[Stage]:
        """One stage, of answers."""
        return [
            Stage(
                name="answers",
                unit="question",
                items=list(self._questions.by_id),
                load=self._load,
                apply=self._answer,
                encode=_encode,
            )
        ]

    @property
    def pictures(self) -> Mapping[int, bytes]:
        """The image of each question, by the id of the question."""
        assert self.images is not None  # noqa: S101 - for the type checker
        return _ImagesOfQuestions(self.images, {key: question.image for key, question in self._questions.by_id.items()})

    def _load(self, key: int) -> object:
        assert self.images is not None  # noqa: S101 - for the type checker
        return self.images.load(self._questions.by_id[key].image, self.prepare)

    def _answer(self, keys: Sequence[int], images: list[Any]) -> Sequence[str]:
        return self.model.answer(images, [self._questions.by_id[key].text for key in keys])


class _ImagesOfQuestions(Mapping[int, bytes]):
    """The images of questions, read where they are shown; an image may be that of several questions."""

    def __init__(self, images: Mapping[str, bytes], names: Mapping[int, str]) -> None:
        self._images, self._names = images, names

    def __getitem__(self, key: int) -> bytes:
        return self._images[self._names[key]]

    def __iter__(self) -> Iterator[int]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _encode(key: int, answer: object) -> bytes:
    row = {"question_id": key, "answer": checked_text("answer", key, answer)}
    return b"".join(encode_lines("answers", [json.dumps(row, ensure_ascii=False)]))
