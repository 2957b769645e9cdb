"""Files that are not what a reader expects: recognized by their content, named once and first, with what to do."""

import base64
import gzip
import json
import os
import re
import subprocess
import sys
import threading

import numpy as np
import pytest

import muge_fast as mf
from muge_fast._internal.file_kinds import MESSAGES, binary_kind, kind_message, text_kind
from muge_fast._internal.json_text import is_deeper, is_json_prefix, parse_json
from muge_fast._internal.row_kinds import row_kind
from muge_fast.datasets import read_pool, read_texts
from muge_fast.datasets.extra_fields import MAX_NAMES
from muge_fast.datasets.fields import RowFormat
from muge_fast.datasets.problem_groups import MAX_EXAMPLES
from muge_fast.datasets.row_reader import RowReader
from muge_fast.evaluation import describe
from muge_fast.tasks import FieldNames

TEN = list(range(1, 11))
CAPTION_GOLD = [{"image_id": key, "text": ["红色连衣裙", "裙子"]} for key in "abcde"]
CAPTION_PRED = [{"image_id": key, "text": "红色连衣裙"} for key in "abcde"]
QUERIES = [{"query_id": n, "query_text": "连衣裙", "item_ids": TEN[: 1 + n % 3]} for n in range(1, 6)]
ANSWERS = [{"query_id": n, "item_ids": TEN} for n in range(1, 6)]


def lines(rows) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.fixture
def save(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def evaluate(save):
    def run(task, submission, gold, **options):
        return mf.evaluate(task, save("gold.jsonl", lines(gold)), save("pred.jsonl", submission), **options)

    return run


# Kinds of files


@pytest.mark.parametrize("code", MESSAGES)
def test_every_kind_has_a_sentence_in_both_languages(code):
    english, chinese = (kind_message(code, lang=lang) for lang in ("en", "zh"))
    assert english.isascii() or "…" in english
    assert re.search("[\u4e00-\u9fff]", chinese)
    assert "{" not in english.replace("{…}", "")


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_tables_with_each_delimiter_are_recognized(evaluate, delimiter):
    rows = "".join(f"{row['image_id']}{delimiter}{row['text']}\n" for row in CAPTION_PRED)
    assert evaluate("caption", rows, CAPTION_GOLD).errors[0].startswith("the file looks like CSV")


@pytest.mark.parametrize("text", ["一需\n" * 9 + "a" * 99, lines([{"text": "一一需需"}, *ANSWERS])])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_with_low_bytes_of_zero_are_recognized(encoding, text):
    assert binary_kind(text.encode(encoding)) == encoding[:6].replace("-", "")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", [lines(CAPTION_PRED), lines(ANSWERS), "a1\t红色连衣裙\nb2\t黑色的鞋\n", "7\n8\n9\n"])
def test_wide_encodings_are_recognized_with_and_without_a_mark(encoding, text):
    assert binary_kind(text.encode(encoding)) == encoding[:6].replace("-", "")


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "gb2312"])
@pytest.mark.parametrize("text", [lines(CAPTION_PRED), "a1\t红色连衣裙，显瘦\nb2\t黑色的鞋\n"])
def test_gbk_is_recognized_and_other_text_is_not(encoding, text):
    assert binary_kind(text.encode(encoding)) == "gbk"
    assert binary_kind(text.encode()) is None
    # A broken character, text that is mostly UTF-8, and other encodings.
    assert binary_kind(text.encode()[:-4] + b"\xff\n") is None
    assert binary_kind(text.encode() + "红".encode("gbk")) is None
    assert binary_kind("Größe, déjà vu".encode("latin-1")) is None


@pytest.mark.parametrize(
    ("text", "encoding", "code"),
    [
        ("紅色連衣裙，顯瘦長款", "big5", "big5"),
        ("復古風格的黑色外套", "cp950", "big5"),
        ("呢件衫咗好靚嘅", "big5hkscs", "big5"),
        ("紅色連衣裙，顯瘦長款", "gbk", "gbk"),
        ("復古風格的黑色外套", "gb18030", "gbk"),
        ("女士高跟鞋𠮷祥如意", "gb18030", "gbk"),
        ("ワンピースの色は赤です", "shift_jis", "shift_jis"),
        ("ワンピースの色は赤です", "euc_jp", "euc_jp"),
        ("빨간 원피스 여성용 긴팔 드레스", "euc_kr", "euc_kr"),
        ("красное платье", "cp1251", None),
        ("Größe, déjà vu, über", "latin-1", None),
        # One of two encodings, without a common character in either.
        ("呵燕潦", "gbk", "gbk_or_big5"),
    ],
)
def test_other_encodings_of_east_asia_are_not_called_gbk(evaluate, text, encoding, code):
    assert binary_kind(text.encode(encoding)) == code
    rows = lines({**row, "text": text} for row in CAPTION_PRED)
    errors = evaluate("caption", rows.encode(encoding), CAPTION_GOLD).errors
    assert (errors == [kind_message(code)]) if code else errors[0].startswith("line 1 and 4 more lines: invalid UTF-8")


