"""Invalid submissions: each gets the problems recorded for it, and none raises."""

import json
import os
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import muge_fast as mf
from muge_fast._internal.file_kinds import MESSAGES as FILE_KINDS
from muge_fast.compat import chinese_clip
from muge_fast.datasets import row_reader
from muge_fast.datasets.problem_groups import GROUP_HINTS, GROUP_MESSAGES
from muge_fast.datasets.problems import EXPECTED, HINTS, MESSAGES, WARNINGS, Problem
from muge_fast.datasets.row_reader import RowReader
from muge_fast.evaluation import describe
from pages import Page

HOSTILE = Path(__file__).parent / "hostile"
VERDICTS = json.loads((HOSTILE / "verdicts.json").read_text(encoding="utf-8"))
TEN = list(range(1, 11))


def gold(task):
    return HOSTILE / f"{task}.gold.jsonl"


def problems(report):
    return [[problem.code, problem.line] for problem in report.problems]


@pytest.mark.parametrize("name", VERDICTS)
def test_each_file_has_its_recorded_problems(name):
    task = name.partition("/")[0]
    report = mf.evaluate(task, gold(task), HOSTILE / f"{name}.jsonl")
    assert problems(report) == VERDICTS[name]
    assert report.ok == (not VERDICTS[name])
    assert report.problem_count == len(VERDICTS[name]) or name == "retrieval/thousand_bad_items"
    assert (report.scores is not None) == report.ok


@pytest.mark.parametrize("name", VERDICTS)
def test_each_report_has_every_format(name, tmp_path):
    task = name.partition("/")[0]
    for lang in ("en", "zh"):
        report = mf.evaluate(task, gold(task), HOSTILE / f"{name}.jsonl", lang=lang)
        official = report.official()
        assert official["success"] == report.ok
        assert json.loads(json.dumps(official))
        assert json.loads(report.to_json(path=tmp_path / "r.json"))["ok"] == report.ok
        report.to_markdown(path=tmp_path / "r.md")
        Page(report.to_html(path=tmp_path / "r.html"))
        report.to_csv(path=tmp_path / "r.csv")
        if not report.ok:
            assert official["score"] == 0
            assert official["scoreJson"] == {}
            assert len(official["errorDetail"].splitlines()) == len(report.errors)


def test_the_collection_has_every_problem_that_a_small_file_can_have():
    codes = {code for codes in VERDICTS.values() for code, _ in codes}
    elsewhere = {"directory", "not_regular", "too_large", "changed", "long_line", "too_few", "not_in_pool", "stopped"}
    elsewhere |= {"no_tab", "no_id", "bad_id", "no_image", "second_image", "broken_image"}
    # Those of other readers, and of two files.
    elsewhere |= {"not_images", "not_texts", "not_pool", "swapped"}
    # Those of attacks, which need many rows.
    elsewhere |= {"colliding_ids"}
    assert codes | elsewhere == set(MESSAGES)


def is_chinese(text):
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def test_messages_are_in_both_languages():
    for english, chinese in [*MESSAGES.values(), *WARNINGS.values()]:
        assert english.isascii() or "…" in english
        assert is_chinese(chinese)
        fields = [sorted(set(re.findall(r"{(\w+)}", text))) for text in (english, chinese)]
        assert fields[0] == fields[1]
    assert all(map(is_chinese, EXPECTED.values()))
    for english, chinese in [*HINTS.values(), *GROUP_HINTS.values(), *GROUP_MESSAGES.values()]:
        assert english.isascii() or "…" in english
        assert is_chinese(chinese)
    assert set(GROUP_MESSAGES) <= set(MESSAGES)
    assert set(GROUP_HINTS) <= set(HINTS)


