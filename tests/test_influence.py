"""Influence of images: derivatives of FID and KID, the jackknife of the Inception Score, and their standard errors.

Monte Carlo draws new sets of images many times; a standard error holds if it is near the standard deviation of the
score over the draws. Where a score is degenerate, which it is for sets of equal distributions, standard errors may be
up to the square root of two too large, since images of one set are compared with a finite number of others.
"""

from functools import partial

import numpy as np
import pytest

import muge_fast as mf
from image_data import encoded, pictures
from muge_fast.image import (
    FID,
    KID,
    Statistics,
    fid,
    fid_from_features,
    inception_score,
    inception_score_from_logits,
    kid,
    kid_from_features,
    score_images,
)
from test_score_images import brightness

# Sets are small here, which warns.
pytestmark = pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")


def error_of(score) -> float:
    """Return the standard error of a score by its influence."""
    return sum(values.var() / len(values) for values in score.influence) ** 0.5


def error_and_deviation(draw, repeats) -> tuple[float, float]:
    """Return the root mean square of standard errors, over the standard deviation of scores; and the mean score."""
    scores = [draw() for _ in range(repeats)]
    errors = np.array([error_of(score) for score in scores])
    return float(np.sqrt((errors**2).mean()) / np.std(scores, ddof=1)), float(np.mean(scores))


# Derivatives, against plain definitions with a weight for each image


def fid_of_weighted(real, generated, real_weights, generated_weights) -> float:
    """Return FID of sets in which images have weights, by singular values."""
    parts = []
    for rows, weights in ((real, real_weights), (generated, generated_weights)):
        share = weights / weights.sum()
        mean = share @ rows
        parts.append((mean, (rows - mean) * np.sqrt(share * len(rows) / (len(rows) - 1))[:, None]))
    (mean, left), (other, right) = parts
    root = np.linalg.svd(left @ right.T, compute_uv=False).sum()
    return ((mean - other) ** 2).sum() + (left**2).sum() + (right**2).sum() - 2 * root


def mmd_of_weighted(real, generated, real_weights, generated_weights) -> float:
    """Return the unbiased MMD² with the kernel ``(x·y / d + 1)³``, in which pairs have the product of their weights."""
    means = []
    for left, right, a, b in (
        (real, real, real_weights, real_weights),
        (generated, generated, generated_weights, generated_weights),
        (real, generated, real_weights, generated_weights),
    ):
        weights = np.outer(a, b)
        if left is right:
            np.fill_diagonal(weights, 0)
        means.append((weights * (left @ right.T / left.shape[1] + 1) ** 3).sum() / weights.sum())
    return means[0] + means[1] - 2 * means[2]


def slopes(score_of, real, generated, step=1e-5) -> tuple[np.ndarray, np.ndarray]:
    """Return the change with the weight of each generated and each real image, times their number, by differences."""
    sizes = len(real), len(generated)
    changes = [np.empty(size) for size in sizes]
    for side, size in enumerate(sizes):
        for index in range(size):
            ends = []
            for sign in (1, -1):
                weights = [np.ones(count) for count in sizes]
                weights[side][index] += sign * step
                ends.append(score_of(real, generated, *weights))
            changes[side][index] = size * (ends[0] - ends[1]) / (2 * step)
    return changes[1], changes[0]


@pytest.mark.parametrize(
    ("real_count", "generated_count"), [(40, 30), (9, 30), (30, 9), (9, 8)], ids=lambda count: f"{count} images"
)
def test_influence_on_fid_is_its_derivative(real_count, generated_count):
    """Also with fewer images than features, where covariances are singular."""
    random = np.random.default_rng(1)
    real, generated = random.normal(size=(real_count, 12)), random.normal(size=(generated_count, 12)) * 1.5 + 0.3
    score = fid_from_features(real, generated, influence=True)
    for values, expected in zip(score.influence, slopes(fid_of_weighted, real, generated), strict=True):
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    fixed = fid_from_features(Statistics.from_features(real), generated, influence=True)
    assert fixed.value == score.value
    assert len(fixed.influence) == 1
    np.testing.assert_allclose(fixed.influence[0], score.influence[0], rtol=1e-12)


def test_influence_on_kid_is_its_derivative():
    random = np.random.default_rng(2)
    real, generated = random.normal(size=(20, 5)), random.normal(size=(15, 5)) + 0.3
    score = kid_from_features(real, generated, subsets=None, influence=True)
    assert score.value == pytest.approx(mmd_of_weighted(real, generated, np.ones(20), np.ones(15)), rel=1e-12)
    for values, expected in zip(score.influence, slopes(mmd_of_weighted, real, generated), strict=True):
        np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
        assert abs(values.mean()) < 1e-12


