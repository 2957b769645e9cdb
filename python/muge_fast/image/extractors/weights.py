"""Published weights of the Inception networks: finding and reading the files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from muge_fast._internal.display import format_path
from muge_fast.image.extractors.download import download_file
from muge_fast.image.extractors.networks import Inception
from muge_fast.image.extractors.state_dicts import read_state
from muge_fast.image.extractors.torchvision_network import TorchvisionInception


class PublishedWeights(NamedTuple):
    """A published file of weights.

    Attributes:
        name: Name in signatures.
        network: Class of the network.
        variable: Environment variable that may hold the path of the file.
        url: Address of the file; its name ends in the first digits of its SHA-256.

    Example:
        >>> from muge_fast.image.extractors.weights import FID_INCEPTION_WEIGHTS
        >>> FID_INCEPTION_WEIGHTS.file_name
        'pt_inception-2015-12-05-6726825d.pth'

    """

    name: str
    network: type[Inception]
    variable: str
    url: str

    @property
    def file_name(self) -> str:
        """Name of the file."""
        return self.url.rpartition("/")[2]

    @property
    def sha256_prefix(self) -> str:
        """First hexadecimal digits of the file's SHA-256."""
        return Path(self.file_name).stem.rpartition("-")[2]


class LoadedWeights(NamedTuple):
    """Weights read from a file.

    Attributes:
        state: Tensors by name.
        published: The published weights that the file was read as.
        is_published: Whether the hash of the file is that of the published one.
        path: The file, for errors.

    Example:
        >>> from muge_fast.image.extractors.weights import FID_INCEPTION_WEIGHTS, LoadedWeights
        >>> LoadedWeights({}, FID_INCEPTION_WEIGHTS, is_published=True).name
        'inception-2015-12-05'

    """

    state: dict[str, Tensor]
    published: PublishedWeights
    is_published: bool
    path: Path = Path()

    @property
    def name(self) -> str:
        """Name in signatures, with a hash of the weights if they are not the published ones."""
        name = self.published.name
        return name if self.is_published else f"{name}|weights:{hash_weights(self.state)}"


FID_INCEPTION_WEIGHTS = PublishedWeights(
    "inception-2015-12-05",
    Inception,
    "MUGE_FAST_INCEPTION",
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
)
TORCHVISION_INCEPTION_WEIGHTS = PublishedWeights(
    "torchvision-inception-v3",
    TorchvisionInception,
    "MUGE_FAST_INCEPTION_TORCHVISION",
    "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
)


def published_weights(protocol: str) -> PublishedWeights:
    """Return the weights that belong to a preprocessing protocol.

    Args:
        protocol: A protocol of :func:`muge_fast.image.extractors.preprocess`.

    Returns:
        Torchvision's weights for ``"ofa"``; those of FID for all others.

    Example:
        >>> from muge_fast.image.extractors.weights import published_weights
        >>> published_weights("tf1").name, published_weights("ofa").name
        ('inception-2015-12-05', 'torchvision-inception-v3')

    """
    return TORCHVISION_INCEPTION_WEIGHTS if protocol == "ofa" else FID_INCEPTION_WEIGHTS


def load_weights(
    weights: str | os.PathLike[str] | None, published: PublishedWeights = FID_INCEPTION_WEIGHTS
) -> LoadedWeights:
    """Read a file of weights. Only tensors are unpickled.

    Args:
        weights: Path of the file; ``"download"`` to download the published file into torch's cache if it is not there;
            None for the path in the environment variable ``published.variable``, or the file in torch's cache.
        published: The published weights that the file should hold.

    Returns:
        The tensors. :meth:`muge_fast.image.extractors.networks.Inception.load` checks their names and shapes.

    Raises:
        TypeError: ``weights`` is not a path.
        OSError: There is no such file (the message says where to get it), or it cannot be downloaded.
        ValueError: The file does not hold weights, or the downloaded file has a wrong hash.

    Example:
        >>> from muge_fast.image.extractors.weights import load_weights
        >>> load_weights("nowhere.pth")
        Traceback (most recent call last):
        ...
        FileNotFoundError: no weights of FID's Inception at nowhere.pth: pass weights="download", or download ...

    """
    path = _find_file(weights, published)
    # One read, so that the bytes that are hashed are the bytes that are used.
    data = path.read_bytes()
    state = read_state(path, data)
    is_published = hashlib.sha256(data).hexdigest().startswith(published.sha256_prefix)
    return LoadedWeights(state, published, is_published=is_published, path=path)


def hash_weights(state: Mapping[str, Tensor]) -> str:
    """Return the first 12 digits of the SHA-256 of all names and tensors; it does not depend on the file format.

    Args:
        state: Tensors by name.

    Example:
        >>> import torch
        >>> from muge_fast.image.extractors.weights import hash_weights
        >>> hash_weights({"bias": torch.zeros(2)})
        '5aa95dd6dde5'

    """
    digest = hashlib.sha256()
    for name, weight in sorted(state.items()):
        digest.update(name.encode() + b"\0")
        digest.update(weight.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:12]


def _find_file(weights: str | os.PathLike[str] | None, published: PublishedWeights) -> Path:
    """Return the path of the file, after downloading it if that was requested."""
    if weights is not None and not isinstance(weights, (str, os.PathLike)):
        raise TypeError(f"weights must be a path, got {type(weights).__name__}")
    cached = Path(torch.hub.get_dir()) / "checkpoints" / published.file_name
    if weights == "download":
        if not cached.is_file():
            download_file(published.url, cached, sha256_prefix=published.sha256_prefix)
        return cached
    path = Path(weights or os.environ.get(published.variable) or cached)
    if path.is_dir():
        example = format_path(path / published.file_name)
        raise IsADirectoryError(f"weights: {format_path(path)} is a folder: pass the file, such as {example}")
    if not path.is_file():
        raise FileNotFoundError(
            f'no weights of {published.network.title} at {path}: pass weights="download", or download {published.url} '
            f"and pass its path as weights or in the environment variable {published.variable}"
        )
    return path
