"""Metrics that accumulate batches: merging, files of their state, hostile files; extrapolation and intervals."""

import io
import itertools
import zipfile

import numpy as np
import pytest

from image_data import pictures
from muge_fast import image
from muge_fast.image import FID, KID, InceptionScore, Statistics

# Sets are small here, which warns.
pytestmark = pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")


def features(rows, dims=16, seed=1, shift=0.0):
    return (np.random.default_rng(seed).normal(size=(rows, dims)) + shift).astype("float32")


def value_and_std(score):
    return score.value, score.parts["std"]


@pytest.mark.parametrize("rows", [12, 90])
def test_merged_metrics_equal_those_of_all_images(rows, tmp_path):
    real, generated = features(rows), features(rows + 5, seed=2, shift=0.3)
    fids = [FID(dims=16, extractor_signature="x") for _ in range(2)]
    kids = [KID(subsets=3, subset_size=6, extractor_signature="x") for _ in range(2)]
    inception_scores = [InceptionScore(splits=3, images=rows + 5, extractor_signature="x") for _ in range(2)]
    for shard in range(2):
        for batch in np.array_split(np.array_split(real, 2)[shard], 3):
            fids[shard].update(batch, real=True)
            kids[shard].update(batch, real=True)
        for indices in np.array_split(np.array_split(np.arange(rows + 5), 2)[shard], 4):
            fids[shard].update(generated[indices], real=False)
            kids[shard].update(generated[indices], real=False)
            inception_scores[shard].update(generated[indices], indices=indices)
    for merged, other in (fids, kids, inception_scores):
        other.save(tmp_path / "shard.npz")
        merged.merge(type(other).load(tmp_path / "shard.npz"))
    distance = image.frechet_distance(Statistics.from_features(real), Statistics.from_features(generated))
    score = fids[0].compute()
    assert score.value == pytest.approx(distance, rel=1e-10)
    assert score.signature.startswith(f"fid|real:{rows}|generated:{rows + 5}|x|")
    expected = image.kid_from_features(real, generated, subsets=3, subset_size=6, extractor_signature="x")
    assert value_and_std(kids[0].compute()) == value_and_std(expected)
    assert kids[0].compute().signature == expected.signature
    expected = image.inception_score_from_logits(generated, splits=3, extractor_signature="x")
    assert value_and_std(inception_scores[0].compute()) == pytest.approx(value_and_std(expected), rel=1e-12)
    assert inception_scores[0].compute().signature == expected.signature


def test_a_metric_cannot_be_merged_with_itself():
    for metric in metrics():
        before = metric.compute()
        with pytest.raises(ValueError, match="other is this object itself: its images would count twice"):
            metric.merge(metric)
        assert metric.compute().to_dict() == before.to_dict()
    fid, _, inception_score = metrics()
    for sums in (fid.real, fid.real.sums, inception_score.sums):
        with pytest.raises(ValueError, match="count twice"):
            sums.merge(sums)
    shared = FID(dims=4, extractor_signature="x")
    shared.real = fid.real
    with pytest.raises(ValueError, match="count twice"):
        fid.merge(shared)
    assert (fid.real.count, fid.generated.count) == (9, 9)


def test_a_metric_that_was_reset_is_like_new():
    for metric, new in zip(metrics(), metrics(), strict=True):
        expected = new.compute()
        metric.reset()
        with pytest.raises(ValueError, match="has 0 images"):
            metric.compute()
        fill(metric)
        assert metric.compute().to_dict() == expected.to_dict()


