"""Feature files: every number is the one that Python reads, and errors name the line or row."""

import io
import json
import re
from contextlib import suppress
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import muge_fast as mf


def write(path, lines):
    path.write_bytes(b"".join(line if isinstance(line, bytes) else line.encode() + b"\n" for line in lines))
    return path


def line(number, feature, field="image_id"):
    return json.dumps({field: number, "feature": feature})


def check_numbers(folder, texts):
    path = write(folder / "numbers.jsonl", [f'{{"text_id": 1, "feature": [{", ".join(texts)}]}}'])
    expected = np.array([float(text) for text in texts]).astype("float32")
    assert mf.read_features(path)[1][0].tobytes() == expected.tobytes()


def midpoints():
    """Return doubles halfway between two floats, and the doubles next to them."""
    rng = np.random.default_rng(0)
    low = rng.integers(0, 0x7F7FFFFF, 3000).astype("uint32").view("float32").astype("float64")
    high = np.nextafter(low.astype("float32"), np.float32(np.inf)).astype("float64")
    middle = (low + high) / 2
    near = np.concatenate([middle, np.nextafter(middle, np.inf), np.nextafter(middle, -np.inf)])
    return near[near < 3.4028235e38]


def test_numbers_between_two_floats(tmp_path):
    check_numbers(tmp_path, [repr(number) for number in midpoints().tolist()])
    check_numbers(tmp_path, [f"{number:.40e}" for number in midpoints().tolist()])
    check_numbers(tmp_path, [f"-{number:.17e}" for number in midpoints().tolist()])


def test_odd_numbers(tmp_path):
    odd = ["0", "-0", "0.0", "-0.0", "1e-400", "5e-324", "1e-45", "1.4e-45", "7e-46", "7.006492321624085e-46", "1E+5"]
    odd += ["1" + "0" * 38, "0." + "0" * 400 + "1", "1" * 30 + "." + "3" * 370, "123456789012345678901234567890e-20"]
    odd += ["0e999999999999", "16777217", "16777219", "9007199254740993", "3.4028235677973362e38", "2.5e-1"]
    check_numbers(tmp_path, odd)


floats = st.floats(width=32, allow_nan=False, allow_infinity=False) | st.floats(-3e38, 3e38)


@given(st.integers(1, 9).flatmap(lambda width: st.lists(st.lists(floats, min_size=width, max_size=width), min_size=1)))
def test_any_floats(tmp_path_factory, rows):
    path = write(tmp_path_factory.mktemp("any") / "f.jsonl", [line(n, row) for n, row in enumerate(rows)])
    ids, features = mf.read_features(path)
    assert ids.tolist() == list(range(len(rows)))
    assert features.tobytes() == np.array(rows).astype("float32").tobytes()


@pytest.mark.parametrize("field", ["image_id", "text_id", "query_id"])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_file_of_many_blocks(tmp_path, field, threads):
    rng = np.random.default_rng(5)
    expected = rng.normal(size=(900, 129)).astype("float32")
    numbers = rng.permutation(10**5)[:900] if threads == 1 else np.arange(900) * 7 - 100
    rows = [line(int(n), row, field) for n, row in zip(numbers, expected.tolist(), strict=True)]
    ids, features = mf.read_features(write(tmp_path / "f.jsonl", rows), threads=threads)
    np.testing.assert_array_equal(ids, numbers)
    assert features.tobytes() == expected.tobytes()
    assert features.flags.c_contiguous


def test_forms_of_lines(tmp_path):
    lines = [
        '{"image_id": 1, "feature": [1, 2]}',
        ' \t{ "feature" :[ 1.5 ,2 ] , "image_id" : 2 }\r',
        "",
        '{"image_id":3,"name":{"a":[1,"]}"]},"feature":[3,4],"score":null}',
        '{"image\\u005fid": 4, "fe\\u0061ture": [1e0, 2E0]}',
        '{"image_id": -9223372036854775808, "feature": [0, 0]}',
    ]
    ids, features = mf.read_features(write(tmp_path / "f.jsonl", lines))
    assert ids.tolist() == [1, 2, 3, 4, -(2**63)]
    assert features.tolist() == [[1, 2], [1.5, 2], [3, 4], [1, 2], [0, 0]]


