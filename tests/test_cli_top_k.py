"""The command ``muge-fast top-k``: names of fields, refused inputs, messages."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

import muge_fast as mf
from muge_fast.cli.main import main
from muge_fast.retrieval import predict


def run(*arguments):
    return CliRunner().invoke(main, ["top-k", *map(str, arguments)])


@pytest.fixture
def features(tmp_path):
    """Write feature files whose ids are not row numbers."""
    rng = np.random.default_rng(3)
    images, texts = (rng.standard_normal((rows, 8), dtype="float32") for rows in (50, 20))
    mf.write_features(tmp_path / "img.jsonl", np.arange(50) * 3 + 1000, images)
    for name in ("text_id", "query_id"):
        mf.write_features(tmp_path / f"{name}.jsonl", np.arange(20)[::-1], texts, id_field=name)
    mf.write_features(tmp_path / "txt.npz", np.arange(20)[::-1], texts)
    return tmp_path, images, texts


def options(folder, texts="query_id.jsonl", images="img.jsonl"):
    return "--image-feats", folder / images, "--text-feats", folder / texts


def lines_of(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def best(queries, items, count):
    """Rank by inner products in double precision, as the definition says."""
    scores = queries.astype(float) @ items.astype(float).T
    return np.argsort(-scores, axis=1, kind="stable")[:, :count].tolist()


# Names of fields


@pytest.mark.parametrize(
    ("texts", "extra", "fields"),
    [
        ("query_id.jsonl", (), ("query_id", "item_ids")),
        ("text_id.jsonl", (), ("text_id", "image_ids")),
        ("txt.npz", (), ("query_id", "item_ids")),
        ("query_id.jsonl", ("--fields", "chinese-clip"), ("text_id", "image_ids")),
        ("text_id.jsonl", ("--fields", "muge"), ("query_id", "item_ids")),
    ],
)
def test_the_output_has_the_field_names_of_the_text_features(features, texts, extra, fields):
    folder, images, text_features = features
    output = folder / "pred.jsonl"
    result = run(*options(folder, texts), "--output", output, *extra)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"wrote {output} (20 queries)\n"
    expected = [[1000 + 3 * index for index in row] for row in best(text_features, images, 10)]
    assert lines_of(output) == [dict(zip(fields, (19 - n, row), strict=True)) for n, row in enumerate(expected)]
    assert list(lines_of(output)[0]) == list(fields)
    assert mf.read_queries(output) == {19 - n: row for n, row in enumerate(expected)}


def official_fields(path):
    """Apply the rules of the benchmark's evaluation script to the fields of a submission: None, or its complaint."""
    with path.open() as file:
        for line in file:
            row = json.loads(line)
            if "query_id" not in row:
                return f"There exists one line not containing query_id: {line.strip()}"
            if not isinstance(row["query_id"], int) or "item_ids" not in row:
                return "query_id or item_ids"
            items = row["item_ids"]
            if not isinstance(items, list) or len(items) != 10 or len(set(items)) != 10:
                return "not 10 different items"
            if not all(isinstance(item, int) for item in items):
                return "items are not integers"
    return None


def test_the_output_has_the_fields_that_the_official_script_needs(features):
    folder, _, _ = features
    output = folder / "pred.jsonl"
    for texts, extra in (("query_id.jsonl", ()), ("txt.npz", ()), ("text_id.jsonl", ("--fields", "muge"))):
        assert run(*options(folder, texts), "--output", output, *extra).exit_code == 0
        assert official_fields(output) is None
    assert run(*options(folder, "text_id.jsonl"), "--output", output).exit_code == 0
    assert "not containing query_id" in official_fields(output)
    rows = [{"query_id": n, "query_text": "裙", "item_ids": [1000 + 3 * n]} for n in range(20)]
    gold = folder / "gold.jsonl"
    gold.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(*options(folder), "--output", output).exit_code == 0
    assert mf.evaluate("retrieval", gold=gold, submission=output).ok


def test_the_best_texts_of_each_image_on_stdout(features):
    folder, images, texts = features
    result = run(*options(folder), "--direction", "image-to-text", "--output", "-")
    expected = [[19 - index for index in row] for row in best(images, texts, 10)]
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines == [{"image_id": 1000 + 3 * n, "text_ids": row} for n, row in enumerate(expected)]
    assert result.stderr == ""
    result = run(*options(folder), "--direction", "image-to-text", "--fields", "muge", "--output", "-")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--fields muge has no names for --direction image-to-text, use chinese-clip" in result.stderr


