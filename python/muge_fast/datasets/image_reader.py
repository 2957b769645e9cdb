"""Reading a TSV file of images as rows of a task, with every problem and its line number."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from muge_fast._internal.file_kinds import HEAD_BYTES
from muge_fast._internal.paths import PathLike, open_file
from muge_fast.datasets.decoding import broken_images, quiet_decoding
from muge_fast.datasets.fields import RowFormat
from muge_fast.datasets.image_tsv import ImageTsv
from muge_fast.datasets.input_file import InputFile
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.problems import Problem
from muge_fast.datasets.recognition import tsv_problem
from muge_fast.datasets.rows import Reader

# Characters of a decoder's message that are kept.
REASON_LENGTH = 100


class ImageReader(Reader):
    """A reader of a TSV file of images. Its rows have ids but no values.

    Args:
        row_format: Fields of a row; their names appear in messages.
        limits: Limits on the file, the images and the problems.
        wanted: Ids of the gold file; other images are not decoded. None for all images.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.datasets.image_reader import ImageReader
        >>> ImageReader(mf.tasks.get("t2i").submission_format, mf.Limits()).rows.problem_count
        0

    """

    FILE_BYTES, LINE_BYTES = 1 << 34, 1 << 26

    def __init__(self, row_format: RowFormat, limits: Limits, wanted: Collection[str] | None = None) -> None:
        super().__init__(row_format, limits)
        self.wanted = wanted
        self.rows.names = row_format.names[0]
        self.images: ImageTsv | None = None

    def _read(self, path: PathLike) -> None:
        """Read the ids; :meth:`decode` then checks the images."""
        with open_file(path) as file:
            size, head = os.fstat(file.fileno()).st_size, file.read(HEAD_BYTES)
        if not self._check_size(size):
            return
        self.source = InputFile(path)
        problem = tsv_problem(head, has_images=True)
        if problem is not None:
            self.add_problem(problem)
            return
        stop_after = self.limits.stop_after
        # Beyond this number of images, those with unknown or repeated ids alone reach the limit of problems.
        max_images = None if self.wanted is None else len(self.wanted) + stop_after
        images = ImageTsv(path, broken="skip", max_images=max_images, max_broken=max(1, stop_after))
        self.images = images
        for line in images.broken_lines[:stop_after]:
            self._add(line.code, line.number)
        self.rows.values = dict.fromkeys(images)
        if not self.rows.values and not self.rows.problem_count:
            self.add_problem(Problem("empty"))

    def decode(self) -> None:
        """Decode the wanted images once, and add a problem for each that is too long, too large or broken."""
        if self.images is None:
            return
        wanted = set(self.images if self.wanted is None else self.wanted)
        keys = []
        for key in filter(wanted.__contains__, self.images):
            size = self.images.base64_size(key)
            if size <= self.line_bytes:
                keys.append(key)
            else:
                self._add("long_line", self.line_of(key), key, {"size": size, "limit": self.line_bytes})
        with quiet_decoding():
            for key, reason in broken_images(self.images, keys, max_pixels=self.limits.pixels):
                if not self.remaining:
                    return
                details = {"reason": reason.rpartition(": ")[2][:REASON_LENGTH]}
                self._add("broken_image", self.line_of(key), key, details)

    def line_of(self, key: object) -> int:
        """Return the line number of an image.

        Args:
            key: Its id.

        Returns:
            The number, from 1.

        """
        assert self.images is not None  # noqa: S101 - ids come from the file
        return self.images.line(str(key))

    def values_for(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Return all images, each of which is read when it is used.

        Args:
            ids: Has no effect: the order of images does not matter for scores.

        Returns:
            The bytes of each image by id.

        """
        del ids
        return self.images or {}

    def _add(
        self, code: str, line: int, key: str | None = None, details: Mapping[str, object] = MappingProxyType({})
    ) -> None:
        self.add_problem(Problem(code, line, self.names.id, key, self.names.value, details))
