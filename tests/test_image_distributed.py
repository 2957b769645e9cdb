"""Gathering metrics of two processes over gloo: the score of all images, and the same bits in both."""

import multiprocessing
import warnings

import numpy as np
import pytest

from muge_fast import image
from muge_fast.image import FID, KID, InceptionScore, Statistics

torch = pytest.importorskip("torch")

# Sets are small here, which warns.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of")]

DIMS = 16


def features(rows, dims=DIMS, seed=1, shift=0.0):
    return (np.random.default_rng(seed).normal(size=(rows, dims)) + shift).astype("float32")


def metrics_of(first, step, rows, generated, device):
    """Return metrics of every ``step``-th image, beginning with ``first``."""
    fid = FID(dims=DIMS, extractor_signature="x", device=device)
    kid = KID(subsets=3, subset_size=6, extractor_signature="x")
    score = InceptionScore(splits=3, images=generated, device=device)
    indices = np.arange(first, generated, step)
    for metric in (fid, kid):
        metric.update(features(rows)[first::step], real=True)
        metric.update(features(generated, seed=2, shift=0.3)[indices], real=False)
    score.update(features(generated, seed=3)[indices], indices=indices)
    return fid, kid, score


def states(metrics):
    return {f"{type(metric).__name__}_{name}": value for metric in metrics for name, value in metric.state().items()}


# Numbers of real and generated images, more and fewer than features, and the device of the sums.
CASES = [(41, 30, None), (DIMS - 3, DIMS - 1, None), (41, 30, "cpu"), (DIMS - 3, 41, "cpu")]


def values_of(metrics):
    scores = [metric.compute() for metric in metrics]
    return {score.name: [score.value, *score.parts.values()] for score in scores}


def gather(rank, folder):
    """Run one of two processes, with half of the images."""
    import torch.distributed as dist  # noqa: PLC0415 - in a separate process

    warnings.simplefilter("ignore")
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    for case, options in enumerate(CASES):
        merged = [metric.gather() for metric in metrics_of(rank, 2, *options)]
        np.savez(f"{folder}/{case}_{rank}.npz", **states(merged), **values_of(merged))
    dist.destroy_process_group()


def gather_incompatible(rank, folder):
    """Run one of two processes with different settings. Both must raise, and neither wait for the other."""
    import torch.distributed as dist  # noqa: PLC0415 - in a separate process

    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    nonfinite = InceptionScore(splits=1, device="cpu")
    nonfinite.update(torch.full((2, 3), np.nan if rank else 0.0))
    only_moments = FID(dims=1)
    if rank:
        only_moments.real = Statistics.from_state({"mu": [0.0], "sigma": [[1.0]]})
    widths = KID()
    widths.update(np.zeros((2, 3 + rank)), real=True)
    messages = []
    for metric in (
        FID(dims=3 + rank),
        FID(dims=3, extractor_signature=str(rank)),
        only_moments,
        InceptionScore(splits=2 + rank),
        nonfinite,
        KID(subsets=3 + rank),
        widths,
    ):
        with pytest.raises(ValueError, match="process") as error:
            metric.gather()
        messages.append(str(error.value))
    np.save(f"{folder}/{rank}.npy", messages)
    dist.destroy_process_group()


def run_both(target, folder):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=target, args=(rank, str(folder))) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(240)
        assert process.exitcode == 0


def test_two_processes_gather_the_scores_of_all_images(tmp_path):
    run_both(gather, tmp_path)
    for case, (rows, generated, _) in enumerate(CASES):
        gathered = [dict(np.load(tmp_path / f"{case}_{rank}.npz")) for rank in range(2)]
        assert all(np.array_equal(gathered[0][name], gathered[1][name]) for name in gathered[0])
        whole = metrics_of(0, 1, rows, generated, None)
        expected = states(whole)
        assert set(expected) == set(gathered[0]) - {"fid", "kid", "is"}
        # Features are in the order of ranks.
        for name in [name for name in expected if expected[name].dtype.kind == "f"]:
            if not name.endswith(("features", "KID_real", "KID_generated")):
                assert np.allclose(gathered[0][name], expected[name], rtol=1e-12, atol=1e-12), name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert gathered[0]["fid"].tolist() == pytest.approx([whole[0].compute().value], rel=1e-12)
        score = image.inception_score_from_logits(features(generated, seed=3), splits=3)
        assert gathered[0]["is"].tolist() == pytest.approx([score.value, score.parts["std"]], rel=1e-12)
        sets = features(rows), features(generated, seed=2, shift=0.3)
        ordered = [np.concatenate([images[0::2], images[1::2]]) for images in sets]
        score = image.kid_from_features(*ordered, subsets=3, subset_size=6)
        assert gathered[0]["kid"].tolist() == pytest.approx([score.value, score.parts["std"]], rel=1e-12)


def test_processes_with_different_settings_all_raise(tmp_path):
    run_both(gather_incompatible, tmp_path)
    for rank in range(2):
        messages = np.load(tmp_path / f"{rank}.npy").tolist()
        starts = [
            f"this process has {3 + rank} features of ''",
            f"this process has 3 features of '{rank}'",
            "sums of processes [1] cannot be added",
            f"this process has SplitConfig(splits={2 + rank}, images=None, seed=2020) of ''",
            "sums of processes [1] cannot be added",
            f"this process has {3 + rank} subsets of 1000",
            "processes have [3, 4] features",
        ]
        assert [message[: len(start)] for message, start in zip(messages, starts, strict=True)] == starts
