"""The verdict of the public evaluation scripts of retrieval, on random valid and broken files.

Set the environment variable ``MUGE_FAST_SCRIPTS`` to a folder with checkouts of MUGE-2021/image-retrieval-baseline and
OFA-Sys/Chinese-CLIP, in any sub-folders, to run the scripts themselves too.
"""

import contextlib
import io
import json
import os
import random
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import muge_fast as mf
from muge_fast._internal.field_names import IMAGE_TO_TEXT, QUERY, TEXT_TO_IMAGE
from muge_fast.compat import chinese_clip
from muge_fast.evaluation.official_retrieval import OfficialError, score_as_published
from muge_fast.evaluation.official_verdict import official_verdict

FILES = 2000
FORMS = {"muge": QUERY, "chinese_clip": TEXT_TO_IMAGE, "image_to_text": IMAGE_TO_TEXT}
SCRIPTS = {
    "muge": "src/eval/evaluation.py",
    "chinese_clip": "cn_clip/eval/evaluation.py",
    "image_to_text": "cn_clip/eval/evaluation_tr.py",
}
TEN = list(range(10))


# What the scripts do, in plain Python


def lines_of(path):
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as the scripts do
        return [json.loads(line.strip()) for line in file]


def plain_verdict(gold, submission, names):
    """Return the mean and the three recalls; None if a script reports an error, whatever it is."""
    try:
        truth = {}
        for row in lines_of(gold):
            truth[row[names.id]] = row[names.value]
        predicted = {}
        for row in lines_of(submission):
            assert names.id in row
            assert isinstance(row[names.id], int)
            assert isinstance(row[names.value], list)
            assert len(row[names.value]) == 10
            assert all(isinstance(item, int) for item in row[names.value])
            assert len(set(row[names.value])) == 10
            predicted[row[names.id]] = row[names.value]
        assert set(truth) <= set(predicted)
        found = {1: 0, 5: 0, 10: 0}
        for query, relevant in truth.items():
            relevant = set(relevant)
            for k in found:
                found[k] += any(item in predicted[query][:k] for item in relevant)
        r1, r5, r10 = (count * 1.0 / len(truth) for count in found.values())
    except Exception:  # noqa: BLE001 - the scripts report every error
        return None
    return [value * 100 for value in ((r1 + r5 + r10) / 3.0, r1, r5, r10)]


# Random files

SPACES = ["", " ", "\t", "\x0b", "\x0c", "\x1c", "\x1f", "\x85", "\xa0", "\u2028", "\u2029", "\u3000", "\ufeff", "\x00", "\u200b"]
LINE_ENDS = ["\n", "\n", "\n", "\r\n", "\r", "\n\r", "\r\r\n", "\n\n", "\n \n", "\u2028", "\x85", "\x0c", ""]
VALUES = [
    "true", "false", "null", "1.0", "1e0", "-0", "-0.0", "NaN", "Infinity", "-Infinity", "1e400", '"1"', '""', "[]", "{}",
    "[1]", '{"a": 1}', "9" * 30, "-" + "9" * 30, "9" * 4300, "9" * 4301, "2305843009213693951", "01", "+1", "0x1", "1_0", "[[1]]",
    '"\\ud800"', '"裙"', "[" * 60 + "]" * 60, "[" * 100_000,
]  # fmt: skip
LISTS = ["[]", "null", "5", '"0123456789"', '{"0": 1}', "[NaN]", '["1"]', "[1.0, 2.0]", "[true]", "[null]", "[[1]]", "[{}]",
         "[1, 1, 1]", "[" + "9" * 30 + "]", "[1e400]", '[1, "x", null, 2.5]', "true", '""', "{}"]  # fmt: skip


class Row(list):
    """Pairs of a name and a JSON text."""

    def set(self, name, value):
        self[:] = [(key, value if key == name else old) for key, old in self]

    def text(self, rng):
        gap = rng.choice(["", " "])
        return "{" + f",{gap}".join(f"{json.dumps(name)}:{gap}{value}" for name, value in self) + "}"


def rows_of(rng, queries, names, counts):
    rows = []
    for query in queries:
        row = Row([(names.id, str(query)), (names.value, json.dumps(rng.sample(range(25), rng.choice(counts))))])
        if rng.random() < 0.1:
            row.append(("query_text", '"连衣裙"'))
        rng.shuffle(row)
        rows.append(row)
    return rows


def items_of(row, names):
    return json.loads(dict(row)[names.value])


