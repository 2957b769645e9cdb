"""Runs of models on a GPU have the results of the CPU. ``make gpu-check`` runs these tests on a bare machine.

Without a GPU they are skipped; ``MUGE_FAST_TEST_DEVICE=cpu`` runs them on the CPU, to try them out.
"""

import json
import os

import numpy as np
import pytest

import muge_fast as mf
from model_data import make_data_set
from muge_fast.datasets import ImageTsv
from muge_fast.models import ModelOptions

torch = pytest.importorskip("torch")
pytest.importorskip("PIL")
pytest.importorskip("transformers")

from clip_models import tiny  # noqa: E402 - only with transformers
from text_models import captioner  # noqa: E402 - only with transformers

DEVICE = os.environ.get("MUGE_FAST_TEST_DEVICE", "cuda")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(DEVICE == "cuda" and not torch.cuda.is_available(), reason="needs a GPU"),
]

# Largest differences of features to those of the CPU in float32, relative to their norm.
BOUNDS = {"fp32": 1e-4, "bf16": 5e-2}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data_set(tmp_path_factory.mktemp("data"), items=20, size=64)


def run(task, model, data, output, device, **options):
    return mf.models.run(task, model, data, output=output, options=ModelOptions(device=device, **options))


@pytest.mark.parametrize("dtype", BOUNDS)
def test_features_are_those_of_the_cpu(data, tmp_path, dtype):
    model = tiny(tmp_path / "model", "chinese_clip")
    run("retrieval", model, data, tmp_path / "cpu", "cpu", dtype="fp32")
    run("retrieval", model, data, tmp_path / "gpu", DEVICE, dtype=dtype)
    for name in ("image_features.npz", "text_features.npz"):
        ids, expected = mf.read_features(tmp_path / "cpu" / name)
        same, features = mf.read_features(tmp_path / "gpu" / name)
        np.testing.assert_array_equal(same, ids)
        assert np.linalg.norm(features - expected) < BOUNDS[dtype] * np.linalg.norm(expected)


def test_captions_in_float32_are_those_of_the_cpu(data, tmp_path):
    model = captioner(tmp_path / "model", "vision-encoder-decoder")
    texts = []
    for name, device in (("cpu", "cpu"), ("gpu", DEVICE)):
        run("caption", model, data, tmp_path / name, device, dtype="fp32", max_new_tokens=6)
        lines = (tmp_path / name / "submission.jsonl").read_text(encoding="utf-8").splitlines()
        texts.append([json.loads(line)["text"] for line in lines])
    # Random weights choose between tokens of nearly equal scores now and then.
    assert sum(ours == theirs for ours, theirs in zip(*texts, strict=True)) >= 18


def test_images_start_from_the_noise_of_the_cpu(tmp_path):
    pytest.importorskip("diffusers")
    from diffusion_models import tiny_pipeline  # noqa: PLC0415 - needs diffusers

    data, model = make_data_set(tmp_path / "data", items=4), tiny_pipeline(tmp_path / "model")
    (data / "T2I_val.img.tsv").unlink()
    pixels = []
    for name, device in (("cpu", "cpu"), ("gpu", DEVICE)):
        run("t2i", model, data, tmp_path / name, device, dtype="fp32", steps=2)
        images = ImageTsv(tmp_path / name / "submission.tsv")
        pixels.append(np.stack([np.asarray(images.image(key)) for key in images]).astype(int))
    assert abs(pixels[0] - pixels[1]).max() <= 2
