"""The Kernel Inception Distance: of features, of two sources of images, or accumulated from batches."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import true_or_false, whole_number
from muge_fast._internal.npz import Array
from muge_fast.image.backend import Float64Array, to_numpy
from muge_fast.image.extractors.interface import FeatureExtractor, ProtocolName, signature_of
from muge_fast.image.image_set import FEATURES, ImageSetAccumulator, outputs_for
from muge_fast.image.mmd import Kernel, draw_subsets, mmd_of_all, mmd_of_subsets
from muge_fast.image.options import SEED, UNKNOWN_EXTRACTOR, LoadOptions, NetworkOptions
from muge_fast.image.sources import ImageSource, open_side
from muge_fast.image.statistics import feature_pair
from muge_fast.image.streaming import Batch, StreamingMetric, check_extractor
from muge_fast.scores import Score, set_score, signature

# Ten thousand times the default; bounded because a loaded state may declare any number.
MAX_SUBSETS = 1_000_000


def kid(
    real: ImageSource,
    generated: ImageSource,
    *,
    subsets: int | None = 100,
    subset_size: int = 1000,
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
    """Compute the Kernel Inception Distance (Bińkowski et al., 2018) of real and generated images, in this order.

    The features of all images are kept in memory, in single precision.

    Args:
        real: Real images: path of a folder, a ``.tsv`` file of the benchmark or a ``.zip`` file; uint8 arrays or
            tensors of shape ``(images, 3, height, width)`` or ``(images, height, width, 3)``; a mapping from id to the
            bytes of an image file; a torch ``Dataset``; a list of paths of image files; or an iterable of images or
            batches, such as a ``DataLoader``.
        generated: Generated images, in the same forms.
        subsets: Number of random subsets; None to compare all images at once.
        subset_size: Images per subset, at least 2 and at most as many as each set has; unused if ``subsets`` is None.
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
        influence: Whether to compute ``Score.influence``, as :func:`kid_from_features` describes.

    Returns:
        The score ``"kid"``, the mean over subsets of the unbiased estimate of MMD², which may be slightly negative;
        lower is better. Its ``parts["std"]`` is the standard deviation over subsets.

    Raises:
        TypeError: An option or a source has the wrong type.
        ImportError: torch or Pillow is not installed.
        OSError: A file cannot be read, or the weights are missing.
        ValueError: An unknown option, an option of the network together with ``extractor``, a broken image (named in
            the message), or fewer images than a subset has.

    Example:
        >>> import muge_fast as mf
        >>> import muge_fast.image
        >>> mf.image.kid("real/", "generated/").value  # doctest: +SKIP
        0.004

    """
    network, load = NetworkOptions(weights, protocol, precision, device), LoadOptions(batch_size, threads, progress)
    check_subsets(subsets, subset_size)
    true_or_false("influence", influence)
    # Before weights are looked for, so that a wrong path is not reported as missing weights.
    sources = [open_side(name, source) for name, source in (("real", real), ("generated", generated))]
    opened = network.open(extractor, outputs_for(("kid",)))
    sets = [ImageSetAccumulator(source, opened, ("kid",)) for source in sources]
    check_subsets(subsets, subset_size, *(image_set.count for image_set in sets))
    for image_set in sets:
        image_set.run(load)
    return kid_from_features(
        *(image_set.features for image_set in sets),
        subsets=subsets,
        subset_size=subset_size,
        extractor_signature=signature_of(opened),
        influence=influence,
    )


def kid_from_features(
    real: npt.ArrayLike,
    generated: npt.ArrayLike,
    *,
    subsets: int | None = 100,
    subset_size: int = 1000,
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    seed: int = SEED,
    extractor_signature: str | None = None,
    influence: bool = False,
) -> Score:
    """Compute the Kernel Inception Distance (Bińkowski et al., 2018) of features, with the subsets of torch-fidelity.

    For each subset, ``RandomState(seed).choice`` draws ``subset_size`` real rows without replacement, then the same
    number of generated rows; its value is the unbiased estimate of MMD² with the kernel
    ``(gamma * x·y + coef0) ** degree``. Everything is in double precision.

    The influence of an image is twice its mean kernel with the others of its set, minus twice that with the other set,
    and minus the mean over the set. With subsets it is the sum over the subsets that have the image, so the standard
    error is that of this very mean over subsets, which varies more than the estimate of all images. If both
    distributions are equal, the first-order term of the estimate is zero: its standard error is then too large by the
    square root of two, and its distribution is not normal. In Monte Carlo runs of 150 images with an uncertainty of
    0.04, the standard error over the standard deviation of KID of new images was 1.4 for equal distributions, 1.3 where
    KID was a third of its standard deviation, and 1.0 to 1.1 where it was twice as large.

    Args:
        real: Features of real images, of shape ``(images, features)``.
        generated: Features of generated images, with the same number of columns.
        subsets: Number of random subsets, from 1 to 1,000,000; None to compare all images at once, without a seed.
        subset_size: Images per subset, at least 2 and at most as many as each set has; unused if ``subsets`` is None.
        degree: Degree of the kernel, at least 1.
        gamma: Factor of the inner product; None for 1 over the number of features.
        coef0: Constant that is added to the product.
        seed: Seed of the subsets, from 0 to 2**32 - 1.
        extractor_signature: Signature of the extractor that made the features, for the score's signature.
        influence: Whether to compute ``Score.influence``: of the generated images, then of the real ones.

    Returns:
        The score ``"kid"``, the mean over subsets, which may be slightly negative; lower is better. Its
        ``parts["std"]`` is the standard deviation over subsets, with divisor ``subsets``; there is none for all images.

    Raises:
        TypeError: A number has the wrong type.
        ValueError: Shapes do not match, a value is not finite or too large, a set has fewer images than a subset (or
            fewer than two), or a number is out of range.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import kid_from_features
        >>> features = np.random.default_rng(0).normal(size=(300, 8))
        >>> abs(kid_from_features(features[:150], features[150:], subsets=5, subset_size=100).value) < 0.1
        True
        >>> kid_from_features([[0.0], [0.0]], [[1.0], [1.0]], subsets=None, degree=1).value
        1.0

    """
    true_or_false("influence", influence)
    left, right = feature_pair(real, generated)
    subsets, subset_size = check_subsets(subsets, subset_size, len(left), len(right))
    kernel = Kernel(degree, 1 / left.shape[1] if gamma is None else gamma, coef0)
    kernel.check_size(left, right)
    # The signature leaves out options with their default values.
    options = {
        "degree": None if degree == 3 else degree,  # noqa: PLR2004
        "gamma": gamma,
        "coef0": None if coef0 == 1 else coef0,
    }
    extractor = extractor_signature or UNKNOWN_EXTRACTOR
    if subsets is None:
        score_signature = signature("kid", extractor, subsets="all", **options)
        value, changes = mmd_of_all(kernel, left, right, influence=influence)
        return _score(score_signature, value, {}, changes)
    rows = draw_subsets(len(left), len(right), subsets, subset_size, seed)
    values, changes = mmd_of_subsets(kernel, left, right, rows, influence=influence)
    score_signature = signature("kid", extractor, subsets=subsets, subset_size=subset_size, seed=seed, **options)
    return _score(score_signature, float(np.mean(values)), {"std": float(np.std(values))}, changes)


def _score(
    score_signature: str,
    value: float,
    parts: dict[str, float],
    changes: tuple[Float64Array, Float64Array] | None,
) -> Score:
    """Return the score of KID, with the influence of the generated images first."""
    influence = None if changes is None else (changes[1], changes[0])
    return set_score("kid", score_signature, value, parts=parts, higher_is_better=False, influence=influence)


def check_subsets(subsets: int | None, subset_size: int, *counts: int | None) -> tuple[int | None, int]:
    """Return the options of subsets as Python integers, after checking them.

    Args:
        subsets: Number of subsets; None for all images at once.
        subset_size: Images per subset.
        counts: Number of images of each set; None if unknown.

    Returns:
        ``subsets`` and ``subset_size``.

    Raises:
        TypeError: A number is not an integer.
        ValueError: A number is out of range, or a set has fewer images than a subset, or fewer than two.

    Example:
        >>> from muge_fast.image._kid import check_subsets
        >>> check_subsets(100, 1000, 500, None)
        Traceback (most recent call last):
        ...
        ValueError: subset_size is 1000, a set has 500 images

    """
    size = whole_number("subset_size", subset_size, least=2)
    if subsets is None:
        if any(count is not None and count < 2 for count in counts):  # noqa: PLR2004
            raise ValueError(f"the sets have {' and '.join(map(str, counts))} images, need at least two each")
        return None, size
    subsets = whole_number("subsets", subsets)
    if subsets > MAX_SUBSETS:
        raise ValueError(f"subsets must be at most {MAX_SUBSETS}, got {subsets}")
    for count in counts:
        if count is not None and count < size:
            raise ValueError(f"subset_size is {size}, a set has {count} images")
    return subsets, size


class KID(StreamingMetric):
    """Kernel Inception Distance of two streams of images. It keeps their features, in single precision.

    Args:
        extractor: Feature extractor: an :class:`muge_fast.image.extractors.InceptionExtractor`; a function that takes
            a list of uint8 RGB arrays of shape ``(height, width, 3)`` and returns an array or tensor of floats of shape
            ``(images, features)``; or a ``torch.nn.Module`` that takes a uint8 tensor of shape
            ``(images, 3, height, width)`` and returns such a tensor. None if batches are features already.
        subsets: Number of random subsets, from 1 to 1,000,000; None to compare all images at once.
        subset_size: Images per subset, at least 2; unused if ``subsets`` is None.
        extractor_signature: Signature of the extractor, for the score's signature; None for that of ``extractor``.

    Raises:
        TypeError: A number is not an integer.
        ValueError: A number is out of range.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import KID
        >>> metric = KID(subsets=2, subset_size=2)
        >>> metric.update(np.zeros((3, 4)), real=True)
        >>> metric.update(np.zeros((3, 4)), real=False)
        >>> metric.compute().value
        0.0

    """

    def __init__(
        self,
        extractor: FeatureExtractor | None = None,
        *,
        subsets: int | None = 100,
        subset_size: int = 1000,
        extractor_signature: str | None = None,
    ) -> None:
        super().__init__(extractor, extractor_signature)
        self.subsets, self.subset_size = check_subsets(subsets, subset_size)
        self.reset()

    def reset(self) -> None:
        """Forget all images.

        Example:
            >>> from muge_fast.image import KID
            >>> metric = KID()
            >>> metric.update([[0.0]], real=True)
            >>> metric.reset()
            >>> metric.state()["real"].shape
            (0, 1)

        """
        self._real: list[npt.NDArray[np.float32]] = []
        self._generated: list[npt.NDArray[np.float32]] = []

    def update(self, batch: Batch, *, real: bool) -> None:
        """Add a batch of real or of generated images.

        Args:
            batch: With an extractor, images: a uint8 array or tensor of shape ``(images, 3, height, width)`` or
                ``(images, height, width, 3)``, or a list of single images of NumPy, torch or Pillow; also a tuple of
                one of these with labels. Without an extractor, features: an array or tensor of floats of shape
                ``(images, features)``.
            real: Whether the images are real.

        Raises:
            TypeError: ``batch`` is neither images nor features, or ``real`` is not a bool.
            ValueError: Images that are not uint8, or of a wrong shape; the features have a wrong shape, or a value is
                not finite; the message names the row.

        Example:
            >>> from muge_fast.image import KID
            >>> metric = KID()
            >>> metric.update([[0.0, 1.0]], real=False)
            >>> metric.state()["generated"].shape
            (1, 2)

        """
        true_or_false("real", real)
        self._add(np.array(to_numpy(self._extract(batch, FEATURES)), dtype=np.float32), real=real)

    def merge(self, other: KID) -> None:
        """Add the images of another metric, after those of this one.

        Args:
            other: A metric with the same number of features and extractor signature.

        Raises:
            ValueError: ``other`` is this object, or has a different number of features or extractor signature. This
                object is then unchanged.

        Example:
            >>> from muge_fast.image import KID
            >>> metric, other = KID(), KID()
            >>> other.update([[0.0, 1.0]], real=True)
            >>> metric.merge(other)
            >>> metric.state()["real"].shape
            (1, 2)

        """
        self._check_other(other)
        batches = (*self._real, *self._generated, *other._real, *other._generated)
        dims = {batch.shape[1] for batch in batches}
        if len(dims) > 1:
            raise ValueError(f"other: the metrics have {sorted(dims)} features, need the same number")
        self._real.extend(other._real)
        self._generated.extend(other._generated)

    def gather(self) -> KID:
        """Return the metric of the images of all ``torch.distributed`` processes, the same bits in each.

        Call it in every process. Images are in the order of ranks. Keep updating this object, not the result:
        updating and gathering the result would count images twice.

        Returns:
            A new metric.

        Raises:
            ValueError: torch.distributed is not initialized, or the processes have different options or features
                (raised in every process).

        Example:
            >>> metric.gather().compute()  # doctest: +SKIP

        """
        from muge_fast.image.distributed import gather_rows  # noqa: PLC0415 - imports torch, an optional package

        merged = KID(
            self.extractor,
            subsets=self.subsets,
            subset_size=self.subset_size,
            extractor_signature=self.extractor_signature,
        )
        settings = f"{self.subsets} subsets of {self.subset_size} of {self.extractor_signature!r}"
        real, generated = self._features()
        merged._real = [gather_rows(real, settings)]
        merged._generated = [gather_rows(generated, settings)]
        return merged

    def compute(self, *, influence: bool = False) -> Score:
        """Return the distance of the images so far.

        Args:
            influence: Whether to compute ``Score.influence``.

        Returns:
            The score ``"kid"``, the mean over subsets; lower is better. Its ``parts["std"]`` is the standard deviation
            over subsets.

        Raises:
            ValueError: There are fewer images than a subset has.

        Example:
            >>> from muge_fast.image import KID
            >>> metric = KID(subsets=None)
            >>> metric.update([[0.0], [0.0]], real=True)
            >>> metric.update([[0.0], [0.0]], real=False)
            >>> metric.compute().value
            0.0

        """
        return kid_from_features(
            *self._features(),
            subsets=self.subsets,
            subset_size=self.subset_size,
            extractor_signature=self.extractor_signature,
            influence=influence,
        )

    def state(self) -> dict[str, Array]:
        """Return the state as arrays, for :meth:`from_state`.

        Returns:
            The features ``"real"`` and ``"generated"``, ``"subsets"`` (-1 for None), ``"subset_size"``, and signatures.

        Example:
            >>> from muge_fast.image import KID
            >>> KID().state()["subset_size"].tolist()
            1000

        """
        real, generated = self._features()
        subsets = np.array(-1 if self.subsets is None else self.subsets)
        options = {"subsets": subsets, "subset_size": np.array(self.subset_size)}
        return {"real": real, "generated": generated, **options, **self._signatures()}

    @classmethod
    def from_state(cls, state: Mapping[str, Array], extractor: FeatureExtractor | None = None) -> KID:
        """Return a metric from :meth:`state`, ready for more batches.

        Args:
            state: Arrays by name.
            extractor: Extractor of further batches; None if they are features.

        Returns:
            The metric, with the features of the state.

        Raises:
            ValueError: Arrays are missing or invalid, or the state was made with a different extractor.

        Example:
            >>> from muge_fast.image import KID
            >>> KID.from_state(KID(subsets=5).state()).subsets
            5

        """
        check_extractor(extractor, state)
        missing = sorted({"real", "generated", "subsets", "subset_size"} - set(state))
        if missing:
            raise ValueError(f"has arrays {sorted(state)}, needs {', '.join(missing)}")
        metric = cls(
            extractor,
            subsets=None if int(state["subsets"]) == -1 else int(state["subsets"]),
            subset_size=int(state["subset_size"]),
            extractor_signature=str(state.get("extractor_signature", "")),
        )
        for name in ("real", "generated"):
            if len(np.atleast_2d(state[name])):
                metric._add(np.array(state[name], dtype=np.float32), real=name == "real")
        return metric

    def _add(self, features: npt.NDArray[np.float32], *, real: bool) -> None:
        first = (self._real or self._generated or [features])[0]
        if features.ndim != 2 or features.shape[1:] != first.shape[1:]:  # noqa: PLR2004
            dims = "features" if first is features else first.shape[1]
            raise ValueError(f"features have shape {features.shape}, need (images, {dims})")
        nonfinite = np.flatnonzero(~np.isfinite(features).all(axis=1))
        if len(nonfinite):
            raise ValueError(f"features[{nonfinite[0]}] is not finite")
        (self._real if real else self._generated).append(features)

    def _features(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        real, generated = (
            np.concatenate(batches) if batches else np.empty((0, 1), np.float32)
            for batches in (self._real, self._generated)
        )
        return real, generated