def test_one_subset_of_all_images_has_the_influence_of_all():
    random = np.random.default_rng(3)
    real, generated = random.normal(size=(20, 5)), random.normal(size=(20, 5)) + 0.3
    subset = kid_from_features(real, generated, subsets=1, subset_size=20, influence=True)
    whole = kid_from_features(real, generated, subsets=None, influence=True)
    for values, expected in zip(subset.influence, whole.influence, strict=True):
        np.testing.assert_allclose(values, expected, rtol=1e-10, atol=1e-12)


def test_images_outside_of_all_subsets_have_no_influence():
    random = np.random.default_rng(4)
    score = kid_from_features(*random.normal(size=(2, 30, 4)), subsets=2, subset_size=5, influence=True)
    for values in score.influence:
        assert 20 <= (values == 0).sum() <= 25


@pytest.mark.parametrize(("splits", "shuffle"), [(1, True), (3, True), (3, False)])
def test_influence_on_the_inception_score_is_its_jackknife(splits, shuffle):
    logits = np.random.default_rng(5).normal(size=(32, 6)) * 2
    score = inception_score_from_logits(logits, splits=splits, shuffle=shuffle, influence=True)
    order = np.random.RandomState(2020).permutation(32) if shuffle else np.arange(32)
    expected = np.empty(32)
    for split in range(splits):
        rows = order[split * 32 // splits : (split + 1) * 32 // splits]
        others = [inception_score_from_logits(logits[rows[rows != row]], splits=1).value for row in rows]
        expected[rows] = -(np.array(others) - np.mean(others)) * (len(rows) - 1) * 32 / (splits * len(rows))
    np.testing.assert_allclose(score.influence[0], expected, rtol=1e-8, atol=1e-10)


# Standard errors, against new draws of all images

DIMS = 16
RANDOM = np.random.default_rng(6)
BASE = np.linalg.qr(RANDOM.normal(size=(DIMS, DIMS)))[0] / np.sqrt(np.arange(1, DIMS + 1))
OTHER = BASE + 0.05 * RANDOM.normal(size=(DIMS, DIMS))


def features(random, count, factor, mean=0.0, dims=DIMS):
    """Draw features with a skewed distribution."""
    return np.maximum(random.normal(size=(count, dims)), -1) @ factor.T + mean


@pytest.mark.parametrize(
    ("per_dim", "low", "high"),
    [(0.5, 1, 1.6), (1, 1, 1.6), (2.5, 1, 1.5), (5, 0.95, 1.4), (15, 0.9, 1.25), (47, 0.85, 1.15)],
)
def test_standard_errors_of_fid_are_not_too_small(per_dim, low, high):
    random, count = np.random.default_rng(7), int(per_dim * DIMS)
    ratio, _ = error_and_deviation(
        lambda: fid_from_features(features(random, count, BASE), features(random, count, OTHER, 0.2), influence=True),
        150,
    )
    assert low < ratio < high


@pytest.mark.parametrize("per_dim", [2.5, 15])
def test_standard_errors_of_fid_of_equal_distributions_are_too_large(per_dim):
    random, count = np.random.default_rng(8), int(per_dim * DIMS)
    ratio, _ = error_and_deviation(
        lambda: fid_from_features(features(random, count, BASE), features(random, count, BASE), influence=True), 150
    )
    assert 1.1 < ratio < 1.6


@pytest.mark.parametrize("per_dim", [2.5, 15])
def test_standard_errors_of_fid_with_fixed_real_images_are_not_too_small(per_dim):
    random, count = np.random.default_rng(9), int(per_dim * DIMS)
    real = Statistics.from_features(features(random, 5000, BASE))
    ratio, _ = error_and_deviation(
        lambda: fid_from_features(real, features(random, count, OTHER, 0.2), influence=True), 150
    )
    assert 0.9 < ratio < 1.5


@pytest.mark.parametrize(
    ("per_dim", "bias", "low", "high"), [(2.5, 0.90, 1.1, 1.6), (5, 0.45, 1.0, 1.5), (15, 0.15, 0.9, 1.4)]
)
def test_errors_of_fid_of_64_features_are_smaller_than_its_bias(per_dim, bias, low, high):
    """As in the table of the documentation; the bias is about a constant over the number of images."""
    random = np.random.default_rng(3)
    base = np.linalg.qr(random.normal(size=(64, 64)))[0] * np.sqrt(7 / 4.744 / np.arange(1, 65))
    other, count = base + random.normal(size=(64, 64)) * 0.012, int(per_dim * 64)
    moments = {"mu": np.zeros(64), "sigma": base @ base.T}, {"mu": np.full(64, 0.055), "sigma": other @ other.T}
    distance = mf.image.frechet_distance(*(Statistics.from_state(state) for state in moments))
    ratio, mean = error_and_deviation(
        lambda: fid_from_features(
            random.normal(size=(count, 64)) @ base.T, random.normal(size=(count, 64)) @ other.T + 0.055, influence=True
        ),
        60,
    )
    assert low < ratio < high
    assert mean - distance == pytest.approx(bias, rel=0.1)


@pytest.mark.parametrize(
    ("shift", "options", "low", "high"),
    [
        (0, {"subsets": None}, 1.25, 1.6),
        (0, {"subsets": 20, "subset_size": 40}, 1.2, 1.6),
        (0.4, {"subsets": None}, 0.85, 1.15),
        (0.4, {"subsets": 20, "subset_size": 40}, 0.85, 1.2),
        # Most images are in no subset: the score varies more than that of all images.
        (0.4, {"subsets": 2, "subset_size": 40}, 0.85, 1.25),
    ],
    ids=str,
)
def test_standard_errors_of_kid(shift, options, low, high):
    random = np.random.default_rng(10)
    ratio, _ = error_and_deviation(
        lambda: kid_from_features(
            features(random, 150, np.eye(4), dims=4),
            features(random, 120, np.eye(4), shift, dims=4),
            **options,
            influence=True,
        ),
        300,
    )
    assert low < ratio < high


@pytest.mark.parametrize(("count", "splits"), [(100, 10), (10, 1), (20, 1), (400, 1)])
@pytest.mark.parametrize("certainty", [0, 8])
def test_standard_errors_of_the_inception_score(count, splits, certainty):
    """From half an image for each class in a split on."""
    random, classes = np.random.default_rng(11), 20
    weights = np.arange(1, classes + 1) ** -0.7

    def draw():
        logits = random.normal(size=(count, classes))
        labels = random.choice(classes, count, p=weights / weights.sum())
        logits[np.arange(count), labels] += certainty * random.exponential(size=count)
        return inception_score_from_logits(logits, splits=splits, influence=True)

    ratio, _ = error_and_deviation(draw, 400)
    assert 0.88 < ratio < 1.15


@pytest.mark.parametrize("metric", ["fid", "kid"])
def test_equal_generators_are_seldom_found_different(metric):
    """Two generators with the same distribution, compared with the same real images: rejected at 5 %."""
    random, rejected = np.random.default_rng(12), 0
    score_of = fid_from_features if metric == "fid" else partial(kid_from_features, subsets=None)
    for _ in range(200):
        real = features(random, 80, BASE)
        first, second = (score_of(real, features(random, 80, OTHER, 0.2), influence=True) for _ in range(2))
        differences = [a - b for a, b in zip(first.influence, second.influence, strict=True)]
        error = sum(values.var() / len(values) for values in differences) ** 0.5
        rejected += abs(first.value - second.value) > 1.96 * error
    assert rejected / 200 < 0.07


# The functions that compute it


def test_scores_are_the_same_with_and_without_influence():
    random = np.random.default_rng(13)
    real, generated = random.normal(size=(2, 60, 8))
    for compute in (
        lambda **flag: fid_from_features(real, generated, **flag),
        lambda **flag: kid_from_features(real, generated, subsets=None, **flag),
        lambda **flag: kid_from_features(real, generated, subsets=3, subset_size=20, **flag),
        lambda **flag: inception_score_from_logits(generated, splits=3, **flag),
    ):
        score, plain = compute(influence=True), compute()
        assert (score.value, score.parts, score.signature) == (plain.value, plain.parts, plain.signature)
        with pytest.raises(ValueError, match="pass influence=True"):
            _ = plain.influence
    assert fid_from_features(real, generated).value == fid_from_features(Statistics.from_features(real), generated)


def test_functions_of_images_compute_the_influence_of_features():
    real, generated = pictures(30, seed=3), pictures(25, seed=4)
    outputs = brightness(real), brightness(generated)
    matrices, logits = [output["2048"] for output in outputs], outputs[1]["logits_unbiased"]
    subsets = {"subsets": 3, "subset_size": 9}
    options = {"metrics": ("fid", "is", "kid"), "splits": 2, **subsets}
    scores = score_images(real=real, generated=generated, extractor=brightness, influence=True, **options)
    expected = {
        "fid": fid_from_features(*matrices, influence=True),
        "kid": kid_from_features(*matrices, **subsets, influence=True),
        "is": inception_score_from_logits(logits, splits=2, influence=True),
    }
    alone = {
        "fid": fid(real, generated, extractor=brightness, influence=True),
        "kid": kid(real, generated, extractor=brightness, influence=True, **subsets),
        "is": inception_score(generated, splits=2, extractor=brightness, influence=True),
    }
    metric = KID(**subsets)
    for matrix, is_real in zip(matrices, (True, False), strict=True):
        metric.update(matrix, real=is_real)
    for name, score in expected.items():
        for made in (scores[name], alone[name], *([metric.compute(influence=True)] if name == "kid" else [])):
            assert len(made.influence) == len(score.influence)
            for values, wanted in zip(made.influence, score.influence, strict=True):
                # Features are kept in single precision.
                np.testing.assert_allclose(values, wanted, rtol=1e-3, atol=1e-5 * np.abs(wanted).max())
    with pytest.raises(ValueError, match="pass influence=True"):
        _ = score_images(real=real, generated=generated, extractor=brightness, splits=2)["fid"].influence


def test_real_statistics_are_fixed_and_generated_ones_refused():
    real, generated = pictures(30, seed=3), pictures(25, seed=4)
    statistics = Statistics.from_features(brightness(real)["2048"], extractor_signature="")
    (values,) = fid(statistics, generated, extractor=brightness, influence=True).influence
    assert len(values) == 25
    for pair in ((statistics, statistics), (real, statistics)):
        with pytest.raises(ValueError, match="generated is statistics, influence=True needs the images"):
            fid(*pair, extractor=brightness, influence=True)


def streamed(real, generated, dims, batch=7) -> FID:
    metric = FID(dims=dims)
    for rows, is_real in ((real, True), (generated, False)):
        for start in range(0, len(rows), batch):
            metric.update(rows[start : start + batch], real=is_real)
    return metric


def assert_influence_of(score, expected):
    assert score.value == pytest.approx(expected.value, rel=1e-12)
    assert len(score.influence) == len(expected.influence)
    for values, wanted in zip(score.influence, expected.influence, strict=True):
        np.testing.assert_allclose(values, wanted, rtol=1e-9, atol=1e-11 * np.abs(wanted).max())


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_a_stream_has_the_influence_of_its_features(tmp_path, kind):
    random = np.random.default_rng(3)
    real, generated = random.normal(size=(25, 30)).astype(np.float32), random.normal(1, 1, (30, 30)).astype(np.float32)
    expected = fid_from_features(real, generated, influence=True)
    convert = pytest.importorskip("torch").as_tensor if kind == "torch" else np.asarray
    metric = streamed(convert(real), convert(generated), 30)
    assert_influence_of(metric.compute(influence=True), expected)
    metric.save(tmp_path / "fid.npz")
    assert_influence_of(FID.load(tmp_path / "fid.npz").compute(influence=True), expected)
    # Shards, in the order in which they are merged.
    shards = [streamed(convert(real[:9]), convert(generated[:20]), 30), streamed(convert(real[9:]), generated[20:], 30)]
    shards[0].merge(shards[1])
    assert_influence_of(shards[0].compute(influence=True), expected)
    with pytest.raises(ValueError, match="pass influence=True"):
        _ = metric.compute().influence


def corner(images):
    """Return 40 features of each image: its first pixels."""
    return np.array([image.astype(np.float32).ravel()[:40] for image in images])


def test_a_stream_of_images_has_the_influence_of_fid():
    real, generated = pictures(30, seed=3), pictures(25, seed=4)
    metric = FID(corner, dims=40)
    for start in range(0, 30, 8):
        metric.update(real[start : start + 8], real=True)
        if len(generated[start : start + 8]):
            metric.update(generated[start : start + 8], real=False)
    score = metric.compute(influence=True)
    assert [len(values) for values in score.influence] == [25, 30]
    assert_influence_of(score, fid(real, generated, extractor=corner, influence=True))


def test_a_stream_says_when_features_are_not_kept():
    random = np.random.default_rng(3)
    few, many = random.normal(size=(2, 5, 5)), random.normal(size=(2, 6, 5))
    for real, generated, name in ((few[0], many[0], "generated"), (many[0], few[0], "real"), (*many, "generated")):
        metric = streamed(real, generated, 5)
        message = f"only sums are kept of the 6 {name} images: features are kept up to 5 images; .* fid_from_features"
        with pytest.raises(ValueError, match=message):
            metric.compute(influence=True)
        assert metric.compute().value == pytest.approx(fid_from_features(real, generated).value)


def test_a_stream_with_loaded_real_statistics_has_the_influence_of_the_generated_images():
    random = np.random.default_rng(3)
    real, generated = random.normal(size=(50, 8)), random.normal(1, 1, (6, 8))
    state = {name: Statistics.from_features(real).state()[name] for name in ("mu", "sigma")}
    metric = streamed(real[:0], generated, 8)
    metric.real = Statistics.from_state(state)
    assert_influence_of(
        metric.compute(influence=True), fid_from_features(Statistics.from_state(state), generated, influence=True)
    )
    metric.generated = Statistics.from_state(state)
    with pytest.raises(ValueError, match="generated is statistics, influence=True needs the images"):
        metric.compute(influence=True)


def test_fid_of_features_names_what_is_wrong():
    statistics = Statistics.from_features([[0.0], [1.0]], extractor_signature="ours")
    for real in (statistics, [[0.0], [1.0]]):
        with pytest.raises(ValueError, match=r"generated\[1\] is not finite"):
            fid_from_features(real, [[0.0], [np.nan]])
        with pytest.raises(ValueError, match="real"):
            fid_from_features(real, [[0.0, 1.0], [1.0, 1.0]])
    with pytest.raises(ValueError, match="need the same extractor"):
        fid_from_features(statistics, [[0.0], [1.0]], extractor_signature="theirs")
    assert "|ours|" in fid_from_features(statistics, [[0.0], [1.0]]).signature


def test_images_of_a_stream_have_the_influence_of_their_splits():
    """Without the number of images they are dealt out to splits."""
    generated = pictures(24, seed=4)
    score = inception_score(iter(generated), splits=2, extractor=brightness, influence=True)
    assert "round_robin" in score.signature
    (values,) = score.influence
    logits = brightness(generated)["logits_unbiased"]
    pairs = [np.random.RandomState([2020, group]).permutation(2) for group in range(12)]
    split = np.concatenate(pairs)
    for index in range(2):
        rows = np.flatnonzero(split == index)
        (expected,) = inception_score_from_logits(logits[rows], splits=1, influence=True).influence
        np.testing.assert_allclose(values[rows], expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    "compute",
    [
        lambda sets, **flag: fid(*sets, extractor=brightness, **flag),
        lambda sets, **flag: kid(*sets, extractor=brightness, **flag),
        lambda sets, **flag: inception_score(sets[0], extractor=brightness, **flag),
        lambda sets, **flag: score_images(real=sets[0], generated=sets[1], extractor=brightness, **flag),
        lambda _sets, **flag: fid_from_features([[0.0], [1.0]], [[0.0], [1.0]], **flag),
        lambda _sets, **flag: kid_from_features([[0.0], [1.0]], [[0.0], [1.0]], **flag),
        lambda _sets, **flag: inception_score_from_logits([[0.0], [1.0]], **flag),
        lambda _sets, **flag: mf.evaluate("t2i", "no gold", "no submission", **flag),
    ],
)
def test_influence_must_be_a_bool(compute):
    with pytest.raises(TypeError, match="influence must be True or False, got 'no'"):
        compute((pictures(2), pictures(2)), influence="no")


def test_influence_of_a_stream_must_be_a_bool():
    with pytest.raises(TypeError, match="influence must be True or False, got 1"):
        FID(dims=2).compute(influence=1)


def test_evaluate_takes_influence_as_an_option_of_the_task(tmp_path):
    for name, seed in (("gold", 3), ("pred", 4)):
        images = {f"image {index}": encoded(image) for index, image in enumerate(pictures(20, seed=seed))}
        mf.datasets.ImageTsv.write(tmp_path / f"{name}.tsv", images)
    options = {"extractor": brightness, "splits": 2, "influence": True}
    report = mf.evaluate("t2i", tmp_path / "gold.tsv", tmp_path / "pred.tsv", **options)
    assert [len(values) for values in report.scores["fid"].influence] == [20, 20]
    assert [len(values) for values in report.scores["is"].influence] == [20]
