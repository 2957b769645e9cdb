"""The guarded reader of NumPy files: sizes are checked first, and every failure is a ValueError."""

import io
import warnings
import zipfile
from random import Random

import numpy as np
import pytest

from muge_fast._internal import npz
from muge_fast._internal.zip_files import open_zip

ARRAYS = {"ids": np.arange(5), "features": np.ones((5, 3), "float32"), "protocol": np.array("tf1")}


def archive(arrays=None, save=np.savez):
    file = io.BytesIO()
    save(file, **(ARRAYS if arrays is None else arrays))
    return file.getvalue()


def array_file(shape, descr="<f4", data=b"", version=(1, 0)):
    """Return a file whose header declares this shape and type, followed by any data."""
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    length = len(header).to_bytes(2 if version == (1, 0) else 4, "little")
    return b"\x93NUMPY" + bytes(version) + length + header.encode() + data


def read(content):
    return npz.read_array(io.BytesIO(content), len(content))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back(save):
    read_back = npz.Archive(io.BytesIO(archive(save=save)))
    assert list(read_back) == list(ARRAYS)
    assert "ids" in read_back
    assert "x" not in read_back
    for name, array in ARRAYS.items():
        assert (read_back[name].dtype, read_back[name].tolist()) == (array.dtype, array.tolist())


@pytest.mark.parametrize(
    "array", [np.asfortranarray(np.arange(6).reshape(2, 3)), np.arange(3, dtype=">i2"), np.zeros(0)]
)
def test_layouts_and_byte_orders_come_back(array):
    file = io.BytesIO()
    np.save(file, array)
    assert read(file.getvalue()).tolist() == array.tolist()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (array_file((1 << 50, 2)), "declares 9007199254740992 bytes of data, has 0"),
        (array_file((1,), data=bytes(5)), "declares 4 bytes of data, has 5"),
        (array_file((-1, -2), data=bytes(8)), "declares 8 bytes of data, has 8"),
        (array_file((1,), "|O", bytes(8)), "Python objects"),
        (array_file((1,), "<U1", b"\0\0\x11\0"), "not Unicode"),
        (array_file((1,), ">U1", b"\0\0\xd8\0"), "not Unicode"),
        (array_file((1,), "<U1", b"\0\xd8\0\0"), "not Unicode"),
        (array_file("(" * 60), "broken header|Cannot parse header"),
        (array_file("(1L,)", data=bytes(4)), "broken header: Reading|declares"),
        (array_file((1,), "no type"), "descr is not a valid dtype descriptor"),
        (array_file((1,), version=(3, 0)), r"version \(3, 0\) of the format"),
        (b"\x93NUMPY", "EOF"),
        (b"", "EOF"),
    ],
)
def test_broken_arrays_are_refused_before_memory_is_allocated(content, message):
    with pytest.raises(ValueError, match=message):
        read(content)


def test_text_without_characters_is_read():
    assert read(array_file((2,), "<U0")).tolist() == ["", ""]


def test_broken_archives_are_refused():
    bomb = archive({"x": np.zeros(1 << 22)}, np.savez_compressed)
    with pytest.raises(ValueError, match=rf"unpacks to 33554\d+ bytes, more than the {(16 << 20) + 20 * len(bomb)}"):
        npz.Archive(io.BytesIO(bomb))
    with pytest.raises(ValueError, match=r"unpacks to \d+ bytes, more than the 100 allowed"):
        npz.Archive(io.BytesIO(archive()), max_bytes=100)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as twice, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(2):
            twice.writestr("x.npy", array_file((0,)))
    with pytest.raises(ValueError, match="two arrays of the same name"):
        npz.Archive(file)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as packed:
        packed.writestr("x.npy", array_file((0,)))
    with pytest.raises(ValueError, match="array 'x' has an unknown compression"):
        npz.Archive(file)["x"]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_archive_is_read_or_is_a_value_error(save):
    random, whole = Random(5), archive(save=save)
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(random.randint(1, 3)):
            start = random.randrange(len(data))
            data[start : start + random.choice([0, 1, 9])] = random.randbytes(random.choice([0, 1, 5]))
        try:
            dict(npz.Archive(io.BytesIO(data)))
        except ValueError:
            continue


def test_load_arrays_names_the_file(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.zeros(1))
    for make in (lambda arrays: arrays["y"], lambda arrays: int(arrays["x"] / arrays["x"]), lambda _: int("a")):
        with np.errstate(invalid="ignore"), pytest.raises(ValueError, match=r"x\.npz: not a file of numbers: "):
            npz.load_arrays(tmp_path / "x.npz", "numbers", make)
    with pytest.raises(FileNotFoundError):
        npz.load_arrays(tmp_path / "y.npz", "numbers", dict)


def test_a_member_that_claims_more_bytes_than_the_archive_has_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"x")
    content = path.read_bytes()
    entry = content.index(b"PK\x01\x02")
    path.write_bytes(content[: entry + 20] + (2**31 - 1).to_bytes(4, "little") + content[entry + 24 :])
    with path.open("rb") as file, pytest.raises(ValueError, match="more bytes than the archive"):
        open_zip(file, 10)
