"""Image metrics that add up, and how sure they are."""

import io
import itertools
import zipfile

import numpy as np
import pytest

from muge_fast import image
from muge_fast.image import FID, KID, InceptionScore, Statistics


def features(rows, dims=16, seed=1, shift=0.0):
    return (np.random.default_rng(seed).normal(size=(rows, dims)) + shift).astype("float32")


@pytest.mark.filterwarnings("ignore:FID of")
@pytest.mark.parametrize("rows", [12, 90])
def test_parts_of_streams_give_the_whole(rows, tmp_path):
    real, generated = features(rows), features(rows + 5, seed=2, shift=0.3)
    parts = [FID(dims=16, protocol="x") for _ in range(2)]
    kernels = [KID(subsets=3, subset_size=6, protocol="x") for _ in range(2)]
    scores = [InceptionScore(splits=3, images=rows + 5, protocol="x") for _ in range(2)]
    for place in range(2):
        for batch in np.array_split(np.array_split(real, 2)[place], 3):
            parts[place].update(batch, real=True)
            kernels[place].update(batch, real=True)
        for indices in np.array_split(np.array_split(np.arange(rows + 5), 2)[place], 4):
            parts[place].update(generated[indices], real=False)
            kernels[place].update(generated[indices], real=False)
            scores[place].update(generated[indices], indices=indices)
    for whole, part in (parts, kernels, scores):
        part.save(tmp_path / "part.npz")
        whole.merge(type(part).load(tmp_path / "part.npz"))
    expected = image.frechet_distance(Statistics.of(real), Statistics.of(generated))
    found = parts[0].compute()
    assert found.value == pytest.approx(expected, rel=1e-10)
    assert found.signature.startswith(f"fid|real:{rows}|generated:{rows + 5}|x|")
    assert kernels[0].compute() == image.kid_of(real, generated, subsets=3, subset_size=6)
    assert scores[0].compute() == pytest.approx(image.inception_score_of(generated, splits=3), rel=1e-12)


@pytest.mark.filterwarnings("ignore:FID of")
@pytest.mark.parametrize("rows", [30, 900])
def test_features_far_from_zero_lose_few_digits(rows, tmp_path):
    """Sums of squares of such numbers are a million million times their spread."""
    near = [features(rows, seed=seed, shift=shift).astype("float64") for seed, shift in ((1, 0.0), (2, 0.5))]
    far = [side + 1e6 for side in near]
    near = [side - 1e6 for side in far]
    expected = image.frechet_distance(*map(Statistics.of, near))
    whole, halves = FID(dims=16), [FID(dims=16) for _ in range(2)]
    for side, is_real in zip(far, (True, False), strict=True):
        for place, batch in enumerate(np.array_split(side, 9)):
            whole.update(batch, real=is_real)
            halves[place % 2].update(batch, real=is_real)
    halves[1].save(tmp_path / "half.npz")
    halves[0].merge(FID.load(tmp_path / "half.npz"))
    for metric in (whole, halves[0]):
        assert metric.compute().value == pytest.approx(expected, rel=1e-7)


LOOKS = {
    "nothing": lambda part, _: part,
    "covariance": lambda part, _: part.covariance is None or part,
    "state": lambda part, _: part.state() and part,
    "no rows": lambda part, _: part.update(np.zeros((0, 3))) or part,
    "merged with nothing": lambda part, _: part.merge(Statistics(3)) or part,
    "saved": lambda part, path: part.save(path) or Statistics.load(path),
}


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("look", LOOKS)
def test_parts_in_any_state_add_up(look, device, tmp_path):
    """Parts with no rows, few that are kept and many that are not, looked at before and after each step."""
    if device is not None:
        pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    for sizes in itertools.product((0, 2, 40), repeat=3):
        batches = [rng.normal(size=(size, 3)) + 1e4 for size in sizes]
        whole = Statistics(3, device=device)
        for batch in batches:
            part = Statistics(3, device=device)
            part.update(batch[::-1])
            whole = LOOKS[look](whole, tmp_path / "whole.npz")
            whole.merge(LOOKS[look](part, tmp_path / "part.npz"))
        every = np.concatenate(batches)
        assert whole.count == len(every)
        if len(every):
            assert whole.mean == pytest.approx(every.mean(axis=0), rel=1e-14)
            assert whole.covariance == pytest.approx(np.cov(every, rowvar=False), rel=1e-9, abs=1e-11)


