"""String ids of feature files in every format, and files that are something else."""

import bz2
import gzip
import io
import json
import pickle
from random import Random

import numpy as np
import pytest

import muge_fast as mf
from muge_fast.features.files import read_feature_file
from muge_fast.image.text_features import features_in_order

SUFFIXES = [".jsonl", ".npz", ".parquet", ".arrow", ".feather"]
ODD = [
    "abc",
    "007",
    "7",
    "",
    " ",
    "裙",
    "😀\U0010ffff",
    'a"\\/',
    "\t\n\r\x0b\x1c\x85\u2028",
    "\x00b",
    "x" * 5000,
    "1e3",
    "nan",
]


def skip_without_pyarrow(suffix):
    if suffix in (".parquet", ".arrow", ".feather"):
        pytest.importorskip("pyarrow")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("field", ["image_id", "item_id", "text_id", "query_id"])
def test_string_ids_are_read_back_from_every_format(tmp_path, suffix, field):
    skip_without_pyarrow(suffix)
    path, features = tmp_path / f"f{suffix}", np.arange(2 * len(ODD), dtype="float32").reshape(-1, 2)
    mf.write_features(path, ODD, features, id_field=field)
    ids, read = mf.read_features(path)
    assert (ids.dtype, ids.shape) == (object, (len(ODD),))
    assert ids.tolist() == ODD
    assert {type(key) for key in ids} == {str}
    assert read.tobytes() == features.tobytes()
    assert read_feature_file(path).id_field == (None if suffix == ".npz" else field)


def test_lines_of_string_ids_are_json(tmp_path):
    path = tmp_path / "f.jsonl"
    mf.write_features(path, ODD, np.ones((len(ODD), 1)), id_field="text_id")
    lines = path.read_bytes().decode("utf-8").split("\n")[:-1]
    assert [json.loads(line) for line in lines] == [{"text_id": key, "feature": [1.0]} for key in ODD]
    # As other programs write them.
    for ascii_only in (True, False):
        path.write_text(
            "".join(json.dumps({"text_id": key, "feature": [1]}, ensure_ascii=ascii_only) + "\n" for key in ODD),
            "utf-8",
        )
        assert mf.read_features(path)[0].tolist() == ODD


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_string_ids_match_the_ids_of_images(tmp_path, suffix):
    skip_without_pyarrow(suffix)
    path = tmp_path / f"f{suffix}"
    mf.write_features(path, ["000012", "b", "12"], [[1.0], [2.0], [3.0]])
    found = features_in_order("image_features", path, ["12", "000012", "b"], count=3)
    assert found.tolist() == [[3.0], [1.0], [2.0]]
    with pytest.raises(ValueError, match="lack 1 id of the images: '012'"):
        features_in_order("image_features", path, ["12", "012", "b"], count=3)


def test_strings_of_several_blocks_keep_their_order(tmp_path):
    random, path = Random(1), tmp_path / "f.jsonl"
    ids = [f"{number}裙" for number in random.sample(range(10**6), 3000)]
    features = np.random.default_rng(2).standard_normal((3000, 64), dtype="float32")
    path.write_text(
        "".join(
            json.dumps({"image_id": key, "feature": row}, ensure_ascii=random.random() < 0.5) + "\n"
            for key, row in zip(ids, features.tolist(), strict=True)
        ),
        "utf-8",
    )
    for threads in (1, 3):
        read_ids, read = mf.read_features(path, threads=threads)
        assert read_ids.tolist() == ids
        assert read.tobytes() == features.tobytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        (["a", "b", "a"], ValueError, r"ids: id 'a' occurs twice, at \[0\] and \[2\]"),
        ([1, "1", 2], TypeError, r"ids: \[1\] is '1', a string, and \[0\] is an integer"),
        (["a", None, "b"], ValueError, r"ids\[1\] is missing"),
        (["a", "\ud83d", "b"], ValueError, r"ids: \[1\] is '\\ud83d', which has a lone surrogate"),
        ([b"a", b"b", b"c"], TypeError, r"ids: \[0\] is bytes, ids must be integers or strings"),
    ],
)
def test_ids_that_no_file_can_hold_are_refused(tmp_path, suffix, ids, error, message):
    skip_without_pyarrow(suffix)
    with pytest.raises(error, match=message):
        mf.write_features(tmp_path / f"f{suffix}", ids, np.ones((3, 2)))
    assert not list(tmp_path.iterdir())


