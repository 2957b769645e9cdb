"""The file of a verdict with the influence of items: every metric, and files that are broken on purpose."""

import io
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest

import muge_fast as mf
from leaderboard_items import scores_of_hits
from muge_fast.leaderboard.standings.item_rows import MAX_BYTES, read_item_rows, write_item_rows
from muge_fast.scores import Scores, mean_score, set_score
from muge_fast.tasks.classification import score_classification

HEADER = {"format": 1, "metric": "m", "signature": "m|version:0", "value": "0x1p-1", "order": "x", "samples": 1}


def packed(header=HEADER, influence=(0.5, -0.5), **members) -> bytes:
    """Return a file with this header and these members."""
    file = io.BytesIO()
    text = header if isinstance(header, (str, bytes)) else json.dumps(header)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in {"header.json": text, "influence_0": np.array(influence).tobytes(), **members}.items():
            archive.writestr(name, content)
    return file.getvalue()


def test_a_mean_is_restored_to_the_bit():
    scores = scores_of_hits([1, 0, 0])
    found = read_item_rows(write_item_rows(scores, "mean_recall"))
    assert (found.metric, found.value, found.sizes) == ("mean_recall", scores["mean_recall"].value, (3,))
    assert found.signature == scores["mean_recall"].signature
    (influence,) = scores["mean_recall"].influence
    assert found.samples[0].tolist() == influence.tolist()


def test_every_metric_of_a_caption_has_a_file():
    predictions = ["红色连衣裙", "黑鞋", "白色衬衫长袖"]
    scores = mf.score_captions(predictions, [["红色连衣裙"], ["黑色皮鞋"], ["白衬衫"]])
    for name, score in scores.items():
        found = read_item_rows(write_item_rows(scores, name))
        assert found.value == score.value
        assert found.samples[0].tolist() == score.influence[0].tolist()


def test_macro_f1_and_metrics_of_two_samples_have_a_file():
    scores = score_classification({"a": "鞋", "b": "鞋", "c": "裙"}, {"a": "鞋", "b": "裙", "c": "裙"})
    assert read_item_rows(write_item_rows(scores, "macro_f1")).sizes == (3,)
    fid = set_score("fid", "fid|version:0", 17.0, influence=(np.array([1.0, -1.0]), np.array([1.0, 0, -1.0])))
    assert read_item_rows(write_item_rows(Scores({"fid": fid}), "fid")).sizes == (2, 3)


def test_scores_without_influence_have_no_file():
    without = Scores({"fid": set_score("fid", "fid|version:0", 17.0)})
    single = scores_of_hits([1])
    infinite = Scores({"m": mean_score("m", "m|version:0", np.array([1.0, np.inf]))}, 2)
    assert write_item_rows(without, "fid") is None
    assert write_item_rows(single, "mean_recall") is None
    assert write_item_rows(infinite, "m") is None


def test_very_many_items_have_no_file():
    def written(items):
        return write_item_rows(Scores({"m": mean_score("m", "m|version:0", np.arange(items) % 2.0)}, items), "m")

    assert read_item_rows(written(1_000_000)).sizes == (1_000_000,)
    assert written(1_050_000) is None


def test_equal_scores_give_equal_bytes_and_other_ids_another_order():
    files = [write_item_rows(scores_of_hits([1, 0, 0]), "mean_recall") for _ in range(2)]
    assert files[0] == files[1]
    one, other = (mf.score_retrieval({a: [1], b: [2]}, {a: [1], b: [1]}, ks=[1]) for a, b in ((1, 2), (2, 1)))
    orders = [read_item_rows(write_item_rows(scores, "mean_recall")).order for scores in (one, other)]
    assert orders[0] != orders[1]


def test_a_file_of_5000_items_is_small():
    data = write_item_rows(scores_of_hits([number % 3 == 0 for number in range(5000)]), "mean_recall")
    assert len(data) < 2000
    assert read_item_rows(packed()).value == 0.5


def declaring(data: bytes, size: int) -> bytes:
    """Return a file whose directory declares another size for its first member."""
    start = data.index(b"PK\x01\x02")
    return data[: start + 24] + struct.pack("<I", size) + data[start + 28 :]


BROKEN = {
    "empty": b"",
    "text": b"hello",
    "truncated": packed()[:-30],
    "pickle": pickle.dumps({"value": 1}),
    "npz": packed(**{"header.npy": b""})[:60],
    "no header": packed(header=""),
    "header not UTF-8": packed(header=b"\xff\xfe"),
    "header a list": packed(header="[]"),
    "header too deep": packed(header="[" * 100_000),
    "other format": packed(header=HEADER | {"format": 2}),
    "no samples": packed(header=HEADER | {"samples": 0}),
    "many samples": packed(header=HEADER | {"samples": 10**9}),
    "samples of another type": packed(header=HEADER | {"samples": 1.5}),
    "missing sample": packed(header=HEADER | {"samples": 2}),
    "value not hexadecimal": packed(header=HEADER | {"value": "one"}),
    "value too large": packed(header=HEADER | {"value": "0x1p99999"}),
    "value a number": packed(header=HEADER | {"value": 0.5}),
    "infinite value": packed(header=HEADER | {"value": "inf"}),
    "signature a number": packed(header=HEADER | {"signature": 5}),
    "half a number": packed(influence_0=b"123"),
    "one item": packed(influence=[0.5]),
    "NaN": packed(influence=[0.5, float("nan")]),
    "huge number": packed(influence=[1e200, -1e200]),
    "declared too large": declaring(packed(), MAX_BYTES + 1),
    "declared too small": declaring(packed(), 3),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_error(name):
    with pytest.raises(ValueError, match=r"^not a file of scores of items: "):
        read_item_rows(BROKEN[name])


def test_a_bomb_is_refused_before_it_is_unpacked():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(HEADER))
        with archive.open("influence_0", "w", force_zip64=True) as member:
            for _ in range(16):
                member.write(bytes(1 << 24))
    assert len(file.getvalue()) < 1_000_000
    with pytest.raises(ValueError, match="more than"):
        read_item_rows(file.getvalue())
