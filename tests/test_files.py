"""Caption and query files, and paths that are not regular files."""

import json
import os
import re
import subprocess
import sys

import pytest

import data
import muge_fast as mf
from muge_fast.datasets import read_pool, read_texts
from muge_fast.evaluation import describe


@pytest.fixture
def read(tmp_path):
    def read_bytes(content: bytes | str):
        path = tmp_path / "captions.jsonl"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return mf.read_captions(path)

    return read_bytes


def line(image_id, text) -> str:
    return json.dumps({"image_id": image_id, "text": text}, ensure_ascii=False)


def test_predictions_and_references_keep_the_order_of_the_file(read):
    assert list(read(f"{line('b', '红')}\n{line('a', '黑')}\n").items()) == [("b", "红"), ("a", "黑")]
    assert read(f"{line('b', ['红', '裙'])}\n{line('a', ['黑'])}") == {"b": ["红", "裙"], "a": ["黑"]}


@pytest.mark.parametrize("name", ["IC_sample.jsonl", "IC_sample.pred.base.jsonl"])
def test_sample_files_are_read(name, tmp_path):
    rows = data.samples(name)
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert mf.read_captions(path) == {row["image_id"]: row["text"] for row in rows}
    assert mf.read_captions(str(path)) == mf.read_captions(path)


def test_read_files_can_be_scored(read):
    references = read(f"{line('a', ['红裙', '红色裙'])}\n{line('b', ['黑鞋'])}")
    predictions = read(f"{line('b', '黑鞋')}\n{line('a', '红裙')}")
    scores = mf.score_captions(predictions, references)
    assert scores.ids == ["a", "b"]
    assert scores["rouge_l"].value == 1.0


def test_blank_lines_and_windows_line_ends_are_skipped(read):
    assert read(f"\r\n{line('a', '红')}\r\n\n  \n{line('b', '黑')}\r\n\r\n") == {"a": "红", "b": "黑"}
    assert read("") == {}
    assert read("\n\n") == {}


def test_other_line_ends_belong_to_the_text(read):
    text = "红\u2028裙\u0085\u000b长"
    assert read(line("a", text)) == {"a": text}


def test_other_fields_are_ignored_and_texts_kept_as_they_are(read):
    assert read('{"score": NaN, "text": "", "image_id": ""}') == {"": ""}
    assert read('{"image_id": "a", "text": "\\u7ea2 \\n"}') == {"a": "红 \n"}


BROKEN = [
    ("not json", "invalid JSON at character 0: Expecting value"),
    ('{"image_id": "a", "text": "x"', "invalid JSON at character 29: Expecting ',' delimiter"),
    ('{"image_id": "a", "text": "x"} {}', "invalid JSON at character 31: Extra data"),
    ("{'image_id': 'a'}", "invalid JSON at character 1: Expecting property name"),
    (b'{"image_id": "a", "text": "\xff"}', "invalid UTF-8 at byte 27"),
    ("[" * 100_000, "nested too deeply"),
    ('["a", "x"]', "expected a JSON object {…}, got a list of 2"),
    ("null", "expected a JSON object {…}, got null"),
    ("7", "expected a JSON object {…}, got 7"),
    ('{"text": "x"}', "field image_id is missing"),
    ('{"image_id": "a"}', "field text is missing"),
    (line(5, "x"), "image_id is 5, expected a string"),
    (line(None, "x"), "image_id is null, expected a string"),
    (line("a", None), "image_id a: text is null, expected a string"),
    (line("a", 5), "text is 5, expected a string"),
    (line("a", []), "text is a list of 0, expected a string"),
    (line("a", {"b": 1}), "text is an object, expected a string"),
    (line("first", "x"), "image_id first occurs more than once, first in line 1"),
    (line("first", "y"), "image_id first occurs more than once with different values, first in line 1"),
    (line("a", ["x"]), "text is a list of 1, expected a string"),
    (f'{{"image_id": "a", "text": {"9" * 5000}}}', "invalid JSON"),
]

BROKEN_REFERENCES = [
    (line("a", []), "image_id a has no text, needs at least one"),
    (line("a", ["x", 5]), "image_id a: text[1] is 5, expected a string"),
    (line("a", "x"), "text is 'x', expected a list of strings"),
    (line("first", ["x"]), "image_id first occurs more than once"),
]