GOOD = '{"image_id": 1, "feature": [1, 2]}'


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ('{"image_id": 2, "feature": [1]}', "feature has 1 numbers, the first line has 2"),
        ('{"image_id": 2, "feature": []}', "feature is empty, needs at least one number"),
        ('{"image_id": 2}', "feature is missing"),
        ('{"feature": [1, 2]}', "image_id, item_id, text_id or query_id is missing"),
        (
            '{"image_id": true, "feature": [1, 2]}',
            "invalid type: boolean `true`, expected an integer of at most 64 bits or a string",
        ),
        (
            '{"image_id": 2.0, "feature": [1, 2]}',
            "invalid type: floating point `2.0`, expected an integer of at most 64 bits",
        ),
        ('{"image_id": "2", "feature": [1, 2]}', "image_id is a string, in the first line an integer"),
        ('{"text_id": 2, "feature": [1, 2]}', "has text_id, the first line has image_id"),
        ('{"image_id": null, "feature": [1, 2]}', "invalid type: null, expected an integer of at most 64 bits"),
        ('{"image_id": 2, "features": [1, 2]}', "feature is missing, the line has features"),
        ('{"image_id": "\\ud83d", "feature": [1, 2]}', "unexpected end of hex escape|lone leading surrogate"),
        ('{"image_id": 9223372036854775808, "feature": [1, 2]}', "invalid value: integer"),
        ('{"image_id": 2, "feature": [1, NaN]}', r"feature\[1\] is NaN, needs a finite number"),
        ('{"image_id": 2, "feature": [1, -Infinity]}', r"feature\[1\] is -Infinity, needs a finite number"),
        ('{"image_id": 2, "feature": [1, true]}', r"invalid type: boolean `true`, expected a number as feature\[1\]"),
        ('{"image_id": 2, "feature": [1, 1e39]}', r"feature\[1\] is 1e39, too large for float32"),
        ('{"image_id": 2, "feature": [1, 1e400]}', r"feature\[1\] is 1e400, needs a finite number"),
        ('{"image_id": 2, "feature": [1, null]}', r"invalid type: null, expected a number as feature\[1\]"),
        ('{"image_id": 2, "feature": [[1, 2]]}', r"invalid type: sequence, expected a number as feature\[0\]"),
        ('{"image_id": 2, "feature": "AAAA"}', 'invalid type: string "AAAA", expected a list of numbers as feature'),
        ('{"image_id": 2, "feature": [1, 01]}', "invalid number"),
        ('{"image_id": 2, "feature": [1, 2}', "expected `,` or `]`"),
        ('{"image_id": 2, "feature": [1, 2', "EOF while parsing a list"),
        ('{"image_id": 2, "feature": [1, 2]} x', "trailing characters"),
        ('{"image_id": 2, "text_id": 2, "feature": [1, 2]}', "text_id is a second id"),
        ('{"image_id": 2, "feature": [1, 2], "feature": [1, 2]}', "feature is a second feature"),
        ("[1, 2]", "invalid type: sequence, expected an object with image_id"),
        ('{"image_id": 2, "x": ' + "[" * 100_000, "EOF while parsing a list"),
        (b'{"image_id": 2, "feature": [\xff]}\n', "not UTF-8 at byte 28"),
        (b"\xef\xbb\xbf" + GOOD.encode(), "starts with a byte order mark"),
        (b"\x1f\x8b\x08\x00rest", "is compressed with gzip"),
    ],
)
def test_broken_lines(tmp_path, bad, message):
    path = write(tmp_path / "f.jsonl", [GOOD, "", bad, "not even JSON"])
    with pytest.raises(ValueError, match=rf"f\.jsonl: line 3: {message}"):
        mf.read_features(path)


def test_repeated_ids_are_named(tmp_path):
    path = write(tmp_path / "f.jsonl", [line(7, [1.0]), line(8, [1.0]), line(7, [2.0])])
    with pytest.raises(ValueError, match=r"f\.jsonl: id 7 occurs twice, in lines 1 and 3"):
        mf.read_features(path)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match=r"f\.jsonl: the file is empty"):
        mf.read_features(write(tmp_path / "f.jsonl", []))
    with pytest.raises(FileNotFoundError):
        mf.read_features(tmp_path / "missing")
    with pytest.raises((OSError, ValueError)):
        mf.read_features(tmp_path)


# Other formats, and writing

SUFFIXES = [".jsonl", ".npy", ".npz", ".parquet", ".arrow", ".feather"]


