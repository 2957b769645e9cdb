"""The command ``muge-fast``: what it prints, what it writes, and how it fails."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import muge_fast as mf
from muge_fast.cli import main


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def features(tmp_path):
    """Files of features with ids that are no row numbers."""
    rng = np.random.default_rng(3)
    images, texts = (rng.standard_normal((rows, 8), dtype="float32") for rows in (50, 20))
    mf.write_features(tmp_path / "img.jsonl", np.arange(50) * 3 + 1000, images)
    mf.write_features(tmp_path / "txt.jsonl", np.arange(20)[::-1], texts, id_field="text_id")
    return tmp_path, images, texts


def options(folder):
    return "--image-feats", folder / "img.jsonl", "--text-feats", folder / "txt.jsonl"


def test_the_demo_shows_both_samples():
    result = run("demo")
    assert result.exit_code == 0
    assert "CIDEr-D" in result.output
    assert "MeanRecall" in result.output


@pytest.mark.parametrize("metric", ["ip", "cosine"])
@pytest.mark.parametrize("batch", [(), ("--eval-batch-size", 7)])
def test_the_best_images_of_each_text(features, metric, batch):
    folder, images, texts = features
    output = folder / "pred.jsonl"
    result = run("top-k", *options(folder), "--top-k", 4, "--metric", metric, "--output", output, *batch)
    assert (result.exit_code, result.output) == (0, "")
    expected = mf.top_k(texts, images, 4, metric=metric).indices * 3 + 1000
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert lines == [{"text_id": 19 - n, "image_ids": row} for n, row in enumerate(expected.tolist())]
    assert mf.read_queries(output)[19] == expected[0].tolist()


def test_the_best_texts_of_each_image_on_stdout(features):
    folder, images, texts = features
    result = run("top-k", *options(folder), "--direction", "image-to-text", "--output", "-")
    expected = 19 - mf.top_k(images, texts, 10).indices
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert lines == [{"image_id": 1000 + 3 * n, "text_ids": row} for n, row in enumerate(expected.tolist())]


def test_what_cannot_be_done_is_one_line_and_exit_code_2(features):
    folder, _, _ = features
    (folder / "bad.jsonl").write_text('{"image_id": 1, "feature": [1]}\n{"image_id": 2}\n')
    output = folder / "pred.jsonl"
    output.write_text("what was there")
    cases = (
        ((*options(folder), "--top-k", 51), "Error: k is 51, needs 1 to 50, the number of items"),
        (("--image-feats", folder / "no.jsonl", *options(folder)[2:]), "no.jsonl"),
        (("--image-feats", folder / "bad.jsonl", *options(folder)[2:]), "bad.jsonl: line 2: feature is missing"),
        ((*options(folder)[:3], folder / "txt.npy"), "txt.npy"),
    )
    for arguments, message in cases:
        result = run("top-k", *arguments, "--output", output)
        assert result.exit_code == 2
        assert message in result.output
        assert len(result.output.splitlines()) == 1
        assert output.read_text() == "what was there"
    for wrong in (("--top-k", 0), ("--metric", "l2"), ("--threads", 0)):
        assert run("top-k", *options(folder), "--output", output, *wrong).exit_code == 2


def test_features_of_different_dimensions(features):
    folder, _, _ = features
    mf.write_features(folder / "wide.jsonl", [1], [[0.5] * 9])
    result = run("top-k", "--image-feats", folder / "wide.jsonl", *options(folder)[2:], "--output", "-")
    assert result.exit_code == 2
    assert "wide.jsonl has 9 dimensions" in result.output
    assert "txt.jsonl has 8" in result.output


def test_the_installed_command():
    command = Path(sys.executable).parent / "muge-fast"
    result = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert mf.__version__ in result.stdout
