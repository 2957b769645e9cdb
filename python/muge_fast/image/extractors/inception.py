"""Features of images: a published network, its weights, and how it runs."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from muge_fast.image.extractors.cpu_batches import batches_side_by_side, cut, side_by_side
from muge_fast.image.extractors.cpu_packing import packed
from muge_fast.image.extractors.networks import OUTPUTS
from muge_fast.image.extractors.preprocessing import PROTOCOLS, preprocess
from muge_fast.image.extractors.running import InceptionScoreConvention, convention_of_protocol, extract_features
from muge_fast.image.extractors.torch_precision import EXACT_PRODUCTS, PRECISIONS, exactly
from muge_fast.image.extractors.weights import load_weights, published

# Images that a thread of a CPU works on together: what lies between two layers stays nearer than with more.
CPU_CHUNK = 4


class InceptionExtractor:
    """The network of FID, or torchvision's for the protocol ``"ofa"``, ready to run.

    Args:
        weights: Path of the published file, ``pt_inception-2015-12-05-6726825d.pth``, or
            ``inception_v3_google-0cc3c7bd.pth`` for ``"ofa"``; ``"download"`` to fetch it into torch's own cache; None
            for the path in the environment variable ``MUGE_FAST_INCEPTION``, or ``MUGE_FAST_INCEPTION_TORCHVISION``
            for ``"ofa"``, or that cache.
        protocol: How images become its input, see :func:`muge_fast.image.extractors.preprocessing.preprocess`.
        outputs: Any of ``"64"``, ``"192"``, ``"768"``, ``"2048"``, ``"logits"``, ``"logits_unbiased"``.
        device: Where it runs; None for a GPU if there is one.
        precision: ``"fp32"``; ``"tf32"`` and ``"bf16"`` are faster and change the Fréchet distance, by up to 0.04 % and
            1 %. It is part of the protocol. On a CPU, bf16 is for those with instructions for it (AVX512_BF16 or AMX):
            where it is emulated, it takes several times as long as fp32.

    Raises:
        OSError: There is no file of weights.
        ValueError: It holds other weights; an unknown protocol, output or precision.

    Example:
        >>> from muge_fast.image.extractors.inception import InceptionExtractor
        >>> extractor = InceptionExtractor("pt_inception-2015-12-05-6726825d.pth")  # doctest: +SKIP
        >>> extractor.signature  # doctest: +SKIP
        'inception-2015-12-05|resize:tf1|precision:fp32'

    Of weights that are not the published file the signature has a hash: ``inception-2015-12-05|weights:6a0e1f3b52d4``.

    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        *,
        protocol: str = "tf1",
        outputs: Sequence[str] = ("2048",),
        device: str | None = None,
        precision: str = "fp32",
    ) -> None:
        for kind, found, known in (
            ("protocol", [protocol], tuple(PROTOCOLS)),
            ("output", outputs, OUTPUTS),
            ("precision", [precision], PRECISIONS),
        ):
            for name in found:
                if name not in known:
                    raise ValueError(f'unknown {kind} "{name}", choose one of {", ".join(known)}')
        self.protocol, self.outputs, self.precision = protocol, tuple(outputs), precision
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.chunk = CPU_CHUNK if self.device.type == "cpu" else 1 << 20
        self.published = published(protocol)
        network = self.published.network()
        loaded = load_weights(weights, self.published)
        network.load(loaded.state)
        self.weights = loaded.name
        self.network = network.eval().folded().to(self.device).requires_grad_(requires_grad=False)
        if precision == "bf16":
            self.network = self.network.to(torch.bfloat16)
        if self.device.type == "cpu":
            self.network = packed(self.network)

    @property
    def signature(self) -> str:
        """What the features depend on."""
        return f"{self.weights}|resize:{self.protocol}|precision:{self.precision}"

    @property
    def inception_score_convention(self) -> InceptionScoreConvention:
        """How the Inception Score is made of its outputs."""
        return convention_of_protocol(self.protocol)

    def __call__(self, images: Sequence[Any] | Tensor) -> dict[str, Tensor]:
        """Compute the outputs of a batch of images, uint8.

        Returns:
            A float32 tensor of shape ``(images, features)`` for each output.

        """
        with torch.inference_mode(), exactly(self.precision):
            return self._joined(side_by_side(self._forward, cut(images, self.chunk)))

    def of_batches(self, batches: Iterable[Sequence[Any]]) -> Iterator[dict[str, Tensor]]:
        """Compute the outputs of one batch after the other, as calls would; a CPU begins the next one meanwhile.

        Args:
            batches: Lists of images.

        """
        if self.device.type != "cpu":
            yield from map(self, batches)
            return
        with EXACT_PRODUCTS:
            for parts in batches_side_by_side(self._forward, (cut(batch, self.chunk) for batch in batches)):
                with torch.inference_mode():
                    joined = self._joined(parts)
                yield joined

    def _joined(self, parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        return {name: torch.cat([part[name] for part in parts]).float() for name in self.outputs}

    def _forward(self, images: Sequence[Any] | Tensor) -> dict[str, Tensor]:
        with torch.inference_mode():
            x = preprocess(images, self.protocol, device=self.device).to(memory_format=torch.channels_last)
            if self.precision == "bf16":
                x = x.to(torch.bfloat16)
            found: dict[str, Tensor] = self.network(x, self.outputs)
        return found

    def stream(
        self,
        source: Any,  # noqa: ANN401 - what callers have
        *,
        batch_size: int = 32,
        threads: int | None = None,
        progress: bool | None = None,
    ) -> Iterator[dict[str, Tensor]]:
        """Compute the outputs of all images of a source, batch by batch; decoding runs beside the network.

        Args:
            source: As for :func:`muge_fast.image.sources.open_images`.
            batch_size: Images of a batch.
            threads: Threads that decode; None for the number of cores.
            progress: Whether to show how many images are done; None for on a terminal.

        """
        options: dict[str, Any] = {"batch_size": batch_size, "threads": threads, "progress": progress}
        return extract_features(self, source, self.outputs, **options)

    def narrowed(self, outputs: Sequence[str]) -> InceptionExtractor:
        """Give one that computes some of the outputs alone, with the same network: others may need a pass of their own.

        Args:
            outputs: Any of its own; if there are others, it stays as it is.

        """
        other = copy.copy(self)
        if set(outputs) <= set(self.outputs):
            other.outputs = tuple(outputs)
        return other
