"""Captions and answers by chat models that see images, such as Qwen-VL and LLaVA."""

from __future__ import annotations

import os
import re

import numpy as np
import torch
from PIL import Image

from muge_fast.image.extractors.preprocessing import check_images
from muge_fast.image.extractors.torch_precision import network_precision
from muge_fast.image.extractors.weights import hash_weights
from muge_fast.image.inputs import Pixels
from muge_fast.models.adapters.generation import decode, describe_settings, end_tokens, set_generation
from muge_fast.models.adapters.loading import (
    OPTIONS_OF_DIFFUSION,
    TORCH_DTYPES,
    Part,
    Source,
    describe_model,
    find_device_and_dtype,
    open_source,
    refuse_options,
)
from muge_fast.models.options import ModelOptions

CAPTION_PROMPT = "请用一句简短的中文描述这张图片。"
"""What models are asked for a caption by default."""

QUESTION = "{question}"

ANSWER_PROMPT = "{question}\n请用一个词或短语直接回答问题。"
"""What models are asked for an answer by default: short, as the answers that people gave."""

THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
END_OF_THOUGHTS = "</think>"
THINKING = "enable_thinking"


class ChatModel:
    """A chat model of transformers with one image in each prompt, which :class:`ChatCaptioner` and others are.

    Texts are the most likely ones by greedy search or beams, never samples; other settings are those in the model's
    folder. Thoughts between ``<think>`` and ``</think>`` are removed.

    Args:
        model: Folder of a model with its processor, as ``save_pretrained`` of transformers writes them, or the name of
            a model in the cache of transformers.
        options: How it is opened, and how it generates.
        prompt: What it is asked unless the options say so.

    Attributes:
        signature: The model's type, a hash of its weights, the data type and the numbers of beams and tokens.
        description: What a manifest says about the model.

    Raises:
        ImportError: transformers is not installed.
        OSError: There is no such model on this machine.
        ValueError: A model of a different type or with missing weights, without a chat template, or an option that it
            cannot honour.

    """

    def __init__(self, model: str | os.PathLike[str], options: ModelOptions, prompt: str) -> None:
        refuse_options(options, OPTIONS_OF_DIFFUSION)
        self.prompt = options.prompt if options.prompt is not None else prompt
        self._device, dtype = find_device_and_dtype(options)
        source = open_source(model, options)
        self._processor = _read_processor(source)
        # Models that may think first answer at once; templates of other models do not have this variable.
        can_think = THINKING in str(self._processor.chat_template)
        self._template_options = {THINKING: False} if can_think else {}
        network = source.read_network("AutoModelForImageTextToText", TORCH_DTYPES[dtype])
        weights = hash_weights(network.state_dict())
        self._network: Part = network.to(self._device)
        self._settings = set_generation(self._network, self._processor.tokenizer, options)
        generation = f"beams:{options.beams}|tokens:{options.max_new_tokens}"
        self.signature = f"{source.type}|weights:{weights}|dtype:{dtype}|{generation}"
        self.description = describe_model(source, network, weights=weights, dtype=dtype, device=self._device)
        self.description |= {"prompt": self.prompt, "generation": describe_settings(self._settings)}

    def prepare(self, image: Pixels) -> Image.Image:
        """Return an image as processors take it.

        Args:
            image: uint8 array of shape ``(height, width, 3)``, RGB.

        Returns:
            A Pillow image.

        Raises:
            TypeError: The image is not uint8.
            ValueError: It has a wrong shape.

        """
        check_images([image])
        return Image.fromarray(np.ascontiguousarray(image))

    def reply(self, images: list[Image.Image], prompts: list[str]) -> list[str]:
        """Return the model's reply to each image with its prompt.

        Args:
            images: Results of :meth:`prepare`.
            prompts: A text for each.

        Returns:
            Texts without special tokens.

        """
        inputs = self._inputs(images, prompts)
        with torch.inference_mode(), network_precision("fp32"):
            generated = self._network.generate(**inputs)
        length = inputs["input_ids"].shape[1]
        texts = decode(self._processor.tokenizer, generated, end_tokens(self._settings), start=length)
        return [without_thoughts(text) for text in texts]

    def _inputs(self, images: list[Image.Image], prompts: list[str]) -> Part:
        chats = [
            [{"role": "user", "content": [{"type": "image", "image": image}, {"type": "text", "text": prompt}]}]
            for image, prompt in zip(images, prompts, strict=True)
        ]
        inputs = self._processor.apply_chat_template(
            chats,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            # Questions are data: what looks like a control token in them is text.
            sanitize_control_tokens=True,
            # Generated tokens follow the last token of the prompt, so padding is in front.
            processor_kwargs={"padding": True, "padding_side": "left"},
            **self._template_options,
        )
        return inputs.to(self._device, self._network.dtype)