def test_gbk_far_into_a_file_is_recognized(evaluate):
    ascii_rows = [{"image_id": f"k{number:05}", "text": "red dress"} for number in range(3000)]
    for count in (1000, 3000):
        content = (lines(ascii_rows[:count]) + lines(CAPTION_PRED)).encode("gbk")
        assert (len(content) > 1 << 16) == (count > 1000)
        report = evaluate("caption", content, CAPTION_GOLD)
        assert (report.errors, report.rows) == ([kind_message("gbk")], 0)


@pytest.mark.parametrize(
    "text", [lines(CAPTION_PRED), lines(QUERIES), "", "a\tb\n", "红", "7\n8\n", '{"a": "\\u0000"}']
)
def test_plain_text_has_no_kind(text):
    assert binary_kind(text.encode()) is None
    data = text.encode()
    assert [cut for cut in range(len(data)) if binary_kind(data[:cut]) is not None] == []


@pytest.mark.parametrize(
    ("text", "code", "program"),
    [
        (json.dumps(ANSWERS), "json_array", ".[]"),
        (json.dumps(ANSWERS, indent=2), "json_array", ".[]"),
        ("[\n" + ",\n".join(map(json.dumps, ANSWERS)) + "\n]", "json_array", ".[]"),
        (
            json.dumps({row["query_id"]: row["item_ids"] for row in ANSWERS}),
            "json_mapping",
            "to_entries[] | {query_id: (.key | tonumber), item_ids: .value}",
        ),
        ("\n".join(json.dumps(row, indent=2) for row in ANSWERS), "pretty_json", "."),
    ],
)
def test_json_documents_are_named_with_the_command_that_converts_them(evaluate, text, code, program):
    report = evaluate("retrieval", text, QUERIES)
    assert [problem.code for problem in report.problems] == [code]
    assert report.errors[0].endswith(f"jq -c '{program}'")
    converted = converted_by_jq(program, text)
    assert evaluate("retrieval", lines(converted), QUERIES).ok


def converted_by_jq(program, text):
    """The meaning of the three programs, without jq."""
    if program == ".":
        decoder, rows = json.JSONDecoder(), []
        while text := text.strip():
            row, end = decoder.raw_decode(text)
            rows.append(row)
            text = text[end:]
        return rows
    document = json.loads(text)
    if program == ".[]":
        return document
    return [{"query_id": int(key), "item_ids": value} for key, value in document.items()]


def test_coco_results_are_named_with_the_command_that_converts_them(evaluate):
    results = json.dumps([{"image_id": 7, "caption": "red dress"}])
    program = ".[] | {image_id: (.image_id | tostring), text: .caption}"
    assert evaluate("caption", results, CAPTION_GOLD).errors == [kind_message("json_array", jq=program)]


@pytest.mark.parametrize("length", [100, 10_000, 100_000])
def test_large_documents_are_recognized_by_their_beginning(length):
    mapping = {str(number): TEN for number in range(length)}
    assert text_kind(json.dumps(mapping).encode()) == "json_mapping"
    assert text_kind(json.dumps(list(mapping.values()), indent=1).encode()) == "json_array"


@pytest.mark.parametrize(
    "text",
    [
        '{"score": 1, "query_id": 2, "item_ids": [3]}',
        '{"a": 1}',
        '["a", "x"]\n["b", "y"]\n',
        "just words",
        "[1, 2]\n[3]\n",
        "",
    ],
)
def test_other_text_is_left_to_the_line_by_line_check(text):
    assert text_kind(text.encode()) is None


# Wrong task, swapped files


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (CAPTION_GOLD, "a caption gold file"),
        (CAPTION_PRED, "a caption submission"),
        (QUERIES, "a retrieval gold file"),
        (ANSWERS, "a retrieval submission"),
        ([{"text_id": 1, "image_ids": TEN}], "a retrieval submission"),
        ([{"image_id": 1, "text_ids": [5]}], "a retrieval gold file"),
        ([{"query_id": n, "item_ids": TEN[:5]} for n in range(9)], "a retrieval file"),
        ([{"image_id": "a", "label": "裙"}], "a classification file"),
        ([{"image_id": 1, "feature": [0.5] * 20_000}], "a feature file"),
        ([{"query_id": 1, "query_text": "裙"}], "a file of queries without items, as of a test split"),
        ([{"image_id": 1, "caption": "red"}], "a file of COCO captions"),
    ],
)
def test_rows_are_recognized(rows, name):
    assert row_kind(lines(rows).encode()).name() == name


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_file_of_another_task_is_named_once(evaluate, lang):
    report = evaluate("caption", lines(ANSWERS), CAPTION_GOLD, lang=lang)
    assert report.errors == [
        {
            "en": "this looks like a retrieval submission, not a caption one: the rows have query_id and item_ids",
            "zh": "文件看起来是检索的提交文件，而不是图像描述文件：各行的字段为 query_id、item_ids",
        }[lang]
    ]
    assert report.problem_count == 1
    assert report.official()["errorMsg"] == report.errors[0]


