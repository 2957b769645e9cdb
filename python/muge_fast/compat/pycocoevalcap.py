"""Drop-in for pycocoevalcap and for ``CiderD`` of ruotianluo/cider: the same classes and numbers, without Java.

Only the import changes: ``from muge_fast.compat.pycocoevalcap import Bleu, Cider, CiderD, COCOEvalCap, Rouge``.

``gts`` is a list of references for each id, ``res`` a list of one caption for each id. Captions are tokenised text:
:class:`Bleu`, :class:`Cider` and :class:`CiderD` split it at white space, :class:`Rouge` at each single space. Values,
types, printed lines and exceptions are those of the originals, and so are the peculiarities that each class names. An
``AssertionError`` says that ids differ, or that an id has not exactly one caption or no reference.

Three things differ. A caption that is not a string is a ``TypeError`` that names it, a lone surrogate a
``ValueError``, and input is checked under ``python -O``, too.
"""
# ruff: noqa: N802, N803, T201 - names and printed lines are those of the originals

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Union

import numpy as np

from muge_fast import _core
from muge_fast.caption.document_frequency import MAX_ORDER, DocumentFrequency
from muge_fast.text.tokenizers import Tokenizer, TokenizerLike, tokenize

if TYPE_CHECKING:
    from muge_fast.scores import FloatArray

__all__ = ["Bleu", "COCOEvalCap", "Cider", "CiderD", "Rouge"]

Texts = Mapping[Any, "list[str]"]
"""A list of texts for each id."""

FrequencyLike = Union[str, "os.PathLike[str]", DocumentFrequency]
"""``"corpus"``, a table of document frequencies, or where to find one."""


class Bleu:
    """BLEU-1 to BLEU-n of pycocoevalcap, 0 to 1.

    Args:
        n: Number of scores, up to 4. Scoring with more is an ``IndexError``.

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
        """Scores of the set, and for each order those of the captions in the order of ``gts``.

        ``verbose`` 1 prints the counts of the set, 2 also those of each caption, 0 nothing.
        """
        items = _Items.of(gts, res)
        if self._n > MAX_ORDER:
            raise IndexError(f"n is {self._n}, but n-grams are counted up to {MAX_ORDER} tokens")
        rows = items.rows("bleu", "whitespace") if items.ids else np.zeros((0, 2 + 2 * MAX_ORDER))
        if verbose > 1:
            _print_items(rows, items.references)
        if verbose > 0:
            _print_totals(rows, range(self._n))
        by_order, _ = _core.bleu_score(rows, "tiny", None, effective_order=False)
        by_item = _core.bleu_items(rows, "tiny", None, effective_order=False).T.tolist()
        return [by_order[order] for order in range(self._n)], [by_item[order] for order in range(self._n)]

    def method(self) -> str:
        """Name of the metric."""
        return "Bleu"


class Cider:
    """CIDEr-D, which pycocoevalcap calls ``Cider``, 0 to 10.

    N-grams are weighed by ``gts``, so that a single image scores 0, and references without any token are a
    ``ValueError``. A caption of fewer than 4 tokens scores less than 10 even where it equals its reference.

    Args:
        test, refs: Not used, as in the original.
        n: Number of orders that the score is divided by; those above 4 count as 0, and from 8 on the last bit may
            differ from the original's. With fewer than 4, a text of more than ``n`` tokens is an ``IndexError``.
        sigma: Width of the length penalty, in tokens.

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
        """Mean score, and the score of each caption in the order of ``gts``."""
        return _mean(_cider_d(_Items.of(gts, res), self._n, self._sigma))

    def method(self) -> str:
        """Name of the metric."""
        return "CIDEr"


