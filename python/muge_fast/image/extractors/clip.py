"""Features of images and texts by CLIP and Chinese-CLIP, through transformers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from muge_fast._internal.progress import Progress
from muge_fast.image.backend import host
from muge_fast.image.extractors.preprocessing import sent
from muge_fast.image.extractors.running import extract_features
from muge_fast.image.extractors.torch_precision import exactly
from muge_fast.image.extractors.weights import hash_of

Float32 = npt.NDArray[np.float32]

# Tokens of a text, ends included: what the models were trained with.
LONGEST = {"clip": 77, "chinese_clip": 52}
PRECISIONS = ("fp32", "bf16")


class ClipExtractor:
    """A CLIP or Chinese-CLIP model, ready to make features of images and of texts.

    It is an extractor for :func:`muge_fast.image.fid` and the others; its features also go into R-precision, CLIPScore,
    precision and recall. They are as the model gives them, not of unit length.

    Args:
        model: Folder of a model with its image processor and tokenizer, as ``save_pretrained`` of transformers writes
            them; or the name of one that is in the cache of transformers.
        device: Where it runs; None for a GPU if there is one.
        precision: ``"fp32"``, or ``"bf16"``, which is faster and changes the third digit of features. It is part of
            the signature.
        download: Whether a model that is not there may be fetched from the network.

    Raises:
        ImportError: transformers is not installed.
        OSError: There is no such model.
        ValueError: A model of another kind, one that is not whole, or an unknown precision.

    Example:
        >>> from muge_fast.image.extractors.clip import ClipExtractor
        >>> clip = ClipExtractor("chinese-clip-vit-base-patch16/")  # doctest: +SKIP
        >>> clip.texts(["红色连衣裙"]).shape, clip.signature  # doctest: +SKIP
        ((1, 512), 'chinese_clip|weights:6a0e1f3b52d4|size:224|precision:fp32')

    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        device: str | None = None,
        precision: str = "fp32",
        download: bool = False,
    ) -> None:
        if precision not in PRECISIONS:
            raise ValueError(f'unknown precision "{precision}", choose one of {", ".join(PRECISIONS)}')
        self.precision = precision
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        kind, loaded, self._processor, self._tokenizer = _load(os.fspath(model), download=download)
        self._longest = min(LONGEST[kind], loaded.config.text_config.max_position_embeddings)
        # Whatever type the file has: features shall not depend on how a model was stored.
        network = loaded.float().eval().requires_grad_(requires_grad=False)
        weights = hash_of(dict(network.named_parameters()))
        self.signature = f"{kind}|weights:{weights}|size:{_size(self._processor)}|precision:{precision}"
        self.network = network.to(self.device, torch.bfloat16 if precision == "bf16" else torch.float32)

    def __call__(self, images: Sequence[Any] | Tensor) -> Tensor:
        """Make features of a batch of images, preprocessed as the model's own image processor does.

        Args:
            images: uint8 arrays of shape ``(height, width, 3)``, RGB, of any sizes; or a uint8 tensor of shape
                ``(images, 3, height, width)``.

        Returns:
            A float32 tensor of shape ``(images, features)``.

        """
        arrays = images.permute(0, 2, 3, 1).cpu().numpy() if isinstance(images, Tensor) else images
        pictures = [Image.fromarray(np.ascontiguousarray(image)) for image in arrays]
        pixels = self._processor(images=pictures, return_tensors="pt")["pixel_values"]
        with torch.inference_mode(), exactly(self.precision):
            found = self.network.get_image_features(pixel_values=sent(pixels, self.device).to(self.network.dtype))
        return _features(found)

    def images(
        self,
        source: Any,  # noqa: ANN401 - what callers have
        *,
        batch_size: int = 32,
        threads: int | None = None,
        progress: bool | None = None,
    ) -> Float32:
        """Make features of all images of a source; decoding runs beside the network.

        Args:
            source: As for :func:`muge_fast.image.sources.open_images`.
            batch_size: Images of a batch.
            threads: Threads that decode; None for the number of cores.
            progress: Whether to show how many images are done; None for on a terminal.

        Returns:
            Features of shape ``(images, features)``, in the order of the source.

        Raises:
            ValueError: A broken image, with its name, or no images.

        """
        options: dict[str, Any] = {"batch_size": batch_size, "threads": threads, "progress": progress}
        parts = [host(part["clip"]) for part in extract_features(self, source, ["clip"], **options)]
        if not parts:
            raise ValueError("there are no images")
        return np.concatenate(parts, dtype=np.float32)

    def texts(self, texts: Sequence[str], *, batch_size: int = 128, progress: bool | None = None) -> Float32:
        """Make features of texts.

        Args:
            texts: Texts; what is longer than the model takes is cut, 77 tokens for CLIP and 52 for Chinese-CLIP.
            batch_size: Texts of a batch.
            progress: Whether to show how many texts are done; None for on a terminal.

        Returns:
            Features of shape ``(texts, features)``.

        Raises:
            ValueError: There are no texts, or one is empty; the message names it.

        """
        texts = list(texts)
        empty = next((place for place, text in enumerate(texts) if not text.strip()), None)
        if not texts or empty is not None:
            raise ValueError("there are no texts" if empty is None else f"texts[{empty}] is empty")
        parts = []
        with Progress(len(texts), "text", progress) as bar:
            for start in range(0, len(texts), batch_size):
                parts.append(host(self._texts(texts[start : start + batch_size])))
                if bar.callback is not None:
                    bar.callback(min(start + batch_size, len(texts)))
        return np.concatenate(parts, dtype=np.float32)

    def _texts(self, texts: list[str]) -> Tensor:
        tokens = self._tokenizer(texts, padding=True, truncation=True, max_length=self._longest, return_tensors="pt")
        with torch.inference_mode(), exactly(self.precision):
            return _features(self.network.get_text_features(**tokens.to(self.device)))


