"""Captions by models that take an image and no prompt: an encoder of images and a decoder of texts."""

from __future__ import annotations

import os

import torch

from muge_fast.image.extractors.torch_precision import network_precision
from muge_fast.image.extractors.weights import hash_weights
from muge_fast.image.inputs import Pixels
from muge_fast.models.adapters.generation import (
    decode,
    describe_settings,
    end_tokens,
    join_chinese,
    set_generation,
)
from muge_fast.models.adapters.image_inputs import ImageInputs, Inputs, join_inputs
from muge_fast.models.adapters.loading import (
    OPTIONS_OF_DIFFUSION,
    TORCH_DTYPES,
    Part,
    describe_model,
    find_device_and_dtype,
    open_source,
    refuse_options,
)
from muge_fast.models.options import ModelOptions

TYPES = ("vision-encoder-decoder", "blip", "git")
"""Types of models that this module runs."""


class EncoderDecoderCaptioner:
    """A model of transformers that describes images without a prompt.

    Texts are the most likely ones by greedy search or beams, never samples; other settings are those in the model's
    folder. As evaluations of Chinese captions do, spaces between Chinese characters are removed, which tokenizers of
    BERT's kind put there.

    Args:
        model: Folder of a model with its image processor and tokenizer, as ``save_pretrained`` of transformers writes
            them, or the name of a model in the cache of transformers.
        options: How it is opened, and how it generates.

    Attributes:
        signature: The model's type, a hash of its weights, the data type and the numbers of beams and tokens.
        description: What a manifest says about the model.

    Raises:
        ImportError: transformers is not installed.
        OSError: There is no such model on this machine.
        ValueError: A model of a different type or with missing weights, or an option that it cannot honour.

    Example:
        >>> from muge_fast.models.adapters.captioner import EncoderDecoderCaptioner
        >>> from muge_fast.models.options import ModelOptions
        >>> captioner = EncoderDecoderCaptioner("captioner/", ModelOptions(beams=5))  # doctest: +SKIP
        >>> captioner.caption([captioner.prepare(image)])  # doctest: +SKIP
        ['红色连衣裙']

    """

    def __init__(self, model: str | os.PathLike[str], options: ModelOptions) -> None:
        refuse_options(options, OPTIONS_OF_DIFFUSION | {"prompt": "a vision-language model"})
        self._device, dtype = find_device_and_dtype(options)
        source = open_source(model, options)
        if source.type not in TYPES:
            raise ValueError(f"{source.name}: the model type is {source.type!r}, needs one of {', '.join(TYPES)}")
        self._inputs = ImageInputs(source.read("AutoImageProcessor", backend="pil"))
        self._tokenizer = source.read("AutoTokenizer")
        network = source.read_network("AutoModelForImageTextToText", TORCH_DTYPES[dtype])
        weights = hash_weights(network.state_dict())
        self._network: Part = network.to(self._device)
        self._settings = set_generation(self._network, self._tokenizer, options)
        self._ends = _end_tokens(self._network, self._settings)
        generation = f"beams:{options.beams}|tokens:{options.max_new_tokens}"
        self.signature = f"{source.type}|weights:{weights}|dtype:{dtype}|{generation}"
        self.description = describe_model(source, network, weights=weights, dtype=dtype, device=self._device)
        self.description |= {"generation": describe_settings(self._settings)}

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

    def caption(self, images: list[Inputs], /) -> list[str]:
        """Return a caption of each image.

        Args:
            images: Results of :meth:`prepare`.

        Returns:
            Texts without special tokens.

        """
        inputs = join_inputs(images, self._device, self._network.dtype)
        with torch.inference_mode(), network_precision("fp32"):
            generated = self._network.generate(**inputs)
        # The first token starts the text, and some models end texts with the same token.
        return [join_chinese(text) for text in decode(self._tokenizer, generated, self._ends, start=1)]


def _end_tokens(network: Part, settings: Part) -> tuple[int, ...]:
    """Return the tokens that end a text; BLIP has them in its configuration of texts."""
    if network.config.model_type == "blip":
        return (int(network.config.text_config.sep_token_id),)
    return end_tokens(settings)
