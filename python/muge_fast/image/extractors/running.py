"""Whatever makes features of images: a published network, a CLIP model, a module of torch, or any function."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import tee
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from muge_fast._internal.checks import whole_number
from muge_fast._internal.progress import Progress
from muge_fast.image.sources import Pixels, batches, count_images, open_images

Extractor = Callable[[Any], Any]


class InceptionScoreConvention(NamedTuple):
    """How the Inception Score is made of what an extractor gives.

    Attributes:
        logits: The output that it is made of.
        splits: How many parts, unless told otherwise.
        shuffle: Whether images are put in another order before.

    Example:
        >>> from muge_fast.image.extractors.running import InceptionScoreConvention
        >>> InceptionScoreConvention().splits
        10

    """

    logits: str = "logits_unbiased"
    splits: int = 10
    shuffle: bool = True


def convention_of_protocol(protocol: str) -> InceptionScoreConvention:
    """Give the rules of a protocol of :class:`muge_fast.image.extractors.inception.InceptionExtractor`.

    Example:
        >>> from muge_fast.image.extractors.running import convention_of_protocol
        >>> convention_of_protocol("ofa").splits
        1

    """
    return (
        InceptionScoreConvention("logits", splits=1, shuffle=False) if protocol == "ofa" else InceptionScoreConvention()
    )


def convention_of_extractor(extractor: Extractor | None) -> InceptionScoreConvention:
    """Give the rules of an extractor: its own, or those of torch-fidelity.

    Example:
        >>> from muge_fast.image.extractors.running import convention_of_extractor
        >>> convention_of_extractor(len).logits
        'logits_unbiased'

    """
    rules: InceptionScoreConvention = getattr(extractor, "inception_score_convention", InceptionScoreConvention())
    return rules


def signature_of(extractor: Extractor) -> str:
    """Tell what features depend on: what the extractor says, or the name of the function or class.

    Example:
        >>> from muge_fast.image.extractors.running import signature_of
        >>> signature_of(len)
        'extractor:builtins.len'

    """
    known = getattr(extractor, "signature", None)
    if isinstance(known, str):
        return known
    named = extractor if hasattr(extractor, "__qualname__") else type(extractor)
    return f"extractor:{named.__module__}.{named.__qualname__}"


def open_extractor(
    extractor: Extractor | None,
    *,
    outputs: Sequence[str],
    weights: str | os.PathLike[str] | None,
    protocol: str,
    precision: str,
    device: str | None,
) -> Extractor:
    """Give the extractor that a caller brings, or the published network.

    Args:
        extractor: The caller's; None for the network.
        outputs: As for :class:`muge_fast.image.extractors.inception.InceptionExtractor`.
        weights: As there.
        protocol: As there.
        precision: As there.
        device: As there.

    Raises:
        OSError: There is no file of weights.
        ValueError: Options of the network beside another extractor, or as for the network.

    Example:
        >>> from muge_fast.image.extractors.running import open_extractor
        >>> options = {"outputs": (), "weights": None, "precision": "fp32", "device": None}
        >>> open_extractor(len, protocol="clean", **options)
        Traceback (most recent call last):
        ...
        ValueError: extractor is given, so protocol means nothing: it is an option of the published network

    """
    if extractor is None:
        from muge_fast.image.extractors.inception import InceptionExtractor  # noqa: PLC0415 - it imports torch

        return InceptionExtractor(weights, protocol=protocol, precision=precision, device=device, outputs=outputs)
    given = {"weights": weights, "protocol": protocol, "precision": precision, "device": device}
    for name, usual in {"weights": None, "protocol": "tf1", "precision": "fp32", "device": None}.items():
        if given[name] != usual:
            raise ValueError(f"extractor is given, so {name} means nothing: it is an option of the published network")
    return extractor


def extract_features(
    extractor: Extractor,
    source: Any,  # noqa: ANN401 - what callers have
    outputs: Sequence[str],
    *,
    batch_size: int = 32,
    threads: int | None = None,
    progress: bool | None = None,
) -> Iterator[dict[str, Any]]:
    """Make features of all images of a source, batch by batch; decoding runs beside it.

    Args:
        extractor: A function that takes a list of uint8 arrays of shape ``(height, width, 3)``, RGB; or a
            ``torch.nn.Module`` that takes a uint8 tensor of shape ``(images, 3, height, width)``, and is put into
            evaluation. One with a method ``narrowed`` is told which outputs are needed, and one with ``of_batches`` is
            given all batches at once, as :class:`muge_fast.image.extractors.inception.InceptionExtractor`.
        source: As for :func:`muge_fast.image.sources.open_images`.
        outputs: Which outputs to take from extractors that give several; what others give gets the name.
        batch_size: Images of a batch.
        threads: Threads that decode; None for the number of cores.
        progress: Whether to show how many images are done; None for on a terminal.

    Returns:
        For each batch an array or tensor of shape ``(images, features)`` for each output, where the extractor made it.

    Raises:
        ValueError: As for :func:`muge_fast.image.sources.batches`, features of another shape, or an output that the
            extractor does not give.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.extractors.running import extract_features
        >>> def brightness(images):
        ...     return np.array([[image.mean()] for image in images])
        >>> images = np.zeros((3, 8, 8, 3), dtype="uint8")
        >>> [batch["light"].tolist() for batch in extract_features(brightness, images, ["light"], batch_size=2)]
        [[[0.0], [0.0]], [[0.0]]]

    """
    size = whole_number("batch_size", batch_size)
    threads = whole_number("threads", (os.cpu_count() or 1) if threads is None else threads)
    found = open_images(source)
    done = 0
    with Progress(count_images(found), "image", progress) as bar, _adapted(extractor, outputs) as adapted:
        decoded = batches(found, size, threads)
        for count, made in _made(adapted, decoded):
            yield _checked(made, outputs, count)
            done += count
            if bar.callback is not None:
                bar.callback(done)


def output_of(found: Any, output: str) -> Any:  # noqa: ANN401 - arrays and tensors
    """Take one output of what an extractor gives.

    Raises:
        ValueError: It gives several, and not this one.

    Example:
        >>> from muge_fast.image.extractors.running import output_of
        >>> output_of({"2048": [[1.0]]}, "2048")
        [[1.0]]

    """
    if not isinstance(found, dict):
        return found
    if output not in found:
        raise ValueError(f"the extractor gives {', '.join(found)}, needs the output {output}")
    return found[output]


def _is_module(extractor: Any) -> TypeGuard[Any]:  # noqa: ANN401
    """Whether it is a module of torch, which is imported where there is one."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(extractor, torch.nn.Module)


