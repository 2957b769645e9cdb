"""Images decoded under ever larger limits of address space: valid ones are never broken, only memory is short.

Some decoders have the same error for both: libwebp's was a verdict on the image.
"""

from PIL import Image

from image_bytes import saved
from limited_memory import RAISED, run_limited
from muge_fast.datasets.decoding import broken_images

MEMORY = 1 << 30
VERDICT = 4
SIZE = 1500, 1500


def prepare():
    images = {}
    for name, options in {
        "JPEG": {"progressive": True},
        "PNG": {},
        "WEBP": {"lossless": True, "method": 0},
        "GIF": {},
        "TIFF": {"compression": "tiff_lzw"},
    }.items():
        images[name] = saved(Image.linear_gradient("L").resize(SIZE).convert("RGB"), name, **options)
    return images


def decode_limited(images, extra):
    """Decode in a child process with ``extra`` bytes; return its exit status."""

    def decode():
        return VERDICT if list(broken_images(images, list(images), threads=2)) else 0

    return run_limited(decode, extra, (MemoryError, RuntimeError))


def attack(images):
    for name, data in images.items():
        statuses, extra = [], 1 << 19
        while extra < MEMORY and statuses[-2:] != [0, 0]:
            statuses.append(decode_limited({name: data, "again": data}, extra))
            extra = extra * 5 // 4
        assert set(statuses) <= {RAISED << 8, 0}, (name, statuses)
        assert statuses[-1] == 0, (name, statuses)
