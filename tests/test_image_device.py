"""Sums and distances on a device: those of the host. On tensors of the CPU, and on a GPU where there is one."""

import numpy as np
import pytest

from image_data import pictures
from muge_fast import image
from muge_fast.image import FID, InceptionScore, Statistics, frechet_distance
from muge_fast.image.backend import NumpyBackend, TorchBackend, backend_for

torch = pytest.importorskip("torch")

from muge_fast.image.extractors.inception import InceptionExtractor  # noqa: E402 - only with torch
from muge_fast.image.extractors.networks import OUTPUTS, random_weights  # noqa: E402
from muge_fast.image.extractors.preprocessing import PROTOCOLS, preprocess  # noqa: E402
from muge_fast.image.extractors.torchvision_network import TorchvisionInception  # noqa: E402


def features(rows, dims=24, seed=1, shift=0.0):
    """Non-negative and correlated, as pooled features are."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(9).normal(size=(dims, dims)) / np.arange(1, dims + 1)
    return np.maximum(random.normal(size=(rows, dims)) @ mixing + shift + 0.3, 0).astype("float32")


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize(("rows", "others"), [(9, 7), (24, 60), (60, 9), (100, 70)])
def test_distances_on_a_device_are_those_of_the_host(rows, others, dtype):
    sides = []
    for seed, count in enumerate((rows, others)):
        batches = torch.tensor(features(count, seed=seed, shift=0.1 * seed)).to(getattr(torch, dtype)).split(7)
        kept = Statistics(24), Statistics(24, device="cpu")
        for batch in batches:
            for statistics in kept:
                statistics.update(batch)
        sides.append(kept)
    own, there = zip(*sides, strict=True)
    assert (own[0].device, there[0].device) == (None, torch.device("cpu"))
    expected = frechet_distance(*own)
    assert frechet_distance(*there) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(own[0], there[1]) == pytest.approx(expected, rel=1e-9)
    for name in ("mean", "covariance"):
        assert np.allclose(getattr(there[0], name), getattr(own[0], name), rtol=1e-12, atol=1e-12)
    again = Statistics.from_state(there[0].state(), device="cpu")
    again.merge(own[1])
    own[0].merge(there[1])
    assert (again.count, again.device) == (rows + others, torch.device("cpu"))
    assert np.allclose(again.covariance, own[0].covariance, rtol=1e-12, atol=1e-12)


def test_singular_covariances_on_a_device():
    few = Statistics.of(features(9, seed=3))
    given = Statistics.from_state({"mu": few.mean, "sigma": few.covariance}, device="cpu")
    whole = Statistics(24, device="cpu")
    whole.update(features(90))
    on_host = Statistics.from_state({"mu": few.mean, "sigma": few.covariance})
    assert frechet_distance(given, whole) == pytest.approx(
        frechet_distance(on_host, Statistics.of(features(90))), rel=1e-6
    )
    diagonal = [np.diag([1.0, 4.0, 0.0]), np.diag([4.0, 4.0, 1.0])]
    sides = [Statistics.from_state({"mu": np.zeros(3), "sigma": sigma}, device="cpu") for sigma in diagonal]
    assert frechet_distance(*sides) == pytest.approx(1 + 0 + 1, rel=1e-12)


@pytest.mark.parametrize("kind", ["raises", "gives what is not finite"])
@pytest.mark.parametrize(("rows", "solver"), [(9, "singular_values"), (90, "eigenvalues"), (90, "factor")])
def test_a_device_that_fails_leaves_it_to_the_host(rows, solver, kind, monkeypatch):
    calls = []

    def fail(_, matrix):
        calls.append(solver)
        if kind == "raises":
            raise torch.linalg.LinAlgError("did not converge")
        return matrix * float("nan")

    sides = [features(rows, seed=seed) for seed in range(2)]
    expected = frechet_distance(*(Statistics.of(side) for side in sides))
    monkeypatch.setattr(TorchBackend, solver, fail)
    there = [Statistics(24, device="cpu") for _ in sides]
    for statistics, side in zip(there, sides, strict=True):
        statistics.update(side)
    assert frechet_distance(*there) == expected
    assert calls == [solver]


def test_what_is_not_finite_on_a_device_is_told_when_sums_are_read():
    batch = torch.zeros((4, 24))
    batch[2, 5] = float("nan")
    statistics = Statistics(24, device="cpu")
    statistics.update(torch.zeros((10, 24)))
    assert statistics.flaw() is None
    statistics.update(batch)
    statistics.update(batch)
    whole = Statistics(24, device="cpu")
    for read in (
        lambda: statistics.mean,
        statistics.state,
        lambda: whole.merge(statistics),
        lambda: frechet_distance(whole, statistics),
    ):
        with pytest.raises(ValueError, match=r"features\[12\] is not finite, counted over all batches|has 0 images"):
            read()
    assert whole.count == 0
    score = InceptionScore(splits=1, device="cpu")
    score.update(batch)
    with pytest.raises(ValueError, match=r"logits\[2\] is not finite"):
        score.compute()


@pytest.mark.parametrize("images", [None, 50])
def test_inception_scores_on_a_device_are_those_of_the_host(images):
    scores = [InceptionScore(splits=5, images=images, device=device) for device in (None, "cpu")]
    for score in scores:
        for batch in torch.tensor(8 * features(50)).split(16):
            score.update(batch)
    assert scores[1].sums.device == torch.device("cpu")
    assert scores[1].compute() == pytest.approx(scores[0].compute(), rel=1e-12)
    halves = InceptionScore.from_state(scores[0].state()), scores[1]
    if images is None:
        halves[1].merge(halves[0])
        assert halves[1].sums.counts.sum() == 100


@pytest.mark.filterwarnings("ignore:FID of")
def test_batches_of_inference_mode_and_of_training():
    module = torch.nn.Linear(24, 24)
    metric = FID(module, dims=24, device="cpu")
    for seed, real in enumerate((True, False)):
        with torch.inference_mode(bool(seed)):
            for _ in range(3):
                metric.update(torch.tensor(features(20, seed=seed)), real=real)
    assert metric.compute().value > 0
    assert not metric.real.sums.mean.requires_grad


def test_devices_without_double_precision_leave_sums_to_the_host():
    assert isinstance(backend_for("mps"), NumpyBackend)
    assert isinstance(backend_for("mps:0"), NumpyBackend)
    statistics = Statistics(24, device="mps")
    statistics.update(features(5))
    assert statistics.device is None
    with pytest.raises(RuntimeError, match="nonsense"):
        Statistics(24, device="nonsense")


# On a GPU


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_input_is_made_where_it_shall_be(protocol):
    images = pictures(3)
    mixed = [*images[:2], pictures(1, (33, 90))[0]]
    for batch in (list(images), mixed, torch.from_numpy(images).permute(0, 3, 1, 2)):
        assert torch.equal(preprocess(batch, protocol, device="cpu"), preprocess(batch, protocol))
        assert preprocess(batch, protocol, device="meta").device.type == "meta"


def test_arrays_that_cannot_be_written_to_are_no_warning():
    images, rows = pictures(2), features(5)
    images.flags.writeable = rows.flags.writeable = False
    assert torch.equal(preprocess(list(images)), preprocess(list(images.copy())))
    statistics = Statistics(24, device="cpu")
    statistics.update(rows)
    assert np.allclose(statistics.mean, rows.mean(axis=0, dtype="float64"))


def test_settings_of_torch_are_left_as_they_were(weights):
    extractor = InceptionExtractor(weights, device="cpu", precision="tf32")
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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.filterwarnings("ignore:FID of")
def test_a_gpu_gives_the_numbers_of_the_cpu(weights, tmp_path):
    images = [pictures(count, seed=seed) for seed, count in enumerate((40, 30))]
    # The protocol "ofa" has a network of its own.
    files = dict.fromkeys(PROTOCOLS, weights) | {"ofa": tmp_path / "torchvision.pth"}
    torch.save(random_weights(network=TorchvisionInception), files["ofa"])
    for protocol in PROTOCOLS:
        there, here = (
            InceptionExtractor(files[protocol], device=device, outputs=OUTPUTS, protocol=protocol)([*images[0][:8]])
            for device in ("cuda", "cpu")
        )
        for name in OUTPUTS:
            assert there[name].device.type == "cuda"
            error = (there[name].cpu().double() - here[name].double()).norm() / here[name].double().norm()
            assert float(error) < 1e-4, (protocol, name)
    scores = [
        image.score_images(*images, metrics=("fid", "is"), splits=2, weights=weights, device=device)
        for device in ("cuda", "cpu")
    ]
    assert scores[0]["fid"].value == pytest.approx(scores[1]["fid"].value, rel=1e-6)
    assert scores[0]["is"].value == pytest.approx(scores[1]["is"].value, rel=1e-4)
    many = [torch.tensor(features(count, seed=count)) for count in (100, 70)]
    for counts in ((100, 70), (20, 70), (20, 9)):
        sides = [side[:count] for side, count in zip(many, counts, strict=True)]
        there = [Statistics(24) for _ in sides]
        for statistics, side in zip(there, sides, strict=True):
            for batch in side.cuda().split(7):
                statistics.update(batch)
            assert statistics.device.type == "cuda"
        assert frechet_distance(*there) == pytest.approx(frechet_distance(*map(Statistics.of, sides)), rel=1e-9)
