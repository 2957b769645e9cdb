"""A submission that is written while it is checked or scored: it is the submission that changed, not the gold file.

Such a change was a ``GoldError``, which asks the organizer to mend the gold file.
"""

import tempfile
from pathlib import Path

import pytest
from PIL import Image

import muge_fast as mf
from image_bytes import saved
from muge_fast.datasets import ImageTsv

# Address space, of which each thread that decodes and each that reads sets 64 to 128 MiB aside for its heap.
MEMORY = 1 << 30


def prepare():
    folder = Path(tempfile.mkdtemp())
    pictures = {}
    for number in range(40):
        pictures[str(number)] = saved(Image.new("RGB", (32, 32), (number, 9, 90)), "PNG")
    for name in ("gold.tsv", "pred.tsv"):
        ImageTsv.write(folder / name, pictures)
    ImageTsv.write(folder / "broken.tsv", pictures | {"7": b"no image"})
    return folder


class Writer:
    """An extractor that writes to a file when it is called."""

    def __init__(self, path, change):
        self.path, self.change = path, change

    def __call__(self, images):
        self.change(self.path)
        return [[float(image.mean())] for image in images]


def overwrite(path):
    data = path.read_bytes()
    with path.open("r+b") as file:
        file.write(b"\n" * len(data))


def shorten(path):
    with path.open("r+b") as file:
        file.truncate(100)


def evaluate(folder, extractor, gold="gold.tsv"):
    # One image at a time, so that some are not decoded yet when the extractor writes.
    options = {"metrics": ["fid"], "batch_size": 1, "threads": 1}
    return mf.evaluate("t2i", folder / gold, folder / "pred.tsv", extractor=extractor, **options)


def attack(folder):
    data = (folder / "pred.tsv").read_bytes()
    for change in (overwrite, shorten):
        report = evaluate(folder, Writer(folder / "pred.tsv", change))
        assert not report.ok
        assert [problem.code for problem in report.problems] == ["changed"], report.errors
        (folder / "pred.tsv").write_bytes(data)
    with pytest.raises(OSError, match=r"gold.tsv was changed"):
        evaluate(folder, Writer(folder / "gold.tsv", shorten))
    with pytest.raises(mf.GoldError, match=r"broken.tsv"):
        evaluate(folder, Writer(folder, str), gold="broken.tsv")