def some_features(rows=300, width=33):
    features = np.random.default_rng(8).standard_normal((rows, width), dtype="float32")
    features.flat[:6] = [-0.0, 1e-45, -1e-38, 3.4028235e38, 16777217, 1e-5]
    return features


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_written_files_are_read_back(tmp_path, suffix):
    path, features = tmp_path / f"features{suffix}", some_features()
    ids = np.arange(300) if suffix == ".npy" else np.arange(300)[::-1] * 7 - 2**40
    for field in ("image_id", "text_id", "query_id"):
        mf.write_features(path, ids, features, id_field=field)
        read_ids, read = mf.read_features(path)
        assert read_ids.tolist() == ids.tolist()
        assert (read.tobytes(), read.dtype, read_ids.dtype) == (features.tobytes(), np.float32, np.int64)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_lines_are_json_with_the_same_numbers(tmp_path, threads):
    path, features = tmp_path / "f.jsonl", some_features(5000, 3)
    mf.write_features(path, range(5000), features, threads=threads)
    rows = [json.loads(text) for text in path.read_text().splitlines()]
    assert [row["image_id"] for row in rows] == list(range(5000))
    assert np.array([row["feature"] for row in rows]).astype("float32").tobytes() == features.tobytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_error_of_writing_leaves_no_file(tmp_path, suffix):
    path, features = tmp_path / f"f{suffix}", some_features(3, 2)
    for ids, rows, error, message in (
        ([0, 1], features, ValueError, r"ids have shape \(2,\), features \(3, 2\)"),
        ([0, 1, 1], features, ValueError, r"ids: id 1 occurs twice, at \[1\] and \[2\]"),
        ([0, 1, 2], np.full((3, 2), np.inf), ValueError, r"features\[0, 0\] is inf, needs a finite float32"),
        ([0, 1, 2], [[1e39], [0], [0]], ValueError, r"features\[0, 0\] is 1e\+39"),
        ([], np.zeros((0, 2)), ValueError, "features are empty"),
        ([0.5, 1, 2], features, TypeError, "ids are float64, needs integers or strings"),
        ([0, 1, 2], [["a"], ["b"], ["c"]], TypeError, "features have dtype <U1"),
    ):
        with pytest.raises(error, match=message):
            mf.write_features(path, np.array(ids, dtype=None if ids else int), rows)
    with pytest.raises(ValueError, match="unknown id_field 'id', choose one of image_id"):
        mf.write_features(path, [0, 1, 2], features, id_field="id")
    assert not list(tmp_path.iterdir())


def test_a_file_without_ids_needs_row_indices_as_ids(tmp_path):
    with pytest.raises(ValueError, match="ids are not row indices"):
        mf.write_features(tmp_path / "f.npy", [1, 2], [[0.5], [0.5]])


def test_float64_and_float16_become_float32(tmp_path):
    wide = np.random.default_rng(1).normal(size=(4, 3))
    np.save(tmp_path / "f.npy", wide)
    np.savez(tmp_path / "f.npz", image_id=[3, 1, 2, 0], feature=wide.astype("float16"))
    assert mf.read_features(tmp_path / "f.npy")[1].tobytes() == wide.astype("float32").tobytes()
    ids, features = mf.read_features(tmp_path / "f.npz")
    assert ids.tolist() == [3, 1, 2, 0]
    assert features.tobytes() == wide.astype("float16").astype("float32").tobytes()


@pytest.mark.parametrize("order", "<>")
def test_unsigned_ids_that_do_not_fit_are_refused_in_both_byte_orders(tmp_path, order):
    ids = np.array([2**63 + 5, 1], f"{order}u8")
    with pytest.raises(ValueError, match=rf"ids: \[0\] is {2**63 + 5}, which does not fit in int64"):
        mf.write_features(tmp_path / "f.npz", ids, some_features(2, 2))
    mf.write_features(tmp_path / "f.npz", ids[1:], some_features(1, 3))
    assert mf.read_features(tmp_path / "f.npz")[0].tolist() == [1]


