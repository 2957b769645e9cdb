"""``Meteor``, without Java."""

from __future__ import annotations

from muge_fast.caption.meteor import meteor_corpus, meteor_items, meteor_rows
from muge_fast.compat.pycocoevalcap.items import Texts, missing_ids

SEPARATOR = "|||"


class Meteor:
    """METEOR 1.5 as pycocoevalcap runs it, 0 to 1: English, with the options ``-norm`` and all four modules.

    Texts with a Latin letter or a digit need data of pycocoevalcap, of the extra ``coco``. ``|||`` is removed from
    captions, and separates references within one, as in the original. A line break is white space; in the original, it
    breaks the connection to the program in Java.

    Example:
        >>> from muge_fast.compat.pycocoevalcap import Meteor
        >>> gts = {"a": ["红 色 长 裙"], "b": ["黑 鞋"]}
        >>> score, scores = Meteor().compute_score(gts, {"a": ["红 色 裙"], "b": ["黑 鞋"]})
        >>> scores[1]
        1.0

    """

    def compute_score(self, gts: Texts, res: Texts) -> tuple[float, list[float]]:
        """Compute METEOR of the whole set and of each caption.

        Args:
            gts: References: a list of texts for each id.
            res: Captions: a list of one text for the same ids.

        Returns:
            The score of the sums of all captions' statistics, which is not the mean, and the score of each caption in
            the order of ``gts``.

        Raises:
            AssertionError: Ids that differ, or an id without exactly one caption.
            TypeError: A text that is not a string.
            ValueError: A text that is not valid Unicode, or is too long.
            ImportError: A text has a Latin letter or a digit, and pycocoevalcap is not installed.

        Example:
            >>> from muge_fast.compat.pycocoevalcap import Meteor
            >>> score, scores = Meteor().compute_score({1: ["红色长裙"]}, {1: ["黑色男鞋"]})
            >>> round(score, 6), [round(value, 6) for value in scores]
            (0.1, [0.1])

        """
        if gts.keys() != res.keys():
            problem = missing_ids("res", res, gts) or missing_ids("gts", gts, res)
            raise AssertionError(f"gts and res have different ids: {problem}")
        captions: list[str] = []
        references: list[list[str]] = []
        for item in gts:
            if len(res[item]) != 1:
                raise AssertionError(f"caption of {item!r}: expected a list of one str, found {len(res[item])}")
            caption, texts = _separate(res[item][0], list(gts[item]))
            captions.append(caption)
            references.append(texts)
        if not captions:
            return 0.0, []
        rows = meteor_rows(captions, references, list(gts))
        return meteor_corpus(rows), meteor_items(rows).tolist()

    def method(self) -> str:
        """Return the name of the metric."""
        return "METEOR"


def _separate(caption: str, references: list[str]) -> tuple[str, list[str]]:
    """Return the caption and the references that the original program finds in the line that it is sent."""
    if type(caption) is not str or any(type(text) is not str for text in references):
        # The core names the text.
        return caption, references
    caption = caption.replace(SEPARATOR, "").replace("  ", " ")
    line = f" {SEPARATOR} ".join((f" {SEPARATOR} ".join(references), caption))
    if line.count(SEPARATOR) == len(references) and references:
        return caption, references
    *texts, last = line.split(SEPARATOR)
    return last, texts
