"""Image metrics of several processes: two that talk over gloo give the whole, and the same bits in both."""

import multiprocessing
import warnings

import numpy as np
import pytest

from muge_fast import image
from muge_fast.image import FID, KID, InceptionScore, Statistics

torch = pytest.importorskip("torch")

DIMS = 16


def features(rows, dims=DIMS, seed=1, shift=0.0):
    return (np.random.default_rng(seed).normal(size=(rows, dims)) + shift).astype("float32")


def seen(first, step, rows, generated, device):
    """Metrics of every ``step``-th image, from one on."""
    fid = FID(dims=DIMS, protocol="x", device=device)
    kid = KID(subsets=3, subset_size=6, protocol="x")
    score = InceptionScore(splits=3, images=generated, device=device)
    indices = np.arange(first, generated, step)
    for metric in (fid, kid):
        metric.update(features(rows)[first::step], real=True)
        metric.update(features(generated, seed=2, shift=0.3)[indices], real=False)
    score.update(features(generated, seed=3)[indices], indices=indices)
    return fid, kid, score


def states(metrics):
    return {f"{type(metric).__name__}_{name}": value for metric in metrics for name, value in metric.state().items()}


# Numbers of images, and where sums are: more than features, fewer, and both.
CASES = [(41, 30, None), (DIMS - 3, DIMS - 1, None), (41, 30, "cpu"), (DIMS - 3, 41, "cpu")]


def rank(number, folder):
    """One of two processes, with half of the images."""
    import torch.distributed as dist  # noqa: PLC0415 - in a process of its own

    warnings.simplefilter("ignore")
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=number, world_size=2)
    for case, options in enumerate(CASES):
        whole = [metric.gather() for metric in seen(number, 2, *options)]
        values = {"fid": whole[0].compute().value, "kid": whole[1].compute(), "is": whole[2].compute()}
        np.savez(f"{folder}/{case}_{number}.npz", **states(whole), **values)
    dist.destroy_process_group()


def strangers(number, folder):
    """One of two processes that do not belong together. Both must be told, and none left waiting."""
    import torch.distributed as dist  # noqa: PLC0415 - in a process of its own

    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=number, world_size=2)
    bad = InceptionScore(splits=1, device="cpu")
    bad.update(torch.full((2, 3), np.nan if number else 0.0))
    given = FID(dims=1)
    if number:
        given.real = Statistics.from_state({"mu": [0.0], "sigma": [[1.0]]})
    widths = KID()
    widths.update(np.zeros((2, 3 + number)), real=True)
    messages = []
    for metric in (
        FID(dims=3 + number),
        FID(dims=3, protocol=str(number)),
        given,
        InceptionScore(splits=2 + number),
        bad,
        KID(subsets=3 + number),
        widths,
    ):
        with pytest.raises(ValueError, match="process") as error:
            metric.gather()
        messages.append(str(error.value))
    np.save(f"{folder}/{number}.npy", messages)
    dist.destroy_process_group()


def both(target, folder, *options):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=target, args=(number, str(folder), *options)) for number in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(240)
        assert process.exitcode == 0


def test_two_processes_give_the_whole(tmp_path):
    both(rank, tmp_path)
    for case, (rows, generated, _) in enumerate(CASES):
        found = [dict(np.load(tmp_path / f"{case}_{number}.npz")) for number in range(2)]
        assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])
        whole = seen(0, 1, rows, generated, None)
        expected = states(whole)
        assert set(expected) == set(found[0]) - {"fid", "kid", "is"}
        # Features are in the order of ranks.
        for name in [name for name in expected if expected[name].dtype.kind == "f"]:
            if not name.endswith(("features", "KID_real", "KID_generated")):
                assert np.allclose(found[0][name], expected[name], rtol=1e-12, atol=1e-12), name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert float(found[0]["fid"]) == pytest.approx(whole[0].compute().value, rel=1e-12)
        score = image.inception_score_of(features(generated, seed=3), splits=3)
        assert found[0]["is"] == pytest.approx(score, rel=1e-12)
        sides = features(rows), features(generated, seed=2, shift=0.3)
        ordered = [np.concatenate([side[0::2], side[1::2]]) for side in sides]
        assert found[0]["kid"] == pytest.approx(image.kid_of(*ordered, subsets=3, subset_size=6), rel=1e-12)


def test_processes_that_do_not_belong_together_are_told(tmp_path):
    both(strangers, tmp_path)
    for number in range(2):
        messages = np.load(tmp_path / f"{number}.npy").tolist()
        starts = [
            f"this process has {3 + number} features of ''",
            f"this process has 3 features of '{number}'",
            "processes [1] cannot be added",
            f"this process has splits, images and seed ({2 + number}, None, 2020)",
            "processes [1] cannot be added",
            f"this process has {3 + number} subsets of 1000",
            "processes have [3, 4] features",
        ]
        assert [message[: len(start)] for message, start in zip(messages, starts, strict=True)] == starts