def change_row(rng, rows, names):
    """Change one row of a submission in one of many ways."""
    row = rng.choice(rows)
    kind = rng.randrange(14)
    if kind == 0:
        row.set(names.id, rng.choice(VALUES))
    elif kind == 1:
        row.set(names.value, rng.choice(VALUES + LISTS))
    elif kind == 2:
        items = [str(item) for item in items_of(row, names)]
        items[rng.randrange(10)] = rng.choice([*VALUES, "true", "false", "1", "0"])
        row.set(names.value, f"[{', '.join(items)}]")
    elif kind == 3:
        row.append((rng.choice(["score", "text", "query_text", "item_id", ""]), rng.choice(VALUES)))
    elif kind == 4:
        items = items_of(row, names)
        row.set(names.value, json.dumps(rng.choice([items[:9], [*items, 77], [*items[:9], items[0]], [], items * 2])))
    elif kind == 5:
        row.pop(rng.randrange(len(row)))
    elif kind == 6:
        name = rng.choice([names.id, names.value])
        row.insert(rng.randrange(len(row) + 1), (name, rng.choice([dict(row).get(name, "1"), *VALUES])))
    elif kind == 7:
        other = rng.choice([*FORMS.values()])
        row[:] = [({names.id: other.id, names.value: other.value}.get(key, key), value) for key, value in row]
    elif kind == 8:
        other = rng.choice([*FORMS.values()])
        row += [(other.id, "1"), (other.value, "[1, 2]")]
    elif kind == 9:
        rows.append(Row(row))
    elif kind == 10:
        again = Row(row)
        again.set(names.value, json.dumps(rng.sample(range(25), rng.choice([10, 10, 10, 9]))))
        rows.insert(rng.randrange(len(rows) + 1), again)
    elif kind == 11:
        rows += rows_of(rng, [rng.choice([5000, -3, 2**70])], names, rng.choice([[10], [10], [3]]))
    elif kind == 12:
        rows.remove(row)
    else:
        row.set(names.id, rng.choice([dict(row)[names.id] + ".0", f'"{dict(row)[names.id]}"', "true", "false"]))



def change_gold(rng, rows, names):
    row = rng.choice(rows)
    kind = rng.randrange(7)
    if kind == 0:
        row.set(names.value, rng.choice(LISTS))
    elif kind == 1:
        row.set(names.id, rng.choice(VALUES))
    elif kind == 2:
        again = Row(row)
        again.set(names.value, rng.choice([*LISTS, "[3]"]))
        rows.insert(rng.randrange(len(rows) + 1), again)
    elif kind == 3:
        row.pop(rng.randrange(len(row)))
    elif kind == 4:
        row.set(names.id, str(dict(row)[names.id]) + ".0")
    elif kind == 5:
        row.append((names.value, rng.choice(LISTS)))
    else:
        rows.clear()


def encoded(rng, rows, changes):
    """Return the bytes of a file, with a number of changes of its lines and bytes."""
    lines = [row.text(rng) for row in rows]
    end = rng.choice(["\n", "\n", "\n", "\r\n", "\r"])
    ends = [end] * len(lines)
    for _ in range(changes):
        if not lines:
            break
        index = rng.randrange(len(lines))
        kind = rng.randrange(6)
        if kind == 0:
            lines[index] = rng.choice(SPACES) + lines[index]
        elif kind == 1:
            lines[index] += rng.choice([*SPACES, ",", "x", "}", lines[index]])
        elif kind == 2:
            ends[index] = rng.choice(LINE_ENDS)
        elif kind == 3:
            ends[-1] = ""
        elif kind == 4:
            lines[index] = rng.choice(["", "{}", "[]", "null", "5", '"query_id item_ids"', '["query_id", "item_ids"]', "{", "#"])
        else:
            position = rng.randrange(len(lines[index]) + 1)
            inserted = rng.choice([*SPACES, "\r", "\n", '"', "\\", "1", "裙"])
            lines[index] = lines[index][:position] + inserted + lines[index][position:]
    data = "".join(map("".join, zip(lines, ends, strict=True))).encode("utf-8", "surrogatepass")
    if changes and rng.random() < 0.2:
        position = rng.randrange(len(data) + 1)
        starts = [b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"PK\x03\x04", b" ", b"\n"]
        data = rng.choice(
            [data[:position], data[:position] + b"\xff" + data[position:], rng.choice(starts) + data, data + b"\xe8", b""]
        )
    return data


