"""Scores of captions for ``Trainer`` and ``Seq2SeqTrainer`` of transformers. Nothing of transformers is imported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from muge_fast.caption import Captions
from muge_fast.caption.options import DEFAULT_METRICS, CaptionMetric
from muge_fast.caption.texts import ReferencesLike
from muge_fast.text.tokenizers import TokenizerLike

__all__ = ["CaptionMetrics", "Decoder", "Prediction", "caption_metrics"]

TOKEN_DIMS, LOGIT_DIMS = 2, 3


class Decoder(Protocol):
    """What is used of a tokenizer of transformers, or of a processor's.

    Attributes:
        pad_token_id: Id of the token that fills short captions, None without one.

    Example:
        >>> from muge_fast.integrations.transformers import Decoder
        >>> tokenizer: Decoder = AutoTokenizer.from_pretrained("model/")  # doctest: +SKIP

    """

    pad_token_id: int | None

    def batch_decode(self, sequences: NDArray[np.int64], *, skip_special_tokens: bool) -> list[str]:
        """Return the text of each row of token ids.

        Args:
            sequences: Token ids of shape ``(captions, tokens)``.
            skip_special_tokens: Whether tokens that end or fill a row are left out.

        Returns:
            The texts.

        Example:
            >>> tokenizer.batch_decode([[5, 1, 0]], skip_special_tokens=True)  # doctest: +SKIP
            ['红']

        """


class Prediction(Protocol):
    """What is used of an ``EvalPrediction`` of transformers.

    Attributes:
        predictions: Generated token ids of shape ``(captions, tokens)``, or a tuple that begins with them.

    Example:
        >>> from muge_fast.integrations.transformers import Prediction
        >>> prediction: Prediction = trainer.predict(dataset)  # doctest: +SKIP

    """

    predictions: Any


class CaptionMetrics:
    """Scores of generated captions, to be passed as ``compute_metrics``; made by :func:`caption_metrics`.

    Args:
        decoder: Tokenizer of the model.
        captions: The references.
        metrics: Names of metrics.
        threads: Number of threads; None for all cores.

    Example:
        >>> from muge_fast.integrations.transformers import CaptionMetrics
        >>> trainer = Seq2SeqTrainer(compute_metrics=CaptionMetrics(...))  # doctest: +SKIP

    """

    def __init__(
        self,
        decoder: Decoder,
        captions: Captions,
        metrics: Sequence[CaptionMetric],
        *,
        threads: int | None = None,
    ) -> None:
        self.decoder, self.captions, self.metrics, self.threads = decoder, captions, tuple(metrics), threads
        self._texts: list[str] = []

    def __call__(self, prediction: Prediction, *, compute_result: bool = True) -> dict[str, float]:
        """Decode the captions of a batch or of all items, and return the scores after the last of them.

        Args:
            prediction: The ``EvalPrediction`` of the trainer.
            compute_result: Whether these are the last captions. With ``batch_eval_metrics=True`` the trainer passes
                batch after batch, and True with the last one.

        Returns:
            The value of each metric by name; empty before the last batch.

        Raises:
            ValueError: The predictions are not token ids, or there are more or fewer captions than references.

        Example:
            >>> metrics(trainer.predict(dataset))  # doctest: +SKIP
            {'cider_d': 0.61, 'bleu': 0.2, 'rouge_l': 0.4}

        """
        self._texts += self._decode(prediction.predictions)
        if not compute_result:
            return {}
        texts, self._texts = self._texts, []
        if len(texts) != len(self.captions):
            raise ValueError(
                f"the model made {len(texts)} captions, there are references of {len(self.captions)} items: pass the "
                f"references of the evaluation data set, in its order"
            )
        scores = self.captions.score(texts, metrics=self.metrics, threads=self.threads)
        return {name: scores[name].value for name in self.metrics}

    def _decode(self, predictions: ArrayLike) -> list[str]:
        ids = _token_ids(predictions[0] if isinstance(predictions, tuple) else predictions)
        # Trainer fills rows with -100, which is not a token.
        pad = 0 if self.decoder.pad_token_id is None else self.decoder.pad_token_id
        texts = self.decoder.batch_decode(np.where(ids < 0, pad, ids), skip_special_tokens=True)
        return [text.strip() for text in texts]


def _token_ids(predictions: object) -> NDArray[np.int64]:
    copy_from_gpu = getattr(predictions, "cpu", None)
    ids = np.asarray(predictions if copy_from_gpu is None else copy_from_gpu())
    if ids.ndim == LOGIT_DIMS and ids.dtype.kind == "f":
        raise ValueError(
            f"predictions are logits of shape {ids.shape}, not captions: use Seq2SeqTrainer with "
            f"predict_with_generate=True"
        )
    if ids.ndim != TOKEN_DIMS or ids.dtype.kind not in "iu":
        raise ValueError(
            f"predictions have shape {ids.shape} and dtype {ids.dtype}, need token ids of shape (captions, tokens)"
        )
    return ids.astype(np.int64)


def caption_metrics(
    tokenizer: Decoder,
    references: ReferencesLike,
    *,
    metrics: Iterable[CaptionMetric] = DEFAULT_METRICS,
    caption_tokenizer: TokenizerLike = "muge",
    threads: int | None = None,
) -> CaptionMetrics:
    """Return a ``compute_metrics`` for ``Seq2SeqTrainer`` that scores generated captions against several references.

    The labels of a trainer have one reference for each item, so all references are passed here. They are prepared once
    for all evaluations. It works with ``batch_eval_metrics=True`` too, and then keeps texts instead of token ids.

    Args:
        tokenizer: Tokenizer of the model, which decodes captions.
        references: References of the items of the evaluation data set in its order, as
            :func:`muge_fast.score_captions` takes them without ids.
        metrics: Names of metrics.
        caption_tokenizer: Tokenizer of the metrics, as :func:`muge_fast.score_captions` takes it.
        threads: Number of threads; None for all cores.

    Returns:
        A function of an ``EvalPrediction``, which returns the value of each metric by name.

    Raises:
        TypeError: A reference is not a string.
        ValueError: An item has no references, or an option is unknown.

    Example:
        >>> from types import SimpleNamespace
        >>> from muge_fast.integrations.transformers import caption_metrics
        >>> class Letters:
        ...     pad_token_id = 0
        ...     def batch_decode(self, sequences, skip_special_tokens):
        ...         return ["".join(" abc"[number] for number in row) for row in sequences]
        >>> compute_metrics = caption_metrics(Letters(), [["abc", "ab"], ["c"]], metrics=["rouge_l"])
        >>> compute_metrics(SimpleNamespace(predictions=[[1, 2, 3], [3, -100, -100]]))
        {'rouge_l': 1.0}

    """
    names = list(metrics)
    return CaptionMetrics(tokenizer, Captions(references, tokenizer=caption_tokenizer), names, threads=threads)