# Every message: details of the problem, and its text in both languages.
SENTENCES = {
    "directory": ({}, "the path is a directory, expected a file", "路径是目录，应为文件"),
    "not_regular": ({}, "the path is not a regular file", "路径不是普通文件"),
    "too_large": (
        {"size": 60, "limit": 59},
        "the file has 60 bytes, more than the limit of 59",
        "文件大小为 60 字节，超过上限 59 字节",
    ),
    "empty": ({}, "the file has no rows", "文件中没有数据"),
    "wrong_task": (
        {
            "actual": ("a feature file", "特征文件"),
            "expected": ("a caption one", "图像描述文件"),
            "fields": ("a and b", "a、b"),
        },
        "this looks like a feature file, not a caption one: the rows have a and b",
        "文件看起来是特征文件，而不是图像描述文件：各行的字段为 a、b",
    ),
    "wrong_role": (
        {"actual": ("a gold file", "答案"), "expected": ("a submission", "提交文件"), "reason": ("no", "否")},
        "this looks like a gold file, not a submission: no",
        "文件看起来是答案，而不是提交文件：否",
    ),
    "not_images": (
        {"actual": ("a JSON file", "JSON 文件")},
        "this looks like a JSON file, not a TSV of images: each line needs an id, a tab and an image in base64",
        "文件看起来是JSON 文件，而不是图像的 TSV：每行应有 ID、制表符和 base64 图像",
    ),
    "not_texts": (
        {"actual": ("a JSON file", "JSON 文件")},
        "this looks like a JSON file, not a TSV of texts: each line needs an id, a tab and a text",
        "文件看起来是JSON 文件，而不是文本的 TSV：每行应有 ID、制表符和文本",
    ),
    "not_pool": (
        {"actual": ("a JSON file", "JSON 文件")},
        "this looks like a JSON file, not a pool: write one id per line, or name a TSV of images that ends in .tsv",
        "文件看起来是JSON 文件，而不是候选池：每行写一个 ID，或使用以 .tsv 结尾的图像 TSV",
    ),
    "swapped": (
        {"reason": ("why", "原因")},
        "gold and submission seem to be swapped: why",
        "标准答案文件与提交文件似乎颠倒了：原因",
    ),
    "no_shared_id": (
        {},
        "no id of the submission is in the gold file; the files may be of different splits",
        "提交文件与标准答案文件没有相同的 ID，两者可能来自不同的数据划分",
    ),
    "stopped": (
        {"count": 9},
        "reading stopped after 9 problems; there may be more",
        "发现 9 个问题后停止读取，可能还有更多",
    ),
    "changed": ({}, "the file changed while it was being read; try again", "文件在读取期间被修改，请重试"),
    "long_line": (
        {"size": 9, "limit": 8},
        "the line has 9 bytes, more than the limit of 8",
        "该行长度为 9 字节，超过上限 8 字节",
    ),
    "not_utf8": ({"position": 7}, "invalid UTF-8 at byte 7", "字节偏移 7 处不是有效的 UTF-8"),
    "not_json": (
        {"position": 7, "reason": "Extra data"},
        "invalid JSON at character 7: Extra data",
        "字符偏移 7 处不是有效的 JSON：多余的内容",
    ),
    "truncated": (
        {},
        "the file ends in the middle of line 3: it was cut off",
        "文件在第 3 行中途结束，内容不完整",
    ),
    "nan": ({"value": "NaN"}, "NaN is not a valid JSON number", "NaN 不是有效的 JSON 数字"),
    "too_deep": ({}, "lists or objects are nested too deeply", "列表或对象嵌套过深"),
    "not_object": (
        {"actual": "a list of 3"},
        "expected a JSON object {…}, got a list of 3",
        "应为 JSON 对象 {…}，实际为：长度为 3 的列表",
    ),
    "repeated_field": ({}, "field text occurs more than once", "字段 text 重复出现"),
    "missing_field": ({}, "field text is missing", "缺少字段 text"),
    "other_form": (
        {"actual": "'b'", "expected": "a, b"},
        "the fields are 'b', but the first line has a, b",
        "字段为 'b'，与第一行的 a, b 不一致",
    ),
    "mixed_names": (
        {"actual": "a, c", "expected": "a, b"},
        "the fields a, c are names of different forms; use a, b in all rows",
        "字段 a, c 混用了不同格式的名称，所有行应使用 a, b",
    ),
    "other_names": (
        {"actual": "c, d", "expected": "a, b"},
        "the fields are c, d, but the gold file has a, b; rename the fields of the submission",
        "字段为 c, d，与标准答案文件的 a, b 不一致，请修改提交文件的字段名",
    ),
    "blank_line": (
        {},
        "the line is blank, and the evaluation script of the benchmark rejects blank lines; remove it",
        "该行为空行，基准的评测脚本不接受空行，请删除",
    ),
    "carriage_return": (
        {},
        "a carriage return without a line feed ends a line for the evaluation script of the benchmark; use line feeds",
        "回车符后没有换行符，基准的评测脚本会将其视为行尾，请使用换行符",
    ),
    "wrong_type": (
        {"actual": "an object", "expected": "a string"},
        "image_id a: text is an object, expected a string",
        "image_id a：text 应为字符串，实际为：对象",
    ),
    "out_of_range": (
        {"value": "9"},
        "image_id a: text has 9, outside the range of 64-bit integers",
        "image_id a：text 的值 9 超出 64 位整数范围",
    ),
    "wrong_count": (
        {"actual": 9, "expected": 10},
        "image_id a has 9 text, needs exactly 10",
        "image_id a 有 9 个 text，应恰好为 10 个",
    ),
    "too_few": ({}, "image_id a has no text, needs at least one", "image_id a 没有 text，至少需要一个"),
    "repeated_item": (
        {"value": 7},
        "image_id a has 7 more than once in text",
        "image_id a 的 text 中 7 重复出现",
    ),
    "empty_text": ({}, "image_id a: text is empty", "image_id a：text 为空"),
    "not_unicode": (
        {},
        "image_id a: text is not valid Unicode: it contains a lone surrogate",
        "image_id a：text 不是有效的 Unicode 文本：含有孤立的代理码位",
    ),
    "no_tab": ({}, "no tab after the id", "ID 后缺少制表符"),
    "no_id": ({}, "no id before the tab", "制表符前缺少 ID"),
    "bad_id": ({}, "the id is not valid UTF-8", "ID 不是有效的 UTF-8"),
    "no_image": ({}, "no image after the tab", "制表符后缺少图像"),
    "second_image": ({}, "the id occurs more than once", "ID 重复出现"),
    "broken_image": (
        {"reason": "truncated"},
        "image_id a: the image cannot be decoded: truncated",
        "image_id a：图像无法解码：truncated",
    ),
    "repeated_id": (
        {"first": 3},
        "image_id a occurs more than once, first in line 3",
        "image_id a 重复出现，首次出现在第 3 行",
    ),
    "conflicting_id": (
        {"first": 3},
        "image_id a occurs more than once with different values, first in line 3",
        "image_id a 重复出现且内容不同，首次出现在第 3 行",
    ),
    "missing_id": ({}, "image_id a is missing", "缺少 image_id a"),
    "unknown_id": ({}, "image_id a is not in the gold file", "image_id a 不在标准答案文件中"),
    "colliding_ids": (
        {},
        "the ids are chosen so that a table of them takes very long; use other ids",
        "ID 经过特意构造，会使哈希表极慢，请使用其他 ID",
    ),
    "not_in_pool": (
        {"value": 7},
        "image_id a: 7 in text is not in the pool",
        "image_id a：text 中的 7 不在候选池中",
    ),
}


