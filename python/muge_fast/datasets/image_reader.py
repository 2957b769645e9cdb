"""Reading a TSV file of images as rows of a task, with every problem and its line number."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType

from muge_fast._internal.file_kinds import HEAD_BYTES
from muge_fast._internal.paths import PathLike, open_file
from muge_fast.datasets.decoding import broken_images, quiet_decoding
from muge_fast.datasets.fields import RowFormat
from muge_fast.datasets.growing_image_tsv import GrowingImageTsv
from muge_fast.datasets.image_tsv import ChangedFileError, ImageTsv
from muge_fast.datasets.input_file import InputFile
from muge_fast.datasets.limits import Limits
from muge_fast.datasets.problems import Problem
from muge_fast.datasets.recognition import tsv_problem
from muge_fast.datasets.rows import Reader

# Characters of a decoder's message that are kept.
REASON_LENGTH = 100
# Beginning of the reasons why an image that can be decoded is refused.
LIMIT_REASON = "has "
# Problems of a line that may be those of a line that is cut off.
CUT_CODES = {"no_tab", "no_image", "bad_id"}
# First characters in base64 of JPEG, PNG, GIF, WebP, BMP and TIFF.
MAGIC = b"/9j/", b"iVBORw0KGgo", b"R0lGOD", b"UklGR", b"Qk", b"SUkq", b"TU0A"
MAGIC_LENGTH = 12
PNG_CHECKSUM = 4
URL_SAFE = bytes.maketrans(b"-_", b"+/")


class ImageReader(Reader):
    """A reader of a TSV file of images. Its rows have ids but no values.

    Args:
        row_format: Fields of a row; their names appear in messages.
        limits: Limits on the file, the images and the problems.
        wanted: Ids of the gold file; other images are not decoded. None for all images.
        is_trusted: Whether all lines are read at once, as those of a gold file. Otherwise :meth:`decode` reads on.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.datasets.image_reader import ImageReader
        >>> ImageReader(mf.tasks.get("t2i").submission_format, mf.Limits()).rows.problem_count
        0

    """

    FILE_BYTES, LINE_BYTES = 1 << 34, 1 << 26

    def __init__(
        self,
        row_format: RowFormat,
        limits: Limits,
        wanted: Collection[str] | None = None,
        *,
        is_trusted: bool = False,
    ) -> None:
        super().__init__(row_format, limits)
        self.wanted, self._is_trusted = wanted, is_trusted
        self.rows.names = row_format.names[0]
        self.images: ImageTsv | None = None
        # Number of broken lines whose problems have been added.
        self._broken_lines = 0

    def _read(self, path: PathLike) -> None:
        """Read the ids, or those of the first part; :meth:`decode` then checks the images and reads on."""
        with open_file(path) as file:
            size, head = os.fstat(file.fileno()).st_size, file.read(HEAD_BYTES)
        if not self._check_size(size):
            return
        self.source = InputFile(path)
        problem = tsv_problem(head, has_images=True)
        if problem is not None:
            self.add_problem(problem)
            return
        max_broken = max(1, self.limits.stop_after)
        try:
            if self._is_trusted:
                self.images = ImageTsv(path, broken="skip", max_broken=max_broken)
                self._add_part(list(self.images))
            else:
                # Beyond this number of images, those with unknown or repeated ids alone reach the limit of problems.
                max_images = None if self.wanted is None else len(self.wanted) + self.limits.stop_after
                images = self.images = GrowingImageTsv(path, max_images=max_images, max_broken=max_broken)
                self._add_part(images.keys_of_part)
        except ChangedFileError:
            self.add_problem(Problem("changed"))
        if not self.rows.values and not self.rows.problem_count:
            self.add_problem(Problem("empty"))

    def decode(self) -> None:
        """Decode the wanted images once, and add a problem for each that is too long, too large or broken.

        Images beyond those of a part are read if the part has too few problems to stop.
        """
        images = self.images
        try:
            if isinstance(images, GrowingImageTsv):
                self._decode_part(images, images.keys_of_part)
                while self.wanted is None and self.remaining and images.index_next_part(self.remaining):
                    self._add_part(images.keys_of_part)
                    self._decode_part(images, images.keys_of_part)
        except ChangedFileError:
            self.add_problem(Problem("changed"), is_first=True)

    def _add_part(self, keys: Iterable[str]) -> None:
        """Add the ids of a part, and the problems of its lines."""
        assert self.images is not None  # noqa: S101 - the part is theirs
        for line in islice(self.images.broken_lines, self._broken_lines, self._broken_lines + self.remaining):
            is_cut = line.code in CUT_CODES and line.number == self.images.unended_line
            self._add("truncated" if is_cut else line.code, line.number)
        self._broken_lines = len(self.images.broken_lines)
        self.rows.values.update(dict.fromkeys(keys))

    def _decode_part(self, images: ImageTsv, keys: Iterable[str]) -> None:
        if self.wanted is not None:
            keys = filter(set(self.wanted).__contains__, keys)
        with quiet_decoding():
            short = list(self._short_lines(images, keys))
            if not self.remaining:
                return
            broken = ""
            for broken, reason in broken_images(images, short, max_pixels=self.limits.pixels):
                if self._is_cut_off(images, broken, reason):
                    self._add("truncated", self.line_of(broken), broken)
                    return
                details = {"reason": reason.rpartition(": ")[2][:REASON_LENGTH]}
                self._add("broken_image", self.line_of(broken), broken, details)
                if not self.remaining:
                    return
        # Decoders accept some files without an end.
        last = short[-1] if short else broken
        if last != broken and images.line(last) == images.unended_line and _lacks_end(images[last]):
            self._add("truncated", self.line_of(last), last)

    def _is_cut_off(self, images: ImageTsv, key: str, reason: str) -> bool:
        """Return whether a broken image is that of a last line in whose middle the file ends.

        A last line without a line end may also be one of many that are broken.
        """
        if images.line(key) != images.unended_line or reason.startswith(LIMIT_REASON):
            return False
        text = images.base64(key)[:MAGIC_LENGTH].translate(URL_SAFE)
        is_only_one = all(group.first.code != "broken_image" for group in self.rows.groups)
        return is_only_one and (len(text) < MAGIC_LENGTH or text.startswith(MAGIC))

    def _short_lines(self, images: ImageTsv, keys: Iterable[str]) -> Iterator[str]:
        """Yield the ids of images that are not too long, and add a problem for the others."""
        for key in keys:
            size = images.base64_size(key)
            if size <= self.line_bytes:
                yield key
            elif self.remaining:
                self._add("long_line", self.line_of(key), key, {"size": size, "limit": self.line_bytes})

    def line_of(self, key: object) -> int:
        """Return the line number of an image.

        Args:
            key: Its id.

        Returns:
            The number, from 1.

        """
        assert self.images is not None  # noqa: S101 - ids come from the file
        return self.images.line(str(key))

    def values_for(self, ids: Collection[str]) -> Mapping[str, bytes]:
        """Return all images, each of which is read when it is used.

        Args:
            ids: Has no effect: the order of images does not matter for scores.

        Returns:
            The bytes of each image by id.

        """
        del ids
        return self.images or {}

    def was_changed(self) -> bool:
        """Return whether the file was changed or removed since it was opened.

        Returns:
            False for the file as it was checked.

        """
        if super().was_changed():
            return True
        try:
            if self.images is not None:
                self.images.check_unchanged()
        except ChangedFileError:
            return True
        return False

    def _add(
        self, code: str, line: int, key: str | None = None, details: Mapping[str, object] = MappingProxyType({})
    ) -> None:
        self.add_problem(Problem(code, line, self.names.id, key, self.names.value, details))


def _lacks_end(image: bytes) -> bool:
    """Return whether an image is a PNG or JPEG file without its last bytes."""
    if image.startswith(b"\x89PNG"):
        end = image.rfind(b"IEND")
        return end < 0 or end + len(b"IEND") + PNG_CHECKSUM > len(image)
    return image.startswith(b"\xff\xd8") and image.rfind(b"\xff\xd9") < image.rfind(b"\xff\xda")