class CiderD:
    """CIDEr-D of ruotianluo/cider, the reward of self-critical training.

    Its ``res`` is a list, with several captions for an image if need be, and n-grams can be weighed by a table that
    was counted before, with which a single caption has a meaningful score.

    Args:
        n: As for :class:`Cider`.
        sigma: Not used, as in the original: the length penalty has the width 6.
        df: What n-grams are weighed by:

            - ``"corpus"``: the references of each call, once for each caption (the original fails, against its intent).
            - a :class:`muge_fast.DocumentFrequency` of the same tokens as the captions have.
            - a name: the pickle ``data/<name>.p``, as in the original.
            - the path of such a pickle, or of any file of :meth:`muge_fast.DocumentFrequency.save`.

            A file is read at once, as :meth:`muge_fast.DocumentFrequency.load` does: no code in a pickle is run.

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
        sigma: float = 6.0,  # noqa: ARG002 - the original drops it
        df: FrequencyLike = "corpus",
    ) -> None:
        self._n = n
        self._frequency = _frequency(df)

    def compute_score(self, gts: Texts, res: Iterable[Mapping[str, Any]]) -> tuple[np.float64, FloatArray]:
        """Mean score, and the score of each caption ``{"image_id": id, "caption": [text]}`` in the order of ``res``.

        Ids that ``res`` does not have are no error, those that ``gts`` does not have a ``KeyError``.
        """
        items = _Items.checked((row["image_id"], row["caption"], gts[row["image_id"]]) for row in res)
        return _mean(_cider_d(items, self._n, 6.0, self._frequency))

    def method(self) -> str:
        """Name of the metric."""
        return "CIDEr-D"


class Rouge:
    """ROUGE-L of pycocoevalcap, with beta 1.2, 0 to 1.

    Between two spaces there is an empty token, and an empty text is one empty token, which equals any other.

    Example:
        >>> from muge_fast.compat.pycocoevalcap import Rouge
        >>> score, scores = Rouge().compute_score({"a": ["红 色 长 裙"], "b": [""]}, {"a": ["红 色 裙 子"], "b": [""]})
        >>> scores.tolist()
        [0.75, 1.0]

    """

    @property
    def beta(self) -> float:
        """Weight of recall against precision; it cannot be changed."""
        return 1.2

    def calc_score(self, candidate: list[str], refs: list[str]) -> float:
        """Score of one caption, a list of one, against its references."""
        items = _Items.checked([("candidate", list(candidate), list(refs))])
        return float(items.rows("rouge_l", "space")[0])

    def compute_score(self, gts: Texts, res: Texts) -> tuple[np.float64, FloatArray]:
        """Mean score, and the score of each caption in the order of ``gts``."""
        items = _Items.of(gts, res)
        return _mean(items.rows("rouge_l", "space") if items.ids else np.zeros(0))

    def method(self) -> str:
        """Name of the metric."""
        return "Rouge"


class Annotations(Protocol):
    """What :class:`COCOEvalCap` asks of the objects of pycocotools."""

    @property
    def imgToAnns(self) -> Mapping[Any, Iterable[Mapping[str, Any]]]:
        """For each image its captions, each ``{"caption": text}``."""

    def getImgIds(self) -> Iterable[Any]:
        """Ids of all images."""


class COCOEvalCap:
    """Evaluation of captions in the objects of pycocotools, as ``COCOEvalCap`` of pycocoevalcap.

    METEOR and SPICE are left out because they need Java. So does the original's tokenizer; any of ours stands in for
    it. Its tokens stay whole in all metrics, even those that hold white space.

    Args:
        coco: References, a ``COCO``.
        cocoRes: Captions, what its ``loadRes`` returns.
        tokenizer: As for :func:`muge_fast.tokenize`.

    Attributes:
        params: ``params["image_id"]`` are the images to evaluate, at first all.
        eval: Scores of the set: ``Bleu_1`` to ``Bleu_4``, ``ROUGE_L`` and ``CIDEr``.
        imgToEval: For each image the same, and its ``image_id``.
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
        """Fill ``eval``, ``imgToEval`` and ``evalImgs``, and print the scores."""
        print("tokenization...")
        gts, res = self._tokenized(self.coco), self._tokenized(self.cocoRes)
        print("setting up scorers...")
        print("computing Bleu score...")
        for order, (score, scores) in enumerate(zip(*Bleu().compute_score(gts, res), strict=True), 1):
            self._keep(f"Bleu_{order}", score, scores, gts)
        print("computing Rouge score...")
        self._keep("ROUGE_L", *Rouge().compute_score(gts, res), gts)
        print("computing CIDEr score...")
        self._keep("CIDEr", *Cider().compute_score(gts, res), gts)
        self.setEvalImgs()

    def setEval(self, score: float, method: str) -> None:
        """Keep the score of the set."""
        self.eval[method] = score

    def setImgToEvalImgs(self, scores: Iterable[float], imgIds: Iterable[Any], method: str) -> None:
        """Keep the score of each image."""
        for image, score in zip(imgIds, scores, strict=True):
            self.imgToEval.setdefault(image, {"image_id": image})[method] = score

    def setEvalImgs(self) -> None:
        """List the scores of all images."""
        self.evalImgs = list(self.imgToEval.values())

    def _keep(self, method: str, score: float, scores: Iterable[float], gts: Texts) -> None:
        self.setEval(score, method)
        self.setImgToEvalImgs(scores, gts.keys(), method)
        print(f"{method}: {score:0.3f}")

    def _tokenized(self, annotations: Annotations) -> dict[Any, list[str]]:
        """Captions as tokens joined by spaces; images without captions are left out, as in the original."""
        images = dict.fromkeys(self.params["image_id"])
        captions = [(image, row["caption"]) for image in images for row in annotations.imgToAnns[image]]
        cut = tokenize([caption for _, caption in captions], self._tokenizer)
        texts: dict[Any, list[str]] = {}
        for (image, _), tokens in zip(captions, cut, strict=True):
            texts.setdefault(image, []).append(_joined(tokens))
        return texts


