"""Feature extractors: functions, torch modules, and the protocols."""

import subprocess
import sys

import numpy as np
import pytest

import muge_fast.image
from image_data import pictures
from muge_fast.image import FID, KID, InceptionScore, Statistics
from muge_fast.image.extractors import (
    BatchedExtractor,
    FeatureExtractor,
    InceptionScoreConvention,
    MultiOutputExtractor,
)
from muge_fast.image.extractors.interface import convention_of_extractor, signature_of
from muge_fast.image.extractors.running import extract_features

torch = pytest.importorskip("torch")

# Sets are small here, which warns.
pytestmark = pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")

STRIPES = 4


def stripe_features(images):
    """Compute eight features of images of any size: means and standard deviations of stripes."""
    features = []
    for image in images:
        stripes = np.array_split(image.astype(float), STRIPES)
        features.append([f(stripe) for stripe in stripes for f in (np.mean, np.std)])
    return np.array(features)


class Stripes(torch.nn.Module):
    """The same as a module on uint8 tensors, with a layer that changes features in training mode."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2 * STRIPES, 2 * STRIPES, bias=False)
        self.layer.weight.data = torch.eye(2 * STRIPES)
        self.noise = torch.nn.Dropout(0.9)

    def forward(self, images):
        assert images.dtype == torch.uint8
        stripes = torch.tensor_split(images.float(), STRIPES, dim=2)
        features = [torch.stack([s.mean((1, 2, 3)), s.std((1, 2, 3), unbiased=False)], 1) for s in stripes]
        return self.noise(self.layer(torch.cat(features, 1)))


@pytest.fixture(scope="module")
def sets():
    return pictures(30, seed=3), pictures(25, seed=4)


def test_functions_and_modules_are_extractors(sets):
    features = [stripe_features(images) for images in sets]
    distance = muge_fast.image.frechet_distance(*map(Statistics.from_features, features))
    kernel = muge_fast.image.kid_from_features(*features, subsets=3, subset_size=10).value
    score = muge_fast.image.inception_score_from_logits(features[0] / 50).value
    module = Stripes().train()
    for extractor, name in (
        (stripe_features, "extractor:test_image_extraction.stripe_features"),
        (module, "extractor:test_image_extraction.Stripes"),
    ):
        fid = muge_fast.image.fid(*sets, extractor=extractor, batch_size=7)
        assert fid.value == pytest.approx(distance, rel=1e-5)
        assert f"|{name}" in fid.signature
        kid = muge_fast.image.kid(*sets, extractor=extractor, subsets=3, subset_size=10)
        assert kid.value == pytest.approx(kernel, rel=1e-3)
    inception = muge_fast.image.inception_score(sets[0], extractor=lambda images: stripe_features(images) / 50)
    assert inception.value == pytest.approx(score, rel=1e-9)
    assert muge_fast.image.inception_score(sets[0], extractor=module).value >= 1
    assert module.training


def test_extractors_follow_the_protocols(sets):
    assert isinstance(stripe_features, FeatureExtractor)
    assert isinstance(Stripes(), FeatureExtractor)
    assert not isinstance(stripe_features, (BatchedExtractor, MultiOutputExtractor))

    class Batched:
        signature = "batched"
        inception_score_convention = InceptionScoreConvention("a", splits=2)

        def __call__(self, images):
            raise AssertionError(f"called with {len(images)} images although it takes batches")

        def iter_batches(self, batches):
            for batch in batches:
                yield {"a": stripe_features(batch), "b": stripe_features(batch) + 1}

        def with_outputs(self, outputs):
            requested.append(tuple(outputs))
            return self

    requested = []
    extractor = Batched()
    assert isinstance(extractor, BatchedExtractor)
    assert isinstance(extractor, MultiOutputExtractor)
    assert signature_of(extractor) == "batched"
    assert convention_of_extractor(extractor).splits == 2
    (features,) = extract_features(extractor, sets[0], ["b"])
    assert requested == [("b",)]
    assert list(features) == ["b"]
    assert np.array_equal(features["b"], stripe_features(sets[0]) + 1)


def test_importing_the_protocols_does_not_import_torch():
    script = """