@pytest.mark.parametrize("rows", [30, 900])
def test_features_far_from_zero_lose_few_digits(rows, tmp_path):
    """Sums of squares of such numbers are 10**12 times their variance."""
    near = [features(rows, seed=seed, shift=shift).astype("float64") for seed, shift in ((1, 0.0), (2, 0.5))]
    far = [offsets + 1e6 for offsets in near]
    near = [shifted - 1e6 for shifted in far]
    expected = image.frechet_distance(*map(Statistics.from_features, near))
    whole, halves = FID(dims=16), [FID(dims=16) for _ in range(2)]
    for shifted, is_real in zip(far, (True, False), strict=True):
        for index, batch in enumerate(np.array_split(shifted, 9)):
            whole.update(batch, real=is_real)
            halves[index % 2].update(batch, real=is_real)
    halves[1].save(tmp_path / "half.npz")
    halves[0].merge(FID.load(tmp_path / "half.npz"))
    for metric in (whole, halves[0]):
        assert metric.compute().value == pytest.approx(expected, rel=1e-7)


READS = {
    "nothing": lambda shard, _: shard,
    "covariance": lambda shard, _: shard.covariance is None or shard,
    "state": lambda shard, _: shard.state() and shard,
    "no rows": lambda shard, _: shard.update(np.zeros((0, 3))) or shard,
    "merged with nothing": lambda shard, _: shard.merge(Statistics(3)) or shard,
    "saved": lambda shard, path: shard.save(path) or Statistics.load(path),
}


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("read", READS)
def test_statistics_can_be_merged_in_any_state(read, device, tmp_path):
    """With no images, few whose features are kept, and many; read before and after each step."""
    if device is not None:
        pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    for sizes in itertools.product((0, 2, 40), repeat=3):
        batches = [rng.normal(size=(size, 3)) + 1e4 for size in sizes]
        whole = Statistics(3, device=device)
        for batch in batches:
            shard = Statistics(3, device=device)
            shard.update(batch[::-1])
            whole = READS[read](whole, tmp_path / "whole.npz")
            whole.merge(READS[read](shard, tmp_path / "shard.npz"))
        every = np.concatenate(batches)
        assert whole.count == len(every)
        if len(every):
            assert whole.mean == pytest.approx(every.mean(axis=0), rel=1e-14)
            assert whole.covariance == pytest.approx(np.cov(every, rowvar=False), rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("rows", [2, 40])
def test_a_state_does_not_change_with_later_updates(rows):
    whole = Statistics(3)
    whole.update(features(rows, 3))
    state, mean, covariance = whole.state(), whole.mean, whole.covariance
    whole.update(features(rows, 3, seed=7))
    restored = Statistics.from_state(state)
    assert (restored.count, restored.mean.tolist()) == (rows, mean.tolist())
    assert restored.covariance == pytest.approx(covariance, rel=1e-12)
    for wrong in ({"mu": mean + 1}, {"count": np.array(2.5)}):
        with pytest.raises(ValueError, match=r"mu is not the mean|count must be an integer"):
            Statistics.from_state({**state, **wrong})


def test_extractors_are_functions_and_modules():
    torch = pytest.importorskip("torch")
    real, generated = pictures(20), pictures(25, seed=2)
    means = [images.mean((1, 2)) for images in (real, generated)]
    expected = image.frechet_distance(*map(Statistics.from_features, means))

    class Means(torch.nn.Module):
        def forward(self, images):
            assert images.dtype == torch.uint8
            return images.double().mean((2, 3))

    def mean(images):
        return np.array([pixels.mean((0, 1)) for pixels in images])

    for extractor, convert in (
        (mean, np.array),
        (mean, torch.tensor),
        (Means(), torch.tensor),
        (Means(), lambda images: torch.tensor(images).permute(0, 3, 1, 2)),
        (lambda images: {"2048": mean(images)}, list),
    ):
        metric = FID(extractor, dims=3)
        metric.update(convert(real), real=True)
        metric.update(convert(generated), real=False)
        assert metric.compute().value == pytest.approx(expected, rel=1e-6)
    with pytest.raises(ValueError, match="outputs 64, not logits_unbiased"):
        InceptionScore(lambda images: {"64": mean(images)}).update(real)


def test_errors_of_empty_and_broken_metrics():
    with pytest.raises(ValueError, match="has 0 images"):
        FID(dims=3).compute()
    for metric in (KID(), InceptionScore()):
        with pytest.raises(ValueError, match="images"):
            metric.compute()
    with pytest.raises(ValueError, match="other: has"):
        FID(dims=3).merge(FID(dims=4))
    for metric in (
        FID(dims=3, extractor_signature="x"),
        KID(extractor_signature="x"),
        InceptionScore(extractor_signature="x"),
    ):
        with pytest.raises(ValueError, match="other: has"):
            metric.merge(type(metric)())
    metric = KID()
    metric.update(features(3, 4), real=True)
    with pytest.raises(ValueError, match=r"shape \(3, 5\), need \(images, 4\)"):
        metric.update(features(3, 5), real=False)
    with pytest.raises(ValueError, match=r"features\[1\] is not finite"):
        metric.update([[0.0] * 4, [np.nan] * 4], real=False)
    other = KID()
    other.update(features(3, 5), real=False)
    with pytest.raises(ValueError, match=r"the metrics have \[4, 5\] features"):
        metric.merge(other)


# Inception Score from sums


@pytest.mark.parametrize("rows", [25, 503])
@pytest.mark.parametrize("splits", [1, 10])
def test_inception_score_of_batches_equals_torch_fidelity(rows, splits):
    metric_isc = pytest.importorskip("torch_fidelity.metric_isc")
    torch = pytest.importorskip("torch")
    logits = 4 * features(rows, 50)
    expected = metric_isc.isc_features_to_metric(torch.tensor(logits), splits=splits, shuffle=True, rng_seed=2020)
    for size in (1, 7, 32):
        metric = InceptionScore(splits=splits, images=rows)
        for start in range(0, rows, size):
            metric.update(logits[start : start + size])
        assert metric.compute().value == pytest.approx(expected["inception_score_mean"], rel=1e-12)
        std = pytest.approx(expected["inception_score_std"], rel=1e-9, abs=1e-12)
        assert metric.compute().parts["std"] == std


def test_the_state_does_not_grow_with_the_images():
    metric = InceptionScore(splits=4)
    sizes = set()
    for _ in range(20):
        metric.update(features(32, 50))
        sizes.add(sum(array.nbytes for array in metric.state().values()))
    assert len(sizes) == 1


def test_images_are_dealt_round_robin_if_their_number_is_unknown():
    logits, splits, seed = 4 * features(103, 50), 10, 7
    split_of_image = [np.random.RandomState([seed, n // splits]).permutation(splits)[n % splits] for n in range(103)]
    rows = [np.equal(split_of_image, split) for split in range(splits)]
    expected = [image.inception_score_from_logits(logits[row], splits=1).value for row in rows]
    whole = InceptionScore(splits=splits, seed=seed)
    whole.update(logits[:5])
    whole.update(logits[5:])
    assert value_and_std(whole.compute()) == pytest.approx((np.mean(expected), np.std(expected)), rel=1e-12)
    assert whole.compute().signature.startswith("is|splits:10|round_robin:7|extractor:unknown|")
    assert whole.sums.counts.max() - whole.sums.counts.min() == 1
    halves = [InceptionScore(splits=splits, seed=seed) for _ in range(2)]
    for rank, half in enumerate(halves):
        half.update(logits[rank::2], indices=np.arange(rank, 103, 2))
    halves[0].merge(halves[1])
    assert value_and_std(halves[0].compute()) == pytest.approx(value_and_std(whole.compute()), rel=1e-12)


@pytest.mark.parametrize("images", [103, None])
def test_splits_without_shuffling(images, tmp_path):
    logits = 4 * features(103, 50)
    whole = InceptionScore(splits=10, images=images, shuffle=False)
    whole.update(logits[:5])
    whole.save(tmp_path / "is.npz")
    loaded = InceptionScore.load(tmp_path / "is.npz")
    for metric in (whole, loaded):
        metric.update(logits[5:])
    expected = value_and_std(image.inception_score_from_logits(logits, splits=10, shuffle=False))
    if images is None:
        per_split = [image.inception_score_from_logits(logits[split::10], splits=1).value for split in range(10)]
        expected = np.mean(per_split), np.std(per_split)
    assert value_and_std(whole.compute()) == pytest.approx(expected, rel=1e-12)
    assert value_and_std(loaded.compute()) == value_and_std(whole.compute())
    with pytest.raises(ValueError, match=r"other: has 50 classes and SplitConfig\(splits=10, images=.*, seed=None\)"):
        InceptionScore(splits=10, images=images).merge(whole)


def test_a_stream_in_cycles_of_classes_mixes_them_in_each_split():
    metric = InceptionScore(splits=10)
    metric.update(100 * np.eye(10)[np.arange(2000) % 10])
    assert metric.compute().value > 9


def test_errors_of_splits():
    metric = InceptionScore(splits=2, images=6)
    metric.update(features(4, 5))
    with pytest.raises(ValueError, match=r"has 4 images, in splits of \[\d, \d\]: needs \[3, 3\]"):
        metric.compute()
    for batch, indices, message in (
        (features(3, 5), None, r"indices\[2\] is 6, needs 0 to 5"),
        (features(1, 5), [-1], r"indices\[0\] is -1"),
        (features(2, 5), [0], r"indices have shape \(1,\)"),
        (features(1, 5), [0.0], "dtype float64, need 1 integers"),
        (features(1, 6), None, r"logits have shape \(1, 6\), need \(images, 5\)"),
        ([[np.nan] * 5], None, r"logits\[0\] is not finite"),
    ):
        with pytest.raises(ValueError, match=message):
            metric.update(batch, indices=indices)
    metric.update(features(2, 5))
    assert metric.compute().value > 1
    for other in (InceptionScore(splits=2), InceptionScore(splits=2, images=7), InceptionScore(splits=3, images=6)):
        with pytest.raises(ValueError, match="other: has 0 classes and SplitConfig"):
            metric.merge(other)
    for options, error, message in (
        ({"splits": 3, "images": 2}, ValueError, "splits is 3, images 2: need at least one image for each split"),
        ({"splits": 0}, ValueError, "splits must be at least 1, got 0"),
        ({"splits": 2.5}, TypeError, "splits must be an integer, got 2.5"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"seed": 1 << 32}, ValueError, "seed must be below"),
    ):
        with pytest.raises(error, match=message):
            InceptionScore(**options)


# Files


def metrics():
    """Return one metric of each kind with some images."""
    created = (
        FID(dims=4, extractor_signature="x"),
        KID(subsets=2, subset_size=3, extractor_signature="x"),
        InceptionScore(splits=2),
    )
    for metric in created:
        fill(metric)
    return created


def fill(metric):
    if isinstance(metric, InceptionScore):
        metric.update(features(9, 4))
        return
    for real in (True, False):
        metric.update(features(9, 4, seed=real), real=real)


@pytest.mark.parametrize("index", range(3))
def test_loaded_metrics_take_more_batches(index, tmp_path):
    metric = metrics()[index]
    metric.save(tmp_path / "m.npz")
    loaded = type(metric).load(tmp_path / "m.npz")
    assert loaded.compute().to_dict() == metric.compute().to_dict()
    assert loaded.extractor_signature == metric.extractor_signature
    for one in (metric, loaded):
        one.update(features(5, 4, seed=9), **({} if index == 2 else {"real": False}))
    assert loaded.compute().to_dict() == metric.compute().to_dict()


def test_kid_of_all_images_is_loaded(tmp_path):
    metric = KID(subsets=None)
    fill(metric)
    metric.save(tmp_path / "m.npz")
    loaded = KID.load(tmp_path / "m.npz")
    assert loaded.subsets is None
    assert loaded.compute().to_dict() == metric.compute().to_dict()


SPLITS = {"counts": [1, 1], "sum_p_log_p": [-0.1, 0.0], "sum_p": [[0.5, 0.5], [1.0, 0.0]], "images": -1, "seed": 0}
SETS = {"real": np.zeros((3, 2)), "generated": np.zeros((3, 2)), "subsets": 1, "subset_size": 2}
SUMS = {"mu": [0.0], "sigma": [[1.0]], "sum": [0.0], "outer": [[1.0]], "count": 3}


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (FID, {"real_mu": [0.0]}),
        (
            FID,
            {
                f"{prefix}_{name}": value
                for prefix in ("real", "generated")
                for name, value in (SUMS | {"count": -3}).items()
            },
        ),
        (
            FID,
            {
                f"{prefix}_{name}": value
                for prefix in ("real", "generated")
                for name, value in (SUMS | {"sum": [np.inf]}).items()
            },
        ),
        (FID, {"real_mu": [0.0], "real_sigma": [[1.0]], "generated_mu": [0.0, 0.0], "generated_sigma": np.eye(2)}),
        (InceptionScore, {"counts": [1]}),
        (InceptionScore, SPLITS | {"counts": [2, 1]}),
        (InceptionScore, SPLITS | {"counts": [-1, 1]}),
        (InceptionScore, SPLITS | {"counts": [1.0, 1.0]}),
        (InceptionScore, SPLITS | {"counts": [1, 1, 1]}),
        (InceptionScore, SPLITS | {"sum_p_log_p": [0.1, 0.0]}),
        (InceptionScore, SPLITS | {"sum_p_log_p": [np.nan, 0.0]}),
        (InceptionScore, SPLITS | {"sum_p": [[1.5, -0.5], [1.0, 0.0]]}),
        (InceptionScore, SPLITS | {"sum_p": [[np.nan, 1.0], [1.0, 0.0]]}),
        (InceptionScore, SPLITS | {"images": 1}),
        (InceptionScore, SPLITS | {"images": 1 << 40}),
        (InceptionScore, SPLITS | {"images": [1, 2]}),
        (InceptionScore, SPLITS | {"seed": -4}),
        (KID, {"real": np.zeros((3, 2))}),
        (KID, SETS | {"real": np.zeros((3, 3))}),
        (KID, SETS | {"real": np.zeros(3)}),
        (KID, SETS | {"real": np.full((3, 2), np.inf)}),
        (KID, SETS | {"real": np.array(["a", "b"])}),
        (KID, SETS | {"subsets": 0.5 * np.ones(2)}),
        (KID, SETS | {"real": np.array([{}], dtype=object)}),
    ],
)
def test_files_of_something_else_are_errors(kind, state, tmp_path):
    np.savez(tmp_path / "x.npz", **state)
    with pytest.raises(ValueError, match=rf"x\.npz: not a file of {kind.__name__}: "):
        kind.load(tmp_path / "x.npz")


def test_corrupted_files_are_errors(tmp_path):
    random = np.random.default_rng(0)
    for metric in metrics():
        metric.save(tmp_path / "m.npz")
        whole = (tmp_path / "m.npz").read_bytes()
        for _ in range(150):
            data = bytearray(whole[: random.integers(1, len(whole))] if random.random() < 0.2 else whole)
            for index in random.integers(0, len(data), 4):
                data[index] = random.integers(0, 256)
            (tmp_path / "x.npz").write_bytes(data)
            try:
                type(metric).load(tmp_path / "x.npz")
            except ValueError as error:
                assert "x.npz: not a file of" in str(error)  # noqa: PT017 - not every change breaks the file


def test_decompression_bombs_are_errors(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", real=np.zeros((1 << 22, 8)))
    with pytest.raises(ValueError, match=r"unpacks to \d+ bytes"):
        KID.load(tmp_path / "x.npz")
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 50, 2)})
    with zipfile.ZipFile(tmp_path / "y.npz", "w") as archive:
        archive.writestr("real.npy", header.getvalue())
    with pytest.raises(ValueError, match=r"y\.npz: not a file of KID"):
        KID.load(tmp_path / "y.npz")