def random_files(folder, count):
    """Yield paths of a gold file and of a submission; half of the submissions have no change, or harmless ones."""
    for seed in range(count):
        rng = random.Random(seed)
        names = rng.choice([QUERY, QUERY, TEXT_TO_IMAGE, TEXT_TO_IMAGE, IMAGE_TO_TEXT])
        queries = rng.sample(range(40), rng.randrange(1, 7))
        gold = rows_of(rng, queries, names, [1, 1, 2, 3])
        submission = rows_of(rng, rng.sample(queries, len(queries)), names, [10])
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            if submission:
                with contextlib.suppress(KeyError, TypeError, ValueError, IndexError, RecursionError):
                    change_row(rng, submission, names)
        if rng.random() < 0.15:
            change_gold(rng, gold, names)
        paths = folder / "gold.jsonl", folder / "pred.jsonl"
        paths[0].write_bytes(encoded(rng, gold, rng.random() < 0.05))
        paths[1].write_bytes(encoded(rng, submission, rng.choice([0, 0, 0, 1, 1, 2])))
        yield seed, *paths


def published(gold, submission, names):
    try:
        return list(score_as_published(gold, submission, names=names))
    except (ValueError, OSError):
        return None


def test_success_and_score_bits_are_those_of_the_scripts(tmp_path):
    accepted = dict.fromkeys(FORMS, 0)
    for seed, gold, submission in random_files(tmp_path, FILES):
        for script, names in FORMS.items():
            expected = plain_verdict(gold, submission, names)
            assert published(gold, submission, names) == expected, (seed, script)
            accepted[script] += expected is not None
            result = official_verdict("retrieval", gold, submission, names=names).result
            assert result == official_object(expected, result), (seed, script)
            assert str(tmp_path) not in json.dumps(result)
    # The files would prove nothing if most were accepted, or rejected.
    assert FILES * 0.3 < sum(accepted.values()) < FILES * 0.7
    assert min(accepted.values()) > FILES * 0.05


def official_object(scores, result):
    """Return the object that the scripts write; the messages of an error are not theirs."""
    if scores is None:
        assert result["errorMsg"]
        return {
            "success": False,
            "score": 0,
            "scoreJson": {},
            "errorMsg": result["errorMsg"],
            "errorDetail": result["errorDetail"],
        }
    mean, r1, r5, r10 = scores
    return {
        "success": True,
        "score": mean,
        "scoreJson": {"score": mean, "mean_recall": mean, "r1": r1, "r5": r5, "r10": r10},
    }


def scripts():
    folder = os.environ.get("MUGE_FAST_SCRIPTS")
    return {name: found for name, path in SCRIPTS.items() for found in sorted(Path(folder or ".").rglob(path))[:1] if folder}


def run_script(script, gold, submission, output, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(script), str(gold), str(submission), str(output)])
    with contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(script), run_name="__main__")
    return json.loads(output.read_text())


@pytest.mark.skipif(not scripts(), reason="MUGE_FAST_SCRIPTS names no folder with the scripts")
@pytest.mark.parametrize("name", SCRIPTS)
# The scripts leave the gold file open.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_success_and_score_bits_are_those_of_the_scripts_themselves(tmp_path, monkeypatch, name):
    script = scripts()[name]
    for seed, gold, submission in random_files(tmp_path, FILES):
        expected = run_script(script, gold, submission, tmp_path / "out.json", monkeypatch)
        result = official_verdict("retrieval", gold, submission, names=FORMS[name]).result
        keys = ("success", "score", "scoreJson")
        assert [result[key] for key in keys] == [expected[key] for key in keys], seed
        assert set(result) == set(expected)


def test_what_evaluate_accepts_is_accepted_by_the_script_with_the_same_bits(tmp_path):
    accepted = 0
    for seed, gold, submission in random_files(tmp_path, FILES):
        try:
            report = mf.evaluate("retrieval", gold, submission)
        except mf.GoldError:
            continue
        verdicts = [published(gold, submission, names) for names in FORMS.values()]
        if b"\r" in gold.read_bytes() and not any(verdicts):
            # The gold file is trusted: its line ends are not checked.
            continue
        official = report.official()
        if report.ok:
            accepted += 1
            assert [official["scoreJson"][key] for key in ("mean_recall", "r1", "r5", "r10")] in verdicts, seed
        # A verdict that differs from that of the script says so.
        assert ("unofficial" in official) == (not report.ok and any(verdict is not None for verdict in verdicts)), seed
    assert accepted > FILES * 0.1
