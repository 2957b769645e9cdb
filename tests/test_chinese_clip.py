"""The drop-in replacement for Chinese-CLIP's evaluation script, and the query files that it reads."""

import json
import os
import re
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


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_original(tmp_path, seed):
    rng = np.random.default_rng(seed)
    gold = {int(n): rng.permutation(60)[: rng.integers(0, 5)].tolist() for n in rng.permutation(9999)[:777]}
    predictions = {n: rng.permutation(60)[:10].tolist() for n in rng.permutation(list(gold)).tolist()}
    rows = [{"text_id": n, "text": "连衣裙", "image_ids": ids} for n, ids in gold.items()]
    golden_file = write(tmp_path / "gold", rows)
    predict_file = write(tmp_path / "pred", [{"text_id": n, "image_ids": ids} for n, ids in predictions.items()])
    assert compute_score(golden_file, predict_file) == original(gold, predictions)


TEN = list(range(10))
RENAME = "but the gold file has text_id, image_ids; rename the fields of the submission"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([{"text_id": 1, "image_ids": TEN[:9]}], "line 1: text_id 1 has 9 image_ids, needs exactly 10"),
        ([{"text_id": 2, "image_ids": TEN}], "text_id 1 is missing"),
        # The number of items is checked before the items.
        ([{"text_id": 1, "image_ids": [None, *TEN]}], "line 1: text_id 1 has 11 image_ids, needs exactly 10"),
        ([{"text_id": "1", "image_ids": TEN}], "line 1: text_id is '1', expected an integer"),
        (
            [{"text_id": 1, "image_ids": [*TEN[:9], 1.0]}],
            "line 1: text_id 1: image_ids[9] is 1.0, expected an integer",
        ),
        ([{"text_id": 1, "image_ids": [*TEN[:9], 3]}], "line 1: text_id 1 has 3 more than once in image_ids"),
        (
            [{"text_id": 1, "image_ids": "0123456789"}],
            "line 1: text_id 1: image_ids is '0123456789', expected a list of integers",
        ),
        ([{"text_id": 1}], "line 1: field image_ids is missing"),
        (
            [{"query_id": 1, "item_ids": TEN}],
            f"line 1: the fields are query_id, item_ids, {RENAME}",
        ),
        ([TEN], "line 1: expected a JSON object {…}, got a list of 10"),
        ([], "text_id 1 is missing"),
    ],
)
def test_broken_submissions(tmp_path, lines, message):
    gold = write(tmp_path / "gold", [{"text_id": 1, "image_ids": [3]}])
    pred = write(tmp_path / "pred", lines)
    separator = ", " if message.startswith("line") else ": "
    with pytest.raises(ValueError, match=f"^{re.escape(f'{pred}{separator}{message}')}$"):
        compute_score(gold, pred)
    verdict = result(gold, pred)
    assert (verdict["success"], verdict["score"], verdict["scoreJson"]) == (False, 0, {})
    assert verdict["errorMsg"] == message
    # What the file is comes first.
    assert message in verdict["errorDetail"].splitlines()[:2]


@pytest.mark.parametrize(
    ("lines", "warning"),
    [
        (
            [{"text_id": 1, "image_ids": TEN}, {"text_id": 2, "image_ids": TEN}, {"text_id": 3, "image_ids": TEN}],
            "line 2: text_id 2 is not in the gold file (and 1 more)",
        ),
        ([{"text_id": 1, "image_ids": TEN}] * 2, "line 2: text_id 1 occurs more than once, first in line 1"),
        (
            [{"text_id": 1, "image_ids": [9, *TEN[:9]]}, {"text_id": 1, "image_ids": TEN}],
            "line 2: text_id 1 occurs more than once with different values, first in line 1",
        ),
        ([{"text_id": True, "image_ids": TEN}], "line 1: text_id is true, expected an integer"),
        (
            [{"text_id": 1, "image_ids": [2, *TEN[1:2], 0, *TEN[3:9], 2**70]}],
            f"line 1: text_id 1: image_ids has {2**70}, outside the range of 64-bit integers",
        ),
    ],
)
def test_what_the_original_accepts_is_accepted_with_a_warning(tmp_path, lines, warning):
    gold = write(tmp_path / "gold", [{"text_id": 1, "image_ids": [1]}])
    pred = write(tmp_path / "pred", lines)
    # Of a repeated query the last line counts: item 1 is the second one everywhere.
    assert compute_score(gold, pred) == original({1: [1]}, {1: [0, 1, *TEN[2:]]})
    done = command(gold, pred, tmp_path / "result.json")
    assert done.returncode == 0
    accepted = "Warning: the evaluation script accepts this file, evaluate and check do not: "
    assert accepted + warning.replace("image_ids has", "image_ids[9] has") in done.stderr.splitlines()
    assert json.loads((tmp_path / "result.json").read_text()) == result(gold, pred)
    assert set(result(gold, pred)) == {"success", "score", "scoreJson"}


