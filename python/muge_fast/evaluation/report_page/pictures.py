"""Pictures inside a page, limited in size."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

from muge_fast.datasets.decoding import decode, quiet_decoding
from muge_fast.evaluation.report_page.elements import Markup, element

# First bytes of the image formats that browsers show.
IMAGE_TYPES = {b"\xff\xd8": "jpeg", b"\x89P": "png", b"GI": "gif", b"RI": "webp"}
# Largest width and height of a picture of an item, and of one of many within an item, in pixels.
LARGE, SMALL = 256, 112
# Files with more bytes for each pixel of that square are replaced by a thumbnail.
BYTES_PER_PIXEL = 0.25
# A file that cannot be made smaller, because Pillow is missing or the image is broken, is left out beyond this size.
MAX_UNCHANGED_BYTES = 1 << 18
# Characters of all pictures of a page.
MAX_PAGE = 16 << 20


class Pictures:
    """Pictures of a page, embedded until they take too much space.

    Args:
        images: Bytes of image files by id, or by its text.
        limit: Characters of all these pictures on the page.
        size: Largest width and height of a picture, in pixels.

    Attributes:
        is_full: Whether a picture was left out for lack of space.

    Example:
        >>> from muge_fast.evaluation.report_page.pictures import Pictures
        >>> Pictures({"a": b"GIF"}).image("a", "an image")
        '<img alt="an image" src="data:image/gif;base64,R0lG">'

    """

    def __init__(self, images: Mapping[Any, bytes], limit: int = MAX_PAGE, size: int = LARGE) -> None:
        self._images = images
        self._sources: dict[str, str] = {}
        self._remaining, self._size = limit, size
        self.is_full = False

    def __bool__(self) -> bool:
        return bool(self._images)

    def image(self, key: object, description: str = "") -> Markup:
        """Return a picture.

        Args:
            key: Id of the image.
            description: Text in place of the picture.

        Returns:
            An element; empty if there is no such image, if a browser cannot show it, or if the page is full.

        """
        name = str(key)
        if self.is_full:
            return Markup()
        if name not in self._sources:
            self._sources[name] = self._source(key)
        source = self._sources[name]
        if len(source) > self._remaining:
            self.is_full = True
            return Markup()
        self._remaining -= len(source)
        return element("img", alt=description, src=source) if source else Markup()

    def _source(self, key: object) -> str:
        try:
            # Ids are strings in a TSV file, and integers in a dictionary by the ids of a task.
            data = self._images[str(key) if str(key) in self._images else key]
        except (KeyError, ValueError, OSError):
            # Not there, not base64, or the file was changed.
            return ""
        data = _thumbnail(data, self._size) if len(data) > BYTES_PER_PIXEL * self._size**2 else data
        image_type = IMAGE_TYPES.get(data[:2])
        return "" if image_type is None else f"data:image/{image_type};base64,{base64.b64encode(data).decode()}"


def _thumbnail(data: bytes, size: int) -> bytes:
    """Return a smaller image file; the same one if it is not too large and cannot be decoded, or no bytes."""
    try:
        with quiet_decoding():
            image = decode(data)
        image.thumbnail((size, size))
        file = io.BytesIO()
        if image.mode in ("RGBA", "LA", "PA", "P"):
            image.convert("RGBA").save(file, "PNG")
        else:
            image.convert("RGB").save(file, "JPEG", quality=85)
        return file.getvalue()
    except (ImportError, ValueError, OSError):
        return data if len(data) <= MAX_UNCHANGED_BYTES else b""
