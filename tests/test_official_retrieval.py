"""The verdict of the public evaluation scripts of retrieval, on random valid and broken files and rule by rule.

Set the environment variable ``MUGE_FAST_SCRIPTS`` to a folder with checkouts of MUGE-2021/image-retrieval-baseline and
OFA-Sys/Chinese-CLIP, in any sub-folders, to run the scripts themselves too.
"""

import contextlib
import io
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import muge_fast as mf
from muge_fast._internal.field_names import IMAGE_TO_TEXT, QUERY, TEXT_TO_IMAGE
from muge_fast.cli.main import main
from muge_fast.evaluation.official_retrieval import OfficialError, score_as_published
from muge_fast.evaluation.official_verdict import official_verdict
from retrieval_files import random_files

FILES = 2000
SCRIPTS = {
    "src/eval/evaluation.py": QUERY,
    "cn_clip/eval/evaluation.py": TEXT_TO_IMAGE,
    "cn_clip/eval/evaluation_tr.py": IMAGE_TO_TEXT,
}
TEN = list(range(10))


# The rules of the scripts in plain Python


def json_lines(path):
    with Path(path).open(encoding="utf-8") as file:
        return [json.loads(line.strip()) for line in file]


def plain_verdict(gold, submission, names):
    """Return the mean and the three recalls; None if a script reports an error, whatever it is."""
    try:
        truth = {}
        for row in json_lines(gold):
            truth[row[names.id]] = row[names.value]
        predicted = {}
        for row in json_lines(submission):
            assert names.id in row
            assert isinstance(row[names.id], int)
            assert isinstance(row[names.value], list)
            assert all(isinstance(item, int) for item in row[names.value])
            assert len(row[names.value]) == len(set(row[names.value])) == 10
            predicted[row[names.id]] = row[names.value]
        assert set(truth) <= set(predicted)
        found = {1: 0, 5: 0, 10: 0}
        for query, items in truth.items():
            relevant = set(items)
            for k in found:
                found[k] += any(item in predicted[query][:k] for item in relevant)
        r1, r5, r10 = (count * 1.0 / len(truth) for count in found.values())
    except Exception:  # noqa: BLE001 - the scripts report every error
        return None
    return [value * 100 for value in ((r1 + r5 + r10) / 3.0, r1, r5, r10)]


def published(gold, submission, names=QUERY):
    try:
        return list(score_as_published(gold, submission, names=names))
    except (ValueError, OSError):
        return None


def official_object(scores, result):
    """Return the object that the scripts write; the messages of an error are not theirs."""
    if scores is None:
        messages = {key: result[key] for key in ("errorMsg", "errorDetail")}
        return {"success": False, "score": 0, "scoreJson": {}, **messages}
    mean, r1, r5, r10 = scores
    return {
        "success": True,
        "score": mean,
        "scoreJson": {"score": mean, "mean_recall": mean, "r1": r1, "r5": r5, "r10": r10},
    }


def test_success_and_score_bits_follow_the_rules_of_the_scripts(tmp_path):
    accepted = dict.fromkeys(SCRIPTS.values(), 0)
    for seed, gold, submission in random_files(tmp_path, FILES):
        for names in accepted:
            expected = plain_verdict(gold, submission, names)
            assert published(gold, submission, names) == expected, (seed, names)
            accepted[names] += expected is not None
            result = official_verdict("retrieval", gold, submission, names=names).result
            assert result == official_object(expected, result), (seed, names)
            assert expected is not None or result["errorMsg"]
            assert str(tmp_path) not in json.dumps(result)
    # Files of which most are accepted, or rejected, would show little.
    assert FILES * 0.3 < sum(accepted.values()) < FILES * 0.7
    assert min(accepted.values()) > FILES * 0.05


def scripts():
    folder = os.environ.get("MUGE_FAST_SCRIPTS")
    found = {path: sorted(Path(folder).rglob(path)) for path in SCRIPTS} if folder else {}
    return {path: files[0] for path, files in found.items() if files}