@pytest.mark.parametrize(("broken", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_broken_lines_of_predictions_are_named(read, broken, message):
    broken = broken if isinstance(broken, bytes) else broken.encode()
    with pytest.raises(ValueError, match=rf"captions\.jsonl, line 3: .*{re.escape(message)}"):
        read(line("first", "x").encode() + b"\n\n" + broken + b"\n" + b"also broken")


@pytest.mark.parametrize(("broken", "message"), BROKEN_REFERENCES)
def test_broken_lines_of_references_are_named(read, broken, message):
    with pytest.raises(ValueError, match=rf"captions\.jsonl, line 2: .*{re.escape(message)}"):
        read(f"{line('first', ['x'])}\n{broken}\nalso broken")


def test_the_kind_of_a_file_can_be_required(tmp_path):
    predictions, references = tmp_path / "pred.jsonl", tmp_path / "gold.jsonl"
    predictions.write_text(line("a", "红"), encoding="utf-8")
    references.write_text(line("a", ["红"]), encoding="utf-8")
    assert mf.read_captions(predictions, kind="predictions") == {"a": "红"}
    assert mf.read_captions(references, kind="references") == {"a": ["红"]}
    with pytest.raises(ValueError, match=r"gold\.jsonl: this looks like a caption gold file, not a caption submission"):
        mf.read_captions(references, kind="predictions")
    with pytest.raises(ValueError, match=r"pred\.jsonl: this looks like a caption submission, not a caption gold file"):
        mf.read_captions(predictions, kind="references")
    with pytest.raises(ValueError, match="unknown kind 'gold', choose one of predictions, references"):
        mf.read_captions(references, kind="gold")


def test_queries_keep_the_names_of_their_first_line(tmp_path):
    path = tmp_path / "queries.jsonl"
    path.write_text('{"text_id": 1, "text": 5, "image_ids": []}\n{"text_id": 2, "image_ids": [7], "other": NaN}')
    assert mf.read_queries(path) == {1: [], 2: [7]}
    path.write_text('{"text_id": 1, "image_ids": []}\n{"query_id": 2, "item_ids": [7]}')
    with pytest.raises(ValueError, match=r"line 2: .*'query_id', 'item_ids'.* first line has text_id, image_ids"):
        mf.read_queries(path)


@pytest.mark.parametrize(("start", "message"), [(b"\xef\xbb\xbf", "byte order mark"), (b"\x1f\x8b", "gzip")])
def test_files_in_other_encodings_are_named(read, start, message):
    with pytest.raises(ValueError, match=rf"captions\.jsonl: .*{message}"):
        read(start + line("a", "红").encode())


def test_files_that_cannot_be_read_raise_os_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        mf.read_captions(tmp_path / "missing.jsonl")
    with pytest.raises(IsADirectoryError):
        mf.read_captions(tmp_path)


def test_lone_surrogates_are_read_but_not_scored(read):
    predictions = read('{"image_id": "a", "text": "红\\ud800"}')
    with pytest.raises(ValueError, match=r"predictions\['a'\]: lone surrogate at character 1"):
        mf.score_captions(predictions, {"a": ["红"]})


# Pipes and devices

READERS = {
    "captions": mf.read_captions,
    "queries": mf.read_queries,
    "features": mf.read_features,
    "texts": read_texts,
    "pool": read_pool,
    "pool.tsv": read_pool,
    "info": describe,
    "user_dict": lambda path: mf.tokenize(["红裙"], "jieba", user_dict=path),
}

posix = pytest.mark.skipif(os.name != "posix", reason="needs pipes and devices with a path")


@posix
@pytest.mark.parametrize("name", READERS)
def test_pipes_and_devices_are_refused_without_waiting(name, tmp_path):
    os.mkfifo(tmp_path / name)
    with pytest.raises(ValueError, match=rf"{name}: not a regular file"):
        READERS[name](tmp_path / name)
    with pytest.raises(ValueError, match="/dev/zero: not a regular file"):
        READERS[name]("/dev/zero")


@posix
@pytest.mark.parametrize("path", ["/dev/stdin", "/dev/fd/0", *(["/proc/self/fd/0"] if sys.platform == "linux" else [])])
def test_open_streams_are_read(path):
    script = f"import muge_fast as mf; print(mf.read_captions({path!r}))"
    content = '{"image_id": "a", "text": "b"}'
    result = subprocess.run([sys.executable, "-c", script], input=content, capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    assert result.stdout == "{'a': 'b'}\n"