def test_the_sentences_of_all_messages():
    sentences = {}
    for code in set(MESSAGES) - set(FILE_KINDS):
        details = SENTENCES[code][0]
        problem = Problem(code, 3 if code == "truncated" else None, "image_id", "a", "text", details)
        sentences[code] = details, problem.message(), problem.message(lang="zh")
    assert sentences == SENTENCES


def test_messages_of_rows_without_a_valid_id():
    details = {"actual": "5", "expected": "a string"}
    problem = Problem("wrong_type", 6, "image_id", None, "image_id", details)
    assert problem.message() == "line 6: image_id is 5, expected a string"
    assert problem.message(lang="zh") == "第 6 行：image_id 应为字符串，实际为：5"
    problem = Problem(
        "wrong_type", 6, "query_id", 3, "item_ids", {"actual": "1.0", "expected": "an integer", "index": 9}
    )
    assert problem.message() == "line 6: query_id 3: item_ids[9] is 1.0, expected an integer"
    problem = Problem("too_few", 6, "query_id", None, "item_ids")
    assert problem.message() == "line 6: the row has no item_ids, needs at least one"


@pytest.mark.parametrize("name", VERDICTS)
def test_reading_a_file_as_a_whole_and_line_by_line_agree(name, monkeypatch):
    task = name.partition("/")[0]
    path = HOSTILE / f"{name}.jsonl"
    row_format = mf.tasks.get(task).submission_format
    whole = RowReader(row_format, mf.Limits())
    rows = whole.read(path)
    monkeypatch.setattr(RowReader, "_parse_valid", lambda *_: False)
    by_line = RowReader(row_format, mf.Limits())
    assert rows == by_line.read(path)
    assert [whole.line_of(key) for key in rows.values] == [by_line.line_of(key) for key in rows.values]


