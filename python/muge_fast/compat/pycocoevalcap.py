"""Drop-in for pycocoevalcap 1.2 and for ``CiderD`` of github.com/ruotianluo/cider: the same results without Java.

Only the import changes::

    from muge_fast.compat.pycocoevalcap import Bleu, Cider, CiderD, COCOEvalCap, Rouge

``gts`` is a dictionary with a list of references for each id, ``res`` one with a list of exactly one caption for each
id. Captions are tokenized text: :class:`Bleu`, :class:`Cider` and :class:`CiderD` split it at white space,
:class:`Rouge` at each single space. Values (to the last bit), types, printed lines and exceptions are those of the
originals, including the peculiarities that each class documents. An ``AssertionError`` reports ids that differ, or an
id without exactly one caption and at least one reference.

Chinese text must be cut first, as by ``' '.join(tokens)`` of :func:`muge_fast.tokenize`: text without spaces is one
token, which no other caption has, so scores are 0. A ``UserWarning`` says so.

There are three other differences: a caption that is not a string is a ``TypeError`` that names it, a lone surrogate is
a ``ValueError`` that names it, and input is also checked under ``python -O``.
"""
# ruff: noqa: N802, N803, T201 - names and printed lines are those of the originals

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Union

import numpy as np

from muge_fast import _core
from muge_fast._internal.caller_warnings import warn_caller
from muge_fast.caption.document_frequency import MAX_ORDER, DocumentFrequency
from muge_fast.text.tokenizers import Tokenizer, TokenizerLike, tokenize

if TYPE_CHECKING:
    from muge_fast.scores import FloatArray

__all__ = ["Bleu", "COCOEvalCap", "Cider", "CiderD", "Rouge"]

TEXTS_TO_CHECK = 100
"""Number of lists of texts whose first text is searched for spaces."""

SPACED = re.compile(r"\S\s+\S")
CHINESE = re.compile("[\u3400-\u9fff]{4}")

Texts = Mapping[Any, "list[str]"]
"""A list of tokenized texts for each id."""

FrequencyLike = Union[str, "os.PathLike[str]", DocumentFrequency]
"""``"corpus"``, a table of document frequencies, or the name or path of a saved one."""


