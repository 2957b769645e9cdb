"""Images as a torch Dataset. The only file of the data sets that imports torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch.utils.data import Dataset

if TYPE_CHECKING:
    from PIL.Image import Image

    from muge_fast.datasets.image_tsv import ImageTsv


class ImageTsvDataset(Dataset[tuple[str, Any]]):
    """Pairs of an id and an image in RGB, in the order of the file.

    Args:
        images: The file.
        transform: Makes something of each image; None for the Pillow image itself.

    Example:
        >>> from muge_fast.datasets import ImageTsv
        >>> dataset = ImageTsv("T2I_val.img.tsv").torch_dataset()  # doctest: +SKIP
        >>> dataset[0]  # doctest: +SKIP
        ('a1b2', <PIL.Image.Image image mode=RGB size=800x800>)

    """

    def __init__(self, images: ImageTsv, transform: Callable[[Image], Any] | None = None) -> None:
        self.images = images
        self.ids = list(images)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, place: int) -> tuple[str, Any]:
        key = self.ids[place]
        image = self.images.image(key).convert("RGB")
        return key, image if self.transform is None else self.transform(image)
