"""The torch backend against the NumPy backend: with tensors on the CPU, and on a GPU where there is one."""

import numpy as np
import pytest

from image_data import pictures
from muge_fast.image import FID, InceptionScore, Statistics, frechet_distance
from muge_fast.image.backend import NumpyBackend, TorchBackend, backend_for

torch = pytest.importorskip("torch")

from muge_fast.image.extractors.inception import InceptionExtractor  # noqa: E402 - only with torch
from muge_fast.image.extractors.preprocessing import PROTOCOLS, preprocess  # noqa: E402

# Sets are small here, which warns.
pytestmark = pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")


def features(rows, dims=24, seed=1, shift=0.0):
    """Return non-negative, correlated features, like pooled features."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(9).normal(size=(dims, dims)) / np.arange(1, dims + 1)
    return np.maximum(random.normal(size=(rows, dims)) @ mixing + shift + 0.3, 0).astype("float32")


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize(("real", "generated"), [(9, 7), (24, 60), (60, 9), (100, 70)])
def test_torch_distances_equal_those_of_numpy(real, generated, dtype):
    sets = []
    for seed, count in enumerate((real, generated)):
        batches = torch.tensor(features(count, seed=seed, shift=0.1 * seed)).to(getattr(torch, dtype)).split(7)
        pair = Statistics(24), Statistics(24, device="cpu")
        for batch in batches:
            for statistics in pair:
                statistics.update(batch)
        sets.append(pair)
    in_numpy, in_torch = zip(*sets, strict=True)
    assert (in_numpy[0].device, in_torch[0].device) == (None, torch.device("cpu"))
    expected = frechet_distance(*in_numpy)
    assert frechet_distance(*in_torch) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(in_numpy[0], in_torch[1]) == pytest.approx(expected, rel=1e-9)
    for name in ("mean", "covariance"):
        assert np.allclose(getattr(in_torch[0], name), getattr(in_numpy[0], name), rtol=1e-12, atol=1e-12)
    restored = Statistics.from_state(in_torch[0].state(), device="cpu")
    restored.merge(in_numpy[1])
    in_numpy[0].merge(in_torch[1])
    assert (restored.count, restored.device) == (real + generated, torch.device("cpu"))
    assert np.allclose(restored.covariance, in_numpy[0].covariance, rtol=1e-12, atol=1e-12)


def test_singular_covariances_in_torch():
    few = Statistics.from_features(features(9, seed=3))
    moments = {"mu": few.mean, "sigma": few.covariance}
    whole = Statistics(24, device="cpu")
    whole.update(features(90))
    expected = frechet_distance(Statistics.from_state(moments), Statistics.from_features(features(90)))
    assert frechet_distance(Statistics.from_state(moments, device="cpu"), whole) == pytest.approx(expected, rel=1e-6)
    diagonal = [np.diag([1.0, 4.0, 0.0]), np.diag([4.0, 4.0, 1.0])]
    sets = [Statistics.from_state({"mu": np.zeros(3), "sigma": sigma}, device="cpu") for sigma in diagonal]
    assert frechet_distance(*sets) == pytest.approx(1 + 0 + 1, rel=1e-12)


@pytest.mark.parametrize("failure", ["error", "nan"])
@pytest.mark.parametrize(("rows", "solver"), [(9, "singular_values"), (90, "eigenvalues"), (90, "cholesky_factor")])
def test_numpy_takes_over_if_a_torch_solver_fails(rows, solver, failure, monkeypatch):
    calls = []

    def fail(_, matrix):
        calls.append(solver)
        if failure == "error":
            raise torch.linalg.LinAlgError("did not converge")
        return matrix * float("nan")

    sets = [features(rows, seed=seed) for seed in range(2)]
    expected = frechet_distance(*map(Statistics.from_features, sets))
    monkeypatch.setattr(TorchBackend, solver, fail)
    in_torch = [Statistics(24, device="cpu") for _ in sets]
    for statistics, batch in zip(in_torch, sets, strict=True):
        statistics.update(batch)
    assert frechet_distance(*in_torch) == expected
    assert set(calls) == {solver}


def test_values_that_are_not_finite_raise_when_torch_sums_are_read():
    batch = torch.zeros((4, 24))
    batch[2, 5] = float("nan")
    statistics = Statistics(24, device="cpu")
    statistics.update(torch.zeros((10, 24)))
    assert statistics.why_not_addable() is None
    statistics.update(batch)
    statistics.update(batch)
    whole = Statistics(24, device="cpu")
    for read in (
        lambda: statistics.mean,
        statistics.state,
        lambda: whole.merge(statistics),
        lambda: frechet_distance(whole, statistics),
    ):
        with pytest.raises(
            ValueError, match=r"features\[12\] is not finite, counted over all batches|real has 0 images"
        ):
            read()
    assert whole.count == 0
    score = InceptionScore(splits=1, device="cpu")
    score.update(batch)
    with pytest.raises(ValueError, match=r"logits\[2\] is not finite"):
        score.compute()


@pytest.mark.parametrize("images", [None, 50])
def test_torch_inception_scores_equal_those_of_numpy(images):
    scores = [InceptionScore(splits=5, images=images, device=device) for device in (None, "cpu")]
    for score in scores:
        for batch in torch.tensor(8 * features(50)).split(16):
            score.update(batch)
    assert scores[1].sums.device == torch.device("cpu")
    in_numpy, in_torch = (score.compute() for score in scores)
    assert in_torch.value == pytest.approx(in_numpy.value, rel=1e-12)
    assert in_torch.parts["std"] == pytest.approx(in_numpy.parts["std"], rel=1e-12)
    halves = InceptionScore.from_state(scores[0].state()), scores[1]
    if images is None:
        halves[1].merge(halves[0])
        assert halves[1].sums.counts.sum() == 100


def test_batches_from_inference_mode_and_from_training():
    class Means(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 24)

        def forward(self, images):
            return self.layer(images.float().mean((2, 3)))

    metric = FID(Means(), dims=24, device="cpu")
    for seed, real in enumerate((True, False)):
        with torch.inference_mode(bool(seed)):
            for _ in range(3):
                metric.update(torch.randint(256, (20, 3, 8, 8), dtype=torch.uint8), real=real)
    assert metric.compute().value > 0
    assert not metric.real.sums.mean.requires_grad


def test_devices_without_float64_use_numpy():
    assert isinstance(backend_for("mps"), NumpyBackend)
    assert isinstance(backend_for("mps:0"), NumpyBackend)
    statistics = Statistics(24, device="mps")
    statistics.update(features(5))
    assert statistics.device is None
    with pytest.raises(RuntimeError, match="nonsense"):
        Statistics(24, device="nonsense")


# On a GPU


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_preprocessing_runs_on_the_requested_device(protocol):
    images = pictures(3)
    mixed = [*images[:2], pictures(1, (33, 90))[0]]
    for batch in (list(images), mixed, torch.from_numpy(images).permute(0, 3, 1, 2)):
        assert torch.equal(preprocess(batch, protocol, device="cpu"), preprocess(batch, protocol))
        assert preprocess(batch, protocol, device="meta").device.type == "meta"


def test_read_only_arrays_give_no_warning():
    images, rows = pictures(2), features(5)
    images.flags.writeable = rows.flags.writeable = False
    assert torch.equal(preprocess(list(images)), preprocess(list(images.copy())))
    statistics = Statistics(24, device="cpu")
    statistics.update(rows)
    assert np.allclose(statistics.mean, rows.mean(axis=0, dtype="float64"))


def test_precision_settings_of_torch_are_restored(weights):
    extractor = InceptionExtractor(weights, device="cpu", precision="tf32", engine="torch")
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("medium")
    seen = []
    handle = extractor.network.register_forward_pre_hook(
        lambda *_: seen.append((torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32))
    )
    try:
        extractor(pictures(1))
        extractor.precision = "fp32"
        extractor(pictures(1))
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        handle.remove()
        torch.set_float32_matmul_precision(before[0])
    assert seen == [("highest", True), ("highest", False)]
    assert torch.backends.cudnn.allow_tf32 == before[1]
