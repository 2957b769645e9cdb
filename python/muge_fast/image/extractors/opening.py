"""The extractor of a metric: the caller's, or the published Inception network."""

from __future__ import annotations

import os
from collections.abc import Sequence

from muge_fast.image.extractors.interface import FeatureExtractor, ProtocolName, check_extractor_type


def open_extractor(
    extractor: FeatureExtractor | None,
    *,
    outputs: Sequence[str],
    weights: str | os.PathLike[str] | None,
    protocol: ProtocolName,
    precision: str,
    device: str | None,
) -> FeatureExtractor:
    """Return the caller's extractor, or open the published Inception network.

    Args:
        extractor: The caller's extractor; None for the published network.
        outputs: Outputs of the network to compute, such as ``"2048"``. A caller's extractor is returned unchanged.
        weights: Path of the network's weights, ``"download"``, or None for the default path.
        protocol: Preprocessing protocol of the network, ``"tf1"`` by default.
        precision: ``"fp32"``, ``"tf32"`` or ``"bf16"``.
        device: Device of the network; None for a GPU if there is one.

    Returns:
        The extractor. See :class:`muge_fast.image.extractors.InceptionExtractor` for the options of the network.

    Raises:
        TypeError: ``extractor`` cannot be called, or an option has the wrong type.
        OSError: There is no file of weights.
        ValueError: An option of the network together with ``extractor``; an unknown protocol, output or precision;
            weights of a different network.

    Example:
        >>> from muge_fast.image.extractors.opening import open_extractor
        >>> options = {"outputs": (), "weights": None, "precision": "fp32", "device": None}
        >>> open_extractor(len, protocol="clean", **options)
        Traceback (most recent call last):
        ...
        ValueError: protocol is an option of the published network, so it cannot be combined with extractor

    """
    if extractor is None:
        from muge_fast.image.extractors.inception import InceptionExtractor  # noqa: PLC0415 - imports torch, optional

        return InceptionExtractor(weights, protocol=protocol, precision=precision, device=device, outputs=outputs)
    check_extractor_type(extractor)
    options = {"weights": weights, "protocol": protocol, "precision": precision, "device": device}
    defaults = {"weights": None, "protocol": "tf1", "precision": "fp32", "device": None}
    for name, default in defaults.items():
        if options[name] != default:
            raise ValueError(f"{name} is an option of the published network, so it cannot be combined with extractor")
    return extractor
