"""Images from untrusted sources: which are decoded, and which are refused before decoding."""

import io
import os
import subprocess
import sys
import zlib

import numpy as np
import pytest

import muge_fast as mf
from image_data import encoded, pictures
from muge_fast.datasets import ImageTsv
from muge_fast.datasets.decoding import MAX_PIXELS, broken_images, decode

Image = pytest.importorskip("PIL.Image")

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n"


def bomb(width, height):
    """A PNG of one bit per pixel, compressed as far as possible."""
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "PNG", compress_level=9)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_formats_of_benchmarks_are_decoded(kind):
    assert decode(encoded(pictures(1)[0], kind)).size == (50, 70)


@pytest.mark.parametrize("kind", ["TGA", "PCX", "SGI", "PPM", "ICNS", "JPEG2000"])
def test_other_formats_are_refused(kind):
    with pytest.raises(ValueError, match="not an image of the formats JPEG, PNG, WEBP, GIF, BMP, TIFF"):
        decode(encoded(pictures(1, (32, 32))[0], kind))


@pytest.mark.skipif(os.name != "posix", reason="the program is a script of the shell")
def test_no_other_program_is_started(tmp_path, monkeypatch):
    """Pillow decodes PostScript with the program gs."""
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    ImageTsv.write(tmp_path / "pred.tsv", {"a": POSTSCRIPT})
    report = mf.check("t2i", tmp_path / "pred.tsv")
    assert [(problem.code, problem.id) for problem in report.problems] == [("broken_image", "a")]
    assert not (tmp_path / "started").exists()


def test_large_images_are_refused_before_they_are_decoded(tmp_path):
    data = bomb(9000, 9000)
    assert len(data) < 1 << 15 < 9000 * 9000 > MAX_PIXELS
    with pytest.raises(ValueError, match="has 9000 x 9000 pixels, at most 67108864 are allowed"):
        decode(data)
    # A leaderboard may set a lower limit for submissions.
    ImageTsv.write(tmp_path / "pred.tsv", {"a": bomb(2049, 2048), "b": bomb(2048, 2048)})
    report = mf.check("t2i", tmp_path / "pred.tsv")
    (error,) = report.errors
    assert error.startswith("line 1: img_id a: ")
    assert error.endswith("has 2049 x 2048 pixels, at most 4194304 are allowed")
    assert mf.check("t2i", tmp_path / "pred.tsv", limits=mf.Limits(pixels=1 << 23)).ok


def test_broken_images_are_reported_with_a_reason():
    whole = encoded(pictures(1)[0])
    images = {"a": whole, "b": whole[:-40], "c": zlib.compress(b"no image"), "d": b""}
    reasons = dict(broken_images(images, list(images)))
    assert list(reasons) == ["b", "c", "d"]
    assert "BytesIO" not in "".join(reasons.values())
    assert not list(broken_images(images, ["a"]))


def test_few_images_are_decoded_after_the_last_reported_problem(tmp_path, monkeypatch):
    (tmp_path / "pred.tsv").write_bytes(b"".join(b"%d\tAAAA\n" % number for number in range(5000)))
    decoded = []
    read = ImageTsv.__getitem__
    monkeypatch.setattr(ImageTsv, "__getitem__", lambda self, key: decoded.append(key) or read(self, key))
    report = mf.check("t2i", tmp_path / "pred.tsv", limits=mf.Limits(stop_after=10))
    assert report.problem_count == 10
    assert len(decoded) <= 11 + 4 * os.cpu_count()
    assert mf.check("t2i", tmp_path / "pred.tsv", limits=mf.Limits(stop_after=0)).rows


def test_images_with_unknown_ids_are_not_decoded(tmp_path, monkeypatch):
    images = {str(number): encoded(image) for number, image in enumerate(pictures(3))}
    ImageTsv.write(tmp_path / "gold.tsv", {key: images[key] for key in "01"})
    ImageTsv.write(tmp_path / "pred.tsv", images)
    decoded = []
    read = ImageTsv.__getitem__
    monkeypatch.setattr(ImageTsv, "__getitem__", lambda self, key: decoded.append(key) or read(self, key))
    report = mf.check("t2i", tmp_path / "pred.tsv", gold=tmp_path / "gold.tsv")
    assert [problem.code for problem in report.problems] == ["unknown_id"]
    assert sorted(decoded) == ["0", "1"]


def test_limits_hold_for_images(tmp_path):
    path = tmp_path / "pred.tsv"
    path.write_bytes(b"x\n" * 30)
    assert mf.check("t2i", path, limits=mf.Limits(file_bytes=59)).errors == [
        "the file has 60 bytes, more than the limit of 59"
    ]
    assert mf.check("t2i", path, limits=mf.Limits(stop_after=20)).problem_count == 20
    path.write_bytes(b"".join(b"%d\tAAAA\n" % number for number in range(30)))
    assert mf.check("t2i", path, limits=mf.Limits(stop_after=20)).problem_count == 20
    picture = encoded(np.zeros((200, 200, 3), np.uint8), "BMP")
    ImageTsv.write(path, {"a": picture})
    codes = [problem.code for problem in mf.check("t2i", path, limits=mf.Limits(line_bytes=100_000)).problems]
    assert codes == ["long_line"]


HOSTILE_FILE = """
import re, sys
from pathlib import Path
import muge_fast as mf
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) >> 10
before = peak()
report = mf.check("t2i", sys.argv[1], gold=sys.argv[2])
print(report.problem_count, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize("line", [b"x\n", b"1\tA\n", b"\tA\n"])
def test_files_of_tiny_lines_take_little_memory(tmp_path, line):
    """An index entry takes more memory than one of these lines."""
    ImageTsv.write(tmp_path / "gold.tsv", {"a": encoded(pictures(1)[0])})
    (tmp_path / "pred.tsv").write_bytes(line * (1 << 22))
    command = [sys.executable, "-c", HOSTILE_FILE, str(tmp_path / "pred.tsv"), str(tmp_path / "gold.tsv")]
    count, grown = map(int, subprocess.check_output(command).split())  # noqa: S603
    assert count == mf.Limits().stop_after
    # Blocks of the file that are in memory together, and the ends of their lines.
    assert grown < 128
