"""``COCOEvalCap``."""
# ruff: noqa: N802, N803, T201 - names and printed lines are those of the originals

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from muge_fast.compat.pycocoevalcap.bleu import Bleu
from muge_fast.compat.pycocoevalcap.cider import Cider
from muge_fast.compat.pycocoevalcap.items import Texts, TokenizedTexts
from muge_fast.compat.pycocoevalcap.meteor import Meteor
from muge_fast.compat.pycocoevalcap.ptb_tokenizer import PTBTokenizer
from muge_fast.compat.pycocoevalcap.rouge import Rouge
from muge_fast.text.tokenizers import TokenizerLike, tokenize


class Annotations(Protocol):
    """The part of a ``COCO`` object of pycocotools that :class:`COCOEvalCap` uses."""

    @property
    def imgToAnns(self) -> Mapping[Any, Iterable[Mapping[str, Any]]]:
        """The captions of each image id, each ``{"caption": text}``."""

    def getImgIds(self) -> Iterable[Any]:
        """Return the ids of all images."""


class COCOEvalCap:
    """Evaluation of captions in objects of pycocotools, as ``COCOEvalCap`` of pycocoevalcap.

    SPICE is omitted because it needs Java. Tokens of another tokenizer than ``"ptb"`` are not split again, even if they
    contain white space.

    Args:
        coco: References, a ``COCO`` object.
        cocoRes: Captions, the result of its ``loadRes``.
        tokenizer: ``"ptb"`` for :class:`PTBTokenizer`, as in the original; ``"muge"`` (each Chinese character and each
            run of ASCII letters and digits is a token), another name, or a function from a text to its tokens.
            :func:`muge_fast.tokenize` defines each name.

    Attributes:
        params: ``params["image_id"]`` has the ids of the images to evaluate, all of them at first.
        eval: Scores of the set by name: ``Bleu_1`` to ``Bleu_4``, ``METEOR``, ``ROUGE_L`` and ``CIDEr``.
        imgToEval: The same scores for each image id, and its ``image_id``.
        evalImgs: The values of ``imgToEval``.

    Example:
        >>> from types import SimpleNamespace
        >>> from muge_fast.compat.pycocoevalcap import COCOEvalCap
        >>> references = {1: [{"caption": "红色长裙"}, {"caption": "红裙子"}], 2: [{"caption": "黑色男鞋"}]}
        >>> captions = {1: [{"caption": "红色裙子"}], 2: [{"caption": "黑色皮鞋"}]}
        >>> coco = SimpleNamespace(imgToAnns=references, getImgIds=lambda: list(references))
        >>> evaluation = COCOEvalCap(coco, SimpleNamespace(imgToAnns=captions), "muge")
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

    def __init__(self, coco: Annotations, cocoRes: Annotations, tokenizer: TokenizerLike = "ptb") -> None:
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
            ImportError: pycocoevalcap is not installed; it has the rules of ``"ptb"``, and the data of METEOR for texts
                with a Latin letter or a digit.

        """
        print("tokenization...")
        gts, res = self._tokenized(self.coco), self._tokenized(self.cocoRes)
        print("setting up scorers...")
        print("computing Bleu score...")
        for order, (score, scores) in enumerate(zip(*Bleu().compute_score(gts, res), strict=True), 1):
            self._store(f"Bleu_{order}", score, scores, gts)
        print("computing METEOR score...")
        self._store("METEOR", *Meteor().compute_score(gts, res), gts)
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
        if self._tokenizer == "ptb":
            return PTBTokenizer().tokenize({image: list(annotations.imgToAnns[image]) for image in images})
        captions = [(image, row["caption"]) for image in images for row in annotations.imgToAnns[image]]
        tokenized = tokenize([caption for _, caption in captions], self._tokenizer)
        texts = TokenizedTexts()
        for (image, _), tokens in zip(captions, tokenized, strict=True):
            texts.setdefault(image, []).append(_join_tokens(tokens))
        return texts


def _join_tokens(tokens: list[str]) -> str:
    """Return a text that splits into these tokens; white space within tokens becomes private-use characters."""
    text = " ".join(tokens)
    if text.split() == tokens:
        return text
    return " ".join(re.sub(r"\s", lambda space: chr(0xF0000 + ord(space[0])), token) for token in tokens)