@pytest.mark.parametrize("rows", [2, 40])
def test_a_state_stays_what_it_was(rows):
    whole = Statistics(3)
    whole.update(features(rows, 3))
    state, mean, covariance = whole.state(), whole.mean, whole.covariance
    whole.update(features(rows, 3, seed=7))
    again = Statistics.from_state(state)
    assert (again.count, again.mean.tolist()) == (rows, mean.tolist())
    assert again.covariance == pytest.approx(covariance, rel=1e-12)
    for wrong in ({"mu": mean + 1}, {"count": np.array(2.5)}):
        with pytest.raises(ValueError, match=r"mu is not the mean|needs a whole number"):
            Statistics.from_state({**state, **wrong})


@pytest.mark.filterwarnings("ignore:FID of")
def test_any_function_extracts():
    torch = pytest.importorskip("torch")
    real, generated = features(20), features(25, seed=2)
    expected = image.frechet_distance(Statistics.of(2 * real), Statistics.of(2 * generated))
    module = torch.nn.Linear(16, 16, bias=False)
    module.weight.data = 2 * torch.eye(16)
    for extractor, convert in (
        (lambda batch: 2 * batch, np.array),
        (module, torch.tensor),
        (lambda batch: {"2048": 2 * batch}, np.array),
    ):
        metric = FID(extractor, dims=16)
        metric.update(convert(real), real=True)
        metric.update(convert(generated), real=False)
        assert metric.compute().value == pytest.approx(expected, rel=1e-6)
    with pytest.raises(ValueError, match="the extractor returns the outputs 64, not logits_unbiased"):
        InceptionScore(lambda batch: {"64": batch}).update(real)


def test_streams_that_are_empty_or_broken():
    with pytest.raises(ValueError, match="has 0 images"):
        FID(dims=3).compute()
    for metric in (KID(), InceptionScore()):
        with pytest.raises(ValueError, match="images"):
            metric.compute()
    with pytest.raises(ValueError, match="other: has"):
        FID(dims=3).merge(FID(dims=4))
    for metric in (FID(dims=3, protocol="x"), KID(protocol="x"), InceptionScore(protocol="x")):
        with pytest.raises(ValueError, match="other: has"):
            metric.merge(type(metric)())
    kernel = KID()
    kernel.update(features(3, 4), real=True)
    with pytest.raises(ValueError, match=r"shape \(3, 5\), need \(images, 4\)"):
        kernel.update(features(3, 5), real=False)
    with pytest.raises(ValueError, match=r"features\[1\] is not finite"):
        kernel.update([[0.0] * 4, [np.nan] * 4], real=False)
    other = KID()
    other.update(features(3, 5), real=False)
    with pytest.raises(ValueError, match=r"the parts have \[4, 5\] features"):
        kernel.merge(other)


# Inception Score from sums


@pytest.mark.parametrize("rows", [25, 503])
@pytest.mark.parametrize("splits", [1, 10])
def test_sums_give_the_score_of_torch_fidelity(rows, splits):
    metric_isc = pytest.importorskip("torch_fidelity.metric_isc")
    torch = pytest.importorskip("torch")
    logits = 4 * features(rows, 50)
    expected = metric_isc.isc_features_to_metric(torch.tensor(logits), splits=splits, shuffle=True, rng_seed=2020)
    for size in (1, 7, 32):
        metric = InceptionScore(splits=splits, images=rows)
        for start in range(0, rows, size):
            metric.update(logits[start : start + size])
        assert metric.compute().mean == pytest.approx(expected["inception_score_mean"], rel=1e-12)
        assert metric.compute().std == pytest.approx(expected["inception_score_std"], rel=1e-9, abs=1e-12)


def test_what_is_kept_does_not_grow_with_the_images():
    metric = InceptionScore(splits=4)
    sizes = set()
    for _ in range(20):
        metric.update(features(32, 50))
        sizes.add(sum(array.nbytes for array in metric.state().values()))
    assert len(sizes) == 1


