"""Reading a file of images as rows of a task: everything that is wrong with it is told."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from muge_fast._internal.paths import magic_bytes_problem
from muge_fast.datasets.decoding import broken_images
from muge_fast.datasets.image_tsv import ImageTsv
from muge_fast.datasets.problems import Problem
from muge_fast.datasets.row_reader import Limits, Reader, Rows
from muge_fast.tasks.task import Task


class ImageReader(Reader):
    """Reads a file of images.

    Args:
        task: The task.
        limits: How much is looked at.
        known: Ids of the gold file; of others nothing is decoded. None for all images.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.datasets.image_reader import ImageReader
        >>> ImageReader(mf.tasks.get("t2i"), mf.Limits()).rows.count
        0

    """

    FILE_BYTES, LINE_BYTES = 1 << 34, 1 << 26

    def __init__(self, task: Task, limits: Limits, known: Collection[str] | None = None) -> None:
        super().__init__(task, limits)
        self.known = known
        self.rows.form = task.forms[0]
        self.images: ImageTsv | None = None

    def read(self, path: str | os.PathLike[str]) -> Rows:
        """Read a file; images are decoded by :meth:`decode`.

        Raises:
            OSError: There is no such file, or it may not be read.

        """
        if not self._is_file(path) or not self._is_small(Path(path).stat().st_size):
            return self.rows
        with Path(path).open("rb") as file:
            code = magic_bytes_problem(file.read(4))
        if code is not None:
            self.tell(Problem(code))
            return self.rows
        # Of more images than this, so many have ids that are unknown or come twice that nothing more is told.
        most = None if self.known is None else len(self.known) + self.limits.counted
        images = ImageTsv(path, broken="skip", most_images=most, most_broken=max(1, self.limits.counted))
        self.images = images
        for line in images.broken[: self.limits.counted]:
            self.tell(self._problem(line.code, line.number))
        self.rows.values = dict.fromkeys(images)
        self.rows.lines = {key: images.line(key) for key in images}
        if not self.rows.values and not self.rows.count:
            self.tell(Problem("empty"))
        return self.rows

    def decode(self) -> None:
        """Decode images once."""
        if self.images is None:
            return
        wanted = set(self.images if self.known is None else self.known)
        keys = []
        for key in filter(wanted.__contains__, self.images):
            if (size := self.images.base64_size(key)) <= self.line_bytes:
                keys.append(key)
                continue
            limits = {"size": size, "limit": self.line_bytes}
            self.tell(self._problem("long_line", self.images.line(key), key, limits))
        for key, reason in broken_images(self.images, keys, most_pixels=self.limits.pixels):
            if self.rows.count >= self.limits.counted:
                return
            details = {"reason": reason.rpartition(": ")[2][:100]}
            self.tell(self._problem("broken_image", self.images.line(key), key, details))

    def values_of(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Give all images: they are read when they are asked for, and their order does not matter."""
        del ids
        return self.images or {}

    def _problem(self, code: str, line: int, key: Any = None, details: Mapping[str, Any] | None = None) -> Problem:  # noqa: ANN401
        form = self.task.forms[0]
        return Problem(code, line, form.id, key, form.value, details or {})
