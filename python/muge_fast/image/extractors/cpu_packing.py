"""Convolutions whose weights lie in memory as a CPU's library reads them.

Torch reorders the weights of a convolution each time that it runs, and leaves those of one pixel to another library.
The operators that torch's own compiler puts in their place reorder the weights once. They are not part of torch's
documented interface: a build of torch that has none of them goes on with the plain network.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from muge_fast.image.extractors.networks import Inception, Unit

CONVOLVE, REORDER, HAS_BFLOAT16 = (
    "_convolution_pointwise",
    "_reorder_convolution_weight",
    "_is_mkldnn_bf16_supported",
)


class PackedUnit(nn.Module):
    """A convolution without what is below zero.

    Args:
        conv: The convolution, with the normalisation in it.

    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.rules = (list(map(int, conv.padding)), list(conv.stride), list(conv.dilation), conv.groups)
        self.plain = conv.weight.detach()
        self.bias = None if conv.bias is None else conv.bias.detach()
        self.packed: Tensor | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be neither copied nor saved: a copy packs its weights anew."""
        return {**self.__dict__, "packed": None}

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        packed = self.packed
        if packed is None:
            # The best order depends on the shape of the input; with any other the result is the same. Threads that come
            # here together make the same twice.
            packed = self.packed = _operator(REORDER)(self.plain, *self.rules, list(x.shape))
        result = _operator(CONVOLVE)(x, packed, self.bias, *self.rules, "none", [], "")
        # The operator could take out what is below zero too, but would make zeros of what is no number.
        return functional.relu(result, inplace=True)


def can_pack(dtype: torch.dtype) -> bool:
    """Whether this build of torch has the operators, and this CPU those for ``bfloat16``.

    Args:
        dtype: Of weights and images.

    Example:
        >>> from muge_fast.image.extractors.cpu_packing import can_pack
        >>> can_pack(torch.float64)
        False

    """
    if not all(hasattr(torch.ops.mkldnn, name) for name in (CONVOLVE, REORDER, HAS_BFLOAT16)):
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and bool(_operator(HAS_BFLOAT16)()))


def packed(network: Inception) -> Inception:
    """Pack the convolutions of a network that runs on a CPU, if :func:`can_pack`.

    Args:
        network: Folded, see :meth:`muge_fast.image.extractors.networks.Inception.folded`; it is changed in place.

    Returns:
        The same network. Its weights cannot be loaded or saved any more.

    Example:
        >>> from muge_fast.image.extractors.cpu_packing import packed
        >>> network = packed(Inception().eval().folded())

    """
    if can_pack(network.fc.weight.dtype):
        for name, unit in list(network.named_modules()):
            if isinstance(unit, Unit):
                block, _, own = name.rpartition(".")
                setattr(network.get_submodule(block), own, PackedUnit(unit.conv))
    return network


def _operator(name: str) -> Any:  # noqa: ANN401 - torch makes them as it runs
    return getattr(torch.ops.mkldnn, name)