def test_images_are_dealt_to_splits_where_nobody_knows_their_number():
    logits, splits, seed = 4 * features(103, 50), 10, 7
    parts = [np.random.RandomState([seed, n // splits]).permutation(splits)[n % splits] for n in range(103)]
    expected = [image.inception_score_of(logits[np.equal(parts, part)], splits=1).mean for part in range(splits)]
    whole = InceptionScore(splits=splits, seed=seed)
    whole.update(logits[:5])
    whole.update(logits[5:])
    assert whole.compute() == pytest.approx((np.mean(expected), np.std(expected)), rel=1e-12)
    assert whole.sums.counts.max() - whole.sums.counts.min() == 1
    halves = [InceptionScore(splits=splits, seed=seed) for _ in range(2)]
    for rank, half in enumerate(halves):
        half.update(logits[rank::2], indices=np.arange(rank, 103, 2))
    halves[0].merge(halves[1])
    assert halves[0].compute() == pytest.approx(whole.compute(), rel=1e-12)


@pytest.mark.parametrize("images", [103, None])
def test_images_that_keep_their_order(images, tmp_path):
    logits = 4 * features(103, 50)
    whole = InceptionScore(splits=10, images=images, shuffle=False)
    whole.update(logits[:5])
    whole.save(tmp_path / "is.npz")
    again = InceptionScore.load(tmp_path / "is.npz")
    for metric in (whole, again):
        metric.update(logits[5:])
    expected = image.inception_score_of(logits, splits=10, shuffle=False)
    if images is None:
        dealt = [image.inception_score_of(logits[part::10], splits=1).mean for part in range(10)]
        expected = np.mean(dealt), np.std(dealt)
    assert whole.compute() == pytest.approx(expected, rel=1e-12)
    assert again.compute() == whole.compute()
    with pytest.raises(ValueError, match="other: has 50 classes and the rule"):
        InceptionScore(splits=10, images=images).merge(whole)


def test_classes_that_come_in_turn_do_not_get_a_split_each():
    metric = InceptionScore(splits=10)
    metric.update(100 * np.eye(10)[np.arange(2000) % 10])
    assert metric.compute().mean > 9


def test_images_that_cannot_be_put_into_splits():
    metric = InceptionScore(splits=2, images=6)
    metric.update(features(4, 5))
    with pytest.raises(ValueError, match=r"has seen 4 images in parts of \[\d, \d\], needs \[3, 3\]"):
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
    assert metric.compute().mean > 1
    for other in (InceptionScore(splits=2), InceptionScore(splits=2, images=7), InceptionScore(splits=3, images=6)):
        with pytest.raises(ValueError, match="other: has 0 classes and the rule"):
            metric.merge(other)
    for options in ({"splits": 3, "images": 2}, {"seed": -1}):
        with pytest.raises(ValueError, match="need at least one image for each split"):
            InceptionScore(**options)
    for splits in (0, 2.5):
        with pytest.raises(ValueError, match=f"splits is {splits}, needs a whole number of at least 1"):
            InceptionScore(splits=splits)


# Files


def metrics():
    """One of each kind that has seen something."""
    made = FID(dims=4, protocol="x"), KID(subsets=2, subset_size=3, protocol="x"), InceptionScore(splits=2)
    for side in (True, False):
        made[0].update(features(9, 4, seed=side), real=side)
        made[1].update(features(9, 4, seed=side), real=side)
    made[2].update(features(9, 4))
    return made


@pytest.mark.filterwarnings("ignore:FID of")
@pytest.mark.parametrize("place", range(3))
def test_what_was_saved_goes_on(place, tmp_path):
    metric = metrics()[place]
    metric.save(tmp_path / "m.npz")
    again = type(metric).load(tmp_path / "m.npz")
    value = float if place == 0 else tuple
    assert value(again.compute()) == value(metric.compute())
    assert again.protocol == metric.protocol
    for one in (metric, again):
        one.update(features(5, 4, seed=9), **({} if place == 2 else {"real": False}))
    assert value(again.compute()) == value(metric.compute())


SHARES = {"counts": [1, 1], "entropies": [-0.1, 0.0], "shares": [[0.5, 0.5], [1.0, 0.0]], "images": -1, "seed": 0}
SETS = {"real": np.zeros((3, 2)), "generated": np.zeros((3, 2)), "subsets": 1, "subset_size": 2}
SUMS = {"mu": [0.0], "sigma": [[1.0]], "sum": [0.0], "outer": [[1.0]], "count": 3}


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (FID, {"real_mu": [0.0]}),
        (
            FID,
            {
                f"{side}_{name}": value
                for side in ("real", "generated")
                for name, value in (SUMS | {"count": -3}).items()
            },
        ),
        (
            FID,
            {
                f"{side}_{name}": value
                for side in ("real", "generated")
                for name, value in (SUMS | {"sum": [np.inf]}).items()
            },
        ),
        (FID, {"real_mu": [0.0], "real_sigma": [[1.0]], "generated_mu": [0.0, 0.0], "generated_sigma": np.eye(2)}),
        (InceptionScore, {"counts": [1]}),
        (InceptionScore, SHARES | {"counts": [2, 1]}),
        (InceptionScore, SHARES | {"counts": [-1, 1]}),
        (InceptionScore, SHARES | {"counts": [1.0, 1.0]}),
        (InceptionScore, SHARES | {"counts": [1, 1, 1]}),
        (InceptionScore, SHARES | {"entropies": [0.1, 0.0]}),
        (InceptionScore, SHARES | {"entropies": [np.nan, 0.0]}),
        (InceptionScore, SHARES | {"shares": [[1.5, -0.5], [1.0, 0.0]]}),
        (InceptionScore, SHARES | {"shares": [[np.nan, 1.0], [1.0, 0.0]]}),
        (InceptionScore, SHARES | {"images": 1}),
        (InceptionScore, SHARES | {"images": 1 << 40}),
        (InceptionScore, SHARES | {"images": [1, 2]}),
        (InceptionScore, SHARES | {"seed": -4}),
        (KID, {"real": np.zeros((3, 2))}),
        (KID, SETS | {"real": np.zeros((3, 3))}),
        (KID, SETS | {"real": np.zeros(3)}),
        (KID, SETS | {"real": np.full((3, 2), np.inf)}),
        (KID, SETS | {"real": np.array(["a", "b"])}),
        (KID, SETS | {"subsets": 0.5 * np.ones(2)}),
        (KID, SETS | {"real": np.array([{}], dtype=object)}),
    ],
)
def test_files_that_are_none_are_refused(kind, state, tmp_path):
    np.savez(tmp_path / "x.npz", **state)
    with pytest.raises(ValueError, match=rf"x\.npz: not a file of {kind.__name__}: "):
        kind.load(tmp_path / "x.npz")


def test_corrupted_files_are_refused(tmp_path):
    random = np.random.default_rng(0)
    for metric in metrics():
        metric.save(tmp_path / "m.npz")
        whole = (tmp_path / "m.npz").read_bytes()
        for _ in range(150):
            data = bytearray(whole[: random.integers(1, len(whole))] if random.random() < 0.2 else whole)
            for place in random.integers(0, len(data), 4):
                data[place] = random.integers(0, 256)
            (tmp_path / "x.npz").write_bytes(data)
            try:
                type(metric).load(tmp_path / "x.npz")
            except ValueError as error:
                assert "x.npz: not a file of" in str(error)  # noqa: PT017 - not every change breaks the file


def test_files_that_grow_or_promise_too_much_are_refused(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", real=np.zeros((1 << 22, 8)))
    with pytest.raises(ValueError, match=r"unpacks to \d+ bytes"):
        KID.load(tmp_path / "x.npz")
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 50, 2)})
    with zipfile.ZipFile(tmp_path / "y.npz", "w") as archive:
        archive.writestr("real.npy", header.getvalue())
    with pytest.raises(ValueError, match=r"y\.npz: not a file of KID"):
        KID.load(tmp_path / "y.npz")


