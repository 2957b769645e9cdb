"""A progressive JPEG of 20,000 scans: each is a walk over all blocks of 2048 x 2048 pixels, for a few bytes."""

import io

from PIL import Image

from muge_fast.datasets.decoding import broken_images, decode

MEMORY = 512 << 20
RATIO = 2


def prepare():
    file = io.BytesIO()
    Image.new("L", (2048, 2048)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    # The last scan again and again, before the end of the image.
    last = data[data.rindex(b"\xff\xda") : -2]
    return {count: data[:-2] + count * last + data[-2:] for count in (0, 20, 20_000)}


def harmless(images):
    decode(images[20])


def attack(images):
    ((key, reason),) = broken_images(images, list(images), threads=1)
    assert key == 20_000
    assert "scans" in reason
