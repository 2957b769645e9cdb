"""Pipes where images or statistics are expected: opening one waits for a writer, forever."""

import os
import tempfile
from pathlib import Path

import muge_fast as mf
from muge_fast.image import FID, Statistics, fid

MEMORY = 512 << 20


def brightness(images):
    return [[float(image.mean())] for image in images]


def prepare():
    folder = Path(tempfile.mkdtemp())
    for name in ("a.zip", "a.npz", "a.tsv", "a.png"):
        os.mkfifo(folder / name)
    return folder


def attack(folder):
    calls = [
        lambda: Statistics.load(folder / "a.npz"),
        lambda: FID.load(folder / "a.npz"),
        lambda: fid(folder / "a.npz", folder / "a.zip", extractor=brightness),
        lambda: fid(folder / "a.zip", folder / "a.zip", extractor=brightness),
        lambda: fid(folder / "a.tsv", folder / "a.tsv", extractor=brightness),
        lambda: fid([folder / "a.png"] * 2, [folder / "a.png"] * 2, extractor=brightness),
        lambda: fid(folder, folder, extractor=brightness),
        lambda: mf.evaluate("t2i", folder / "a.tsv", folder / "a.tsv"),
    ]
    for index, call in enumerate(calls):
        try:
            call()
        except (ValueError, OSError):
            continue
        raise AssertionError(index)
    assert not mf.check("t2i", folder / "a.tsv").ok