def test_fid_infinity_extends_a_line_to_infinitely_many_images():
    """The true distance is 8 * 0.5**2 = 2: eight means differ by 0.5, and the covariances are equal."""
    real = Statistics.from_state({"mu": np.zeros(8), "sigma": np.eye(8)})
    generated = features(4000, 8, seed=3, shift=0.5)
    score = image.fid_infinity(real, generated, num_sizes=2, min_size=100)
    random = np.random.default_rng(2020)
    subsets = [generated[random.permutation(4000)[:size]] for size in (100, 4000)]
    few, many = (image.frechet_distance(real, Statistics.from_features(subset)) for subset in subsets)
    assert list(score.parts.values()) == pytest.approx([few, many], rel=1e-12)
    # The line through (1 / 100, few) and (1 / 4000, many), at 0.
    slope = (few - many) / (1 / 100 - 1 / 4000)
    assert score.value == pytest.approx(many - slope / 4000, rel=1e-9)
    assert not score.higher_is_better


def test_fid_infinity_is_nearer_to_the_truth_than_any_fid():
    real = Statistics.from_state({"mu": np.zeros(8), "sigma": np.eye(8)})
    generated = features(4000, 8, seed=3, shift=0.5)
    score = image.fid_infinity(real, generated)
    assert list(score.parts)[::14] == ["fid@800", "fid@4000"]
    whole = image.frechet_distance(real, Statistics.from_features(generated))
    assert score.parts["fid@4000"] == pytest.approx(whole, rel=1e-9)
    assert abs(score.value - 2) < min(abs(distance - 2) for distance in score.parts.values())
    assert score.value == image.fid_infinity(real, generated).value
    for options, message in (
        ({"num_sizes": 1}, "num_sizes must be at least 2, got 1"),
        ({"min_size": 1}, "min_size must be at least 2, got 1"),
        ({"min_size": 4000}, "min_size is 4000, needs to be smaller than the 4000 images"),
    ):
        with pytest.raises(ValueError, match=message):
            image.fid_infinity(real, generated, **options)


