"""The Inception Score: of logits, of a source of images, or accumulated from batches."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from muge_fast._internal.checks import true_or_false, whole_number
from muge_fast._internal.npz import Array
from muge_fast.image.backend import DeviceLike, Float64Array, NumpyBackend
from muge_fast.image.extractors.interface import FeatureExtractor, ProtocolName, convention_of_extractor, signature_of
from muge_fast.image.image_set import ImageSetAccumulator, outputs_for
from muge_fast.image.influence import inception_score_influence
from muge_fast.image.inputs import checked_features
from muge_fast.image.options import SEED, UNKNOWN_EXTRACTOR, LoadOptions, NetworkOptions
from muge_fast.image.small_sets import warn_about_small_set
from muge_fast.image.sources import ImageSource, open_side
from muge_fast.image.split_sums import SplitSums, split_bounds
from muge_fast.image.streaming import Batch, StreamingMetric, check_extractor
from muge_fast.scores import Score, set_score, signature


def inception_score(
    generated: ImageSource,
    *,
    splits: int | None = None,
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
    """Compute the Inception Score (Salimans et al., 2016) of generated images.

    If the number of images is known before they are read (files, arrays), the score is that of torch-fidelity.
    The images of a generator or a ``DataLoader`` are assigned to splits round-robin instead: an equally good estimate,
    but a different number. Memory use does not grow with the number of images.

    Args:
        generated: Generated images: path of a folder, a ``.tsv`` file of the benchmark or a ``.zip`` file; uint8 arrays
            or tensors of shape ``(images, 3, height, width)`` or ``(images, height, width, 3)``; a mapping from id to
            the bytes of an image file; a torch ``Dataset``; a list of paths of image files; or an iterable of images or
            batches, such as a ``DataLoader``.
        splits: Number of splits, at least 1; None for 10, or 1 for the protocol ``"ofa"``.
        extractor: Feature extractor to use instead of the Inception network: a function that takes a list of uint8 RGB
            arrays of shape ``(height, width, 3)`` and returns an array or tensor of floats of shape
            ``(images, classes)``, or a ``torch.nn.Module`` that takes a uint8 tensor of shape
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
        influence: Whether to compute ``Score.influence``, as :func:`inception_score_from_logits` describes. The logits
            of all images are then kept in memory, in single precision.

    Returns:
        The score ``"is"``, the mean over splits, from 1 to the number of classes; higher is better. Its
        ``parts["std"]`` is the standard deviation over splits.

    Raises:
        TypeError: An option or a source has the wrong type.
        ImportError: torch or Pillow is not installed.
        OSError: A file cannot be read, or the weights are missing.
        ValueError: An unknown option, an option of the network together with ``extractor``, a broken image (named in
            the message), or fewer images than splits.

    Warns:
        UserWarning: A split has fewer than 1,000 images; the score is biased downwards, more so for smaller splits.

    Example:
        >>> import muge_fast as mf
        >>> import muge_fast.image
        >>> mf.image.inception_score("generated/").value  # doctest: +SKIP
        9.1

    """
    network, load = NetworkOptions(weights, protocol, precision, device), LoadOptions(batch_size, threads, progress)
    true_or_false("influence", influence)
    if splits is not None:
        whole_number("splits", splits)
    # Before weights are looked for, so that a wrong path is not reported as missing weights.
    images = open_side("generated", generated)
    opened = network.open(extractor, outputs_for(("is",), network.convention(extractor)))
    image_set = ImageSetAccumulator(images, opened, ("is",), splits=splits, influence=influence)
    image_set.run(load)
    score = inception_score_from_sums(image_set.split_sums, signature_of(opened), image_set.logits)
    warn_about_few_images_per_split(image_set.split_sums)
    return score


def inception_score_from_logits(
    logits: npt.ArrayLike,
    *,
    splits: int = 10,
    shuffle: bool = True,
    seed: int = SEED,
    extractor_signature: str | None = None,
    influence: bool = False,
) -> Score:
    """Compute the Inception Score (Salimans et al., 2016) of logits as torch-fidelity does, in double precision.

    Of ``n`` images, split ``k`` has those from ``k * n // splits`` up to, not including, ``(k + 1) * n // splits``.

    The influence of an image is that on the score of its split, by leaving it out (the jackknife). In Monte Carlo runs
    with 20 and 100 classes and an uncertainty of 0.04 to 0.07, the standard error over the standard deviation of the
    score of new images was 0.9 to 1.13, with splits of half as many images as classes and more, and at least ten. It is
    that of the expected score of splits of this size, which is biased.

    Args:
        logits: Class logits of shape ``(images, classes)``; of the FID network, those without the bias of its last
            layer.
        splits: Number of splits, at least 1.
        shuffle: Whether rows are first put in the order of ``RandomState(seed).permutation(images)``.
        seed: Seed of the order.
        extractor_signature: Signature of the extractor that made the logits, for the score's signature.
        influence: Whether to compute ``Score.influence``, which takes about as long as the score.

    Returns:
        The score ``"is"``, the mean over splits; higher is better. Its ``parts["std"]`` is the standard deviation over
        splits, with divisor ``splits``.

    Raises:
        TypeError: ``splits`` is not an integer.
        ValueError: ``logits`` is not a matrix, has a value that is not finite, or has fewer rows than splits.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import inception_score_from_logits
        >>> round(inception_score_from_logits(100 * np.eye(4)[[0, 1, 2, 3] * 5], splits=1).value, 6)
        4.0

    """
    true_or_false("influence", influence)
    matrix = NumpyBackend().as_float64(checked_features("logits", logits))
    splits = whole_number("splits", splits)
    if len(matrix) < splits:
        raise ValueError(f"logits have shape {matrix.shape}, need (images, classes) with at least {splits} images")
    nonfinite = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(nonfinite):
        raise ValueError(f"logits[{nonfinite[0]}] is not finite")
    order = np.random.RandomState(seed).permutation(len(matrix)) if shuffle else np.arange(len(matrix))
    changes = _influence(matrix, order, splits) if influence else None
    if shuffle:
        matrix = matrix[order]
    scores = [_score_of_split(matrix[start:end]) for start, end in pairwise(split_bounds(len(matrix), splits))]
    score_signature = signature(
        "is", extractor_signature or UNKNOWN_EXTRACTOR, splits=splits, shuffle=seed if shuffle else "none"
    )
    return set_score(
        "is", score_signature, float(np.mean(scores)), parts={"std": float(np.std(scores))}, influence=changes
    )


def _influence(logits: Float64Array, order: npt.NDArray[np.int64], splits: int) -> tuple[Float64Array]:
    split_of_image = np.empty(len(logits), dtype=np.int64)
    split_of_image[order] = np.repeat(np.arange(splits), np.diff(split_bounds(len(logits), splits)))
    return (inception_score_influence(logits, split_of_image, splits),)


def inception_score_from_sums(
    sums: SplitSums, extractor_signature: str, logits: npt.NDArray[np.floating] | None = None
) -> Score:
    """Compute the Inception Score from accumulated sums.

    Args:
        sums: Sums of all images.
        extractor_signature: Signature of the extractor that made the logits; may be empty.
        logits: Logits of all images, in the order in which they were added, to compute the influence of each; or None.

    Returns:
        The score ``"is"``.

    Raises:
        ValueError: A split has no images, or images are missing.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image._inception_score import inception_score_from_sums
        >>> from muge_fast.image.split_sums import SplitSums
        >>> sums = SplitSums(1)
        >>> sums.extend(100 * np.eye(4))
        >>> inception_score_from_sums(sums, "")
        Score(is=4.0000, signature='is|splits:1|round_robin:2020|extractor:unknown|version:0.2.0')

    """
    mean, std = sums.mean_and_std()
    splits, images, seed = sums.config
    # A single split that is not shuffled is the same whether or not the number of images was known.
    is_round_robin = images is None and (splits > 1 or seed is not None)
    order = {"round_robin" if is_round_robin else "shuffle": "none" if seed is None else seed}
    score_signature = signature("is", extractor_signature or UNKNOWN_EXTRACTOR, splits=splits, **order)
    influence = None if logits is None else (inception_score_influence(logits, sums.split_of_images(), splits),)
    return set_score("is", score_signature, mean, parts={"std": std}, influence=influence)


def warn_about_few_images_per_split(sums: SplitSums) -> None:
    """Warn the caller of this package if splits are too small for an unbiased Inception Score.

    Args:
        sums: Sums of all images.

    Example:
        >>> from muge_fast.image._inception_score import warn_about_few_images_per_split
        >>> from muge_fast.image.split_sums import SplitSums
        >>> sums = SplitSums(1)
        >>> sums.extend([[0.0, 1.0]] * 1000)
        >>> warn_about_few_images_per_split(sums)

    """
    warn_about_small_set("is", int(sums.counts.sum()), splits=sums.config.splits)


class InceptionScore(StreamingMetric):
    """Inception Score of a stream of images. Memory use does not grow with their number.

    Args:
        extractor: Extractor of logits: an :class:`muge_fast.image.extractors.InceptionExtractor` with the output
            ``"logits_unbiased"`` (``"logits"`` for the protocol ``"ofa"``); a function that takes a list of uint8 RGB
            arrays of shape ``(height, width, 3)`` and returns an array or tensor of floats of shape
            ``(images, classes)``; or a ``torch.nn.Module`` that takes a uint8 tensor of shape
            ``(images, 3, height, width)`` and returns such a tensor. None if batches are logits already.
        splits: Number of splits, at least 1; None for the extractor's convention: 10, or 1 for the protocol ``"ofa"``.
        images: Total number of images, over all metrics that will be merged; the score is then that of
            :func:`inception_score_from_logits` and torch-fidelity. None if unknown; images are then assigned to splits
            round-robin.
        shuffle: Whether images are assigned to splits in a random order; None for the extractor's convention: True, or
            False for the protocol ``"ofa"``.
        seed: Seed of the order, from 0 to 2**32 - 1.
        extractor_signature: Signature of the extractor, for the score's signature; None for that of ``extractor``.
        device: torch device that keeps the sums, or its name; None to follow the first batch.

    Attributes:
        sums: Sums per split of the images so far, ``muge_fast.image.split_sums.SplitSums``.

    Raises:
        TypeError: A number is not an integer.
        ValueError: ``splits`` is below 1, there are fewer images than splits, or the seed is out of range.
        RuntimeError: torch has no such device.

    Example:
        >>> import numpy as np
        >>> from muge_fast.image import InceptionScore
        >>> metric = InceptionScore(splits=1)
        >>> for _ in range(250):
        ...     metric.update(100 * np.eye(4))
        >>> round(metric.compute().value, 6)
        4.0

    """

    def __init__(
        self,
        extractor: FeatureExtractor | None = None,
        *,
        splits: int | None = None,
        images: int | None = None,
        shuffle: bool | None = None,
        seed: int = SEED,
        extractor_signature: str | None = None,
        device: DeviceLike = None,
    ) -> None:
        super().__init__(extractor, extractor_signature)
        convention = convention_of_extractor(extractor)
        self._logits = convention.logits
        self._device = device
        is_shuffled = convention.shuffle if shuffle is None else shuffle
        self.sums = SplitSums(
            convention.splits if splits is None else splits,
            images=images,
            seed=seed if is_shuffled else None,
            device=device,
        )

    def reset(self) -> None:
        """Forget all images.

        Example:
            >>> from muge_fast.image import InceptionScore
            >>> metric = InceptionScore(splits=1)
            >>> metric.update([[1.0, 2.0]])
            >>> metric.reset()
            >>> metric.sums.counts.tolist()
            [0]

        """
        splits, images, seed = self.sums.config
        self.sums = SplitSums(splits, images=images, seed=seed, device=self._device)

    def update(self, batch: Batch, *, indices: npt.ArrayLike | None = None) -> None:
        """Add a batch of generated images.

        Args:
            batch: With an extractor, images: a uint8 array or tensor of shape ``(images, 3, height, width)`` or
                ``(images, height, width, 3)``, or a list of single images of NumPy, torch or Pillow; also a tuple of
                one of these with labels. Without an extractor, logits: an array or tensor of floats of shape
                ``(images, classes)``.
            indices: Index of each image among all images, from 0, which decides its split. Metrics
                that are merged then give the score of all images. None to continue from the number of images so far.

        Raises:
            TypeError: ``batch`` is neither images nor logits.
            ValueError: Images that are not uint8, or of a wrong shape; the logits have a wrong shape, a value is not
                finite, or an index is beyond the number of images. On a GPU, a value that is not finite raises when the
                sums are read.

        Example:
            >>> from muge_fast.image import InceptionScore
            >>> metric = InceptionScore(splits=2, images=4, shuffle=False)
            >>> metric.update([[0.0, 9.0]], indices=[3])
            >>> metric.sums.counts.tolist()
            [0, 1]

        """
        logits = self._extract(batch, self._logits)
        if indices is None:
            self.sums.extend(logits)
        else:
            self.sums.update(logits, np.asarray(indices))

    def merge(self, other: InceptionScore) -> None:
        """Add the images of another metric.

        Args:
            other: A metric with the same options and extractor signature.

        Raises:
            ValueError: ``other`` is this object, or has different splits, images, seed, classes or extractor signature.
                This object is then unchanged.

        Example:
            >>> from muge_fast.image import InceptionScore
            >>> metric, other = InceptionScore(splits=1), InceptionScore(splits=1)
            >>> other.update([[0.0, 9.0]])
            >>> metric.merge(other)
            >>> metric.sums.counts.tolist()
            [1]

        """
        self._check_other(other)
        self.sums.merge(other.sums)

    def gather(self) -> InceptionScore:
        """Return the metric of the images of all ``torch.distributed`` processes, the same bits in each.

        Call it in every process. Pass ``indices`` to :meth:`update`; otherwise each process counts its images from 0.
        Keep updating this object, not the result: updating and gathering the result would count images twice.

        Returns:
            A new metric.

        Raises:
            ValueError: torch.distributed is not initialized, or the processes have different options or classes (raised
                in every process).

        Example:
            >>> metric.gather().compute()  # doctest: +SKIP

        """
        from muge_fast.image.distributed import gather_splits  # noqa: PLC0415 - imports torch, an optional package

        merged = InceptionScore(self.extractor, extractor_signature=self.extractor_signature, device=self._device)
        merged.sums = gather_splits(self.sums, self.extractor_signature)
        return merged

    def compute(self) -> Score:
        """Return the score of the images so far.

        Returns:
            The score ``"is"``, the mean over splits; higher is better. Its ``parts["std"]`` is the standard deviation
            over splits.

        Raises:
            ValueError: A split has no images, or there are fewer images than ``images``.

        Warns:
            UserWarning: A split has fewer than 1,000 images.

        Example:
            >>> from muge_fast.image import InceptionScore
            >>> InceptionScore(splits=2).compute()
            Traceback (most recent call last):
            ...
            ValueError: has 0 images, needs at least one in each of 2 splits

        """
        score = inception_score_from_sums(self.sums, self.extractor_signature)
        warn_about_few_images_per_split(self.sums)
        return score

    def state(self) -> dict[str, Array]:
        """Return the state as arrays, for :meth:`from_state`.

        Returns:
            ``"counts"``, ``"sum_p_log_p"`` and ``"sum_p"`` of the splits, ``"images"`` and ``"seed"`` (-1 for None),
            and signatures.

        Example:
            >>> from muge_fast.image import InceptionScore
            >>> InceptionScore(splits=3).state()["counts"].tolist()
            [0, 0, 0]

        """
        return {**self.sums.state(), **self._signatures()}

    @classmethod
    def from_state(cls, state: Mapping[str, Array], extractor: FeatureExtractor | None = None) -> InceptionScore:
        """Return a metric from :meth:`state`, ready for more batches.

        Args:
            state: Arrays by name.
            extractor: Extractor of further batches; None if they are logits.

        Returns:
            The metric, with the sums of the state.

        Raises:
            ValueError: Arrays are missing or invalid, or the state was made with a different extractor.

        Example:
            >>> from muge_fast.image import InceptionScore
            >>> InceptionScore.from_state(InceptionScore(splits=3).state()).sums.config.splits
            3

        """
        check_extractor(extractor, state)
        sums = SplitSums.from_state(state)
        metric = cls(extractor, extractor_signature=str(state.get("extractor_signature", "")))
        metric.sums = sums
        return metric


def _score_of_split(logits: Float64Array) -> float:
    """Return the exponential of the mean KL divergence between each image's probabilities and their mean."""
    log_p, p = NumpyBackend().log_softmax(logits)
    mean_p = p.mean(axis=0, keepdims=True)
    # A mean of zero is multiplied by its logarithm, which only has to be finite.
    divergence = p * (log_p - np.log(np.maximum(mean_p, np.finfo(np.float64).tiny)))
    return float(np.exp(divergence.sum(axis=1).mean()))
