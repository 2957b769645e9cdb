"""The numbers and lines in README.md and in other documents are those of the package."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

import muge_fast as mf
from muge_fast.cli.demo_data import demo_comparisons
from source_files import ROOT, read

README = read(ROOT / "README.md")
SAMPLES = Path(str(files("muge_fast"))) / "samples"


def test_badges_are_true():
    badges = dict(re.findall(r"^\[!\[([^\]]*)\]\(\S+\)\]\((\S+)\)$", README, re.MULTILINE))
    assert len(badges) == README.count("[![")
    workflow = badges.pop("Checks").rpartition("/")[2]
    assert (ROOT / ".github" / "workflows" / workflow).is_file()
    said = {
        "pyproject.toml": r'^requires-python = ">=([\d.]+)"$',
        "Cargo.toml": r'^rust-version = "([\d.]+)"$',
        "LICENSE": r"^ +(Apache) License$",
    }
    found = {name: re.search(pattern, read(ROOT / name), re.MULTILINE)[1] for name, pattern in said.items()}
    assert badges == {
        f"Python {found['pyproject.toml']} or later": "pyproject.toml",
        f"Rust {found['Cargo.toml']} or later": "Cargo.toml",
        f"Licence {found['LICENSE']}-2.0": "LICENSE",
    }
    for label in badges:
        shown = label.split()[1]
        assert re.search(rf"/badge/\S*{shown.replace('-', '--')}-blue\)", README)


def test_speeds_are_those_of_the_measurements():
    measured = set(re.findall(r"\b[\d.]+x", read(ROOT / "docs" / "benchmarks.md")))
    claimed = set(re.findall(r"\b[\d.]+x", README))
    assert len(claimed) > 5
    assert claimed - measured == set()


def test_the_table_of_the_demo_is_what_it_prints():
    scores = {}
    references = mf.read_captions(SAMPLES / "caption" / "IC_sample.jsonl")
    for system in ("template", "base", "large"):
        predictions = mf.read_captions(SAMPLES / "caption" / f"IC_sample.pred.{system}.jsonl")
        scores[system] = mf.score_captions(predictions, references, metrics=("cider_d", "bleu", "rouge_l", "cider"))
    for system, result in scores.items():
        line = re.search(rf"^{system} +(.*)$", README, re.MULTILINE)[1]
        assert re.findall(r"[\d.]+", line) == [f"{score.value * 100:.2f}" for score in result.values()]


def test_the_comparison_of_the_demo_is_what_it_prints(tmp_path):
    printed = demo_comparisons(tmp_path / "comparison.html")
    table = re.search(r"^```\n(MeanRecall .*?)```", README, re.MULTILINE | re.DOTALL)[1]
    assert table in printed


# docs/file-formats.md

FORMATS = read(ROOT / "docs" / "file-formats.md")
EXAMPLES = {
    title: re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    for title, text in re.findall(r"^## .*?\(task `(\w+)`\)\n(.*?)(?=^## )", FORMATS, re.MULTILINE | re.DOTALL)
}


@pytest.mark.parametrize("task", ["caption", "retrieval", "classification"])
def test_example_lines_of_file_formats_are_valid(task, tmp_path):
    gold, submission = tmp_path / "gold.jsonl", tmp_path / "submission.jsonl"
    gold.write_text(EXAMPLES[task][0], encoding="utf-8")
    submission.write_text(EXAMPLES[task][-1], encoding="utf-8")
    assert mf.check(task, submission, gold=gold).errors == []


def test_the_example_line_of_an_image_file_is_valid(tmp_path):
    pytest.importorskip("PIL")
    line = re.search(r"^    (a1b2<TAB>iVBOR.*)$", FORMATS, re.MULTILINE)[1]
    path = tmp_path / "images.tsv"
    path.write_text(line.replace("<TAB>", "\t"), encoding="utf-8")
    assert mf.check("t2i", path).errors == []


def test_the_limits_of_file_formats_are_the_defaults():
    limits = mf.Limits()
    assert limits.pixels == 2048 * 2048
    numbers = re.search(r"problems that a report lists \| (\d+), and (\d+) for one value", FORMATS)
    assert (limits.max_reported, limits.max_per_value) == (int(numbers[1]), int(numbers[2]))
    assert f"| problems after which reading stops | {limits.stop_after:,} |" in FORMATS
