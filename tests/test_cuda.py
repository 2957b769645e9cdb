"""A GPU gives the numbers of the CPU, and is not waited for. ``make gpu-check`` runs these tests on a bare machine.

Without a GPU they are skipped; ``MUGE_FAST_TEST_DEVICE=cpu`` runs them on the CPU, to try them out.
"""

import os
from contextlib import contextmanager

import numpy as np
import pytest

from image_data import pictures
from muge_fast import image
from muge_fast.image import FID, InceptionScore, Statistics, frechet_distance
from muge_fast.retrieval import top_k

torch = pytest.importorskip("torch")
pytest.importorskip("PIL")

from muge_fast.image.extractors.inception import InceptionExtractor  # noqa: E402 - only with torch
from muge_fast.image.extractors.networks import OUTPUTS, random_weights  # noqa: E402
from muge_fast.image.extractors.preprocessing import PROTOCOLS  # noqa: E402
from muge_fast.image.extractors.torchvision_network import TorchvisionInception  # noqa: E402
from muge_fast.retrieval import top_k_torch  # noqa: E402

DEVICE = os.environ.get("MUGE_FAST_TEST_DEVICE", "cuda")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(DEVICE == "cuda" and not torch.cuda.is_available(), reason="needs a GPU"),
    pytest.mark.filterwarnings("ignore:Inception Score of", "ignore:FID of"),
]

# Largest differences of features to those of the CPU in float32, relative to their norm.
BOUNDS = {"fp32": 1e-4, "tf32": 1e-2, "bf16": 5e-2}


@contextmanager
def no_waiting():
    """Raise for an operation that waits for the GPU."""
    if DEVICE == "cpu":
        yield
        return
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def difference(actual, expected):
    return float((actual.cpu().double() - expected.double()).norm() / expected.double().norm())


@pytest.fixture(scope="module")
def files(weights, tmp_path_factory):
    """Path of the weights of each protocol."""
    path = tmp_path_factory.mktemp("torchvision") / "torchvision.pth"
    torch.save(random_weights(network=TorchvisionInception), path)
    return dict.fromkeys(PROTOCOLS, weights) | {"ofa": path}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_features_are_those_of_the_cpu(files, protocol):
    images = [*pictures(8)]
    options = {"outputs": OUTPUTS, "protocol": protocol}
    found, expected = (InceptionExtractor(files[protocol], device=name, **options)(images) for name in (DEVICE, "cpu"))
    for name in OUTPUTS:
        assert found[name].device.type == DEVICE
        assert found[name].dtype == torch.float32
        assert difference(found[name], expected[name]) < BOUNDS["fp32"], name


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_precisions_differ_by_no_more_than_they_should(weights, precision):
    images = [*pictures(8)]
    expected = InceptionExtractor(weights, device="cpu")(images)["2048"]
    found = InceptionExtractor(weights, device=DEVICE, precision=precision)(images)["2048"]
    assert difference(found, expected) < BOUNDS[precision]


def test_scores_are_those_of_the_cpu(weights):
    sets = [pictures(count, seed=seed) for seed, count in enumerate((40, 30))]
    found, expected = (
        image.score_images(real=sets[1], generated=sets[0], splits=2, weights=weights, device=name)
        for name in (DEVICE, "cpu")
    )
    assert found["fid"].value == pytest.approx(expected["fid"].value, rel=1e-6)
    assert found["is"].value == pytest.approx(expected["is"].value, rel=1e-4)


@pytest.mark.parametrize("counts", [(100, 70), (20, 70), (20, 9)])
def test_statistics_on_the_device_have_the_distance_of_the_cpu(counts):
    random = np.random.default_rng(0)
    sets = [random.standard_normal((count, 24)).astype("float32") + shift for shift, count in enumerate(counts)]
    on_device = [Statistics(24, device=DEVICE) for _ in sets]
    for statistics, rows in zip(on_device, sets, strict=True):
        for batch in torch.from_numpy(rows).to(DEVICE).split(7):
            statistics.update(batch)
        assert statistics.device.type == DEVICE
    expected = frechet_distance(*map(Statistics.from_features, sets))
    assert frechet_distance(*on_device) == pytest.approx(expected, rel=1e-9)


def test_streams_of_tensors_on_the_device_have_the_scores_of_the_cpu(weights):
    sets = [torch.from_numpy(pictures(count, seed=count)).permute(0, 3, 1, 2) for count in (12, 10)]
    values = []
    for device in (DEVICE, "cpu"):
        extractor = InceptionExtractor(weights, outputs=("2048", "logits_unbiased"), device=device)
        fid, inception_score = FID(extractor), InceptionScore(extractor, splits=2)
        for images, real in zip(sets, (True, False), strict=True):
            for batch in images.to(device).split(5):
                fid.update(batch, real=real)
                if not real:
                    inception_score.update(batch)
        values.append((fid.compute().value, inception_score.compute().value))
    assert values[0][0] == pytest.approx(values[1][0], rel=1e-6)
    assert values[0][1] == pytest.approx(values[1][1], rel=1e-4)


def test_nothing_waits_for_the_device_between_images_and_statistics(weights):
    extractor = InceptionExtractor(weights, device=DEVICE)
    statistics = Statistics(2048, extractor_signature=extractor.signature, device=DEVICE)
    batches = torch.from_numpy(pictures(12)).permute(0, 3, 1, 2).to(DEVICE).split(4)
    # The first batch allocates memory and lets cuDNN choose its kernels.
    statistics.update(extractor(batches[0])["2048"])
    with no_waiting():
        for batch in batches[1:]:
            statistics.update(extractor(batch)["2048"])
    assert statistics.count == 12


@pytest.mark.parametrize("metric", ["ip", "cosine"])
def test_search_has_the_bits_of_the_cpu(metric):
    random = np.random.default_rng(1)
    queries, items = (random.standard_normal((rows, 96), dtype="float32") for rows in (1500, 70_000))
    items[5000:5200] = items[:200]
    expected = top_k(queries, items, 10, metric=metric)
    found = top_k_torch.top_k(*(torch.from_numpy(rows).to(DEVICE) for rows in (queries, items)), 10, metric=metric)
    assert found.scores.device.type == DEVICE
    for tensor, array in zip(found, expected, strict=True):
        assert tensor.cpu().numpy().tobytes() == array.tobytes()
