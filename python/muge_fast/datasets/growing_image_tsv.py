"""Untrusted image files, which are indexed part by part."""

from __future__ import annotations

from muge_fast._internal.paths import PathLike
from muge_fast.datasets.image_tsv import ImageTsv

# Images of the first part.
FIRST_PART = 1 << 14


class GrowingImageTsv(ImageTsv):
    """An :class:`ImageTsv` that indexes one part of its file after the other, and leaves out broken lines.

    The images of one part can be checked before the next one is indexed, so that a file of millions of tiny lines
    that are not images takes little memory. A part has at least 16,384 images, or half as many as there are before it.

    Args:
        path: The file.
        max_images: Number of images of the first part; None for 16,384.
        max_broken: Number of broken lines after which the first part ends.

    Attributes:
        keys_of_part: Ids of the last part.

    Raises:
        OSError: The file cannot be read.
        ValueError: A file that is compressed, not a regular file, or begins with a byte order mark.

    Example:
        >>> import pathlib, tempfile
        >>> from muge_fast.datasets.growing_image_tsv import GrowingImageTsv
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "images.tsv"
        ...     GrowingImageTsv.write(path, {"a": b"1", "b": b"2", "c": b"3"})
        ...     images = GrowingImageTsv(path, max_images=2, max_broken=1)
        ...     list(images), images.index_next_part(1), images.keys_of_part
        (['a', 'b'], True, ['c'])

    """

    def __init__(self, path: PathLike, *, max_images: int | None, max_broken: int) -> None:
        super().__init__(path, broken="skip", max_images=max_images or FIRST_PART, max_broken=max_broken)
        self.keys_of_part = list(self)

    def index_next_part(self, max_broken: int) -> bool:
        """Index the next part.

        Args:
            max_broken: Number of broken lines after which it ends, at least 1.

        Returns:
            Whether there was anything but blank lines.

        Raises:
            OSError: The file cannot be read, or was changed.

        """
        before, broken = len(self._starts), len(self.broken_lines)
        self.keys_of_part = self._index_lines(None, max(FIRST_PART, before // 2), max_broken)
        return len(self._starts) > before or len(self.broken_lines) > broken
