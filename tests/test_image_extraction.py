"""Any function or module of torch makes features."""

import numpy as np
import pytest

import muge_fast.image
from image_data import pictures
from muge_fast.image import FID, KID, InceptionScore, Statistics

torch = pytest.importorskip("torch")

PARTS = 4


def shares(images):
    """Eight features of images of any size: means and deviations of stripes."""
    rows = []
    for image in images:
        stripes = np.array_split(image.astype(float), PARTS)
        rows.append([f(stripe) for stripe in stripes for f in (np.mean, np.std)])
    return np.array(rows)


class Stripes(torch.nn.Module):
    """The same as a module, which takes a tensor of bytes, with a layer that does harm in training."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2 * PARTS, 2 * PARTS, bias=False)
        self.layer.weight.data = torch.eye(2 * PARTS)
        self.noise = torch.nn.Dropout(0.9)

    def forward(self, images):
        assert images.dtype == torch.uint8
        stripes = torch.tensor_split(images.float(), PARTS, dim=2)
        rows = [torch.stack([s.mean((1, 2, 3)), s.std((1, 2, 3), unbiased=False)], 1) for s in stripes]
        return self.noise(self.layer(torch.cat(rows, 1)))


@pytest.fixture(scope="module")
def sets():
    return pictures(30, seed=3), pictures(25, seed=4)


@pytest.mark.filterwarnings("ignore:FID of")
def test_functions_and_modules_plug_in(sets):
    features = [shares(side) for side in sets]
    distance = muge_fast.image.frechet_distance(*map(Statistics.of, features))
    kernel = muge_fast.image.kid_of(*features, subsets=3, subset_size=10).mean
    score = muge_fast.image.inception_score_of(features[0] / 50).mean
    module = Stripes().train()
    for made, name in (
        (shares, "extractor:test_image_extraction.shares"),
        (module, "extractor:test_image_extraction."),
    ):
        found = muge_fast.image.fid(*sets, extractor=made, batch_size=7)
        assert found.value == pytest.approx(distance, rel=1e-5)
        assert f"|{name}" in found.signature
        found = muge_fast.image.kid(*sets, extractor=made, subsets=3, subset_size=10)
        assert found.mean == pytest.approx(kernel, rel=1e-3)
        found = muge_fast.image.inception_score(
            sets[0], extractor=made if made is module else lambda images: shares(images) / 50
        )
        if made is shares:
            assert found.mean == pytest.approx(score, rel=1e-9)
    assert module.training


@pytest.mark.filterwarnings("ignore:FID of")
def test_batches_and_functions_agree(sets):
    distance = muge_fast.image.fid(*sets, extractor=shares).value
    metric, kernel = FID(shares, dims=2 * PARTS), KID(shares, subsets=3, subset_size=10)
    # The number of images says which split each belongs to.
    score = InceptionScore(shares, images=30)
    for side, is_real in zip(sets, (True, False), strict=True):
        for batch in np.array_split(side, 3):
            metric.update(batch, real=is_real)
            kernel.update(batch, real=is_real)
            if is_real:
                score.update(batch)
    assert metric.compute().value == pytest.approx(distance, rel=1e-9)
    expected = muge_fast.image.kid(*sets, extractor=shares, subsets=3, subset_size=10).mean
    assert kernel.compute().mean == pytest.approx(expected, rel=1e-4)
    expected = muge_fast.image.inception_score(sets[0], extractor=shares).mean
    assert score.compute().mean == pytest.approx(expected, rel=1e-4)


@pytest.mark.filterwarnings("ignore:FID of")
def test_one_pass_of_a_function(sets):
    seen = []

    def both(images):
        seen.append(len(images))
        return {"2048": shares(images), "logits_unbiased": shares(images) / 50}

    options = {"splits": 2, "subsets": 3, "subset_size": 10}
    scores = muge_fast.image.score_images(*sets, metrics=("kid", "fid", "is"), extractor=both, **options)
    assert sum(seen) == 55
    assert list(scores) == ["kid", "fid", "is"]
    features = [shares(side) for side in sets]
    distance = muge_fast.image.frechet_distance(*map(Statistics.of, features))
    assert scores["fid"].value == pytest.approx(distance, rel=1e-9)
    kernel = muge_fast.image.kid_of(*features[::-1], subsets=3, subset_size=10).mean
    assert scores["kid"].value == pytest.approx(kernel, rel=1e-4)
    score = muge_fast.image.inception_score_of(features[0] / 50, splits=2).mean
    assert scores["is"].value == pytest.approx(score, rel=1e-9)
    assert all("|extractor:test_image_extraction.test_one_pass" in scores[name].signature for name in scores)
    # One array is features or logits, not both.
    found = muge_fast.image.score_images(*sets, metrics=("fid", "kid"), extractor=shares, subset_size=10)
    assert found["fid"].value == pytest.approx(distance, rel=1e-9)
    with pytest.raises(ValueError, match="gives one array, needs a dictionary with the outputs 2048, logits_unbiased"):
        muge_fast.image.score_images(*sets, extractor=shares)
    with pytest.raises(ValueError, match="extractor is given, so weights means nothing"):
        muge_fast.image.score_images(*sets, metrics=("fid",), extractor=shares, weights="x.pth")


@pytest.mark.filterwarnings("ignore:FID of")
def test_features_of_different_extractors_are_not_mixed(sets, tmp_path):
    statistics = Statistics.of(shares(sets[0]), protocol="extractor:other")
    statistics.save(tmp_path / "other.npz")
    with pytest.raises(ValueError, match="need the same"):
        muge_fast.image.fid(tmp_path / "other.npz", sets[1], extractor=shares)
    # Metrics of batches know what makes their features too.
    with pytest.raises(ValueError, match="other: has"):
        KID(shares).merge(KID(np.array))


def test_a_state_goes_on_with_its_own_extractor_alone(tmp_path):
    for metric in (FID(shares, dims=2 * PARTS), KID(shares), InceptionScore(shares)):
        metric.save(tmp_path / "state.npz")
        assert type(metric).load(tmp_path / "state.npz", shares).protocol == metric.protocol
        assert type(metric).load(tmp_path / "state.npz").protocol == metric.protocol
        with pytest.raises(
            ValueError, match=r"was made with extractor:.*shares, the extractor is extractor:builtins.len"
        ):
            type(metric).load(tmp_path / "state.npz", len)


@pytest.mark.filterwarnings("ignore:FID of")
def test_modules_are_evaluated_and_stay_as_they_were(sets):
    """A part that is in evaluation in the middle of training stays so."""
    module = Stripes().train()
    module.layer.eval()
    metric = FID(module, dims=2 * PARTS)
    for side, real in zip(sets, (True, False), strict=True):
        metric.update(torch.from_numpy(side).permute(0, 3, 1, 2), real=real)
    expected = muge_fast.image.fid(*sets, extractor=module)
    assert metric.compute().value == pytest.approx(expected.value, rel=1e-5)
    assert (module.training, module.layer.training, module.noise.training) == (True, False, True)


def test_what_does_not_fit_is_an_error(sets):
    for name, value in (("weights", "x.pth"), ("protocol", "clean"), ("precision", "bf16"), ("device", "cpu")):
        with pytest.raises(ValueError, match=f"extractor is given, so {name} means nothing"):
            muge_fast.image.fid(*sets, extractor=shares, **{name: value})
    for wrong, shape in ((lambda images: shares(images)[:, 0], r"\(30,\)"), (lambda _: np.zeros((2, 3)), r"\(2, 3\)")):
        with pytest.raises(ValueError, match=rf"the extractor gives shape {shape}, needs \(30, features\)"):
            muge_fast.image.fid(*sets, extractor=wrong)
    with pytest.raises(ValueError, match="the extractor gives 64, needs the output 2048"):
        muge_fast.image.kid(*sets, extractor=lambda images: {"64": shares(images)}, subset_size=10)
    mixed = [pictures(1, (20, 20))[0], pictures(1, (10, 20))[0]]
    with pytest.raises(
        ValueError, match=r"images have shapes \(10, 20, 3\) and \(20, 20, 3\), a module of torch needs"
    ):
        muge_fast.image.fid(iter(mixed), sets[0], extractor=Stripes())
    with pytest.raises(ValueError, match="there are no images"):
        muge_fast.image.fid(iter([]), sets[0], extractor=shares)


def not_called(images):
    raise AssertionError(f"{len(images)} images were looked at")


def test_what_is_wrong_with_options_is_told_before_images_are_looked_at(sets, tmp_path):
    score, one = muge_fast.image.score_images, sets[0][:1]
    other = Statistics.of(shares(sets[0]), protocol="extractor:other")
    features = {"image_features": np.eye(30), "text_features": np.eye(30)}
    for message, call, given, options in (
        ("nowhere", muge_fast.image.fid, (sets[0], tmp_path / "nowhere"), {}),
        ("need the same", muge_fast.image.fid, (sets[0], other), {}),
        ("a set has 1 images, needs at least two", muge_fast.image.fid, (sets[0], one), {}),
        ("there are no images", muge_fast.image.fid, (sets[0], sets[1][:0]), {}),
        ("splits is 0", muge_fast.image.inception_score, sets[:1], {"splits": 0}),
        ("need at least one image for each split", muge_fast.image.inception_score, sets[:1], {"splits": 31}),
        ("subset_size is 26, the set has 25 images", muge_fast.image.kid, sets, {"subset_size": 26}),
        ("subset_size is 1, ", muge_fast.image.kid, sets, {"subset_size": 1}),
        ("subsets is -1", muge_fast.image.kid, sets, {"subsets": -1, "subset_size": 9}),
        ("nowhere", score, (sets[0], tmp_path / "nowhere"), {}),
        ("need the same", score, (sets[0], other), {}),
        ("splits is 0", score, sets, {"splits": 0}),
        ("subset_size is 26", score, sets, {"metrics": ("fid", "kid"), "subset_size": 26}),
        ("negatives is 30, there are 29 other texts", score, sets, {**features, "negatives": 30}),
        ("negatives is 2.5", score, sets, {**features, "negatives": 2.5}),
    ):
        with pytest.raises((ValueError, OSError), match=message):
            call(*given, extractor=not_called, **options)
