"""How images become the network's input: named protocols, each equal to its original.

The same images give Fréchet distances that differ by up to 4 % between them, so a score never goes without its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from muge_fast.image.inception import SIZE

Image = npt.NDArray[np.uint8]


def tf1(images: Tensor) -> Tensor:
    """Resize as TensorFlow 1 did, as in torch-fidelity: no half pixels, no smoothing.

    It is written as two products of matrices. Values become ``(x - 128) / 128``.
    """
    high, wide = (_tf1_matrix(length).to(images.device) for length in images.shape[2:])
    return (high @ images.float() @ wide.T - 128) / 128


def pytorch_fid(images: Tensor) -> Tensor:
    """Resize as pytorch-fid: half pixels, no smoothing. Values become ``2 x - 1`` of ``x`` from 0 to 1."""
    resized = functional.interpolate(images.float() / 255, size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    return 2 * resized - 1


def torchmetrics(images: Tensor) -> Tensor:
    """Resize as torchmetrics since 1.8: half pixels, smoothed when shrinking. Values become ``(x - 128) / 128``."""
    size = (SIZE, SIZE)
    resized = functional.interpolate(images.float(), size=size, mode="bilinear", align_corners=False, antialias=True)
    return (resized - 128) / 128


def clean(images: Tensor) -> Tensor:
    """Resize as clean-fid: Pillow's bicubic on each channel in floating point, cut to 0..255."""
    from PIL import Image as Pillow  # noqa: PLC0415 - most protocols do without

    channels = [
        [
            np.asarray(
                Pillow.fromarray(channel.astype(np.float32), mode=None).resize((SIZE, SIZE), Pillow.Resampling.BICUBIC)
            )
            for channel in image
        ]
        for image in images.cpu().numpy()
    ]
    return (torch.from_numpy(np.array(channels)).clamp(0, 255).to(images.device) - 128) / 128


def ofa(images: Tensor) -> Tensor:
    """Resize as the group behind the benchmark: Pillow's bilinear on bytes, smoothed when shrinking. Values are 0 to 1.

    What else their scripts do to pixels is in :mod:`muge_fast.image.torchvision_inception`.
    """
    from PIL import Image as Pillow  # noqa: PLC0415 - most protocols do without

    resized = [
        np.asarray(Pillow.fromarray(image).resize((SIZE, SIZE), Pillow.Resampling.BILINEAR))
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


def preprocess(images: Sequence[Image] | Tensor, protocol: str = "tf1") -> Tensor:
    """Make the network's input of images, which may be of different sizes.

    Args:
        images: Arrays of shape ``(height, width, 3)``, uint8, RGB; or a tensor ``(images, 3, height, width)``, uint8.
        protocol: ``"tf1"``, ``"pytorch-fid"``, ``"torchmetrics"``, ``"clean"`` or ``"ofa"``.

    Returns:
        A tensor of shape ``(images, 3, 299, 299)``, float32.

    Raises:
        ValueError: An unknown protocol.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.preprocess import preprocess
        >>> images = [np.zeros((20, 30, 3), dtype="uint8"), np.zeros((9, 9, 3), dtype="uint8")]
        >>> preprocess(images).shape, float(preprocess(images).max())
        (torch.Size([2, 3, 299, 299]), -1.0)

    """
    if protocol not in PROTOCOLS:
        raise ValueError(f'unknown protocol "{protocol}", choose one of {", ".join(PROTOCOLS)}')
    resize = PROTOCOLS[protocol]
    if isinstance(images, Tensor):
        return resize(images)
    tensors = [torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None] for image in images]
    if len({tensor.shape for tensor in tensors}) == 1:
        return resize(torch.cat(tensors))
    return torch.cat([resize(tensor) for tensor in tensors])


@cache
def _tf1_matrix(length: int) -> Tensor:
    """Each row holds the weights of the two pixels that a pixel of the result lies between."""
    places = np.arange(SIZE, dtype=np.float32) * (np.float32(length) / np.float32(SIZE))
    low = places.astype(np.int64)
    high = np.minimum(low + 1, length - 1)
    share = places - low.astype(np.float32)
    matrix = np.zeros((SIZE, length), dtype=np.float32)
    rows = np.arange(SIZE)
    np.add.at(matrix, (rows, low), 1 - share)
    np.add.at(matrix, (rows, high), share)
    return torch.from_numpy(matrix)
