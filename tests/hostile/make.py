"""Write the hostile files and their verdicts: ``python tests/hostile/make.py``.

A verdict is written by hand: pairs of a code of ``muge_fast.datasets.problems`` and a line number, which is null for
the file as a whole; an empty list for a file that looks broken but is valid.
"""

import base64
import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parent

TEN = list(range(1, 11))
GOOD = json.dumps({"query_id": 1, "item_ids": TEN}).encode()
LAST = json.dumps({"query_id": 3, "item_ids": TEN}).encode()
CAPTION = '{"image_id": "a", "text": "红色连衣裙"}'.encode()
CAPTION_LAST = '{"image_id": "c", "text": "鞋"}'.encode()

GOLD = {
    "retrieval": [{"query_id": n, "query_text": "连衣裙", "item_ids": [n, 100 + n]} for n in (1, 2, 3)],
    "caption": [{"image_id": n, "text": ["红色连衣裙", "裙子"]} for n in ("a", "b", "c")],
    "classification": [{"image_id": n, "label": label} for n, label in (("a", "裙"), ("b", "鞋"), ("c", "裙"))],
}


def second(row, first=GOOD, last=LAST):
    """Return a file with an unusual second line."""
    return b"\n".join([first, row if isinstance(row, bytes) else row.encode(), last, b""])


def row(items=TEN, key=2, **fields):
    return json.dumps({"query_id": key, "item_ids": items, **fields}, ensure_ascii=False)


def caption(text):
    return second(f'{{"image_id": "b", "text": {text}}}', CAPTION, CAPTION_LAST)


def captions_in(encoding, text):
    return "".join(f'{{"image_id": "{key}", "text": "{text}"}}\n' for key in "abc").encode(encoding)


def zipped(name="pred.jsonl"):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), second(row()))
    return data.getvalue()


def tarred():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("pred.jsonl"), io.BytesIO())
    return data.getvalue()


def document(rows, indent=None):
    """Return rows as one JSON document."""
    return json.dumps(rows, indent=indent).encode()


