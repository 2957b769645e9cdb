"""The drop-in replacement for Chinese-CLIP's evaluation script, and the query files that it reads."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import muge_fast as mf
from muge_fast.compat.chinese_clip import compute_score, result


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def original(gold, predictions):
    """Return the scores of ``evaluation.py`` by its own arithmetic."""
    recalls = [
        sum(1 for query, true in gold.items() if any(item in predictions[query][:k] for item in true)) / len(gold)
        for k in (1, 5, 10)
    ]
    return [100 * value for value in (sum(recalls) / 3.0, *recalls)]


@pytest.mark.parametrize(("query", "items"), [("query_id", "item_ids"), ("text_id", "image_ids")])
@pytest.mark.parametrize("seed", range(5))
def test_equals_the_original(tmp_path, query, items, seed):
    rng = np.random.default_rng(seed)
    gold = {int(n): rng.permutation(60)[: rng.integers(0, 5)].tolist() for n in rng.permutation(9999)[:777]}
    predictions = {n: rng.permutation(60)[:10].tolist() for n in rng.permutation(list(gold)).tolist()}
    golden_file = write(tmp_path / "gold", [{query: n, "query_text": "连衣裙", items: ids} for n, ids in gold.items()])
    predict_file = write(tmp_path / "pred", [{query: n, items: ids} for n, ids in predictions.items()])
    assert compute_score(golden_file, predict_file) == original(gold, predictions)


TEN = list(range(10))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([{"query_id": 1, "item_ids": TEN[:9]}], "pred, line 1: query_id 1 has 9 item_ids, needs exactly 10"),
        ([{"query_id": 2, "item_ids": TEN}], "pred: no query 1, which .*gold has in line 1"),
        # The number of items is checked before the items.
        ([{"query_id": 1, "item_ids": [None, *TEN]}], "pred, line 1: query_id 1 has 11 item_ids, needs exactly 10"),
        (
            [{"query_id": 1, "item_ids": TEN}, {"query_id": 2, "item_ids": TEN}],
            "pred, line 2: query 2 is not in .*gold",
        ),
        ([{"query_id": 1, "item_ids": TEN}] * 2, "pred, line 2: query_id 1 occurs more than once, first in line 1"),
        ([{"query_id": True, "item_ids": TEN}], "pred, line 1: query_id is true, expected an integer"),
        ([{"query_id": "1", "item_ids": TEN}], "pred, line 1: query_id is '1', expected an integer"),
        (
            [{"query_id": 1, "item_ids": [*TEN[:9], 1.0]}],
            r"pred, line 1: query_id 1: item_ids\[9\] is 1.0, expected an integer",
        ),
        ([{"query_id": 1, "item_ids": [*TEN[:9], 3]}], "pred, line 1: query_id 1 has 3 more than once in item_ids"),
        (
            [{"query_id": 1, "item_ids": "0123456789"}],
            "pred, line 1: query_id 1: item_ids is '0123456789', expected a list of integers",
        ),
        ([{"query_id": 1}], "pred, line 1: field item_ids is missing"),
        ([TEN], "pred, line 1: expected a JSON object {…}, got a list of 10"),
        ([], "pred: no query 1, which .*gold has in line 1"),
    ],
)
def test_broken_submissions(tmp_path, lines, message):
    gold = write(tmp_path / "gold", [{"query_id": 1, "item_ids": [3]}])
    pred = write(tmp_path / "pred", lines)
    with pytest.raises(ValueError, match=f"{message}$"):
        compute_score(gold, pred)
    verdict = result(gold, pred)
    assert (verdict["success"], verdict["score"], verdict["scoreJson"]) == (False, 0, {})
    assert verdict["errorMsg"] == verdict["errorDetail"]


def test_missing_and_unknown_queries_are_counted(tmp_path):
    few = write(tmp_path / "few", [{"query_id": 1, "item_ids": TEN}])
    many = write(tmp_path / "many", [{"query_id": n, "item_ids": TEN} for n in (1, 2, 3)])
    with pytest.raises(ValueError, match=r"few: no query 2, which .*many has in line 2, and 1 more such queries$"):
        compute_score(many, few)
    with pytest.raises(ValueError, match=r"many, line 2: query 2 is not in .*few, and 1 more such queries$"):
        compute_score(few, many)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"query_id": 1, "item_ids": [\xff]}', "line 1: invalid UTF-8 at byte 29"),
        (b'\n{"query_id": 1', "line 2: the file ends in the middle of this line"),
        (b"query 1\n", "line 1: invalid JSON"),
        (b"[" * 100_000, "line 1: .*nested too deeply"),
        (b'{"query_id": ' + b"9" * 5000 + b', "item_ids": []}', "line 1: invalid JSON"),
    ],
)
def test_broken_files(tmp_path, content, message):
    path = tmp_path / "queries.jsonl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        mf.read_queries(path)


# All multiples of this number have the same hash in Python.
SAME_HASH = 2**61 - 1


def test_colliding_ids_beyond_64_bits_take_linear_time(tmp_path):
    numbers = [SAME_HASH * number for number in range(1, 100_000)]
    # The first ones fit in 64 bits, so the error names a later one.
    row = {"query_id": 1, "item_ids": numbers}
    problem = f"has {numbers[4]}, outside the range of 64-bit integers$"
    with pytest.raises(ValueError, match=rf"line 1: query_id 1: item_ids\[4\] {problem}"):
        mf.read_queries(write(tmp_path / "one", [row]))
    with pytest.raises(ValueError, match=rf"line 5: query_id {problem}"):
        mf.read_queries(write(tmp_path / "many", [{"query_id": number, "item_ids": TEN} for number in numbers]))


def test_ids_have_64_bits(tmp_path):
    least, largest = -(2**63), 2**63 - 1
    assert mf.read_queries(write(tmp_path / "a", [{"query_id": least, "item_ids": [largest]}])) == {least: [largest]}


def test_the_repeated_item_of_a_long_line_is_found_in_linear_time(tmp_path):
    # Comparing each item with all items before it would take hours.
    path = write(tmp_path / "queries.jsonl", [{"query_id": 1, "item_ids": [*range(1_000_000), 999_999]}])
    with pytest.raises(ValueError, match=r"line 1: query_id 1 has 999999 more than once in item_ids$"):
        mf.read_queries(path)


def command(*arguments):
    line = [sys.executable, "-m", "muge_fast.compat.chinese_clip", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.skipif(sys.platform != "linux", reason="paths are Unicode elsewhere")
def test_a_path_that_is_not_unicode_still_gives_a_result_object(tmp_path):
    gold = write(tmp_path / "gold", [{"query_id": 1, "item_ids": [3]}])
    target = tmp_path / "result.json"
    assert command(gold, tmp_path / "p\udcff", target).returncode == 1
    pred = write(tmp_path / "q\udcff", [{"query_id": 1, "item_ids": [3]}])
    assert command(gold, pred, target).returncode == 1
    written = json.loads(target.read_text(encoding="utf-8"))
    assert written["errorMsg"].endswith("q\\udcff, line 1: query_id 1 has 1 item_ids, needs exactly 10")


def test_the_command_writes_the_result_object(tmp_path):
    gold = write(tmp_path / "gold", [{"query_id": 1, "item_ids": [3]}])
    good = write(tmp_path / "good", [{"query_id": 1, "item_ids": TEN}])
    target = tmp_path / "result.json"
    assert command(gold, good, target).returncode == 0
    written = json.loads(target.read_text(encoding="utf-8"))
    mean = 100 * (2 / 3.0)
    assert written == {
        "success": True,
        "score": mean,
        "scoreJson": {"score": mean, "mean_recall": mean, "r1": 0.0, "r5": 100.0, "r10": 100.0},
    }
    assert command(gold, tmp_path / "missing", target).returncode == 1
    written = json.loads(target.read_text(encoding="utf-8"))
    assert not written["success"]
    assert "No such file" in written["errorMsg"]
    assert command(gold, good, tmp_path / "nowhere" / "result.json").returncode == 2
    assert command(gold).returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gold", "good", "result.json"]


@pytest.mark.skipif(os.name != "posix", reason="needs pipes with a path")
def test_a_pipe_gets_a_result_object(tmp_path):
    gold = write(tmp_path / "gold.jsonl", [{"query_id": 1, "item_ids": [3]}])
    os.mkfifo(tmp_path / "pipe")
    assert result(gold, tmp_path / "pipe")["errorMsg"] == f"{tmp_path / 'pipe'}: not a regular file"