def array_of_shape(shape):
    """Return an ``.npy`` file that declares this shape, and has no data."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


def encrypted_archive():
    """Return an ``.npz`` file whose members are marked as encrypted."""
    file = io.BytesIO()
    np.savez(file, ids=np.arange(2), features=np.ones((2, 2)))
    data = bytearray(file.getvalue())
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for header in re.finditer(magic, bytes(data)):
            data[header.start() + flags] |= 1
    return bytes(data)


def broken_files():
    pa = pytest.importorskip("pyarrow")
    rows = [[0.5, 1.0], [2.0, 3.0]]
    return {
        "text.npy": (b"not an array", "not an array of features"),
        "objects.npy": (np.array([{}], dtype=object), "not an array of features: .*Python objects"),
        "flat.npy": (np.zeros(3), r"features \(3,\): need \(rows,\) and \(rows, dimensions\)"),
        "nan.npy": (np.array([[np.nan]]), r"features\[0, 0\] is nan"),
        "many.npy": (array_of_shape((1 << 40, 0)), "features are empty"),
        "claims.npy": (array_of_shape((1 << 40, 4)), "not an array of features: declares [0-9]+ bytes of data, has 0"),
        "cut.npy": (array_of_shape("(1, 2"), "not an array of features: .*header"),
        "encrypted.npz": (encrypted_archive(), "not an archive of features: array 'ids' is encrypted"),
        "text.npz": (b"PK not an archive", "not an archive of features"),
        "names.npz": ({"x": np.zeros(3)}, r"has arrays \['x'\], needs one of ids, image_id"),
        "bomb.npz": (
            {"ids": np.arange(2), "features": np.zeros((2, 1 << 24))},
            "unpacks to [0-9]+ bytes, more than the [0-9]+ allowed",
        ),
        "text.parquet": (b"not a table", "not a Parquet file"),
        "names.parquet": (pa.table({"id": [1, 2], "feature": rows}), r"has columns \['id', 'feature'\]"),
        "twice.parquet": (
            pa.Table.from_arrays([pa.array([1, 2]), *[pa.array(rows)] * 2], ["text_id", "feature", "feature"]),
            "Multiple matches|has columns",
        ),
        "ids.parquet": (
            pa.table({"text_id": [1, None], "feature": rows}),
            r"text_id\[1\] is null, every row needs an id",
        ),
        "uneven.parquet": (pa.table({"text_id": [1, 2], "feature": [[0.5], []]}), r"feature\[1\] has 0"),
        "no_rows.parquet": (pa.table({"text_id": pa.array([], pa.int64()), "feature": rows[:0]}), "has no rows"),
        "nulls.parquet": (
            pa.table({"text_id": [1, 2], "feature": [[0.5], [None]]}),
            r"feature\[1\] is null at \[0\], needs a finite number",
        ),
        "missing.parquet": (
            pa.table({"text_id": [1, 2], "feature": [[0.5], None]}),
            r"feature\[1\] is null, every row",
        ),
        "kind.parquet": (pa.table({"text_id": [1, 2], "feature": ["a", "b"]}), "feature is a column of string"),
    }


def test_errors_of_broken_files_name_the_file(tmp_path):
    from pyarrow import parquet  # noqa: PLC0415 - only with the extra

    for name, (content, message) in broken_files().items():
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, np.ndarray):
            np.save(path, content)
        elif isinstance(content, dict):
            np.savez_compressed(path, **content)
        else:
            parquet.write_table(content, path)
        with pytest.raises(ValueError, match=message) as caught:
            mf.read_features(path)
        assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_mutated_file_is_read_or_refused(tmp_path, suffix):
    if suffix in (".parquet", ".arrow", ".feather"):
        pytest.importorskip("pyarrow")
    path, random = tmp_path / f"f{suffix}", Random(3)
    mf.write_features(path, range(3), some_features(3, 2))
    whole = path.read_bytes()
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            start = random.randrange(len(data))
            data[start : start + random.choice([0, 1, 9])] = random.randbytes(random.choice([0, 1, 5]))
        path.write_bytes(data)
        with suppress(ValueError, TypeError):
            mf.read_features(path)


def test_a_repeated_column_is_named(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import feather  # noqa: PLC0415 - only with the extra

    columns = [pa.array([1, 2]), *[pa.array([[0.5], [1.0]])] * 2]
    feather.write_feather(pa.Table.from_arrays(columns, ["text_id", "feature", "feature"]), tmp_path / "f.arrow")
    with pytest.raises(ValueError, match=r"f\.arrow: has columns \['text_id', 'feature', 'feature'\], needs feature"):
        mf.read_features(tmp_path / "f.arrow")


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([1.5], TypeError, r"f\.npz: ids are float64, needs integers or strings"),
        ([True], TypeError, r"f\.npz: ids are booleans, needs integers or strings"),
        ([b"\xe7\xba"], ValueError, r"f\.npz: ids\[0\] is bytes that are not UTF-8"),
    ],
)
def test_errors_of_ids_name_the_file(tmp_path, ids, error, message):
    np.savez(tmp_path / "f.npz", ids=ids, features=np.ones((1, 2)))
    with pytest.raises(error, match=message):
        mf.read_features(tmp_path / "f.npz")


def test_ids_of_bytes_are_utf8(tmp_path):
    np.savez(tmp_path / "f.npz", ids=["红裙".encode(), b"a"], features=np.ones((2, 2)))
    assert mf.read_features(tmp_path / "f.npz")[0].tolist() == ["红裙", "a"]


def test_a_missing_file_is_an_os_error(tmp_path):
    for suffix in SUFFIXES:
        with pytest.raises(OSError, match="f"):
            mf.read_features(tmp_path / f"f{suffix}")