def run_script(script, gold, submission, output, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(script), str(gold), str(submission), str(output)])
    with contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(script), run_name="__main__")
    return json.loads(output.read_text())


@pytest.mark.skipif(not scripts(), reason="MUGE_FAST_SCRIPTS names no folder with the scripts")
@pytest.mark.parametrize("path", SCRIPTS)
# The scripts leave the gold file open.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_success_and_score_bits_are_those_of_the_scripts(tmp_path, monkeypatch, path):
    for seed, gold, submission in random_files(tmp_path, FILES):
        (tmp_path / "out.json").unlink(missing_ok=True)
        expected = run_script(scripts()[path], gold, submission, tmp_path / "out.json", monkeypatch)
        result = official_verdict("retrieval", gold, submission, names=SCRIPTS[path]).result
        keys = ("success", "score", "scoreJson")
        assert [result[key] for key in keys] == [expected[key] for key in keys], seed
        assert set(result) == set(expected)


def can_be_gold(path):
    try:
        return bool(json_lines(path))
    except ValueError:
        return False


def test_what_evaluate_accepts_is_accepted_by_the_script_with_the_same_bits(tmp_path):
    accepted = 0
    for seed, gold, submission in random_files(tmp_path, FILES):
        try:
            report = mf.evaluate("retrieval", gold, submission)
        except mf.GoldError:
            continue
        if not can_be_gold(gold):
            # Its line ends are not checked, because it is trusted.
            continue
        verdicts = [published(gold, submission, names) for names in SCRIPTS.values()]
        official = report.official()
        if report.ok:
            accepted += 1
            assert [official["scoreJson"][key] for key in ("mean_recall", "r1", "r5", "r10")] in verdicts, seed
        # A verdict that differs from that of the script says so.
        assert ("unofficial" in official) == (not report.ok and any(verdict is not None for verdict in verdicts)), seed
    assert accepted > FILES * 0.1


def test_what_evaluate_refuses_and_the_script_accepts_is_a_warning(tmp_path):
    refused = 0
    for seed, gold, submission in random_files(tmp_path, FILES):
        for names in SCRIPTS.values():
            verdict = official_verdict("retrieval", gold, submission, names=names)
            if not verdict.result["success"]:
                assert verdict.warnings == (), seed
                continue
            try:
                report = mf.evaluate("retrieval", gold, submission)
            except mf.GoldError:
                continue
            stricter = [warning for warning in verdict.warnings if "evaluate and check do not" in warning]
            assert bool(stricter) != report.ok, seed
            assert not report.ok or verdict.warnings == report.warnings, seed
            refused += not report.ok
    assert refused > FILES * 0.05


# Rule by rule


def lines(*rows, end="\n"):
    return "".join((row if isinstance(row, str) else json.dumps(row)) + end for row in rows)


def row(query=1, items=TEN, **fields):
    return {"query_id": query, "item_ids": items, **fields}


GOLD = lines(row(1, [0]), row(2, [5]))
GOOD = lines(row(1), row(2))
GOOD_SCORE = 100 * (0.5 + 0.5 + 1) / 3


@pytest.fixture
def files(tmp_path):
    """Write a gold file and a submission, and return their paths."""

    def write(submission, gold=GOLD):
        paths = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
        for path, content in zip(paths, (gold, submission), strict=True):
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return paths

    return write


