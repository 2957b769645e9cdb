"""Metrics of captions as metrics of torchmetrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from muge_fast._internal.paths import PathLike
from muge_fast.caption import DocumentFrequency, score_captions
from muge_fast.caption.options import CaptionMetric, Smoothing
from muge_fast.integrations.torchmetrics.states import ListMetric, text_tensors, texts_of
from muge_fast.text.tokenizers import TokenizerLike


class CaptionListMetric(ListMetric):
    """A metric of captions. It keeps all captions as bytes.

    Args:
        tokenizer: Tokenizer, as :func:`muge_fast.score_captions` takes it.
        user_dict: Path of a user dictionary in jieba's format, for the tokenizer ``"jieba"`` only.
        threads: Number of threads; None for all cores.
        kwargs: Options of ``torchmetrics.Metric``, such as ``sync_on_compute``.

    Raises:
        ValueError: An unknown option; some are found by ``compute`` only.

    Example:
        >>> from muge_fast.integrations.torchmetrics import CIDErD
        >>> from muge_fast.integrations.torchmetrics.captions import CaptionListMetric
        >>> issubclass(CIDErD, CaptionListMetric)
        True

    """

    higher_is_better = True
    plot_upper_bound = 1.0
    metric: ClassVar[CaptionMetric]
    states: ClassVar[dict[str, torch.dtype]] = {
        "predictions": torch.uint8,
        "prediction_lengths": torch.int64,
        "references": torch.uint8,
        "reference_lengths": torch.int64,
        "reference_counts": torch.int64,
    }

    def __init__(
        self,
        tokenizer: TokenizerLike = "muge",
        *,
        user_dict: PathLike | None = None,
        threads: int | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.options: dict[str, Any] = {"tokenizer": tokenizer, "user_dict": user_dict, "threads": threads}

    def update(self, preds: str | Sequence[str], target: Sequence[str | Sequence[str]]) -> None:
        """Add a batch of captions.

        Args:
            preds: One caption for each item, or the caption of one item.
            target: One or more references for each item: texts, or lists of texts.

        Raises:
            TypeError: A caption is not a string.
            ValueError: ``preds`` and ``target`` have different lengths, or an item has no references.

        Example:
            >>> from muge_fast.integrations.torchmetrics import CIDErD
            >>> metric = CIDErD()
            >>> metric.update(["红色长裙"], [["红裙", "长裙"]])

        """
        captions = [preds] if isinstance(preds, str) else list(preds)
        items = [target] if isinstance(target, str) else list(target)
        if len(captions) != len(items):
            raise ValueError(f"preds has {len(captions)} captions, target has references of {len(items)} items")
        references = [[item] if isinstance(item, str) else list(item) for item in items]
        for row, (caption, texts) in enumerate(zip(captions, references, strict=True)):
            _check_item(row, caption, texts)
        self._append_texts("prediction", captions)
        self._append_texts("reference", [text for texts in references for text in texts])
        self.append("reference_counts", torch.tensor([len(texts) for texts in references]))

    def _append_texts(self, name: str, texts: Sequence[str]) -> None:
        data, lengths = text_tensors(texts)
        self.append(f"{name}s", data)
        self.append(f"{name}_lengths", lengths)

    def compute(self) -> Tensor:
        """Return the score of all captions so far, of all processes.

        Returns:
            The value of :func:`muge_fast.score_captions`, with the same bits, as a tensor of double precision.

        Raises:
            ValueError: There are no captions, or an option is out of range.

        Example:
            >>> from muge_fast.integrations.torchmetrics import ROUGEL
            >>> metric = ROUGEL()
            >>> metric.update(["红色长裙"], ["红色长裙"])
            >>> metric.compute().item()
            1.0

        """
        predictions = texts_of(self.joined("predictions"), self.joined("prediction_lengths"))
        if not predictions:
            raise ValueError("no captions yet: call update first")
        texts = texts_of(self.joined("references"), self.joined("reference_lengths"))
        counts = self.joined("reference_counts")
        ends = np.cumsum(counts)
        references = [texts[item] for item in map(slice, (ends - counts).tolist(), ends.tolist())]
        scores = score_captions(predictions, references, metrics=(self.metric,), **self.options)
        return self.value_of(scores[self.metric])


def _check_item(row: int, caption: object, references: list[str]) -> None:
    if not isinstance(caption, str):
        raise TypeError(f"preds[{row}] must be a string, got {type(caption).__name__}")
    if not references:
        raise ValueError(f"target[{row}] has no references")
    for text in references:
        if not isinstance(text, str):
            raise TypeError(f"target[{row}] must be a string or a list of strings, has {type(text).__name__}")


class CIDErD(CaptionListMetric):
    """CIDEr-D of captions, 0 to 10; higher is better. :func:`muge_fast.score_captions` defines it.

    Args:
        tokenizer: Tokenizer, as :func:`muge_fast.score_captions` takes it.
        sigma: Standard deviation of the length penalty.
        document_frequency: Document frequencies of a larger set; None to count them in the references of all batches
            and processes.
        user_dict: Path of a user dictionary in jieba's format, for the tokenizer ``"jieba"`` only.
        threads: Number of threads; None for all cores.
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> from muge_fast.integrations.torchmetrics import CIDErD
        >>> metric = CIDErD("char")
        >>> metric.update(["红色长裙", "黑色男鞋"], [["红色长裙"], ["黑色男鞋"]])
        >>> round(metric.compute().item(), 4)
        10.0

    """

    metric = "cider_d"
    plot_upper_bound = 10.0

    def __init__(
        self,
        tokenizer: TokenizerLike = "muge",
        *,
        sigma: float = 6.0,
        document_frequency: DocumentFrequency | None = None,
        user_dict: PathLike | None = None,
        threads: int | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(tokenizer, user_dict=user_dict, threads=threads, **kwargs)
        self.options |= {"sigma": sigma, "document_frequency": document_frequency}


class CIDEr(CaptionListMetric):
    """CIDEr of captions without clipping and length penalty, 0 to 10; higher is better.

    Args:
        tokenizer: Tokenizer, as :func:`muge_fast.score_captions` takes it.
        document_frequency: Document frequencies of a larger set; None to count them in the references of all batches
            and processes.
        user_dict: Path of a user dictionary in jieba's format, for the tokenizer ``"jieba"`` only.
        threads: Number of threads; None for all cores.
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> from muge_fast.integrations.torchmetrics import CIDEr
        >>> metric = CIDEr("char")
        >>> metric.update(["红色长裙", "黑色男鞋"], [["红色长裙"], ["黑色男鞋"]])
        >>> round(metric.compute().item(), 4)
        10.0

    """

    metric = "cider"
    plot_upper_bound = 10.0

    def __init__(
        self,
        tokenizer: TokenizerLike = "muge",
        *,
        document_frequency: DocumentFrequency | None = None,
        user_dict: PathLike | None = None,
        threads: int | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(tokenizer, user_dict=user_dict, threads=threads, **kwargs)
        self.options |= {"document_frequency": document_frequency}


class BLEU(CaptionListMetric):
    """Corpus BLEU-4 of captions, 0 to 1; higher is better.

    Args:
        tokenizer: Tokenizer, as :func:`muge_fast.score_captions` takes it.
        smoothing: Smoothing of orders without a matching n-gram, as :func:`muge_fast.score_captions` takes it.
        smoothing_value: Number of the smoothing; None for its default.
        effective_order: Whether orders that a short caption does not have are left out.
        user_dict: Path of a user dictionary in jieba's format, for the tokenizer ``"jieba"`` only.
        threads: Number of threads; None for all cores.
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> from muge_fast.integrations.torchmetrics import BLEU
        >>> metric = BLEU()
        >>> metric.update("红色的长裙", ["红色的长裙"])
        >>> round(metric.compute().item(), 4)
        1.0

    """

    metric = "bleu"

    def __init__(
        self,
        tokenizer: TokenizerLike = "muge",
        *,
        smoothing: Smoothing = "tiny",
        smoothing_value: float | None = None,
        effective_order: bool = False,
        user_dict: PathLike | None = None,
        threads: int | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(tokenizer, user_dict=user_dict, threads=threads, **kwargs)
        self.options |= {
            "smoothing": smoothing,
            "smoothing_value": smoothing_value,
            "effective_order": effective_order,
        }


class ROUGEL(CaptionListMetric):
    """ROUGE-L of captions, 0 to 1; higher is better.

    Args:
        tokenizer: Tokenizer, as :func:`muge_fast.score_captions` takes it.
        user_dict: Path of a user dictionary in jieba's format, for the tokenizer ``"jieba"`` only.
        threads: Number of threads; None for all cores.
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> from muge_fast.integrations.torchmetrics import ROUGEL
        >>> metric = ROUGEL()
        >>> metric.update(["红色长裙"], [["红裙", "长裙"]])
        >>> round(metric.compute().item(), 4)
        0.7093

    """

    metric = "rouge_l"


class METEOR(CaptionListMetric):
    """METEOR 1.5 of captions, 0 to 1; higher is better. :func:`muge_fast.score_captions` defines it.

    It has no tokenizer: METEOR splits captions by its own rules. Captions with Latin letters or digits need the data of
    pycocoevalcap, ``pip install 'muge-fast[coco]'``; without it, ``compute`` raises an ImportError.

    Args:
        threads: Number of threads; None for all cores.
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> from muge_fast.integrations.torchmetrics import METEOR
        >>> metric = METEOR()
        >>> metric.update(["红色长裙"], [["黑色男鞋", "红色短裙"]])
        >>> round(metric.compute().item(), 4)
        0.3351

    """

    metric = "meteor"

    def __init__(self, *, threads: int | None = None, **kwargs: object) -> None:
        super().__init__("muge", user_dict=None, threads=threads, **kwargs)
