"""The Fréchet Inception Distance: of two sources of images, or accumulated from batches."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy.typing as npt

from muge_fast._internal.checks import true_or_false
from muge_fast._internal.npz import Array
from muge_fast.image.backend import DeviceLike, Float64Array, NumpyBackend
from muge_fast.image.extractors.interface import FeatureExtractor, ProtocolName
from muge_fast.image.frechet import frechet_distance, joint_signature
from muge_fast.image.image_set import (
    FEATURES,
    ImageSetAccumulator,
    ImagesOrStatistics,
    load_statistics,
    outputs_for,
)
from muge_fast.image.influence import fid_influence
from muge_fast.image.inputs import checked_features
from muge_fast.image.options import UNKNOWN_EXTRACTOR, LoadOptions, NetworkOptions
from muge_fast.image.small_sets import MIN_IMAGES_FOR_FID, warn_about_small_set
from muge_fast.image.sources import check_paths, open_side
from muge_fast.image.statistics import Statistics, feature_pair
from muge_fast.image.streaming import Batch, StreamingMetric, check_extractor
from muge_fast.scores import Score, set_score, signature


def fid(
    real: ImagesOrStatistics,
    generated: ImagesOrStatistics,
    *,
    extractor: FeatureExtractor | None = None,
    weights: str | os.PathLike[str] | None = None,
    protocol: ProtocolName = "tf1",
    precision: str = "fp32",
    device: str | None = None,
    batch_size: int = 32,
    threads: int | None = None,
    progress: bool | None = None,
    influence: bool = False,
) -> Score:
    """Compute the Fréchet Inception Distance (Heusel et al., 2017) of real and generated images, in this order.

    The distance is symmetric: the order matters for the signature alone. Two sets of statistics are compared without a
    network.

    Args:
        real: Real images: path of a folder, a ``.tsv`` file of the benchmark or a ``.zip`` file; uint8 arrays or
            tensors of shape ``(images, 3, height, width)`` or ``(images, height, width, 3)``; a mapping from id to the
            bytes of an image file; a torch ``Dataset``; a list of paths of image files; or an iterable of images or
            batches, such as a ``DataLoader``. Or their :class:`Statistics`, or the path of an ``.npz`` file with saved
            ones.
        generated: Generated images or their statistics, in the same forms.
        extractor: Feature extractor to use instead of the Inception network: a function that takes a list of uint8 RGB
            arrays of shape ``(height, width, 3)`` and returns an array or tensor of floats of shape
            ``(images, features)``, or a ``torch.nn.Module`` that takes a uint8 tensor of shape
            ``(images, 3, height, width)`` and returns such a tensor.
        weights: Path of the network's published weights, ``pt_inception-2015-12-05-6726825d.pth``, or
            ``inception_v3_google-0cc3c7bd.pth`` for the protocol ``"ofa"``; ``"download"`` to fetch them into torch's
            cache; None for the path in the environment variable ``MUGE_FAST_INCEPTION``
            (``MUGE_FAST_INCEPTION_TORCHVISION`` for ``"ofa"``), or else for torch's cache.
        protocol: Preprocessing of the images, named after the tool that it is equal to: ``"tf1"`` (torch-fidelity and
            the original TensorFlow code), ``"pytorch-fid"``, ``"torchmetrics"``, ``"clean"`` (clean-fid), or
            ``"ofa"``, which also uses torchvision's network.
        precision: ``"fp32"``, or ``"tf32"`` or ``"bf16"``, which are faster and change FID by up to 0.04 % and 1 %.
        device: torch device of the network, such as ``"cuda:1"``; None for a GPU if there is one, else the CPU.
        batch_size: Images per batch, at least 1. It changes results by rounding only.
        threads: Threads that decode images, at least 1; None for the number of CPU cores.
        progress: Whether to show a progress bar; None to show it on a terminal only.
        influence: Whether to compute ``Score.influence``, as :func:`fid_from_features` describes. The generated images
            must then be images; real ones are fixed if they are statistics. The features of all images are kept in
            memory, in single precision.

    Returns:
        The score ``"fid"``, from 0; lower is better. Its signature names the extractor and both numbers of images.

    Raises:
        TypeError: An option or a source has the wrong type.
        ImportError: torch or Pillow is not installed.
        OSError: A file cannot be read, or the weights are missing.
        ValueError: An unknown option, an option of the network together with ``extractor``, a broken image (named in
            the message), statistics of a different extractor, or fewer than two images.

    Warns:
        UserWarning: A set has fewer than 10,000 images; FID is biased upwards, more so for smaller sets.

    Example:
        >>> import muge_fast as mf
        >>> import muge_fast.image
        >>> mf.image.fid("T2I_val.img.tsv", "generated/").value  # doctest: +SKIP
        17.3

    """
    network, load = NetworkOptions(weights, protocol, precision, device), LoadOptions(batch_size, threads, progress)
    true_or_false("influence", influence)
    # Before weights are looked for, so that a wrong path is not reported as missing weights.
    check_paths(real=real, generated=generated)
    real_statistics, generated_statistics = load_statistics(real), load_statistics(generated)
    if influence and generated_statistics is not None:
        raise ValueError("generated is statistics, influence=True needs the images")
    features: tuple[Array, ...] = ()
    if real_statistics is None or generated_statistics is None:
        sources = [
            open_side(name, source) if statistics is None else statistics
            for name, source, statistics in (
                ("real", real, real_statistics),
                ("generated", generated, generated_statistics),
            )
        ]
        opened = network.open(extractor, outputs_for(("fid",)))
        sets = [ImageSetAccumulator(source, opened, ("fid",), influence=influence) for source in sources]
        for image_set in sets:
            image_set.run(load)
        real_statistics, generated_statistics = (image_set.statistics for image_set in sets)
        features = features_of(*reversed(sets))
    score = fid_from_statistics(real_statistics, generated_statistics, features)
    warn_about_few_images(real_statistics, generated_statistics)
    return score


def fid_from_features(
    real: npt.ArrayLike | Statistics,
    generated: npt.ArrayLike,
    *,
    extractor_signature: str | None = None,
    influence: bool = False,
) -> Score:
    """Compute FID of features, in double precision.

    The influence of images gives the standard error of FID, which is that of the expected FID of this number of images;
    the bias is larger, so compare sets of equal size only. With 64 features, the standard error over the standard
    deviation of FID of new images was 1.4 with one image for each feature, 1.35 with 2.5, 1.2 with 5, 1.15 with 15 and
    1.0 with 47, and up to 1.5 if both distributions are equal, in Monte Carlo runs with an uncertainty of 0.07: tests
    with it reject too seldom rather than too often. It takes about twice as long as FID itself of 5,000 images with
    2048 features, and 270 MB.

    Args:
        real: Features of real images, of shape ``(images, features)``, or their :class:`Statistics`.
        generated: Features of generated images, with the same number of columns.
        extractor_signature: Signature of the extractor that made the features, for the score's signature; None for that
            of the statistics.
        influence: Whether to compute ``Score.influence``: of the generated images and, unless these are statistics, of
            the real ones.

    Returns:
        The score ``"fid"``, from 0; lower is better.

    Raises:
        TypeError: Features are not numbers.
        ValueError: Shapes or signatures do not match, a value is not finite or too large, or a set has fewer than two
            images.

    Example:
        >>> from muge_fast.image import fid_from_features
        >>> score = fid_from_features([[0.0], [2.0]], [[1.0], [3.0]], influence=True)
        >>> score.value, [values.tolist() for values in score.influence]
        (1.0, [[-2.0, 2.0], [2.0, -2.0]])

    """
    true_or_false("influence", influence)
    features: tuple[Float64Array, ...]
    if isinstance(real, Statistics):
        features = (NumpyBackend().as_float64(checked_features("generated", generated)),)
        NumpyBackend().first_nonfinite_row(features[0], "generated", seen=0, earlier=None)
        left, extractor = real, real.extractor_signature if extractor_signature is None else extractor_signature
    else:
        features = feature_pair(real, generated)[::-1]
        extractor = extractor_signature or ""
        left = Statistics.from_features(features[1], extractor_signature=extractor)
    right = Statistics.from_features(features[0], extractor_signature=extractor)
    return fid_from_statistics(left, right, features if influence else ())


def features_of(*sets: ImageSetAccumulator) -> tuple[Array, ...]:
    """Return the features of the sets that kept them, for the influence of their images.

    Args:
        sets: Sets of images, after they have been read.

    Returns:
        The features of the sets, in their order, without sets that are statistics.

    """
    return tuple(image_set.features for image_set in sets if image_set.has_features)


def fid_from_statistics(real: Statistics, generated: Statistics, features: Sequence[Array] = ()) -> Score:
    """Compute FID from statistics, without the warning about few images.

    Args:
        real: Statistics of the real images.
        generated: Statistics of the generated images.
        features: Features of the generated images and, unless these are fixed, of the real images, to compute the
            influence of each; empty to compute none.

    Returns:
        The score ``"fid"``.

    Raises:
        ValueError: Different numbers of features or extractor signatures, fewer than two images, or features that are
            too large.

    Example:
        >>> from muge_fast.image import Statistics
        >>> from muge_fast.image._fid import fid_from_statistics
        >>> real, generated = (Statistics.from_features(rows) for rows in ([[0.0], [2.0]], [[1.0], [3.0]]))
        >>> score = fid_from_statistics(real, generated)
        >>> score.value, score.signature.split("|version")[0]
        (1.0, 'fid|real:2|generated:2|extractor:unknown')

    """
    value = frechet_distance(real, generated)
    counts = [statistics.count or "unknown" for statistics in (real, generated)]
    extractor = joint_signature(real.extractor_signature, generated.extractor_signature) or UNKNOWN_EXTRACTOR
    return set_score(
        "fid",
        signature("fid", extractor, real=counts[0], generated=counts[1]),
        value,
        higher_is_better=False,
        influence=fid_influence(real, generated, *features) if features else None,
    )


def warn_about_few_images(real: Statistics, generated: Statistics) -> None:
    """Warn the caller of this package if a set is too small for an unbiased FID.

    Args:
        real: Statistics of the real images; there is no warning if their number is unknown.
        generated: Statistics of the generated images.

    Example:
        >>> import warnings
        >>> from muge_fast.image import Statistics
        >>> from muge_fast.image._fid import warn_about_few_images
        >>> statistics = Statistics.from_features([[0.0], [2.0]])
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     warn_about_few_images(statistics, statistics)
        >>> len(caught)
        1

    """
    counts = (statistics.count for statistics in (real, generated) if statistics.count)
    warn_about_small_set("fid", min(counts, default=MIN_IMAGES_FOR_FID))


class FID(StreamingMetric):
    """Fréchet Inception Distance of two streams of images. Memory use does not grow with their number.

    Args:
        extractor: Feature extractor: an :class:`muge_fast.image.extractors.InceptionExtractor`; a function that takes
            a list of uint8 RGB arrays of shape ``(height, width, 3)`` and returns an array or tensor of floats of shape
            ``(images, features)``; or a ``torch.nn.Module`` that takes a uint8 tensor of shape
            ``(images, 3, height, width)`` and returns such a tensor. None if batches are features already.
        dims: Number of features.
        extractor_signature: Signature of the extractor, for the score's signature; None for that of ``extractor``.
        device: torch device that keeps the sums, or its name; None to follow the first batch.

    Attributes:
        real: :class:`Statistics` of the real images.
        generated: :class:`Statistics` of the generated images.

    Raises:
        TypeError: ``dims`` is not an integer.
        ValueError: ``dims`` is smaller than 1.
        RuntimeError: torch has no such device.

    Example:
        >>> import warnings
        >>> import numpy as np
        >>> from muge_fast.image import FID
        >>> metric = FID(dims=2)
        >>> metric.update(np.array([[0.0, 0.0], [2.0, 0.0]]), real=True)
        >>> metric.update(np.array([[1.0, 0.0], [3.0, 0.0]]), real=False)
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     metric.compute().value
        1.0

    """

    def __init__(
        self,
        extractor: FeatureExtractor | None = None,
        *,
        dims: int = 2048,
        extractor_signature: str | None = None,
        device: DeviceLike = None,
    ) -> None:
        super().__init__(extractor, extractor_signature)
        self._dims, self._device = dims, device
        self.reset()

    def reset(self) -> None:
        """Forget all images.

        Example:
            >>> from muge_fast.image import FID
            >>> metric = FID(dims=1)
            >>> metric.update([[0.0]], real=True)
            >>> metric.reset()
            >>> metric.real.count
            0

        """
        self.real, self.generated = (
            Statistics(self._dims, extractor_signature=self.extractor_signature, device=self._device) for _ in range(2)
        )

    def update(self, batch: Batch, *, real: bool) -> None:
        """Add a batch of real or of generated images.

        Args:
            batch: With an extractor, images: a uint8 array or tensor of shape ``(images, 3, height, width)`` or
                ``(images, height, width, 3)``, or a list of single images of NumPy, torch or Pillow; also a tuple of
                one of these with labels. Without an extractor, features: an array or tensor of floats of shape
                ``(images, dims)``.
            real: Whether the images are real.

        Raises:
            TypeError: ``batch`` is neither images nor features, or ``real`` is not a bool.
            ValueError: Images that are not uint8, or of a wrong shape; the features have a wrong shape, or a value is
                not finite. On a GPU, the latter is raised when the sums are read.

        Example:
            >>> from muge_fast.image import FID
            >>> metric = FID(dims=1)
            >>> metric.update([[0.0], [2.0]], real=False)
            >>> metric.generated.count
            2

        """
        true_or_false("real", real)
        (self.real if real else self.generated).update(self._extract(batch, FEATURES))

    def merge(self, other: FID) -> None:
        """Add the images of another metric.

        Args:
            other: A metric with the same number of features and extractor signature.

        Raises:
            ValueError: ``other`` is this object, or has a different number of features or extractor signature. This
                object is then unchanged.

        Example:
            >>> from muge_fast.image import FID
            >>> metric, other = FID(dims=1), FID(dims=1)
            >>> other.update([[0.0], [2.0]], real=True)
            >>> metric.merge(other)
            >>> metric.real.count
            2

        """
        self._check_other(other)
        self.real.check_mergeable(other.real)
        self.generated.check_mergeable(other.generated)
        self.real.merge(other.real)
        self.generated.merge(other.generated)

    def gather(self) -> FID:
        """Return the metric of the images of all ``torch.distributed`` processes, the same bits in each.

        Call it in every process. Keep updating this object, not the result: updating and gathering the result would
        count images twice.

        Returns:
            A new metric.

        Raises:
            ValueError: torch.distributed is not initialized, or the processes have different features (raised in every
                process).

        Example:
            >>> metric.gather().compute()  # doctest: +SKIP

        """
        from muge_fast.image.distributed import gather_statistics  # noqa: PLC0415 - imports torch, an optional package

        merged = FID(self.extractor, dims=self._dims, extractor_signature=self.extractor_signature, device=self._device)
        merged.real, merged.generated = gather_statistics(self.real), gather_statistics(self.generated)
        return merged

    def compute(self, *, influence: bool = False) -> Score:
        """Return the distance of the images so far.

        Args:
            influence: Whether to compute ``Score.influence``, as :func:`fid_from_features` describes: of the generated
                images and, unless these are a loaded mean and covariance, of the real ones, in the order in which they
                were added. This needs the features, which are kept up to ``dims`` images of each kind (2048 for the
                Inception network). Of more images, only sums are kept; then collect the features, and pass them to
                :func:`fid_from_features`.

        Returns:
            The score ``"fid"``; lower is better.

        Raises:
            TypeError: ``influence`` is not a bool.
            ValueError: Fewer than two real or two generated images, or ``influence`` is True and the features of one of
                them are not kept.

        Warns:
            UserWarning: There are fewer than 10,000 real or generated images.

        Example:
            >>> from muge_fast.image import FID
            >>> FID(dims=1).compute()
            Traceback (most recent call last):
            ...
            ValueError: real has 0 images, needs at least two

        """
        true_or_false("influence", influence)
        features = self._features() if influence else ()
        score = fid_from_statistics(self.real, self.generated, features)
        warn_about_few_images(self.real, self.generated)
        return score

    def _features(self) -> tuple[Float64Array, ...]:
        """Return the features of the generated images and, unless these are fixed, of the real ones."""
        sets = {"generated": self.generated}
        if not self.real.has_only_moments:
            sets["real"] = self.real
        return tuple(_kept_features(name, statistics) for name, statistics in sets.items())

    def state(self) -> dict[str, Array]:
        """Return the state as arrays, for :meth:`from_state`.

        Returns:
            The arrays of :meth:`Statistics.state` with the prefixes ``real_`` and ``generated_``, and signatures.

        Example:
            >>> from muge_fast.image import FID
            >>> FID(dims=1).state()["real_count"].tolist()
            0

        """
        sets = {"real": self.real, "generated": self.generated}
        arrays = {
            f"{name}_{key}": array for name, statistics in sets.items() for key, array in statistics.state().items()
        }
        return arrays | self._signatures()

    @classmethod
    def from_state(cls, state: Mapping[str, Array], extractor: FeatureExtractor | None = None) -> FID:
        """Return a metric from :meth:`state`, ready for more batches.

        Args:
            state: Arrays by name.
            extractor: Extractor of further batches; None if they are features.

        Returns:
            The metric, with the images of the state.

        Raises:
            ValueError: Arrays are missing or invalid, or the state was made with a different extractor.

        Example:
            >>> from muge_fast.image import FID
            >>> FID.from_state(FID(dims=3).state()).real.dims
            3

        """
        check_extractor(extractor, state)
        real, generated = (
            Statistics.from_state({key.removeprefix(name): state[key] for key in state if key.startswith(name)})
            for name in ("real_", "generated_")
        )
        if (real.dims, real.extractor_signature) != (generated.dims, generated.extractor_signature):
            raise ValueError("real and generated have different numbers of features or extractor signatures")
        metric = cls(extractor, dims=real.dims, extractor_signature=real.extractor_signature)
        metric.real, metric.generated = real, generated
        return metric


def _kept_features(name: str, statistics: Statistics) -> Float64Array:
    """Return the features of a set of images, or raise an error about the set."""
    features = statistics.features()
    if features is not None:
        return features
    if statistics.has_only_moments:
        raise ValueError(f"{name} is statistics, influence=True needs the images")
    raise ValueError(
        f"influence=True needs all features, but only sums are kept of the {statistics.count} {name} images: "
        f"features are kept up to {statistics.dims} images; for more, pass them to fid_from_features(influence=True)"
    )