class Bleu:
    """BLEU-1 to BLEU-n as in pycocoevalcap, each 0 to 1.

    Args:
        n: Largest order of n-grams, up to 4. With more, ``compute_score`` raises ``IndexError``, as the original does.

    Example:
        >>> from muge_fast.compat.pycocoevalcap import Bleu
        >>> score, scores = Bleu(2).compute_score({"a": ["红 色 长 裙"]}, {"a": ["红 色 裙 子"]})
        {'testlen': 4, 'reflen': 4, 'guess': [4, 3], 'correct': [3, 1]}
        ratio: 0.9999999997500002
        >>> [round(value, 4) for value in score], len(scores[0])
        ([0.75, 0.5], 1)

    """

    def __init__(self, n: int = 4) -> None:
        self._n = n

    def compute_score(self, gts: Texts, res: Texts, verbose: int = 1) -> tuple[list[float], list[list[float]]]:
        """Compute BLEU of the whole set and of each caption.

        Args:
            gts: References: a list of tokenized texts for each id.
            res: Captions: a list of one tokenized text for the same ids.
            verbose: 1 to print the counts of the set, 2 to print those of each caption too, 0 to print nothing.

        Returns:
            BLEU-1 to BLEU-n of the set, and for each order the scores of the captions in the order of ``gts``.

        Raises:
            AssertionError: Ids that differ, an id without exactly one caption, or without references.
            IndexError: ``n`` is larger than 4.
            TypeError: A text that is not a string.
            ValueError: A text that is not valid Unicode (a lone surrogate).

        Example:
            >>> from muge_fast.compat.pycocoevalcap import Bleu
            >>> score, scores = Bleu(2).compute_score({"a": ["红 色 长 裙"]}, {"a": ["红 色 裙 子"]}, verbose=0)
            >>> [round(value, 4) for value in score]
            [0.75, 0.5]

        """
        _warn_about_uncut_text(gts, res)
        items = _Items.from_mappings(gts, res)
        if self._n > MAX_ORDER:
            raise IndexError(f"n is {self._n}, but n-grams are counted up to {MAX_ORDER} tokens")
        rows = items.statistics("bleu", "whitespace") if items.ids else np.zeros((0, 2 + 2 * MAX_ORDER))
        if verbose > 1:
            _print_items(rows, items.references)
        if verbose > 0:
            _print_totals(rows, range(self._n))
        by_order, _ = _core.bleu_score(rows, "tiny", smoothing_value=None, effective_order=False)
        by_item = _core.bleu_items(rows, "tiny", smoothing_value=None, effective_order=False).T.tolist()
        return [by_order[order] for order in range(self._n)], [by_item[order] for order in range(self._n)]

    def method(self) -> str:
        """Return the name of the metric."""
        return "Bleu"


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
        _warn_about_uncut_text(gts, res)
        return _mean(_cider_d(_Items.from_mappings(gts, res), self._n, self._sigma))

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
        _warn_about_uncut_text(gts, {})
        items = _Items.from_rows((row["image_id"], row["caption"], gts[row["image_id"]]) for row in res)
        return _mean(_cider_d(items, self._n, 6.0, self._frequency))

    def method(self) -> str:
        """Return the name of the metric."""
        return "CIDEr-D"


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
        items = _Items.from_rows([("candidate", list(candidate), list(refs))])
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
        _warn_about_uncut_text(gts, res)
        items = _Items.from_mappings(gts, res)
        return _mean(items.statistics("rouge_l", "space") if items.ids else np.zeros(0))

    def method(self) -> str:
        """Return the name of the metric."""
        return "Rouge"


class Annotations(Protocol):
    """The part of a ``COCO`` object of pycocotools that :class:`COCOEvalCap` uses."""

    @property
    def imgToAnns(self) -> Mapping[Any, Iterable[Mapping[str, Any]]]:
        """The captions of each image id, each ``{"caption": text}``."""

    def getImgIds(self) -> Iterable[Any]:
        """Return the ids of all images."""


