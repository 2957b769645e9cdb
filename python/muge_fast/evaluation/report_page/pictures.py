"""Pictures inside a page, limited in size."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from muge_fast.datasets.decoding import decode, quiet_decoding
from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.elements import Markup, element

if TYPE_CHECKING:
    from PIL.Image import Image

# First bytes of the image formats that browsers show.
IMAGE_TYPES = {b"\xff\xd8": "jpeg", b"\x89P": "png", b"GI": "gif", b"RI": "webp"}
# Largest width and height of a picture of an item, and of one of many within an item, in pixels.
LARGE, SMALL = 256, 112
# Files with more bytes for each pixel of that square are replaced by a thumbnail.
BYTES_PER_PIXEL = 0.25
# A thumbnail is made of an image that is decoded in at least this many times its width and height.
OVERSAMPLING = 2
# Characters of all pictures of a page.
MAX_PAGE = 16 << 20


class Pictures:
    """Pictures of a page, embedded until they take too much space.

    An image that is not small, or that browsers cannot show, is replaced by a thumbnail, a JPEG on a white ground.

    Args:
        images: Bytes of image files by id, or by its text.
        limit: Characters of all these pictures on the page.
        size: Largest width and height of a picture, in pixels.
        broken: Words in place of an image that cannot be decoded; if empty, it is left out.
        is_lazy: Whether browsers may decode a picture only where it comes into view.

    Attributes:
        is_full: Whether a picture was left out for lack of space.
        has_broken: Whether an image could not be decoded, and words are in its place.

    Example:
        >>> from muge_fast.evaluation.report_page.pictures import Pictures
        >>> pictures = Pictures({"a": b"not an image"}, broken="This image is broken.")
        >>> pictures.image("a", "an image"), pictures.image("b")
        ('<span class="broken-picture">This image is broken.</span>', '')

    """

    def __init__(
        self,
        images: Mapping[Any, bytes],
        limit: int = MAX_PAGE,
        size: int = LARGE,
        *,
        broken: str = "",
        is_lazy: bool = False,
    ) -> None:
        self._images = images
        self._sources: dict[str, str | None] = {}
        self._remaining, self._size, self._broken = limit, size, broken
        self._attributes = {"loading": "lazy", "decoding": "async"} if is_lazy else {}
        self.is_full = self.has_broken = False

    def __bool__(self) -> bool:
        return bool(self._images)

    def image(self, key: object, description: str = "") -> Markup:
        """Return a picture.

        Args:
            key: Id of the image.
            description: Text in place of the picture.

        Returns:
            An element: the picture, or words if the image is broken. Empty if there is no such image, or if the page is
            full.

        Raises:
            ImportError: Pillow is not installed.

        """
        name = str(key)
        if self.is_full:
            return Markup()
        if name not in self._sources:
            self._sources[name] = self._source(key)
        source = self._sources[name]
        if source is None:
            self.has_broken = self.has_broken or bool(self._broken)
            return element("span", self._broken, class_="broken-picture") if self._broken else Markup()
        if len(source) > self._remaining:
            self.is_full = True
            return Markup()
        self._remaining -= len(source)
        return element("img", alt=description, src=source, **self._attributes) if source else Markup()

    def _source(self, key: object) -> str | None:
        """Return the address of a picture, which has its bytes; empty if there is no image, None if it is broken."""
        try:
            # Ids are strings in a TSV file, and integers in a dictionary by the ids of a task.
            data = self._images[str(key) if str(key) in self._images else key]
        except KeyError:
            return ""
        except (ValueError, OSError, zlib.error):
            # Not base64, not what the archive promised, or the file was changed.
            return None
        try:
            data = _shown(data, self._size)
        except (ValueError, OSError):
            return None
        return f"data:image/{IMAGE_TYPES[data[:2]]};base64,{base64.b64encode(data).decode()}"


def given_pictures(content: PageContent, size: int = LARGE) -> Pictures:
    """Return the pictures that were passed for a page.

    Args:
        content: The content of the page.
        size: Largest width and height of a picture, in pixels.

    Returns:
        The pictures; false without any.

    """
    return Pictures(content.images, size=size, broken=content.word("broken_picture"), is_lazy=True)


def _shown(data: bytes, size: int) -> bytes:
    """Return an image file that is small and that browsers show: the same one if it is, or else a thumbnail.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: The image cannot be decoded.

    """
    with quiet_decoding():
        image = decode(data, at_least=OVERSAMPLING * size)
        if len(data) <= BYTES_PER_PIXEL * size**2 and data[:2] in IMAGE_TYPES:
            return data
        image.thumbnail((size, size))
        if image.mode in ("RGBA", "LA", "PA", "P") or "transparency" in image.info:
            image = _on_white(image.convert("RGBA"))
        file = io.BytesIO()
        image.convert("RGB").save(file, "JPEG", quality=85)
        return file.getvalue()


def _on_white(image: Image) -> Image:
    """Return an image without its transparency, as it looks on a white ground."""
    ground = image.copy()
    ground.paste((255, 255, 255, 255), (0, 0, *image.size))
    ground.alpha_composite(image)
    return ground
