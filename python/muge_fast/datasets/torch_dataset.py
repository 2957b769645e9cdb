"""Images of a TSV file as a torch Dataset. The only module of ``muge_fast.datasets`` that imports torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from torch.utils.data import Dataset

from muge_fast.datasets.image_tsv import ImageTsv

if TYPE_CHECKING:
    from PIL.Image import Image


class ImageTsvDataset(Dataset[tuple[str, object]]):
    """A torch Dataset of the images of a TSV file: pairs of an id and an image, in the order of the file.

    It works with the workers of a ``DataLoader``, forked or spawned.

    Args:
        images: The image file.
        transform: Function applied to each Pillow image, in RGB, such as a transform of torchvision; None to return
            the Pillow image itself.

    Attributes:
        images: The image file.
        ids: The ids, in the order of the file.

    Raises:
        TypeError: ``images`` is not an :class:`muge_fast.datasets.ImageTsv`, or ``transform`` cannot be called.

    Example:
        >>> from muge_fast.datasets import ImageTsv, ImageTsvDataset
        >>> dataset = ImageTsvDataset(ImageTsv("T2I_val.img.tsv"))  # doctest: +SKIP
        >>> dataset[0]  # doctest: +SKIP
        ('a1b2', <PIL.Image.Image image mode=RGB size=800x800>)

    """

    def __init__(self, images: ImageTsv, transform: Callable[[Image], object] | None = None) -> None:
        if not isinstance(images, ImageTsv):
            raise TypeError(f"images must be an ImageTsv, got {type(images).__name__}")
        if transform is not None and not callable(transform):
            raise TypeError(f"transform must be callable, got {type(transform).__name__}")
        self.images = images
        self.ids = list(images)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> tuple[str, object]:
        key = self.ids[index]
        image = self.images.image(key).convert("RGB")
        return key, image if self.transform is None else self.transform(image)
