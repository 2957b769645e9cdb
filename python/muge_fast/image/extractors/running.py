"""Running an extractor over a source of images, batch by batch."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import tee
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from muge_fast._internal.checks import whole_number
from muge_fast._internal.progress import Progress
from muge_fast.image.extractors.interface import (
    BatchedExtractor,
    FeatureExtractor,
    FeatureMatrix,
    FeatureOutput,
    MultiOutputExtractor,
)
from muge_fast.image.inputs import (
    BATCH_NDIM,
    CHANNELS,
    FEATURES_NDIM,
    Pixels,
    check_image_array,
    describe,
    dtype_name,
    images_of_batch,
    is_array,
    is_one_image,
    shape_of,
)
from muge_fast.image.sources import ImageSource, OpenedSource, count_images, decode_batches, open_images

if TYPE_CHECKING:
    from torch import Tensor, nn


def extract_features(
    extractor: FeatureExtractor,
    source: ImageSource | OpenedSource,
    outputs: Sequence[str],
    *,
    batch_size: int = 32,
    threads: int | None = None,
    progress: bool | None = None,
) -> Iterator[dict[str, FeatureMatrix]]:
    """Compute the features of all images of a source, batch by batch, while threads decode the next images.

    A ``torch.nn.Module`` is put into evaluation mode and called with uint8 tensors of shape
    ``(images, 3, height, width)``, without gradients; its modes are restored at the end. Any other extractor is called
    with lists of uint8 arrays of shape ``(height, width, 3)``; see
    :class:`muge_fast.image.extractors.BatchedExtractor` and :class:`muge_fast.image.extractors.MultiOutputExtractor`
    for its optional methods.

    Args:
        extractor: The extractor.
        source: A source of :func:`muge_fast.image.sources.open_images`, or its result.
        outputs: Names of the outputs to return. An extractor that returns a single matrix may be asked for one output
            only, which gets the name.
        batch_size: Number of images of a batch.
        threads: Number of threads that decode; None for the number of cores.
        progress: Whether to show a progress bar; None to show it on a terminal.

    Returns:
        An iterator over batches: for each output name an array or tensor of shape ``(images, features)``.

    Raises:
        TypeError: ``batch_size`` or ``threads`` is not an integer, or ``source`` is not a source of images.
        OSError: A path that cannot be read.
        ValueError: A number below 1, a path without images; while iterating, a broken image (with its name), arrays
            that are not uint8 images, features of a wrong shape, or an output that the extractor does not return.

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
    workers = whole_number("threads", (os.cpu_count() or 1) if threads is None else threads)
    images = open_images(source)
    batches = decode_batches(images, size, workers)
    return _extract(extractor, batches, outputs, total=count_images(images), progress=progress)


def extract_batch(extractor: FeatureExtractor, batch: object, output: str) -> FeatureMatrix:
    """Compute one output of the images of one batch, by the rules of :func:`extract_features`.

    Args:
        extractor: The extractor. A uint8 tensor of shape ``(images, 3, height, width)`` stays on its device for a
            ``torch.nn.Module`` and for an extractor with the attribute ``takes_tensors``.
        batch: A batch of :func:`muge_fast.image.inputs.images_of_batch`, of several images.
        output: Name of the output; ignored for an extractor that returns a single matrix.

    Returns:
        Array or tensor of shape ``(images, features)``.

    Raises:
        TypeError: Not a batch of images, or the extractor does not return an array of numbers.
        ValueError: Arrays that are not uint8 images, no images, features of a wrong shape, or an output that the
            extractor does not return.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.extractors.running import extract_batch
        >>> def brightness(images):
        ...     return np.array([[image.mean()] for image in images])
        >>> extract_batch(brightness, np.ones((2, 3, 8, 8), dtype="uint8"), "2048").tolist()
        [[1.0], [1.0]]

    """
    images = _batch_for(extractor, batch)
    if not len(images):
        raise ValueError("a batch has no images")
    with _prepared(extractor, [output]) as prepared:
        return _checked_outputs(_call(prepared, images), [output], len(images))[output]


def output_of(features: FeatureOutput, output: str) -> FeatureMatrix:
    """Return one output of an extractor's result.

    Args:
        features: A matrix, or a mapping from output names to matrices.
        output: Name of the output; ignored for a single matrix.

    Returns:
        The matrix.

    Raises:
        ValueError: The mapping does not have the output.

    Example:
        >>> from muge_fast.image.extractors.running import output_of
        >>> output_of({"2048": [[1.0]]}, "2048")
        [[1.0]]

    """
    if not isinstance(features, Mapping):
        return features
    if output not in features:
        raise ValueError(f"the extractor returns the outputs {', '.join(map(str, features))}, not {output}")
    return features[output]


@contextmanager
def evaluating(extractor: FeatureExtractor) -> Iterator[None]:
    """Put a ``torch.nn.Module`` into evaluation mode, and restore the mode of each of its submodules at the end.

    Args:
        extractor: The extractor; anything but a module is left alone.

    Example:
        >>> from muge_fast.image.extractors.running import evaluating
        >>> with evaluating(len):
        ...     len([])
        0

    """
    if not _is_module(extractor):
        yield
        return
    # Submodules may be in evaluation mode already in the middle of training, and must stay so.
    modes = [(module, module.training) for module in extractor.modules()]
    extractor.eval()
    try:
        yield
    finally:
        for module, was_training in modes:
            module.training = was_training


