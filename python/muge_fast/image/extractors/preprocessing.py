"""Preprocessing protocols: images to inputs of the Inception network, each as in the tool that it is named after.

The same images give Fréchet distances that differ by up to 4 % between protocols, so the protocol is part of every
signature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from muge_fast._internal.checks import check_choice
from muge_fast.image.extractors.devices import to_device
from muge_fast.image.extractors.networks import INPUT_SIZE
from muge_fast.image.inputs import Pixels, describe, dtype_fix, dtype_name, is_array, is_path

ImageBatch: TypeAlias = Sequence[Pixels] | Tensor
"""uint8 arrays of shape ``(height, width, 3)``, or one uint8 tensor of shape ``(images, 3, height, width)``."""


def tf1(images: Tensor) -> Tensor:
    """Resize as TensorFlow 1 and torch-fidelity: bilinear, without half-pixel centers, aligned corners or antialiasing.

    Output pixel ``i`` is read at ``i * length / 299``. Torch reads at the same positions when it resizes an image
    padded by one pixel to 300 pixels with aligned corners, which is faster than two matrix products.

    Args:
        images: uint8 tensor of shape ``(images, 3, height, width)``.

    Returns:
        float32 tensor of shape ``(images, 3, 299, 299)``, scaled as ``(x - 128) / 128``.

    """
    padded = functional.pad(images.float(), (0, 1, 0, 1), mode="replicate")
    size = (INPUT_SIZE + 1, INPUT_SIZE + 1)
    resized = functional.interpolate(padded, size=size, mode="bilinear", align_corners=True)
    return (resized[..., :INPUT_SIZE, :INPUT_SIZE] - 128) / 128


def pytorch_fid(images: Tensor) -> Tensor:
    """Resize as pytorch-fid: bilinear with half-pixel centers, no antialiasing.

    Args:
        images: uint8 tensor of shape ``(images, 3, height, width)``.

    Returns:
        float32 tensor of shape ``(images, 3, 299, 299)``, scaled as ``2 x / 255 - 1``.

    """
    size = (INPUT_SIZE, INPUT_SIZE)
    resized = functional.interpolate(images.float() / 255, size=size, mode="bilinear", align_corners=False)
    return 2 * resized - 1


def torchmetrics(images: Tensor) -> Tensor:
    """Resize as torchmetrics since 1.8: bilinear with half-pixel centers and antialiasing.

    Args:
        images: uint8 tensor of shape ``(images, 3, height, width)``.

    Returns:
        float32 tensor of shape ``(images, 3, 299, 299)``, scaled as ``(x - 128) / 128``.

    """
    size = (INPUT_SIZE, INPUT_SIZE)
    resized = functional.interpolate(images.float(), size=size, mode="bilinear", align_corners=False, antialias=True)
    return (resized - 128) / 128


def clean(images: Tensor) -> Tensor:
    """Resize as clean-fid: Pillow's bicubic filter on each channel in floating point, clamped to 0 to 255.

    Args:
        images: uint8 tensor of shape ``(images, 3, height, width)``.

    Returns:
        float32 tensor of shape ``(images, 3, 299, 299)``, scaled as ``(x - 128) / 128``.

    """
    from PIL import Image  # noqa: PLC0415 - an optional package

    size = (INPUT_SIZE, INPUT_SIZE)
    resized = [
        [
            np.asarray(Image.fromarray(channel.astype(np.float32), mode=None).resize(size, Image.Resampling.BICUBIC))
            for channel in image
        ]
        for image in images.cpu().numpy()
    ]
    return (torch.from_numpy(np.array(resized)).clamp(0, 255).to(images.device) - 128) / 128


def ofa(images: Tensor) -> Tensor:
    """Resize as the scripts of the benchmark's authors: Pillow's bilinear filter on bytes, with antialiasing.

    Their normalization is part of :class:`muge_fast.image.extractors.torchvision_network.TorchvisionInception`.

    Args:
        images: uint8 tensor of shape ``(images, 3, height, width)``.

    Returns:
        float32 tensor of shape ``(images, 3, 299, 299)``, from 0 to 1.

    """
    from PIL import Image  # noqa: PLC0415 - an optional package

    resized = [
        np.asarray(Image.fromarray(image).resize((INPUT_SIZE, INPUT_SIZE), Image.Resampling.BILINEAR))
        for image in images.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    ]
    return torch.from_numpy(np.array(resized)).permute(0, 3, 1, 2).contiguous().to(images.device).float() / 255


PROTOCOLS: dict[str, Callable[[Tensor], Tensor]] = {
    "tf1": tf1,
    "pytorch-fid": pytorch_fid,
    "torchmetrics": torchmetrics,
    "clean": clean,
    "ofa": ofa,
}


# Bytes of images that are resized together on the device.
MAX_BYTES_AT_ONCE = 1 << 26
# These resize with Pillow, on the host; all others resize on the device.
HOST_PROTOCOLS = ("clean", "ofa")


def preprocess(images: ImageBatch, protocol: str = "tf1", *, device: torch.device | str | None = None) -> Tensor:
    """Resize and scale images to the input of the Inception network.

    Args:
        images: uint8 arrays of shape ``(height, width, 3)``, RGB, which may differ in size; or a uint8 tensor of shape
            ``(images, 3, height, width)``.
        protocol: The implementation to follow: ``"tf1"`` (TensorFlow 1 and torch-fidelity), ``"pytorch-fid"``,
            ``"torchmetrics"``, ``"clean"`` (clean-fid), or ``"ofa"`` (the scripts of the benchmark's authors).
        device: Device of the result; None for the device of the images.

    Returns:
        A float32 tensor of shape ``(images, 3, 299, 299)``, from -1 to 1; from 0 to 1 for ``"ofa"``.

    Raises:
        TypeError: Images that are not uint8.
        ValueError: An unknown protocol, no images, or images of a wrong shape.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.extractors import preprocess
        >>> images = [np.zeros((20, 30, 3), dtype="uint8"), np.zeros((9, 9, 3), dtype="uint8")]
        >>> preprocess(images).shape, float(preprocess(images).max())
        (torch.Size([2, 3, 299, 299]), -1.0)

    """
    resize = PROTOCOLS[check_choice("protocol", protocol, PROTOCOLS)]
    check_images(images)
    groups = [images] if isinstance(images, Tensor) else stack_images(images)
    if protocol in HOST_PROTOCOLS:
        inputs = [to_device(resize(group), device) for group in groups]
    else:
        inputs = [_resize_in_parts(resize, to_device(group, device)) for group in groups]
    return inputs[0] if len(inputs) == 1 else torch.cat(inputs)


def _resize_in_parts(resize: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Resize images, large ones one by one and channel by channel: a copy in floats has four times the bytes."""
    if images.numel() <= MAX_BYTES_AT_ONCE:
        return resize(images)
    count = max(1, MAX_BYTES_AT_ONCE // images[0].numel())
    if count < len(images):
        return torch.cat([_resize_in_parts(resize, part) for part in torch.split(images, count)])
    return torch.cat([resize(channel) for channel in torch.split(images, 1, dim=1)], dim=1)


def stack_images(images: Sequence[Pixels]) -> list[Tensor]:
    """Stack images of equal size into one tensor; return one tensor for each image if sizes differ.

    Args:
        images: uint8 arrays of shape ``(height, width, 3)``.

    Returns:
        Tensors of shape ``(images, 3, height, width)``.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.extractors.preprocessing import stack_images
        >>> [tensor.shape for tensor in stack_images([np.zeros((20, 30, 3), dtype="uint8")] * 2)]
        [torch.Size([2, 3, 20, 30])]

    """
    # Torch has no read-only tensors and warns about arrays that must not be written to, such as those of Pillow images.
    arrays = [np.require(image, requirements=["C", "W"]) for image in images]
    tensors = [torch.from_numpy(array).permute(2, 0, 1)[None] for array in arrays]
    return [torch.cat(tensors)] if len({tensor.shape for tensor in tensors}) == 1 else tensors


def check_images(images: ImageBatch) -> None:
    """Check that images have the type and shapes that networks take.

    Args:
        images: uint8 arrays of shape ``(height, width, 3)``, or a uint8 tensor of shape ``(images, 3, height, width)``.

    Raises:
        TypeError: Images that are not uint8.
        ValueError: No images, or images of a wrong shape.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.extractors.preprocessing import check_images
        >>> check_images([np.zeros((8, 8, 3))])
        Traceback (most recent call last):
        ...
        TypeError: images[0] must be a uint8 array, got float64: for example (x * 255).round().astype("uint8") if ...

    """
    if isinstance(images, Tensor):
        if images.dtype != torch.uint8:
            raise TypeError(f"images must be uint8, got {images.dtype}: {dtype_fix(images)}")
        if images.ndim != 4 or images.shape[1] != 3 or not images.numel():  # noqa: PLR2004
            raise ValueError(f"images have shape {tuple(images.shape)}, need (images, 3, height, width)")
        return
    if is_path(images) or not isinstance(images, Sequence | np.ndarray):
        raise TypeError(f"expected uint8 arrays or a uint8 tensor of images, got {describe(images)}")
    if not len(images):
        raise ValueError("there are no images")
    for index, image in enumerate(images):
        if not is_array(image) or isinstance(image, np.ma.MaskedArray):
            raise TypeError(f"images[{index}] must be a uint8 array, got {describe(image)}")
        if image.dtype != np.uint8:
            raise TypeError(f"images[{index}] must be a uint8 array, got {dtype_name(image)}: {dtype_fix(image)}")
        if image.ndim != 3 or image.shape[2] != 3 or not image.size:  # noqa: PLR2004
            raise ValueError(f"images[{index}] has shape {tuple(image.shape)}, needs (height, width, 3)")