def test_missing_queries_are_counted(tmp_path):
    few = write(tmp_path / "few", [{"text_id": 1, "image_ids": TEN}])
    many = write(tmp_path / "many", [{"text_id": n, "image_ids": TEN} for n in (1, 2, 3)])
    with pytest.raises(ValueError, match=r"few: text_id 2 is missing \(and 1 more\)$"):
        compute_score(many, few)
    assert compute_score(few, many)[0] > 0


def test_messages_have_no_paths_and_no_content_of_the_annotation(tmp_path):
    pred = write(tmp_path / "pred", [{"text_id": 1, "image_ids": TEN}])
    gold = write(tmp_path / "gold", [{"text_id": 1, "image_ids": 12345}])
    with pytest.raises(mf.GoldError, match=r"gold: line 1: image_ids is 12345, expected a list of ids$"):
        compute_score(gold, pred)
    (tmp_path / "text").write_text("secret 12345\n")
    for wrong in (gold, tmp_path / "text", tmp_path / "no gold", tmp_path):
        verdict = result(wrong, pred)
        assert "12345" not in str(verdict)
        assert str(tmp_path) not in str(verdict)
        assert "the gold file" in verdict["errorMsg"]
    assert result(pred, tmp_path / "no")["errorMsg"] == "the submission cannot be read: no such file"
    muge = write(tmp_path / "muge", [{"query_id": 1, "item_ids": TEN}])
    needed = "the gold file has query_id, item_ids, but the evaluation script needs text_id, image_ids"
    assert result(muge, muge)["errorMsg"].startswith(needed)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"query_id": 1, "item_ids": [\xff]}', "line 1: invalid UTF-8 at byte 29"),
        (b'\n{"query_id": 1', "the file ends in the middle of line 2: it was cut off"),
        (b"query 1\n", "line 1: invalid JSON"),
        (b"[" * 100_000, "the file is a JSON array"),
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
    gold = write(tmp_path / "gold", [{"text_id": 1, "image_ids": [3]}])
    target = tmp_path / "result.json"
    assert command(gold, tmp_path / "p\udcff", target).returncode == 2
    pred = write(tmp_path / "q\udcff", [{"text_id": 1, "image_ids": [3]}])
    assert command(gold, pred, target).returncode == 1
    written = json.loads(target.read_text(encoding="utf-8"))
    assert written["errorMsg"] == "line 1: text_id 1 has 1 image_ids, needs exactly 10"


def test_the_command_writes_the_result_object(tmp_path):
    gold = write(tmp_path / "gold", [{"text_id": 1, "image_ids": [3]}])
    good = write(tmp_path / "good", [{"text_id": 1, "image_ids": TEN}])
    target = tmp_path / "result.json"
    assert command(gold, good, target).returncode == 0
    written = json.loads(target.read_text(encoding="utf-8"))
    mean = 100 * (2 / 3.0)
    assert written == {
        "success": True,
        "score": mean,
        "scoreJson": {"score": mean, "mean_recall": mean, "r1": 0.0, "r5": 100.0, "r10": 100.0},
    }
    assert command(gold, tmp_path / "missing", target).returncode == 2
    written = json.loads(target.read_text(encoding="utf-8"))
    assert not written["success"]
    assert "no such file" in written["errorMsg"]
    assert command(gold, good, tmp_path / "nowhere" / "result.json").returncode == 2
    assert command(gold).returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gold", "good", "result.json"]


@pytest.mark.skipif(os.name != "posix", reason="needs pipes with a path")
def test_a_pipe_gets_a_result_object(tmp_path):
    gold = write(tmp_path / "gold.jsonl", [{"text_id": 1, "image_ids": [3]}])
    os.mkfifo(tmp_path / "pipe")
    assert result(gold, tmp_path / "pipe")["errorMsg"] == "the path is not a regular file"
