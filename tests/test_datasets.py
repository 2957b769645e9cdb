"""Files of the datasets: images, texts, pools, and the description of files."""

import base64
import io
import json
import multiprocessing
import os
import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import muge_fast as mf
from muge_fast.datasets import BrokenLine, ImageTsv, read_pool, read_texts
from muge_fast.evaluation import describe


def picture(size=(5, 4), kind="PNG", mode="RGB"):
    Image = pytest.importorskip("PIL.Image")  # noqa: N806 - the name of the module
    data = io.BytesIO()
    Image.new(mode, size, 77).save(data, kind)
    return data.getvalue()


def some_bytes(count=40, seed=1):
    rng = random.Random(seed)
    return {str(1000 + 7 * n): rng.randbytes(rng.choice([1, 2, 3, 500, 70_000])) for n in range(count)}


@pytest.mark.parametrize("threads", [1, 2, 3, 2**70])
@pytest.mark.parametrize("encode", [base64.standard_b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_images_in_every_encoding(tmp_path, encode, padded, end, threads):
    expected = some_bytes()
    text = {key: encode(data) if padded else encode(data).rstrip(b"=") for key, data in expected.items()}
    path = tmp_path / "images.tsv"
    path.write_bytes(end.join(key.encode() + b"\t" + value for key, value in text.items()))
    images = ImageTsv(path, threads=threads)
    assert dict(images) == expected
    assert list(images) == list(expected)
    assert images.base64("1007") == text["1007"]
    assert "1007" in images
    assert 1007 not in images
    with pytest.raises(KeyError):
        images["1"]


def test_written_images_are_read(tmp_path):
    expected = some_bytes()
    ImageTsv.write(tmp_path / "images.tsv", expected)
    assert dict(ImageTsv(tmp_path / "images.tsv")) == expected
    ImageTsv.write(tmp_path / "images.tsv", iter([("红裙", b"1")]))
    assert dict(ImageTsv(tmp_path / "images.tsv")) == {"红裙": b"1"}
    for bad in ({}, {"": b"1"}, {"a\tb": b"1"}, {"a\n": b"1"}, [("a", b"1"), ("a", b"2")], {"a": b""}):
        with pytest.raises(ValueError, match="image"):
            ImageTsv.write(tmp_path / "images.tsv", bad)
    with pytest.raises(ValueError, match="the id has 1024 bytes, at most 1023"):
        ImageTsv.write(tmp_path / "images.tsv", {"x" * 1024: b"1"})
    for start in ("\ufeffa", "PK\x03\x04"):
        with pytest.raises(ValueError, match="the first id begins like a compressed file"):
            ImageTsv.write(tmp_path / "images.tsv", {start: b"1"})
    with pytest.raises(TypeError, match="image 7: ids must be strings, got int"):
        ImageTsv.write(tmp_path / "images.tsv", {7: b"1"})
    assert dict(ImageTsv(tmp_path / "images.tsv")) == {"红裙": b"1"}
    ImageTsv.write(tmp_path / "long.tsv", {"x" * 1023: b"1"})
    assert list(ImageTsv(tmp_path / "long.tsv")) == ["x" * 1023]
    (tmp_path / "long.tsv").unlink()
    assert [path.name for path in tmp_path.iterdir()] == ["images.tsv"]


def test_folders_to_files_and_back(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    expected = {"7.png": picture(), "a b.jpg": picture(kind="JPEG"), "x.gif": picture(kind="GIF", mode="P")}
    for name, data in expected.items():
        (source / name).write_bytes(data)
    (source / "notes.txt").write_text("not an image")
    ImageTsv.write(tmp_path / "images.tsv", source)
    images = ImageTsv(tmp_path / "images.tsv")
    images.extract(target)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == expected
    assert images.image("7").size == (5, 4)
    ImageTsv.write(tmp_path / "evil.tsv", {"../evil": b"1"})
    with pytest.raises(ValueError, match=r"id '\.\./evil' cannot be the name of a file"):
        ImageTsv(tmp_path / "evil.tsv").extract(target)


def test_broken_lines_raise_or_are_skipped(tmp_path):
    path = tmp_path / "images.tsv"
    path.write_bytes(b"1\tAAAA\n\nno tab\n2\tBBBB\n3\t\n1\tCCCC\n4\t!!!!\n")
    with pytest.raises(ValueError, match="line 3 has no tab after the id"):
        ImageTsv(path)
    images = ImageTsv(path, broken="skip")
    assert list(images) == ["1", "2", "4"]
    assert images["1"] == b"\0\0\0"
    assert list(map(str, images.broken_lines)) == [
        "line 3 has no tab after the id",
        "line 5 has no image after the tab",
        "line 6 has the id '1' a second time",
    ]
    assert [(line.number, line.id) for line in images.broken_lines] == [(3, None), (5, None), (6, "1")]
    assert isinstance(images.broken_lines[0], BrokenLine)
    with pytest.raises(ValueError, match="line 7: image '4' is not base64"):
        images["4"]
    path.write_bytes(b"1\tAAAA\n2\tBBBB\n1\tCCCC\n")
    with pytest.raises(ValueError, match="line 3 has the id '1' a second time"):
        ImageTsv(path)
    with pytest.raises(ValueError, match="unknown broken 'no', choose one of refuse, skip"):
        ImageTsv(path, broken="no")
    with pytest.raises(FileNotFoundError):
        ImageTsv(tmp_path / "no.tsv")


def test_limits_on_lines_stop_reading(tmp_path):
    path = tmp_path / "images.tsv"
    path.write_bytes(b"".join(b"broken\n%d\tAAAA\n" % (number // 2) for number in range(100)))
    images = ImageTsv(path, broken="skip", max_broken=30)
    assert (len(images), len(images.broken_lines)) == (15, 30 + 14)
    assert [line.number for line in images.broken_lines] == sorted(line.number for line in images.broken_lines)
    images = ImageTsv(path, broken="skip", max_images=7, max_broken=50)
    assert list(images) == ["0", "1", "2", "3"]
    assert [line.number for line in images.broken_lines] == [1, 3, 4, 5, 7, 8, 9, 11, 12, 13]
    for name in ("max_images", "max_broken"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
            ImageTsv(path, **{name: 0})
        with pytest.raises(TypeError, match=f"{name} must be an integer"):
            ImageTsv(path, **{name: 1.5})


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"\x1f\x8b\x08\0", "compressed with gzip"),
        (b"PK\x03\x04", "zip archive"),
        (b"\xef\xbb\xbf1\tAAAA", "byte order mark"),
        ("1\tAAAA".encode("utf-16"), "UTF-16"),
    ],
)
def test_files_in_another_format_are_named(tmp_path, start, message):
    path = tmp_path / "images.tsv"
    path.write_bytes(start)
    with pytest.raises(ValueError, match=f"images.tsv: the file .*{message}"):
        ImageTsv(path)
    report = mf.check("t2i", path)
    assert [message in error for error in report.errors] == [True]


def test_pipes_and_folders_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.tsv")
    with pytest.raises(ValueError, match=r"pipe\.tsv: the path is not a regular file"):
        ImageTsv(tmp_path / "pipe.tsv")
    with pytest.raises(ValueError, match="the path is a directory"):
        ImageTsv(tmp_path)


def test_broken_images_are_named(tmp_path):
    whole = picture((60, 60))
    bomb = bytearray(picture((1, 1)))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    ImageTsv.write(tmp_path / "images.tsv", {"cut": whole[:-30], "text": b"no image", "bomb": bytes(bomb)})
    images = ImageTsv(tmp_path / "images.tsv")
    for key in images:
        with pytest.raises(ValueError, match=f"image '{key}' is broken"):
            images.image(key)


def test_a_file_that_shrinks_is_an_error(tmp_path):
    path = tmp_path / "images.tsv"
    ImageTsv.write(path, some_bytes())
    images = ImageTsv(path)
    pickled = pickle.dumps(images)
    os.truncate(path, 1000)
    with pytest.raises(OSError, match="was changed"):
        dict(images)
    with pytest.raises(ValueError, match="was changed since it was indexed"):
        pickle.loads(pickled)  # noqa: S301 - pickled above


def sizes(images):
    return sum(len(data) for data in images.values())


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_other_processes_and_threads_read_the_same_images(tmp_path, method):
    path = tmp_path / "images.tsv"
    ImageTsv.write(path, some_bytes())
    images = ImageTsv(path)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(sizes, [images] * 4) == [sizes(images)] * 4
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(sizes, [images] * 8)) == [sizes(images)] * 8


def test_a_torch_dataset_of_images(tmp_path):
    torch = pytest.importorskip("torch")
    ImageTsv.write(tmp_path / "images.tsv", {str(n): picture((n + 1, 2), mode="L") for n in range(9)})
    from muge_fast.datasets import ImageTsvDataset  # noqa: PLC0415 - imports torch

    images = ImageTsv(tmp_path / "images.tsv")
    dataset = ImageTsvDataset(images, np.array)
    assert isinstance(dataset, torch.utils.data.Dataset)
    loader = torch.utils.data.DataLoader(dataset, batch_size=None, num_workers=2)
    shapes = [(key, tuple(image.shape)) for key, image in loader]
    assert shapes == [(str(n), (2, n + 1, 3)) for n in range(9)]
    assert ImageTsvDataset(images)[3][1].mode == "RGB"
    for arguments, message in (
        ((tmp_path,), "images must be an ImageTsv"),
        ((images, 5), "transform must be callable"),
    ):
        with pytest.raises(TypeError, match=message):
            ImageTsvDataset(*arguments)


def test_texts(tmp_path):
    path = tmp_path / "T2I_val.text.tsv"
    path.write_text("a\t红色 连衣裙\r\n\nb\tx\ty\n", encoding="utf-8")
    assert read_texts(path) == {"a": "红色 连衣裙", "b": "x\ty"}
    for bad, message in (("a", "line 2"), ("\tx", "line 2"), ("a\t ", "line 2"), ("z\tx", "'z' occurs more than once")):
        path.write_text(f"z\tx\n{bad}\n")
        with pytest.raises(ValueError, match=message):
            read_texts(path)
    path.write_bytes(b"a\t\xff")
    with pytest.raises(ValueError, match="line 1: invalid UTF-8 at byte 2"):
        read_texts(path)
    path.write_text("a\tx", encoding="utf-8-sig")
    with pytest.raises(
        ValueError, match=r"text\.tsv: the file starts with a byte order mark; save it as UTF-8 without BOM"
    ):
        read_texts(path)


def test_pools(tmp_path):
    ImageTsv.write(tmp_path / "pool.tsv", {"3": b"1", "-5": b"1"})
    assert read_pool(tmp_path / "pool.tsv") == {3, -5}
    for bad in ("x", "1.0", "٣", "9" * 30):
        (tmp_path / "pool.txt").write_text(f"1\n{bad}\n", encoding="utf-8")
        with pytest.raises(ValueError, match="line 2: expected an integer"):
            read_pool(tmp_path / "pool.txt")
    (tmp_path / "pool.txt").write_bytes(b"1\n\n2\xff")
    with pytest.raises(ValueError, match=r"pool\.txt, line 3: invalid UTF-8 at byte 1"):
        read_pool(tmp_path / "pool.txt")
    ImageTsv.write(tmp_path / "pool.tsv", {"a": b"1"})
    with pytest.raises(ValueError, match="line 1: expected an integer"):
        read_pool(tmp_path / "pool.tsv")


def test_ids_of_pools_have_64_bits(tmp_path):
    least, largest = -(2**63), 2**63 - 1
    path = tmp_path / "pool.txt"
    path.write_text(f"{least}\n{largest}\n007\n")
    assert read_pool(path) == {least, largest, 7}
    for bad in (least - 1, largest + 1, "9" * 5000, "-", "--1"):
        path.write_text(f"1\n{bad}\n")
        with pytest.raises(ValueError, match=r"line 2: expected an integer of at most 64 bits, got"):
            read_pool(path)


def test_files_are_recognised(tmp_path):
    rows = [{"query_id": n, "query_text": "裙", "item_ids": [n, 5]} for n in range(3)]
    ten = [{"query_id": n, "item_ids": list(range(10))} for n in range(3)]
    contents = {
        "MR_valid_queries.jsonl": "\n".join(map(json.dumps, rows)),
        "pred.jsonl": "\n".join(map(json.dumps, ten)),
        "IC_valid.jsonl": '{"image_id": "a", "text": ["红裙", "裙"]}\n{"image_id": "a", "text": ["x"]}',
        "IC_pred.jsonl": '{"image_id": "a", "text": "红裙"}\n{"image_id": 5}',
        "labels.jsonl": '{"image_id": "a", "label": "裙"}',
        "img_feat.jsonl": '{"image_id": 4, "feature": [0.5, 1]}\n{"image_id": 4, "feature": [0.5, 1]}',
        "T2I_val.text.tsv": "a1\t红色连衣裙\nb2\t鞋\nno tab",
        "other.jsonl": '{"a": 1}',
        "other.txt": "hello",
    }
    for name, text in contents.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    ImageTsv.write(tmp_path / "MR_valid_imgs.tsv", {str(1000 + 7 * n): bytes(500) for n in range(5)})
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04")
    files = {os.path.basename(file["path"]): file for file in describe(tmp_path)["files"]}  # noqa: PTH119
    kinds = {name: file["kind"] for name, file in files.items()}
    assert kinds == {
        "MR_valid_queries.jsonl": "retrieval gold",
        "MR_valid_imgs.tsv": "images",
        "pred.jsonl": "retrieval submission",
        "IC_valid.jsonl": "caption gold",
        "IC_pred.jsonl": "caption submission",
        "labels.jsonl": "classification gold or submission",
        "img_feat.jsonl": "features",
        "T2I_val.text.tsv": "texts",
        "other.jsonl": "unknown JSON lines",
        "other.txt": "unknown",
        "x.zip": "zip",
    }
    queries, captions = files["MR_valid_queries.jsonl"], files["IC_valid.jsonl"]
    assert (queries["rows"], queries["ids"], queries["items"]["mean"], queries["distinct_items"]) == (3, [0, 2], 2, 4)
    assert captions["references"] == {"min": 2, "mean": 2.0, "max": 2}
    assert captions["problems"] == 1
    assert captions["errors"] == ["line 2: image_id a occurs more than once with different values, first in line 1"]
    assert (files["MR_valid_imgs.tsv"]["rows"], files["MR_valid_imgs.tsv"]["ids"]) == (5, [1000, 1028])
    assert files["img_feat.jsonl"]["dimensions"] == 2
    assert [files[name]["problems"] for name in ("img_feat.jsonl", "T2I_val.text.tsv", "pred.jsonl")] == [1, 1, 0]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([str(7 * n) for n in range(90)], [0, 623]),
        ([f"{n:04}" for n in range(90)], ["0000", "0089"]),
        ([str(n) for n in range(9, 90)] + ["007"], ["007", "89"]),
        ([f"k{n}" for n in range(90)], ["k0", "k9"]),
    ],
)
def test_large_tsv_files_are_described_in_parts(tmp_path, monkeypatch, ids, expected):
    path = tmp_path / "texts.tsv"
    path.write_text("".join(f"{key}\t{'裙' * (n + 1)}\n" for n, key in enumerate(ids)) + "no tab\n", encoding="utf-8")
    whole = describe(path)
    count = len(ids)
    assert whole["ids"] == expected
    assert (whole["rows"], whole["problems"]) == (count, 1)
    assert whole["bytes_of_text"] == {"min": 3, "mean": 3 * (count + 1) / 2, "max": 3 * count}
    monkeypatch.setattr("muge_fast.evaluation.tsv_info.PART", 7)
    assert describe(path) == whole
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{ids[3]}\tx\n{ids[5]}")
    info = describe(path)
    assert (info["rows"], info["problems"]) == (count + 1, 3)
    errors = [
        f"line {count + 1} has no tab after the id",
        f"line {count + 3} has no tab after the id; the file ends in this line, it may be cut off",
        "1 line repeats an earlier id",
    ]
    assert info["errors"] == errors
    monkeypatch.setattr("muge_fast.evaluation.tsv_info.MAX_LINES", 20)
    assert describe(path)["errors"] == ["reading stopped after line 21; the file has more than are counted"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("has_padding", [True, False])
def test_an_image_file_cut_off_at_any_byte_of_its_last_line_is_named(tmp_path, kind, has_padding):
    gold, submission = tmp_path / "gold.tsv", tmp_path / "pred.tsv"
    ImageTsv.write(gold, {key: picture((7, 5), kind) for key in ("im0", "im1")})
    data = gold.read_bytes()
    if not has_padding:
        data = data.replace(b"=", b"")
    first = data.index(b"\n") + 1
    # Nothing is lost without the line end and the padding.
    last = len(data.rstrip(b"\n="))
    for end in range(first + 1, len(data) + 1):
        submission.write_bytes(data[:end])
        report = mf.check("t2i", submission, gold=gold)
        if end in {last, len(data) - 1, len(data)}:
            assert report.ok, end
        elif not report.ok:
            assert report.errors[0] == "the file ends in the middle of line 2: it was cut off"
        else:
            # The padding was cut off.
            assert end > last
    submission.write_bytes(data[: last - 9])
    with pytest.raises(ValueError, match="the file ends in this line, it may be cut off"):
        ImageTsv(submission).image("im1")


def test_a_last_line_without_an_end_is_not_always_cut_off(tmp_path):
    gold, submission = tmp_path / "gold.tsv", tmp_path / "pred.tsv"
    ImageTsv.write(gold, {key: picture() for key in "ab"})
    large = base64.b64encode(picture((3000, 1000)))
    submission.write_bytes(gold.read_bytes().split(b"\n")[0] + b"\nb\t" + large)
    assert mf.check("t2i", submission, limits=mf.Limits(pixels=1000)).errors == [
        "line 2: img_id b: the image cannot be decoded: has 3000 x 1000 pixels, at most 1000 are allowed"
    ]
    submission.write_bytes(b"a\tbroken00\nb\tbroken00")
    assert [problem.code for problem in mf.check("t2i", submission).problems] == ["broken_image"] * 2


def test_names_are_the_same_as_at_the_top():
    from muge_fast import datasets  # noqa: PLC0415 - the import is under test

    assert datasets.read_captions is mf.read_captions
    assert datasets.read_queries is mf.read_queries