def _joined(tokens: list[str]) -> str:
    """Text that falls apart into these tokens: white space in them becomes characters of private use."""
    text = " ".join(tokens)
    if text.split() == tokens:
        return text
    return " ".join(re.sub(r"\s", lambda space: chr(0xF0000 + ord(space[0])), token) for token in tokens)


@dataclass(frozen=True)
class _Items:
    """One caption and its references for each id; an id may come several times."""

    ids: list[object]
    captions: list[str]
    references: list[list[str]]

    @classmethod
    def of(cls, gts: Texts, res: Texts) -> _Items:
        if gts.keys() != res.keys():
            raise AssertionError(f"gts and res have different ids: {_lack('res', res, gts) or _lack('gts', gts, res)}")
        return cls.checked((item, res[item], gts[item]) for item in gts)

    @classmethod
    def checked(cls, rows: Iterable[tuple[object, object, object]]) -> _Items:
        items = cls([], [], [])
        for item, caption, references in rows:
            if type(caption) is not list or len(caption) != 1:
                raise AssertionError(f"caption of {item!r}: expected a list of one str, found {_shown(caption)}")
            if type(references) is not list or not references:
                raise AssertionError(f"references of {item!r}: expected a list of str, found {_shown(references)}")
            items.ids.append(item)
            items.captions.append(caption[0])
            items.references.append(references)
        return items

    def rows(
        self, metric: str, tokenizer: str, df: DocumentFrequency | None = None, sigma: float = 6.0, n: int = MAX_ORDER
    ) -> FloatArray:
        cutter, core = Tokenizer.of(tokenizer).core, None if df is None else df.core
        references = _core.References(self.references, cutter, self.ids, core)
        return references.rows(self.captions, cutter, [metric], self.ids, sigma=sigma, orders=n, once=True)[metric]

    def longest(self) -> int:
        return max(len(text.split()) for texts in [self.captions, *self.references] for text in texts)


def _lack(name: str, texts: Texts, wanted: Texts) -> str:
    missing = [item for item in wanted if item not in texts]
    return f"{name} lacks {missing[0]!r}" + (f" and {len(missing) - 1} more" if missing[1:] else "") if missing else ""


def _shown(value: object) -> str:
    return f"a list of {len(value)}" if isinstance(value, list) else type(value).__name__


def _mean(scores: FloatArray) -> tuple[np.float64, FloatArray]:
    return np.mean(scores, dtype=np.float64), scores


def _cider_d(items: _Items, n: int, sigma: float, df: DocumentFrequency | None = None) -> FloatArray:
    """CIDEr-D of each item, with the exceptions that the originals run into."""
    if not items.ids and df is not None:
        return np.zeros(0)
    rows = items.rows("cider_d", "whitespace", df, sigma, max(n, 0))
    if df is None and not any(text.strip() for references in items.references for text in references):
        raise ValueError("gts: no reference has a token, so no n-gram can be counted")
    if n < MAX_ORDER and items.longest() > n:
        raise IndexError(f"n is {n}, but a text has {items.longest()} tokens; use n={MAX_ORDER}")
    if sigma == 0:
        raise ZeroDivisionError("sigma is 0, needs a positive number")
    return rows


def _frequency(df: FrequencyLike) -> DocumentFrequency | None:
    if isinstance(df, DocumentFrequency):
        return df
    if df == "corpus":
        return None
    named = Path("data", f"{os.fspath(df)}.p")
    return DocumentFrequency.load(df if Path(df).is_file() and not named.is_file() else named)


def _print_items(rows: FloatArray, references: list[list[str]]) -> None:
    for row, texts in zip(rows.astype(int).tolist(), references, strict=True):
        lengths = [len(text.split()) for text in texts]
        print({"reflen": lengths, "testlen": row[0], "guess": row[-MAX_ORDER:], "correct": row[2:-MAX_ORDER]}, row[1])


def _print_totals(rows: FloatArray, orders: range) -> None:
    testlen, reflen, *counts = rows.sum(axis=0).astype(int).tolist()
    guess, correct = [counts[MAX_ORDER + order] for order in orders], [counts[order] for order in orders]
    print({"testlen": testlen, "reflen": reflen, "guess": guess, "correct": correct})
    print("ratio:", (testlen + 1e-15) / (reflen + 1e-9))
