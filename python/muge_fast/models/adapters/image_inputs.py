"""Inputs of networks from images, by a model's own image processor, made on the threads that decode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from muge_fast.image.extractors.devices import to_device
from muge_fast.image.extractors.preprocessing import check_images
from muge_fast.image.inputs import Pixels

Inputs: TypeAlias = dict[str, Tensor]
"""Arguments of a network by name, each with a first dimension for images."""

CHANNELS, VALUES = 3, 256


class ImageInputs:
    """The inputs of a network, with the bits that a call of its image processor returns.

    Processors scale and normalize each value alone, so the 256 possible results of each channel are looked up. The
    other steps, such as resizing, are those of the processor.

    Args:
        processor: An image processor of transformers.

    Example:
        >>> from muge_fast.models.adapters.image_inputs import ImageInputs
        >>> inputs = ImageInputs(transformers.CLIPImageProcessorPil())  # doctest: +SKIP
        >>> inputs.prepare(np.zeros((50, 40, 3), "uint8"))["pixel_values"].shape  # doctest: +SKIP
        torch.Size([1, 3, 224, 224])

    """

    def __init__(self, processor: Callable[..., Any]) -> None:
        self._processor = processor
        self._table = _look_up_table(processor)

    def prepare(self, image: Pixels) -> Inputs:
        """Return the inputs of one image.

        Args:
            image: uint8 array of shape ``(height, width, 3)``, RGB.

        Returns:
            The inputs.

        Raises:
            TypeError: The image is not uint8.
            ValueError: It has a wrong shape.

        """
        check_images([image])
        picture = Image.fromarray(np.ascontiguousarray(image))
        if self._table is None:
            return dict(self._processor(images=[picture], return_tensors="pt"))
        resized = self._processor(images=[picture], return_tensors="np", do_rescale=False, do_normalize=False)
        pixels = resized["pixel_values"]
        values = np.empty(pixels.shape, self._table.dtype)
        for channel in range(CHANNELS):
            # Bytes are never out of range, so nothing is clipped: NumPy is slower in its other modes.
            np.take(self._table[channel], pixels[0, channel], out=values[0, channel], mode="clip")
        return {"pixel_values": torch.from_numpy(values)}


def join_inputs(prepared: Sequence[Inputs], device: torch.device, dtype: torch.dtype) -> Inputs:
    """Return the inputs of a batch.

    Args:
        prepared: The inputs of each image.
        device: Device of the network.
        dtype: Data type of the network; inputs that are not floats keep theirs.

    Returns:
        The inputs.

    Raises:
        ValueError: There are no images.

    Example:
        >>> import torch
        >>> from muge_fast.models.adapters.image_inputs import join_inputs
        >>> one = {"pixel_values": torch.zeros(1, 3, 8, 8)}
        >>> join_inputs([one, one], torch.device("cpu"), torch.bfloat16)["pixel_values"].shape
        torch.Size([2, 3, 8, 8])

    """
    if not prepared:
        raise ValueError("there are no images")
    joined = {name: to_device(torch.cat([one[name] for one in prepared]), device) for name in prepared[0]}
    return {name: x.to(dtype) if x.is_floating_point() else x for name, x in joined.items()}


def _look_up_table(processor: Callable[..., Any]) -> npt.NDArray[np.float32] | None:
    """Return a processor's result for each byte of each channel; None if a result may depend on other bytes."""
    backend = import_module("transformers.image_processing_backends").PilBackend
    steps = ("_preprocess", "rescale", "normalize", "preprocess", "__call__")
    is_known = isinstance(processor, backend) and all(
        getattr(type(processor), step) is getattr(backend, step) for step in steps
    )
    settings: Any = processor
    if not is_known or settings.do_pad or not (settings.do_rescale or settings.do_normalize):
        return None
    every_byte = np.repeat(np.arange(VALUES, dtype=np.uint8).reshape(16, 16, 1), CHANNELS, axis=2)
    values = settings(images=[every_byte], return_tensors="np", do_resize=False, do_center_crop=False)["pixel_values"]
    return np.asarray(values).reshape(CHANNELS, VALUES)