def test_a_few_rows_of_another_task_are_problems_of_these_rows(evaluate):
    report = evaluate("caption", lines([*CAPTION_PRED[:4], ANSWERS[0]]), CAPTION_GOLD)
    assert report.errors == [
        "line 5: field image_id is missing; the row has 'query_id', 'item_ids'",
        "line 5: field text is missing; the row has 'query_id', 'item_ids'",
        "image_id e is missing",
    ]


def test_extra_fields_of_another_task_do_not_make_a_file_one_of_that_task(evaluate):
    gold = [{"image_id": key, "label": "裙"} for key in "abc"]
    rows = [{**row, "text": "红裙", "caption": "x"} for row in gold]
    assert evaluate("classification", lines(rows), gold).ok
    assert evaluate("classification", lines([*rows[:2], {**rows[2], "label": 5}]), gold).errors == [
        "line 3: image_id c: label is 5, expected a string; write the integer in quotes"
    ]


class AnyValue:
    """A kind of another package, which only Python reads."""

    def problems(self, value):
        return iter(()) if value else iter([("empty_text", {})])


@pytest.mark.parametrize("rows", [[{"key": 1, "value": 2}], [{"key": 1, "value": 2, "label": "a", "image_id": "b"}]])
def test_valid_rows_of_another_package_are_not_taken_for_another_file(rows):
    row_format = RowFormat(names=(FieldNames("key", "value"),), id=AnyValue(), value=AnyValue())
    read = RowReader(row_format, mf.Limits()).parse(lines(rows).encode())
    assert (read.values, read.problems) == ({1: 2}, [])
    wrong = RowReader(row_format, mf.Limits()).parse(lines(CAPTION_PRED).encode())
    assert [problem.message() for problem in wrong.problems] == [
        "this looks like a caption submission, not rows of key, value: the rows have image_id and text"
    ]


def test_swapped_captions_are_named_first(evaluate, save):
    swapped = (
        "gold and submission seem to be swapped: in the gold file text is one string, in the submission text is a list"
    )
    with pytest.raises(mf.GoldError, match=rf"^gold file .*gold\.jsonl: {swapped}"):
        evaluate("caption", lines(CAPTION_GOLD), CAPTION_PRED)
    # One of them alone.
    with pytest.raises(mf.GoldError, match="this looks like a caption submission, not a caption gold"):
        evaluate("caption", lines(CAPTION_PRED), CAPTION_PRED)
    report = mf.check("caption", save("alone.jsonl", lines(CAPTION_GOLD)))
    assert report.errors == [
        "this looks like a caption gold file, not a caption submission: text is a list of references",
        "line 1 and 4 more lines: text is not a string, the first is a list of 2",
    ]


@pytest.mark.parametrize("gold", [QUERIES, [{**row, "item_ids": TEN[:2]} for row in QUERIES]])
def test_swapped_queries_are_named_first(evaluate, gold):
    report = evaluate("retrieval", lines(gold), ANSWERS)
    assert report.errors[0].startswith(
        "gold and submission seem to be swapped: in the gold file the rows have exactly 10"
    )
    assert report.errors[1].startswith("line 1 and 4 more lines: item_ids has ")
    assert report.official()["errorMsg"].startswith("gold and submission seem to be swapped")
    assert "swapped" not in " ".join(evaluate("retrieval", lines(gold), gold).errors)


def test_a_gold_file_of_ten_items_and_a_short_submission_of_one_length_are_not_called_gold(evaluate):
    nine = [{**row, "item_ids": TEN[:9]} for row in ANSWERS]
    assert evaluate("retrieval", lines(nine), QUERIES).errors == [
        "line 1 and 4 more lines: item_ids has 9 items, needs exactly 10"
    ]


# Cut off


@pytest.mark.parametrize(
    "row",
    [
        '{"image_id": "b", "text": "红\\u7ea2\\n\\\\裙👗", "score": -1.5e+3, "a": [true, null, {"x": []}]}',
        '{"image_id":"b","text":"x"}',
        '  {"image_id": "b" , "text": "" , "z": [1 , 2] }  ',
    ],
)
def test_a_file_that_is_cut_off_at_any_byte_of_its_last_line_says_so(evaluate, row):
    first, last = '{"image_id": "a", "text": "x"}\n', row.encode()
    start, end = len(last) - len(last.lstrip()), len(last.rstrip())
    for cut in range(start + 1, end):
        report = evaluate("caption", first.encode() + last[:cut], CAPTION_GOLD[:2])
        assert report.errors[0] == "the file ends in the middle of line 2: it was cut off", last[:cut]
        assert report.problems[0][:2] == ("truncated", 2)
    for whole in (last, last.strip(), last + b"\n"):
        assert "cut off" not in " ".join(evaluate("caption", first.encode() + whole, CAPTION_GOLD[:2]).errors)


