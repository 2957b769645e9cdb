"""What a model has to do for each task. This module does not import torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from muge_fast.image.extractors.interface import FeatureMatrix
from muge_fast.image.inputs import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

GeneratedImage: TypeAlias = "Pixels | Image"
"""A generated image: a uint8 array of shape ``(height, width, 3)``, RGB, or a Pillow image."""


@runtime_checkable
class DualEncoder(Protocol):
    """A model for retrieval: it encodes images and texts into one space, as CLIP does.

    Images are uint8 arrays of shape ``(height, width, 3)``, RGB, which may differ in size. All protocols of this module
    have the same optional attributes:

    - ``prepare``: method that takes one image and returns what the model needs of it, such as a resized tensor. It is
      called by several threads, ahead of the model, whose method then gets a list of such results.
    - ``signature``: a string that identifies the model in manifests, such as its type and a hash of its weights.
    - ``description``: mapping of plain values for the manifest, such as versions, data type and device.

    Example:
        >>> import numpy as np
        >>> from muge_fast.models import DualEncoder
        >>> class Brightness:
        ...     def encode_images(self, images):
        ...         return np.array([[image.mean(), 1] for image in images], dtype="float32")
        ...     def encode_texts(self, texts):
        ...         return np.array([[len(text), 1] for text in texts], dtype="float32")
        >>> isinstance(Brightness(), DualEncoder)
        True

    """

    def encode_images(self, images: list[Any], /) -> FeatureMatrix:
        """Return features of images.

        Args:
            images: The images, or what ``prepare`` returned for each.

        Returns:
            A matrix with a row for each image.

        """

    def encode_texts(self, texts: list[str], /) -> FeatureMatrix:
        """Return features of texts.

        Args:
            texts: The texts.

        Returns:
            A matrix with a row for each text, as long as those of images.

        """


@runtime_checkable
class Captioner(Protocol):
    """A model that describes images.

    See :class:`DualEncoder` for images and optional attributes.

    Example:
        >>> from muge_fast.models import Captioner
        >>> class Size:
        ...     def caption(self, images):
        ...         return [f"{image.shape[1]} x {image.shape[0]}" for image in images]
        >>> isinstance(Size(), Captioner)
        True

    """

    def caption(self, images: list[Any], /) -> Sequence[str]:
        """Return a caption of each image.

        Args:
            images: The images, or what ``prepare`` returned for each.

        Returns:
            The captions, in the order of the images.

        """


@runtime_checkable
class QuestionAnswerer(Protocol):
    """A model that answers questions about images.

    See :class:`DualEncoder` for images and optional attributes.

    Example:
        >>> from muge_fast.models import QuestionAnswerer
        >>> class Red:
        ...     def answer(self, images, questions):
        ...         return ["红色"] * len(questions)
        >>> isinstance(Red(), QuestionAnswerer)
        True

    """

    def answer(self, images: list[Any], questions: list[str], /) -> Sequence[str]:
        """Return the answer to each question, about the image with the same index.

        Args:
            images: The images, or what ``prepare`` returned for each.
            questions: The questions.

        Returns:
            The answers, in the order of the questions.

        """


@runtime_checkable
class ImageGenerator(Protocol):
    """A model that generates images of texts.

    See :class:`DualEncoder` for the optional attributes ``signature`` and ``description``.

    Example:
        >>> import numpy as np
        >>> from muge_fast.models import ImageGenerator
        >>> class Noise:
        ...     def generate(self, texts, seeds):
        ...         return [np.random.RandomState(seed).bytes(192) for seed in seeds]
        >>> isinstance(Noise(), ImageGenerator)
        True

    """

    def generate(self, texts: list[str], seeds: list[int], /) -> Sequence[GeneratedImage]:
        """Return an image of each text, which depends on the text and on the seed with the same index alone.

        Args:
            texts: The texts.
            seeds: The seed of each image, from 0.

        Returns:
            The images, in the order of the texts.

        """


Model: TypeAlias = DualEncoder | Captioner | QuestionAnswerer | ImageGenerator
"""A model for one of the tasks."""

PROTOCOLS: Mapping[str, type[Model]] = {
    "retrieval": DualEncoder,
    "caption": Captioner,
    "vqa": QuestionAnswerer,
    "t2i": ImageGenerator,
}
"""What a model has to be, by the name of the task."""
