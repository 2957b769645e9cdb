"""Names of the fields of MUGE's files, for all readers and writers."""

from __future__ import annotations

from dataclasses import dataclass

from muge_fast._internal.checks import check_choice


@dataclass(frozen=True)
class FieldNames:
    """Names of the two fields of a row.

    Attributes:
        id: Name of the field with the id.
        value: Name of the field with the value that is scored.

    Example:
        >>> from muge_fast.tasks import FieldNames
        >>> FieldNames("query_id", "item_ids").value
        'item_ids'

    """

    id: str
    value: str

    def __str__(self) -> str:
        return f"{self.id}, {self.value}"


CAPTION = FieldNames("image_id", "text")
LABEL = FieldNames("image_id", "label")
IMAGE = FieldNames("img_id", "image")
QUERY = FieldNames("query_id", "item_ids")
TEXT_TO_IMAGE = FieldNames("text_id", "image_ids")
IMAGE_TO_TEXT = FieldNames("image_id", "text_ids")

RETRIEVAL = (QUERY, TEXT_TO_IMAGE, IMAGE_TO_TEXT)
"""Names of the fields of retrieval files: those of MUGE, then those of Chinese-CLIP in both directions."""

QUERY_TEXTS = ("query_text", "text")
"""Fields of a retrieval row that hold the text of the query: in MUGE, in Chinese-CLIP."""

IMAGE_IDS = (IMAGE_TO_TEXT.id, "item_id")
TEXT_IDS = (TEXT_TO_IMAGE.id, QUERY.id)
"""Names of the id field of a feature file of images, and of one of texts."""

FEATURE_IDS = (*IMAGE_IDS, *TEXT_IDS)
"""Names of the id field of a feature file."""

FEATURE = "feature"
"""Name of the field of a feature file that holds the vector."""

DIRECTIONS = ("text-to-image", "image-to-text")
"""Directions of a search: images for each text, or texts for each image."""

RETRIEVAL_FIELDS = {
    "muge": {"text-to-image": QUERY},
    "chinese-clip": {"text-to-image": TEXT_TO_IMAGE, "image-to-text": IMAGE_TO_TEXT},
}
"""Names of the fields of retrieval files by benchmark and direction."""


def retrieval_fields(fields: str, direction: str) -> FieldNames:
    """Return the names of the fields of a retrieval file.

    Args:
        fields: ``"muge"`` or ``"chinese-clip"``.
        direction: ``"text-to-image"`` or ``"image-to-text"``.

    Returns:
        The names.

    Raises:
        TypeError: An argument is not a string.
        ValueError: An argument is unknown, or MUGE has no names for the direction.

    Example:
        >>> from muge_fast._internal.field_names import retrieval_fields
        >>> str(retrieval_fields("muge", "text-to-image"))
        'query_id, item_ids'

    """
    by_direction = RETRIEVAL_FIELDS[check_choice("fields", fields, RETRIEVAL_FIELDS)]
    names = by_direction.get(check_choice("direction", direction, DIRECTIONS))
    if names is None:
        raise ValueError("fields 'muge' has no names for image-to-text, which only 'chinese-clip' has")
    return names