def test_intervals_contain_the_true_distance():
    """The distance of two Gaussians whose means differ by 0.5 in each of four dimensions is 1."""
    hits = 0
    for seed in range(40):
        real, generated = features(150, 4, seed=2 * seed), features(150, 4, seed=2 * seed + 1, shift=0.5)
        parts = image.fid_interval(real, generated, samples=60).parts
        hits += parts["low"] <= 1 <= parts["high"]
    assert hits >= 33
    score = image.fid_interval(real, generated, samples=3, level=0.9)
    assert score.value == image.frechet_distance(*map(Statistics.from_features, (real, generated)))
    assert (score.parts["level"], score.parts["samples"]) == (0.9, 3)
    assert "|bootstrap:3|level:0.9|seed:2020|" in score.signature
    with pytest.raises(ValueError, match="level must be between 0 and 1, got 1"):
        image.fid_interval(real, generated, level=1)


def test_intervals_contain_the_true_inception_score():
    """The true score is that of very many images."""
    classes = np.random.default_rng(5).normal(size=6)

    def logits(rows, seed):
        return 2 * features(rows, 6, seed=seed) + classes

    truth = image.inception_score_from_logits(logits(400_000, 1000), splits=1).value
    hits = 0
    for seed in range(40):
        parts = image.inception_score_interval(logits(200, seed), splits=1, samples=100).parts
        hits += parts["low"] <= truth <= parts["high"]
    assert hits >= 33
    few = image.inception_score_interval(logits(200, 1), splits=5, samples=20)
    assert few.to_dict() == image.inception_score_interval(logits(200, 1), splits=5, samples=20).to_dict()
    assert few.value == image.inception_score_from_logits(logits(200, 1), splits=5).value
    assert few.parts["low"] < few.value < few.parts["high"]
    for options, message in (({"level": 1}, "level must be between 0 and 1"), ({"samples": 0}, "samples must be at")):
        with pytest.raises(ValueError, match=message):
            image.inception_score_interval(logits(20, 1), **options)
