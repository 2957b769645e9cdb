"""Metrics of features: against high precision, torch-fidelity, and cases whose answer is known."""

import importlib

import mpmath
import numpy as np
import pytest

from muge_fast import image
from muge_fast.image import Statistics, frechet_distance


def features(rows, dims, seed, shift=0.0):
    """Non-negative, correlated, of very different sizes, as pooled features are."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(dims, dims)) / np.arange(1, dims + 1)
    return np.maximum(rng.normal(size=(rows, dims)) @ mixing + shift + 0.3, 0).astype("float32")


def exact_distance(first, second):
    """The definition in 60 digits."""
    mpmath.mp.dps = 60
    sides = []
    for side in (first, second):
        rows = mpmath.matrix(side.astype("float64").tolist())
        mean = [mpmath.fsum(rows[row, column] for row in range(rows.rows)) / rows.rows for column in range(rows.cols)]
        for row in range(rows.rows):
            for column in range(rows.cols):
                rows[row, column] -= mean[column]
        sides.append((mpmath.matrix(mean), rows.T * rows / (rows.rows - 1)))
    (mean1, cov1), (mean2, cov2) = sides
    values1, vectors1 = mpmath.eigsy(cov1)
    root = vectors1 * mpmath.diag([mpmath.sqrt(max(value, 0)) for value in values1]) * vectors1.T
    values, _ = mpmath.eigsy(root * cov2 * root)
    trace = sum(cov1[n, n] + cov2[n, n] for n in range(cov1.rows))
    roots = mpmath.fsum(mpmath.sqrt(max(value, 0)) for value in values)
    difference = mean1 - mean2
    return float((difference.T * difference)[0] + trace - 2 * roots)


@pytest.mark.parametrize(("rows", "others"), [(9, 7), (2, 12), (12, 30), (40, 9), (40, 50)])
def test_distance_in_high_precision(rows, others):
    first, second = features(rows, 12, 1), features(others, 12, 2, shift=0.1)
    found = frechet_distance(Statistics.of(first), Statistics.of(second))
    assert found == pytest.approx(exact_distance(first, second), rel=1e-12 if rows <= 12 >= others else 1e-9)


@pytest.mark.parametrize("rows", [2, 64, 65, 66, 200])
def test_a_set_is_at_no_distance_from_itself(rows):
    statistics = Statistics.of(features(rows, 64, 3))
    assert abs(frechet_distance(statistics, statistics)) < 1e-9 * np.trace(statistics.covariance)


def test_gaussians_whose_distance_is_known():
    one = Statistics.from_state({"mu": np.zeros(3), "sigma": np.diag([1.0, 4.0, 9.0])})
    other = Statistics.from_state({"mu": np.array([1.0, 2.0, 2.0]), "sigma": np.diag([4.0, 4.0, 1.0])})
    assert frechet_distance(one, other) == pytest.approx(9 + (1 - 2) ** 2 + 0 + (3 - 1) ** 2, rel=1e-14)
    singular = Statistics.from_state({"mu": np.zeros(3), "sigma": np.diag([1.0, 0.0, 0.0])})
    assert frechet_distance(singular, other) == pytest.approx(9 + (1 - 2) ** 2 + 4 + 1, rel=1e-12)


def test_distance_is_that_of_torch_fidelity():
    metric_fid = pytest.importorskip("torch_fidelity.metric_fid")
    torch = pytest.importorskip("torch")
    # In float32 torch-fidelity takes the mean in float32, which is off by more than the methods differ.
    first, second = (side.astype("float64") for side in (features(500, 64, 4), features(700, 64, 5, shift=0.05)))
    theirs = [metric_fid.fid_features_to_statistics(torch.tensor(side)) for side in (first, second)]
    expected = metric_fid.fid_statistics_to_metric(*theirs, verbose=False)["frechet_inception_distance"]
    assert frechet_distance(Statistics.of(first), Statistics.of(second)) == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize("rows", [20, 300])
def test_parts_give_the_whole(rows):
    data = features(rows, 32, 6)
    whole, parts = Statistics.of(data), [Statistics(32) for _ in range(3)]
    for part, batch in zip(parts * 2, np.array_split(data, 6), strict=True):
        part.update(batch)
    merged = parts[0]
    merged.merge(parts[1])
    merged.merge(parts[2])
    other = Statistics.of(features(rows + 50, 32, 7))
    assert merged.count == whole.count == rows
    assert frechet_distance(merged, other) == pytest.approx(frechet_distance(whole, other), rel=1e-11)


@pytest.mark.parametrize("rows", [20, 300])
def test_what_was_saved_is_read(tmp_path, rows):
    statistics = Statistics.of(features(rows, 32, 8), protocol="tf1")
    statistics.save(tmp_path / "s.npz")
    again = Statistics.load(tmp_path / "s.npz")
    other = Statistics.of(features(99, 32, 9))
    assert frechet_distance(again, other) == frechet_distance(statistics, other)
    again.update(features(5, 32, 10))
    assert (again.count, again.protocol) == (rows + 5, "tf1")
    np.savez(tmp_path / "mu.npz", mu=statistics.mean, sigma=statistics.covariance)
    given = Statistics.load(tmp_path / "mu.npz")
    assert frechet_distance(given, other) == pytest.approx(frechet_distance(statistics, other), rel=1e-5)
    with pytest.raises(ValueError, match="cannot take more images"):
        given.update(np.zeros((1, 32)))


def test_sets_that_do_not_belong_together():
    one = Statistics.of(features(9, 4, 1), protocol="tf1")
    for other, message in (
        (Statistics.of(features(9, 5, 1), protocol="tf1"), "4 and 5 features"),
        (Statistics.of(features(9, 4, 1), protocol="clean"), "'tf1' and 'clean'"),
        (Statistics.of(features(1, 4, 1), protocol="tf1"), "has 1 images, needs at least two"),
        (Statistics(4, protocol="tf1"), "has 0 images"),
    ):
        with pytest.raises(ValueError, match=message):
            frechet_distance(one, other)
    with pytest.raises(ValueError, match="other: has 4 features of 'clean'"):
        one.merge(Statistics(4, protocol="clean"))
    with pytest.raises(ValueError, match=r"features\[1\] is not finite"):
        one.update([[0.0] * 4, [np.inf] * 4])
    with pytest.raises(ValueError, match=r"features have shape \(2,\)"):
        one.update([0.0, 1.0])


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
def test_broken_statistics_are_refused(tmp_path, state):
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
def test_inception_score_is_that_of_torch_fidelity(rows, shuffle):
    metric_isc = pytest.importorskip("torch_fidelity.metric_isc")
    torch = pytest.importorskip("torch")
    data = logits(rows)
    expected = metric_isc.isc_features_to_metric(torch.tensor(data), splits=10, shuffle=shuffle, rng_seed=2020)
    found = image.inception_score_of(data, shuffle=shuffle)
    assert found.mean == pytest.approx(expected["inception_score_mean"], rel=1e-6)
    assert found.std == pytest.approx(expected["inception_score_std"], rel=1e-5)


def test_inception_scores_that_are_known():
    assert image.inception_score_of(np.zeros((20, 7)), splits=2) == pytest.approx((1, 0))
    assert image.inception_score_of(1e4 * np.eye(5).repeat(4, 0), splits=1).mean == pytest.approx(5)
    for bad, message in ((np.zeros((3, 4)), "at least 10 images"), (np.full((20, 2), np.nan), r"logits\[0\]")):
        with pytest.raises(ValueError, match=message):
            image.inception_score_of(bad)


# Kernel distance


def plain_mmd(left, right):
    kernel = lambda a, b: (float(a @ b) / len(a) + 1) ** 3  # noqa: E731
    count, others = len(left), len(right)
    within = sum(kernel(left[i], left[j]) for i in range(count) for j in range(count) if i != j) / (count * (count - 1))
    other = sum(kernel(right[i], right[j]) for i in range(others) for j in range(others) if i != j)
    across = sum(kernel(a, b) for a in left for b in right) / (count * others)
    return within + other / (others * (others - 1)) - 2 * across


def test_kernel_distance_is_its_definition():
    left, right = (features(rows, 8, seed).astype("float64") for rows, seed in ((20, 1), (30, 2)))
    assert image.kid_of_all(left, right) == pytest.approx(plain_mmd(left, right), rel=1e-11)
    random = np.random.RandomState(2020)
    values = []
    for _ in range(4):
        rows = random.choice(20, 10, replace=False)
        values.append(plain_mmd(left[rows], right[random.choice(30, 10, replace=False)]))
    found = image.kid_of(left, right, subsets=4, subset_size=10)
    assert found == pytest.approx((np.mean(values), np.std(values)), rel=1e-10)


def test_kernel_distance_is_that_of_torch_fidelity(monkeypatch):
    metric_kid = pytest.importorskip("torch_fidelity.metric_kid")
    torch = pytest.importorskip("torch")
    left, right = features(400, 64, 1), features(300, 64, 2, shift=0.2)
    options = {"kid_subsets": 20, "kid_subset_size": 100, "rng_seed": 2020, "verbose": False}
    expected = metric_kid.kid_features_to_metric(torch.tensor(left), torch.tensor(right), **options)
    for most in (1 << 26, 0):
        monkeypatch.setattr(importlib.import_module("muge_fast.image._kid"), "MOST_PAIRS", most)
        found = image.kid_of(left, right, subsets=20, subset_size=100)
        assert found.mean == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-3)
        assert found.std == pytest.approx(expected["kernel_inception_distance_std"], rel=1e-2)


def test_kernel_distances_that_cannot_be():
    with pytest.raises(ValueError, match="subset_size is 1000"):
        image.kid_of(np.zeros((5, 2)), np.zeros((5, 2)))
    with pytest.raises(ValueError, match="have shapes"):
        image.kid_of_all(np.zeros((5, 2)), np.zeros((5, 3)))
    with pytest.raises(ValueError, match="at least two each"):
        image.kid_of_all(np.zeros((5, 2)), np.zeros((1, 2)))
    rows = np.random.default_rng(1).normal(size=(5, 2))
    for message, options in (
        ("subset_size is 6, the set has 5 images", {"subset_size": 6}),
        ("subset_size is 1, needs a whole number of at least 2", {"subset_size": 1}),
        ("subset_size is 2.5", {"subset_size": 2.5}),
        ("subsets is 0", {"subsets": 0}),
        ("subsets is 1000000000, needs at most", {"subsets": 10**9}),
        ("degree is 2.5, needs a whole number of at least 1", {"degree": 2.5}),
        ("degree is -1", {"degree": -1}),
        ("gamma is nan, needs a finite number", {"gamma": float("nan")}),
        ("coef0 is inf", {"coef0": float("inf")}),
        ("gamma is 10", {"gamma": 10**400}),
        ("gamma is true", {"gamma": True}),
        ("degree is True", {"degree": True}),
    ):
        with pytest.raises(ValueError, match=message):
            image.kid_of(rows, rows, **{"subset_size": 2, **options})
    for large in (1e60, 1e200):
        for kernel_distance in (lambda left, right: image.kid_of(left, right, subset_size=2), image.kid_of_all):
            with pytest.raises(ValueError, match="features are too large"):
                kernel_distance(rows * large, rows)


def test_options_may_be_numbers_of_numpy_with_few_bits():
    rng = np.random.default_rng(3)
    left, right = rng.normal(size=(2, 300, 6))
    for small, plain in (
        (image.inception_score_of(left, splits=np.uint8(255)), image.inception_score_of(left, splits=255)),
        (image.inception_score_of(left, splits=np.int8(9)), image.inception_score_of(left, splits=9)),
        (image.precision_recall(left, right, k=np.int8(3)), image.precision_recall(left, right, k=3)),
        (image.text_recall(left, right, ks=[np.int8(7)]), image.text_recall(left, right, ks=[7])),
        (image.kid_of(left, right, subsets=np.int8(2), subset_size=np.uint8(99)), None),
    ):
        assert small == (plain or image.kid_of(left, right, subsets=2, subset_size=99))
    found, plain = (image.r_precision(left, right, negatives=number) for number in (np.int8(99), 99))
    assert (found.value, found.signature) == (plain.value, plain.signature)
    rules = [image.InceptionScore(splits=kind(9), images=kind(100), seed=kind(3)).sums.rule for kind in (int, np.int64)]
    assert repr(rules[0]) == repr(rules[1])


def test_features_without_columns_are_refused():
    for compared in (lambda left, right: image.kid_of(left, right, subset_size=2), image.precision_recall):
        with pytest.raises(ValueError, match=r"the sets have shapes \(9, 0\)"):
            compared(np.zeros((9, 0)), np.zeros((9, 0)))


def test_logits_that_are_far_from_each_other():
    logits = [[1e308, -1e308]] * 20
    assert image.inception_score_of(logits, splits=2).mean == 1
    metric = image.InceptionScore(splits=2, images=40)
    metric.update([*logits, *([[-1e308, 1e308]] * 20)])
    expected = image.inception_score_of([*logits, *np.flip(logits, 1)], splits=2).mean
    assert 1.9 < expected < 2
    assert metric.compute().mean == pytest.approx(expected)


# Neighbours


def plain_manifold(real, generated, k):
    def distances(left, right):
        return np.array([[np.linalg.norm(a - b) for b in right] for a in left])

    reach = [np.sort(distances(side, side), axis=1)[:, k] for side in (real, generated)]
    across = distances(generated, real)
    return (
        (across <= reach[0]).any(axis=1).mean(),
        (across <= reach[1][:, None]).any(axis=0).mean(),
        (across <= reach[0]).sum() / (k * len(generated)),
        (across <= reach[0]).any(axis=0).mean(),
    )


@pytest.mark.parametrize("k", [1, 3, 5])
def test_manifolds_are_their_definition(k, monkeypatch):
    monkeypatch.setattr(importlib.import_module("muge_fast.image._precision_recall"), "BLOCK", 16)
    real, generated = (features(rows, 6, seed).astype("float64") for rows, seed in ((50, 1), (37, 2)))
    assert image.precision_recall(real, generated, k=k) == pytest.approx(plain_manifold(real, generated, k))
    with pytest.raises(ValueError, match="k is 37"):
        image.precision_recall(real, generated, k=37)


def test_precision_and_recall_are_those_of_torch_fidelity():
    metric_prc = pytest.importorskip("torch_fidelity.metric_prc")
    torch = pytest.importorskip("torch")
    generated, real = features(200, 32, 1), features(300, 32, 2, shift=0.1)
    options = {"prc_neighborhood": 3, "prc_batch_size": 64, "save_cpu_ram": False, "verbose": False}
    expected = metric_prc.prc_features_to_metric(torch.tensor(generated), torch.tensor(real), **options)
    found = image.precision_recall(real, generated)
    assert found.precision == pytest.approx(expected["precision"], abs=1e-6)
    assert found.recall == pytest.approx(expected["recall"], abs=1e-6)


# Texts


def test_r_precision_is_its_definition():
    rng = np.random.default_rng(4)
    texts = rng.normal(size=(120, 8))
    images = texts + rng.normal(size=(120, 8))
    found = image.r_precision(images, texts, negatives=20, seed=7)
    random = np.random.default_rng(7)
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (images, texts)]
    hits = []
    for row in range(120):
        others = [n if n < row else n + 1 for n in random.choice(119, 20, replace=False)]
        assert row not in others
        hits.append(unit[0][row] @ unit[1][row] > max(unit[0][row] @ unit[1][n] for n in others))
    assert found.per_item.tolist() == [float(hit) for hit in hits]
    assert found.value == np.mean(hits)


def test_text_recall_is_its_definition():
    rng = np.random.default_rng(4)
    texts = rng.normal(size=(300, 8))
    images = texts + rng.normal(size=(300, 8))
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (images, texts)]
    ranks = [1 + sum(image @ text > image @ unit[1][row] for text in unit[1]) for row, image in enumerate(unit[0])]
    found = image.text_recall(images, texts, ks=(1, 7, 300))
    assert found == {k: np.mean(np.array(ranks) <= k) for k in (1, 7, 300)}
    assert image.text_recall(np.ones((4, 2)), np.ones((4, 2)), ks=(3, 4)) == {3: 0.0, 4: 1.0}
    with pytest.raises(ValueError, match="k is 301, needs 1 to 300"):
        image.text_recall(images, texts, ks=(301,))


@pytest.mark.parametrize("count", range(2, 40))
def test_equal_texts_are_no_hits(count):
    """Whatever the size: products of matrices round their last columns in another way than the others."""
    rng = np.random.default_rng(count)
    images, text = rng.normal(size=(count, 37)), rng.normal(size=(1, 37))
    assert image.text_recall(images, np.repeat(text, count, 0), ks=(count - 1, count)) == {count - 1: 0, count: 1}


def test_ties_are_misses_and_told():
    texts = np.ones((10, 3))
    found = image.r_precision(np.ones((10, 3)), texts, negatives=9)
    assert (found.value, found.ties) == (0, 10)


def test_clip_scores():
    rng = np.random.default_rng(4)
    images, texts = rng.normal(size=(2, 30, 8))
    cosine = [a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in zip(images, texts, strict=True)]
    assert image.clip_score_of(images, texts) == pytest.approx([2.5 * max(value, 0) for value in cosine])
    for left, right, message in (
        (images, texts[:5], "need the same"),
        (images * 0, texts, r"image_features\[0\] is not finite, or zero"),
        (images, texts * np.nan, r"text_features\[0\] is not finite"),
        (images[0], texts, "image_features has shape"),
    ):
        with pytest.raises(ValueError, match=message):
            image.clip_score_of(left, right)
    with pytest.raises(ValueError, match="negatives is 99, there are 29 other texts"):
        image.r_precision(images, texts)


def test_blocks_do_not_matter_for_r_precision(monkeypatch):
    rows = np.random.default_rng(4).normal(size=(2, 300, 7))
    expected = image.r_precision(*rows, negatives=50)
    # The module has the name of the function.
    monkeypatch.setattr(importlib.import_module("muge_fast.image._r_precision"), "MOST", 50 * 7 * 3)
    found = image.r_precision(*rows, negatives=50)
    assert 0 < found.value < 1
    assert np.array_equal(found.per_item, expected.per_item)


@pytest.mark.parametrize("count", [3, 50])
def test_features_beyond_double_precision_are_an_error(count):
    rows = np.random.default_rng(5).normal(size=(2, count, 4)) * 1e155
    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(ValueError, match="features are too large"):
        image.frechet_distance(*map(Statistics.of, rows))


@pytest.mark.parametrize("sigma", [[[1.0, 5.0], [-5.0, 1.0]], [[-1.0, 0.0], [0.0, 1.0]]])
def test_what_is_no_covariance_is_refused(sigma):
    with pytest.raises(ValueError, match="sigma is no covariance"):
        Statistics.from_state({"mu": [0.0, 0.0], "sigma": sigma})