def test_a_broken_last_line_with_an_end_was_not_cut_off(evaluate):
    report = evaluate("caption", lines(CAPTION_PRED) + '{"image_id": "f", "te\n', CAPTION_GOLD)
    assert [problem.code for problem in report.problems] == ["not_json"]
    for broken in ("{'image_id'", '{"image_id" "f"', '{"image_id": "f"]', '{"a": tru1', '{"a": "\\x', "{" * 3000 + '"'):
        assert not is_json_prefix(broken.encode()), broken
    assert not is_json_prefix(b"{" + b'"a":{' * 50_000)


def test_gold_files_texts_and_queries_that_are_cut_off_say_so(save):
    with pytest.raises(mf.GoldError, match=r"gold file .*: the file ends in the middle of line 5: it was cut off"):
        mf.evaluate("caption", save("g.jsonl", lines(CAPTION_GOLD)[:-4]), save("p.jsonl", lines(CAPTION_PRED)))
    with pytest.raises(ValueError, match=r"q\.jsonl: the file ends in the middle of line 5: it was cut off"):
        mf.read_queries(save("q.jsonl", lines(QUERIES)[:-3]))
    with pytest.raises(ValueError, match=r"c\.jsonl: the file ends in the middle of line 5: it was cut off"):
        mf.read_captions(save("c.jsonl", lines(CAPTION_PRED).encode()[:-5]))
    texts = "a\t红裙\nb\t黑鞋".encode()
    for cut in range(len("a\t红裙\n".encode()) + 1, len(texts)):
        path = save("t.tsv", texts[:cut])
        try:
            texts[:cut].decode()
        except UnicodeDecodeError:
            with pytest.raises(ValueError, match="the file ends in the middle of line 2: it was cut off"):
                read_texts(path)
            continue
        if texts[:cut].rpartition(b"\t")[2] and b"b\t" in texts[:cut]:
            assert list(read_texts(path)) == ["a", "b"]
        else:
            with pytest.raises(ValueError, match=r"line 2: needs an id, a tab and a text, .* it may be cut off"):
                read_texts(path)


def test_other_errors_of_a_last_line_do_not_speak_of_cuts(save):
    with pytest.raises(ValueError, match=r"line 2: id 'a' occurs more than once$"):
        read_texts(save("t.tsv", "a\t红裙\na\t黑鞋"))
    with pytest.raises(ValueError, match=r"line 2: expected an integer of at most 64 bits, got 'x'$"):
        read_pool(save("pool.txt", "7\nx"))


# Groups of problems


def test_one_mistake_in_all_rows_is_one_message_in_every_format(evaluate):
    rows = [{"query_id": n, "item_ids": TEN[:9]} for n in range(1, 201)]
    gold = [{"query_id": n, "item_ids": [1]} for n in range(1, 201)]
    message = "line 1 and 199 more lines: item_ids has 9 items, needs exactly 10"
    report = evaluate("retrieval", lines(rows), gold)
    assert report.errors == [message]
    assert (report.problem_count, len(report.problems)) == (200, 100)
    assert report.problems[41].message() == "line 42: query_id 42 has 9 item_ids, needs exactly 10"
    assert report.official()["errorMsg"] == f"{message} (200 problems)"
    (group,) = report.to_dict()["problem_groups"]
    assert (group["code"], group["field"], group["count"], group["line_count"]) == ("wrong_count", "item_ids", 200, 200)
    assert (group["lines"], group["ids"], group["message"]) == (TEN[:MAX_EXAMPLES], TEN[:MAX_EXAMPLES], message)
    assert "line 1 and 199 more lines" in report.to_markdown()
    chinese = evaluate("retrieval", lines(rows), gold, lang="zh")
    assert chinese.errors == ["第 1 行及另外 199 行：item_ids 有 9 个，应恰好为 10 个"]


def test_groups_keep_kinds_apart_and_say_what_differs(evaluate):
    rows = [{"query_id": n, "item_ids": TEN[: n % 5 + 1]} for n in range(1, 7)]
    rows += [{"query_id": str(n), "item_ids": TEN} for n in range(7, 12)]
    rows += [{"query_id": n, "item_ids": [*TEN[:9], None]} for n in range(12, 16)]
    gold = [{"query_id": n, "item_ids": [1, 2, 3]} for n in range(1, 25)]
    assert evaluate("retrieval", lines(rows), gold).errors == [
        "line 1 and 5 more lines: item_ids has 1 to 5 items, needs exactly 10",
        "line 7 and 4 more lines: query_id is not an integer, the first is '7'; write the integer without quotes",
        "line 12 and 3 more lines: item_ids[…] is not an integer, the first is null",
        "query_id 7 and 13 more are missing",
    ]


