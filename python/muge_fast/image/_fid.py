"""From images to FID, and Inception Score and KID on the way: one pass of the network for all."""

from __future__ import annotations

import os
import warnings
from typing import Any

from muge_fast.image._inception_score import MeanAndSpread
from muge_fast.image._kid import kid_of, refuse_subsets
from muge_fast.image.extractors.interface import FeatureExtractor, convention_of_protocol
from muge_fast.image.extractors.opening import open_extractor
from muge_fast.image.frechet import frechet_distance
from muge_fast.image.image_set import Side, known_statistics, outputs_of
from muge_fast.image.statistics import Statistics
from muge_fast.scores import Score, set_score, signature

# Below this number of images the estimate is visibly too large.
ENOUGH = 10_000


def fid(
    real: Any,  # noqa: ANN401 - what callers have
    generated: Any,  # noqa: ANN401
    *,
    extractor: FeatureExtractor | None = None,
    weights: str | os.PathLike[str] | None = None,
    protocol: str = "tf1",
    precision: str = "fp32",
    device: str | None = None,
    batch_size: int = 32,
    threads: int | None = None,
    progress: bool | None = None,
) -> Score:
    """Compute the Fréchet Inception Distance (Heusel et al., 2017) of two sets of images.

    Args:
        real: Real images: a folder, a ``.tsv`` of the benchmark, a ``.zip``, uint8 arrays or tensors, something that
            gives batches of them, or their :class:`Statistics` or saved ``.npz``.
        generated: Generated images, in the same forms.
        extractor: What makes features, instead of the network of FID; see
            :func:`muge_fast.image.extractors.running.extract_features` and
            :class:`muge_fast.image.extractors.clip.ClipExtractor`.
        weights: As for :class:`muge_fast.image.extractors.inception.InceptionExtractor`.
        protocol: As there. ``"ofa"`` has another network.
        precision: As there.
        device: As there.
        batch_size: Images of a batch; the result does not depend on it beyond rounding.
        threads: Threads that decode; None for the number of cores.
        progress: Whether to show how many images are done; None for on a terminal.

    Returns:
        A :class:`muge_fast.Score`; lower is better. Its signature names the protocol.

    Raises:
        OSError: A file that cannot be read, or no file of weights.
        ValueError: A broken image, with its name; statistics of another protocol; fewer than two images.

    Example:
        >>> import muge_fast.image
        >>> muge_fast.image.fid("T2I_val.img.tsv", "generated/").value  # doctest: +SKIP
        17.3

    """
    known = known_statistics(real), known_statistics(generated)
    if known[0] is not None and known[1] is not None:
        return fid_of(known[0], known[1])
    network = open_extractor(
        extractor, outputs=outputs_of(("fid",)), weights=weights, protocol=protocol, precision=precision, device=device
    )
    options: dict[str, Any] = {"batch_size": batch_size, "threads": threads, "progress": progress}
    sides = [
        Side(source if statistics is None else statistics, network, ("fid",))
        for source, statistics in zip((real, generated), known, strict=True)
    ]
    return fid_of(*(side.look(**options).statistics for side in sides))


def fid_of(real: Statistics, generated: Statistics) -> Score:
    """Compute the distance of statistics, as a score with its signature.

    Example:
        >>> import warnings
        >>> from muge_fast.image import Statistics, fid_of
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     score = fid_of(Statistics.of([[0.0], [2.0]], protocol="x"), Statistics.of([[1.0], [3.0]], protocol="x"))
        >>> score.value, score.signature.split("|version")[0]
        (1.0, 'fid|real:2|generated:2|x')

    """
    value = frechet_distance(real, generated)
    fewest = min((side.count for side in (real, generated) if side.count), default=ENOUGH)
    if fewest < ENOUGH:
        warnings.warn(
            f"FID of {fewest} images is larger than that of more images would be; compare only sets of equal size",
            stacklevel=3,
        )
    counts = [side.count or "unknown" for side in (real, generated)]
    protocol = real.protocol or generated.protocol or "unknown"
    return set_score(
        "fid", signature("fid", protocol, real=counts[0], generated=counts[1]), value, higher_is_better=False
    )


