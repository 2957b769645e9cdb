"""Files and objects as strangers bring them: scored right, or refused with one clear sentence."""

import json
from pathlib import Path

import pytest

import muge_fast as mf
from muge_fast.cli.main import main
from muge_fast.compat import chinese_clip

FOLDER = Path(__file__).parent / "strangers"
ANSWERS = json.loads((FOLDER / "answers.json").read_text(encoding="utf-8"))


def verdict(form, gold, prediction, target):
    """Return success and score of the command that stands for a public script."""
    if form == "muge":
        with pytest.raises(SystemExit):
            main(["official", "retrieval", str(gold), str(prediction), str(target)])
    else:
        chinese_clip.main([str(gold), str(prediction), str(target)])
    result = json.loads(target.read_text(encoding="utf-8"))
    return [result["success"], result["score"]]


@pytest.mark.parametrize("name", ANSWERS["official"])
def test_official_verdicts_are_those_of_the_public_scripts(name, tmp_path):
    form = name.split("/")[0]
    folder = FOLDER / "official"
    gold, prediction = folder / form / "gold.jsonl", folder / name
    if "/gold/" in name:
        gold, prediction = prediction, folder / form / "valid.jsonl"
    assert verdict(form, gold, prediction, tmp_path / "result.json") == ANSWERS["official"][name]


@pytest.mark.parametrize("name", ANSWERS["files"])
def test_the_first_error_says_what_the_file_is(name):
    task = name.split("/")[0]
    words = ANSWERS["files"][name]
    report = mf.evaluate(task, FOLDER / "files" / f"{task}.gold.jsonl", FOLDER / "files" / name)
    assert report.ok == (not words)
    if words:
        first = report.errors[0].lower()
        assert all(word in first for word in words), first
        # In Chinese there is as much to say.
        chinese = mf.evaluate(task, FOLDER / "files" / f"{task}.gold.jsonl", FOLDER / "files" / name, lang="zh")
        assert len(chinese.errors) == len(report.errors)
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese.errors[0])