def _extract(
    extractor: FeatureExtractor,
    batches: Iterable[list[Pixels]],
    outputs: Sequence[str],
    *,
    total: int | None,
    progress: bool | None,
) -> Iterator[dict[str, FeatureMatrix]]:
    done = 0
    with Progress(total, "image", progress) as bar, _prepared(extractor, outputs) as prepared:
        for count, features in _features_of_batches(prepared, batches):
            yield _checked_outputs(features, outputs, count)
            done += count
            if bar.callback is not None:
                bar.callback(done)


def _features_of_batches(
    extractor: FeatureExtractor, batches: Iterable[list[Pixels]]
) -> Iterator[tuple[int, FeatureOutput]]:
    """Yield the number of images and the features of each batch."""
    if not isinstance(extractor, BatchedExtractor):
        yield from ((len(batch), _call(extractor, batch)) for batch in batches)
        return
    counted, images = tee(batches)
    yield from zip(map(len, counted), extractor.iter_batches(images), strict=True)


def _checked_outputs(features: FeatureOutput, outputs: Sequence[str], count: int) -> dict[str, FeatureMatrix]:
    """Return the outputs of a batch of ``count`` images by name."""
    if len(outputs) > 1 and not isinstance(features, Mapping):
        raise ValueError(f"the extractor returns one array, needs a dictionary with the outputs {', '.join(outputs)}")
    return {name: _checked_matrix(output_of(features, name), count) for name in outputs}


def _checked_matrix(matrix: object, count: int) -> FeatureMatrix:
    """Return features that an extractor returned, nested lists as an array."""
    needed = f"needs ({count}, features) for this batch"
    if isinstance(matrix, (list, tuple)):
        try:
            matrix = np.array([[float(value) for value in row] for row in matrix])
        except (TypeError, ValueError):
            raise TypeError(f"the extractor returns {describe(matrix)}, {needed}: an array or a tensor") from None
    if not is_array(matrix):
        raise TypeError(f"the extractor returns {describe(matrix)}, {needed}: an array or a tensor")
    if not dtype_name(matrix).startswith(("float", "bfloat", "int", "uint")):
        raise TypeError(f"the extractor returns {describe(matrix)}, {needed} of floats")
    shape = shape_of(matrix)
    if len(shape) != FEATURES_NDIM or shape[0] != count or not shape[1]:
        raise ValueError(f"the extractor returns shape {shape}, {needed}")
    features: FeatureMatrix = matrix  # type: ignore[assignment] # any array of numbers
    return features


def _call(extractor: FeatureExtractor, images: list[Pixels] | Tensor) -> FeatureOutput:
    """Call an extractor; an error in it says what it was called with."""
    try:
        return extractor(images)  # type: ignore[arg-type] # tensors only for those that take them
    except Exception as error:
        if isinstance(images, list) and hasattr(error, "add_note"):  # From Python 3.11 on.
            error.add_note(
                f"The extractor was called with a list of {len(images)} uint8 arrays, the first of shape "
                f"{images[0].shape}. A torch.nn.Module is called with a uint8 tensor (images, 3, height, width)."
            )
        raise


def _batch_for(extractor: FeatureExtractor, batch: object) -> list[Pixels] | Tensor:
    """Return a batch in the form that an extractor takes: a tensor with channels first, or a list of arrays."""
    if is_array(batch):
        check_image_array(batch)
    if is_one_image(batch):
        raise TypeError(f"expected a batch of images, got {describe(batch)}: put one image into a list, [image]")
    takes_tensors = _is_module(extractor) or getattr(extractor, "takes_tensors", False)
    if takes_tensors and _is_tensor(batch) and batch.ndim == BATCH_NDIM:
        return batch.permute(0, 3, 1, 2) if batch.shape[-1] == CHANNELS else batch
    return list(images_of_batch(batch))


@contextmanager
def _prepared(extractor: FeatureExtractor, outputs: Sequence[str]) -> Iterator[FeatureExtractor]:
    """Restrict an extractor to some outputs; let a module take lists of arrays, in evaluation mode."""
    if not _is_module(extractor):
        yield extractor.with_outputs(outputs) if isinstance(extractor, MultiOutputExtractor) else extractor
        return
    with evaluating(extractor):
        yield _on_arrays(extractor)


def _on_arrays(module: nn.Module) -> FeatureExtractor:
    """Return a function that runs a module on a list of arrays, without gradients."""
    import torch  # noqa: PLC0415 - an optional package, imported already where there is a module

    from muge_fast.image.extractors.devices import to_device  # noqa: PLC0415 - imports torch
    from muge_fast.image.extractors.preprocessing import stack_images  # noqa: PLC0415 - imports torch

    weight = next(module.parameters(), None)
    device = None if weight is None else weight.device

    def run(images: list[Pixels] | Tensor) -> FeatureOutput:
        if isinstance(images, list):
            shapes = sorted({image.shape for image in images})
            if len(shapes) > 1:
                raise ValueError(
                    f"images have shapes {shapes[0]} and {shapes[1]}, a torch module needs one shape per batch"
                )
            (tensor,) = stack_images(images)
        else:
            tensor = images
        with torch.inference_mode():
            features: FeatureOutput = module(to_device(tensor.contiguous(), device))
        return features

    return run


def _is_tensor(value: object) -> TypeGuard[Tensor]:
    """Check for a tensor without importing torch: a tensor exists only where torch has been imported."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_module(extractor: object) -> TypeGuard[nn.Module]:
    """Check for a torch module without importing torch: a module exists only where torch has been imported."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(extractor, torch.nn.Module)