def test_few_problems_of_a_kind_are_listed_one_by_one(evaluate):
    rows = [{**row, "text": ""} for row in CAPTION_PRED[:3]] + CAPTION_PRED[3:]
    assert evaluate("caption", lines(rows), CAPTION_GOLD).errors == [
        "line 1: image_id a: text is empty",
        "line 2: image_id b: text is empty",
        "line 3: image_id c: text is empty",
    ]


def test_a_report_says_that_reading_stopped(evaluate):
    report = evaluate("caption", "{}\n" * 50, CAPTION_GOLD, limits=mf.Limits(stop_after=20))
    assert report.problem_count == 20
    assert report.errors[-1] == "reading stopped after 20 problems; there may be more"


def test_groups_of_hostile_files_stay_few(evaluate):
    names = [f'{{"a{n}": 1, "a{n}": 2}}' for n in range(2000)]
    counts = [{"query_id": n, "item_ids": list(range(n % 400))} for n in range(2000)]
    report = evaluate("retrieval", "\n".join(names) + "\n" + lines(counts), QUERIES)
    assert len(report.problem_groups) < 10
    assert sum(group.count for group in report.problem_groups if group.first.code != "stopped") == report.problem_count


# Ids


@pytest.mark.parametrize(
    ("task", "row", "message"),
    [
        ("caption", {"image_id": 7, "text": "x"}, "image_id is 7, expected a string; write the integer in quotes"),
        ("retrieval", {"query_id": "7"}, "query_id is '7', expected an integer; write the integer without quotes"),
        ("retrieval", {"query_id": 7.0}, "query_id is 7.0, expected an integer; write the integer without a fraction"),
        ("retrieval", {"query_id": "x"}, "query_id is 'x', expected an integer"),
        ("retrieval", {"query_id": True}, "query_id is true, expected an integer"),
        ("caption", {"image_id": None, "text": "x"}, "image_id is null, expected a string"),
    ],
)
def test_ids_of_another_type_say_what_to_write(save, task, row, message):
    row = {"item_ids": TEN, **row} if task == "retrieval" else row
    assert mf.check(task, save("pred.jsonl", lines([row]))).errors == [f"line 1: {message}"]


def test_integer_ids_in_a_caption_gold_file_say_what_to_write(evaluate):
    with pytest.raises(mf.GoldError, match=r"line 1 and 4 more lines: image_id is not a string, .* in quotes"):
        evaluate("caption", lines(CAPTION_PRED), [{**row, "image_id": n} for n, row in enumerate(CAPTION_GOLD)])


@pytest.mark.parametrize(
    ("gold", "submitted", "hint"),
    [
        ("0007", "7", "; the id there has other leading zeros"),
        ("7", "007", "; the id there has other leading zeros"),
        ("a", " a", "; the id there differs in white space"),
        ("a", "a.jpg", "; the id there differs in the suffix of an image file"),
        ("a", "A", "; the id there differs in upper and lower case"),
        ("7", "+7", "; the id there is the same number, written differently"),
        ("7", "\u0667", "; the id there is the same number, written differently"),
        ("7", "\uff17", "; the id there differs in characters that look alike or are invisible"),
        ("caf\u00e9", "cafe\u0301", "; the id there differs in characters that look alike or are invisible"),
        ("a", "images/a.jpg", "; the id there has no folder"),
        ("a", "C:\\images\\a.png", "; the id there has no folder"),
        ("a", "b/", ""),
        ("0", "00", "; the id there has other leading zeros"),
    ],
)
def test_ids_that_are_nearly_in_the_gold_file_say_how_they_differ(evaluate, gold, submitted, hint):
    report = evaluate("caption", lines([{"image_id": submitted, "text": "x"}]), [{"image_id": gold, "text": ["x"]}])
    assert report.errors[0] == f"line 1: image_id {submitted} is not in the gold file{hint}"


def test_files_of_different_splits_say_so_first(evaluate):
    report = evaluate("caption", lines({**row, "image_id": row["image_id"] * 2} for row in CAPTION_PRED), CAPTION_GOLD)
    assert report.errors == [
        "no id of the submission is in the gold file; the files may be of different splits",
        "line 1 and 4 more lines: the ids are not in the gold file, the first is image_id aa",
        "image_id a and 4 more are missing",
    ]


# Fields that no task reads


