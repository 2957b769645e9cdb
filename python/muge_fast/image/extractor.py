"""Features of images: the network of FID, its weights, and how it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from muge_fast.image.inception import OUTPUTS, Inception
from muge_fast.image.preprocess import PROTOCOLS, preprocess
from muge_fast.image.sources import batches, count_images, open_images
from muge_fast.progress import Progress

VARIABLE = "MUGE_FAST_INCEPTION"
FILE = "pt_inception-2015-12-05-6726825d.pth"
URL = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{FILE}"
HASH = "6726825d"
PRECISIONS = ("fp32", "tf32", "bf16")

# Images that a CPU works on together: what lies between two layers stays nearer than with more.
CPU_CHUNK = 8


class InceptionExtractor:
    """The network of FID, ready to run.

    Args:
        weights: Path of the published file ``pt_inception-2015-12-05-6726825d.pth``; ``"download"`` to fetch it into
            torch's own cache; None for the path in the environment variable ``MUGE_FAST_INCEPTION``, or that cache.
        protocol: How images become its input, see :func:`muge_fast.image.preprocess.preprocess`.
        outputs: Any of ``"64"``, ``"192"``, ``"768"``, ``"2048"``, ``"logits"``, ``"logits_unbiased"``.
        device: Where it runs; None for a GPU if there is one.
        precision: ``"fp32"``; ``"tf32"`` and ``"bf16"`` are faster and change the Fréchet distance, by up to 0.04 % and
            1 %. It is part of the protocol.

    Raises:
        OSError: There is no file of weights.
        ValueError: It holds other weights; an unknown protocol, output or precision.

    Example:
        >>> from muge_fast.image.extractor import InceptionExtractor
        >>> extractor = InceptionExtractor("pt_inception-2015-12-05-6726825d.pth")  # doctest: +SKIP
        >>> extractor.signature  # doctest: +SKIP
        'inception-2015-12-05|resize:tf1|precision:fp32'

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
        network = Inception()
        network.load(load_weights(weights))
        self.network = network.eval().folded().to(self.device).requires_grad_(requires_grad=False)
        if precision == "bf16":
            self.network = self.network.to(torch.bfloat16)

    @property
    def signature(self) -> str:
        """What the features depend on."""
        return f"inception-2015-12-05|resize:{self.protocol}|precision:{self.precision}"

    def __call__(self, images: Sequence[Any] | Tensor) -> dict[str, Tensor]:
        """Compute the outputs of a batch of images, uint8.

        Returns:
            A float32 tensor of shape ``(images, features)`` for each output.

        """
        with torch.inference_mode(), self.exactly():
            x = preprocess(images, self.protocol, device=self.device).to(memory_format=torch.channels_last)
            if self.precision == "bf16":
                x = x.to(torch.bfloat16)
            parts = [self.network(part, self.outputs) for part in torch.split(x, self.chunk)]
        return {name: torch.cat([part[name] for part in parts]).float() for name in self.outputs}

    def stream(
        self,
        source: Any,  # noqa: ANN401 - what callers have
        *,
        batch_size: int = 32,
        workers: int | None = None,
        progress: bool | None = None,
    ) -> Iterator[dict[str, Tensor]]:
        """Compute the outputs of all images of a source, batch by batch; decoding runs beside the network.

        Args:
            source: As for :func:`muge_fast.image.sources.open_images`.
            batch_size: Images of a batch.
            workers: Threads that decode; None for the number of cores.
            progress: Whether to show how many images are done; None for on a terminal.

        """
        threads = workers if workers is not None else os.cpu_count() or 1
        found = open_images(source)
        done = 0
        with Progress(count_images(found), "image", progress) as bar:
            for batch in batches(found, batch_size, threads):
                yield self(batch)
                done += len(batch)
                if bar.callback is not None:
                    bar.callback(done)

    @contextmanager
    def exactly(self) -> Iterator[None]:
        """Switch TF32 on or off in convolutions, where cuDNN has it on by default; never in products of matrices.

        Those resize images, which no precision of the network may change.
        """
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            with torch.backends.cudnn.flags(enabled=True, allow_tf32=self.precision == "tf32"):
                yield
        finally:
            torch.set_float32_matmul_precision(before)


def load_weights(weights: str | os.PathLike[str] | None) -> dict[str, Tensor]:
    """Read the published weights.

    Args:
        weights: As for :class:`InceptionExtractor`.

    Raises:
        OSError: There is no such file; the message says where to get it.
        ValueError: It is no file of weights.

    Example:
        >>> from muge_fast.image.extractor import load_weights
        >>> load_weights("nowhere.pth")
        Traceback (most recent call last):
        ...
        FileNotFoundError: no weights of FID's Inception at nowhere.pth; give weights="download" or fetch ...

    """
    cached = Path(torch.hub.get_dir()) / "checkpoints" / FILE
    if weights == "download":
        torch.hub.load_state_dict_from_url(URL, progress=True, check_hash=True, weights_only=True)
        path = cached
    else:
        path = Path(weights or os.environ.get(VARIABLE) or cached)
    if not path.is_file():
        raise FileNotFoundError(
            f'no weights of FID\'s Inception at {path}; give weights="download" or fetch {URL} and give its path, '
            f"in weights= or in the environment variable {VARIABLE}"
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001
        # What torch raises for a file that is none is not one kind of error.
        raise ValueError(f"{path}: not a file of weights: {error}") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path}: not a file of weights: expected a dictionary of tensors")
    return state