@contextmanager
def evaluating(extractor: Extractor) -> Iterator[None]:
    """Put a module of torch into evaluation, and each of its parts back to what it was.

    Example:
        >>> from muge_fast.image.extractors.running import evaluating
        >>> with evaluating(len):  # what is no module stays as it is
        ...     len([])
        0

    """
    if not _is_module(extractor):
        yield
        return
    # Some may be in evaluation already, to stay there.
    before = [(part, part.training) for part in extractor.modules()]
    extractor.eval()
    try:
        yield
    finally:
        for part, was_training in before:
            part.training = was_training


def _made(extractor: Any, decoded: Iterable[list[Pixels]]) -> Iterator[tuple[int, Any]]:  # noqa: ANN401
    """Number of images and features of each batch; an extractor that can is given all batches at once."""
    if not hasattr(extractor, "of_batches"):
        yield from ((len(batch), extractor(batch)) for batch in decoded)
        return
    left, right = tee(decoded)
    yield from zip(map(len, left), extractor.of_batches(right), strict=True)


def _checked(found: Any, outputs: Sequence[str], count: int) -> dict[str, Any]:  # noqa: ANN401
    """The outputs of a batch, with a row for each image."""
    if len(outputs) > 1 and not isinstance(found, dict):
        raise ValueError(f"the extractor gives one array, needs a dictionary with the outputs {', '.join(outputs)}")
    named = {name: output_of(found, name) for name in outputs}
    for features in named.values():
        if np.ndim(features) != 2 or len(features) != count:  # noqa: PLR2004
            shape = tuple(np.shape(features))
            raise ValueError(f"the extractor gives shape {shape}, needs ({count}, features) for this batch")
    return named


@contextmanager
def _adapted(extractor: Extractor, outputs: Sequence[str]) -> Iterator[Callable[[list[Pixels]], Any]]:
    """A module of torch takes tensors, in evaluation and without gradients; a function takes images as they are."""
    if not _is_module(extractor):
        yield extractor.narrowed(outputs) if hasattr(extractor, "narrowed") else extractor
        return
    import torch  # noqa: PLC0415 - whoever has a module has it

    from muge_fast.image.extractors.preprocessing import sent, tensors_of  # noqa: PLC0415 - it imports torch

    weight = next(extractor.parameters(), None)

    def adapted(images: list[Pixels]) -> Any:  # noqa: ANN401
        shapes = sorted({image.shape for image in images})
        if len(shapes) > 1:
            raise ValueError(f"images have shapes {shapes[0]} and {shapes[1]}, a module of torch needs one of a batch")
        (tensor,) = tensors_of(images)
        with torch.inference_mode():
            return extractor(sent(tensor.contiguous(), None if weight is None else weight.device))

    with evaluating(extractor):
        yield adapted