import sys
from muge_fast.image.extractors import FeatureExtractor, InceptionScoreConvention
assert "torch" not in sys.modules
from muge_fast.image.extractors import InceptionExtractor, preprocess
assert "torch" in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603 - a constant script
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = muge_fast.image.extractors.nonsense


def test_streaming_metrics_equal_functions(sets):
    distance = muge_fast.image.fid(*sets, extractor=stripe_features).value
    metric, kernel = FID(stripe_features, dims=2 * STRIPES), KID(stripe_features, subsets=3, subset_size=10)
    # With the number of images, splits are those of the function.
    score = InceptionScore(stripe_features, images=30)
    for images, is_real in zip(sets, (True, False), strict=True):
        for batch in np.array_split(images, 3):
            metric.update(batch, real=is_real)
            kernel.update(batch, real=is_real)
            if is_real:
                score.update(batch)
    assert metric.compute().value == pytest.approx(distance, rel=1e-9)
    expected = muge_fast.image.kid(*sets, extractor=stripe_features, subsets=3, subset_size=10).value
    assert kernel.compute().value == pytest.approx(expected, rel=1e-4)
    expected = muge_fast.image.inception_score(sets[0], extractor=stripe_features).value
    assert score.compute().value == pytest.approx(expected, rel=1e-4)


def test_a_function_is_called_once_per_image(sets):
    counts = []

    def both(images):
        counts.append(len(images))
        return {"2048": stripe_features(images), "logits_unbiased": stripe_features(images) / 50}

    options = {"splits": 2, "subsets": 3, "subset_size": 10}
    scores = muge_fast.image.score_images(
        real=sets[1], generated=sets[0], metrics=("kid", "fid", "is"), extractor=both, **options
    )
    assert sum(counts) == 55
    assert list(scores) == ["kid", "fid", "is"]
    features = [stripe_features(images) for images in sets]
    distance = muge_fast.image.frechet_distance(*map(Statistics.from_features, features))
    assert scores["fid"].value == pytest.approx(distance, rel=1e-9)
    kernel = muge_fast.image.kid_from_features(*features[::-1], subsets=3, subset_size=10).value
    assert scores["kid"].value == pytest.approx(kernel, rel=1e-4)
    score = muge_fast.image.inception_score_from_logits(features[0] / 50, splits=2).value
    assert scores["is"].value == pytest.approx(score, rel=1e-9)
    assert all(
        "|extractor:test_image_extraction.test_a_function_is_called_once" in scores[name].signature for name in scores
    )
    # A single array is either features or logits.
    without_logits = muge_fast.image.score_images(
        real=sets[1], generated=sets[0], metrics=("fid", "kid"), extractor=stripe_features, subset_size=10
    )
    assert without_logits["fid"].value == pytest.approx(distance, rel=1e-9)
    with pytest.raises(
        ValueError, match="returns one array, needs a dictionary with the outputs 2048, logits_unbiased"
    ):
        muge_fast.image.score_images(real=sets[1], generated=sets[0], extractor=stripe_features)
    with pytest.raises(ValueError, match="weights is an option of the published network"):
        muge_fast.image.score_images(
            real=sets[1], generated=sets[0], metrics=("fid",), extractor=stripe_features, weights="x.pth"
        )


def test_features_of_different_extractors_are_not_mixed(sets, tmp_path):
    statistics = Statistics.from_features(stripe_features(sets[0]), extractor_signature="extractor:other")
    statistics.save(tmp_path / "other.npz")
    with pytest.raises(ValueError, match="need the same"):
        muge_fast.image.fid(tmp_path / "other.npz", sets[1], extractor=stripe_features)
    # Streaming metrics compare their extractors too.
    with pytest.raises(ValueError, match="other: has"):
        KID(stripe_features).merge(KID(np.array))


def test_a_state_continues_with_its_own_extractor_only(tmp_path):
    for metric in (FID(stripe_features, dims=2 * STRIPES), KID(stripe_features), InceptionScore(stripe_features)):
        metric.save(tmp_path / "state.npz")
        assert (
            type(metric).load(tmp_path / "state.npz", stripe_features).extractor_signature == metric.extractor_signature
        )
        assert type(metric).load(tmp_path / "state.npz").extractor_signature == metric.extractor_signature
        with pytest.raises(
            ValueError, match=r"was made with extractor:.*stripe_features, the extractor is extractor:builtins.len"
        ):
            type(metric).load(tmp_path / "state.npz", len)