def inception_score(
    generated: Any,  # noqa: ANN401
    *,
    splits: int | None = None,
    extractor: FeatureExtractor | None = None,
    weights: str | os.PathLike[str] | None = None,
    protocol: str = "tf1",
    precision: str = "fp32",
    device: str | None = None,
    batch_size: int = 32,
    threads: int | None = None,
    progress: bool | None = None,
) -> MeanAndSpread:
    """Compute the Inception Score (Salimans et al., 2016) of images, with the rules of torch-fidelity.

    Where the number of images is known before all have come, as of files and arrays, the score is torch-fidelity's. Of
    a generator or a ``DataLoader`` it is not: their images are dealt to splits as they come, see
    :class:`muge_fast.image.inception_score.SplitSums`. Memory does not grow with the number of images.

    Args:
        generated: As for :func:`fid`.
        splits: As for :func:`muge_fast.image.inception_score_of`; None for 10, or 1 for the protocol ``"ofa"``.
        extractor: As for :func:`fid`; it gives logits.
        weights: As for :func:`fid`.
        protocol: As for :func:`fid`.
        precision: As for :func:`fid`.
        device: As for :func:`fid`.
        batch_size: As for :func:`fid`.
        threads: As for :func:`fid`.
        progress: As for :func:`fid`.

    Returns:
        Mean and standard deviation over parts; higher is better.

    Raises:
        OSError: As for :func:`fid`.
        ValueError: As for :func:`fid`, or fewer images than parts.

    Example:
        >>> import muge_fast.image
        >>> muge_fast.image.inception_score("generated/").mean  # doctest: +SKIP
        9.1

    """
    outputs = outputs_of(("is",), convention_of_protocol(protocol))
    network = open_extractor(
        extractor, outputs=outputs, weights=weights, protocol=protocol, precision=precision, device=device
    )
    options: dict[str, Any] = {"batch_size": batch_size, "threads": threads, "progress": progress}
    return Side(generated, network, ("is",), splits=splits).look(**options).sums.score()


def kid(
    real: Any,  # noqa: ANN401
    generated: Any,  # noqa: ANN401
    *,
    subsets: int = 100,
    subset_size: int = 1000,
    extractor: FeatureExtractor | None = None,
    weights: str | os.PathLike[str] | None = None,
    protocol: str = "tf1",
    precision: str = "fp32",
    device: str | None = None,
    batch_size: int = 32,
    threads: int | None = None,
    progress: bool | None = None,
) -> MeanAndSpread:
    """Compute the Kernel Inception Distance (Bińkowski et al., 2018) of two sets of images.

    Args:
        real: As for :func:`fid`, but not statistics.
        generated: As for :func:`fid`, but not statistics.
        subsets: As for :func:`muge_fast.image.kid_of`.
        subset_size: As for :func:`muge_fast.image.kid_of`.
        extractor: As for :func:`fid`.
        weights: As for :func:`fid`.
        protocol: As for :func:`fid`.
        precision: As for :func:`fid`.
        device: As for :func:`fid`.
        batch_size: As for :func:`fid`.
        threads: As for :func:`fid`.
        progress: As for :func:`fid`.

    Returns:
        Mean and standard deviation over subsets; lower is better.

    Raises:
        OSError: As for :func:`fid`.
        ValueError: As for :func:`fid`, or fewer images than a subset has.

    Example:
        >>> import muge_fast.image
        >>> muge_fast.image.kid("real/", "generated/").mean  # doctest: +SKIP
        0.004

    """
    network = open_extractor(
        extractor, outputs=outputs_of(("kid",)), weights=weights, protocol=protocol, precision=precision, device=device
    )
    options: dict[str, Any] = {"batch_size": batch_size, "threads": threads, "progress": progress}
    sides = [Side(source, network, ("kid",)) for source in (real, generated)]
    refuse_subsets(subsets, subset_size, *(side.count for side in sides))
    left, right = (side.look(**options).features for side in sides)
    return kid_of(left, right, subsets=subsets, subset_size=subset_size)
