"""How images become the network's input: named protocols, each equal to its original.

The same images give Fréchet distances that differ by up to 4 % between them, so a score never goes without its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from muge_fast.image.extractors.networks import SIZE

Image = npt.NDArray[np.uint8]


def tf1(images: Tensor) -> Tensor:
    """Resize as TensorFlow 1 did, as in torch-fidelity: no half pixels, no smoothing.

    Pixel ``i`` of the result is read at ``i * length / 299``. Torch reads there too when it makes one pixel more of
    one pixel more, corner on corner, and has code for it that is faster than two products of matrices. Values become
    ``(x - 128) / 128``.
    """
    longer = functional.pad(images.float(), (0, 1, 0, 1), mode="replicate")
    size = (SIZE + 1, SIZE + 1)
    resized = functional.interpolate(longer, size=size, mode="bilinear", align_corners=True)
    return (resized[..., :SIZE, :SIZE] - 128) / 128


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

    What else their scripts do to pixels is in :mod:`muge_fast.image.extractors.torchvision_network`.
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


# These resize by Pillow, so on the host; the others do it where the images are.
ON_HOST = ("clean", "ofa")


def preprocess(
    images: Sequence[Image] | Tensor, protocol: str = "tf1", *, device: torch.device | str | None = None
) -> Tensor:
    """Make the network's input of images, which may be of different sizes.

    Args:
        images: Arrays of shape ``(height, width, 3)``, uint8, RGB; or a tensor ``(images, 3, height, width)``, uint8.
        protocol: ``"tf1"``, ``"pytorch-fid"``, ``"torchmetrics"``, ``"clean"`` or ``"ofa"``.
        device: Where the input shall be; None for where the images are.

    Returns:
        A tensor of shape ``(images, 3, 299, 299)``, float32.

    Raises:
        ValueError: An unknown protocol.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.extractors.preprocessing import preprocess
        >>> images = [np.zeros((20, 30, 3), dtype="uint8"), np.zeros((9, 9, 3), dtype="uint8")]
        >>> preprocess(images).shape, float(preprocess(images).max())
        (torch.Size([2, 3, 299, 299]), -1.0)

    """
    if protocol not in PROTOCOLS:
        raise ValueError(f'unknown protocol "{protocol}", choose one of {", ".join(PROTOCOLS)}')
    resize = PROTOCOLS[protocol]
    groups = [images] if isinstance(images, Tensor) else tensors_of(images)
    if protocol in ON_HOST:
        inputs = [sent(resize(group), device) for group in groups]
    else:
        inputs = [resize(sent(group, device)) for group in groups]
    return inputs[0] if len(inputs) == 1 else torch.cat(inputs)


def tensors_of(images: Sequence[Image]) -> list[Tensor]:
    """Make one tensor ``(images, 3, height, width)`` of images that are alike in size, or one for each image.

    Args:
        images: As for :func:`preprocess`.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image.extractors.preprocessing import tensors_of
        >>> [tensor.shape for tensor in tensors_of([np.zeros((20, 30, 3), dtype="uint8")] * 2)]
        [torch.Size([2, 3, 20, 30])]

    """
    # Arrays that share a Pillow image may not be written to, which torch does not know of its tensors and warns about.
    arrays = [np.require(image, requirements=["C", "W"]) for image in images]
    tensors = [torch.from_numpy(array).permute(2, 0, 1)[None] for array in arrays]
    return [torch.cat(tensors)] if len({tensor.shape for tensor in tensors}) == 1 else tensors


def sent(tensor: Tensor, device: torch.device | str | None) -> Tensor:
    """Bring a tensor to a device: to a GPU from memory that stays in place, so that the host need not wait.

    Args:
        tensor: Any tensor.
        device: Where to; None to leave it where it is.

    Example:
        >>> from muge_fast.image.extractors.preprocessing import sent
        >>> sent(torch.zeros(2), "cpu").device
        device(type='cpu')

    """
    if device is None or torch.device(device) == tensor.device:
        return tensor
    if torch.device(device).type == "cuda" and tensor.device.type == "cpu":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
