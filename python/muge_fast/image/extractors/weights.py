"""Published weights: where the files are, and how they are read."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from muge_fast.image.extractors.download import download
from muge_fast.image.extractors.networks import Inception
from muge_fast.image.extractors.torchvision_network import TorchvisionInception


class Published(NamedTuple):
    """A network whose weights are published.

    Attributes:
        name: Part of signatures.
        network: What they are the weights of.
        variable: The environment variable that may name the file.
        url: Where the file is; its name ends in the first digits of its SHA-256.

    Example:
        >>> from muge_fast.image.extractors.weights import FID
        >>> FID.file
        'pt_inception-2015-12-05-6726825d.pth'

    """

    name: str
    network: type[Inception]
    variable: str
    url: str

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.url.rpartition("/")[2]

    @property
    def digits(self) -> str:
        """How the SHA-256 of the file starts."""
        return Path(self.file).stem.rpartition("-")[2]


class Weights(NamedTuple):
    """Weights that were read.

    Attributes:
        state: Tensors by name.
        of: What they are said to be.
        is_published: Whether they are: the hash of the file is that of the published one.

    Example:
        >>> from muge_fast.image.extractors.weights import FID, Weights
        >>> Weights({}, FID, is_published=True).name
        'inception-2015-12-05'

    """

    state: dict[str, Tensor]
    of: Published
    is_published: bool

    @property
    def name(self) -> str:
        """What signatures call them; others than the published ones have a hash there."""
        return self.of.name if self.is_published else f"{self.of.name}|weights:{hash_of(self.state)}"


FID = Published(
    "inception-2015-12-05",
    Inception,
    "MUGE_FAST_INCEPTION",
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
)
TORCHVISION = Published(
    "torchvision-inception-v3",
    TorchvisionInception,
    "MUGE_FAST_INCEPTION_TORCHVISION",
    "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
)


def published(protocol: str) -> Published:
    """Tell which network a protocol uses.

    Example:
        >>> from muge_fast.image.extractors.weights import published
        >>> published("tf1").name, published("ofa").name
        ('inception-2015-12-05', 'torchvision-inception-v3')

    """
    return TORCHVISION if protocol == "ofa" else FID


def load_weights(weights: str | os.PathLike[str] | None, of: Published = FID) -> Weights:
    """Read published weights.

    Args:
        weights: As for :class:`muge_fast.image.extractors.inception.InceptionExtractor`.
        of: Which ones.

    Raises:
        OSError: There is no such file, and the message says where to get it; or it cannot be fetched.
        ValueError: It is no file of weights, or what was fetched is another file.

    Example:
        >>> from muge_fast.image.extractors.weights import load_weights
        >>> load_weights("nowhere.pth")
        Traceback (most recent call last):
        ...
        FileNotFoundError: no weights of FID's Inception at nowhere.pth; give weights="download" or fetch ...

    """
    path = _find(weights, of)
    # Read once, so that what is hashed is what is used.
    data = path.read_bytes()
    try:
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001
        # What torch raises for a file that is none is not one kind of error.
        raise ValueError(f"{path}: not a file of weights: {error}") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path}: not a file of weights: expected a dictionary of tensors")
    return Weights(state, of, is_published=hashlib.sha256(data).hexdigest().startswith(of.digits))


def hash_of(state: Mapping[str, Tensor]) -> str:
    """Give the first digits of the SHA-256 of all tensors, by name: the same however they were stored.

    Example:
        >>> import torch
        >>> from muge_fast.image.extractors.weights import hash_of
        >>> hash_of({"bias": torch.zeros(2)})
        '5aa95dd6dde5'

    """
    digest = hashlib.sha256()
    for name, weight in sorted(state.items()):
        digest.update(name.encode() + b"\0")
        digest.update(weight.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:12]


def _find(weights: str | os.PathLike[str] | None, of: Published) -> Path:
    """The file, fetched if that was asked for."""
    cached = Path(torch.hub.get_dir()) / "checkpoints" / of.file
    if weights == "download":
        if not cached.is_file():
            download(of.url, cached, digits=of.digits)
        return cached
    path = Path(weights or os.environ.get(of.variable) or cached)
    if not path.is_file():
        raise FileNotFoundError(
            f'no weights of {of.network.title} at {path}; give weights="download" or fetch {of.url} and give its '
            f"path, in weights= or in the environment variable {of.variable}"
        )
    return path
