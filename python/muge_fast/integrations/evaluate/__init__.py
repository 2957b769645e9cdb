"""The metrics of this package as modules of Hugging Face evaluate, loaded from a folder and without the network."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

__all__ = ["path"]


def path(name: Literal["captions", "retrieval"]) -> str:
    """Return the folder of a module for ``evaluate.load``.

    Args:
        name: ``"captions"``: predictions are captions, references one or several captions each; options are those of
            :func:`muge_fast.score_captions`. ``"retrieval"``: predictions are ranked items, references relevant items;
            options are those of :func:`muge_fast.score_retrieval`.

    Returns:
        Path of the folder.

    Raises:
        ValueError: ``name`` is unknown.

    Example:
        >>> from muge_fast.integrations.evaluate import path
        >>> metric = evaluate.load(path("captions"))  # doctest: +SKIP
        >>> metric.compute(predictions=["红色长裙"], references=[["红裙"]], metrics=["bleu"])  # doctest: +SKIP
        {'bleu': 1.6e-05}

    """
    if name not in ("captions", "retrieval"):
        raise ValueError(f"unknown name {name!r}, use 'captions' or 'retrieval'")
    return str(Path(__file__).parent / name)