def test_modules_run_in_evaluation_mode_and_keep_their_modes(sets):
    """A submodule that is in evaluation mode in the middle of training stays so."""
    module = Stripes().train()
    module.layer.eval()
    metric = FID(module, dims=2 * STRIPES)
    for images, real in zip(sets, (True, False), strict=True):
        metric.update(torch.from_numpy(images).permute(0, 3, 1, 2), real=real)
    expected = muge_fast.image.fid(*sets, extractor=module)
    assert metric.compute().value == pytest.approx(expected.value, rel=1e-5)
    assert (module.training, module.layer.training, module.noise.training) == (True, False, True)


def test_unsuitable_extractors_and_options_are_errors(sets):
    for name, value in (("weights", "x.pth"), ("protocol", "clean"), ("precision", "bf16"), ("device", "cpu")):
        with pytest.raises(ValueError, match=f"{name} is an option of the published network"):
            muge_fast.image.fid(*sets, extractor=stripe_features, **{name: value})
    with pytest.raises(TypeError, match="extractor must be callable, got ndarray"):
        muge_fast.image.fid(*sets, extractor=sets[0])
    for wrong, shape in (
        (lambda images: stripe_features(images)[:, 0], r"\(30,\)"),
        (lambda _: np.zeros((2, 3)), r"\(2, 3\)"),
    ):
        with pytest.raises(ValueError, match=rf"the extractor returns shape {shape}, needs \(30, features\)"):
            muge_fast.image.fid(*sets, extractor=wrong)
    with pytest.raises(ValueError, match="the extractor returns the outputs 64, not 2048"):
        muge_fast.image.kid(*sets, extractor=lambda images: {"64": stripe_features(images)}, subset_size=10)
    mixed = [pictures(1, (20, 20))[0], pictures(1, (10, 20))[0]]
    with pytest.raises(ValueError, match=r"images have shapes \(10, 20, 3\) and \(20, 20, 3\), a torch module needs"):
        muge_fast.image.fid(iter(mixed), sets[0], extractor=Stripes())
    with pytest.raises(ValueError, match="there are no images"):
        muge_fast.image.fid(iter([]), sets[0], extractor=stripe_features)


def not_called(images):
    raise AssertionError(f"{len(images)} images were decoded")


def test_options_are_checked_before_images_are_decoded(sets, tmp_path):
    def score(generated, real, **options):
        return muge_fast.image.score_images(real=real, generated=generated, **options)

    one = sets[0][:1]
    other = Statistics.from_features(stripe_features(sets[0]), extractor_signature="extractor:other")
    features = {"image_features": np.eye(30), "text_features": np.eye(30)}
    for message, call, sources, options in (
        ("nowhere", muge_fast.image.fid, (sets[0], tmp_path / "nowhere"), {}),
        ("need the same", muge_fast.image.fid, (sets[0], other), {}),
        ("there is 1 image, FID needs at least two", muge_fast.image.fid, (sets[0], one), {}),
        ("there are no images", muge_fast.image.fid, (sets[0], sets[1][:0]), {}),
        ("splits", muge_fast.image.inception_score, sets[:1], {"splits": 0}),
        ("need at least one image for each split", muge_fast.image.inception_score, sets[:1], {"splits": 31}),
        ("subset_size .*26.* 25 images", muge_fast.image.kid, sets, {"subset_size": 26}),
        ("subset_size", muge_fast.image.kid, sets, {"subset_size": 1}),
        ("subsets", muge_fast.image.kid, sets, {"subsets": -1, "subset_size": 9}),
        ("nowhere", score, (sets[0], tmp_path / "nowhere"), {}),
        ("need the same", score, (sets[0], other), {}),
        ("splits", score, sets, {"splits": 0}),
        ("subset_size .*26", score, sets, {"metrics": ("fid", "kid"), "subset_size": 26}),
        ("negatives .*30.* 29 ", score, sets, {**features, "negatives": 30}),
        ("negatives", score, sets, {**features, "negatives": 2.5}),
    ):
        with pytest.raises((TypeError, ValueError, OSError), match=message):
            call(*sources, extractor=not_called, **options)