ACCEPTED = {
    "extra fields": (lines(row(1, score=0.5), row(2, extra=[{}])), GOOD_SCORE),
    "extra fields of another form": (lines(row(1, text_id=9, image_ids=["x"]), row(2)), GOOD_SCORE),
    "NaN in an extra field": (lines(row(1, score=float("nan")), row(2)), GOOD_SCORE),
    "unknown queries": (lines(row(1), row(7), row(2)), GOOD_SCORE),
    "repeated queries, of which the last counts": (lines(row(2), row(1), row(2, [5, *TEN[:5], *TEN[6:]])), 100.0),
    "a boolean as a query": (lines(row(True), row(2)), GOOD_SCORE),
    "booleans as items": (lines(row(1, [False, True, *TEN[2:]]), row(2)), GOOD_SCORE),
    "integers of more than 64 bits": (lines(row(1, [*TEN[:9], 2**80]), row(2)), GOOD_SCORE),
    "a repeated field, of which the last value counts": (
        lines('{"query_id": 9, "item_ids": 5, "query_id": 1, "item_ids": [0,1,2,3,4,5,6,7,8,9]}', row(2)),
        GOOD_SCORE,
    ),
    "white space of Python around a row": (lines(f"\u3000\x0c{json.dumps(row(1))}\x1c\xa0", row(2)), GOOD_SCORE),
    "carriage returns as line ends": (lines(row(1), row(2), end="\r"), GOOD_SCORE),
    "no last line end": (GOOD[:-1], GOOD_SCORE),
    "any order": (lines(row(2), row(1)), GOOD_SCORE),
}


@pytest.mark.parametrize("rule", ACCEPTED)
def test_accepted(files, rule):
    submission, score = ACCEPTED[rule]
    assert published(*files(submission))[0] == pytest.approx(score, abs=1e-12)
    assert plain_verdict(*files(submission), QUERY) == published(*files(submission))


REJECTED = {
    "a blank line": (lines(row(1), "", row(2)), "line 2: the line is blank"),
    "a blank last line": (f"{GOOD}\n", "line 3: the line is blank"),
    "a blank line between carriage returns": (lines(row(1), row(2), end="\r\r\n"), "line 2: the line is blank"),
    "a byte order mark": (f"\ufeff{GOOD}", "byte order mark"),
    "UTF-16": (GOOD.encode("utf-16"), "UTF-16"),
    "GBK": (lines(row(1), '{"query_text": "连衣裙"}').encode("gbk"), "line 2: invalid UTF-8 at byte 16"),
    "the names of Chinese-CLIP": (
        lines({"text_id": 1, "image_ids": TEN}),
        "line 1: the fields are text_id, image_ids, but the gold file has query_id, item_ids",
    ),
    "the other direction": (lines({"image_id": 1, "text_ids": TEN}), "line 1: the fields are image_id, text_ids"),
    "a mixture in a row": (lines({"query_id": 1, "image_ids": TEN}), "line 1: field item_ids is missing"),
    "a mixture in a file": (
        lines(row(1), {"text_id": 2, "image_ids": TEN}),
        "line 2: the fields are text_id, image_ids",
    ),
    "nine items": (lines(row(1, TEN[:9])), "line 1: query_id 1 has 9 item_ids, needs exactly 10"),
    "an item twice": (lines(row(1, [*TEN[:9], 3])), "line 1: query_id 1 has 3 more than once"),
    "true and 1": (lines(row(1, [True, *TEN[1:]])), "line 1: query_id 1 has 1 more than once"),
    "a float": (lines(row(1, [*TEN[:9], 9.0])), r"line 1: query_id 1: item_ids[9] is 9.0, expected an integer"),
    "a string": (lines(row("1")), "line 1: query_id is '1', expected an integer"),
    "nine items of an unknown query": (f"{GOOD}{lines(row(7, TEN[:9]))}", "line 3: query_id 7 has 9 item_ids"),
    "a missing query": (lines(row(2)), "query_id 1 is missing"),
    "an empty file": ("", "query_id 1 is missing (and 1 more)"),
    "a row that is no object": (lines([1]), "line 1: expected a JSON object"),
    "two rows in a line": (GOOD.replace("\n", ""), "line 1: invalid JSON"),
    "a line separator of Unicode": (lines(row(1), row(2), end="\u2028"), "line 1: invalid JSON"),
    "too many digits": (lines('{"query_id": ' + "9" * 5000 + "}"), "line 1: invalid JSON"),
}


# Files of which more is known than the error of the script.
CAUSES = {"GBK", "an empty file", "two rows in a line", "a row that is no object"}