class COCOEvalCap:
    """Evaluation of captions in objects of pycocotools, as ``COCOEvalCap`` of pycocoevalcap.

    METEOR and SPICE are omitted because they need Java. The original's tokenizer needs it too and is replaced by one of
    this package, whose tokens are not split again, even if they contain white space.

    Args:
        coco: References, a ``COCO`` object.
        cocoRes: Captions, the result of its ``loadRes``.
        tokenizer: ``"muge"`` (each Chinese character and each run of ASCII letters and digits is a token), ``"char"``,
            ``"whitespace"``, ``"space"``, ``"jieba"``, ``"13a"``, ``"zh"``, or a function from a text to its tokens.
            :func:`muge_fast.tokenize` defines each name.

    Attributes:
        params: ``params["image_id"]`` has the ids of the images to evaluate, all of them at first.
        eval: Scores of the set by name: ``Bleu_1`` to ``Bleu_4``, ``ROUGE_L`` and ``CIDEr``.
        imgToEval: The same scores for each image id, and its ``image_id``.
        evalImgs: The values of ``imgToEval``.

    Example:
        >>> from types import SimpleNamespace
        >>> from muge_fast.compat.pycocoevalcap import COCOEvalCap
        >>> references = {1: [{"caption": "红色长裙"}, {"caption": "红裙子"}], 2: [{"caption": "黑色男鞋"}]}
        >>> captions = {1: [{"caption": "红色裙子"}], 2: [{"caption": "黑色皮鞋"}]}
        >>> coco = SimpleNamespace(imgToAnns=references, getImgIds=lambda: list(references))
        >>> evaluation = COCOEvalCap(coco, SimpleNamespace(imgToAnns=captions))
        >>> evaluation.evaluate()  # doctest: +ELLIPSIS
        tokenization...
        setting up scorers...
        computing Bleu score...
        {'testlen': 8, 'reflen': 8, 'guess': [8, 6, 4, 2], 'correct': [7, 3, 0, 0]}
        ratio: 0.9999999998750002
        ...
        >>> round(float(evaluation.imgToEval[2]["ROUGE_L"]), 3)
        0.75

    """

    def __init__(self, coco: Annotations, cocoRes: Annotations, tokenizer: TokenizerLike = "muge") -> None:
        self.evalImgs: list[dict[str, Any]] = []
        self.eval: dict[str, float] = {}
        self.imgToEval: dict[Any, dict[str, Any]] = {}
        self.coco = coco
        self.cocoRes = cocoRes
        self.params: dict[str, Any] = {"image_id": coco.getImgIds()}
        self._tokenizer = tokenizer

    def evaluate(self) -> None:
        """Compute all scores, store them in ``eval``, ``imgToEval`` and ``evalImgs``, and print them.

        Raises:
            AssertionError: An image without exactly one caption, or without references.
            ValueError: No reference has a token, a text is not valid Unicode, or an unknown tokenizer.
            TypeError: A caption that is not a string.

        """
        print("tokenization...")
        gts, res = self._tokenized(self.coco), self._tokenized(self.cocoRes)
        print("setting up scorers...")
        print("computing Bleu score...")
        for order, (score, scores) in enumerate(zip(*Bleu().compute_score(gts, res), strict=True), 1):
            self._store(f"Bleu_{order}", score, scores, gts)
        print("computing Rouge score...")
        self._store("ROUGE_L", *Rouge().compute_score(gts, res), gts)
        print("computing CIDEr score...")
        self._store("CIDEr", *Cider().compute_score(gts, res), gts)
        self.setEvalImgs()

    def setEval(self, score: float, method: str) -> None:
        """Store the score of the set.

        Args:
            score: The score.
            method: Name of the metric, the key in ``eval``.

        """
        self.eval[method] = score

    def setImgToEvalImgs(self, scores: Iterable[float], imgIds: Iterable[Any], method: str) -> None:
        """Store the score of each image.

        Args:
            scores: The score of each image.
            imgIds: The ids of the images, in the same order.
            method: Name of the metric, the key in each dictionary of ``imgToEval``.

        """
        for image, score in zip(imgIds, scores, strict=True):
            self.imgToEval.setdefault(image, {"image_id": image})[method] = score

    def setEvalImgs(self) -> None:
        """Store the values of ``imgToEval`` in ``evalImgs``."""
        self.evalImgs = list(self.imgToEval.values())

    def _store(self, method: str, score: float, scores: Iterable[float], gts: Texts) -> None:
        self.setEval(score, method)
        self.setImgToEvalImgs(scores, gts.keys(), method)
        print(f"{method}: {score:0.3f}")

    def _tokenized(self, annotations: Annotations) -> dict[Any, list[str]]:
        """Return captions as tokens joined by spaces; images without captions are left out, as in the original."""
        images = dict.fromkeys(self.params["image_id"])
        captions = [(image, row["caption"]) for image in images for row in annotations.imgToAnns[image]]
        tokenized = tokenize([caption for _, caption in captions], self._tokenizer)
        texts = _Tokenized()
        for (image, _), tokens in zip(captions, tokenized, strict=True):
            texts.setdefault(image, []).append(_join_tokens(tokens))
        return texts


def _join_tokens(tokens: list[str]) -> str:
    """Return a text that splits into these tokens; white space within tokens becomes private-use characters."""
    text = " ".join(tokens)
    if text.split() == tokens:
        return text
    return " ".join(re.sub(r"\s", lambda space: chr(0xF0000 + ord(space[0])), token) for token in tokens)


