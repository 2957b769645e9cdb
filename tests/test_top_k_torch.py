"""Top-k search over torch tensors: the same bits as on the CPU, on any device, so also without a GPU."""

import numpy as np
import pytest

import muge_fast as mf

torch = pytest.importorskip("torch")

from muge_fast.retrieval import top_k_torch  # noqa: E402 - only with torch

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]


def vectors(rows, dims, seed, dtype=None):
    tensor = torch.tensor(np.random.default_rng(seed).standard_normal((rows, dims), dtype="float32"))
    return tensor if dtype is None else tensor.to(dtype)


def check(queries, items, k, device, **options):
    ranking = top_k_torch.top_k(queries.to(device), items.to(device), k, **options)
    expected = mf.top_k(queries, items, k, **options)
    for tensor, array in zip(ranking, expected, strict=True):
        assert tensor.device.type == device
        assert (tensor.shape, tensor.cpu().numpy().dtype) == (array.shape, array.dtype)
        assert tensor.cpu().numpy().tobytes() == array.tobytes()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("metric", ["ip", "cosine"])
@pytest.mark.parametrize(("rows", "columns", "dims"), [(0, 9, 3), (1, 1, 1), (17, 300, 33), (1500, 2000, 40)])
def test_has_the_bits_of_the_cpu(rows, columns, dims, metric, device):
    check(vectors(rows, dims, 1), vectors(columns, dims, 2), min(10, columns), device, metric=metric)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype, device):
    check(vectors(20, 24, 1, dtype), vectors(300, 24, 2, dtype), 7, device)


@pytest.mark.parametrize("device", DEVICES)
def test_duplicates_exclusions_and_norms(device, monkeypatch):
    monkeypatch.setattr(top_k_torch, "QUERY_TILE", 16)
    monkeypatch.setattr(top_k_torch, "ITEM_TILE", 64)
    monkeypatch.setattr(top_k_torch, "RESCORED_FLOATS", 1000)
    items = vectors(40, 24, 3).repeat(6, 1)
    items[7] *= 1e30
    items[50:60] *= 1e-30
    items[70] = 0
    queries = vectors(50, 24, 4)
    queries[3] = 0
    exclude = [[7, 40 + row, 239] for row in range(50)]
    for metric in ("ip", "cosine"):
        check(queries, items, 9, device, metric=metric)
        check(queries, items, 9, device, metric=metric, exclude=exclude)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("copies", [1, 2, 40, 200])
def test_near_ties_that_the_shortlist_cannot_hold(device, copies, monkeypatch):
    """Items with noise below the error of a coarse score: all copies of one may be among the best."""
    monkeypatch.setattr(top_k_torch, "ITEM_TILE", 64)
    items = vectors(6, 24, 3).repeat(copies, 1)
    items += 1e-7 * vectors(len(items), 24, 5)
    queries = vectors(20, 24, 4)
    check(queries, items, 5, device)
    check(queries, items, 5, device, exclude=[[row, 5] for row in range(3)] + [[]] * 17 if copies > 1 else None)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kept", [0, 1 << 28])
def test_a_search_waits_once_for_each_tile_of_queries(device, kept, monkeypatch):
    monkeypatch.setattr(top_k_torch, "KEPT_FLOATS", kept)
    monkeypatch.setattr(top_k_torch, "QUERY_TILE", 16)
    monkeypatch.setattr(top_k_torch, "ITEM_TILE", 100)
    monkeypatch.setattr(top_k_torch._Search, "_candidates", None)
    queries, items = vectors(40, 32, 1), vectors(1000, 32, 2)
    check(queries, items, 10, device)
    check(queries, items, 10, device, metric="cosine", exclude=[[row, 999 - row] for row in range(40)])


def test_errors_name_the_argument():
    queries, items = vectors(3, 4, 1), vectors(5, 4, 2)
    bad = items.clone()
    bad[4, 2] = torch.nan
    for call, message in (
        (lambda: top_k_torch.top_k(queries, bad, 1), "items: row 4 has nan in column 2"),
        (lambda: top_k_torch.top_k(queries, items, 6), "k must be at most 5, the number of items, got 6"),
        (
            lambda: top_k_torch.top_k(queries, items[:, :3], 1),
            "items: vectors have 3 dimensions, those of queries have 4",
        ),
        (lambda: top_k_torch.top_k(queries[0], items, 1), r"queries must have two dimensions.* got shape \(4,\)"),
        (lambda: top_k_torch.top_k(queries, items, 1, metric="l2"), "unknown metric 'l2'"),
        (
            lambda: top_k_torch.top_k(queries, items, 5, exclude=[[], [1], []]),
            r"k: is 5, but queries\[1\] has only 4 items",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="items must be a torch tensor"):
        top_k_torch.top_k(queries, items.numpy(), 1)
    with pytest.raises(TypeError, match=r"queries must be torch\.float32.* got dtype torch\.float64"):
        top_k_torch.top_k(queries.double(), items, 1)