def both_readings(data, monkeypatch, task="retrieval"):
    """Read a file as a whole in Rust, and line by line in Python."""
    row_format = mf.tasks.get(task).submission_format
    whole = RowReader(row_format, mf.Limits()).parse(data)
    monkeypatch.setattr(RowReader, "_parse_valid", lambda *_: False)
    by_line = RowReader(row_format, mf.Limits()).parse(data)
    monkeypatch.undo()
    return whole, by_line


def test_extra_fields_are_ignored_and_counted(evaluate, monkeypatch):
    rows = [{**row, "score": 0.5, **({"rank": None} if row["query_id"] < 3 else {})} for row in ANSWERS]
    report, plain = (evaluate("retrieval", lines(content), QUERIES) for content in (rows, ANSWERS))
    assert report.ok
    assert report.scores["mean_recall"].value == plain.scores["mean_recall"].value
    for read in both_readings(lines(rows).encode(), monkeypatch):
        assert (read.extra_fields, read.extra_rows) == ({"score": 5, "rank": 2}, 5)
        assert read.values == {row["query_id"]: TEN for row in ANSWERS}


def test_counts_of_extra_fields_are_bounded_and_the_same_in_both_readings(monkeypatch):
    rows = [{**row, **{f"{number}-{row['query_id']}": 1 for number in range(25)}, "x" * 5000: "裙"} for row in ANSWERS]
    rows[0]["a\n\x1b"] = [{"b": [1, 2.5, True, None, {}]}]
    whole, by_line = both_readings(lines(rows).encode(), monkeypatch)
    assert whole == by_line
    assert len(whole.extra_fields) == MAX_NAMES + 1
    assert max(map(len, whole.extra_fields)) <= 40
    assert sum(whole.extra_fields.values()) == 25 * 5 + 5 + 1
    odd = [{**ANSWERS[0], "a\n\x1b": 1, "y" * 41: 2, "y" * 40: 3}]
    whole, by_line = both_readings(lines(odd).encode(), monkeypatch)
    assert whole == by_line
    assert whole.extra_fields == {"a\\n\\x1b": 1, "y" * 39 + "…": 1, "y" * 40: 1}


# Paths


def test_a_missing_file_is_named_with_its_side_before_anything_is_read(save, tmp_path):
    gold, pred, none = save("g.jsonl", "broken"), save("p.jsonl", "broken"), tmp_path / "none"
    cases = [
        (("retrieval", none, pred), {}, "the gold file does not exist"),
        (("retrieval", gold, none), {}, "the submission does not exist"),
        (("retrieval", gold, pred), {"pool": none}, "the pool does not exist"),
    ]
    for arguments, options, message in cases:
        with pytest.raises(FileNotFoundError, match=message) as caught:
            mf.evaluate(*arguments, **options)
        assert caught.value.filename == str(none)
        with pytest.raises(
            IsADirectoryError, match=message.replace("does not exist", "is a directory, name a file in it")
        ):
            mf.evaluate(
                *(tmp_path if value is none else value for value in arguments),
                **(options and {"pool": tmp_path}),
            )
    with pytest.raises(FileNotFoundError, match="the gold file does not exist"):
        mf.check("retrieval", pred, gold=none)
    for read in (mf.read_captions, mf.read_queries, read_texts, read_pool):
        with pytest.raises(IsADirectoryError, match="the file is a directory, name a file in it"):
            read(tmp_path)
        with pytest.raises(FileNotFoundError):
            read(none)
    with pytest.raises(NotADirectoryError, match="the path of the submission goes through a file"):
        mf.check("retrieval", pred / "x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "only.jsonl").touch()
    with pytest.raises(
        IsADirectoryError, match=r"the submission is a directory, name a file in it, such as only\.jsonl"
    ):
        mf.check("retrieval", tmp_path / "folder")


def test_a_submission_is_read_from_a_stream_that_is_open_already(tmp_path):
    script = "import muge_fast as mf; print(mf.check('retrieval', '/dev/stdin').errors)"
    for data in (lines(ANSWERS), lines(ANSWERS)[:-4], "x" * 300):
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, input=data, capture_output=True, text=True, check=True)  # noqa: S603 - our script
        path = tmp_path / "pred.jsonl"
        path.write_text(data)
        assert done.stdout.strip() == str(mf.check("retrieval", path).errors)


def test_a_stream_that_is_too_long_is_not_read_to_its_end():
    reading, writing = os.pipe()
    thread = threading.Thread(target=os.write, args=(writing, b"x" * 5000))
    thread.start()
    report = mf.check("retrieval", f"/dev/fd/{reading}", limits=mf.Limits(file_bytes=1000))
    assert [problem.code for problem in report.problems] == ["too_large"]
    thread.join()
    os.close(reading)
    os.close(writing)


# Texts, pools, images


