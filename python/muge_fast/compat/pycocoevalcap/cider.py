"""``Cider`` and ``CiderD``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from muge_fast.caption.document_frequency import MAX_ORDER, DocumentFrequency
from muge_fast.compat.pycocoevalcap.items import Items, Texts, mean_and_scores, warn_about_uncut_text

if TYPE_CHECKING:
    from muge_fast.scores import FloatArray

FrequencyLike = Union[str, "os.PathLike[str]", DocumentFrequency]
"""``"corpus"``, a table of document frequencies, or the name or path of a saved one."""


class Cider:
    """CIDEr-D, which pycocoevalcap calls ``Cider``, 0 to 10.

    Document frequencies are counted in ``gts``, so a single image scores 0. A caption of fewer than 4 tokens scores
    less than 10 even if it equals its reference, because its n-grams of higher orders count as no match.

    Args:
        test: Not used, as in the original.
        refs: Not used, as in the original.
        n: Number of orders that the score is averaged over. Orders above 4 count as 0, and from 8 on the last bit may
            differ from the original's. Below 4, a text of more than ``n`` tokens is an ``IndexError``, as in the
            original.
        sigma: Standard deviation of the length penalty, in tokens.

    Example:
        >>> from muge_fast.compat.pycocoevalcap import Cider
        >>> gts = {"a": ["红 色 长 裙"], "b": ["黑 色 男 鞋"]}
        >>> score, scores = Cider().compute_score(gts, {"a": ["红 色 长 裙"], "b": ["黑 色 皮 鞋"]})
        >>> scores.round(2).tolist()
        [10.0, 2.5]

    """

    def __init__(
        self,
        test: object = None,  # noqa: ARG002 - the signature is the original's
        refs: object = None,  # noqa: ARG002
        n: int = 4,
        sigma: float = 6.0,
    ) -> None:
        self._n = n
        self._sigma = sigma

    def compute_score(self, gts: Texts, res: Texts) -> tuple[np.float64, FloatArray]:
        """Compute CIDEr-D of the whole set and of each caption.

        Args:
            gts: References: a list of tokenized texts for each id.
            res: Captions: a list of one tokenized text for the same ids.

        Returns:
            The mean score, and the score of each caption: float64 of shape ``(len(gts),)``, in the order of ``gts``.

        Raises:
            AssertionError: Ids that differ, an id without exactly one caption, or without references.
            IndexError: ``n`` is below 4 and a text has more than ``n`` tokens.
            ZeroDivisionError: ``sigma`` is 0.
            TypeError: A text that is not a string.
            ValueError: No reference has a token, or a text is not valid Unicode.

        Example:
            >>> from muge_fast.compat.pycocoevalcap import Cider
            >>> Cider().compute_score({"a": ["红 裙"], "b": ["黑 鞋"]}, {"a": ["红 裙"], "b": ["白 衫"]})[1].tolist()
            [5.0, 0.0]

        """
        warn_about_uncut_text(gts, res)
        return mean_and_scores(cider_d_scores(Items.from_mappings(gts, res), self._n, self._sigma))

    def method(self) -> str:
        """Return the name of the metric."""
        return "CIDEr"


class CiderD:
    """CIDEr-D of github.com/ruotianluo/cider, the reward of self-critical training, 0 to 10.

    ``res`` is a list, which may have several captions for an image. With document frequencies that were counted
    before, a single caption has a meaningful score.

    Args:
        n: Number of orders that the score is averaged over. Orders above 4 count as 0. Below 4, a text of more than
            ``n`` tokens is an ``IndexError``.
        sigma: Not used, as in the original: the standard deviation of the length penalty is 6 tokens.
        df: Document frequencies:

            - ``"corpus"``: counted in the references of each call, once for each caption. (The original intends
              this, but fails.)
            - a :class:`muge_fast.DocumentFrequency` of the same tokens as those of the captions.
            - a name: the pickle ``data/<name>.p`` in the working directory, as in the original.
            - the path of such a pickle, or of any file that :meth:`muge_fast.DocumentFrequency.save` wrote.

            A file is read immediately, by :meth:`muge_fast.DocumentFrequency.load`, which runs no code of a pickle.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not a table of document frequencies.

    Example:
        >>> import muge_fast as mf
        >>> from muge_fast.compat.pycocoevalcap import CiderD
        >>> train = [["红 色 长 裙"], ["黑 色 男 鞋"], ["白 色 衬 衫"]]
        >>> scorer = CiderD(df=mf.DocumentFrequency.from_references(train, tokenizer="whitespace"))
        >>> res = [{"image_id": 7, "caption": ["红 色 长 裙"]}, {"image_id": 7, "caption": ["红 色 裙 子"]}]
        >>> score, scores = scorer.compute_score({7: ["红 色 长 裙"]}, res)
        >>> scores.round(2).tolist()
        [10.0, 2.5]

    """

    def __init__(
        self,
        n: int = 4,
        sigma: float = 6.0,  # noqa: ARG002 - the original ignores it
        df: FrequencyLike = "corpus",
    ) -> None:
        self._n = n
        self._frequency = _load_frequency(df)

    def compute_score(self, gts: Texts, res: Iterable[Mapping[str, Any]]) -> tuple[np.float64, FloatArray]:
        """Compute CIDEr-D of the captions in a list.

        Args:
            gts: References: a list of tokenized texts for each id. Ids without a caption are ignored.
            res: Captions, each ``{"image_id": id, "caption": [text]}``; an id may occur several times.

        Returns:
            The mean score, and the score of each caption: float64 of shape ``(len(res),)``, in the order of ``res``.

        Raises:
            AssertionError: An entry without exactly one caption, or an id without references.
            KeyError: An id that ``gts`` does not have, or an entry without ``"image_id"`` or ``"caption"``.
            IndexError: ``n`` is below 4 and a text has more than ``n`` tokens.
            TypeError: A text that is not a string.
            ValueError: A text is not valid Unicode; with ``"corpus"``, no captions, or no reference has a token.

        Example:
            >>> from muge_fast.compat.pycocoevalcap import CiderD
            >>> gts = {1: ["红 裙"], 2: ["黑 鞋"]}
            >>> res = [{"image_id": 1, "caption": ["红 裙"]}, {"image_id": 2, "caption": ["白 衫"]}]
            >>> CiderD().compute_score(gts, res)[1].tolist()
            [5.0, 0.0]

        """
        warn_about_uncut_text(gts, {})
        items = Items.from_rows((row["image_id"], row["caption"], gts[row["image_id"]]) for row in res)
        return mean_and_scores(cider_d_scores(items, self._n, 6.0, self._frequency))

    def method(self) -> str:
        """Return the name of the metric."""
        return "CIDEr-D"


def cider_d_scores(items: Items, n: int, sigma: float, df: DocumentFrequency | None = None) -> FloatArray:
    """Return CIDEr-D of each item; raise the errors of the originals."""
    if not items.ids and df is not None:
        return np.zeros(0)
    scores = items.statistics("cider_d", "whitespace", df, sigma, max(n, 0))
    if df is None and not any(text.strip() for references in items.references for text in references):
        raise ValueError("gts: no reference has a token, so no n-gram can be counted")
    if n < MAX_ORDER and items.longest() > n:
        raise IndexError(f"n is {n}, but a text has {items.longest()} tokens; use n={MAX_ORDER}")
    if sigma == 0:
        raise ZeroDivisionError("sigma is 0, needs a positive number")
    return scores


def _load_frequency(df: FrequencyLike) -> DocumentFrequency | None:
    if isinstance(df, DocumentFrequency):
        return df
    if df == "corpus":
        return None
    by_name = Path("data", f"{os.fspath(df)}.p")
    return DocumentFrequency.load(df if Path(df).is_file() and not by_name.is_file() else by_name)
