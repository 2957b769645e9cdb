"""Images with one side thousands of times as long as the other: a network's resizing would make gigabytes of them."""

import io

from PIL import Image

from muge_fast.datasets.decoding import broken_images

MEMORY = 512 << 20


def prepare():
    images = {}
    for size in ((1, 20_000), (20_000, 1), (1, 4_194_304), (2, 129), (2, 128)):
        file = io.BytesIO()
        Image.new("1", size).save(file, "PNG")
        images[size] = file.getvalue()
    return images


def attack(images):
    reasons = dict(broken_images(images, list(images), max_pixels=1 << 22, threads=2))
    assert list(reasons) == list(images)[:-1]
    assert "longer side" in reasons[1, 20_000]
