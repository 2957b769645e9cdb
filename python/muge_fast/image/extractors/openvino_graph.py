"""Translation of a torch network into a graph of OpenVINO, operation by operation.

torch.fx records the operations of the network, so its layers are defined once, in :mod:`networks`. An operation that is
not in ``TRANSLATIONS`` raises.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, fx, nn

# OpenVINO is an optional package, and its classes are compiled: graphs, nodes and the module of operations are Any.
Node: TypeAlias = Any
Operations: TypeAlias = Any
Translation: TypeAlias = Callable[..., Node]


def translate(network: nn.Module, outputs: Sequence[str], size: int, openvino: Operations) -> Node:
    """Return the graph of a network with a batch of any size.

    Args:
        network: A network in evaluation mode that is called with images and names of outputs, and returns tensors by
            name.
        outputs: The names.
        size: Height and width of images.
        openvino: The package.

    Returns:
        An ``openvino.Model``, whose results are in the order of ``outputs``.

    Raises:
        NotImplementedError: The network has an operation that is not in ``TRANSLATIONS``.

    Example:
        >>> from muge_fast.image.extractors.networks import Inception
        >>> from muge_fast.image.extractors.openvino_graph import translate
        >>> translate(Inception().eval().fold_batchnorm(), ["2048"], 299, openvino)  # doctest: +SKIP

    """
    pixels = openvino.opset13.parameter([-1, 3, size, size], np.float32)
    recorded = fx.symbolic_trace(_WithOutputs(network, outputs))
    with torch.no_grad():
        results: Mapping[str, Node] = _Translator(recorded, openvino.opset13).run(pixels)
    return openvino.Model([results[name] for name in outputs], [pixels])


class _WithOutputs(nn.Module):
    """A network with fixed names of outputs: torch.fx records functions of tensors."""

    def __init__(self, network: nn.Module, outputs: Sequence[str]) -> None:
        super().__init__()
        self.network, self.outputs = network, tuple(outputs)

    def forward(self, x: Tensor) -> Mapping[str, Tensor]:
        """Compute the outputs of images of shape ``(images, channels, height, width)``."""
        results: Mapping[str, Tensor] = self.network(x, self.outputs)
        return results


class _Translator(fx.Interpreter):
    """Runs recorded operations on nodes of a graph in place of tensors.

    Weights stay tensors until an operation takes them, so operations on weights alone are computed by torch.
    """

    def __init__(self, recorded: fx.GraphModule, operations: Operations) -> None:
        super().__init__(recorded)
        self.operations = operations

    def call_function(self, target: Node, args: tuple[Node, ...], kwargs: dict[str, Node]) -> Node:
        """Translate a function of nodes."""
        if target is getattr:
            return getattr(*args)
        return self._translate(target.__name__, args, kwargs)

    def call_method(self, target: Node, args: tuple[Node, ...], kwargs: dict[str, Node]) -> Node:
        """Translate a method of a node."""
        return self._translate(target, args, kwargs)

    def call_module(self, target: Node, args: tuple[Node, ...], kwargs: dict[str, Node]) -> Node:
        """Leave out the identities in place of folded layers; all other modules are recorded by their functions."""
        if not isinstance(self.fetch_attr(target), nn.Identity):
            return self._translate(type(self.fetch_attr(target)).__name__, args, kwargs)
        return args[0]

    def _translate(self, name: str, args: tuple[Node, ...], kwargs: dict[str, Node]) -> Node:
        if name not in TRANSLATIONS:
            raise NotImplementedError(f"{name} has no translation to OpenVINO")
        return TRANSLATIONS[name](self.operations, *args, **kwargs)


def _constant(operations: Operations, tensor: Tensor) -> Node:
    return operations.constant(tensor.detach().contiguous().numpy())


def _convolution(
    operations: Operations,
    x: Node,
    weight: Tensor,
    bias: Tensor | None,
    *settings: Node,
) -> Node:
    stride, padding, dilation, groups = settings
    if groups != 1 or bias is None:
        raise NotImplementedError("a convolution with groups, or without bias, has no translation to OpenVINO")
    pads = list(padding)
    product = operations.convolution(x, _constant(operations, weight), list(stride), pads, pads, list(dilation))
    return operations.add(product, _constant(operations, bias.reshape(1, -1, 1, 1)))


def _relu(operations: Operations, x: Node, *, inplace: bool = False) -> Node:
    del inplace
    return operations.relu(x)


def _max_pool2d(
    operations: Operations,
    x: Node,
    size: int,
    *,
    stride: int,
    padding: int,
    dilation: int,
    ceil_mode: bool,
    return_indices: bool,
) -> Node:
    if ceil_mode or return_indices:
        raise NotImplementedError("max_pool2d with ceil_mode or indices has no translation to OpenVINO")
    pads = [padding] * 2
    pooled = operations.max_pool(x, [stride] * 2, [dilation] * 2, pads, pads, [size] * 2)
    # The second output has indices.
    return pooled.output(0)


def _avg_pool2d(
    operations: Operations, x: Node, size: int, *, stride: int, padding: int, count_include_pad: bool = True
) -> Node:
    pads = [padding] * 2
    return operations.avg_pool(x, [stride] * 2, pads, pads, [size] * 2, not count_include_pad)


def _adaptive_avg_pool2d(operations: Operations, x: Node, size: int) -> Node:
    if size != 1:
        raise NotImplementedError("adaptive_avg_pool2d to more than one pixel has no translation to OpenVINO")
    return operations.reduce_mean(x, operations.constant(np.array([2, 3])), keep_dims=True)


def _flatten(operations: Operations, x: Node, start: int) -> Node:
    if start != 1:
        raise NotImplementedError("flatten from another dimension than 1 has no translation to OpenVINO")
    return operations.reshape(x, operations.constant(np.array([0, -1])), special_zero=True)


def _cat(operations: Operations, tensors: Sequence[Node], dim: int) -> Node:
    return operations.concat(list(tensors), dim)


def _mm(operations: Operations, x: Node, matrix: Tensor) -> Node:
    return operations.matmul(x, _constant(operations, matrix), transpose_a=False, transpose_b=False)


def _linear(operations: Operations, x: Node, weight: Tensor, bias: Tensor) -> Node:
    return _add(operations, _mm(operations, x, weight.T), bias)


def _add(operations: Operations, x: Node, weights: Tensor) -> Node:
    return operations.add(x, _constant(operations, weights))


def _mul(operations: Operations, x: Node, weights: Tensor) -> Node:
    return operations.multiply(x, _constant(operations, weights))


TRANSLATIONS: Mapping[str, Translation] = {
    "conv2d": _convolution,
    "relu": _relu,
    "max_pool2d": _max_pool2d,
    "avg_pool2d": _avg_pool2d,
    "adaptive_avg_pool2d": _adaptive_avg_pool2d,
    "flatten": _flatten,
    "cat": _cat,
    "mm": _mm,
    "linear": _linear,
    operator.add.__name__: _add,
    operator.mul.__name__: _mul,
}
