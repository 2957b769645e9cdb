"""Metrics of features, against 60-digit arithmetic, torch-fidelity, plain definitions, and known answers."""

import pickle
import subprocess
import sys

import mpmath
import numpy as np
import pytest

from muge_fast import image
from muge_fast.image import Statistics, frechet_distance
from muge_fast.scores import Scores

# Sets are small here, which warns.
pytestmark = pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")


def features(rows, dims, seed, shift=0.0):
    """Return non-negative, correlated features of very different sizes, like pooled features."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(dims, dims)) / np.arange(1, dims + 1)
    return np.maximum(rng.normal(size=(rows, dims)) @ mixing + shift + 0.3, 0).astype("float32")


def exact_distance(first, second):
    """Compute the definition with 60 digits."""
    mpmath.mp.dps = 60
    moments = []
    for features in (first, second):
        rows = mpmath.matrix(features.astype("float64").tolist())
        mean = [mpmath.fsum(rows[row, column] for row in range(rows.rows)) / rows.rows for column in range(rows.cols)]
        for row in range(rows.rows):
            for column in range(rows.cols):
                rows[row, column] -= mean[column]
        moments.append((mpmath.matrix(mean), rows.T * rows / (rows.rows - 1)))
    (mean1, cov1), (mean2, cov2) = moments
    values1, vectors1 = mpmath.eigsy(cov1)
    root = vectors1 * mpmath.diag([mpmath.sqrt(max(value, 0)) for value in values1]) * vectors1.T
    values, _ = mpmath.eigsy(root * cov2 * root)
    trace = sum(cov1[n, n] + cov2[n, n] for n in range(cov1.rows))
    roots = mpmath.fsum(mpmath.sqrt(max(value, 0)) for value in values)
    difference = mean1 - mean2
    return float((difference.T * difference)[0] + trace - 2 * roots)


@pytest.mark.parametrize(("real", "generated"), [(9, 7), (2, 12), (12, 30), (40, 9), (40, 50)])
def test_distance_equals_the_definition_in_high_precision(real, generated):
    first, second = features(real, 12, 1), features(generated, 12, 2, shift=0.1)
    distance = frechet_distance(Statistics.from_features(first), Statistics.from_features(second))
    assert distance == pytest.approx(exact_distance(first, second), rel=1e-12 if real <= 12 >= generated else 1e-9)


@pytest.mark.parametrize("rows", [2, 64, 65, 66, 200])
def test_distance_of_a_set_from_itself_is_zero(rows):
    statistics = Statistics.from_features(features(rows, 64, 3))
    assert abs(frechet_distance(statistics, statistics)) < 1e-9 * np.trace(statistics.covariance)


def test_distance_of_known_gaussians():
    one = Statistics.from_state({"mu": np.zeros(3), "sigma": np.diag([1.0, 4.0, 9.0])})
    other = Statistics.from_state({"mu": np.array([1.0, 2.0, 2.0]), "sigma": np.diag([4.0, 4.0, 1.0])})
    assert frechet_distance(one, other) == pytest.approx(9 + (1 - 2) ** 2 + 0 + (3 - 1) ** 2, rel=1e-14)
    singular = Statistics.from_state({"mu": np.zeros(3), "sigma": np.diag([1.0, 0.0, 0.0])})
    assert frechet_distance(singular, other) == pytest.approx(9 + (1 - 2) ** 2 + 4 + 1, rel=1e-12)


@pytest.mark.slow
def test_distance_equals_torch_fidelity():
    metric_fid = pytest.importorskip("torch_fidelity.metric_fid")
    torch = pytest.importorskip("torch")
    # With float32 input, torch-fidelity takes the mean in float32, whose error exceeds the difference of the methods.
    first, second = (rows.astype("float64") for rows in (features(500, 64, 4), features(700, 64, 5, shift=0.05)))
    statistics = [metric_fid.fid_features_to_statistics(torch.tensor(rows)) for rows in (first, second)]
    expected = metric_fid.fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert frechet_distance(Statistics.from_features(first), Statistics.from_features(second)) == pytest.approx(
        float(expected), rel=1e-9
    )


@pytest.mark.parametrize("rows", [20, 300])
def test_merged_statistics_equal_those_of_all_images(rows):
    data = features(rows, 32, 6)
    whole, shards = Statistics.from_features(data), [Statistics(32) for _ in range(3)]
    for shard, batch in zip(shards * 2, np.array_split(data, 6), strict=True):
        shard.update(batch)
    merged = shards[0]
    merged.merge(shards[1])
    merged.merge(shards[2])
    other = Statistics.from_features(features(rows + 50, 32, 7))
    assert merged.count == whole.count == rows
    assert frechet_distance(merged, other) == pytest.approx(frechet_distance(whole, other), rel=1e-11)


@pytest.mark.parametrize("rows", [20, 300])
def test_saved_statistics_are_loaded(tmp_path, rows):
    statistics = Statistics.from_features(features(rows, 32, 8), extractor_signature="tf1")
    statistics.save(tmp_path / "s.npz")
    loaded = Statistics.load(tmp_path / "s.npz")
    other = Statistics.from_features(features(99, 32, 9))
    assert frechet_distance(loaded, other) == frechet_distance(statistics, other)
    loaded.update(features(5, 32, 10))
    assert (loaded.count, loaded.extractor_signature) == (rows + 5, "tf1")
    np.savez(tmp_path / "mu.npz", mu=statistics.mean, sigma=statistics.covariance)
    moments = Statistics.load(tmp_path / "mu.npz")
    assert frechet_distance(moments, other) == pytest.approx(frechet_distance(statistics, other), rel=1e-5)
    with pytest.raises(ValueError, match="cannot take more images"):
        moments.update(np.zeros((1, 32)))


def test_errors_of_statistics_that_cannot_be_compared():
    one = Statistics.from_features(features(9, 4, 1), extractor_signature="tf1")
    for other, message in (
        (Statistics.from_features(features(9, 5, 1), extractor_signature="tf1"), "4 and 5 features"),
        (
            Statistics.from_features(features(9, 4, 1), extractor_signature="clean"),
            "real has features of 'tf1', generated of 'clean'",
        ),
        (
            Statistics.from_features(features(1, 4, 1), extractor_signature="tf1"),
            "generated has 1 images, needs at least two",
        ),
        (Statistics(4, extractor_signature="tf1"), "generated has 0 images"),
    ):
        with pytest.raises(ValueError, match=message):
            frechet_distance(one, other)
    with pytest.raises(ValueError, match="other: has 4 features of 'clean'"):
        one.merge(Statistics(4, extractor_signature="clean"))
    with pytest.raises(ValueError, match=r"features\[1\] is not finite"):
        one.update([[0.0] * 4, [np.inf] * 4])
    with pytest.raises(ValueError, match=r"features have shape \(2,\)"):
        one.update([0.0, 1.0])
    with pytest.raises(ValueError, match="count twice"):
        one.merge(one)
    assert one.count == 9
    for dims, error in ((0, ValueError), (2.0, TypeError)):
        with pytest.raises(error, match="dims must be"):
            Statistics(dims)


@pytest.mark.parametrize(
    "state",
    [
        {"mu": [0.0]},
        {"mu": [0.0, 1.0], "sigma": [[1.0]]},
        {"mu": [np.nan], "sigma": [[1.0]]},
        {"mu": [0.0], "sigma": [[1.0]], "sum": [0.0, 1.0], "outer": [[1.0]], "count": 3},
        {"mu": [0.0], "sigma": [[1.0]], "sum": [0.0], "outer": [[1.0]], "count": 3, "features": [[1.0]]},
    ],
)
def test_broken_files_of_statistics_are_errors(tmp_path, state):
    np.savez(tmp_path / "s.npz", **state)
    with pytest.raises(ValueError, match=r"s\.npz: not a file of statistics"):
        Statistics.load(tmp_path / "s.npz")
    (tmp_path / "s.npz").write_bytes(b"PK\x03\x04 no")
    with pytest.raises(ValueError, match="not a file of statistics"):
        Statistics.load(tmp_path / "s.npz")


# Inception Score


def logits(rows, classes=50, seed=1):
    return (4 * np.random.default_rng(seed).normal(size=(rows, classes))).astype("float32")


@pytest.mark.parametrize("rows", [25, 503])
@pytest.mark.parametrize("shuffle", [True, False])
def test_inception_score_equals_torch_fidelity(rows, shuffle):
    metric_isc = pytest.importorskip("torch_fidelity.metric_isc")
    torch = pytest.importorskip("torch")
    data = logits(rows)
    expected = metric_isc.isc_features_to_metric(torch.tensor(data), splits=10, shuffle=shuffle, rng_seed=2020)
    score = image.inception_score_from_logits(data, shuffle=shuffle)
    assert score.value == pytest.approx(expected["inception_score_mean"], rel=1e-6)
    assert score.parts["std"] == pytest.approx(expected["inception_score_std"], rel=1e-5)
    assert score.signature.startswith(f"is|splits:10|shuffle:{2020 if shuffle else 'none'}|extractor:unknown|")


def test_known_inception_scores():
    score = image.inception_score_from_logits(np.zeros((20, 7)), splits=2)
    assert (score.value, score.parts["std"]) == pytest.approx((1, 0))
    assert image.inception_score_from_logits(1e4 * np.eye(5).repeat(4, 0), splits=1).value == pytest.approx(5)
    for bad, message in ((np.zeros((3, 4)), "at least 10 images"), (np.full((20, 2), np.nan), r"logits\[0\]")):
        with pytest.raises(ValueError, match=message):
            image.inception_score_from_logits(bad)


# Kernel distance


def plain_mmd(left, right):
    kernel = lambda a, b: (float(a @ b) / len(a) + 1) ** 3  # noqa: E731
    n, m = len(left), len(right)
    within_left = sum(kernel(left[i], left[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    within_right = sum(kernel(right[i], right[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    across = sum(kernel(a, b) for a in left for b in right) / (n * m)
    return within_left + within_right - 2 * across


def test_kid_equals_its_definition():
    left, right = (features(rows, 8, seed).astype("float64") for rows, seed in ((20, 1), (30, 2)))
    assert image.kid_from_features(left, right, subsets=None).value == pytest.approx(plain_mmd(left, right), rel=1e-11)
    random = np.random.RandomState(2020)
    values = []
    for _ in range(4):
        rows = random.choice(20, 10, replace=False)
        values.append(plain_mmd(left[rows], right[random.choice(30, 10, replace=False)]))
    score = image.kid_from_features(left, right, subsets=4, subset_size=10)
    assert (score.value, score.parts["std"]) == pytest.approx((np.mean(values), np.std(values)), rel=1e-10)
    assert not score.higher_is_better


def test_kid_equals_torch_fidelity(monkeypatch):
    metric_kid = pytest.importorskip("torch_fidelity.metric_kid")
    torch = pytest.importorskip("torch")
    left, right = features(400, 64, 1), features(300, 64, 2, shift=0.2)
    options = {"kid_subsets": 20, "kid_subset_size": 100, "rng_seed": 2020, "verbose": False}
    expected = metric_kid.kid_features_to_metric(torch.tensor(left), torch.tensor(right), **options)
    for pairs in (1 << 26, 0):
        monkeypatch.setattr("muge_fast.image.mmd.MAX_PAIRS_KEPT", pairs)
        score = image.kid_from_features(left, right, subsets=20, subset_size=100)
        assert score.value == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-3)
        assert score.parts["std"] == pytest.approx(expected["kernel_inception_distance_std"], rel=1e-2)


def test_errors_of_kid():
    rows = np.random.default_rng(1).normal(size=(5, 2))
    for options, error, message in (
        ({}, ValueError, "subset_size is 1000, a set has 5 images"),
        ({"subset_size": 6}, ValueError, "subset_size is 6, a set has 5 images"),
        ({"subset_size": 1}, ValueError, "subset_size must be at least 2, got 1"),
        ({"subset_size": 2.5}, TypeError, "subset_size must be an integer, got 2.5"),
        ({"subset_size": 2, "subsets": 0}, ValueError, "subsets must be at least 1, got 0"),
        ({"subset_size": 2, "subsets": 10**9}, ValueError, "subsets must be at most 1000000, got 1000000000"),
        ({"subset_size": 2, "degree": 2.5}, TypeError, "degree must be an integer, got 2.5"),
        ({"subset_size": 2, "degree": -1}, ValueError, "degree must be at least 1, got -1"),
        ({"subset_size": 2, "degree": True}, TypeError, "degree must be an integer"),
        ({"subset_size": 2, "gamma": float("nan")}, ValueError, "gamma must be a finite number, got nan"),
        ({"subset_size": 2, "gamma": 10**400}, ValueError, "gamma must be a finite number"),
        ({"subset_size": 2, "gamma": True}, TypeError, "gamma must be a number"),
        ({"subset_size": 2, "coef0": float("inf")}, ValueError, "coef0 must be a finite number"),
    ):
        with pytest.raises(error, match=message):
            image.kid_from_features(rows, rows, **options)
    with pytest.raises(ValueError, match=r"real has shape \(5, 2\) and generated \(5, 3\)"):
        image.kid_from_features(rows, np.zeros((5, 3)), subsets=None)
    with pytest.raises(ValueError, match="5 and 1 images, need at least two each"):
        image.kid_from_features(rows, rows[:1], subsets=None)
    for large in (1e60, 1e200):
        for subsets in (100, None):
            with pytest.raises(ValueError, match="features are too large"):
                image.kid_from_features(rows * large, rows, subsets=subsets, subset_size=2)


def test_options_may_be_narrow_integers_of_numpy():
    left, right = np.random.default_rng(3).normal(size=(2, 300, 6))
    for score, options, narrow in (
        (image.inception_score_from_logits, {"splits": 255}, np.uint8),
        (image.inception_score_from_logits, {"splits": 9}, np.int8),
        (image.kid_from_features, {"subsets": 2, "subset_size": 99}, np.int8),
        (image.kid_from_features, {"subsets": 2, "subset_size": 99}, np.uint8),
        (image.precision_recall, {"k": 3}, np.int8),
        (image.r_precision, {"negatives": 99}, np.int8),
    ):
        sets = (left,) if score is image.inception_score_from_logits else (left, right)
        expected = score(*sets, **options)
        actual = score(*sets, **{name: narrow(value) for name, value in options.items()})
        assert repr(actual) == repr(expected)
        assert actual.to_dict() == expected.to_dict()
    recalls = [image.text_recall(left, right, ks=[kind(7)]) for kind in (int, np.int8)]
    assert recalls[0].to_dict() == recalls[1].to_dict()
    metrics = [image.InceptionScore(splits=kind(9), images=kind(100), seed=kind(3)) for kind in (int, np.int64)]
    assert repr(metrics[0].sums.config) == repr(metrics[1].sums.config)


def test_features_without_columns_are_errors():
    for compared in (lambda left, right: image.kid_from_features(left, right, subset_size=2), image.precision_recall):
        with pytest.raises(ValueError, match=r"real has shape \(9, 0\)"):
            compared(np.zeros((9, 0)), np.zeros((9, 0)))


def test_logits_near_the_limit_of_double_precision():
    logits = [[1e308, -1e308]] * 20
    assert image.inception_score_from_logits(logits, splits=2).value == 1
    metric = image.InceptionScore(splits=2, images=40)
    metric.update([*logits, *([[-1e308, 1e308]] * 20)])
    expected = image.inception_score_from_logits([*logits, *np.flip(logits, 1)], splits=2).value
    assert 1.9 < expected < 2
    assert metric.compute().value == pytest.approx(expected)


# Neighbours


def plain_precision_recall(real, generated, k):
    def distances(left, right):
        return np.array([[np.linalg.norm(a - b) for b in right] for a in left])

    radii = [np.sort(distances(rows, rows), axis=1)[:, k] for rows in (real, generated)]
    across = distances(generated, real)
    return {
        "precision": (across <= radii[0]).any(axis=1),
        "recall": (across <= radii[1][:, None]).any(axis=0),
        "density": (across <= radii[0]).sum(axis=1) / k,
        "coverage": (across <= radii[0]).any(axis=0),
    }


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_and_recall_equal_their_definition(k, monkeypatch):
    monkeypatch.setattr("muge_fast.image._precision_recall.ROWS_PER_BLOCK", 16)
    real, generated = (features(rows, 6, seed).astype("float64") for rows, seed in ((50, 1), (37, 2)))
    scores = image.precision_recall(real, generated, k=k)
    for name, per_item in plain_precision_recall(real, generated, k).items():
        assert scores[name].value == pytest.approx(per_item.mean()), name
        assert scores[name].higher_is_better
        assert scores[name].per_item.tolist() == ([] if name == "density" else per_item.tolist())
        assert scores[name].signature.startswith(f"{name}|k:{k}|real:50|generated:37|extractor:unknown|version:")
    with pytest.raises(ValueError, match="k is 37"):
        image.precision_recall(real, generated, k=37)


def test_precision_and_recall_equal_torch_fidelity():
    metric_prc = pytest.importorskip("torch_fidelity.metric_prc")
    torch = pytest.importorskip("torch")
    generated, real = features(200, 32, 1), features(300, 32, 2, shift=0.1)
    options = {"prc_neighborhood": 3, "prc_batch_size": 64, "save_cpu_ram": False, "verbose": False}
    expected = metric_prc.prc_features_to_metric(torch.tensor(generated), torch.tensor(real), **options)
    scores = image.precision_recall(real, generated)
    assert scores["precision"].value == pytest.approx(expected["precision"], abs=1e-6)
    assert scores["recall"].value == pytest.approx(expected["recall"], abs=1e-6)


# Texts


def test_r_precision_equals_its_definition():
    rng = np.random.default_rng(4)
    texts = rng.normal(size=(120, 8))
    images = texts + rng.normal(size=(120, 8))
    score = image.r_precision(images, texts, negatives=20, seed=7, extractor_signature="clip")
    random = np.random.default_rng(7)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (images, texts)]
    hits = []
    for row in range(120):
        negatives = [n if n < row else n + 1 for n in random.choice(119, 20, replace=False)]
        assert row not in negatives
        hits.append(unit[0][row] @ unit[1][row] > max(unit[0][row] @ unit[1][n] for n in negatives))
    assert score.per_item.tolist() == [float(hit) for hit in hits]
    assert score.value == np.mean(hits)
    assert score.signature.startswith("r_precision|negatives:20|seed:7|similarity:cosine|ties:misses|clip|version:")


def test_text_recall_equals_its_definition():
    rng = np.random.default_rng(4)
    texts = rng.normal(size=(300, 8))
    images = texts + rng.normal(size=(300, 8))
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (images, texts)]
    ranks = [1 + sum(image @ text > image @ unit[1][row] for text in unit[1]) for row, image in enumerate(unit[0])]
    scores = image.text_recall(images, texts, ks=(1, 7, 300))
    assert scores.to_dict() == {f"text_recall@{k}": np.mean(np.array(ranks) <= k) for k in (1, 7, 300)}
    assert scores["text_recall@7"].per_item.tolist() == [float(rank <= 7) for rank in ranks]
    assert image.text_recall(images, texts, ks=7).to_dict() == {"text_recall@7": np.mean(np.array(ranks) <= 7)}
    equal = image.text_recall(np.ones((4, 2)), np.ones((4, 2)), ks=(3, 4))
    assert equal.to_dict() == {"text_recall@3": 0.0, "text_recall@4": 1.0}
    with pytest.raises(ValueError, match=r"ks\[0\] is 301, needs 1 to 300"):
        image.text_recall(images, texts, ks=(301,))
    for ks in ((), (1, 1)):
        with pytest.raises(ValueError, match="ks "):
            image.text_recall(images, texts, ks=ks)


@pytest.mark.parametrize("count", range(2, 40))
def test_equal_texts_are_misses_of_text_recall(count):
    """For any size: matrix products round their last columns in another way than the rest."""
    rng = np.random.default_rng(count)
    images, text = rng.normal(size=(count, 37)), rng.normal(size=(1, 37))
    scores = image.text_recall(images, np.repeat(text, count, 0), ks=(count - 1, count))
    assert [score.value for score in scores.values()] == [0, 1]


def test_ties_are_misses_and_are_counted():
    texts = np.ones((10, 3))
    score = image.r_precision(np.ones((10, 3)), texts, negatives=9)
    assert (score.value, score.parts) == (0, {"ties": 10})


def test_clip_scores():
    rng = np.random.default_rng(4)
    images, texts = rng.normal(size=(2, 30, 8))
    cosine = [a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in zip(images, texts, strict=True)]
    score = image.clip_score(images, texts)
    assert score.per_item == pytest.approx([2.5 * max(value, 0) for value in cosine])
    assert score.value == pytest.approx(np.mean([2.5 * max(value, 0) for value in cosine]))
    for left, right, message in (
        (images, texts[:5], "need the same"),
        (images * 0, texts, r"image_features\[0\] is not finite, or zero"),
        (images, texts * np.nan, r"text_features\[0\] is not finite"),
        (images[0], texts, "image_features has shape"),
    ):
        with pytest.raises(ValueError, match=message):
            image.clip_score(left, right)
    with pytest.raises(ValueError, match="negatives is 99, there are 29 other texts"):
        image.r_precision(images, texts)


def test_r_precision_does_not_depend_on_blocks(monkeypatch):
    rows = np.random.default_rng(4).normal(size=(2, 300, 7))
    expected = image.r_precision(*rows, negatives=50)
    monkeypatch.setattr("muge_fast.image._r_precision.MAX_FLOATS_PER_BLOCK", 50 * 7 * 3)
    score = image.r_precision(*rows, negatives=50)
    assert 0 < score.value < 1
    assert np.array_equal(score.per_item, expected.per_item)


@pytest.mark.parametrize("count", [3, 50])
def test_features_beyond_double_precision_are_an_error(count):
    rows = np.random.default_rng(5).normal(size=(2, count, 4)) * 1e155
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(ValueError, match="features are too large"):
        image.frechet_distance(*map(Statistics.from_features, rows))


@pytest.mark.parametrize("sigma", [[[1.0, 5.0], [-5.0, 1.0]], [[-1.0, 0.0], [0.0, 1.0]]])
def test_a_covariance_must_be_symmetric_with_a_positive_diagonal(sigma):
    with pytest.raises(ValueError, match="sigma is not a covariance"):
        Statistics.from_state({"mu": [0.0, 0.0], "sigma": sigma})


# Results


def test_scores_are_pickled():
    real, generated = features(30, 6, 1), features(25, 6, 2)
    metrics = image.FID(dims=6), image.KID(subsets=2, subset_size=9), image.InceptionScore(splits=2)
    for metric in metrics[:2]:
        metric.update(real, real=True)
        metric.update(generated, real=False)
    metrics[2].update(generated)
    scores = [
        *(metric.compute() for metric in metrics),
        image.inception_score_from_logits(generated),
        image.kid_from_features(real, generated, subsets=None),
        image.r_precision(real, real + generated[0], negatives=5),
        image.clip_score(real, real),
        image.fid_infinity(Statistics.from_features(real), generated, num_sizes=3),
        image.fid_interval(real, generated, samples=3),
        image.inception_score_interval(generated, splits=2, samples=3),
        *image.precision_recall(real, generated).values(),
        *image.text_recall(real, real).values(),
    ]
    for score in scores:
        loaded = pickle.loads(pickle.dumps(score))  # noqa: S301 - our own bytes
        assert repr(loaded) == repr(score)
        assert loaded.to_dict() == score.to_dict()
        assert loaded.per_item.tolist() == score.per_item.tolist()
    for shards in (image.precision_recall(real, generated), image.text_recall(real, real)):
        loaded = pickle.loads(pickle.dumps(shards))  # noqa: S301
        assert loaded.to_dict() == shards.to_dict()
        with pytest.raises(ValueError, match="cannot be merged"):
            Scores.merge([shards, loaded])


def test_a_file_that_calls_fid_gets_the_warning(tmp_path):
    """The warning names the line of the caller, whichever function of the package it calls."""
    statistics = Statistics.from_features(features(9, 4, 1))
    statistics.save(tmp_path / "s.npz")
    calls = (
        "image.fid('s.npz', 's.npz')",
        "metric.compute()",
    )
    for call in calls:
        script = tmp_path / "script.py"
        lines = (
            "from muge_fast import image",
            "metric = image.FID(dims=4)",
            "metric.real = metric.generated = image.Statistics.load('s.npz')",
            call,
        )
        script.write_text("\n".join(lines), encoding="utf-8")
        command = [sys.executable, "-W", "always", str(script)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603 - our own script
        assert f"{script}:4: UserWarning: FID of 9 images is biased upwards" in done.stderr


# Fréchet distances of singular covariances, against the nuclear norm in 40 digits


def distance_of_rows(left, right):
    """Compute the distance from centred features in 40 digits, without a covariance."""
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(40):
        means, centred = [], []
        for rows in (left, right):
            matrix = mpmath.matrix(rows.tolist())
            mean = [mpmath.fsum(matrix[:, column]) / matrix.rows for column in range(matrix.cols)]
            for row in range(matrix.rows):
                for column in range(matrix.cols):
                    matrix[row, column] = (matrix[row, column] - mean[column]) / mpmath.sqrt(len(rows) - 1)
            means.append(mean)
            centred.append(matrix)
        cross = centred[0] * centred[1].T
        roots = [mpmath.sqrt(abs(value)) for value in mpmath.eigsy(cross * cross.T, eigvals_only=True)]
        norm = mpmath.fsum(root for root in roots if root > mpmath.mpf(10) ** -17)
        traces = mpmath.fsum(value**2 for matrix in centred for value in matrix)
        difference = mpmath.fsum((a - b) ** 2 for a, b in zip(*means, strict=True))
        return float(difference + traces - 2 * norm)


def singular_sets():
    rng = np.random.default_rng(11)
    many, few = rng.gamma(1.0, size=(40, 12)), rng.gamma(1.2, size=(9, 12))
    dead, repeated = many.copy(), many.copy()
    dead[:, :4] = 0
    repeated[:, :4] = repeated[:, 4:8]
    return {
        "fewer images than features": (few, few[:7] + rng.normal(size=(7, 12))),
        "one side with fewer images": (few, many),
        "features that are always zero": (dead, dead[::2] * 1.1),
        "features that are equal": (repeated, repeated[::3] * 0.9),
        "repeated images": (np.repeat(few, 5, axis=0), np.repeat(few[:5] + 0.1, 5, axis=0)),
        "a set with itself": (few, few),
        "regular": (many, many[::2] * 1.2),
    }


@pytest.mark.parametrize("kind", singular_sets())
def test_singular_covariances_without_their_features_keep_nine_digits(kind):
    left, right = singular_sets()[kind]
    moments = [{"mu": rows.mean(0), "sigma": np.cov(rows, rowvar=False)} for rows in (left, right)]
    scale = sum(np.trace(state["sigma"]) for state in moments)
    expected = distance_of_rows(left, right)
    value = frechet_distance(*map(Statistics.from_state, moments))
    assert value >= 0
    assert abs(value - expected) < 1e-12 * scale
    of_features = frechet_distance(*map(Statistics.from_features, (left, right)))
    assert of_features >= 0
    assert abs(of_features - expected) < 1e-12 * scale


def test_the_distance_is_never_negative():
    for seed in range(200):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(rng.integers(2, 30), 8)) * 10.0 ** rng.integers(-6, 6, size=8)
        states = [{"mu": rows.mean(0), "sigma": np.cov(rows, rowvar=False).astype(kind)} for kind in ("f4", "f8")]
        for left, right in ((states[0], states[0]), (states[1], states[1]), (states[0], states[1])):
            assert frechet_distance(Statistics.from_state(left), Statistics.from_state(right)) >= 0


def test_matrices_with_a_negative_eigenvalue_are_refused_as_covariances():
    wrong = Statistics.from_state({"mu": [0.0, 0.0], "sigma": [[1.0, 2.0], [2.0, 1.0]]})
    right = Statistics.from_state({"mu": [0.0, 0.0], "sigma": [[1.5, 1.5], [1.5, 1.5]]})
    for sets in ((wrong, right), (right, wrong)):
        with pytest.raises(ValueError, match="not a covariance: its smallest eigenvalue is -1, its largest 3"):
            frechet_distance(*sets)
