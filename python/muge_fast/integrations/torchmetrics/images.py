"""Metrics of images as metrics of torchmetrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from muge_fast import image
from muge_fast.image.extractors.interface import FeatureExtractor, convention_of_extractor, signature_of
from muge_fast.image.extractors.running import extract_batch
from muge_fast.image.image_set import FEATURES
from muge_fast.image.inputs import checked_features
from muge_fast.image.options import SEED
from muge_fast.image.sources import ImageSource
from muge_fast.image.streaming import Batch
from muge_fast.image.text_features import ImageTextModel
from muge_fast.integrations.torchmetrics.states import ListMetric, matrix_of


class FeatureListMetric(ListMetric):
    """A metric of images. It keeps their features, in single precision: 8 KiB for an image with 2048 features.

    Args:
        extractor: Feature extractor, as the class of :mod:`muge_fast.image` takes it; None if batches are features.
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> from muge_fast.integrations.torchmetrics import FID
        >>> from muge_fast.integrations.torchmetrics.images import FeatureListMetric
        >>> issubclass(FID, FeatureListMetric)
        True

    """

    def __init__(self, extractor: FeatureExtractor | None = None, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.extractor = extractor

    @property
    def signature(self) -> str | None:
        """Signature of the extractor, None for features."""
        return None if self.extractor is None else signature_of(self.extractor)

    def add_features(self, name: str, batch: Batch, output: str) -> None:
        """Add the features of a batch to a state.

        Args:
            name: Name of the state; that of the numbers of columns ends in ``_widths``.
            batch: Images, or features if there is no extractor.
            output: Name of the output of the extractor.

        Raises:
            TypeError: Neither images nor features.
            ValueError: A wrong shape or type of numbers.

        Example:
            >>> import torch
            >>> from muge_fast.integrations.torchmetrics import FID
            >>> metric = FID()
            >>> metric.add_features("real", torch.zeros(3, 4), "2048")

        """
        if self.extractor is None:
            features = checked_features("features", batch)
        else:
            features = extract_batch(self.extractor, batch, output)
        tensor = torch.as_tensor(features if isinstance(features, Tensor) else np.asarray(features))
        self.append(name, tensor.flatten())
        self.append(f"{name}_widths", torch.tensor([tensor.shape[1]]))

    def features(self, name: str) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return the features of a state, of all batches and processes.

        Args:
            name: Name of the state.

        Returns:
            Array of shape ``(images, features)``.

        Raises:
            ValueError: There is no batch.

        Example:
            >>> import torch
            >>> from muge_fast.integrations.torchmetrics import FID
            >>> metric = FID()
            >>> metric.add_features("real", torch.zeros(3, 4), "2048")
            >>> metric.features("real").shape
            (3, 4)

        """
        return matrix_of(self.joined(name), self.joined(f"{name}_widths"), f"{name.replace('_', ' ')} images")


class RealAndGenerated(FeatureListMetric):
    """A metric of real and of generated images.

    Example:
        >>> from muge_fast.integrations.torchmetrics import FID, KID
        >>> from muge_fast.integrations.torchmetrics.images import RealAndGenerated
        >>> issubclass(FID, RealAndGenerated) and issubclass(KID, RealAndGenerated)
        True

    """

    higher_is_better = False
    states: ClassVar[dict[str, torch.dtype]] = {
        "real": torch.float32,
        "real_widths": torch.int64,
        "generated": torch.float32,
        "generated_widths": torch.int64,
    }

    def update(self, imgs: Batch, real: bool) -> None:
        """Add a batch of real or of generated images.

        Args:
            imgs: With an extractor, images: a uint8 array or tensor of shape ``(images, 3, height, width)`` or
                ``(images, height, width, 3)``. Without one, features of shape ``(images, features)``.
            real: Whether the images are real.

        Raises:
            TypeError: Neither images nor features.
            ValueError: A wrong shape or type of numbers.

        Example:
            >>> import torch
            >>> from muge_fast.integrations.torchmetrics import FID
            >>> metric = FID()
            >>> metric.update(torch.zeros(3, 4), real=True)

        """
        self.add_features("real" if real else "generated", imgs, FEATURES)


