"""Random images for tests."""

import io

import numpy as np
from PIL import Image


def pictures(count=6, size=(70, 50), seed=1):
    """Draw images with low-frequency content and noise: uint8 of shape ``(count, *size, 3)``."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 8, 8, 3)).astype("uint8")
    fine = [np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BICUBIC)) for image in coarse]
    return np.clip(np.array(fine).astype(int) + rng.integers(-20, 20, (count, *size, 3)), 0, 255).astype("uint8")


def encoded(image, kind="PNG"):
    """Return the bytes of an image file."""
    data = io.BytesIO()
    Image.fromarray(image).save(data, kind)
    return data.getvalue()