@pytest.mark.parametrize("metric", ["ip", "cosine"])
@pytest.mark.parametrize("batch", [(), ("--eval-batch-size", 7)])
def test_other_numbers_of_items_are_written_with_a_warning(features, metric, batch):
    folder, images, texts = features
    output = folder / "pred.jsonl"
    result = run(*options(folder), "--top-k", 4, "--metric", metric, "--output", output, *batch)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Warning: --top-k is 4, submissions to the benchmark need exactly 10 items" in result.stderr
    if metric == "cosine":
        images, texts = (side / np.linalg.norm(side.astype(float), axis=1, keepdims=True) for side in (images, texts))
    expected = [[1000 + 3 * index for index in row] for row in best(texts, images, 4)]
    assert [row["item_ids"] for row in lines_of(output)] == expected


def test_string_ids_are_written_as_strings_with_a_warning(features):
    folder, images, texts = features
    mf.write_features(folder / "img.parquet", [f"图{n}" for n in range(50)], images)
    mf.write_features(folder / "txt.jsonl", [f'q"{n}' for n in range(20)], texts, id_field="query_id")
    output = folder / "pred.jsonl"
    result = run(*options(folder, "txt.jsonl", "img.parquet"), "--output", output)
    assert result.exit_code == 0
    assert "Warning: ids of --image-feats and --text-feats are strings" in result.stderr
    expected = [[f"图{index}" for index in row] for row in best(texts, images, 10)]
    assert lines_of(output) == [{"query_id": f'q"{n}', "item_ids": row} for n, row in enumerate(expected)]


def test_stdout_is_utf8_in_any_locale(features):
    folder, images, texts = features
    mf.write_features(folder / "img.npz", [f"图{n}" for n in range(50)], images)
    command = [
        sys.executable,
        "-m",
        "muge_fast",
        "top-k",
        *map(str, options(folder, images="img.npz")),
        "--output",
        "-",
    ]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, capture_output=True, check=True, env=environment)  # noqa: S603 - ours
    expected = [[f"图{index}" for index in row] for row in best(texts, images, 10)]
    assert [json.loads(line)["item_ids"] for line in result.stdout.decode("utf-8").splitlines()] == expected


def test_predict_returns_the_lines_of_the_command(features):
    folder, _, _ = features
    run(*options(folder), "--output", folder / "pred.jsonl")
    lines = list(predict(folder / "img.jsonl", folder / "query_id.jsonl", 10))
    assert lines == (folder / "pred.jsonl").read_text().splitlines(keepends=True)
    assert json.loads(next(predict(folder / "img.jsonl", folder / "txt.npz", 1, fields="chinese-clip"))).keys() == {
        "text_id",
        "image_ids",
    }
    with pytest.raises(ValueError, match="unknown fields 'clip', choose one of muge, chinese-clip"):
        predict(folder / "img.jsonl", folder / "txt.npz", 1, fields="clip")
    with pytest.raises(ValueError, match="fields 'muge' has no names for image-to-text"):
        predict("no.jsonl", "no.jsonl", 1, fields="muge", direction="image-to-text")
    with pytest.raises(ValueError, match=r"image_features .*text_id\.jsonl has features of texts"):
        predict(folder / "text_id.jsonl", folder / "query_id.jsonl", 1)


# Refused inputs


def refused(message, *arguments):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())


def test_swapped_feature_files_are_refused_by_the_names_of_their_ids(features):
    folder, images, _ = features
    output = folder / "pred.jsonl"
    rest = ("--output", output)
    for name in ("text_id", "query_id"):
        swapped = ("--image-feats", folder / f"{name}.jsonl", "--text-feats", folder / "img.jsonl")
        refused(f"{name}.jsonl has features of texts, its ids are named {name}, and --text-feats", *swapped, *rest)
        refused("img.jsonl has features of images, its ids are named image_id: the files are swapped", *swapped, *rest)
        one = ("--image-feats", folder / f"{name}.jsonl", "--text-feats", folder / "txt.npz")
        refused(f"its ids are named {name}: needs the file of the other side", *one, *rest)
    np.savez(folder / "items.npz", item_id=np.arange(50), features=images)
    mf.write_features(folder / "items.parquet", np.arange(50), images, id_field="item_id")
    for name in ("items.npz", "items.parquet"):
        refused(f"{name} has features of images, its ids are named item_id", *options(folder, name), *rest)
        assert run(*options(folder, images=name), *rest).exit_code == 0
        output.unlink()
    assert not output.exists()