IMAGE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(80)).decode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(b"x", mtime=0), "compressed with gzip"),
        ("a\t红裙\n".encode("utf-16"), "UTF-16"),
        ("a\t红色长裙\nb\t黑色的鞋".encode("gbk"), "maybe GBK"),
        (lines(CAPTION_PRED), "this looks like a caption submission, not a TSV of texts"),
        (json.dumps({"a": "x"}), "this looks like a JSON file, not a TSV of texts"),
        (f"a\t{IMAGE}\n", "this looks like a TSV of images, not a TSV of texts"),
    ],
)
def test_other_files_in_place_of_texts_are_named(save, content, message):
    with pytest.raises(ValueError, match=rf"texts\.tsv: .*{message}"):
        read_texts(save("texts.tsv", content))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("pool.txt", gzip.compress(b"x", mtime=0), "compressed with gzip"),
        ("pool.tsv", gzip.compress(b"x", mtime=0), "compressed with gzip"),
        ("pool.txt", "7\n".encode("utf-16"), "UTF-16"),
        ("pool.txt", "[7, 8]", "this looks like a JSON file, not a pool: write one id per line"),
        ("pool.jsonl", lines(QUERIES), "this looks like a retrieval gold file, not a pool"),
        ("pool.tsv", lines(QUERIES), "this looks like a retrieval gold file, not a pool"),
        ("images.txt", f"7\t{IMAGE}\n", "this looks like a TSV file, not a pool: .* that ends in .tsv"),
    ],
)
def test_other_files_in_place_of_a_pool_are_named(save, name, content, message):
    path = save(name, content)
    with pytest.raises(ValueError, match=rf"{name}: .*{message}"):
        read_pool(path)
    gold, pred = save("g.jsonl", lines(QUERIES)), save("p.jsonl", lines(ANSWERS))
    with pytest.raises(ValueError, match=rf"^pool .*{name}: .*{message}"):
        mf.evaluate("retrieval", gold, pred, pool=path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lines(CAPTION_PRED), "this looks like a caption submission, not a TSV of images"),
        (lines(ANSWERS), "this looks like a retrieval submission, not a TSV of images"),
        ("a\t红裙\nb\t黑鞋\n", "this looks like a TSV of texts, not a TSV of images"),
        (json.dumps([{"a": 1}]), "this looks like a JSON file, not a TSV of images"),
        (gzip.compress(b"x", mtime=0), "compressed with gzip"),
        (f"a\t{IMAGE}\n".encode("utf-16-le"), "UTF-16"),
    ],
)
def test_other_files_in_place_of_images_are_named_once(save, content, message):
    report = mf.check("t2i", save("pred.tsv", content))
    assert len(report.errors) == report.problem_count == 1
    assert message in report.errors[0]


# Descriptions of files


def test_descriptions_are_right_about_ids_and_invalid_files(save):
    padded = "".join(f"{number:06}\t红裙\n" for number in range(24))
    assert describe(save("T2I_val.text.tsv", padded))["ids"] == ["000000", "000023"]
    assert describe(save("numbers.tsv", "7\tx\n10\ty\n"))["ids"] == [7, 10]
    assert describe(save("long.tsv", f"{'9' * 1000}\tx\n"))["ids"] == ["9" * 255 + "…"] * 2
    bad = [*ANSWERS[:4], {**ANSWERS[4], "item_ids": TEN[:9]}]
    info = describe(save("mr_bad.jsonl", lines(bad)))
    assert (info["kind"], info["problems"]) == ("retrieval submission", 1)
    nine = describe(save("mr_nine.jsonl", lines([{**row, "item_ids": TEN[:9]} for row in ANSWERS])))
    assert (nine["kind"], nine["problems"]) == ("retrieval submission", 5)
    assert nine["errors"] == ["line 1 and 4 more lines: item_ids has 9 items, needs exactly 10"]
    assert describe(save("mr.jsonl", lines(QUERIES)))["kind"] == "retrieval gold"
    mixed = describe(save("ic.jsonl", lines([*CAPTION_GOLD[:4], CAPTION_PRED[4]])))
    assert (mixed["kind"], mixed["problems"]) == ("caption gold", 1)
    one_of_two = [CAPTION_PRED[0], {**CAPTION_PRED[1], "text": None}, CAPTION_PRED[2]]
    assert describe(save("pred.jsonl", lines(one_of_two)))["kind"] == "caption submission"


