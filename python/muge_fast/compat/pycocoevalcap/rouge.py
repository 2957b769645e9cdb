"""``Rouge``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muge_fast.compat.pycocoevalcap.items import Items, Texts, mean_and_scores, warn_about_uncut_text

if TYPE_CHECKING:
    from muge_fast.scores import FloatArray


class Rouge:
    """ROUGE-L as in pycocoevalcap, with beta 1.2, 0 to 1.

    Texts are split at each single space: two spaces enclose an empty token, and an empty text is one empty token. Empty
    tokens match each other.

    Example:
        >>> from muge_fast.compat.pycocoevalcap import Rouge
        >>> score, scores = Rouge().compute_score({"a": ["红 色 长 裙"], "b": [""]}, {"a": ["红 色 裙 子"], "b": [""]})
        >>> scores.tolist()
        [0.75, 1.0]

    """

    @property
    def beta(self) -> float:
        """Weight of recall relative to precision, 1.2; read-only."""
        return 1.2

    def calc_score(self, candidate: list[str], refs: list[str]) -> float:
        """Compute ROUGE-L of one caption.

        Args:
            candidate: A list of one tokenized text.
            refs: Its references, at least one.

        Returns:
            The score, 0 to 1.

        Raises:
            AssertionError: Not exactly one caption, or no references.
            TypeError: A text that is not a string.
            ValueError: A text that is not valid Unicode (a lone surrogate).

        Example:
            >>> from muge_fast.compat.pycocoevalcap import Rouge
            >>> Rouge().calc_score(["红 色 裙 子"], ["红 色 长 裙"])
            0.75

        """
        items = Items.from_rows([("candidate", list(candidate), list(refs))])
        return float(items.statistics("rouge_l", "space")[0])

    def compute_score(self, gts: Texts, res: Texts) -> tuple[np.float64, FloatArray]:
        """Compute ROUGE-L of the whole set and of each caption.

        Args:
            gts: References: a list of tokenized texts for each id.
            res: Captions: a list of one tokenized text for the same ids.

        Returns:
            The mean score, and the score of each caption: float64 of shape ``(len(gts),)``, in the order of ``gts``.

        Raises:
            AssertionError: Ids that differ, an id without exactly one caption, or without references.
            TypeError: A text that is not a string.
            ValueError: A text that is not valid Unicode (a lone surrogate).

        Example:
            >>> from muge_fast.compat.pycocoevalcap import Rouge
            >>> Rouge().compute_score({"a": ["红 裙"], "b": ["黑 鞋"]}, {"a": ["红 裙"], "b": ["白 衫"]})[1].tolist()
            [1.0, 0.0]

        """
        warn_about_uncut_text(gts, res)
        items = Items.from_mappings(gts, res)
        return mean_and_scores(items.statistics("rouge_l", "space") if items.ids else np.zeros(0))

    def method(self) -> str:
        """Return the name of the metric."""
        return "Rouge"
