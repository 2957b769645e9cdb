"""Random numbers equal to NumPy's, and sums of resampled and of swapped items equal to plain definitions."""

import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from muge_fast import _core

SEEDS = [0, 1, 12345, 2**40 + 7, 2**130 + 5]
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no alarm signals")
BLEU_SUMS = np.array([[486.0, 733, 320, 121, 36, 9, 486, 474, 462, 450], [9, 9, 9, 8, 7, 6, 9, 8, 7, 6], [0.0] * 10])


def words(seed):
    """Return the words of 32 bits of a seed, the lowest first."""
    return [seed >> shift & 0xFFFFFFFF for shift in range(0, max(seed.bit_length(), 1), 32)]


def generators(seed):
    """Return the same generator twice: the package's and NumPy's."""
    return _core.Pcg64(words(seed)), np.random.default_rng(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_raw_numbers_are_those_of_numpy_and_keep_the_half(seed):
    ours, numpys = generators(seed)
    assert np.array_equal(ours.indices(10, 3), numpys.integers(0, 10, 3))
    assert np.array_equal(ours.raw(1001), numpys.bit_generator.random_raw(1001))
    assert np.array_equal(ours.indices(10, 3), numpys.integers(0, 10, 3))


@pytest.mark.parametrize("seed", SEEDS)
def test_indices_are_those_of_numpy_for_every_size(seed):
    ours, numpys = generators(seed)
    for n in [1, 2, 7, 64, 1000, 10007, 2**31 - 1, 2**31, 2**31 + 11, 2**32 - 1]:
        for count in [0, 1, 333, 5000]:
            expected = numpys.integers(0, n, count)
            found = ours.indices(n, count)
            assert found.dtype == np.uint32
            assert np.array_equal(found, expected), (n, count)


@pytest.mark.parametrize("seed", SEEDS)
def test_bits_are_those_of_numpy_and_draws_go_on_after_them(seed):
    ours, numpys = generators(seed)
    for count in [5, 32, 0, 33, 1, 1000]:
        found = ours.bits(count)
        assert found.dtype == np.bool_
        assert np.array_equal(found, numpys.integers(2, size=count, dtype=bool)), count
        assert np.array_equal(ours.indices(101, 50), numpys.choice(101, size=50)), count


@pytest.mark.parametrize("steps", [0, 1, 7, 2**64 + 3])
def test_advancing_is_that_of_numpy(steps):
    ours, numpys = generators(3)
    ours.indices(9, 1)
    numpys.integers(0, 9, 1)
    ours.advance(steps)
    numpys.bit_generator.advance(steps)
    assert np.array_equal(ours.indices(9, 10), numpys.integers(0, 9, 10))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 255, 256, 257, 1000])
@pytest.mark.usefixtures("level")
def test_sums_of_whole_numbers_are_those_of_the_resampled_rows(n, threads):
    rows = np.random.default_rng(n).integers(-50, 400, (n, 13)).astype(float)
    ours, numpys = generators(n)
    expected = rows[numpys.integers(0, n, (70, n))].sum(1)
    assert np.array_equal(ours.resample_sums(rows, 70, threads), expected)
    assert np.array_equal(ours.indices(n + 1, 5), numpys.integers(0, n + 1, 5))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("n", [1, 7, 8, 31, 32, 33, 64, 255, 257])
@pytest.mark.usefixtures("level")
def test_sums_of_whole_numbers_are_those_of_the_selected_rows(n, threads):
    rows = np.random.default_rng(n).integers(-50, 400, (n, 13)).astype(float)
    ours, numpys = generators(n)
    expected = numpys.integers(2, size=(70, n), dtype=bool).astype(float) @ rows
    assert np.array_equal(ours.swap_sums(rows, 70, threads), expected)
    assert np.array_equal(ours.indices(n + 1, 5), numpys.integers(0, n + 1, 5))


