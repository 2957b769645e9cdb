"""Reading caption files."""

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
def test_the_samples(name, tmp_path):
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
    ("not json", "not JSON: Expecting value at character 0"),
    ('{"image_id": "a", "text": "x"', "not JSON: Expecting ',' delimiter at character 29"),
    ('{"image_id": "a", "text": "x"} {}', "not JSON: Extra data"),
    ("{'image_id': 'a'}", "not JSON: Expecting property name"),
    (b'{"image_id": "a", "text": "\xff"}', "not UTF-8 at byte 27"),
    ("[" * 100_000, "not JSON that can be read: nested too deeply"),
    ('["a", "x"]', "expected an object, found list"),
    ("null", "expected an object, found NoneType"),
    ("7", "expected an object, found int"),
    ('{"text": "x"}', "field 'image_id' is missing"),
    ('{"image_id": "a"}', "field 'text' is missing"),
    (line(5, "x"), "image_id: expected a string, found int"),
    (line(None, "x"), "image_id: expected a string, found NoneType"),
    (line("a", None), "text: expected a string or a list of strings that is not empty"),
    (line("a", 5), "text: expected a string or a list"),
    (line("a", []), "text: expected a string or a list of strings that is not empty"),
    (line("a", ["x", 5]), "text: expected a string or a list"),
    (line("a", {"b": 1}), "text: expected a string or a list"),
    (line("first", "x"), "image_id 'first' comes a second time"),
    (line("a", ["x"]), "text is a string in one line and a list in another"),
    (f'{{"image_id": "a", "text": {"9" * 5000}}}', "line 3"),
]


@pytest.mark.parametrize(("broken", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_broken_lines_are_named(read, broken, message):
    broken = broken if isinstance(broken, bytes) else broken.encode()
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        read(line("first", "x").encode() + b"\n\n" + broken + b"\n" + b"also broken")
    assert re.search(r"captions\.jsonl, line 3: ", str(caught.value))


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
def test_pipes_and_devices_are_refused_before_anybody_waits_for_them(name, tmp_path):
    os.mkfifo(tmp_path / name)
    with pytest.raises(ValueError, match=rf"{name}: not a regular file"):
        READERS[name](tmp_path / name)
    with pytest.raises(ValueError, match="/dev/zero: not a regular file"):
        READERS[name]("/dev/zero")


@posix
@pytest.mark.parametrize("path", ["/dev/stdin", "/dev/fd/0", *(["/proc/self/fd/0"] if sys.platform == "linux" else [])])
def test_what_is_handed_over_through_a_pipe_is_read(path):
    script = f"import muge_fast as mf; print(mf.read_captions({path!r}))"
    given = '{"image_id": "a", "text": "b"}'
    made = subprocess.run([sys.executable, "-c", script], input=given, capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    assert made.stdout == "{'a': 'b'}\n"