def lines(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


MISSING = ["missing_id", None]
ROWS = [{"query_id": n, "item_ids": TEN} for n in (1, 2, 3)]
CAPTIONS = [{"image_id": key, "text": "红色连衣裙"} for key in "abc"]
ENCODED = {
    "big5": ("big5", "紅色連衣裙"),
    "gbk_or_big5": ("gbk", "呵燕潦"),
    "shift_jis": ("shift_jis", "赤いワンピース"),
    "euc_jp": ("euc_jp", "赤いワンピース"),
    "euc_kr": ("euc_kr", "빨간 원피스 여성용 긴팔"),
}
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(60)
# The first bytes are enough to recognize these.
FIRST_BYTES = {
    "utf32": "{}".encode("utf-32"),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(20),
    "lz4": b"\x04\x22\x4d\x18" + bytes(20),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(20),
    "rar": b"Rar!\x1a\x07\x01\x00" + bytes(20),
    "bz2": bz2.compress(b"{}"),
    "xz": lzma.compress(b"{}"),
    "tar": tarred(),
    "pickle": pickle.dumps([1, 2], protocol=4),
    "torch": zipped("model/data.pkl"),
    "safetensors": (30).to_bytes(8, "little") + b'{"__metadata__":{}}           ',
    "npy": b"\x93NUMPY\x01\x00v\x00{'descr': '<i8'}",
    "npz": zipped("ids.npy"),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(20),
    "parquet": b"PAR1" + bytes(20),
    "arrow": b"ARROW1\x00\x00" + bytes(20),
    "sqlite": b"SQLite format 3\x00" + bytes(20),
    "office": zipped("[Content_Types].xml"),
    "pdf": b"%PDF-1.7\n",
    "picture": PICTURE,
    "html": b"<!DOCTYPE html>\n<html><title>404</title></html>\n",
    "xml": b'<?xml version="1.0"?>\n<rows/>\n',
    "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    "binary": bytes(100),
}
FILES = {
    # The file
    "retrieval/valid": (second(row()), []),
    "retrieval/crlf": (second(row()).replace(b"\n", b"\r\n"), []),
    # The script of the benchmark rejects blank lines, and ends lines at a carriage return.
    "retrieval/blank_lines": (
        b"\n \t\n" + second(row()).replace(b"\n", b"\n\r\n"),
        [["blank_line", line] for line in (1, 2, 4, 6, 8)],
    ),
    "retrieval/blank_last_line": (second(row()) + b"  ", [["blank_line", 4]]),
    "retrieval/carriage_return": (
        second(row().replace(", ", ",\r", 1)),
        [["carriage_return", 2], MISSING],
    ),
    "retrieval/only_carriage_returns": (second(row()).replace(b"\n", b"\r"), [["carriage_returns", None]]),
    "retrieval/two_carriage_returns": (
        second(row()).replace(b"\n", b"\r\r\n", 1),
        [["carriage_return", 1], ["missing_id", None]],
    ),
    "retrieval/no_last_line_end": (second(row())[:-1], []),
    "retrieval/other_order_and_form": (
        b"\n".join(b'{"image_ids": %s, "text": "x", "text_id": %d}' % (json.dumps(TEN).encode(), n) for n in (3, 1, 2)),
        [["other_names", None]],
    ),
    "retrieval/escaped_names": (second('{"query\\u005fid": 2, "item_ids": [1,2,3,4,5,6,7,8,9,10]}'), []),
    "retrieval/minus_zero": (second('{"query_id": 2, "item_ids": [-0,1,2,3,4,5,6,7,8,9]}'), []),
    "retrieval/empty": (b"", [["empty", None]]),
    "retrieval/only_white_space": (b"\n\n \r\n", [["empty", None]]),
    "retrieval/bom": (b"\xef\xbb\xbf" + second(row()), [["bom", None]]),
    "retrieval/utf16": (second(row()).decode().encode("utf-16"), [["utf16", None]]),
    "retrieval/gzip": (gzip.compress(second(row()), mtime=0), [["gzip", None]]),
    "retrieval/zip": (zipped(), [["zip", None]]),
    "retrieval/truncated": (second(row())[:-30], [["truncated", 3], MISSING]),
    "retrieval/not_utf8_at_all": (bytes(range(128, 256)), [["not_utf8", 1]]),
    **{f"retrieval/{code}": (data, [[code, None]]) for code, data in FIRST_BYTES.items()},
    "retrieval/utf16_without_bom": (second(row()).decode().encode("utf-16-le"), [["utf16", None]]),
    "retrieval/utf16_big_endian": (second(row()).decode().encode("utf-16-be"), [["utf16", None]]),
    "retrieval/utf32_without_bom": (second(row()).decode().encode("utf-32-be"), [["utf32", None]]),
    "retrieval/old_pickle": (pickle.dumps({1: TEN}, protocol=0), [["pickle", None]]),
    "retrieval/gbk": (second(row(query_text="红色连衣裙")).decode().encode("gbk"), [["gbk", None]]),
    "caption/gbk": (caption('"裙子"').decode().encode("gb18030"), [["gbk", None]]),
    **{f"caption/{code}": (captions_in(*encoded), [[code, None]]) for code, encoded in ENCODED.items()},
    # A broken line of a file in UTF-8, and a character of GBK in it, say nothing about the other lines.
    "caption/one_line_of_gbk": (
        second('{"image_id": "b", "text": "裙子"}'.encode("gbk"), CAPTION, CAPTION_LAST),
        [["not_utf8", 2], MISSING],
    ),
    # JSON that is not JSON Lines
    "retrieval/json_array": (document(ROWS), [["json_array", None]]),
    "retrieval/indented_json_array": (document(ROWS, 2), [["json_array", None]]),
    "retrieval/json_mapping": (document(dict.fromkeys((1, 2, 3), TEN)), [["json_mapping", None]]),
    "retrieval/indented_json_mapping": (document(dict.fromkeys((1, 2, 3), TEN), 2), [["json_mapping", None]]),
    "retrieval/pretty_json": (b"\n".join(document(row, 4) for row in ROWS), [["pretty_json", None]]),
    "retrieval/one_line": (b"".join(document(row) for row in ROWS), [["one_line", None]]),
    "retrieval/comma_lines": (b",\n".join(document(row) for row in ROWS), [["comma_lines", None]]),
    "retrieval/markdown": (b"```json\n" + lines(*ROWS) + b"```\n", [["markdown", None]]),
    "retrieval/rows_of_python": ("\n".join(map(str, ROWS)).encode(), [["python_rows", None]]),
    "retrieval/rows_of_python_with_integer_keys": (str({1: TEN, 2: TEN}).encode(), [["python_rows", None]]),
    "retrieval/list_of_python": (str(ROWS).encode(), [["python_rows", None]]),
    "retrieval/columns": (
        document({"query_id": {"0": 1, "1": 2}, "item_ids": {"0": TEN, "1": TEN}}),
        [["json_columns", None]],
    ),
    "retrieval/split_table": (
        document({"columns": ["query_id", "item_ids"], "index": [0], "data": [[1, TEN]]}),
        [["json_columns", None]],
    ),
    "retrieval/wrapper": (document({"version": "1", "predictions": ROWS}), [["json_wrapper", None]]),
    "retrieval/indented_wrapper": (document({"version": "1", "predictions": ROWS}, 2), [["json_wrapper", None]]),
    "retrieval/dumped_twice": (lines(*(json.dumps(row) for row in ROWS)), [["json_strings", None]]),
    "retrieval/line_numbers": (
        "".join(f"{number}: {json.dumps(row)}\n" for number, row in enumerate(ROWS)).encode(),
        [["prefixed_rows", None]],
    ),
    "retrieval/text_sequence": (
        "".join(f"\x1e{json.dumps(row)}\n" for row in ROWS).encode(),
        [["prefixed_rows", None]],
    ),
    "retrieval/csv_with_semicolons": (b"query_id;item_ids\n1;5\n2;6\n", [["csv", None]]),
    "caption/coco_annotations": (
        document({"info": {}, "images": [{"id": 1}], "annotations": [{"image_id": 1, "caption": "a"}]}),
        [["coco", None]],
    ),
    "caption/coco_results": (document([{"image_id": 1, "caption": "a"}]), [["json_array", None]]),
    "caption/csv": ("image_id,text\na,红色连衣裙\n".encode(), [["csv", None]]),
    "caption/tsv": ("a\t红色连衣裙\nb\t裙子\n".encode(), [["tsv", None]]),
    "caption/image_tsv": (b"a\t" + base64.b64encode(PICTURE) + b"\n", [["image_tsv", None]]),
    "retrieval/trec": (b"1 Q0 42 1 0.93 run\n1 Q0 43 2 0.91 run\n", [["trec", None]]),
    # Files of another task or side
    "retrieval/captions": (lines(*CAPTIONS), [["wrong_task", None]]),
    "retrieval/queries_without_items": (lines({"query_id": 1, "query_text": "裙"}), [["wrong_task", None]]),
    "retrieval/features": (lines({"text_id": 1, "feature": [0.5, 1]}), [["wrong_task", None]]),
    "retrieval/gold_as_submission": (
        lines(*({"query_id": n, "query_text": "裙", "item_ids": TEN[:n]} for n in (1, 2, 3))),
        [["wrong_role", None]] + [["wrong_count", n] for n in (1, 2, 3)],
    ),
    "caption/retrieval": (lines(*ROWS), [["wrong_task", None]]),
    "caption/labels": (lines(*GOLD["classification"]), [["wrong_task", None]]),
    "caption/gold_as_submission": (
        lines(*GOLD["caption"]),
        [["wrong_role", None]] + [["wrong_type", n] for n in (1, 2, 3)],
    ),
    "classification/captions": (lines(*CAPTIONS), [["wrong_task", None]]),
    # One row of another task
    "caption/one_label": (
        second('{"image_id": "b", "label": "裙"}', CAPTION, CAPTION_LAST),
        [["missing_field", 2]],
    ),
    "retrieval/no_shared_id": (
        lines(*({**row, "query_id": row["query_id"] + 100} for row in ROWS)),
        [["no_shared_id", None]] + [["unknown_id", n] for n in (1, 2, 3)] + [MISSING] * 3,
    ),
    # A line
    "retrieval/not_utf8": (
        second(b'{"query_id": 2, "query_text": "\xff", "item_ids": [1]}'),
        [["not_utf8", 2], MISSING],
    ),
    "retrieval/not_json": (second("query 2: 1 2 3"), [["not_json", 2], MISSING]),
    "retrieval/python_literal": (second("{'query_id': 2}"), [["not_json", 2], MISSING]),
    "retrieval/two_objects": (second(row() + row(key=4)), [["not_json", 2], MISSING]),
    "retrieval/two_objects_with_comma": (second(row() + "," + row(key=4)), [["not_json", 2], MISSING]),
    # Two lines that would be one valid row if joined with a comma.
    "retrieval/row_over_lines": (
        second(b'{"query_id": 2, "item_ids": [{}\n{}, 1, 2, 3, 4, 5, 6, 7, 8]}'),
        [["not_json", 2], ["not_json", 3], MISSING],
    ),
    "retrieval/array": (second("[1, 2]"), [["not_object", 2], MISSING]),
    "retrieval/number": (second("5"), [["not_object", 2], MISSING]),
    "retrieval/null": (second("null"), [["not_object", 2], MISSING]),
    "retrieval/deep": (second("[" * 50_000 + "]" * 50_000), [["too_deep", 2], MISSING]),
    "retrieval/deep_in_field": (second('{"query_id": 2, "item_ids": ' + "[" * 50_000), [["too_deep", 2], MISSING]),
    "retrieval/nan": (second('{"query_id": 2, "item_ids": [NaN]}'), [["nan", 2], MISSING]),
    "retrieval/infinity": (second('{"query_id": -Infinity, "item_ids": [1]}'), [["nan", 2], MISSING]),
    "retrieval/many_digits": (second(f'{{"query_id": {"9" * 5000}, "item_ids": [1]}}'), [["not_json", 2], MISSING]),
    "retrieval/repeated_field": (
        second('{"query_id": 2, "query_id": 2, "item_ids": [1]}'),
        [["repeated_field", 2], MISSING],
    ),
    "retrieval/escaped_repeated_field": (
        second('{"query_id": 2, "item_ids": [1,2,3,4,5,6,7,8,9,10], "query\\u005fid": 3}'),
        [["repeated_field", 2], MISSING],
    ),
    # Fields
    "retrieval/missing_field": (second('{"query_id": 2}'), [["missing_field", 2]]),
    "retrieval/missing_id_field": (second(f'{{"item_ids": {TEN}}}'), [["missing_field", 2], MISSING]),
    "retrieval/extra_fields": (second(row(score=1, rank={"a": [None]})), []),
    "retrieval/deep_extra_field": (second(row()[:-1] + ', "x": ' + "[" * 500 + "]" * 500 + "}"), []),
    "retrieval/extra_field_nan": (second(row(score=float("nan"))), [["nan", 2], MISSING]),
    "retrieval/repeated_extra_field": (second(row()[:-1] + ', "x": 1, "x": 1}'), [["repeated_field", 2], MISSING]),
    "retrieval/repeated_field_in_extra_field": (
        second(row()[:-1] + ', "x": {"y": 1, "y": 1}}'),
        [["repeated_field", 2], MISSING],
    ),
    "retrieval/misspelled_field": (second(f'{{"query_id": 2, "item_id": {TEN}}}'), [["missing_field", 2]]),
    "retrieval/mixed_names": (second(f'{{"query_id": 2, "image_ids": {TEN}}}'), [["mixed_names", 2], MISSING]),
    "retrieval/both_names": (second(row(text_id=2, image_ids=TEN)), [["mixed_names", 2], MISSING]),
    "retrieval/no_fields": (second("{}"), [["missing_field", 2], ["missing_field", 2], MISSING]),
    "retrieval/text_is_number": (second(row(query_text=5)), [["wrong_type", 2]]),
    # Values
    "retrieval/id_true": (second(row(key=True)), [["wrong_type", 2], MISSING]),
    "retrieval/id_float": (second(row(key=2.0)), [["wrong_type", 2], MISSING]),
    "retrieval/id_string": (second(row(key="2")), [["wrong_type", 2], MISSING]),
    "retrieval/id_null": (second(row(key=None)), [["wrong_type", 2], MISSING]),
    "retrieval/id_list": (second(row(key=[2])), [["wrong_type", 2], MISSING]),
    "retrieval/id_beyond_64_bits": (second(row(key=2**64)), [["out_of_range", 2], MISSING]),
    "retrieval/items_string": (second(row("12345678910")), [["wrong_type", 2]]),
    "retrieval/items_object": (second(row({"1": 2})), [["wrong_type", 2]]),
    "retrieval/nine_items": (second(row(TEN[:9])), [["wrong_count", 2]]),
    "retrieval/eleven_items": (second(row([*TEN, 11])), [["wrong_count", 2]]),
    "retrieval/no_items": (second(row([])), [["wrong_count", 2]]),
    "retrieval/item_true": (second(row([*TEN[1:], True])), [["wrong_type", 2]]),
    "retrieval/item_float": (second(row([*TEN[1:], 1.0])), [["wrong_type", 2]]),
    "retrieval/item_string": (second(row([*TEN[1:], "12"])), [["wrong_type", 2]]),
    "retrieval/item_beyond_64_bits": (second(row([*TEN[1:], -(2**63) - 1])), [["out_of_range", 2]]),
    "retrieval/item_twice": (second(row([*TEN[:9], 1])), [["repeated_item", 2]]),
    "retrieval/all_items_the_same": (second(row([7] * 10)), [["repeated_item", 2]] * 9),
    "retrieval/thousand_bad_items": (second(row(["x"] * 1000)), [["wrong_count", 2]] + [["wrong_type", 2]] * 9),
    # Rows together
    "retrieval/identical_row": (second(row()) + row().encode(), [["repeated_id", 4]]),
    "retrieval/conflicting_row": (second(row()) + row(TEN[::-1]).encode(), [["conflicting_id", 4]]),
    "retrieval/missing_rows": (GOOD, [MISSING, MISSING]),
    "retrieval/unknown_row": (second(row()) + row(key=4).encode(), [["unknown_id", 4]]),
    "retrieval/unknown_for_missing": (second(row(key=4)), [["unknown_id", 2], MISSING]),
    "retrieval/mixed_forms": (second(f'{{"text_id": 2, "image_ids": {TEN}}}'), [["other_form", 2], MISSING]),
    "retrieval/everything_at_once": (
        b"\xef\xbb\xbf" + b"\n".join([row(TEN[:9], 1).encode(), b"{", row(key=True).encode(), row(key=9).encode()]),
        [["bom", None], ["wrong_count", 1], ["not_json", 2], ["wrong_type", 3], ["unknown_id", 4], MISSING, MISSING],
    ),
    # Captions
    "caption/valid": (caption('"裙子"'), []),
    "caption/escaped": (caption('"\\u88d9\\ud83d\\udc57\\t\\n"'), []),
    "caption/markup": (caption('"<script>alert(1)</script>"'), []),
    "caption/empty_text": (caption('""'), [["empty_text", 2]]),
    "caption/white_text": (caption('" \\u3000\\n"'), [["empty_text", 2]]),
    "caption/separators_alone": (caption('"\\u001c\\u001f"'), [["empty_text", 2]]),
    "caption/lone_surrogate": (caption('"\\ud83d裙"'), [["not_unicode", 2]]),
    "caption/text_null": (caption("null"), [["wrong_type", 2]]),
    "caption/text_list": (caption('["裙子"]'), [["wrong_type", 2]]),
    "caption/id_number": (second('{"image_id": 5, "text": "x"}', CAPTION, CAPTION_LAST), [["wrong_type", 2], MISSING]),
    "caption/id_surrogate": (
        second('{"image_id": "\\udc00", "text": "x"}', CAPTION, CAPTION_LAST),
        [["not_unicode", 2], MISSING],
    ),
    "caption/line_end_in_text": (caption('"裙\n子"'), [["not_json", 2], ["not_json", 3], MISSING]),
    "classification/valid": (
        b'{"image_id":"a","label":"x"}\n{"image_id":"b","label":"y"}\n{"label":"z","image_id":"c"}',
        [],
    ),
    "classification/number": (
        b'{"image_id":"a","label":1}\n{"image_id":"b","label":"y"}\n{"label":"z","image_id":"c"}',
        [["wrong_type", 1]],
    ),
}


def main():
    for task, rows in GOLD.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (FOLDER / f"{task}.gold.jsonl").write_text(text, encoding="utf-8")
    for path in (path for task in GOLD for path in (FOLDER / task).glob("*.jsonl")):
        path.unlink()
    for name, (data, _) in FILES.items():
        path = FOLDER / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    verdicts = [f"  {json.dumps(name)}: {json.dumps(codes)}" for name, (_, codes) in FILES.items()]
    (FOLDER / "verdicts.json").write_text("{\n" + ",\n".join(verdicts) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
