"""R-precision of the text-to-image task, from a model or from features, in Python and on the command line."""

import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

import muge_fast as mf
import muge_fast.image
from image_data import encoded, pictures
from muge_fast.cli.main import main
from muge_fast.datasets import ImageTsv
from pages import Page

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from clip_models import SIGNS, tiny  # noqa: E402 - only with transformers
from muge_fast.image.extractors.clip import ClipExtractor  # noqa: E402
from muge_fast.image.extractors.inception import InceptionExtractor  # noqa: E402
from muge_fast.image.extractors.networks import random_weights  # noqa: E402
from muge_fast.image.text_features import TextOptions, paired_features  # noqa: E402

# Sets are small here, which warns.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")]

ITEMS, NEGATIVES = 12, 5
KEYS = [str(4000 + 7 * n) for n in range(ITEMS)]
TEXTS = {key: SIGNS[n:] + "abcdefghijkl"[n] for n, key in enumerate(KEYS)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write a gold file, a submission in another order, texts in a third one, weights and a model."""
    folder = tmp_path_factory.mktemp("t2i")
    for name, seed, order in (("gold", 3, KEYS), ("pred", 4, KEYS[::-1])):
        images = {key: encoded(image) for key, image in zip(KEYS, pictures(ITEMS, seed=seed), strict=True)}
        ImageTsv.write(folder / f"{name}.tsv", {key: images[key] for key in order})
    write_texts(folder / "texts.tsv", {key: TEXTS[key] for key in KEYS[5:] + KEYS[:5]})
    torch.save(random_weights(5), folder / "inception.pth")
    tiny(folder / "clip", "chinese_clip")
    return folder


def write_texts(path, texts):
    path.write_text("".join(f"{key}\t{text}\n" for key, text in texts.items()), encoding="utf-8")


def options(folder, **more):
    return {"weights": folder / "inception.pth", "device": "cpu", "splits": 2, "negatives": NEGATIVES} | more


def evaluate(folder, submission="pred.tsv", **more):
    return mf.evaluate("t2i", folder / "gold.tsv", folder / submission, **options(folder, **more))


@pytest.fixture(scope="module")
def features(folder):
    """Return features of images and texts in the order of the gold file, and their signature."""
    clip = ClipExtractor(folder / "clip", device="cpu")
    return clip.images(pictures(ITEMS, seed=4)), clip.texts([TEXTS[key] for key in KEYS]), clip.signature


@pytest.fixture(scope="module")
def report(folder):
    return evaluate(folder, texts=folder / "texts.tsv", clip=folder / "clip")


def test_the_official_result_has_r_precision(report, features):
    images, texts, signature = features
    expected = muge_fast.image.r_precision(images, texts, negatives=NEGATIVES, extractor_signature=signature)
    # A test of hits or misses alone would prove nothing.
    assert 0 < expected.value < 1
    assert report.ok
    assert report.scores["r_precision"].value == expected.value
    assert report.scores["r_precision"].signature == expected.signature
    assert report.scores["r_precision"].parts == expected.parts
    assert report.scores["r_precision"].per_item.tolist() == expected.per_item.tolist()
    assert report.scores.ids == KEYS
    official = report.official()
    assert set(official["scoreJson"]) == {"score", "fid", "is", "r_precision"}
    assert official["scoreJson"]["r_precision"] == pytest.approx(100 * expected.value)
    assert official["score"] == official["scoreJson"]["fid"] == report.scores["fid"].value
    assert f"| R-precision ↑ (times 100) | {100 * expected.value:.2f} |" in report.to_markdown()
    page = Page(report.to_html())
    assert "R-precision\u00a0↑ (times 100)" in page.find("td")
    assert f"{100 * expected.value:.2f}" in page.find("td", "number")


def test_r_precision_does_not_depend_on_the_order_of_a_submission(folder, report, features):
    images = ImageTsv(folder / "pred.tsv")
    ImageTsv.write(folder / "sorted.tsv", {key: images[key] for key in KEYS})
    in_order = evaluate(folder, "sorted.tsv", texts=TEXTS, clip=ClipExtractor(folder / "clip", device="cpu"))
    assert in_order.scores["r_precision"].value == report.scores["r_precision"].value
    # In the order of the file, it would.
    images, texts, _ = features
    hits = muge_fast.image.r_precision(images, texts, negatives=NEGATIVES).per_item
    reverse = muge_fast.image.r_precision(images[::-1], texts[::-1], negatives=NEGATIVES).per_item
    assert not np.array_equal(hits, reverse)


def feature_files(folder, features):
    """Write the features with ids, in another order, and without ids, in the order of the gold file."""
    images, texts, _ = features
    order = np.random.default_rng(0).permutation(ITEMS)
    ids = np.array(KEYS, dtype=np.int64)[order]
    mf.write_features(folder / "img.jsonl", ids, images[order])
    mf.write_features(folder / "txt.npz", ids[::-1], texts[order][::-1], id_field="text_id")
    np.save(folder / "img.npy", images)


def test_features_are_read_from_files(folder, report, features):
    feature_files(folder, features)
    images, texts, _ = features
    from_files = evaluate(folder, image_features=folder / "img.jsonl", text_features=str(folder / "txt.npz"))
    assert from_files.scores["r_precision"].value == report.scores["r_precision"].value
    signature = from_files.scores["r_precision"].signature
    assert signature.partition("|version")[0].endswith("|extractor:unknown")
    for source in (images, folder / "img.npy", folder / "img.jsonl"):
        options = TextOptions(image_features=source, text_features=texts)
        paired = paired_features(ImageTsv(folder / "pred.tsv"), KEYS, options)
        assert np.array_equal(paired.images, images)
        assert np.array_equal(paired.texts, texts)


def test_sources_with_and_without_ids(folder, report, features, tmp_path):
    """A path stands for its content; images without ids have features in their own order."""
    images, texts, _ = features
    feature_files(folder, features)
    shared = options(folder, metrics=("fid",))
    generated, real = folder / "pred.tsv", str(folder / "gold.tsv")
    score = muge_fast.image.score_images
    scores = score(real=real, generated=generated, texts=folder / "texts.tsv", clip=folder / "clip", **shared)
    assert scores["r_precision"].value == report.scores["r_precision"].value
    assert scores["fid"].value == pytest.approx(report.scores["fid"].value, rel=1e-9)
    array = pictures(ITEMS, seed=4)
    extractor = InceptionExtractor(shared["weights"], device="cpu")
    statistics = muge_fast.image.Statistics.from_features(
        extractor(pictures(ITEMS, seed=3))["2048"], extractor_signature=extractor.signature
    )
    for source in (array, iter(array)):
        both = {"image_features": folder / "img.npy", "text_features": texts}
        scores = score(real=statistics, generated=source, **both, **shared)
        assert scores["fid"].value == pytest.approx(report.scores["fid"].value, rel=1e-6)
        assert scores["r_precision"].value == report.scores["r_precision"].value
    scores = score(real=statistics, generated=array, image_features=images, text_features=images, **shared)
    assert scores["r_precision"].value == 1
    # With real images of other ids, the generated ones keep their order.
    ImageTsv.write(tmp_path / "other.tsv", {f"x{n}": encoded(image) for n, image in enumerate(array)})
    reverse = {"image_features": images[::-1], "text_features": texts[::-1]}
    scores = score(real=tmp_path / "other.tsv", generated=generated, **reverse, **shared)
    expected = muge_fast.image.r_precision(images[::-1], texts[::-1], negatives=NEGATIVES)
    assert scores["r_precision"].value == expected.value
    for wrong, message in (
        ({"texts": TEXTS, "clip": folder / "clip"}, "texts are matched by id, but the images have no ids"),
        ({"image_features": folder / "img.jsonl", "text_features": texts}, "img.jsonl has ids, which the images lack"),
        ({"image_features": images[:3], "text_features": texts}, r"image_features has shape \(3, 24\), needs \(12, fe"),
    ):
        with pytest.raises(ValueError, match=message):
            score(real=real, generated=array, **wrong, **shared)
    with pytest.raises(ValueError, match=r"text_features has shape \(11, 24\), needs \(12, features\)"):
        score(real=real, generated=iter(array), image_features=images, text_features=texts[1:], **shared)


def test_errors_of_texts_and_features(folder, features, tmp_path):
    feature_files(folder, features)
    images, texts, _ = features
    write_texts(tmp_path / "missing.tsv", {key: TEXTS[key] for key in KEYS if key not in (KEYS[3], KEYS[8])})
    write_texts(tmp_path / "unknown.tsv", TEXTS | {"99": "红裙"})
    (tmp_path / "broken.tsv").write_text(f"{KEYS[0]}\t红裙\nno tab\n", encoding="utf-8")
    mf.write_features(tmp_path / "img.jsonl", np.arange(ITEMS), images)
    model = {"clip": folder / "clip"}
    cases = (
        ({"texts": tmp_path / "missing.tsv", **model}, f"missing.tsv: texts lack 2 ids of the images: '{KEYS[3]}'"),
        ({"texts": tmp_path / "unknown.tsv", **model}, "unknown.tsv: texts have 1 id not in the images: '99'"),
        ({"texts": tmp_path / "broken.tsv", **model}, "broken.tsv, line 2"),
        ({"texts": {}, **model}, f"texts lack 12 ids of the images: '{KEYS[0]}'"),
        ({"texts": TEXTS}, "texts and clip go together"),
        (model, "texts and clip go together"),
        ({"image_features": images}, "image_features and text_features go together"),
        ({"image_features": images, "text_features": texts, "texts": TEXTS, **model}, "not both"),
        ({"image_features": images[:3], "text_features": texts}, r"image_features has shape \(3, 24\), needs \(12, f"),
        ({"image_features": images, "text_features": texts[0]}, r"text_features has shape \(24,\)"),
        (
            {"image_features": tmp_path / "img.jsonl", "text_features": texts},
            f"img.jsonl: features lack 12 ids of the images: '{KEYS[0]}'",
        ),
        ({"texts": TEXTS, "negatives": ITEMS, **model}, "negatives is 12, there are 11 other texts"),
    )
    for wrong, message in cases:
        with pytest.raises(ValueError, match=message):
            evaluate(folder, **wrong)
    with pytest.raises(FileNotFoundError):
        evaluate(folder, texts=tmp_path / "none.tsv", **model)
    with pytest.raises(FileNotFoundError, match="no CLIP model at"):
        evaluate(folder, texts=TEXTS, clip=tmp_path / "none")


PROTOCOLS = ("tf1", "pytorch-fid", "torchmetrics", "clean", "ofa")


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def command(folder, *arguments):
    files = "--gold", folder / "gold.tsv", "--submission", folder / "pred.tsv", "--weights", folder / "inception.pth"
    return run("score", "t2i", *files, "--negatives", NEGATIVES, *arguments)


def test_the_command_scores_texts(folder, report, features):
    official = folder / "official.json"
    result = command(
        folder,
        "--texts",
        folder / "texts.tsv",
        "--clip",
        folder / "clip",
        "--protocol",
        "clean",
        "--official",
        official,
    )
    assert result.exit_code == 0, result.output
    value = 100 * report.scores["r_precision"].value
    printed = re.compile(rf"^R-precision +{value:.2f} ", re.MULTILINE)
    assert printed.search(result.output)
    written = json.loads(official.read_text())
    assert written["scoreJson"]["r_precision"] == pytest.approx(value)
    assert written["score"] == written["scoreJson"]["fid"] != report.scores["fid"].value
    feature_files(folder, features)
    files = "--image-feats", folder / "img.jsonl", "--text-feats", folder / "txt.npz"
    assert printed.search(command(folder, *files).output)


@pytest.mark.parametrize("splits", [1, 4])
def test_the_command_takes_the_options_of_networks(folder, splits):
    options = "--splits", splits, "--precision", "fp32", "--device", "cpu", "--batch-size", 5, "--json"
    result = command(folder, *options)
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)["scores"]["is"]
    expected = evaluate(folder, splits=splits, device="cpu").scores["is"]
    assert printed["signature"] == expected.signature
    assert printed["value"] == pytest.approx(expected.value, rel=1e-6)


def test_the_command_prints_errors_in_one_line(folder, tmp_path):
    write_texts(tmp_path / "few.tsv", {KEYS[0]: "红裙"})
    for arguments, message in (
        (("--texts", tmp_path / "few.tsv", "--clip", folder / "clip"), "few.tsv: texts lack 11 ids of the images"),
        (("--texts", folder / "texts.tsv", "--clip", tmp_path), "not a CLIP model"),
        (("--protocol", "ofa"), "not the weights of torchvision's Inception v3"),
        (("--splits", 13), "need at least one image for each split"),
    ):
        result = command(folder, *arguments)
        assert result.exit_code == 2
        assert message in result.output
        assert len(result.output.splitlines()) == 1
    for arguments, message in (
        (("--texts", folder / "texts.tsv"), "--texts needs --clip too"),
        (("--precision", "x"), "--precision: unknown precision 'x', choose from fp32, tf32, bf16"),
        (
            ("--protocol", "x"),
            "--protocol: unknown protocol 'x', choose from tf1, pytorch-fid, torchmetrics, clean, ofa",
        ),
    ):
        result = command(folder, *arguments)
        assert result.exit_code == 2
        assert result.output.startswith("Usage: ")
        assert result.output.endswith(f"Error: {message}\n")
