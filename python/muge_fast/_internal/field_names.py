"""Names of the fields of MUGE's files, for all readers and writers."""

from __future__ import annotations

from dataclasses import dataclass


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

FEATURE_IDS = (IMAGE_TO_TEXT.id, TEXT_TO_IMAGE.id, QUERY.id)
"""Names of the id field of a feature file."""

FEATURE = "feature"
"""Name of the field of a feature file that holds the vector."""
