"""Encoders of images and texts: CLIP, Chinese-CLIP and models like them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from muge_fast.image.extractors.clip import MAX_TOKENS
from muge_fast.image.extractors.cpu_engine import choose_engine, engine_signature
from muge_fast.image.extractors.pretrained import pooled
from muge_fast.image.extractors.torch_precision import network_precision
from muge_fast.image.extractors.weights import hash_weights
from muge_fast.image.inputs import Pixels
from muge_fast.models.adapters.image_inputs import ImageInputs, Inputs, join_inputs
from muge_fast.models.adapters.loading import (
    OPTIONS_OF_DIFFUSION,
    OPTIONS_OF_TEXT,
    TORCH_DTYPES,
    Part,
    Source,
    describe_model,
    find_device_and_dtype,
    open_source,
    refuse_options,
)
from muge_fast.models.adapters.vision_graph import VisionGraph, is_translatable
from muge_fast.models.options import ModelOptions

Float32 = npt.NDArray[np.float32]

# Tokens of the longest text that each model was trained with, start and end tokens included. The keys are the types of
# models that are tested.
LONGEST_TEXTS = MAX_TOKENS | {"altclip": 77, "metaclip_2": 77, "siglip": 64, "siglip2": 64}

IMAGE_NDIM = 4

# These were trained with texts that were all padded to the longest, without a mask.
ALWAYS_PADDED = ("siglip", "siglip2")


class ClipEncoder:
    """A model of transformers that encodes images and texts into one space.

    On a CPU with OpenVINO, the vision networks of CLIP and Chinese-CLIP are run by it. Features are not scaled to unit
    length.

    Args:
        model: Folder of a model with its image processor and tokenizer, as ``save_pretrained`` of transformers writes
            them, or the name of a model in the cache of transformers.
        options: How it is opened.

    Attributes:
        signature: The model's type, a hash of its weights, its input size, the precision and the engine.
        description: What a manifest says about the model.

    Raises:
        ImportError: transformers is not installed.
        OSError: There is no such model on this machine.
        ValueError: A model of a different type or with missing weights, or an option that it cannot honour.

    Example:
        >>> from muge_fast.models.adapters.clip import ClipEncoder
        >>> from muge_fast.models.options import ModelOptions
        >>> encoder = ClipEncoder("chinese-clip-vit-base-patch16/", ModelOptions())  # doctest: +SKIP
        >>> encoder.encode_texts(["红色连衣裙"]).shape  # doctest: +SKIP
        (1, 512)

    """

    def __init__(self, model: str | os.PathLike[str], options: ModelOptions) -> None:
        refuse_options(options, OPTIONS_OF_DIFFUSION | OPTIONS_OF_TEXT)
        self._device, dtype = find_device_and_dtype(options)
        source = open_source(model, options)
        self._inputs = ImageInputs(source.read("AutoImageProcessor", backend="pil"))
        self._tokenizer = _Tokenizer(source)
        # Float32 for files of any data type: features must not depend on how a model was stored.
        network = source.read_network("AutoModel", torch.float32)
        if not (hasattr(network, "get_image_features") and hasattr(network, "get_text_features")):
            raise ValueError(f"{source.name}: a model of type {source.type!r} does not encode images and texts")
        weights = hash_weights(network.state_dict())
        size = self._check_size(source)
        self._graph = _compile(source.type, network, dtype, self._device)
        self._network: Any = network.to(self._device, TORCH_DTYPES[dtype])
        engine = "engine:torch" if self._graph is None else engine_signature()
        self.signature = f"{source.type}|weights:{weights}|size:{size}|precision:{dtype}|{engine}"
        self.description = describe_model(source, network, weights=weights, dtype=dtype, device=self._device)
        self.description |= {"engine": engine.removeprefix("engine:"), "max_text_tokens": self._tokenizer.longest}

    def prepare(self, image: Pixels) -> Inputs:
        """Return the network's inputs of one image, by the model's own image processor.

        Args:
            image: uint8 array of shape ``(height, width, 3)``, RGB.

        Returns:
            Tensors by name.

        Raises:
            TypeError: The image is not uint8.
            ValueError: It has a wrong shape.

        """
        return self._inputs.prepare(image)

    def encode_images(self, images: list[Inputs], /) -> Float32:
        """Compute the features of images.

        Args:
            images: Results of :meth:`prepare`.

        Returns:
            float32 array of shape ``(images, features)``.

        """
        inputs = join_inputs(images, self._device, torch.float32 if self._graph else self._network.dtype)
        if self._graph is not None:
            return self._graph(inputs["pixel_values"]).numpy()
        with torch.inference_mode(), network_precision("fp32"):
            return _to_numpy(pooled(self._network.get_image_features(**inputs)))

    def encode_texts(self, texts: list[str], /) -> Float32:
        """Compute the features of texts.

        Args:
            texts: Texts. Longer ones are truncated to the length that the model was trained with.

        Returns:
            float32 array of shape ``(texts, features)``.

        """
        tokens = self._tokenizer(texts).to(self._device)
        with torch.inference_mode(), network_precision("fp32"):
            return _to_numpy(pooled(self._network.get_text_features(**tokens)))

    def _check_size(self, source: Source) -> int:
        """Return the height of the network's input, which the image processor must make."""
        shape = self.prepare(np.zeros((8, 8, 3), np.uint8))["pixel_values"].shape
        size = getattr(getattr(source.config, "vision_config", None), "image_size", None)
        # Siglip2 takes patches of any number.
        if source.type in LONGEST_TEXTS and len(shape) == IMAGE_NDIM and size and tuple(shape[2:]) != (size, size):
            made = " x ".join(map(str, shape[2:]))
            raise ValueError(
                f"{source.name}: the network takes images of {size} x {size}, but the image processor of the folder "
                f"(preprocessor_config.json) makes them {made}"
            )
        return int(shape[2])


class _Tokenizer:
    """A tokenizer that pads and truncates as the model was trained."""

    def __init__(self, source: Source) -> None:
        self._tokenizer: Callable[..., Any] = source.read("AutoTokenizer")
        self._padding: bool | str = "max_length" if source.type in ALWAYS_PADDED else True
        text_config = getattr(source.config, "text_config", source.config)
        limits = [
            LONGEST_TEXTS.get(source.type),
            getattr(text_config, "max_position_embeddings", None),
            getattr(self._tokenizer, "model_max_length", None),
        ]
        self.longest = min(int(limit) for limit in limits if limit is not None)

    def __call__(self, texts: list[str]) -> Part:
        return self._tokenizer(
            texts, padding=self._padding, truncation=True, max_length=self.longest, return_tensors="pt"
        )


def _compile(model_type: str, network: torch.nn.Module, dtype: str, device: torch.device) -> VisionGraph | None:
    """Return the vision network in OpenVINO, where that can run it; None where torch does."""
    if dtype == "fp16" or not is_translatable(model_type, network):
        return None
    return VisionGraph(network, dtype) if choose_engine(None, device, dtype) == "openvino" else None


def _to_numpy(features: Tensor) -> Float32:
    return np.asarray(features.cpu(), dtype=np.float32)
