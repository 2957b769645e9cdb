"""Folders of random JPEG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 224


def write_folder(folder: Path, count: int, seed: int) -> Path:
    """Write images with low-frequency content and noise; the seed also changes their statistics."""
    folder.mkdir()
    random = np.random.default_rng(seed)
    for index in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (8 + seed, 8 + seed, 3)).astype("uint8"))
        smooth = np.asarray(coarse.resize((SIZE, SIZE), Image.Resampling.BICUBIC)).astype(int)
        noisy = np.clip(smooth + random.integers(-20, 20, (SIZE, SIZE, 3)), 0, 255).astype("uint8")
        Image.fromarray(noisy).save(folder / f"{index:04}.jpg", quality=90)
    return folder