@pytest.mark.parametrize("method", ["resample_sums", "swap_sums"])
@pytest.mark.parametrize("kind", ["whole", "real"])
@pytest.mark.usefixtures("level")
def test_blocks_of_calls_are_one_call(method, kind):
    rows = np.random.default_rng(5).integers(0, 60, (101, 11)).astype(float)
    if kind == "real":
        rows /= 7
    whole, parts = _core.Pcg64([5]), _core.Pcg64([5])
    expected = getattr(whole, method)(rows, 60, 1)
    blocks = [getattr(parts, method)(rows, count, threads) for count, threads in [(1, 1), (9, 2), (50, 5)]]
    assert np.concatenate(blocks).tobytes() == expected.tobytes()
    assert np.array_equal(parts.raw(3), whole.raw(3))


def lanes_sum(products):
    """Return sums over the last axis in eight lanes, which are folded."""
    lanes = np.zeros((*products.shape[:-1], 8))
    for item in range(products.shape[-1]):
        lanes[..., item % 8] += products[..., item]
    for half in (4, 2, 1):
        lanes = lanes[..., :half] + lanes[..., half : 2 * half]
    return lanes[..., 0]


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("n", [1, 9, 33, 255, 1000])
@pytest.mark.usefixtures("level")
def test_sums_of_resampled_reals_have_the_bits_of_the_definition(n, threads):
    rows = np.random.default_rng(n).normal(size=(n, 5))
    indices = _core.Pcg64([8]).indices(n, 30 * n).reshape(30, n)
    counts = np.array([np.bincount(row, minlength=n) for row in indices], dtype=float)
    expected = lanes_sum(counts[:, None, :] * rows.T[None])
    assert _core.Pcg64([8]).resample_sums(rows, 30, threads).tobytes() == expected.tobytes()
    for column in range(5):
        alone = _core.Pcg64([8]).resample_sums(rows[:, column : column + 1].copy(), 30, threads)
        assert np.array_equal(alone[:, 0], expected[:, column])


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("n", [1, 9, 33, 255, 1000])
@pytest.mark.usefixtures("level")
def test_sums_of_selected_reals_have_the_bits_of_the_definition(n, threads):
    rows = np.random.default_rng(n).normal(size=(n, 5))
    selected = _core.Pcg64([8]).bits(30 * n).reshape(30, n)
    expected = np.zeros((30, 5))
    for start in range(0, n, 8):
        group = np.zeros((30, 5))
        for item in range(start, min(start + 8, n)):
            group += selected[:, item, None] * rows[item]
        expected += group
    assert _core.Pcg64([8]).swap_sums(rows, 30, threads).tobytes() == expected.tobytes()


@pytest.mark.parametrize("method", ["resample_sums", "swap_sums"])
def test_rows_that_cannot_be_summed_are_errors(method):
    generator = _core.Pcg64([1])
    sums = getattr(generator, method)
    with pytest.raises(ValueError, match="rows is empty"):
        sums(np.zeros((0, 3)), 5)
    with pytest.raises(ValueError, match="rows is empty"):
        sums(np.zeros((3, 0)), 5)
    with pytest.raises(ValueError, match=r"row 1 has NaN in column 0"):
        sums(np.array([[1.0], [np.nan]]), 5)
    with pytest.raises(ValueError, match=r"row 0 has -inf in column 1"):
        sums(np.array([[1.0, -np.inf]]), 5)
    with pytest.raises(ValueError, match=r"(resamples|trials) is 0, needs at least 1"):
        sums(np.ones((3, 1)), 0)
    with pytest.raises(ValueError, match="threads is 0"):
        sums(np.ones((3, 1)), 5, 0)
    assert np.array_equal(generator.raw(2), _core.Pcg64([1]).raw(2)), "a failed call draws nothing"


