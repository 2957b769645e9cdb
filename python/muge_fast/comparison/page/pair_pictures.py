"""Pictures of an item for two systems: the real image, and what both of them generated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from muge_fast.comparison.page.pair_fields import Pair
from muge_fast.evaluation.report_page.content import PageContent
from muge_fast.evaluation.report_page.elements import Markup, element
from muge_fast.evaluation.report_page.pictures import Pictures
from muge_fast.evaluation.report_page.text_to_image import images_of

# Characters of the pictures of one file.
MAX_FILE = 1 << 19
# Largest width and height of a picture, in pixels.
SIZE = 160


class PairPictures:
    """Pictures of the files of several reports, each file opened once."""

    def __init__(self) -> None:
        self._files: dict[tuple[int, str], Pictures] = {}

    def figures(self, pair: Pair, names: Sequence[Markup], key: object) -> Iterator[Markup]:
        """Yield the pictures of an item in one element; nothing if the task has no images.

        Args:
            pair: The two reports.
            names: Names of the two systems.
            key: Id of the item.

        Yields:
            The element.

        """
        if pair.first.task.file_type != "images":
            return
        sides = (
            (Markup(pair.first.word("real")), pair.first, "gold"),
            (names[0], pair.first, "submission"),
            (names[1], pair.second, "submission"),
        )
        figures = []
        for label, content, role in sides:
            image = self._pictures(content, role).image(key)
            if image:
                figures.append(element("figure", image, element("figcaption", label)))
        if figures:
            yield element("div", *figures, class_="pictures")

    def _pictures(self, content: PageContent, role: str) -> Pictures:
        name = (id(content), role)
        if name not in self._files:
            self._files[name] = Pictures(images_of(content, role), MAX_FILE, SIZE)
        return self._files[name]
