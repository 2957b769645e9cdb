"""Saved statistics whose arrays are bytes of zeros: refused before each byte becomes a float64, and is copied.

An archive may unpack to 16 MiB and 20 times its size, which was up to a gigabyte as float64, for a file of 1 MB.
"""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from muge_fast.evaluation import describe
from muge_fast.image import FID, KID, InceptionScore, Statistics

MEMORY = 192 << 20
DIMS = 2000


def prepare():
    folder = tempfile.TemporaryDirectory()
    mean, square = np.zeros(DIMS, "i1"), np.zeros((DIMS, DIMS), "i1")
    sums = {"mu": mean, "sigma": square, "sum": mean, "outer": square, "count": np.array(5), "dims": np.array(DIMS)}
    files = {
        Statistics: {"mu": mean, "sigma": square},
        FID: {f"{side}_{name}": array for side in ("real", "generated") for name, array in sums.items()},
        KID: {"real": square, "generated": square, "subsets": np.array(1), "subset_size": np.array(5)},
        InceptionScore: {"entropy_sums": square, "probability_sums": square, "counts": mean, "seed": np.array(0)},
    }
    for kind, arrays in files.items():
        np.savez_compressed(Path(folder.name, f"{kind.__name__}.npz"), **arrays)
    return folder, list(files)


def attack(prepared):
    folder, kinds = prepared
    for kind in kinds:
        path = Path(folder.name, f"{kind.__name__}.npz")
        with pytest.raises(ValueError, match="allowed"):
            kind.load(path)
        describe(path)