class FID(RealAndGenerated):
    """Fréchet Inception Distance, from 0; lower is better. :func:`muge_fast.image.fid_from_features` defines it.

    :class:`muge_fast.image.FID` keeps sums instead of features: prefer it for hundreds of thousands of images.

    Args:
        extractor: Feature extractor, such as :class:`muge_fast.image.extractors.InceptionExtractor`; None if batches
            are features.
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> import torch
        >>> from muge_fast.integrations.torchmetrics import FID
        >>> metric = FID()
        >>> metric.update(torch.tensor([[0.0], [2.0]]), real=True)
        >>> metric.update(torch.tensor([[1.0], [3.0]]), real=False)
        >>> metric.compute().item()
        1.0

    """

    def compute(self) -> Tensor:
        """Return FID of all images so far, of all processes.

        Returns:
            The value of :func:`muge_fast.image.fid_from_features` as a tensor of double precision.

        Raises:
            ValueError: A side has fewer than two images.

        Example:
            >>> import torch
            >>> from muge_fast.integrations.torchmetrics import FID
            >>> metric = FID()
            >>> metric.update(torch.eye(2), real=True)
            >>> metric.update(torch.eye(2), real=False)
            >>> metric.compute().item() < 1e-9
            True

        """
        real, generated = self.features("real"), self.features("generated")
        return self.value_of(image.fid_from_features(real, generated, extractor_signature=self.signature))


class KID(RealAndGenerated):
    """Kernel Inception Distance, about 0 and more; lower is better.

    Args:
        extractor: Feature extractor; None if batches are features.
        subsets: Number of random subsets; None to compare all images at once.
        subset_size: Images per subset, at least 2.
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> import torch
        >>> from muge_fast.integrations.torchmetrics import KID
        >>> metric = KID(subsets=2, subset_size=2)
        >>> metric.update(torch.zeros(3, 4), real=True)
        >>> metric.update(torch.zeros(3, 4), real=False)
        >>> metric.compute().item()
        0.0

    """

    def __init__(
        self,
        extractor: FeatureExtractor | None = None,
        *,
        subsets: int | None = 100,
        subset_size: int = 1000,
        **kwargs: object,
    ) -> None:
        super().__init__(extractor, **kwargs)
        self.subsets, self.subset_size = subsets, subset_size

    def compute(self) -> Tensor:
        """Return KID of all images so far, of all processes.

        Returns:
            The value of :func:`muge_fast.image.kid_from_features` as a tensor of double precision.

        Raises:
            ValueError: A side has fewer images than a subset, or an option is out of range.

        Example:
            >>> import torch
            >>> from muge_fast.integrations.torchmetrics import KID
            >>> metric = KID(subsets=None)
            >>> metric.update(torch.zeros(2, 4), real=True)
            >>> metric.update(torch.zeros(2, 4), real=False)
            >>> metric.compute().item()
            0.0

        """
        score = image.kid_from_features(
            self.features("real"),
            self.features("generated"),
            subsets=self.subsets,
            subset_size=self.subset_size,
            extractor_signature=self.signature,
        )
        return self.value_of(score)


class InceptionScore(FeatureListMetric):
    """Inception Score, from 1; higher is better.

    Args:
        extractor: Extractor of logits; None if batches are logits.
        splits: Number of splits; None for that of the extractor's protocol.
        shuffle: Whether images are put in a random order first; None for that of the extractor's protocol.
        seed: Seed of the order.
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> import torch
        >>> from muge_fast.integrations.torchmetrics import InceptionScore
        >>> metric = InceptionScore(splits=1)
        >>> metric.update(100 * torch.eye(4))
        >>> round(metric.compute().item(), 6)
        4.0

    """

    higher_is_better = True
    plot_lower_bound = 1.0
    states: ClassVar[dict[str, torch.dtype]] = {"generated": torch.float32, "generated_widths": torch.int64}

    def __init__(
        self,
        extractor: FeatureExtractor | None = None,
        *,
        splits: int | None = None,
        shuffle: bool | None = None,
        seed: int = SEED,
        **kwargs: object,
    ) -> None:
        super().__init__(extractor, **kwargs)
        convention = convention_of_extractor(extractor)
        self._logits = convention.logits
        self.splits = convention.splits if splits is None else splits
        self.shuffle = convention.shuffle if shuffle is None else shuffle
        self.seed = seed

    def update(self, imgs: Batch) -> None:
        """Add a batch of generated images.

        Args:
            imgs: With an extractor, images: a uint8 array or tensor of shape ``(images, 3, height, width)`` or
                ``(images, height, width, 3)``. Without one, logits of shape ``(images, classes)``.

        Raises:
            TypeError: Neither images nor logits.
            ValueError: A wrong shape or type of numbers.

        Example:
            >>> import torch
            >>> from muge_fast.integrations.torchmetrics import InceptionScore
            >>> metric = InceptionScore(splits=1)
            >>> metric.update(torch.zeros(2, 3))

        """
        self.add_features("generated", imgs, self._logits)

    def compute(self) -> Tensor:
        """Return the Inception Score of all images so far, of all processes.

        Returns:
            The value of :func:`muge_fast.image.inception_score_from_logits` as a tensor of double precision.

        Raises:
            ValueError: There are fewer images than splits, or an option is out of range.

        Example:
            >>> import torch
            >>> from muge_fast.integrations.torchmetrics import InceptionScore
            >>> metric = InceptionScore(splits=1)
            >>> metric.update(torch.zeros(2, 3))
            >>> round(metric.compute().item(), 6)
            1.0

        """
        score = image.inception_score_from_logits(
            self.features("generated"),
            splits=self.splits,
            shuffle=self.shuffle,
            seed=self.seed,
            extractor_signature=self.signature,
        )
        return self.value_of(score)