class ChatCaptioner(ChatModel):
    """A chat model of transformers that describes images.

    Args:
        model: See :class:`ChatModel`.
        options: How it is opened, and how it generates. The prompt is :data:`CAPTION_PROMPT` by default.

    Raises:
        ValueError: The prompt has a question, or as :class:`ChatModel`.

    Example:
        >>> from muge_fast.models.adapters.vision_language import ChatCaptioner
        >>> from muge_fast.models.options import ModelOptions
        >>> model = ChatCaptioner("Qwen2.5-VL-3B-Instruct/", ModelOptions(prompt="描述图片"))  # doctest: +SKIP
        >>> model.caption([model.prepare(image)])  # doctest: +SKIP
        ['一条红色的连衣裙']

    """

    def __init__(self, model: str | os.PathLike[str], options: ModelOptions) -> None:
        if options.prompt is not None and QUESTION in options.prompt:
            raise ValueError(f"prompt has {QUESTION}, but captions answer no question: remove it")
        super().__init__(model, options, CAPTION_PROMPT)

    def caption(self, images: list[Image.Image], /) -> list[str]:
        """Return a caption of each image.

        Args:
            images: Results of :meth:`prepare`.

        Returns:
            Texts without special tokens.

        """
        return self.reply(images, [self.prompt] * len(images))


class ChatAnswerer(ChatModel):
    """A chat model of transformers that answers questions about images.

    Args:
        model: See :class:`ChatModel`.
        options: How it is opened, and how it generates. The prompt, in which ``{question}`` stands for the question, is
            :data:`ANSWER_PROMPT` by default.

    Raises:
        ValueError: The prompt has no question, or as :class:`ChatModel`.

    Example:
        >>> from muge_fast.models.adapters.vision_language import ChatAnswerer
        >>> from muge_fast.models.options import ModelOptions
        >>> model = ChatAnswerer("Qwen2.5-VL-3B-Instruct/", ModelOptions(max_new_tokens=16))  # doctest: +SKIP
        >>> model.answer([model.prepare(image)], ["裙子是什么颜色?"])  # doctest: +SKIP
        ['红色']

    """

    def __init__(self, model: str | os.PathLike[str], options: ModelOptions) -> None:
        if options.prompt is not None and QUESTION not in options.prompt:
            raise ValueError(f"prompt has no {QUESTION}: put it where the question of an item belongs")
        super().__init__(model, options, ANSWER_PROMPT)

    def answer(self, images: list[Image.Image], questions: list[str], /) -> list[str]:
        """Return the answer to each question.

        Args:
            images: Results of :meth:`prepare`.
            questions: A question about each.

        Returns:
            Texts without special tokens.

        """
        return self.reply(images, [self.prompt.replace(QUESTION, question) for question in questions])


def without_thoughts(text: str) -> str:
    """Return a reply without what a model thought before it.

    Args:
        text: The reply. Thoughts that were begun in the prompt end with ``</think>`` only; those that are cut off by
            the limit of tokens have no end.

    Returns:
        The rest.

    Example:
        >>> from muge_fast.models.adapters.vision_language import without_thoughts
        >>> without_thoughts("<think>A dress.</think>红色"), without_thoughts("A dress.</think>红色")
        ('红色', '红色')

    """
    return THOUGHTS.sub("", text).rpartition(END_OF_THOUGHTS)[2].strip()


def _read_processor(source: Source) -> Part:
    """Return the processor of a model, which must have a chat template."""
    processor = source.read("AutoProcessor")
    tokenizer = getattr(processor, "tokenizer", None)
    if tokenizer is None or not hasattr(processor, "image_processor"):
        raise ValueError(f"{source.name}: the model has no processor of images and texts, as chat models have")
    if not getattr(processor, "chat_template", None):
        # Some folders have it with the tokenizer.
        processor.chat_template = getattr(tokenizer, "chat_template", None)
    if not processor.chat_template:
        raise ValueError(f"{source.name}: the model has no chat template, so it cannot be asked with a prompt")
    return processor
