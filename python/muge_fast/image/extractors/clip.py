"""Features of images and texts from CLIP and Chinese-CLIP models, through transformers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from muge_fast._internal.checks import check_choice, whole_number
from muge_fast._internal.progress import Progress
from muge_fast.image.extractors.devices import find_device, to_device
from muge_fast.image.extractors.interface import FeatureMatrix
from muge_fast.image.extractors.preprocessing import ImageBatch, check_images
from muge_fast.image.extractors.pretrained import load_network, pooled
from muge_fast.image.extractors.running import extract_features
from muge_fast.image.extractors.torch_precision import network_precision
from muge_fast.image.extractors.weights import hash_weights
from muge_fast.image.inputs import describe
from muge_fast.image.sources import ImageSource

Float32 = npt.NDArray[np.float32]

# Tokens of the longest text that each model was trained with, start and end tokens included.
MAX_TOKENS = {"clip": 77, "chinese_clip": 52}
PRECISIONS = ("fp32", "bf16")


class ClipExtractor:
    """A CLIP or Chinese-CLIP model as a feature extractor of images and of texts.

    It can be the ``extractor`` of :func:`muge_fast.image.fid` and the other image metrics; its features also suit
    R-precision, CLIPScore, precision and recall. Features are not scaled to unit length. Options are checked before the
    model is read.

    Args:
        model: Folder of a model with its image processor and tokenizer, as ``save_pretrained`` of transformers writes
            them, or the name of a model in the cache of transformers.
        device: Device to run on, such as ``"cuda:1"``; None for a GPU if there is one.
        precision: ``"fp32"``, or ``"bf16"``, which is faster and changes the third digit of features. It is part of
            the signature.
        download: Whether transformers may download a model that is not in its cache.

    Attributes:
        takes_tensors: True: :meth:`muge_fast.image.FID.update` and others leave tensors on their device.
        signature: The model's type, a hash of its weights, its input size and the precision, as signatures of scores
            have them.
        precision: The precision.
        device: The ``torch.device`` that it runs on.
        network: The model of transformers, a ``torch.nn.Module``.

    Raises:
        ImportError: transformers is not installed.
        TypeError: An option of the wrong type.
        OSError: There is no such model.
        ValueError: A model of a different type or with missing weights; an unknown precision or device.

    Example:
        >>> from muge_fast.image.extractors import ClipExtractor
        >>> clip = ClipExtractor("chinese-clip-vit-base-patch16/")  # doctest: +SKIP
        >>> clip.texts(["红色连衣裙"]).shape, clip.signature  # doctest: +SKIP
        ((1, 512), 'chinese_clip|weights:6a0e1f3b52d4|size:224|precision:fp32')

    """

    takes_tensors = True

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        device: str | torch.device | None = None,
        precision: str = "fp32",
        download: bool = False,
    ) -> None:
        if not isinstance(model, (str, os.PathLike)):
            raise TypeError(f"model must be a path or a name, got {type(model).__name__}")
        self.precision = check_choice("precision", precision, PRECISIONS)
        self.device = find_device(device)
        loaded = _load_model(os.fspath(model), download=download)
        self._processor, self._tokenizer = loaded.processor, loaded.tokenizer
        self._max_tokens = min(MAX_TOKENS[loaded.type], loaded.network.config.text_config.max_position_embeddings)
        # Float32 for files of any data type: features must not depend on how a model was stored.
        network = loaded.network.float()
        weights = hash_weights(dict(network.named_parameters()))
        size = _input_size(self._processor)
        self.signature = f"{loaded.type}|weights:{weights}|size:{size}|precision:{precision}"
        self.network = network.to(self.device, torch.bfloat16 if precision == "bf16" else torch.float32)

    def __call__(self, images: ImageBatch) -> Tensor:
        """Compute the features of a batch of images, preprocessed by the model's own image processor.

        Args:
            images: uint8 arrays of shape ``(height, width, 3)``, RGB, which may differ in size; or a uint8 tensor of
                shape ``(images, 3, height, width)``.

        Returns:
            A float32 tensor of shape ``(images, features)``.

        Raises:
            TypeError: Images that are not uint8.
            ValueError: No images, or images of a wrong shape.

        """
        check_images(images)
        arrays = images.permute(0, 2, 3, 1).cpu().numpy() if isinstance(images, Tensor) else images
        pictures = [Image.fromarray(np.ascontiguousarray(array)) for array in arrays]
        pixels = self._processor(images=pictures, return_tensors="pt")["pixel_values"]
        with torch.inference_mode(), network_precision(self.precision):
            inputs = to_device(pixels, self.device).to(self.network.dtype)
            return pooled(self.network.get_image_features(pixel_values=inputs))

    def images(
        self,
        source: ImageSource,
        *,
        batch_size: int = 32,
        threads: int | None = None,
        progress: bool | None = None,
    ) -> Float32:
        """Compute the features of all images of a source, while threads decode the next images.

        Args:
            source: A folder, ``.tsv`` or ``.zip`` file, arrays, tensors, a mapping, a dataset or an iterable; see
                :func:`muge_fast.image.score_images`.
            batch_size: Number of images of a batch.
            threads: Number of threads that decode; None for the number of cores.
            progress: Whether to show a progress bar; None to show it on a terminal.

        Returns:
            float32 array of shape ``(images, features)``, in the order of the source.

        Raises:
            TypeError: ``batch_size`` or ``threads`` is not an integer, or ``source`` is not a source of images.
            OSError: A path that cannot be read.
            ValueError: A number below 1, no images, or a broken image, with its name.

        Example:
            >>> clip = ClipExtractor("chinese-clip-vit-base-patch16/")  # doctest: +SKIP
            >>> clip.images("T2I_val.img.tsv", batch_size=64).shape  # doctest: +SKIP
            (5000, 512)

        """
        batches = extract_features(self, source, ["clip"], batch_size=batch_size, threads=threads, progress=progress)
        features = [_to_numpy(batch["clip"]) for batch in batches]
        if not features:
            raise ValueError("there are no images")
        return np.concatenate(features, dtype=np.float32)

    def texts(self, texts: Sequence[str], *, batch_size: int = 128, progress: bool | None = None) -> Float32:
        """Compute the features of texts.

        Args:
            texts: Texts. Longer ones are truncated to the length that the model was trained with: 77 tokens for CLIP,
                52 for Chinese-CLIP.
            batch_size: Number of texts of a batch.
            progress: Whether to show a progress bar; None to show it on a terminal.

        Returns:
            float32 array of shape ``(texts, features)``.

        Raises:
            TypeError: ``texts`` is a single string, or one of them is not a string; ``batch_size`` is not an integer.
            ValueError: There are no texts, one of them is empty, or ``batch_size`` is below 1.

        Example:
            >>> clip = ClipExtractor("chinese-clip-vit-base-patch16/")  # doctest: +SKIP
            >>> clip.texts(["红色连衣裙", "黑皮鞋"]).shape  # doctest: +SKIP
            (2, 512)

        """
        size = whole_number("batch_size", batch_size)
        texts = _check_texts(texts)
        features = []
        with Progress(len(texts), "text", progress) as bar:
            for start in range(0, len(texts), size):
                features.append(_to_numpy(self._text_features(texts[start : start + size])))
                if bar.callback is not None:
                    bar.callback(min(start + size, len(texts)))
        return np.concatenate(features, dtype=np.float32)

    def _text_features(self, texts: list[str]) -> Tensor:
        tokens = self._tokenizer(texts, padding=True, truncation=True, max_length=self._max_tokens, return_tensors="pt")
        with torch.inference_mode(), network_precision(self.precision):
            return pooled(self.network.get_text_features(**tokens.to(self.device)))


class _Model(NamedTuple):
    """A model of transformers, whose classes are typed only in part."""

    type: str
    network: Any
    processor: Callable[..., Any]
    tokenizer: Callable[..., Any]


def _check_texts(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, (str, bytes, os.PathLike, Mapping)) or not isinstance(texts, Iterable):
        fix = "; a single text is passed as a list, [text]" if isinstance(texts, (str, bytes)) else ""
        fix = "; texts by id are passed as list(texts.values())" if isinstance(texts, Mapping) else fix
        raise TypeError(f"texts must be a sequence of strings, got {describe(texts)}{fix}")
    if isinstance(texts, (set, frozenset)) or hasattr(texts, "columns"):
        raise TypeError(f"texts must be a sequence of strings, got {describe(texts)}: pass a list")
    checked = list(texts)
    if not checked:
        raise ValueError("there are no texts")
    for index, text in enumerate(checked):
        if not isinstance(text, str):
            raise TypeError(f"texts[{index}] must be a string, got {describe(text)}")
        if not text.strip():
            raise ValueError(f"texts[{index}] is empty")
    return checked


def _load_model(name: str, *, download: bool) -> _Model:
    try:
        # Slow to import, and an optional package.
        transformers = import_module("transformers")
    except ImportError as error:
        raise ImportError("CLIP needs transformers: pip install 'muge-fast[clip]'") from error
    # Without trust_remote_code, transformers asks on the terminal whether to run the code in a model's folder.
    options = {"local_files_only": not download, "trust_remote_code": False}
    try:
        model_type = transformers.AutoConfig.from_pretrained(name, **options).model_type
        network = _load_network(transformers, name, model_type, options)
        # The implementation with Pillow, which both models were trained with.
        processor = transformers.AutoImageProcessor.from_pretrained(name, backend="pil", **options)
        return _Model(model_type, network, processor, transformers.AutoTokenizer.from_pretrained(name, **options))
    except Exception as error:
        # transformers raises many types of exceptions for a broken model, some with messages of many lines.
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        if isinstance(error, OSError) and not Path(name).is_dir():
            where = "" if download else ", nor in the cache of transformers (download=True downloads it)"
            raise FileNotFoundError(f"no CLIP model at {name}{where}: {reason}") from error
        raise ValueError(f"{name}: not a CLIP model: {reason}") from error


def _load_network(transformers: ModuleType, name: str, model_type: str, options: dict[str, bool]) -> torch.nn.Module:
    classes = {"clip": transformers.CLIPModel, "chinese_clip": transformers.ChineseCLIPModel}
    if model_type not in classes:
        raise ValueError(f"the model type is {model_type!r}, needs {' or '.join(classes)}")
    return load_network(classes[model_type], name, **options)


def _input_size(processor: Callable[..., Any]) -> int:
    """Return the height of the network's input."""
    return int(processor(images=[Image.new("RGB", (8, 8))], return_tensors="np")["pixel_values"].shape[2])


def _to_numpy(features: FeatureMatrix) -> Float32:
    return np.asarray(features.cpu() if isinstance(features, Tensor) else features, dtype=np.float32)
