"""Top-k of each row of a matrix: equal to a full sort, in every layout and at every CPU level."""

import numpy as np
import pytest

import muge_fast as mf

# Many of these matrices have NaN and infinity on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:similarity. .* rows have (NaN among|more than .* infinite)")

DTYPES = ["float32", "float64", "float16"]
COLUMNS = [1, 7, 15, 16, 17, 33, 63, 64, 65, 129, 1000, 5000]


def full_sort(matrix, k):
    """Return the k best by a stable sort: descending, NaN last, then the lower index."""
    wide = matrix.astype("float64")
    order = np.stack([np.lexsort((np.where(np.isnan(row), 0, -row), np.isnan(row))) for row in wide])[:, :k]
    return np.take_along_axis(matrix, order, axis=1), order


def matrices(columns, dtype, seed=0):
    rng = np.random.default_rng(seed)
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0])
    rows = [
        rng.normal(size=columns),
        rng.integers(0, 4, columns),
        np.arange(columns),
        -np.arange(columns),
        np.full(columns, np.nan),
        np.full(columns, -np.inf),
        np.zeros(columns),
        rng.choice(special, columns),
        np.where(rng.random(columns) < 0.02, rng.normal(size=columns), np.nan),
        np.where(rng.random(columns) < 0.02, rng.normal(size=columns), -np.inf),
    ]
    return np.array(rows).astype(dtype)


def check(matrix, k, **options):
    scores, indices = mf.top_k_of(matrix, k, **options)
    expected_scores, expected_indices = full_sort(np.asarray(matrix), k)
    np.testing.assert_array_equal(indices, expected_indices)
    assert indices.dtype == np.int64
    assert scores.dtype == matrix.dtype
    assert scores.tobytes() == np.ascontiguousarray(expected_scores).tobytes()


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("columns", COLUMNS)
def test_equals_a_full_sort(columns, dtype):
    matrix = matrices(columns, dtype)
    for k in sorted({1, min(10, columns), min(32, columns), min(33, columns), min(100, columns), columns}):
        check(matrix, k)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("rows", [0, 1, 15, 16, 17, 33])
def test_rows_and_threads(rows, threads):
    matrix = np.random.default_rng(rows).integers(0, 50, (rows, 700)).astype("float32")
    ranking = mf.top_k_of(matrix, 5, threads=threads)
    assert ranking.scores.shape == ranking.indices.shape == (rows, 5)
    if rows:
        check(matrix, 5, threads=threads)


@pytest.mark.parametrize("dtype", DTYPES)
def test_layouts(dtype):
    whole = np.random.default_rng(3).integers(0, 99, (41, 1203)).astype(dtype)
    layouts = [
        np.asfortranarray(whole),
        whole.T,
        whole[:, ::2],
        whole[::2, ::3],
        whole[::-1],
        whole[:, ::-1],
        np.asfortranarray(whole)[::-2, ::-1],
        np.broadcast_to(whole[0], (20, whole.shape[1])),
        np.broadcast_to(whole[:, :1], (41, 300)),
    ]
    for matrix in layouts:
        check(matrix, 7)
    unaligned = np.frombuffer(b"\0" + whole.tobytes(), dtype="uint8")[1:].view(dtype).reshape(whole.shape)
    check(unaligned, 7)


class Shared:
    """An array of another library."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_arrays_of_other_libraries_are_shared():
    array = np.random.default_rng(4).normal(size=(20, 300)).astype("float32")
    for matrix in (array, array.T, array[:, ::2]):
        np.testing.assert_array_equal(mf.top_k_of(Shared(matrix), 3).indices, full_sort(matrix, 3)[1])


def test_lazily_negated_tensors_have_their_values():
    torch = pytest.importorskip("torch")
    tensor = torch.randn(4, 30, generator=torch.Generator().manual_seed(5))
    lazy = torch.complex(torch.zeros_like(tensor), tensor).conj().imag
    assert lazy.is_neg()
    np.testing.assert_array_equal(mf.top_k_of(lazy, 3).indices, full_sort(-tensor.numpy(), 3)[1])
    expected = mf.top_k(-tensor, tensor, 3).indices
    np.testing.assert_array_equal(mf.top_k(lazy, tensor, 3).indices, expected)
    short = tensor.bfloat16()
    lazy = torch._neg_view(short)
    np.testing.assert_array_equal(mf.top_k(lazy, short, 3).indices, mf.top_k(-short, short, 3).indices)
    ranked = torch._neg_view(torch.tensor([[1, 2], [3, 4]]))
    for predictions in (ranked, list(ranked)):
        assert mf.score_retrieval(predictions, [[-1], [-3]], ks=(1,))["recall@1"].value == 1.0


def test_a_matrix_is_not_copied(tmp_path):
    resource = pytest.importorskip("resource")
    # A sparse file of 4 GB: a copy would show in the memory of this process.
    matrix = np.memmap(tmp_path / "zeros", dtype="float32", mode="w+", shape=(8, 1 << 27))[:, : 1 << 20]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert mf.top_k_of(matrix, 2, threads=1).indices.tolist() == [[0, 1]] * 8
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert growth < 80_000  # kB, for the pages that were read


@pytest.mark.parametrize(
    ("matrix", "k", "error", "message"),
    [
        (np.zeros(3, "f4"), 1, ValueError, r"similarity must have two dimensions.* got shape \(3,\)"),
        (
            np.zeros((2, 3), "i8"),
            1,
            TypeError,
            "similarity must be float32, float64, float16, got dtype int64; convert it to float32",
        ),
        (
            np.zeros((2, 3), ">f4"),
            1,
            TypeError,
            "similarity must be float32, float64, float16, got dtype >f4; convert it to float32",
        ),
        (np.zeros((2, 3), "f4"), 0, ValueError, "k must be at least 1, got 0"),
        (np.zeros((2, 3), "f4"), 4, ValueError, "k must be at most 3, the number of columns of similarity, got 4"),
        (np.zeros((2, 0), "f4"), 1, ValueError, "k must be at most 0, the number of columns of similarity, got 1"),
        (np.zeros((2, 3), "f4"), 1.5, TypeError, "k must be an integer, got 1.5"),
        ([[1.0]], 1, TypeError, "similarity must be a NumPy array or have __dlpack__, got list; pass np.asarray.*"),
    ],
)
def test_errors(matrix, k, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        mf.top_k_of(matrix, k)


def test_an_unknown_level_is_an_error(monkeypatch):
    monkeypatch.setenv("MUGE_FAST_CPU", "sse9")
    with pytest.raises(ValueError, match="unknown MUGE_FAST_CPU"):
        mf.top_k_of(np.zeros((1, 1), "f4"), 1)
