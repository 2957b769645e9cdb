"""Settings of the Python tests."""

import os

import pytest
from hypothesis import HealthCheck, settings

import muge_fast as mf

# Workers of pytest-xdist share the cores. With a thread for each core in every worker, torch's threads would spend a
# quarter of the time waiting for one another. torch reads it when imported, here and in processes that tests start.
if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // int(workers))))

# Written to be run by hand, and for its side effects: nothing to collect.
collect_ignore = ["golden"]

# Shared machines are slow at times, so no deadline. `pytest --hypothesis-profile slow` looks longer, at new inputs.
settings.register_profile("fast", deadline=None, max_examples=100, derandomize=True)
settings.register_profile("slow", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fast")

LEVELS = ["portable", "avx2", "avx512", "vnni"]


@pytest.fixture(params=LEVELS)
def level(request, monkeypatch):
    """Each CPU level that this CPU has."""
    if LEVELS.index(request.param) > LEVELS.index(mf.cpu_level()):
        pytest.skip("this CPU does not have the level")
    monkeypatch.setenv("MUGE_FAST_CPU", request.param)
    assert mf.cpu_level() == request.param
    return request.param


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A file as the published one of FID's network, with random weights."""
    torch = pytest.importorskip("torch")
    from muge_fast.image.extractors.networks import random_weights  # noqa: PLC0415 - it imports torch

    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(random_weights(5), path)
    return path