def reader(task):
    return RowReader(mf.tasks.get(task).submission_format, mf.Limits())


def small(tmp_path, task="retrieval"):
    """Return the path of a valid submission of few bytes."""
    name = tmp_path / "small.jsonl"
    name.write_bytes((HOSTILE / task / "valid.jsonl").read_bytes())
    return name


@pytest.mark.parametrize("task", ["retrieval", "caption"])
def test_every_corrupted_character_gives_a_report(tmp_path, task):
    path = small(tmp_path, task)
    data = path.read_bytes()
    letters = b'{}[]",:\\ \n\r\t\x00\x1f0aE.-\xff\xe8'
    random.seed(5)
    for index in range(len(data)):
        for letter in random.sample(letters, 6):
            for changed in (data[:index] + bytes([letter]) + data[index + 1 :], data[:index] + data[index + 1 :]):
                path.write_bytes(changed)
                report = mf.evaluate(task, gold(task), path)
                assert report.official()["success"] == (report.scores is not None)


spaces = st.text(" \t", max_size=3)


@given(st.permutations([1, 2, 3]), st.lists(spaces, min_size=12, max_size=12), st.tuples(*[st.booleans()] * 3))
def test_harmless_changes_leave_a_file_valid(tmp_path_factory, order, gaps, flags):
    crlf, extra, ascii_only = flags
    folder = tmp_path_factory.mktemp("harmless")
    rows = {1: TEN, 2: TEN[::-1], 3: [*TEN[2:], 103, 55]}
    lines = []
    for key in order:
        fields = [("query_id", key), ("query_text", "连衣裙"), ("item_ids", rows[key])]
        fields += [("score", [0.5, None])] * extra
        random.Random(key + len(gaps[0])).shuffle(fields)
        text = f",{gaps[1]}".join(
            f"{gaps[2]}{json.dumps(name)}{gaps[3]}:{gaps[4]}{json.dumps(value, ensure_ascii=ascii_only)}{gaps[5]}"
            for name, value in fields
        )
        lines.append(f"{gaps[6]}{{{text}}}{gaps[7]}")
    path = folder / "pred.jsonl"
    path.write_bytes(("\r\n" if crlf else "\n").join(lines).encode())
    report = mf.evaluate("retrieval", gold("retrieval"), path)
    assert report.ok, report.errors
    plain = {1: [1, 101], 2: [2, 102], 3: [3, 103]}
    assert report.scores["mean_recall"].value == mf.score_retrieval(rows, plain)["mean_recall"].value
    assert report.texts == dict.fromkeys([1, 2, 3], "连衣裙")
    assert report.warnings == ("fields that are not used: score (3); 3 of the rows have any",) * extra


