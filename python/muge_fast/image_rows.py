"""Reading a file of images as rows of a task: everything that is wrong with it is told."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from muge_fast.datasets.image_tsv import ImageTsv
from muge_fast.problems import Problem
from muge_fast.tasks.declaration import Task
from muge_fast.validation import Limits, Rows

CODES = {
    "has no tab after the id": "no_tab",
    "has no id before the tab": "no_id",
    "has an id that is not UTF-8": "bad_id",
    "has no image after the tab": "no_image",
}
SECOND = re.compile(r"line (\d+) has the id (.*) a second time", re.DOTALL)


class ImageReader:
    """Reads one side of a task whose rows are images.

    Args:
        task: The task.
        limits: How much is looked at; lines may have any length.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.image_rows import ImageReader
        >>> ImageReader(mf.tasks.get("t2i"), mf.Limits()).rows.count
        0

    """

    def __init__(self, task: Task, limits: Limits) -> None:
        self.task, self.limits = task, limits
        self.rows = Rows(form=task.forms[0])
        self.images: Mapping[str, bytes] = {}

    def read(self, path: str | os.PathLike[str], *, decode: bool) -> Rows:
        """Read a file, and decode its images once if asked to.

        Raises:
            OSError: There is no such file, or it may not be read.

        """
        kind = Path(path).stat()
        if not stat.S_ISREG(kind.st_mode):
            self.tell(Problem("directory" if stat.S_ISDIR(kind.st_mode) else "not_regular"))
            return self.rows
        if kind.st_size > self.limits.file_bytes:
            self.tell(Problem("too_large", details={"size": kind.st_size, "limit": self.limits.file_bytes}))
            return self.rows
        images = ImageTsv(path, broken="skip")
        self.images = images
        for problem in images.problems:
            self._tell_line(problem)
        self.rows.values = dict.fromkeys(images)
        self.rows.lines = {key: images.line(key) for key in images}
        if decode:
            self._decode(images)
        if not self.rows.values and not self.rows.count:
            self.tell(Problem("empty"))
        return self.rows

    def tell(self, problem: Problem) -> None:
        """Add a problem."""
        self.rows.count += 1
        if len(self.rows.problems) < self.limits.listed:
            self.rows.problems.append(problem)

    def find_lines(self) -> None:
        """Know the line of each id, which the index does."""

    def _tell_line(self, text: str) -> None:
        again = SECOND.fullmatch(text)
        if again is not None:
            self.tell(self._problem("second_image", int(again[1])))
            return
        number, _, problem = text.removeprefix("line ").partition(" ")
        self.tell(self._problem(CODES[problem], int(number)))

    def _decode(self, images: ImageTsv) -> None:
        from muge_fast.image.verdict import decode_all  # noqa: PLC0415 - it imports torch

        for key, reason in decode_all(images).items():
            details = {"reason": reason.rpartition(": ")[2][:100]}
            self.tell(self._problem("broken_image", images.line(key), key, details))

    def _problem(self, code: str, line: int, key: Any = None, details: Mapping[str, Any] | None = None) -> Problem:  # noqa: ANN401
        form = self.task.forms[0]
        return Problem(code, line, form.id, key, form.value, details or {})