def test_formats_that_lose_strings_refuse_them(tmp_path):
    with pytest.raises(ValueError, match=r"ids: \[1\] ends in a null character, which an \.npz file cannot hold"):
        mf.write_features(tmp_path / "f.npz", ["a", "b\0"], np.ones((2, 2)))
    with pytest.raises(ValueError, match="ids are not row indices"):
        mf.write_features(tmp_path / "f.npy", ["0", "1"], np.ones((2, 2)))
    assert not list(tmp_path.iterdir())


def test_columns_and_tensors_are_written(tmp_path):
    pandas, torch = pytest.importorskip("pandas"), pytest.importorskip("torch")
    path, features = tmp_path / "f.jsonl", torch.ones((2, 3), requires_grad=True)
    for given, expected in (
        (pandas.Series(["a", "b"], index=[5, 3]), ["a", "b"]),
        (torch.tensor([5, 3]), [5, 3]),
        (np.array(["a", "b"]), ["a", "b"]),
    ):
        mf.write_features(path, given, features)
        assert mf.read_features(path)[0].tolist() == expected
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        mf.write_features(path, ["a", "b"], features.to(dtype) / 2)
        assert mf.read_features(path)[1].tolist() == [[0.5] * 3] * 2
    with pytest.raises(TypeError, match="features is a masked array with 1 masked entry"):
        mf.write_features(path, ["a", "b"], np.ma.masked_equal(np.array([[1.0], [2.0]]), 2))


# Tables and arrays


def tables(pa):
    rows = [[0.5], [1.0], [1.5]]
    strings = ["a", "裙", "c"]
    return {
        "large": (pa.table({"text_id": pa.array(strings, pa.large_string()), "feature": rows}), strings),
        "view": (pa.table({"text_id": pa.array(strings, pa.string_view()), "feature": rows}), strings),
        "categories": (pa.table({"text_id": pa.array(strings).dictionary_encode(), "feature": rows}), strings),
        "int32": (pa.table({"text_id": pa.array([3, 1, 2], pa.int32()), "feature": rows}), [3, 1, 2]),
        "null id": (pa.table({"text_id": ["a", "b", None], "feature": rows}), r"text_id\[2\] is null, every row needs"),
        "null category": (
            pa.table({"text_id": pa.array(["a", None, "b"]).dictionary_encode(), "feature": rows}),
            r"text_id\[1\] is null",
        ),
        "null row": (
            pa.table({"text_id": strings, "feature": [[0.5], None, [1.0]]}),
            r"feature\[1\] is null, every row needs a list of numbers",
        ),
        "first row null": (pa.table({"text_id": strings, "feature": [None, [0.5], [1.0]]}), r"feature\[0\] is null"),
        "null number": (
            pa.table({"text_id": strings, "feature": [[0.5, 1], [0.5, 2], [3, None]]}),
            r"feature\[2\] is null at \[1\], needs a finite number",
        ),
        "nan": (
            pa.table({"text_id": strings, "feature": [[0.5, 1], [0.5, np.nan], [3, 4]]}),
            r"features\[1, 1\] is nan",
        ),
        "infinite": (pa.table({"text_id": strings, "feature": [[0.5], [-np.inf], [3]]}), r"features\[1, 0\] is -inf"),
        "repeated": (pa.table({"text_id": ["a", "b", "a"], "feature": rows}), "id 'a' occurs twice, in rows 0 and 2"),
        "uneven": (
            pa.table({"text_id": strings, "feature": [[0.5], [1, 2], [3]]}),
            r"feature\[1\] has 2 numbers, the first row has 1",
        ),
        "floats": (pa.table({"text_id": [1.0, 2.0, 3.0], "feature": rows}), "text_id is a column of double, needs"),
        "binary": (pa.table({"text_id": [b"a", b"b", b"c"], "feature": rows}), "text_id is a column of binary, needs"),
        "both": (pa.table({"text_id": strings, "query_id": strings, "feature": rows}), "has columns"),
    }


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_tables_are_read_or_their_rows_are_named(tmp_path, suffix):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import feather, parquet  # noqa: PLC0415 - only with the extra

    for name, (table, expected) in tables(pa).items():
        path = tmp_path / f"f{suffix}"
        (parquet.write_table if suffix == ".parquet" else feather.write_feather)(table, path)
        if isinstance(expected, list):
            assert mf.read_features(path)[0].tolist() == expected, name
        else:
            with pytest.raises(ValueError, match=rf"f\{suffix}: .*{expected}"):
                mf.read_features(path)


