"""Convolutions whose weights are kept in the layout of oneDNN, the library that computes them on a CPU.

Torch reorders the weights of a convolution in every call, and hands 1 x 1 convolutions to another library. The
operators that ``torch.compile`` generates instead reorder the weights once. They are private (``torch.ops.mkldnn``): a
build of torch without them runs the plain network.

The network takes 97 % of the time of FID on a CPU (docs/benchmarks.md, table "stages"). With these convolutions, folded
batch normalization and one thread per chunk of a batch, FID is 2.4 to 3.1 times as fast as in torch-fidelity,
pytorch-fid and clean-fid (table "images").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from muge_fast.image.extractors.networks import ConvBNReLU, Inception

CONVOLVE, REORDER, HAS_BFLOAT16 = (
    "_convolution_pointwise",
    "_reorder_convolution_weight",
    "_is_mkldnn_bf16_supported",
)


class PackedConvReLU(nn.Module):
    """Conv2d and ReLU, with packed weights.

    Args:
        conv: A convolution with the batch normalization folded into it.

    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.settings = (list(map(int, conv.padding)), list(conv.stride), list(conv.dilation), conv.groups)
        self.weight = conv.weight.detach()
        self.bias = None if conv.bias is None else conv.bias.detach()
        self.packed_weight: Tensor | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the packed weights, which can be neither copied nor saved: a copy packs its own."""
        return {**self.__dict__, "packed_weight": None}

    def forward(self, x: Tensor) -> Tensor:
        """Apply the convolution and ReLU to a tensor of shape ``(images, channels, height, width)``."""
        weight = self.packed_weight
        if weight is None:
            # The fastest layout depends on the shape of the input; every layout gives the same result. Threads that
            # come here together compute the same layout twice.
            weight = self.packed_weight = _operator(REORDER)(self.weight, *self.settings, list(x.shape))
        # The operator can apply ReLU itself, but it maps NaN to 0.
        convolved = _operator(CONVOLVE)(x, weight, self.bias, *self.settings, "none", [], "")
        return functional.relu(convolved, inplace=True)


def can_pack(dtype: torch.dtype) -> bool:
    """Return whether this build of torch has the operators, and for ``bfloat16`` whether the CPU supports them.

    Args:
        dtype: Data type of weights and images.

    Example:
        >>> import torch
        >>> from muge_fast.image.extractors.cpu_packing import can_pack
        >>> can_pack(torch.float64)
        False

    """
    if not all(hasattr(torch.ops.mkldnn, name) for name in (CONVOLVE, REORDER, HAS_BFLOAT16)):
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and bool(_operator(HAS_BFLOAT16)()))


def pack_for_cpu(network: Inception) -> Inception:
    """Replace the convolutions of a network by packed ones, if :func:`can_pack`.

    Args:
        network: A network on the CPU after :meth:`muge_fast.image.extractors.networks.Inception.fold_batchnorm`; it is
            changed in place.

    Returns:
        The same network. Its weights cannot be loaded or saved any more.

    Example:
        >>> from muge_fast.image.extractors.cpu_packing import pack_for_cpu
        >>> from muge_fast.image.extractors.networks import Inception
        >>> network = pack_for_cpu(Inception().eval().fold_batchnorm())

    """
    if can_pack(network.fc.weight.dtype):
        for path, module in list(network.named_modules()):
            if isinstance(module, ConvBNReLU):
                parent, _, name = path.rpartition(".")
                setattr(network.get_submodule(parent), name, PackedConvReLU(module.conv))
    return network


def _operator(name: str) -> Callable[..., Any]:
    operator: Callable[..., Any] = getattr(torch.ops.mkldnn, name)
    return operator
