"""A submission of images that is changed in place while it is decoded or scored.

It was reported as an error in the gold file, with the path of the submission, or scored though it had not been checked.
"""

import base64
import dataclasses
import io
import tempfile
from pathlib import Path

from PIL import Image

import muge_fast as mf
from muge_fast.datasets import image_reader

# The verdict counts here. Threads come and go, and the C library sets 64 MiB aside for each of eight heaps per core.
MEMORY = 2 << 30


def image(color):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(file, "PNG")
    return base64.b64encode(file.getvalue())


def prepare():
    return tempfile.TemporaryDirectory()


def write(path, color="red"):
    path.write_bytes(b"".join(b"%d\t%s\n" % (index, image(color)) for index in range(2)))
    return path


def changing(path, how):
    """Return a task that changes the submission before the images are used."""

    def score(predictions, references, *, threads=None):
        del references, threads
        how(path)
        list(map(predictions.__getitem__, predictions))
        raise ValueError("some image is broken")

    return dataclasses.replace(mf.tasks.get("t2i"), score=score, check_values=None)


def errors(task, gold, path):
    return mf.evaluate(task, gold, write(path)).errors


def attack(folder):
    gold, path = write(Path(folder.name) / "gold"), Path(folder.name) / "submission"
    expected = ["the file changed while it was being read; try again"]
    ways = (
        lambda path: path.write_bytes(b"0\tAAAA\n"),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        lambda path: write(path, "blue"),
        lambda path: path.replace(path.with_suffix(".away")),
    )
    for how in ways:
        assert errors(changing(path, how), gold, path) == expected
    decode = image_reader.broken_images
    for how in ways:

        def broken(*arguments, how=how, **options):
            how(path)
            return decode(*arguments, **options)

        image_reader.broken_images = broken
        found = errors("t2i", gold, path)
        assert found[:1] == expected, found
    image_reader.broken_images = decode
