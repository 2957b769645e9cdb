"""Several metrics of generated images in one pass through the feature extractor."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar, cast

import numpy.typing as npt

from muge_fast._internal.checks import align_ids
from muge_fast.datasets.image_tsv import ImageTsv
from muge_fast.image._fid import features_of, fid_from_statistics, warn_about_few_images
from muge_fast.image._inception_score import inception_score_from_sums, warn_about_few_images_per_split
from muge_fast.image._kid import check_subsets, kid_from_features
from muge_fast.image._r_precision import NEGATIVES, check_negatives, r_precision
from muge_fast.image.extractors.interface import FeatureExtractor, ProtocolName, signature_of
from muge_fast.image.image_set import ImageMetric, ImageSetAccumulator, ImagesOrStatistics
from muge_fast.image.inputs import is_path
from muge_fast.image.scoring_options import ScoringOptions
from muge_fast.image.sources import ImageSource, OpenedSource, check_paths, open_side
from muge_fast.image.statistics import Statistics
from muge_fast.image.text_features import ImageTextModel, ids_in_order, paired_features
from muge_fast.scores import Score, Scores

S = TypeVar("S")


def score_images(
    *,
    real: ImagesOrStatistics | None,
    generated: ImageSource,
    metrics: Sequence[ImageMetric] = ("fid", "is"),
    extractor: FeatureExtractor | None = None,
    weights: str | os.PathLike[str] | None = None,
    protocol: ProtocolName = "tf1",
    precision: str = "fp32",
    device: str | None = None,
    batch_size: int = 32,
    threads: int | None = None,
    progress: bool | None = None,
    splits: int | None = None,
    subsets: int | None = 100,
    subset_size: int = 1000,
    texts: str | os.PathLike[str] | Mapping[str, str] | None = None,
    clip: str | os.PathLike[str] | ImageTextModel | None = None,
    image_features: str | os.PathLike[str] | npt.ArrayLike | None = None,
    text_features: str | os.PathLike[str] | npt.ArrayLike | None = None,
    negatives: int = NEGATIVES,
    influence: bool = False,
) -> Scores:
    """Score generated images against real ones, with one pass of the network over each image for all metrics.

    The Inception Score and R-precision score the generated images alone. Options are checked before an image is read.
    The protocol ``"ofa"`` computes features and logits from different pixels, so its network runs twice over each
    generated image.

    Args:
        real: Real images: path of a folder, a ``.tsv`` file of the benchmark or a ``.zip`` file; uint8 arrays or
            tensors of shape ``(images, 3, height, width)`` or ``(images, height, width, 3)``; a mapping from id to the
            bytes of an image file; a torch ``Dataset``; a list of paths of image files; or an iterable of images or
            batches, such as a ``DataLoader``. Or their :class:`Statistics`, or the path of an ``.npz`` file with saved
            ones. Statistics suffice for FID alone. None if the Inception Score is the only metric.
        generated: Generated images, in the same forms except statistics.
        metrics: One or more of ``"fid"``, ``"is"`` and ``"kid"``, without repetitions, the main one first. KID keeps
            the features of all images.
        extractor: Feature extractor to use instead of the Inception network: a function that takes a list of uint8 RGB
            arrays of shape ``(height, width, 3)`` and returns an array or tensor of floats of shape ``(images,
            features)``, or a ``torch.nn.Module`` that takes a uint8 tensor of shape ``(images, 3, height, width)`` and
            returns such a tensor. For the Inception Score together with another metric, it returns a dictionary with
            the keys ``"2048"`` (features) and ``"logits_unbiased"``.
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
        splits: Number of splits of the Inception Score, at least 1; None for 10, or 1 for the protocol ``"ofa"``.
        subsets: Number of random subsets of KID; None to compare all images at once.
        subset_size: Images per subset of KID, at least 2 and at most as many as each set has.
        texts: Texts of the generated images, for R-precision: path of a text file of the benchmark, or texts by id, a
            mapping, a pandas Series with the ids as its index, or a table with the columns ``img_id`` and ``text``. The
            generated images must have ids: a ``.tsv`` file of the benchmark, or bytes by id.
        clip: Model that computes features of images and texts: a
            :class:`muge_fast.image.extractors.ClipExtractor`, or the path or name of a model to open.
        image_features: Features of the generated images, instead of ``texts`` and ``clip``: a matrix or an ``.npy``
            file with a row for each image, in the order of the real images if those have the same ids, or else in
            their own; or another file of :func:`muge_fast.read_features`, matched by id.
        text_features: Features of the texts of the generated images, in the same forms.
        negatives: Number of other texts that R-precision compares each image with.
        influence: Whether to compute ``Score.influence`` of FID, KID and the Inception Score, as their functions of
            features describe. The features and logits of all images are then kept in memory, in single precision.

    Returns:
        The scores ``"fid"`` and ``"kid"`` (lower is better) and ``"is"``, in the order of ``metrics``, and
        ``"r_precision"`` if there are texts or features of them. ``parts["std"]`` of ``"is"`` and ``"kid"`` is the
        standard deviation over splits or subsets.

    Raises:
        TypeError: An option or a source has the wrong type, or ``real`` is None and a metric needs it.
        ImportError: torch or Pillow is not installed.
        OSError: A file cannot be read, or the weights are missing.
        ValueError: An unknown option, an option of the network together with ``extractor``, a broken image (named in
            the message), missing or unknown ids, or too few images or texts for a metric.

    Warns:
        UserWarning: There are fewer than 10,000 images for FID, or 1,000 in a split for the Inception Score.

    Example:
        >>> import muge_fast as mf
        >>> import muge_fast.image
        >>> scores = mf.image.score_images(real="T2I_val.img.tsv", generated="generated/")  # doctest: +SKIP
        >>> scores["fid"].value, scores["is"].value  # doctest: +SKIP
        (17.3, 9.1)

    """
    options = ScoringOptions(
        metrics=metrics,
        extractor=extractor,
        weights=weights,
        protocol=protocol,
        precision=precision,
        device=device,
        batch_size=batch_size,
        threads=threads,
        progress=progress,
        splits=splits,
        subsets=subsets,
        subset_size=subset_size,
        texts=texts,
        clip=clip,
        image_features=image_features,
        text_features=text_features,
        negatives=negatives,
        influence=influence,
    )
    return ImageScorer(real, options).score(generated)


class ImageScorer:
    """Real images, to score several sets of generated ones: the real ones go through the network once.

    The first call of :meth:`score` opens the network and reads the real images. If it raises, the next call does so
    again, so the real images should not be a stream.

    Args:
        real: Real images, as those of :func:`score_images`.
        options: The options; None for the defaults.

    Example:
        >>> import warnings
        >>> import numpy as np
        >>> from muge_fast.image._score_images import ImageScorer
        >>> from muge_fast.image.scoring_options import ScoringOptions
        >>> def brightness(images):
        ...     return np.array([[image.mean()] for image in images])
        >>> real = np.arange(3 * 8 * 8 * 3, dtype="uint8").reshape(3, 8, 8, 3)
        >>> scorer = ImageScorer(real, ScoringOptions(metrics=["fid"], extractor=brightness))
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")  # about few images
        ...     scorer.score(real)["fid"].value
        0.0

    """

    def __init__(self, real: ImagesOrStatistics | None, options: ScoringOptions | None = None) -> None:
        self._options = options = options or ScoringOptions()
        # Before weights are looked for, so that a wrong path is not reported as missing weights.
        check_paths(texts=options.texts, image_features=options.image_features, text_features=options.text_features)
        self._real = None if real is None else _with_ids("real", real)
        self._extractor: FeatureExtractor | None = None
        self._read: ImageSetAccumulator | None = None

    def score(self, generated: ImageSource) -> Scores:
        """Score generated images.

        Args:
            generated: The images, as those of :func:`score_images`.

        Returns:
            The scores of :func:`score_images`.

        Raises:
            OSError: A file cannot be read, or the weights are missing.
            ValueError: A broken image, ids that differ, or too few images.

        """
        generated, real, options = _with_ids("generated", generated), self._real, self._options
        if self._extractor is None:
            self._extractor = options.network.open(options.extractor, options.outputs)
        image_sets = _ImageSets(real if self._read is None else self._read, generated, self._extractor, options)
        if "kid" in options.metrics:
            check_subsets(options.subsets, options.subset_size, *image_sets.counts)
        ids = ids_in_order(generated, real)
        # Before the network runs, which takes longer, because files of features may be invalid.
        hits = None
        if options.text:
            check_negatives(options.negatives, None if ids is None else len(ids))
            features = paired_features(generated, ids, options.text, load=options.load, device=options.device)
            hits = r_precision(
                features.images, features.texts, negatives=options.negatives, extractor_signature=features.signature
            )
        scores = image_sets.run()
        self._read = image_sets.real
        image_sets.warn_about_few_images()
        if options.influence and ids is not None:
            # Images were read in the order of the submission, which differs between systems.
            given = list(cast("Mapping[str, object]", generated))
            rows = align_ids(given, ids, given_name="generated", wanted_name="real")
            scores = {name: _in_order(score, rows) for name, score in scores.items()}
        if hits is None:
            return Scores(scores, len(ids), [*ids]) if options.influence and ids is not None else Scores(scores)
        return Scores({**scores, "r_precision": hits}, len(hits.per_item), None if ids is None else [*ids])


def _in_order(score: Score, rows: Sequence[int]) -> Score:
    """Return a score with the influence of the generated images in another order."""
    generated, *others = score.influence
    return score.with_influence((generated[rows], *others))


class _ImageSets:
    """Real and generated images, opened but not read; real ones that were read are not read again."""

    def __init__(
        self,
        real: ImagesOrStatistics | ImageSetAccumulator | None,
        generated: ImageSource,
        extractor: FeatureExtractor,
        options: ScoringOptions,
    ) -> None:
        self.options, self.signature = options, signature_of(extractor)
        # The Inception Score needs no real images.
        compared = [name for name in options.metrics if name != "is"]
        self.real: ImageSetAccumulator | None = None
        if compared:
            if real is None:
                raise TypeError(f"real must be images or statistics for {', '.join(compared)}, got None")
            if isinstance(real, ImageSetAccumulator):
                self.real = real
            else:
                self.real = ImageSetAccumulator(real, extractor, compared, influence=options.influence)
        self.generated = ImageSetAccumulator(
            generated, extractor, options.metrics, splits=options.splits, influence=options.influence
        )

    @property
    def counts(self) -> tuple[int | None, int | None]:
        """Number of real and of generated images; None where it is unknown."""
        return None if self.real is None else self.real.count, self.generated.count

    def run(self) -> dict[str, Score]:
        """Read all images and compute the metrics, in their order."""
        if self.real is not None:
            self.real.run(self.options.load)
        self.generated.run(self.options.load)
        return {name: self._score(name) for name in self.options.metrics}

    def warn_about_few_images(self) -> None:
        """Warn the caller of this package about metrics that are biased for so few images."""
        if "fid" in self.options.metrics and self.real is not None:
            warn_about_few_images(self.real.statistics, self.generated.statistics)
        if "is" in self.options.metrics:
            warn_about_few_images_per_split(self.generated.split_sums)

    def _score(self, metric: str) -> Score:
        if metric == "is":
            return inception_score_from_sums(self.generated.split_sums, self.signature, self.generated.logits)
        assert self.real is not None  # noqa: S101 - there are real images to compare with
        if metric == "fid":
            features = features_of(self.generated, self.real) if self.options.influence else ()
            return fid_from_statistics(self.real.statistics, self.generated.statistics, features)
        return kid_from_features(
            self.real.features,
            self.generated.features,
            subsets=self.options.subsets,
            subset_size=self.options.subset_size,
            extractor_signature=self.signature,
            influence=self.options.influence,
        )


def _with_ids(name: str, source: S) -> S | ImageTsv | OpenedSource:
    """Find the images of a source; return mappings, which have ids, and statistics unchanged."""
    if isinstance(source, Statistics):
        return source
    if isinstance(source, Mapping):
        open_side(name, source)
        return source
    if is_path(source):
        check_paths(**{name: source})
        suffix = Path(source).suffix.lower()
        if suffix == ".tsv" and not Path(source).is_dir():
            return ImageTsv(source)
        if suffix == ".npz":
            return source  # type: ignore[return-value] # mypy loses the type of a path
    return open_side(name, source)
