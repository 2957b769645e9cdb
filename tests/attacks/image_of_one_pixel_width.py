"""Images with one side thousands of times as long as the other: a network's resizing would make gigabytes of them."""

from PIL import Image

from image_bytes import saved
from muge_fast.datasets.decoding import broken_images

MEMORY = 512 << 20


def prepare():
    sizes = (1, 20_000), (20_000, 1), (1, 4_194_304), (2, 129), (2, 128)
    return {size: saved(Image.new("1", size), "PNG") for size in sizes}


def attack(images):
    reasons = dict(broken_images(images, list(images), max_pixels=1 << 22, threads=2))
    assert list(reasons) == list(images)[:-1]
    assert "longer side" in reasons[1, 20_000]