def test_descriptions_name_files_of_every_kind(save, tmp_path):
    table = mf.DocumentFrequency.from_references([["红裙"], ["红鞋"]])
    table.save(tmp_path / "df.npz")
    table.save(tmp_path / "df.p")
    mf.write_features(tmp_path / "feat.npz", [3, 7], [[0.5, 1.0], [1.5, 2.0]])
    np.savez(tmp_path / "statistics.npz", mu=np.zeros(2), sigma=np.eye(2))
    np.save(tmp_path / "feat.npy", np.eye(3))
    mf.image.KID().save(tmp_path / "kid.npz")
    save("pred.jsonl.gz", gzip.compress(b"x", mtime=0))
    save("pred.json", json.dumps(ANSWERS))
    save("pred.csv", "id,text\na,x\n")
    save("bom.jsonl", b"\xef\xbb\xbf" + lines(CAPTION_PRED).encode())
    save("coco.jsonl", lines([{"image_id": 1, "caption": "x"}]))
    infos = {info["path"].rpartition("/")[2]: info for info in describe(tmp_path)["files"]}
    assert {name: (info["kind"], info.get("problems")) for name, info in infos.items()} == {
        "df.npz": ("document frequency", 0),
        "df.p": ("document frequency", 0),
        "feat.npz": ("features", 0),
        "feat.npy": ("features", 0),
        "statistics.npz": ("statistics of images", None),
        "kid.npz": ("state of KID", None),
        "pred.jsonl.gz": ("gzip", 1),
        "pred.json": ("json array", 1),
        "pred.csv": ("csv", 1),
        "bom.jsonl": ("caption submission", 1),
        "coco.jsonl": ("file of COCO captions", None),
    }
    assert (infos["df.npz"]["documents"], infos["feat.npz"]["ids"], infos["feat.npz"]["dimensions"]) == (2, [3, 7], 2)


# What recognizers must not claim


@pytest.mark.parametrize(
    "value",
    [None, "0,1,2", {"0": 1}, [TEN], [{"item_id": 1}] * 3, 3],
    ids=["null", "str", "dict", "nested", "rows", "int"],
)
def test_rows_without_lists_of_ids_are_not_called_a_gold_file(save, value):
    report = mf.check("retrieval", save("pred.jsonl", lines([{"query_id": n, "item_ids": value} for n in range(5)])))
    assert not report.ok
    assert "gold file" not in "".join(report.errors)


@pytest.mark.parametrize(
    "text",
    [
        "[model]\nname = 1\n",
        '["query_id", "item_ids"]\n' + lines(ANSWERS),
        "".join(f"INFO, {json.dumps(row)}\n" for row in ANSWERS),
        "".join(json.dumps(json.dumps(row)) + "\n" for row in ANSWERS),
    ],
)
def test_other_text_is_neither_an_array_nor_csv(text):
    assert text_kind(text.encode()) not in {"json_array", "csv"}


@pytest.mark.parametrize("key", ["predictions", "results"])
@pytest.mark.parametrize("indent", [None, 2])
def test_wrapped_rows_are_named_with_the_command_that_takes_them_out(evaluate, key, indent):
    report = evaluate("retrieval", json.dumps({"version": 1, key: ANSWERS}, indent=indent), QUERIES)
    assert report.errors == [kind_message("json_wrapper", jq=f".{key}[]")]


def test_descriptions_name_a_command_that_keeps_the_ids(save):
    mapping = json.dumps({row["query_id"]: row["item_ids"] for row in ANSWERS})
    assert describe(save("m.json", mapping))["errors"] == [kind_message("json_mapping", jq="to_entries[]")]


def test_descriptions_are_in_the_language_that_is_asked_for(save):
    assert describe(save("p.jsonl", json.dumps(ANSWERS)), lang="zh")["errors"] == [
        kind_message("json_array", lang="zh")
    ]
    broken = describe(save("q.jsonl", lines(ANSWERS) + "{x}\n"), lang="zh")
    last = len(ANSWERS) + 1
    assert broken["errors"] == [f"第 {last} 行：字符偏移 1 处不是有效的 JSON：此处应为双引号中的字段名"]


def test_descriptions_have_the_problems_of_blank_lines_and_of_a_mark(save):
    blank = describe(save("p.jsonl", lines(ANSWERS) + "\n"))
    assert blank["kind"] == "retrieval submission"
    assert blank["problems"] == 1
    assert "blank" in blank["errors"][0]
    assert describe(save("t.tsv", "\ufeffa\tx\n"))["errors"] == [kind_message("bom")]


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("[[[1]]]", 3),
        ('{"a": {"b": ["[[[["]}}', 3),
        ('["\\"[[[", "\\\\", [[]]]', 3),
        ("[[], [], {}]", 2),
        ("[[[", 3),
        ('"[[[', 0),
        ('["\u225b[["]', 1),
    ],
)
def test_the_depth_of_json_is_that_of_its_brackets_outside_of_strings(text, depth):
    for form in (text, text.encode()):
        assert not is_deeper(form, depth)
        assert depth == 0 or is_deeper(form, depth - 1)


def test_deep_json_and_utf_16_are_refused_before_they_are_parsed():
    assert parse_json("[" * 500 + "]" * 500) == parse_json(b"[" * 500 + b"]" * 500)
    with pytest.raises(RecursionError):
        parse_json(b"[" * 10_001 + b"]" * 10_001)
    with pytest.raises(ValueError, match="Expecting value"):
        parse_json("[1]".encode("utf-16-le"))
