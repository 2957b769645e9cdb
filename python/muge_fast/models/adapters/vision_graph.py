"""The vision network of CLIP and Chinese-CLIP as a graph of OpenVINO, for CPUs.

The network takes nearly all of the time of encoding images. OpenVINO packs its weights once, and fuses attention.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from muge_fast.image.extractors.cpu_engine import CompiledGraph, import_openvino
from muge_fast.image.extractors.cpu_threads import run_chunks, split_batch
from muge_fast.image.extractors.openvino_graph import Node, Operations

# A network of transformers, whose layers are typed only in part.
Layer: TypeAlias = Any

TYPES = ("clip", "chinese_clip")
"""Types of models whose vision network is the one of this module."""

ACTIVATIONS = ("quick_gelu", "gelu")

# Images that one core computes at a time.
CHUNK = 8

OUTPUT = "features"


def is_translatable(model_type: str, network: nn.Module) -> bool:
    """Return whether a model has the vision network of this module.

    Args:
        model_type: Type of the model.
        network: The model.

    Returns:
        True for CLIP and Chinese-CLIP with one of the activations that published models have.

    Example:
        >>> import torch
        >>> from muge_fast.models.adapters.vision_graph import is_translatable
        >>> is_translatable("siglip", torch.nn.Identity())
        False

    """
    layers: Layer = network
    # Code of a model's folder may use the name of a type for a network that differs.
    is_known = model_type in TYPES and type(network).__module__.startswith("transformers.models.")
    return is_known and layers.config.vision_config.hidden_act in ACTIVATIONS


class VisionGraph:
    """A compiled vision network, with the projection to features.

    Each core computes a few images at a time, so features have the same bits for any number of cores.

    Args:
        model: The model, in float32 on the CPU.
        dtype: ``"fp32"`` or ``"bf16"``.

    Example:
        >>> from muge_fast.models.adapters.vision_graph import VisionGraph
        >>> VisionGraph(model, "fp32")(pixels).shape  # doctest: +SKIP
        torch.Size([32, 512])

    """

    def __init__(self, model: nn.Module, dtype: str) -> None:
        openvino = import_openvino()
        with torch.no_grad():
            graph = _Builder(openvino.opset13).build(model, openvino)
        precision = "bf16" if dtype == "bf16" else "f32"
        self._graph = CompiledGraph(graph, (OUTPUT,), precision, max(1, torch.get_num_threads()))

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return the features of images.

        Args:
            pixels: float32 tensor of shape ``(images, 3, size, size)``.

        Returns:
            float32 tensor of shape ``(images, features)``.

        """
        return torch.cat(run_chunks(self._features, split_batch(pixels, CHUNK)))

    def _features(self, pixels: Tensor) -> Tensor:
        return self._graph.run(pixels)[OUTPUT]


class _Builder:
    """Makes nodes of a graph from layers of transformers."""

    def __init__(self, operations: Operations) -> None:
        self.operations = operations

    def build(self, model: Layer, openvino: Operations) -> Node:
        """Return the graph, which takes a batch of any size."""
        vision = model.vision_model
        size = vision.config.image_size
        pixels = self.operations.parameter([-1, 3, size, size], np.float32)
        x = self.normalize(self.embed(pixels, vision.embeddings), vision.pre_layrnorm)
        for layer in vision.encoder.layers:
            x = self.add(x, self.attend(self.normalize(x, layer.layer_norm1), layer.self_attn))
            x = self.add(x, self.feed_forward(self.normalize(x, layer.layer_norm2), layer.mlp))
        first = self.operations.gather(x, self.integers(0), self.integers(1))
        features = self.linear(self.normalize(first, vision.post_layernorm), model.visual_projection)
        return openvino.Model([features], [pixels])

    def embed(self, pixels: Node, embeddings: Layer) -> Node:
        """Return patches with their positions, after the embedding of the whole image."""
        weight, width = self.constant(embeddings.patch_embedding.weight), embeddings.embed_dim
        stride, none = [embeddings.patch_size] * 2, [0, 0]
        patches = self.operations.convolution(pixels, weight, stride, none, none, [1, 1])
        patches = self.transpose(self.reshape(patches, [0, width, -1]), [0, 2, 1])
        batch = self.operations.gather(self.operations.shape_of(pixels), self.integers([0]), self.integers(0))
        shape = self.operations.concat([batch, self.integers([1]), self.integers([width])], 0)
        whole = self.operations.broadcast(self.constant(embeddings.class_embedding.reshape(1, 1, -1)), shape)
        positions = self.constant(embeddings.position_embedding.weight[None])
        return self.add(self.operations.concat([whole, patches], 1), positions)

    def attend(self, x: Node, attention: Layer) -> Node:
        """Return self-attention."""
        heads = [0, 0, attention.num_heads, attention.head_dim]
        projections = (attention.q_proj, attention.k_proj, attention.v_proj)
        inputs = [self.transpose(self.reshape(self.linear(x, layer), heads), [0, 2, 1, 3]) for layer in projections]
        scale = self.constant(torch.tensor(float(attention.scale)))
        attended = self.operations.scaled_dot_product_attention(*inputs, scale=scale, causal=False)
        joined = self.reshape(self.transpose(attended, [0, 2, 1, 3]), [0, 0, attention.embed_dim])
        return self.linear(joined, attention.out_proj)

    def feed_forward(self, x: Node, layers: Layer) -> Node:
        """Return the result of the two layers after attention."""
        hidden = self.linear(x, layers.fc1)
        if layers.config.hidden_act == "quick_gelu":
            # The factor of the approximation to GELU by a sigmoid.
            activated = self.operations.swish(hidden, self.constant(torch.tensor(1.702)))
        else:
            activated = self.operations.gelu(hidden, "erf")
        return self.linear(activated, layers.fc2)

    def linear(self, x: Node, layer: Layer) -> Node:
        """Return a linear layer's result."""
        product = self.operations.matmul(x, self.constant(layer.weight), transpose_a=False, transpose_b=True)
        return product if layer.bias is None else self.add(product, self.constant(layer.bias))

    def normalize(self, x: Node, layer: Layer) -> Node:
        """Return a layer normalization's result."""
        scaled = self.operations.mvn(
            x, self.integers([-1]), normalize_variance=True, eps=layer.eps, eps_mode="inside_sqrt"
        )
        return self.add(self.operations.multiply(scaled, self.constant(layer.weight)), self.constant(layer.bias))

    def add(self, x: Node, y: Node) -> Node:
        """Return a sum."""
        return self.operations.add(x, y)

    def reshape(self, x: Node, shape: Sequence[int]) -> Node:
        """Return a node with another shape, in which 0 keeps a dimension."""
        return self.operations.reshape(x, self.integers(shape), special_zero=True)

    def transpose(self, x: Node, order: Sequence[int]) -> Node:
        """Return a node with its dimensions in another order."""
        return self.operations.transpose(x, self.integers(order))

    def constant(self, tensor: Tensor) -> Node:
        """Return weights."""
        return self.operations.constant(tensor.contiguous().numpy())

    def integers(self, values: int | Sequence[int]) -> Node:
        """Return indices or a shape."""
        return self.operations.constant(np.array(values, np.int64))
