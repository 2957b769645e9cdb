"""The examples in README.md run as written, on files that are prepared here."""

import re
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import muge_fast as mf
from muge_fast.cli.demo_data import demo_comparisons
from muge_fast.cli.main import main
from source_files import ROOT, read

README = read(ROOT / "README.md")
BLOCK = re.compile(r"(<!-- not run: .*? -->\n)?```python\n(.*?)```", re.DOTALL)
BLOCKS = [code for skipped, code in BLOCK.findall(README) if not skipped]
SAMPLES = Path(str(files("muge_fast"))) / "samples"
SYSTEMS = {f"MR_sample.pred.{name}": name for name in ("template", "base", "large")}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make the files that the examples name, and make their folder the working directory."""
    image = pytest.importorskip("PIL.Image")
    shutil.copy(SAMPLES / "caption" / "IC_sample.jsonl", tmp_path / "IC_valid.jsonl")
    shutil.copy(SAMPLES / "caption" / "IC_sample.pred.base.jsonl", tmp_path / "IC_valid.pred.jsonl")
    shutil.copy(SAMPLES / "retrieval" / "MR_sample_queries.jsonl", tmp_path / "MR_valid_queries.jsonl")
    shutil.copy(SAMPLES / "retrieval" / "MR_sample.pred.base.jsonl", tmp_path / "pred.jsonl")
    (tmp_path / "T2I_val.text.tsv").write_text("1\t红色长裙\n", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    image.new("RGB", (8, 8), "red").save(tmp_path / "folder" / "42967.png")
    mf.datasets.ImageTsv.write(tmp_path / "MR_valid_imgs.tsv", tmp_path / "folder")
    queries = mf.read_queries(tmp_path / "MR_valid_queries.jsonl")
    random = np.random.default_rng(0)
    items = sorted({item for relevant in queries.values() for item in relevant})
    for name, ids in (("img", items), ("txt", list(queries))):
        features = random.standard_normal((len(ids), 16)).astype(np.float32)
        mf.write_features(tmp_path / f"{name}_feat.jsonl", ids, features)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("code", BLOCKS, ids=[f"block {index}" for index in range(1, len(BLOCKS) + 1)])
def test_examples_run_as_written(code):
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - our own document


def test_examples_that_do_not_run_say_why():
    assert README.count("```python") == len(BLOCKS) + README.count("<!-- not run: needs the weights -->")


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


def test_the_comparison_of_the_documentation_is_what_the_command_prints(tmp_path, monkeypatch):
    text = read(ROOT / "docs" / "command-line.md")
    command, expected = re.search(r"^\$ muge-fast (compare .*?)\n(.*?)```", text, re.MULTILINE | re.DOTALL).groups()
    for source, copy in {"MR_sample_queries": "MR_valid_queries", **SYSTEMS}.items():
        shutil.copy(SAMPLES / "retrieval" / f"{source}.jsonl", tmp_path / f"{copy}.jsonl")
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, command.split()).stdout == expected


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