@pytest.mark.parametrize("rule", REJECTED)
def test_rejected(files, rule):
    submission, message = REJECTED[rule]
    gold, path = files(submission)
    with pytest.raises(OfficialError) as caught:
        score_as_published(gold, path)
    assert message in str(caught.value)
    assert plain_verdict(gold, path, QUERY) is None
    verdict = official_verdict("retrieval", gold, path)
    result = verdict.result
    detail = result["errorDetail"].splitlines()
    assert result["errorMsg"] == str(caught.value)
    assert detail.index(str(caught.value)) == (rule in CAUSES)


KINDS = {
    "csv": ("id,items\n1,2\n2,3\n", "the file looks like CSV"),
    "json_array": (json.dumps([row(1), row(2)]), "the file is a JSON array"),
    "json_mapping": (json.dumps({"1": TEN, "2": TEN}), "the file is one JSON object"),
    "python_rows": (f"{row(1)}\n{row(2)}\n", "the rows are Python dictionaries"),
    "wrong_task": (lines({"image_id": "a", "text": "x"}), "this looks like a caption submission, not a retrieval one"),
    "wrong_role": (lines(row(1, [5]), row(2, [6])), "gold and submission seem to be swapped"),
    "utf16": (lines('{"query_text": "一需一一"}', *[row(1)] * 9).encode("utf-16-le"), "the file is encoded in UTF-16"),
    "gzip": (b"\x1f\x8b\x08\x00\x00", "the file is compressed with gzip"),
    "pickle": (b"\x80\x04\x95\x00", "the file is a Python pickle"),
    "empty": ("\n\n", "the file has no rows"),
    "truncated": (GOOD[:-9], "the file ends in the middle of line 2: it was cut off"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_another_kind_of_file_is_named_once_and_first(files, tmp_path, kind):
    content, message = KINDS[kind]
    gold, submission = files(content, GOOD if kind == "wrong_role" else GOLD)
    output = tmp_path / "out.json"
    run = CliRunner().invoke(main, ["official", "retrieval", *map(str, (gold, submission, output))])
    assert run.exit_code == 1
    assert run.stderr.splitlines()[-1].startswith(f"invalid: {message}")
    result = json.loads(output.read_text(encoding="utf-8"))
    detail = result["errorDetail"].splitlines()
    with pytest.raises(OfficialError) as caught:
        score_as_published(gold, submission)
    assert (result["success"], result["score"], result["errorMsg"]) == (False, 0, str(caught.value))
    assert detail[0].startswith(message)
    assert str(caught.value) in detail[:2]
    assert result["errorDetail"].count(message) == 1


@pytest.mark.parametrize(("lang", "message"), [("en", "the file looks like CSV"), ("zh", "文件看起来是 CSV")])
def test_the_kind_of_a_gold_file_is_named_for_the_organizer(files, lang, message):
    gold, submission = files(GOOD, KINDS["csv"][0])
    verdict = official_verdict("retrieval", gold, submission, lang=lang)
    assert verdict.error is not None
    assert message in verdict.error
    assert "CSV" not in json.dumps(verdict.result)


@pytest.mark.parametrize(
    ("gold", "score"),
    [
        # Only the last line of a repeated query has to hold a list, and it counts.
        (lines(row(1, 5), row(2, [5]), row(1, [0])), GOOD_SCORE),
        (lines(row(1, []), row(2, [5])), 100.0 / 6),
        (lines(row(1, "0123"), row(2, {"5": 5})), 0.0),
        (lines(row(1.0, [0.0, None, "x"]), row(2, [5, 5])), GOOD_SCORE),
        (lines(row(True, [False]), row(2, [5])), GOOD_SCORE),
        ("", None),
        (f"{GOLD}\n", None),
        (lines(row(1, 5), row(2, [5])), None),
        (lines(row(1, [[0]]), row(2, [5])), None),
        (lines(row("1", [0]), row(2, [5])), None),
        (lines(row([1], [0])), None),
        (lines({"text_id": 1, "image_ids": [0]}), None),
    ],
)
def test_gold_files(files, gold, score):
    paths = files(GOOD, gold)
    expected = plain_verdict(*paths, QUERY)
    assert published(*paths) == expected
    assert expected is None if score is None else expected[0] == pytest.approx(score, abs=1e-12)


BEFORE, AFTER = '{"query_id": 1, "item_ids": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "x": ', "}"
# A program that parses rows as deep below the interpreter as the scripts do.
DEEPEST = """
import json, sys
def read_rows(before, after):
    for depth in range(1, 2000):
        try:
            json.loads(before + "[" * depth + "]" * depth + after)
        except RecursionError:
            return depth - 1
    return depth
print(read_rows(*sys.argv[1:]))
"""


def below(frames, function, *arguments):
    return function(*arguments) if frames == 0 else below(frames - 1, function, *arguments)


@pytest.mark.parametrize("frames", [0, 200])
def test_rows_may_be_nested_as_deeply_as_in_the_scripts_wherever_the_function_is_called(files, frames):
    command = [sys.executable, "-c", DEEPEST, BEFORE, AFTER]
    deepest = int(subprocess.run(command, capture_output=True, check=True).stdout)  # noqa: S603 - ours
    gold = lines(row(1, [0]))

    def nested(opened, closed):
        return files(BEFORE + "[" * opened + "]" * closed + AFTER, gold)

    assert below(frames, published, *nested(deepest, deepest)) is not None
    with pytest.raises(OfficialError, match=r"^line 1: invalid JSON"):
        below(frames, score_as_published, *nested(deepest, deepest - 1))
    assert below(frames, published, *nested(100_000, 100_000)) is None
    if deepest < 1999:
        with pytest.raises(OfficialError, match=r"^line 1: lists or objects are nested too deeply$"):
            below(frames, score_as_published, *nested(deepest + 1, deepest + 1))


def test_unknown_queries_with_the_same_hash_take_linear_time(files):
    # All multiples of this number have the same hash in Python. A dictionary of them would take minutes.
    same_hash = 2**61 - 1
    unknown = lines(*(row(same_hash * number) for number in range(1, 100_000)))
    paths = files(GOOD + unknown)
    assert published(*paths)[0] == pytest.approx(GOOD_SCORE)


def test_large_files_are_not_read(files, tmp_path):
    gold, _ = files("")
    with (tmp_path / "large.jsonl").open("wb") as file:
        file.truncate(10 << 30)
    result = official_verdict("retrieval", gold, tmp_path / "large.jsonl").result
    assert result["errorMsg"] == "the file has 10737418240 bytes, more than the limit of 134217728"


# The command


def run_official(gold, submission, output, task="retrieval"):
    return CliRunner().invoke(main, list(map(str, ("official", task, gold, submission, output))))


ODD = lines(
    row(2, query_text=5),
    row(1),
    row(2),
    row(3),
    row(4, score=1),
    row(4, score=2),
    row(4, [True, *TEN[2:], 0]),
)


def test_the_command_warns_of_what_evaluate_refuses_grouped_by_kind(files, tmp_path):
    gold, submission = files(ODD)
    done = run_official(gold, submission, tmp_path / "out.json")
    assert done.exit_code == 0
    written = json.loads((tmp_path / "out.json").read_text())
    assert written == official_object(plain_verdict(gold, submission, QUERY), written)
    start = "Warning: the evaluation script accepts this file, evaluate and check do not: "
    wrote, *lines = done.stderr.splitlines()
    assert wrote.startswith("wrote ")
    assert [line.removeprefix(start) for line in lines] == [
        "line 1: query_id 2: query_text is 5, expected a string",
        "line 3: query_id 2 occurs more than once, first in line 1 (and 1 more)",
        "line 7: query_id 4: item_ids[0] is true, expected an integer",
        "line 7: query_id 4 occurs more than once with different values, first in line 5",
        "line 4: query_id 3 is not in the gold file (and 1 more)",
        "Warning: all 4 rows have the same prediction",
        "Warning: fields that are not used: score (2); 2 of the rows have any",
    ]


def test_evaluate_says_that_the_script_accepts_what_it_refuses(files):
    gold, submission = files(lines(row(1), row(2), row(2)))
    note = "the evaluation script of the benchmark accepts this file and gives it 66.67; the check here is stricter"
    for report in (mf.evaluate("retrieval", gold, submission), mf.check("retrieval", submission, gold=gold)):
        assert report.official()["success"] is False
        assert report.official()["unofficial"] == [note]
        assert report.warnings == (f"not an official result: {note}",)
    gold, submission = files(lines(row(1), row(2, TEN[:9])))
    assert "unofficial" not in mf.evaluate("retrieval", gold, submission).official()
    assert "unofficial" not in mf.check("retrieval", submission, gold=gold).official()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_evaluate_names_both_forms_in_one_sentence(files, lang):
    gold, submission = files(lines(*({"text_id": query, "image_ids": TEN} for query in range(100))))
    sentence = {
        "en": "the fields are text_id, image_ids, but the gold file has query_id, item_ids; rename the fields of the "
        "submission",
        "zh": "字段为 text_id, image_ids，与标准答案文件的 query_id, item_ids 不一致，请修改提交文件的字段名",
    }[lang]
    assert mf.evaluate("retrieval", gold, submission, lang=lang).errors == [sentence]
    assert mf.check("retrieval", submission, gold=gold, lang=lang).errors == [sentence]
    assert mf.check("retrieval", submission).ok


@pytest.mark.parametrize("task", ["retrieval", "caption", "classification"])
def test_a_result_has_no_paths_and_no_content_of_the_gold_file(files, tmp_path, task):
    gold, submission = files(GOOD, "secret 12345\n")
    for wrong in (gold, tmp_path / "no gold", tmp_path):
        done = run_official(wrong, submission, tmp_path / "out.json", task)
        assert done.exit_code == 2
        assert str(wrong) in done.stderr
        written = json.loads((tmp_path / "out.json").read_text())
        assert written["success"] is False
        assert "12345" not in str(written)
        assert str(tmp_path) not in str(written)


# Files that cannot be evaluated


def test_utf32_is_not_called_utf16(files):
    gold, submission = files(GOOD.encode("utf-32"))
    assert "UTF-32" in official_verdict("retrieval", gold, submission).result["errorMsg"]


@pytest.mark.parametrize(
    ("lang", "submission_message", "gold_message"),
    [
        ("en", "submission {}: no such file", "gold file {}: no such file"),
        ("zh", "提交文件 {}：文件不存在", "标准答案文件 {}：文件不存在"),
    ],
)
def test_a_missing_file_is_named_with_its_side(files, tmp_path, lang, submission_message, gold_message):
    gold, submission = files(GOOD)
    missing = tmp_path / "missing"
    assert official_verdict("retrieval", gold, missing, lang=lang).error == submission_message.format(missing)
    assert official_verdict("retrieval", missing, submission, lang=lang).error == gold_message.format(missing)


def test_the_command_writes_in_the_language_of_the_user(files, tmp_path):
    gold, submission = files(lines(row(1), row(1), row(2)))
    output = tmp_path / "out.json"
    result = CliRunner().invoke(main, ["official", "retrieval", *map(str, (gold, submission, output)), "--lang", "zh"])
    assert result.exit_code == 0
    assert "警告：评测脚本接受该文件" in result.output
    gold, submission = files(lines(row(1, TEN[:9])))
    CliRunner().invoke(main, ["official", "retrieval", *map(str, (gold, submission, output)), "--lang", "zh"])
    assert json.loads(output.read_text(encoding="utf-8"))["errorMsg"].startswith("第 1 行")


def test_advice_of_the_command_names_no_argument_of_python(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("MUGE_FAST_INCEPTION", raising=False)
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
    (tmp_path / "images.tsv").write_text(f"a\t{png}\nb\t{png}\n")
    arguments = ["official", "t2i", *[str(tmp_path / "images.tsv")] * 2, str(tmp_path / "out.json")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    if "no weights" in result.output:
        assert "weights=" not in result.output
        assert "MUGE_FAST_INCEPTION" in result.output
