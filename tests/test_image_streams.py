"""Image metrics that add up, and how sure they are."""

import multiprocessing

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
    kernels = [KID(subsets=3, subset_size=6) for _ in range(2)]
    scores = [InceptionScore(splits=3) for _ in range(2)]
    for place in range(2):
        for batch in np.array_split(np.array_split(real, 2)[place], 3):
            parts[place].update(batch, real=True)
            kernels[place].update(batch, real=True)
        for batch in np.array_split(np.array_split(generated, 2)[place], 4):
            parts[place].update(batch, real=False)
            kernels[place].update(batch, real=False)
            scores[place].update(batch)
    parts[1].save(tmp_path / "part.npz")
    parts[0].merge(FID.load(tmp_path / "part.npz"))
    kernels[0].merge(kernels[1])
    scores[0].merge(scores[1])
    expected = image.frechet_distance(Statistics.of(real), Statistics.of(generated))
    found = parts[0].compute()
    assert found.value == pytest.approx(expected, rel=1e-10)
    assert found.signature.startswith(f"fid|real:{rows}|generated:{rows + 5}|x|")
    assert kernels[0].compute() == image.kid_of(real, generated, subsets=3, subset_size=6)
    assert scores[0].compute() == image.inception_score_of(generated, splits=3)


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
    with pytest.raises(ValueError, match="the extractor gives 64, needs the output logits_unbiased"):
        InceptionScore(lambda batch: {"64": batch}).update(real)


def test_streams_that_are_empty_or_broken(tmp_path):
    with pytest.raises(ValueError, match="has 0 images"):
        FID(dims=3).compute()
    for metric in (KID(), InceptionScore()):
        with pytest.raises(ValueError, match="images"):
            metric.compute()
    with pytest.raises(ValueError, match="other: has"):
        FID(dims=3).merge(FID(dims=4))
    np.savez(tmp_path / "x.npz", real_mu=[0.0])
    with pytest.raises(ValueError, match=r"x\.npz: not a file of FID"):
        FID.load(tmp_path / "x.npz")


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


def rank(number, folder):
    """One of two processes, with half of the images."""
    import warnings  # noqa: PLC0415 - in a process of its own

    import torch.distributed as dist  # noqa: PLC0415

    warnings.simplefilter("ignore")
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=number, world_size=2)
    metric = FID(dims=16, protocol="x")
    metric.update(features(40)[number::2], real=True)
    metric.update(features(30, seed=2, shift=0.3)[number::2], real=False)
    np.save(f"{folder}/{number}.npy", metric.gather().compute().value)
    dist.destroy_process_group()


def test_two_processes_give_the_whole(tmp_path):
    pytest.importorskip("torch")
    processes = [multiprocessing.get_context("spawn").Process(target=rank, args=(n, str(tmp_path))) for n in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    expected = image.frechet_distance(Statistics.of(features(40)), Statistics.of(features(30, seed=2, shift=0.3)))
    for number in range(2):
        assert float(np.load(tmp_path / f"{number}.npy")) == pytest.approx(expected, rel=1e-10)
