"""``muge-fast compare`` over folders of runs: names, missing items, and runs that cannot be compared."""

import hashlib
import json
import re
import shutil

import pytest
from click.testing import CliRunner

import muge_fast as mf
from muge_fast.cli.main import main
from muge_fast.datasets import ImageTsv
from pages import Page

pytest.importorskip("PIL")

from image_data import encoded, pictures

ITEMS = 24
BROKEN = 3


class Brightness:
    """A model for retrieval that knows no text."""

    signature = "brightness|1"

    def encode_images(self, images):
        return [[float(image[..., channel].mean()) for channel in range(3)] for image in images]

    def encode_texts(self, texts):
        return [[float(ord(letter) % 7 + 1) for letter in (text * 3)[:3]] for text in texts]


class Darkness(Brightness):
    signature = "darkness|1"

    def encode_images(self, images):
        return [[255.0 - value for value in row] for row in super().encode_images(images)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder with a data set of retrieval, of which some images are broken."""
    folder = tmp_path_factory.mktemp("data")
    images = {str(key): encoded(image) for key, image in enumerate(pictures(ITEMS, size=(9, 9)), 100)}
    images |= dict.fromkeys(list(images)[:BROKEN], b"no image")
    ImageTsv.write(folder / "MR_valid_imgs.tsv", images)
    rows = [{"query_id": key, "query_text": "红色长裙"[key % 3 :], "item_ids": [100 + key]} for key in range(ITEMS)]
    (folder / "MR_valid_queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for name, model in (("a", Brightness()), ("b", Darkness())):
        mf.models.run("retrieval", model, data, output=folder / name, progress=False)
    return folder


@pytest.fixture
def runs(made, tmp_path):
    """Return a copy of the runs, to be changed."""
    return shutil.copytree(made, tmp_path / "runs")


def change(folder, **values):
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def compare(data, *arguments, task="retrieval", gold="MR_valid_queries.jsonl"):
    return CliRunner().invoke(main, ["compare", task, "--gold", str(data / gold), *map(str, arguments)])


def error_of(result):
    assert result.exit_code == 2, result.output
    return result.output.splitlines()[-1]


def test_systems_are_named_after_models_and_have_a_column_of_missing_items(data, runs, tmp_path):
    result = compare(data, runs / "a", runs / "b", "--html", tmp_path / "page.html", "--markdown", tmp_path / "t.md")
    assert result.exit_code == 0, result.output
    heads = re.findall(r"^rank +system .*$", result.output, re.MULTILINE)
    assert heads
    assert all(head.endswith("missing items") for head in heads)
    for name in ("Brightness", "Darkness"):
        rows = re.findall(rf"^\S+(?: =)? +{name} .*$", result.output, re.MULTILINE)
        assert len(rows) == len(heads)
        assert all(re.split(r" {2,}", row)[-1] == str(BROKEN) for row in rows)
    assert "  Brightness: brightness|1\n" in result.output
    assert "missing items |" in (tmp_path / "t.md").read_text(encoding="utf-8")
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert page.find("th").count("missing items") == len(heads)


def test_scores_are_those_of_the_submissions(data, runs):
    files = [
        f"{name}={runs / folder / 'submission.jsonl'}" for name, folder in (("Brightness", "a"), ("Darkness", "b"))
    ]
    plain = json.loads(compare(data, *files, "--json").stdout)
    found = json.loads(compare(data, runs / "a", runs / "b", "--json").stdout)
    described = {"signature": "brightness|1", "split": "valid", "missing": BROKEN}
    assert found.pop("runs")["Brightness"] == {"model": "Brightness", **described}
    assert found == plain


def test_runs_and_files_stand_side_by_side_and_names_can_be_given(data, runs):
    result = compare(data, f"mine={runs / 'a'}", f"other={runs / 'b' / 'submission.jsonl'}")
    assert re.search(rf"^\S+(?: =)? +mine .* {BROKEN}$", result.output, re.MULTILINE)
    assert re.search(r"^\S+(?: =)? +other .*[^ ]$", result.output, re.MULTILINE)
    shutil.copytree(runs / "a", runs / "c")
    names = json.loads(compare(data, runs / "a", runs / "b", runs / "c", "--json").stdout)["systems"]
    assert names == ["Brightness (a)", "Darkness", "Brightness (c)"]


def test_a_run_that_goes_on_is_refused(data, runs):
    change(runs / "b", state="running")
    message = "the run is not complete; muge-fast run with the same options continues it"
    assert error_of(compare(data, runs / "a", runs / "b")) == f"Error: {runs / 'b'}: {message}"


def test_runs_of_other_tasks_and_splits_are_refused(data, runs):
    change(runs / "b", task="caption")
    assert error_of(compare(data, runs / "a", runs / "b")).endswith("b: a run of the task caption, not of retrieval")
    change(runs / "b", task="retrieval", split="test")
    message = f"b: a run of the split test, and {runs / 'a'} is one of valid"
    assert error_of(compare(data, runs / "a", runs / "b")).endswith(message)


def test_runs_with_another_gold_file_are_refused(data, runs, tmp_path):
    other = tmp_path / "other.jsonl"
    other.write_bytes((data / "MR_valid_queries.jsonl").read_bytes() + b"\n")
    sha256 = hashlib.sha256((data / "MR_valid_queries.jsonl").read_bytes()).hexdigest()
    found = error_of(compare(tmp_path, runs / "a", runs / "b", gold="other.jsonl"))
    assert f"{runs / 'a'}: the run was made with another gold file than {other}" in found
    assert f"the one named MR_valid_queries.jsonl, by SHA-256 {sha256}" in found
    change(runs / "a", gold=None)
    assert error_of(compare(data, runs / "a", runs / "b")).endswith("a: a run of a split without a gold file")


@pytest.mark.parametrize("name", ["../b/submission.jsonl", "/etc/passwd", "", ".", "none.jsonl", 5, None])
def test_a_submission_is_a_file_of_the_folder(data, runs, name):
    change(runs / "a", files={"submission": name})
    assert error_of(compare(data, runs / "a", runs / "b")).endswith("a: run.json names no submission in this folder")


def test_folders_and_manifests_of_anything_but_runs_are_refused(data, runs):
    (runs / "none").mkdir()
    message = "none: a folder without run.json, expected a submission or the folder of a run"
    assert error_of(compare(data, runs / "a", runs / "none")).endswith(message)
    (runs / "none" / "run.json").write_text("[]")
    assert "not the manifest of a run" in error_of(compare(data, runs / "a", runs / "none"))
    for values in ({"model": {}}, {"model": {"name": " "}}, {"model": None}, {"missing": 0}):
        broken = shutil.copytree(runs / "a", runs / "broken", dirs_exist_ok=True)
        change(broken, **values)
        message = "broken: run.json lacks the name of the model or the missing items"
        assert error_of(compare(data, runs / "b", broken)).endswith(message)


def test_messages_and_tables_are_chinese_too(data, runs):
    result = compare(data, runs / "a", runs / "b", "--lang", "zh")
    assert "缺失条目" in result.output
    change(runs / "b", state="running")
    assert "该运行尚未完成" in error_of(compare(data, runs / "a", runs / "b", "--lang", "zh"))
