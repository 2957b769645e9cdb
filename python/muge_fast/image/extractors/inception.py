"""The Inception networks of FID and of the benchmark's authors, as feature extractors."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from muge_fast._internal.checks import check_choice, check_names
from muge_fast._internal.matmul_precision import HIGHEST_MATMUL_PRECISION
from muge_fast._internal.npz import named_errors
from muge_fast.image.extractors.cpu_engine import OpenVinoNetwork, choose_engine
from muge_fast.image.extractors.cpu_threads import run_batches, run_chunks, split_batch
from muge_fast.image.extractors.devices import find_device
from muge_fast.image.extractors.interface import (
    FeatureMatrix,
    InceptionScoreConvention,
    ProtocolName,
    convention_of_protocol,
)
from muge_fast.image.extractors.networks import OUTPUTS
from muge_fast.image.extractors.preprocessing import PROTOCOLS, ImageBatch, preprocess
from muge_fast.image.extractors.running import extract_features
from muge_fast.image.extractors.torch_precision import PRECISIONS, network_precision
from muge_fast.image.extractors.weights import load_weights, published_weights
from muge_fast.image.inputs import Pixels
from muge_fast.image.sources import ImageSource

# Images that a CPU thread processes at once: few, so that the data between two layers stays in its cache.
CPU_CHUNK = 4


class InceptionExtractor:
    """The Inception network of FID as a feature extractor; torchvision's Inception v3 for the protocol ``"ofa"``.

    Calling it computes the outputs of one batch. Options are checked before weights are read.

    Args:
        weights: Path of the published file, ``pt_inception-2015-12-05-6726825d.pth``, or
            ``inception_v3_google-0cc3c7bd.pth`` for ``"ofa"``. ``"download"`` downloads it into torch's cache if it is
            not there. None reads the path in the environment variable ``MUGE_FAST_INCEPTION``
            (``MUGE_FAST_INCEPTION_TORCHVISION`` for ``"ofa"``), or the file in torch's cache.
        protocol: Preprocessing of images: ``"tf1"`` (TensorFlow 1 and torch-fidelity), ``"pytorch-fid"``,
            ``"torchmetrics"``, ``"clean"`` (clean-fid), or ``"ofa"`` (the scripts of the benchmark's authors).
        outputs: Any of ``"64"``, ``"192"``, ``"768"``, ``"2048"`` (features), ``"logits"``, ``"logits_unbiased"``.
        device: Device to run on, such as ``"cuda:1"``; None for a GPU if there is one.
        precision: ``"fp32"``, ``"tf32"`` or ``"bf16"``. ``"tf32"`` and ``"bf16"`` are faster on GPUs and change the
            Fréchet distance by up to 0.04 % and 1 %; they are part of the signature. On a CPU, ``"bf16"`` needs
            AVX512_BF16 or AMX instructions; elsewhere it is emulated and several times slower than ``"fp32"``.
        engine: ``"openvino"``, which is faster on CPUs, or ``"torch"``; None for OpenVINO on a CPU if it is installed.
            Features differ by about 1e-6. The signature has the name and version of OpenVINO, and nothing for torch.

    Attributes:
        takes_tensors: True: :meth:`muge_fast.image.FID.update` and others leave tensors on their device.
        protocol: The preprocessing protocol.
        outputs: Names of the outputs.
        precision: The precision.
        device: The ``torch.device`` that it runs on.
        published: Name, network and address of the weights that belong to the protocol.
        network: The ``torch.nn.Module``. OpenVINO runs a copy.

    Raises:
        ImportError: OpenVINO is requested but not installed.
        TypeError: An option of the wrong type; ``outputs`` is a single string.
        OSError: There is no file of weights, or it cannot be downloaded.
        ValueError: An unknown protocol, output, precision, device or engine, an engine that cannot run on the device,
            or a file with the weights of a different network.

    Example:
        >>> from muge_fast.image.extractors import InceptionExtractor
        >>> extractor = InceptionExtractor("pt_inception-2015-12-05-6726825d.pth")  # doctest: +SKIP
        >>> extractor.signature  # doctest: +SKIP
        'inception-2015-12-05|resize:tf1|precision:fp32|engine:openvino-2026.4.1'

    """

    takes_tensors = True

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        *,
        protocol: ProtocolName = "tf1",
        outputs: Sequence[str] = ("2048",),
        device: str | torch.device | None = None,
        precision: str = "fp32",
        engine: str | None = None,
    ) -> None:
        self.protocol = check_choice("protocol", protocol, PROTOCOLS)
        self.outputs = check_names("outputs", outputs, OUTPUTS)
        self.precision = check_choice("precision", precision, PRECISIONS)
        self.device = find_device(device)
        chosen = choose_engine(engine, self.device, precision)
        # On a GPU a chunk is the whole batch.
        self._chunk = CPU_CHUNK if self.device.type == "cpu" else 1 << 20
        self.published = published_weights(protocol)
        network = self.published.network()
        loaded = load_weights(weights, self.published)
        with named_errors(str(loaded.path)):
            network.load(loaded.state)
        self._weights_name = loaded.name
        self.network = network.eval().fold_batchnorm().to(self.device).requires_grad_(requires_grad=False)
        self._openvino: OpenVinoNetwork | None = None
        # OpenVINO's ReLU hides NaN; torch's does not, so that such weights give an error.
        if chosen == "openvino" and network.is_finite():
            self._openvino = OpenVinoNetwork(self.network, loaded.name, self.outputs, precision)
        elif precision == "bf16":
            self.network = self.network.to(torch.bfloat16)

    @property
    def engine(self) -> str:
        """Library that runs the network: ``"openvino"`` or ``"torch"``."""
        return "torch" if self._openvino is None else "openvino"

    @property
    def signature(self) -> str:
        """Weights, preprocessing, precision and engine, as signatures of scores have them.

        Weights other than the published file are identified by a hash:
        ``inception-2015-12-05|weights:6a0e1f3b52d4|resize:tf1|precision:fp32``.
        """
        signature = f"{self._weights_name}|resize:{self.protocol}|precision:{self.precision}"
        return signature if self._openvino is None else f"{signature}|{self._openvino.signature}"

    @property
    def inception_score_convention(self) -> InceptionScoreConvention:
        """Logits, number of splits and order of images that the Inception Score of this protocol uses."""
        return convention_of_protocol(self.protocol)

    def __call__(self, images: ImageBatch) -> dict[str, Tensor]:
        """Compute the outputs of a batch of images.

        Args:
            images: uint8 arrays of shape ``(height, width, 3)``, RGB, which may differ in size; or a uint8 tensor of
                shape ``(images, 3, height, width)``.

        Returns:
            For each output a float32 tensor of shape ``(images, features)``.

        Raises:
            TypeError: Images that are not uint8.
            ValueError: No images, or images of a wrong shape.

        """
        self._allow_threads()
        with torch.inference_mode(), network_precision(self.precision):
            return self._concatenate(run_chunks(self._forward, split_batch(images, self._chunk)))

    def iter_batches(self, batches: Iterable[Sequence[Pixels]]) -> Iterator[dict[str, Tensor]]:
        """Compute the outputs of one batch after another, as calls would.

        On a CPU, threads begin the next batch before the previous one has ended.

        Args:
            batches: Batches of uint8 arrays of shape ``(height, width, 3)``, RGB.

        Yields:
            For each batch, a float32 tensor of shape ``(images, features)`` for each output.

        Raises:
            TypeError: Images that are not uint8.
            ValueError: An empty batch, or images of a wrong shape.

        Example:
            >>> import numpy as np
            >>> batches = [np.zeros((4, 64, 64, 3), dtype="uint8")] * 2
            >>> for outputs in extractor.iter_batches(batches):  # doctest: +SKIP
            ...     print(outputs["2048"].shape)
            torch.Size([4, 2048])
            torch.Size([4, 2048])

        """
        if self.device.type != "cpu":
            yield from map(self, batches)
            return
        self._allow_threads()
        with HIGHEST_MATMUL_PRECISION:
            for outputs in run_batches(self._forward, (split_batch(batch, self._chunk) for batch in batches)):
                with torch.inference_mode():
                    joined = self._concatenate(outputs)
                yield joined

    def stream(
        self,
        source: ImageSource,
        *,
        batch_size: int = 32,
        threads: int | None = None,
        progress: bool | None = None,
    ) -> Iterator[dict[str, FeatureMatrix]]:
        """Compute the outputs of all images of a source, batch by batch, while threads decode the next images.

        Args:
            source: A folder, ``.tsv`` or ``.zip`` file, arrays, tensors, a mapping, a dataset or an iterable; see
                :func:`muge_fast.image.score_images`.
            batch_size: Number of images of a batch.
            threads: Number of threads that decode; None for the number of cores.
            progress: Whether to show a progress bar; None to show it on a terminal.

        Returns:
            An iterator over batches: for each output a float32 tensor of shape ``(images, features)``.

        Raises:
            TypeError: ``batch_size`` or ``threads`` is not an integer, or ``source`` is not a source of images.
            OSError: A path that cannot be read.
            ValueError: A number below 1, a path without images; while iterating, a broken image, with its name.

        Example:
            >>> for outputs in extractor.stream("generated/", batch_size=64):  # doctest: +SKIP
            ...     print(outputs["2048"].shape)
            torch.Size([64, 2048])

        """
        return extract_features(self, source, self.outputs, batch_size=batch_size, threads=threads, progress=progress)

    def with_outputs(self, outputs: Sequence[str]) -> InceptionExtractor:
        """Return an extractor of some of the outputs, which shares the network.

        For the protocol ``"ofa"`` features and logits take a pass each, so leaving one out saves half of the time.

        Args:
            outputs: Any of ``outputs``. If any other name is among them, the result has all of ``outputs``.

        Returns:
            The extractor; this one does not change.

        Example:
            >>> extractor = InceptionExtractor(outputs=("2048", "logits"))  # doctest: +SKIP
            >>> extractor.with_outputs(["2048"]).outputs  # doctest: +SKIP
            ('2048',)

        """
        restricted = copy.copy(self)
        if set(outputs) <= set(self.outputs):
            restricted.outputs = tuple(outputs)
        return restricted

    def _allow_threads(self) -> None:
        """Let OpenVINO use as many threads as torch: chunks run on threads for which torch's number is smaller."""
        if self._openvino is not None:
            self._openvino.allow_threads(torch.get_num_threads())

    def _forward(self, images: ImageBatch) -> dict[str, Tensor]:
        with torch.inference_mode():
            x = preprocess(images, self.protocol, device=self.device)
            if self._openvino is not None:
                return self._openvino(x, self.outputs)
            x = x.to(memory_format=torch.channels_last)
            if self.precision == "bf16":
                x = x.to(torch.bfloat16)
            outputs: dict[str, Tensor] = self.network(x, self.outputs)
        return outputs

    def _concatenate(self, chunks: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        return {name: torch.cat([chunk[name] for chunk in chunks]).float() for name in self.outputs}