def _load(name: str, *, download: bool) -> tuple[str, Any, Any, Any]:
    """Read a model: its kind, its network, its image processor and its tokenizer."""
    try:
        # An extra, slow to import, and typed in part.
        transformers = import_module("transformers")
    except ImportError as error:
        raise ImportError("CLIP needs transformers: pip install 'muge-fast[clip]'") from error
    options = {"local_files_only": not download}
    try:
        kind = transformers.AutoConfig.from_pretrained(name, **options).model_type
        network = _network(transformers, name, kind, options)
        # Its form with Pillow, which both models were trained with.
        processor = transformers.AutoImageProcessor.from_pretrained(name, backend="pil", **options)
        return kind, network, processor, transformers.AutoTokenizer.from_pretrained(name, **options)
    except Exception as error:
        # What transformers raises for a broken model is not one kind of error, and may have many lines.
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        if isinstance(error, OSError) and not Path(name).is_dir():
            where = "" if download else ", nor in the cache of transformers, which download=True would fetch it into"
            raise FileNotFoundError(f"no CLIP model at {name}{where}: {reason}") from error
        raise ValueError(f"{name}: not a CLIP model: {reason}") from error


def _network(transformers: Any, name: str, kind: str, options: dict[str, bool]) -> Any:  # noqa: ANN401 - a module
    kinds = {"clip": transformers.CLIPModel, "chinese_clip": transformers.ChineseCLIPModel}
    if kind not in kinds:
        raise ValueError(f"it is of kind {kind!r}, needs {' or '.join(kinds)}")
    with _quiet(transformers.utils.logging):
        network, found = kinds[kind].from_pretrained(name, output_loading_info=True, **options)
    # transformers would go on with random numbers, and say so in a log.
    wrong = sorted(map(str, (*found["missing_keys"], *found["mismatched_keys"])))
    if wrong:
        raise ValueError(f"{len(wrong)} tensors are missing or of another shape, such as {wrong[0]}")
    return network


@contextmanager
def _quiet(logging: Any) -> Iterator[None]:  # noqa: ANN401 - a module
    """Show no bar of transformers: models load within seconds."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _size(processor: Any) -> int:  # noqa: ANN401 - of transformers
    """The height of the network's input."""
    return int(processor(images=[Image.new("RGB", (8, 8))], return_tensors="np")["pixel_values"].shape[2])


def _features(found: Any) -> Tensor:  # noqa: ANN401 - a tensor, or what holds one since transformers 5
    tensor: Tensor = found if isinstance(found, Tensor) else found.pooler_output
    return tensor.float()
