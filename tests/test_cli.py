"""The command ``muge-fast``: output, files, errors and exit codes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import muge_fast as mf
from muge_fast.cli.main import main
from muge_fast.text.tokenizers import TOKENIZERS


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.slow
def test_the_demo_shows_all_samples(tmp_path):
    result = run("demo", "--html", tmp_path / "demo.html")
    assert result.exit_code == 0
    assert "CIDEr-D" in result.output
    assert "MeanRecall" in result.output
    assert "line 6: image_id is 5, expected a string" in result.output
    assert (tmp_path / "demo.html").stat().st_size > 10_000
    comparisons = result.output.partition("Comparison of the sample submissions")[2]
    assert re.findall(r"^(\S+) +(\w+) +([\d.]+) +\[", comparisons, re.MULTILINE) == [
        ("1", "large", "91.6"),
        ("2", "base", "9.4"),
        ("3", "template", "0.318"),
        ("1", "large", "54.7"),
        ("2–3", "base", "34.4"),
        ("2–3", "template", "27.1"),
    ]
    assert (tmp_path / "demo-comparison.html").stat().st_size > 10_000


def test_the_installed_command():
    command = Path(sys.executable).parent / "muge-fast"
    result = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert mf.__version__ in result.stdout


# Submissions

HOSTILE = Path(__file__).parent / "hostile"
GOLD, GOOD = HOSTILE / "retrieval.gold.jsonl", HOSTILE / "retrieval" / "valid.jsonl"
BAD = HOSTILE / "retrieval" / "everything_at_once.jsonl"


def installed(*arguments, code=0):
    command = [Path(sys.executable).parent / "muge-fast", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def test_a_submission_is_scored_and_written_in_every_format(tmp_path):
    outputs = {name: tmp_path / name for name in ("o.json", "r.html", "r.md", "i.csv", "i.parquet")}
    arguments = "score", "retrieval", "--gold", GOLD, "--submission", GOOD
    options = "--official", outputs["o.json"], "--html", outputs["r.html"], "--markdown", outputs["r.md"]
    result = installed(*arguments, *options, "--per-item", outputs["i.csv"])
    assert "MeanRecall    77.78  (x100, higher is better ↑)" in result.stdout
    assert result.stderr.splitlines()[-1] == "Warning: all 3 rows have the same prediction"
    assert json.loads(outputs["o.json"].read_text())["score"] == pytest.approx(700 / 9)
    assert "<svg" in outputs["r.html"].read_text(encoding="utf-8")
    assert outputs["i.csv"].read_text().startswith("id,recall@1")
    installed(*arguments, "--per-item", outputs["i.parquet"])
    assert outputs["i.parquet"].stat().st_size > 100
    data = json.loads(installed(*arguments, "--json").stdout)
    assert data["scores"]["recall@5"]["value"] == 1


def test_further_metrics_of_captions_are_computed_on_request(tmp_path):
    folder = Path(mf.__file__).parent / "samples" / "caption"
    gold, submission = folder / "IC_sample.jsonl", folder / "IC_sample.pred.base.jsonl"
    arguments = "score", "caption", "-g", gold, "-s", submission, "--metric", "Meteor", "--metric", "cider_d", "--json"
    result = run(*arguments, "--official", tmp_path / "o.json", "--state", tmp_path / "state")
    assert result.exit_code == 0, result.output
    metrics = ("cider_d", "bleu", "rouge_l", "meteor")
    expected = mf.evaluate("caption", gold, submission, metrics=metrics)
    scores = json.loads(result.stdout)["scores"]
    assert {name: score["value"] for name, score in scores.items()} == {
        name: expected.scores[name].value for name in metrics
    }
    assert json.loads((tmp_path / "o.json").read_text()) == expected.official()
    assert mf.Scores.from_bytes((tmp_path / "state").read_bytes()) == expected.scores
    result = run("score", "retrieval", "-g", GOLD, "-s", GOOD, "--metric", "meteor")
    assert (result.exit_code, result.output.splitlines()[-1]) == (
        2,
        "Error: --metric is an option of caption, not of retrieval",
    )


def test_outputs_that_cannot_be_written_are_refused_before_scoring(tmp_path, monkeypatch):
    def scored(*_, **__):
        pytest.fail("it was scored")

    monkeypatch.setattr("muge_fast.cli.score.evaluate", scored)
    arguments = "score", "retrieval", "--gold", GOLD, "--submission", GOOD
    wrong = {
        "--per-item: unknown format '.txt', use .csv or .parquet": ("--per-item", tmp_path / "i.txt"),
        "no.tsv: no such file": ("--images", tmp_path / "no.tsv", "--html", tmp_path / "r.html"),
        f"--per-item: the folder {tmp_path / 'no'} does not exist": ("--per-item", tmp_path / "no" / "i.csv"),
        f"--html: {tmp_path} is a folder, expected a file": ("--html", tmp_path),
        f"--official: the folder {tmp_path / 'no'} does not exist": ("--official", tmp_path / "no" / "o.json"),
    }
    for message, options in wrong.items():
        result = run(*arguments, *options)
        assert (result.exit_code, message in result.output) == (2, True), result.output
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert (
        "pyarrow is required for Parquet and Arrow files: pip install 'muge-fast[arrow]'"
        in run(*arguments, "--per-item", tmp_path / "i.parquet").output
    )


def test_every_task_has_the_option_threads(tmp_path):
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"image_id": "a", "label": "裙"}', encoding="utf-8")
    assert "Accuracy" in run("score", "classification", "--gold", labels, "--submission", labels, "--threads", 2).output
    assert run("score", "retrieval", "--gold", GOLD, "--submission", GOOD, "--threads", 2).exit_code == 0


def test_an_invalid_submission_is_exit_code_1(tmp_path):
    arguments = "--gold", GOLD, "--submission", BAD
    result = installed("score", "retrieval", *arguments, "--official", tmp_path / "o.json", code=1)
    assert result.stdout.splitlines()[1] == "line 1: query_id 1 has 9 item_ids, needs exactly 10"
    assert result.stdout.splitlines()[-1] == "invalid: 7 problems"
    assert json.loads((tmp_path / "o.json").read_text())["success"] is False
    chinese = installed("check", "retrieval", *arguments, "--lang", "zh", code=1)
    assert "第 1 行：query_id 1 有 9 个 item_ids，应恰好为 10 个" in chinese.stdout
    assert json.loads(installed("check", "retrieval", "--submission", BAD, "--json", code=1).stdout)["ok"] is False
    assert "valid: 3 rows" in installed("check", "retrieval", "--submission", GOOD).stdout


@pytest.mark.parametrize(("encoding", "text"), [("cp1252", "裙👗"), ("koi8-r", "裙👗é")])
def test_outputs_without_chinese_characters_get_escapes(tmp_path, monkeypatch, encoding, text):
    path = tmp_path / "pred.jsonl"
    path.write_text(json.dumps({"image_id": text, "text": 5}))
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    plain = installed("check", "caption", "--submission", path, "--lang", "zh", code=1).stdout
    assert r"image_id \u88d9\ud83d\udc57" in plain
    report = json.loads(installed("check", "caption", "--submission", path, "--json", code=1).stdout)
    assert report["problems"][0]["id"] == text
    assert r"\u88d9" in installed("check", "caption", "--submission", "裙", code=2).stderr


def test_wrong_usage_is_exit_code_2(tmp_path):
    assert "no such file" in installed("check", "retrieval", "--submission", tmp_path / "no", code=2).stderr
    assert "gold file" in installed("score", "retrieval", "--gold", BAD, "--submission", GOOD, code=2).stderr
    assert "unknown task 'poems', choose from" in installed("check", "poems", "--submission", GOOD, code=2).stderr
    installed("score", "retrieval", "--gold", GOLD, code=2)
    installed(code=2)
    broken_gold = "--debug", "score", "retrieval", "--gold", BAD, "--submission", GOOD
    command = [Path(sys.executable).parent / "muge-fast", *broken_gold]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert "Traceback" in result.stderr


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("internal error")])
def test_errors_of_scoring_are_not_exit_code_1(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("muge_fast.evaluation._evaluate.score_rows", fail)
    result = run("score", "retrieval", "--gold", GOLD, "--submission", GOOD)
    assert (result.exit_code, result.output) == (2, f"Error: {str(error) or 'MemoryError'}\n")


def test_official_writes_a_result_if_a_package_is_missing(tmp_path, monkeypatch):
    (tmp_path / "pred.tsv").write_bytes(b"a\tAAAA\n")
    # Importing it raises an ImportError.
    monkeypatch.setitem(sys.modules, "PIL", None)
    result = run("official", "t2i", tmp_path / "pred.tsv", tmp_path / "pred.tsv", tmp_path / "result.json")
    assert result.exit_code == 2
    written = json.loads((tmp_path / "result.json").read_text())
    assert written["success"] is False
    assert written["errorMsg"] == "images need Pillow: pip install 'muge-fast[images]'"
    assert run("check", "t2i", "--submission", tmp_path / "pred.tsv").output.startswith("Error: images need Pillow")


def test_official_writes_a_result_in_every_case(tmp_path):
    output = tmp_path / "o.json"
    for gold, submission, code in ((GOLD, GOOD, 0), (GOLD, BAD, 1), (GOLD, tmp_path / "no", 2), (BAD, GOOD, 2)):
        output.unlink(missing_ok=True)
        installed("official", "retrieval", gold, submission, output, code=code)
        result = json.loads(output.read_text(encoding="utf-8"))
        assert result["success"] == (code == 0)
        assert set(result) == ({"success", "score", "scoreJson"} | ({"errorMsg", "errorDetail"} if code else set()))


def test_info_as_text_and_as_json(tmp_path):
    mf.write_features(tmp_path / "f.jsonl", [1], [[0.5]])
    text = installed("info", GOLD, tmp_path).stdout
    assert "retrieval.gold.jsonl: retrieval gold" in text
    assert "f.jsonl: features" in text
    assert json.loads(installed("info", "--json", GOLD).stdout)[0]["rows"] == 3
    assert "no such file" in installed("info", tmp_path / "no", code=2).stderr
    assert "not a regular file" in installed("info", os.devnull, code=2).stderr


def test_info_has_the_exit_code_of_what_it_finds(tmp_path):
    broken = tmp_path / "pred.jsonl"
    broken.write_text('{"image_id": "a", "text": "裙"}\n{"image_id": "b"}\n', encoding="utf-8")
    assert run("info", GOLD).exit_code == 0
    for arguments in ((broken,), (GOLD, broken), (tmp_path,), ("--json", broken)):
        assert run("info", *arguments).exit_code == 1
    result = run("info", tmp_path / "no", GOLD, "--json")
    assert result.exit_code == 2
    assert [file["path"] for file in json.loads(result.stdout)] == [str(GOLD)]
    assert result.stderr == f"Error: {tmp_path / 'no'}: no such file\n"


def test_info_in_chinese():
    lines = run("info", GOLD, "--lang", "zh").output.splitlines()
    assert lines[0] == f"{GOLD}: 图文检索标准答案"
    assert "  行数            3" in lines
    assert "  ID              1 至 3" in lines


def test_info_shows_ids_and_names_in_one_short_line(tmp_path):
    path = tmp_path / "a\x1b[2Jb.jsonl"
    rows = ({"image_id": key, "text": "裙"} for key in ("a\nfake: retrieval gold", "b\x1b[2J" + "x" * 1000))
    path.write_text("\n".join(map(json.dumps, rows)))
    text = installed("info", path).stdout
    assert r"a\x1b[2Jb.jsonl: caption submission" in text
    assert r"  ids             a\nfake: retrieval gold to b\x1b[2Jxxx" in text
    assert all(letter.isprintable() for line in text.splitlines() for letter in line)
    assert len(text) < 1000


def test_the_module_is_the_command():
    result = subprocess.run([sys.executable, "-m", "muge_fast", "--help"], capture_output=True, text=True, check=True)
    assert "Usage: muge-fast" in result.stdout
    for command in ("score", "check", "compare", "official", "top-k", "info", "submit", "demo"):
        assert command in result.stdout


def test_the_help_of_score_lists_all_tokenizers():
    text = " ".join(run("score", "--help").output.split())
    assert f"--tokenizer NAME {', '.join(TOKENIZERS)}." in text


@pytest.mark.parametrize("command", ["score", "check", "compare", "official", "top-k", "info", "submit", "demo"])
def test_help_is_laid_out_for_a_terminal(command):
    text = run(command, "--help").output
    assert "\\b" not in text
    assert command != "score" or "\n  Example:\n    muge-fast score retrieval --gold" in text
