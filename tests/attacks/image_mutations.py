"""Images of each format with a few bytes changed, most of them in the header, and their beginnings.

Each is decoded or refused with a reason, in the memory and about the time of the images as they were.
"""

import random

from PIL import Image

from image_bytes import saved
from muge_fast.datasets.decoding import broken_images

MEMORY = 512 << 20
RATIO = 10
MUTATIONS = 400
OPTIONS = (
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("PNG", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("GIF", {}),
    ("BMP", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "jpeg"}),
)
INTERESTING = (b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\1\0\0", b"\xff\xda", b"\x80")


def mutated(data, source):
    data = bytearray(data)
    for _ in range(source.randint(1, 4)):
        position = source.randrange(min(len(data), source.choice((32, 128, 1024, 1 << 20))))
        new = source.choice((*INTERESTING, bytes([source.randrange(256)])))
        data[position : position + len(new)] = new
    return bytes(data if source.random() < 0.8 else data[: source.randrange(len(data))])


def prepare():
    source = random.Random(20)
    good, bad = {}, {}
    for index, (kind, options) in enumerate(OPTIONS):
        data = saved(Image.linear_gradient("L").resize((200, 150)).convert("RGB"), kind, **options)
        for number in range(MUTATIONS):
            good[index, number] = data
            bad[index, number] = mutated(data, source)
    return good, bad


def harmless(images):
    assert not list(broken_images(images[0], list(images[0]), threads=2))


def attack(images):
    reasons = dict(broken_images(images[1], list(images[1]), max_pixels=1 << 22, threads=2))
    assert len(reasons) > len(images[1]) // 4
    assert all(reasons.values())