def test_arrays_of_strings_are_read(tmp_path):
    path = tmp_path / "f.npz"
    for array in (np.array(["a", "裙"]), np.array(["a", "裙"], dtype=">U4")):
        np.savez(path, query_id=array, features=np.ones((2, 3)))
        file = read_feature_file(path)
        assert (file.ids.tolist(), file.id_field) == (["a", "裙"], "query_id")
    np.savez(path, ids=np.array(["a", "a"]), features=np.ones((2, 3)))
    with pytest.raises(ValueError, match="id 'a' occurs twice, in rows 0 and 1"):
        mf.read_features(path)
    np.savez(path, ids=np.arange(2), features=np.array([[1, 2], [3, np.nan]]))
    with pytest.raises(ValueError, match=r"features\[1, 1\] is nan, needs a finite float32"):
        mf.read_features(path)


# Files of another kind

LINE = b'{"image_id": 1, "feature": [0.5, 1.5]}\n'


def foreign_files():
    pa = pytest.importorskip("pyarrow")
    rename = "the name of such a file must end in"
    sink = pa.BufferOutputStream()
    from pyarrow import parquet  # noqa: PLC0415 - only with the extra

    parquet.write_table(pa.table({"image_id": [1], "feature": [[0.5]]}), sink)
    return {
        "f.jsonl": [
            (b"", "the file is empty"),
            (b" \n\n", "the file is empty"),
            (gzip.compress(LINE, mtime=0), "the file is compressed with gzip; decompress it first"),
            (bz2.compress(LINE), "the file is compressed with bzip2"),
            (LINE.decode().encode("utf-16"), "the file is encoded in UTF-16"),
            (b"\xef\xbb\xbf" + LINE, "byte order mark"),
            (pickle.dumps({"a": np.ones(2)}), "the file is a Python pickle"),
            (array_bytes(np.save), rf"the file is a NumPy array \(\.npy\); {rename} \.npy"),
            (array_bytes(np.savez), rf"the file is an archive of NumPy arrays \(\.npz\); {rename} \.npz"),
            (sink.getvalue().to_pybytes(), rf"the file is a Parquet file; {rename} \.parquet"),
            (b"[" + LINE.strip() + b"]", "the file is a JSON array, expected JSON Lines"),
            (b"image_id,feature\n1,0.5\n", "the file looks like CSV, expected JSON Lines"),
            (b"<!DOCTYPE html><html></html>", "the file is an HTML page"),
            (b'{"image_id": "a", "text": "b"}\n' * 3, "the file is a caption submission, needs lines with an id and a"),
            (
                b'{"query_id": 1, "item_ids": [2]}\n' * 3,
                "the file is a retrieval gold file, needs lines with an id and",
            ),
        ],
        "f.npz": [
            (b"", "the file is empty"),
            (gzip.compress(LINE, mtime=0), "gzip"),
            (array_bytes(np.save), r"must end in \.npy"),
        ],
        "f.npy": [
            (b"", "the file is empty"),
            (array_bytes(np.savez), r"must end in \.npz"),
            (pickle.dumps([1]), "pickle"),
        ],
        "f.parquet": [(b"", "the file is empty"), (array_bytes(np.save), r"must end in \.npy")],
    }


def array_bytes(save):
    file = io.BytesIO()
    save(file, np.ones((2, 2)))
    return file.getvalue()


def test_files_of_another_kind_are_recognized(tmp_path):
    for name, cases in foreign_files().items():
        for content, message in cases:
            (tmp_path / name).write_bytes(content)
            with pytest.raises(ValueError, match=message) as caught:
                mf.read_features(tmp_path / name)
            assert str(caught.value).startswith(str(tmp_path / name))
            assert len(str(caught.value).splitlines()) == 1


def test_hostile_names_of_fields_are_escaped(tmp_path):
    (tmp_path / "f.jsonl").write_text('{"image_id": 1, "\\u001b[31m\\nx": 2}\n{"image_id": 2, "a": 2}\n')
    with pytest.raises(ValueError, match="line 1: feature is missing") as caught:
        mf.read_features(tmp_path / "f.jsonl")
    assert str(caught.value).isprintable()
