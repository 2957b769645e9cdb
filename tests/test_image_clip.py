"""CLIP and Chinese-CLIP against transformers, on small models with random weights."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import muge_fast.image
from image_data import encoded, pictures

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
Image = pytest.importorskip("PIL.Image")

from clip_models import tiny  # noqa: E402 - only with transformers
from muge_fast.image.extractors.clip import ClipExtractor  # noqa: E402

# Sets are small here, which warns.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")]

MODELS = {"clip": transformers.CLIPModel, "chinese_clip": transformers.ChineseCLIPModel}
TEXTS = ["红色连衣裙", "黑皮鞋", "a red dress", "红 shoes 裙 7", "男女款" * 60]


@pytest.fixture(scope="module", params=list(MODELS))
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def folder(kind, tmp_path_factory):
    return tiny(tmp_path_factory.mktemp(kind), kind)


@pytest.fixture(scope="module")
def clip(folder):
    return ClipExtractor(folder, device="cpu")


def is_close(actual, expected):
    return float(np.abs(np.asarray(actual) - np.asarray(expected)).max()) < 1e-5 * float(np.abs(expected).max())


def test_features_equal_those_of_transformers(kind, folder, clip):
    model = MODELS[kind].from_pretrained(folder).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    images = pictures(5)
    with torch.no_grad():
        pixels = processor(images=[Image.fromarray(image) for image in images], return_tensors="pt")
        expected = model.get_image_features(**pixels).pooler_output.numpy()
        # One text at a time, so without padding; truncated to the length of training.
        max_tokens = {"clip": 77, "chinese_clip": 52}[kind]
        tokens = [tokenizer(text, truncation=True, max_length=max_tokens, return_tensors="pt") for text in TEXTS]
        assert tokens[-1]["input_ids"].shape[1] == max_tokens
        expected_texts = torch.cat([model.get_text_features(**one).pooler_output for one in tokens]).numpy()
    assert expected.std(axis=0).min() > 0
    assert expected_texts.std(axis=0).min() > 0
    assert is_close(clip(images), expected)
    assert is_close(clip(torch.from_numpy(images).permute(0, 3, 1, 2)), expected)
    assert is_close(clip.images(images, batch_size=2), expected)
    for batch_size in (1, 2, 128):
        assert is_close(clip.texts(TEXTS, batch_size=batch_size), expected_texts)


def test_images_of_any_source_and_size(clip, tmp_path):
    images = [pictures(1, size)[0] for size in ((32, 32), (50, 90), (300, 20))]
    for index, image in enumerate(images):
        (tmp_path / f"{index}.png").write_bytes(encoded(image))
    features = clip.images(tmp_path, batch_size=2, threads=2)
    assert features.dtype == np.float32
    assert is_close(features, np.concatenate([clip([image]).numpy() for image in images]))
    (tmp_path / "3.png").write_bytes(b"none")
    with pytest.raises(ValueError, match=r"image .*3\.png is broken"):
        clip.images(tmp_path)
    with pytest.raises(ValueError, match="there are no images"):
        clip.images(iter([]))
    for texts, options, error, message in (
        ([], {}, ValueError, "there are no texts"),
        (["a", " "], {}, ValueError, r"texts\[1\] is empty"),
        (["a", 5], {}, TypeError, r"texts\[1\] must be a string, got an int"),
        ("裙", {}, TypeError, "texts must be a sequence"),
        (["a"], {"batch_size": 0}, ValueError, "batch_size must be at least 1"),
    ):
        with pytest.raises(error, match=message):
            clip.texts(texts, **options)


def test_features_go_into_every_metric(clip, tmp_path):
    sets = pictures(30, seed=3), pictures(25, seed=4)
    features = [clip.images(images) for images in sets]
    fid = muge_fast.image.fid(*sets, extractor=clip, batch_size=8)
    expected = muge_fast.image.frechet_distance(*map(muge_fast.image.Statistics.from_features, features))
    assert fid.value == pytest.approx(expected, rel=1e-4)
    assert f"|{clip.signature}|" in fid.signature
    expected_kid = muge_fast.image.kid_from_features(*features, subsets=3, subset_size=10).value
    kid = muge_fast.image.kid(*sets, extractor=clip, subsets=3, subset_size=10).value
    assert kid == pytest.approx(expected_kid, rel=1e-3, abs=1e-6)
    assert 0 <= muge_fast.image.precision_recall(*features)["precision"].value <= 1
    texts = clip.texts([f"红裙{'abcdefghij'[n % 10]} {'klmnopqrst'[n // 10]}" for n in range(25)])
    assert 0 <= muge_fast.image.r_precision(features[1], texts, negatives=10).value <= 1
    assert len(muge_fast.image.clip_score(features[1], texts).per_item) == 25
    metric = muge_fast.image.FID(clip, dims=24)
    for images, is_real in zip(sets, (True, False), strict=True):
        metric.update(images, real=is_real)
    assert metric.compute().value == pytest.approx(expected, rel=1e-4)
    statistics = muge_fast.image.Statistics.from_features(
        features[0], extractor_signature=clip.signature.replace("weights:", "weights:0")
    )
    statistics.save(tmp_path / "other.npz")
    with pytest.raises(ValueError, match="need the same"):
        muge_fast.image.fid(tmp_path / "other.npz", sets[1], extractor=clip)


def test_the_signature_names_the_model(kind, folder, clip, tmp_path):
    start, weights, size, precision = clip.signature.split("|")
    assert (start, size, precision) == (kind, "size:32", "precision:fp32")
    assert len(weights.removeprefix("weights:")) == 12
    # In half precision the weights differ, so the hash does. In another folder they are the same.
    for copied, options in (("half", {"dtype": torch.float16}), ("same", {})):
        MODELS[kind].from_pretrained(folder, **options).save_pretrained(tmp_path / copied)
        for name in ("preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"):
            (tmp_path / copied / name).write_bytes((folder / name).read_bytes())
    assert ClipExtractor(tmp_path / "same", device="cpu").signature == clip.signature
    half = ClipExtractor(tmp_path / "half", device="cpu")
    assert half.signature != clip.signature
    assert half(pictures(1)).dtype == torch.float32
    fast = ClipExtractor(folder, device="cpu", precision="bf16")
    assert fast.signature == clip.signature.replace("fp32", "bf16")
    actual, expected = fast(pictures()).numpy(), clip(pictures()).numpy()
    assert 0 < np.linalg.norm(actual - expected) / np.linalg.norm(expected) < 0.05
    actual, expected = fast.texts(TEXTS), clip.texts(TEXTS)
    assert 0 < np.linalg.norm(actual - expected) / np.linalg.norm(expected) < 0.05


def test_options_are_checked_before_the_model_is_read(tmp_path):
    for model, options, error, message in (
        (tmp_path, {"precision": "fp8"}, ValueError, "unknown precision 'fp8'"),
        (tmp_path, {"precision": None}, TypeError, "precision must be one of"),
        (tmp_path, {"device": "tape"}, ValueError, "unknown device 'tape'"),
        (5, {}, TypeError, "model must be a path or a name"),
    ):
        with pytest.raises(error, match=message):
            ClipExtractor(model, **options)


def test_the_extra_is_named_where_it_is_missing(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"CLIP needs transformers: pip install 'muge-fast\[clip\]'"):
        ClipExtractor(folder)


def test_folders_without_a_model_are_refused(tmp_path):
    tiny(tmp_path, "chinese_clip")
    safetensors = pytest.importorskip("safetensors.torch")
    file, config = tmp_path / "model.safetensors", tmp_path / "config.json"
    weights = safetensors.load_file(file)
    name = "text_model.embeddings.word_embeddings.weight"
    cases = (
        ({key: value for key, value in weights.items() if key != name}, f"1 tensors are missing .*such as {name}"),
        (weights | {name: torch.zeros(3)}, "not a CLIP model"),
    )
    for state, message in cases:
        safetensors.save_file(state, file, metadata={"format": "pt"})
        with pytest.raises(ValueError, match=message):
            ClipExtractor(tmp_path)
    file.write_bytes(b"no weights at all")
    with pytest.raises(ValueError, match="not a CLIP model"):
        ClipExtractor(tmp_path)
    config.write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ValueError, match="the model type is 'bert', needs clip or chinese_clip"):
        ClipExtractor(tmp_path)
    config.write_text("{")
    with pytest.raises(ValueError, match="not a CLIP model"):
        ClipExtractor(tmp_path)


CACHED = """
import socket

def refuse(*arguments):
    raise AssertionError(f"network access: {arguments}")

socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from muge_fast.image.extractors.clip import ClipExtractor

print(ClipExtractor("somebody/tiny", device="cpu").signature)
try:
    ClipExtractor("somebody/else", device="cpu")
except FileNotFoundError as error:
    print(error)
"""


def test_a_cached_model_is_read_without_network_access(tmp_path):
    """The cache has the layout of huggingface_hub: a reference that names a folder."""
    folder = tiny(tmp_path / "tiny", "chinese_clip")
    cached = tmp_path / "hub" / "models--somebody--tiny"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("0" * 40)
    (cached / "snapshots").mkdir()
    (cached / "snapshots" / ("0" * 40)).symlink_to(folder, target_is_directory=True)
    environment = os.environ | {"HF_HOME": str(tmp_path)}
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE"):
        environment.pop(name, None)
    command = [sys.executable, "-c", CACHED]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - a constant script
    assert result.returncode == 0, result.stderr
    signature, message = result.stdout.splitlines()
    assert signature == ClipExtractor(folder, device="cpu").signature
    assert message.startswith("no CLIP model at somebody/else, nor in the cache of transformers")