@dataclass(frozen=True)
class _Items:
    """One caption and its references for each id; an id may occur several times."""

    ids: list[object]
    captions: list[str]
    references: list[list[str]]

    @classmethod
    def from_mappings(cls, gts: Texts, res: Texts) -> _Items:
        if gts.keys() != res.keys():
            problem = _missing_ids("res", res, gts) or _missing_ids("gts", gts, res)
            raise AssertionError(f"gts and res have different ids: {problem}")
        return cls.from_rows((item, res[item], gts[item]) for item in gts)

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[object, object, object]]) -> _Items:
        items = cls([], [], [])
        for item, caption, references in rows:
            if type(caption) is not list or len(caption) != 1:
                raise AssertionError(f"caption of {item!r}: expected a list of one str, found {_describe(caption)}")
            if type(references) is not list or not references:
                raise AssertionError(f"references of {item!r}: expected a list of str, found {_describe(references)}")
            items.ids.append(item)
            items.captions.append(caption[0])
            items.references.append(references)
        return items

    def statistics(
        self, metric: str, tokenizer: str, df: DocumentFrequency | None = None, sigma: float = 6.0, n: int = MAX_ORDER
    ) -> FloatArray:
        """Return the statistics of each item: its score, except for BLEU."""
        core, frequency = Tokenizer.resolve(tokenizer).core, None if df is None else df.core
        references = _core.References(self.references, core, self.ids, frequency)
        return references.score(
            self.captions,
            core,
            [metric],
            ids=self.ids,
            items=None,
            sigma=sigma,
            orders=n,
            threads=None,
            keep_tables=False,
        )[metric]

    def longest(self) -> int:
        """Return the number of tokens of the longest text."""
        return max(len(text.split()) for texts in [self.captions, *self.references] for text in texts)


class _Tokenized(dict[Any, "list[str]"]):
    """Texts that were cut with the tokenizer that the caller chose."""


def _warn_about_uncut_text(gts: Texts, res: Texts) -> None:
    """Warn about Chinese text without spaces: each text is one token then, and nearly every score is 0."""
    if isinstance(gts, _Tokenized):
        return
    lists = islice(chain(res.values(), gts.values()), TEXTS_TO_CHECK)
    firsts = [texts[0] for texts in lists if isinstance(texts, list) and texts]
    texts = [text for text in firsts if isinstance(text, str) and text.strip()]
    if not texts:
        return
    if any(SPACED.search(text) for text in texts) or sum(map(bool, map(CHINESE.search, texts))) * 2 < len(texts):
        return
    warn_caller(
        "the captions are Chinese without spaces, but pycocoevalcap splits at spaces, so each caption is one token. "
        "Cut them first: [' '.join(tokens) for tokens in muge_fast.tokenize(texts)]"
    )


def _missing_ids(name: str, texts: Texts, wanted: Texts) -> str:
    missing = [item for item in wanted if item not in texts]
    return f"{name} lacks {missing[0]!r}" + (f" and {len(missing) - 1} more" if missing[1:] else "") if missing else ""


def _describe(value: object) -> str:
    return f"a list of {len(value)}" if isinstance(value, list) else type(value).__name__


def _mean(scores: FloatArray) -> tuple[np.float64, FloatArray]:
    return np.mean(scores, dtype=np.float64), scores


def _cider_d(items: _Items, n: int, sigma: float, df: DocumentFrequency | None = None) -> FloatArray:
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


def _print_items(rows: FloatArray, references: list[list[str]]) -> None:
    for row, texts in zip(rows.astype(int).tolist(), references, strict=True):
        lengths = [len(text.split()) for text in texts]
        print({"reflen": lengths, "testlen": row[0], "guess": row[-MAX_ORDER:], "correct": row[2:-MAX_ORDER]}, row[1])


def _print_totals(rows: FloatArray, orders: range) -> None:
    testlen, reflen, *counts = rows.sum(axis=0).astype(int).tolist()
    guess, correct = [counts[MAX_ORDER + order] for order in orders], [counts[order] for order in orders]
    print({"testlen": testlen, "reflen": reflen, "guess": guess, "correct": correct})
    print("ratio:", (testlen + 1e-15) / (reflen + 1e-9))
