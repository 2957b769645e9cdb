"""Hostile inputs for ``scripts/attack_campaign.py`` of which one field after the other is changed."""

import io
import zipfile
from pathlib import Path
from random import Random

import numpy as np

import attack_fields
import muge_fast as mf
from attack_inputs import Attempt, pictures, refused, write
from muge_fast.datasets.decoding import broken_images
from muge_fast.image.sources import decode_batches


def variants() -> dict[str, list[bytes]]:
    """Return images of each format in all modes, compressions and numbers of frames that Pillow writes."""
    from PIL import Image  # noqa: PLC0415 - an extra

    ramp = Image.linear_gradient("L").resize((40, 24))
    made: dict[str, list[bytes]] = {kind: [] for kind in attack_fields.IMAGES}
    options = {
        "PNG": [{}, {"save_all": True}, {"bits": 4}],
        "JPEG": [
            {},
            {"progressive": True},
            {"restart_marker_blocks": 2},
            {"exif": exif()},
            {"icc_profile": b"x" * 70_000},
        ],
        "TIFF": [{"compression": kind} for kind in (None, "tiff_lzw", "packbits", "jpeg", "lzma", "zstd", "group4")],
        "GIF": [{}, {"save_all": True}, {"interlace": 1}],
        "WEBP": [{}, {"lossless": True}, {"save_all": True}],
        "BMP": [{}],
    }
    options["TIFF"] += [{"big_tiff": True}, {"exif": exif()}, {"save_all": True}]
    for mode in ("1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "F", "I;16", "PA"):
        picture = (
            ramp.convert("RGB").convert("P").convert("PA")
            if mode == "PA"
            else ramp.convert(mode[0] if ";" in mode else mode)
        )
        picture = picture.convert(mode) if ";" in mode else picture
        for kind, ways in options.items():
            for way in ways:
                file = io.BytesIO()
                frames = {"append_images": [picture.rotate(90), picture]} if "save_all" in way else {}
                try:
                    picture.save(file, kind, **way, **frames)
                except (OSError, ValueError, KeyError, RuntimeError):
                    continue
                made[kind].append(file.getvalue())
    runs = b"".join(bytes((2, gray, 3, 9)) for gray in range(8)) + b"\0\0\0\3abc\0\0\2\1\1\0\1"
    header = made["BMP"][1][:30] + b"\1\0\0\0" + made["BMP"][1][34:1078]
    made["BMP"].append(header + runs * 24)
    return made


def exif() -> bytes:
    """Return the tags of an image: an orientation, a resolution, and a directory."""
    from PIL import Image  # noqa: PLC0415 - an extra

    tags = Image.Exif()
    tags[274], tags[282], tags[296], tags[0x8769] = 6, 72.0, 2, {36867: "2026:01:01 00:00:00"}
    return tags.tobytes()


VARIANTS: dict[str, list[bytes]] = {}


def image_fields(random: Random, folder: Path) -> str:
    """Try images of all variants with other fields and other blocks."""
    del folder
    VARIANTS.update(VARIANTS or variants())
    kind = random.choice(list(VARIANTS))
    image = attack_fields.IMAGES[kind](random, random.choice(VARIANTS[kind]))
    problems = dict(broken_images({"a": image}, ["a"], threads=1, max_pixels=mf.Limits().pixels))
    assert all(reason.isprintable() for reason in problems.values()), problems
    return "refused: reason" if problems else "decoded"


def fields_of_arrays(random: Random, folder: Path) -> str:
    """Try .npy and .npz files with other fields, as features, document frequencies and statistics."""
    from muge_fast.image import FID, Statistics  # noqa: PLC0415 - not of all classes

    file = io.BytesIO()
    kind = random.randrange(3)
    if kind == 0:
        np.save(file, np.ones((4, 3), "f4"))
        return refused(lambda: mf.read_features(write(folder / "x.npy", attack_fields.npy(random, file.getvalue()))))
    made = io.BytesIO()
    saved = {"mu": np.zeros(3), "sigma": np.eye(3)} if kind == 1 else {"ids": np.arange(4), "features": np.ones((4, 3))}
    with zipfile.ZipFile(made, "w", random.choice((0, 8))) as target:
        for name, array in saved.items():
            file = io.BytesIO()
            np.save(file, array)
            target.writestr(
                f"{name}.npy", attack_fields.npy(random, file.getvalue()) if random.random() < 0.4 else file.getvalue()
            )
    data = made.getvalue()
    path = write(folder / "x.npz", attack_fields.archive(random, data) if random.random() < 0.5 else data)
    readers = [Statistics.load, FID.load, mf.DocumentFrequency.load] if kind == 1 else [mf.read_features]
    return refused(lambda: random.choice([*readers, mf.evaluation.describe])(path))


def fields_of_tables(random: Random, folder: Path) -> str:
    """Try Parquet and Arrow files with other fields."""
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import feather, parquet  # noqa: PLC0415

    ids = random.choice(
        (pa.array([1, 2, 3]), pa.array(["a", "红", "c"]), pa.array(["a", "b", "c"]).dictionary_encode())
    )
    values = pa.array(
        [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], random.choice((pa.list_(pa.float32()), pa.list_(pa.float64(), 2)))
    )
    table, file = pa.table({"image_id": ids, "feature": values}), io.BytesIO()
    if random.random() < 0.5:
        way = random.choice(
            (
                {},
                {"compression": "zstd"},
                {"data_page_version": "2.0"},
                {"use_dictionary": False, "compression": "none"},
            )
        )
        parquet.write_table(table, file, store_schema=random.random() < 0.5, **way)
        path = write(folder / "x.parquet", attack_fields.parquet(random, file.getvalue()))
    else:
        feather.write_feather(table, file, compression=random.choice(("lz4", "zstd", "uncompressed")))
        path = write(folder / "x.arrow", attack_fields.arrow(random, file.getvalue()))
    return refused(lambda: mf.read_features(path))


def fields_of_zips(random: Random, folder: Path) -> str:
    """Try zip files of images with other fields."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", random.choice((0, 8))) as archive:
        for row, data in enumerate(pictures()[:3]):
            archive.writestr(f"{row}.png", data)
    path = write(folder / "images.zip", attack_fields.archive(random, file.getvalue()))
    return refused(lambda: list(decode_batches(path, 2, 1)) and None)


def fields_of_weights(random: Random, folder: Path) -> str:
    """Try files of torch.save with other fields."""
    import torch  # noqa: PLC0415 - an extra

    from muge_fast.image.extractors.state_dicts import read_state  # noqa: PLC0415 - imports torch

    file = io.BytesIO()
    torch.save({"a": torch.ones(4, 3), "b.c": torch.arange(5), "h": torch.ones(2).half()}, file)
    data = attack_fields.weights(random, file.getvalue())
    return refused(lambda: read_state(folder / "x.pth", data))


CLASSES: dict[str, Attempt] = {
    "fields of images": image_fields,
    "fields of zip files": fields_of_zips,
    "fields of .npz and .npy files": fields_of_arrays,
    "fields of weights": fields_of_weights,
    "fields of Parquet and Arrow files": fields_of_tables,
}
"""Classes of hostile inputs by name."""
