"""A progressive JPEG of 20,000 scans: each is a walk over all blocks of 2048 x 2048 pixels, for a few bytes."""

from PIL import Image

from image_bytes import saved, with_scans
from muge_fast.datasets.decoding import broken_images, decode

MEMORY = 512 << 20
RATIO = 2


def prepare():
    data = saved(Image.new("L", (2048, 2048)), "JPEG", progressive=True)
    return {count: with_scans(data, count) for count in (0, 20, 20_000)}


def harmless(images):
    decode(images[20])


def attack(images):
    ((key, reason),) = broken_images(images, list(images), threads=1)
    assert key == 20_000
    assert "scans" in reason