def official_rules(gold_rows, lines):
    """The rules of a retrieval submission as the organisers state them; None if one is broken.

    Exactly the queries of the gold file, each once, with exactly 10 different integers. The score is the mean of
    Recall@1, @5 and @10, times 100.
    """
    rows = {}
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            return None
        if not isinstance(row, dict):
            return None
        key, items = row.get("query_id"), row.get("item_ids")
        if type(key) is not int or key in rows or not isinstance(items, list) or len(items) != 10:
            return None
        if any(type(item) is not int for item in items) or len(set(items)) != 10:
            return None
        rows[key] = items
    if set(rows) != set(gold_rows):
        return None
    recalls = [sum(bool(set(rows[key][:k]) & set(gold_rows[key])) for key in rows) / len(rows) for k in (1, 5, 10)]
    return 100 * sum(recalls) / 3


values = st.one_of(st.integers(0, 12), st.just(True), st.just(2.0), st.just("2"), st.none())
mostly_good = st.permutations(range(1, 13)).map(lambda numbers: numbers[:10])
items = st.one_of(mostly_good, mostly_good, mostly_good, st.lists(values, max_size=11), values)
row = st.fixed_dictionaries({"query_id": st.one_of(st.integers(1, 3), values), "item_ids": items}).map(json.dumps)
line = st.one_of(row, row, row, row, st.just("{"), st.just("[]"), st.just('{"query_id": 1}'))
files = st.one_of(
    st.lists(line, max_size=4),
    st.tuples(mostly_good, mostly_good, mostly_good).map(
        lambda rows: [json.dumps({"query_id": n, "item_ids": row}) for n, row in enumerate(rows, 1)]
    ),
)