def test_the_same_file_twice_is_refused_also_through_links(features):
    folder, images, _ = features
    mf.write_features(folder / "both.npz", np.arange(50), images)
    (folder / "symbolic.npz").symlink_to("both.npz")
    os.link(folder / "both.npz", folder / "hard.npz")
    for other in ("both.npz", "symbolic.npz", "hard.npz"):
        refused("are the same file, need features", *options(folder, other, "both.npz"), "--output", folder / "p.jsonl")
    assert not (folder / "p.jsonl").exists()


@pytest.mark.parametrize("side", ["img.jsonl", "query_id.jsonl"])
def test_the_output_never_replaces_an_input(features, side):
    folder, _, _ = features
    before = (folder / side).read_bytes()
    (folder / "symbolic.jsonl").symlink_to(side)
    os.link(folder / side, folder / "hard.jsonl")
    (folder / "sub").mkdir()
    option = "--image-feats" if side == "img.jsonl" else "--text-feats"
    for name in (side, "symbolic.jsonl", "hard.jsonl", f"sub/../{side}"):
        message = f"Error: --output {folder / name} is the file of {option}, which would be replaced"
        refused(message, *options(folder), "--output", folder / name)
        assert (folder / side).read_bytes() == before


def test_the_output_is_checked_before_features_are_read(features, monkeypatch):
    folder, _, _ = features
    monkeypatch.setattr("muge_fast.cli.top_k.read_sides", None)
    refused("--output: the folder", *options(folder), "--output", folder / "missing" / "pred.jsonl")
    refused("is a folder, expected a file", *options(folder), "--output", folder)


def test_errors_are_one_line_that_names_the_option_and_the_file(features):
    folder, _, _ = features
    (folder / "bad.jsonl").write_text('{"image_id": 1, "feature": [1]}\n{"image_id": 2}\n')
    (folder / "nan.jsonl").write_text('{"query_id": 1, "feature": [1, 2, NaN]}\n')
    (folder / "mixed.jsonl").write_text('{"query_id": 1, "feature": [1]}\n{"text_id": 2, "feature": [1]}\n')
    (folder / "twice.jsonl").write_text('{"query_id": "a", "feature": [1]}\n\n{"query_id": "a", "feature": [1]}\n')
    (folder / "empty.jsonl").touch()
    mf.write_features(folder / "wide.jsonl", [1], [[0.5] * 9])
    output = folder / "pred.jsonl"
    output.write_text("what was there")
    path = f"{folder}/"
    cases = (
        ((*options(folder), "--top-k", 51), "Error: --top-k is 51, but the file of --image-feats has only 50 items"),
        (options(folder, images="bad.jsonl"), f"--image-feats {path}bad.jsonl: line 2: feature is missing"),
        (options(folder, "nan.jsonl"), f"--text-feats {path}nan.jsonl: line 1: feature[2] is NaN, needs a finite"),
        (options(folder, "mixed.jsonl"), f"--text-feats {path}mixed.jsonl: line 2: has text_id, the first line has"),
        (options(folder, "twice.jsonl"), f"--text-feats {path}twice.jsonl: id 'a' occurs twice, in lines 1 and 3"),
        (options(folder, "empty.jsonl"), f"--text-feats {path}empty.jsonl: the file is empty"),
        (options(folder, images="wide.jsonl"), f"--image-feats {path}wide.jsonl has 9 dimensions, --text-feats {path}"),
    )
    for arguments, message in cases:
        result = run(*arguments, "--output", output)
        assert result.exit_code == 2
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1
        assert output.read_text() == "what was there"
    for wrong in (("--top-k", 0), ("--metric", "l2"), ("--threads", 0), ("--fields", "clip")):
        assert run(*options(folder), "--output", output, *wrong).exit_code == 2
    result = run(*options(folder, "no.jsonl"), "--output", output)
    assert result.exit_code == 2
    assert "--text-feats" in result.stderr
    assert "no.jsonl" in result.stderr


def test_everything_is_in_the_language_of_the_user(features, tmp_path):
    arguments = (*options(features[0]), "--output", tmp_path / "o.jsonl", "--lang", "zh")
    result = run(*arguments, "--top-k", 3)
    assert result.exit_code == 0
    assert "警告：--top-k 为 3，基准的提交文件应恰好有 10 个条目" in result.output
    assert "已写入" in result.output
    assert "20 个查询" in result.output
    assert "可选：muge, chinese-clip" in run(*arguments, "--fields", "none").output
    assert "文件不存在" in run("--image-feats", "nowhere", *arguments[2:]).output
    assert "只有 50 个条目" in run(*arguments, "--top-k", 51).output