class CLIPScore(ListMetric):
    """CLIPScore of images and their texts, 0 to ``weight``; higher is better.

    Args:
        model: Model with features of images and of texts, such as
            :class:`muge_fast.image.extractors.ClipExtractor`; None if batches are features already.
        weight: Factor of the cosine; 2.5 in the paper.
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> import torch
        >>> from muge_fast.integrations.torchmetrics import CLIPScore
        >>> metric = CLIPScore()
        >>> metric.update(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[2.0, 0.0], [-1.0, 0.0]]))
        >>> metric.compute().item()
        1.25

    """

    higher_is_better = True
    plot_upper_bound = 2.5
    states: ClassVar[dict[str, torch.dtype]] = {
        "images": torch.float32,
        "texts": torch.float32,
        "widths": torch.int64,
    }

    def __init__(
        self,
        model: ImageTextModel | None = None,
        *,
        weight: float = 2.5,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.model, self.weight = model, weight

    def update(self, images: ImageSource | Tensor, texts: Sequence[str] | Tensor) -> None:
        """Add a batch of images and their texts.

        Args:
            images: With a model, images: a uint8 array or tensor of shape ``(images, 3, height, width)`` or
                ``(images, height, width, 3)``. Without one, features of shape ``(images, features)``.
            texts: With a model, a text for each image. Without one, features of the same shape as those of images.

        Raises:
            TypeError: Neither images and texts nor features.
            ValueError: Different numbers of images and texts, or a wrong shape.

        Example:
            >>> import torch
            >>> from muge_fast.integrations.torchmetrics import CLIPScore
            >>> metric = CLIPScore()
            >>> metric.update(torch.eye(2), torch.eye(2))

        """
        left: Any
        right: Any
        if self.model is None:
            left, right = checked_features("images", images), checked_features("texts", texts)
        else:
            left = self.model.images(images, progress=False)
            right = self.model.texts(texts, progress=False)  # type: ignore[arg-type] # strings, with a model
        left, right = torch.as_tensor(left), torch.as_tensor(right)
        if left.shape != right.shape:
            raise ValueError(f"images has features of shape {tuple(left.shape)}, texts {tuple(right.shape)}")
        self.append("images", left.flatten())
        self.append("texts", right.flatten())
        self.append("widths", torch.tensor([left.shape[1]]))

    def compute(self) -> Tensor:
        """Return the CLIPScore of all pairs so far, of all processes.

        Returns:
            The value of :func:`muge_fast.image.clip_score` as a tensor of double precision.

        Raises:
            ValueError: There are no pairs, or a row of features is zero.

        Example:
            >>> import torch
            >>> from muge_fast.integrations.torchmetrics import CLIPScore
            >>> metric = CLIPScore(weight=1.0)
            >>> metric.update(torch.eye(2), torch.eye(2))
            >>> metric.compute().item()
            1.0

        """
        widths = self.joined("widths")
        images = matrix_of(self.joined("images"), widths, "images")
        texts = matrix_of(self.joined("texts"), widths, "texts")
        return self.value_of(image.clip_score(images, texts, weight=self.weight))