@given(files)
def test_problems_and_score_follow_the_official_rules(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("rules") / "pred.jsonl"
    path.write_text("\n".join(lines))
    report = mf.evaluate("retrieval", gold("retrieval"), path)
    expected = official_rules({1: [1, 101], 2: [2, 102], 3: [3, 103]}, lines)
    assert report.ok == (expected is not None)
    if expected is not None:
        assert report.official()["score"] == pytest.approx(expected, abs=1e-12)


# The file as a whole


def test_paths_that_are_not_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(IsADirectoryError, match="the submission is a directory, name a file in it"):
        mf.evaluate("retrieval", gold("retrieval"), tmp_path)
    assert [problem.code for problem in reader("retrieval").read(tmp_path).problems] == ["directory"]
    assert problems(mf.evaluate("retrieval", gold("retrieval"), tmp_path / "pipe")) == [["not_regular", None]]
    assert problems(mf.evaluate("retrieval", gold("retrieval"), "/dev/zero")) == [["not_regular", None]]
    with pytest.raises(FileNotFoundError):
        mf.evaluate("retrieval", gold("retrieval"), tmp_path / "no.jsonl")


@pytest.mark.parametrize("key", ["x" * (1 << 20), "裙" * 300_000, "\x1b" * 100_000], ids=["x", "裙", "escape"])
def test_reports_of_long_ids_stay_small(tmp_path, key):
    path = tmp_path / "pred.jsonl"
    row = json.dumps({"image_id": key, "text": 5}, ensure_ascii=False)
    path.write_text(f"{row}\n" * 20, encoding="utf-8")
    report = mf.evaluate("caption", gold("caption"), path, limits=mf.Limits(line_bytes=1 << 21))
    assert report.problem_count > 20
    assert len(report.to_json().encode()) < 100_000
    assert report.to_dict()["problems"][0]["id"] == key[:255] + "…"
    assert len(json.dumps(report.official())) < 50_000
    assert len(json.dumps(describe(path))) < 10_000


def test_messages_of_the_drop_in_stay_short_for_long_values(tmp_path):
    path, text = tmp_path / "pred.jsonl", "x" * 1_000_000
    for row in ({"query_id": text}, {"query_id": text, "item_ids": [1]}, {"query_id": 1, "item_ids": [text] * 10}):
        path.write_text(json.dumps(row))
        assert len(chinese_clip.result(gold("retrieval"), path)["errorMsg"]) < 1000
    path.write_text(json.dumps({text + str(number): 1 for number in range(10)}))
    assert len(chinese_clip.result(gold("retrieval"), path)["errorMsg"]) < 1000
    path.write_text(f"{json.dumps({'image_id': text, 'text': 'a'})}\n" * 2)
    with pytest.raises(ValueError, match="occurs more than once") as caught:
        mf.read_captions(path)
    assert len(str(caught.value)) < 1000


def test_large_files_and_lines_are_not_read(tmp_path):
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        file.truncate(10 << 30)
    report = mf.evaluate("retrieval", gold("retrieval"), path)
    assert report.errors == ["the file has 10737418240 bytes, more than the limit of 134217728"]
    assert problems(mf.evaluate("retrieval", gold("retrieval"), small(tmp_path), limits=mf.Limits(file_bytes=10))) == [
        ["too_large", None]
    ]
    lines = small(tmp_path).read_bytes().split(b"\n")
    lines[1] += b" " * (1 << 20)
    path.write_bytes(b"\n".join(lines))
    assert problems(mf.evaluate("retrieval", gold("retrieval"), path)) == [["long_line", 2], ["missing_id", None]]


def test_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch):
    path = small(tmp_path)
    states = []

    def changing(handle, state=os.fstat):
        states.append(handle)
        # After the type, the size: the last one is asked for when all is read.
        if len(states) == 4:
            path.write_bytes(path.read_bytes()[:-5])
        return state(handle)

    monkeypatch.setattr(row_reader.os, "fstat", changing)
    assert [problem.code for problem in reader("retrieval").read(path).problems] == ["changed"]