def test_the_distance_of_many_images_is_foretold():
    real = Statistics.from_state({"mu": np.zeros(8), "sigma": np.eye(8)})
    generated = features(4000, 8, seed=3, shift=0.5)
    found = image.fid_infinity(real, generated)
    few = image.frechet_distance(real, Statistics.of(generated[:800]))
    assert found.counts[0] == 800
    assert found.counts[-1] == 4000
    assert found.distances[-1] == pytest.approx(image.frechet_distance(real, Statistics.of(generated)), rel=1e-9)
    assert abs(found.value - 2.0) < abs(few - 2.0) + 0.1
    assert found.value == image.fid_infinity(real, generated).value
    for options in ({"points": 1}, {"least": 1}, {"least": 4000}):
        with pytest.raises(ValueError, match="there are 4000 images"):
            image.fid_infinity(real, generated, **options)


def test_intervals_hold_the_true_distance():
    """The distance of two Gaussians that differ by 0.5 in each of four dimensions is 1."""
    inside = 0
    for seed in range(40):
        real, generated = features(150, 4, seed=2 * seed), features(150, 4, seed=2 * seed + 1, shift=0.5)
        low, high = image.fid_interval(real, generated, resamples=60)
        inside += low <= 1 <= high
    assert inside >= 33
    with pytest.raises(ValueError, match="level is 1"):
        image.fid_interval(real, generated, level=1)


def test_intervals_hold_the_true_inception_score():
    """The true score is that of very many images."""
    classes = np.random.default_rng(5).normal(size=6)

    def logits(rows, seed):
        return 2 * features(rows, 6, seed=seed) + classes

    truth = image.inception_score_of(logits(400_000, 1000), splits=1).mean
    inside = 0
    for seed in range(40):
        low, high = image.inception_score_interval(logits(200, seed), splits=1, resamples=100)
        inside += low <= truth <= high
    assert inside >= 33
    few = image.inception_score_interval(logits(200, 1), splits=5, resamples=20)
    assert few == image.inception_score_interval(logits(200, 1), splits=5, resamples=20)
    assert few.low < image.inception_score_of(logits(200, 1), splits=5).mean < few.high
    for options in ({"level": 1}, {"resamples": 0}):
        with pytest.raises(ValueError, match="need a share and at least one"):
            image.inception_score_interval(logits(20, 1), **options)