def test_sizes_that_cannot_be_drawn_are_errors():
    generator = _core.Pcg64([1])
    for n in (0, 2**32):
        with pytest.raises(ValueError, match=f"n is {n}, needs 1 to 4294967295"):
            generator.indices(n, 3)
    with pytest.raises(ValueError, match="seed is empty"):
        _core.Pcg64([])
    for draw in (generator.raw, generator.bits, lambda count: generator.indices(7, count)):
        with pytest.raises(MemoryError):
            draw(2**62)
    for method in ("resample_sums", "swap_sums"):
        with pytest.raises(MemoryError):
            getattr(generator, method)(np.ones((3, 1)), 2**61)


@posix
@pytest.mark.parametrize("method", ["resample_sums", "swap_sums"])
def test_an_interrupted_call_draws_nothing(method):
    class StoppedError(Exception):
        pass

    def stop(*_):
        raise StoppedError

    generator = _core.Pcg64([1])
    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(StoppedError):
            getattr(generator, method)(np.full((20_000, 3), 0.5), 10**6)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert np.array_equal(generator.raw(2), _core.Pcg64([1]).raw(2))


def advance_until(generator, done):
    """Call the generator again and again."""
    while not done():
        generator.advance(0)


def test_a_generator_runs_one_call_at_a_time():
    generator = _core.Pcg64([1])
    rows = np.full((10_000, 2), 0.5)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(generator.resample_sums, rows, 2000, 1)
        with pytest.raises(RuntimeError, match="the generator is in use by another call"):
            advance_until(generator, running.done)
        assert running.result().shape == (2000, 2)


@pytest.mark.parametrize(
    ("smoothing", "value"), [("tiny", None), ("none", None), ("floor", 0.3), ("add-k", 2.0), ("exp", None)]
)
@pytest.mark.parametrize("effective_order", [False, True])
def test_bleu_of_sums_has_the_bits_of_bleu_score(smoothing, value, effective_order):
    scores = _core.bleu_of_sums(BLEU_SUMS, smoothing, value, effective_order, "float64")
    expected = [_core.bleu_score(row[None], smoothing, value, effective_order)[0][3] for row in BLEU_SUMS]
    assert scores.tolist() == expected
    percent = _core.bleu_of_sums(BLEU_SUMS, smoothing, value, effective_order, "float64", percent=True)
    assert np.allclose(percent / 100, expected, rtol=1e-15, atol=0)


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("effective_order", [False, True])
@pytest.mark.parametrize(("smoothing", "value"), [("none", None), ("floor", 0.3), ("add-k", 2.0), ("exp", None)])
def test_percentages_have_the_bits_of_sacrebleu(smoothing, value, effective_order, precision):
    metrics = pytest.importorskip("sacrebleu.metrics.bleu")
    if int(np.__version__.split(".")[0]) < 2 and precision == "float32":
        pytest.skip("NumPy 1 computes these in double precision")
    rng = np.random.default_rng(2)
    totals = rng.integers(4, 3000, 300)
    matched = np.sort(rng.integers(0, totals[:, None], (300, 4)), axis=1)[:, ::-1] * (rng.random((300, 4)) > 0.2)
    sums = np.column_stack([totals, rng.integers(1, 3000, 300), matched, *(totals - order for order in range(4))])
    sums = np.concatenate([sums, BLEU_SUMS]).astype(precision)
    metric = metrics.BLEU(smooth_method=smoothing, smooth_value=value, effective_order=effective_order)
    # sacrebleu takes lists of Python's numbers for corpora, arrays of float32 for resamples.
    rows = [row.copy() if precision == "float32" else row.tolist() for row in sums]
    expected = [metric._compute_score_from_stats(row).score for row in rows]
    found = _core.bleu_of_sums(sums.astype(float), smoothing, value, effective_order, precision, percent=True)
    assert found.tolist() == expected


def test_names_of_bleu_of_sums_are_checked():
    with pytest.raises(ValueError, match='unknown precision "half", choose one of float64, float32'):
        _core.bleu_of_sums(BLEU_SUMS, "exp", None, False, "half")
    with pytest.raises(ValueError, match="needs 10 columns"):
        _core.bleu_of_sums(BLEU_SUMS[:, :9].copy(), "exp", None, False, "float64")