def test_the_first_hundred_problems_are_listed_and_the_rest_is_counted(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text("{\n" * 5000)
    report = mf.evaluate("retrieval", gold("retrieval"), path)
    assert len(report.problems) == 100
    assert report.problem_count == 5000
    message = "line 1 and 4999 more lines: invalid JSON, the first at character 1: Expecting property name enclosed in"
    assert report.errors == [f"{message} double quotes"]
    assert report.official()["errorMsg"].endswith("(5000 problems)")
    chinese = mf.evaluate("retrieval", gold("retrieval"), path, lang="zh")
    assert chinese.official()["errorMsg"].endswith("（共 5000 个问题）")


def test_reading_stops_after_very_many_problems(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text("x\n" * (1 << 22))
    report = mf.check("caption", path)
    assert report.problem_count == mf.Limits().stop_after
    path.write_text("\n" * (1 << 22))
    assert problems(mf.check("caption", path)) == [["empty", None]]


def test_comparing_stops_after_very_many_problems(tmp_path):
    path, small_gold, most = tmp_path / "pred.jsonl", tmp_path / "gold.jsonl", mf.Limits().stop_after
    rows = ({"image_id": f"u{number}", "text": ["裙"]} for number in range(most + 500))
    path.write_text("\n".join(map(json.dumps, rows)))
    small_gold.write_text('{"image_id": "a", "text": ["裙"]}')
    as_submission = tmp_path / "texts.jsonl"
    as_submission.write_text(path.read_text().replace("[", "").replace("]", ""))
    report = mf.check("caption", as_submission, gold=small_gold)
    assert {problem.code for problem in report.problems} == {"unknown_id"}
    assert report.problem_count == most
    small_gold.write_text('{"image_id": "a", "text": "裙"}')
    report = mf.check("caption", small_gold, gold=path)
    assert [problem.code for problem in report.problems[:2]] == ["unknown_id", "missing_id"]
    assert report.problem_count == most
    limits = mf.Limits(stop_after=20)
    assert mf.check("retrieval", small(tmp_path), pool=[], limits=limits).problem_count == 20
    assert mf.check("retrieval", small(tmp_path), gold=gold("retrieval"), pool=[]).problem_count == 30


def test_items_outside_the_pool(tmp_path):
    path = small(tmp_path)
    assert mf.evaluate("retrieval", gold("retrieval"), path, pool=range(200)).ok
    report = mf.evaluate("retrieval", gold("retrieval"), path, pool=set(range(2, 200)))
    assert problems(report) == [["not_in_pool", 1], ["not_in_pool", 2], ["not_in_pool", 3]]
    assert report.errors[1] == "line 2: query_id 2: 1 in item_ids is not in the pool"
    pool = tmp_path / "pool.txt"
    pool.write_text("\n".join(map(str, range(3, 200))))
    assert mf.check("retrieval", path, pool=pool).problem_count == 6
    with pytest.raises(TypeError, match="task 'caption' has no pool"):
        mf.check("caption", path, pool=pool)


@pytest.mark.parametrize("name", [name for name, codes in VERDICTS.items() if codes and codes[0][1] is not None])
def test_a_broken_gold_file_raises(name):
    task = name.partition("/")[0]
    fine_as_gold = {"caption/text_list", "retrieval/nine_items", "retrieval/eleven_items", "caption/gold_as_submission"}
    about_ids = {"unknown_id", "missing_id"}
    # The line ends of a gold file are not checked.
    about_ids |= {"blank_line", "carriage_return"}
    if name in fine_as_gold or {code for code, _ in VERDICTS[name]} <= about_ids:
        pytest.skip("no mistake in a gold file")
    with pytest.raises(mf.GoldError, match=r"^gold file .*\.jsonl: ") as caught:
        mf.evaluate(task, HOSTILE / f"{name}.jsonl", HOSTILE / task / "valid.jsonl")
    assert caught.value.errors


# Hostile ids


def hostile_id(tmp_path, key):
    """Return the report on a submission with this id and an empty text, and its Markdown."""
    path = tmp_path / "pred.jsonl"
    path.write_text(json.dumps({"image_id": key, "text": ""}) + "\n", encoding="utf-8")
    report = mf.check("caption", path)
    return report, report.to_markdown()


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("a\n\nOfficial verdict: success\n===", r"a\n\nOfficial verdict: success\n==="),
        ("\x1b[2J\x9b1m", r"\x1b[2J\x9b1m"),
        ("a\u2028b\u2029c\x85d\r", r"a\u2028b\u2029c\x85d\r"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("裙 1/é.jpg", "裙 1/é.jpg"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
    ],
)
def test_ids_are_shown_in_one_short_line(tmp_path, key, shown):
    report, markdown = hostile_id(tmp_path, key)
    assert report.errors == [f"line 1: image_id {shown}: text is empty"]
    assert report.official()["errorDetail"] == report.errors[0]
    assert len(markdown.splitlines()) == 3
    assert all(letter.isprintable() for line in markdown.splitlines() for letter in line)
    assert report.problems[0].id == key


def test_ids_are_escaped_in_markdown(tmp_path):
    _, markdown = hostile_id(tmp_path, "# *a* ~~b~~ &lt; =")
    # In a code span, nothing is markup.
    assert "- `line 1: image_id # *a* ~~b~~ &lt; =: text is empty`" in markdown


def test_ids_of_a_megabyte_give_a_small_result(tmp_path):
    path = tmp_path / "pred.jsonl"
    rows = ({"image_id": f"{number}" + "x" * 900_000, "text": ""} for number in range(20))
    path.write_text("\n".join(map(json.dumps, rows)))
    assert len(json.dumps(mf.check("caption", path).official())) < 20_000
