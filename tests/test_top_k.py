"""Top-k search over embeddings: equal to brute force in double precision, at every CPU level and coarse format."""

import copy
import functools
import pickle
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import muge_fast as mf

ROWS = [0, 1, 7, 15, 16, 17, 33]
DIMS = [1, 2, 15, 16, 17, 100, 512, 768, 2049]


def defined_scores(queries, items, metric="ip"):
    """Return scores by the definition: 32 running sums, then their halves; products of float32 are exact in float64."""
    products = queries.astype("float64")[:, None, :] * items.astype("float64")[None, :, :]
    dims = products.shape[2]
    padded = np.zeros((*products.shape[:2], -(-dims // 32) * 32))
    padded[:, :, :dims] = products
    sums = np.zeros((*products.shape[:2], 32))
    for start in range(0, padded.shape[2], 32):
        sums = sums + padded[:, :, start : start + 32]
    for half in (16, 8, 4, 2, 1):
        sums = sums[:, :, :half] + sums[:, :, half : 2 * half]
    scores = sums[:, :, 0]
    if metric == "cosine":
        norms = [np.sqrt([defined_scores(row[None], row[None])[0, 0] for row in rows]) for rows in (queries, items)]
        product = norms[0][:, None] * norms[1][None, :]
        scores = np.divide(scores, product, out=np.zeros_like(scores), where=product > 0)
    return scores


def brute_force(queries, items, k, metric="ip", exclude=None):
    scores = defined_scores(queries, items, metric)
    allowed = scores.copy()
    for row, indices in enumerate(exclude or []):
        allowed[row, indices] = -np.inf
    order = np.argsort(-allowed, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, axis=1), order


def assert_equal(ranking, expected, message=""):
    scores, indices = ranking
    np.testing.assert_array_equal(indices, expected[1], err_msg=message)
    np.testing.assert_array_equal(scores, expected[0], err_msg=message)
    assert (scores.dtype, indices.dtype) == (np.float64, np.int64)


def check(queries, items, k, **options):
    ranking = mf.top_k(queries, items, k, **options)
    options.pop("threads", None)
    assert_equal(ranking, brute_force(np.asarray(queries), np.asarray(items), k, **options))


def normal(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape, dtype="float32")


@pytest.mark.usefixtures("level", "coarse")
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("columns", ROWS[1:])
def test_equals_brute_force_at_odd_shapes(rows, columns):
    queries, items = normal((rows, 19), 1), normal((columns, 19), 2)
    for k in sorted({1, (columns + 1) // 2, columns}):
        for metric in ("ip", "cosine"):
            check(queries, items, k, metric=metric)


@pytest.mark.usefixtures("level", "coarse")
@pytest.mark.parametrize("dims", DIMS)
def test_equals_brute_force_in_any_dimension(dims):
    queries, items = normal((13, dims), 3), normal((150, dims), 4)
    for metric in ("ip", "cosine"):
        check(queries, items, 10, metric=metric, threads=1)
        check(queries, items, 10, metric=metric, threads=3)


def with_outliers(rng):
    items = rng.normal(size=(400, 64))
    items[:, [3, 40]] *= 20
    return items


def near_ties(rng):
    base = rng.normal(size=64).astype("float32")
    items = np.tile(base, (400, 1))
    rows = np.arange(400)
    items[rows, rows % 64] = np.nextafter(items[rows, rows % 64], np.where(rows % 3, np.inf, -np.inf), dtype="float32")
    return items


def one_giant(rng):
    items = rng.normal(size=(400, 64)) * 1e-6
    items[17] *= 1e30
    return items


ADVERSARIAL = {
    "clustered": lambda rng: rng.normal(size=(4, 64))[rng.integers(0, 4, 400)] + 0.01 * rng.normal(size=(400, 64)),
    "far from zero": lambda rng: 1000 + 0.01 * rng.normal(size=(400, 64)),
    "outlier dimensions": with_outliers,
    "duplicates": lambda rng: rng.normal(size=(9, 64))[rng.integers(0, 9, 400)],
    "all the same": lambda rng: np.tile(rng.normal(size=64), (400, 1)),
    "near ties": near_ties,
    "one-hot": lambda rng: np.eye(64)[rng.integers(0, 64, 400)] * rng.choice([1, -1, 3], size=(400, 1)),
    "signs": lambda rng: rng.choice([-1.0, 1.0], size=(400, 64)),
    "Hadamard rows": lambda _: np.array([[(-1.0) ** (i & j).bit_count() for j in range(64)] for i in range(400)]),
    "tiny norms": lambda rng: rng.normal(size=(400, 64)) * 10.0 ** rng.uniform(-38, -30, size=(400, 1)),
    "huge norms": lambda rng: rng.uniform(-3.4e38, 3.4e38, size=(400, 64)),
    "any norms": lambda rng: rng.normal(size=(400, 64)) * 10.0 ** rng.uniform(-44, 37, size=(400, 1)),
    "denormals": lambda rng: rng.integers(-3, 4, size=(400, 64)) * 1.401298464324817e-45,
    "one giant": one_giant,
    "zeros": lambda _: np.zeros((400, 64)),
    "sparse": lambda rng: rng.normal(size=(400, 64)) * (rng.random((400, 64)) < 0.02),
    "integers": lambda rng: rng.integers(-2, 3, size=(400, 64)),
    "halves of a step": lambda rng: (rng.integers(-127, 128, size=(400, 64)) + 0.5) / 127,
}


def adversarial(kind, seed):
    return ADVERSARIAL[kind](np.random.default_rng(seed)).astype("float32")


@functools.cache
def expected_of_adversarial(queries, items, metric):
    """Return the answer of brute force, which does not depend on the CPU level."""
    return brute_force(adversarial(queries, 5)[:30], adversarial(items, 6), 7, metric)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("items", sorted(ADVERSARIAL))
def test_no_vectors_break_the_bound(items, coarse):
    for queries in sorted(ADVERSARIAL):
        for metric in ("ip", "cosine"):
            ranking = mf.top_k(adversarial(queries, 5)[:30], adversarial(items, 6), 7, metric=metric)
            message = f"queries: {queries}, {metric}, coarse scores in {coarse}"
            assert_equal(ranking, expected_of_adversarial(queries, items, metric), message)


@pytest.mark.usefixtures("level", "coarse")
def test_vectors_made_to_break_the_bound():
    """Search items that differ from the best one by less than 8 bits can represent, in the direction of rounding."""
    rng = np.random.default_rng(11)
    queries = rng.standard_normal((20, 48), dtype="float32")
    best = queries.repeat(30, axis=0)
    items = best * (1 + 1e-7 * rng.integers(-8, 9, size=(600, 1))) + 1e-4 * rng.standard_normal((600, 48))
    for k in (1, 5, 30, 31):
        check(queries, items.astype("float32"), k)
        check(queries, items.astype("float32"), k, metric="cosine")


@pytest.mark.usefixtures("coarse")
def test_more_candidates_than_are_kept():
    items = np.tile(normal((1, 16), 7), (9000, 1))
    items[8000:] *= np.float32(1.0000001)
    check(normal((3, 16), 8), items, 5)


def copies(rng, count, scale=1e-6):
    return rng.normal(size=64) + scale * rng.normal(size=(count, 64))


MANY_CANDIDATES = {
    "copies first": lambda rng: np.concatenate([copies(rng, 1500), rng.normal(size=(1500, 64))]),
    "copies between": lambda rng: np.stack([copies(rng, 1500), rng.normal(size=(1500, 64))], axis=1).reshape(3000, 64),
    "copies last, some equal": lambda rng: np.concatenate([rng.normal(size=(1500, 64)), copies(rng, 1500, 1e-8)]),
    "ascending": lambda rng: np.linspace(-1, 1, 3000)[:, None] * np.abs(rng.normal(size=64)),
    "ascending, beyond single precision": lambda rng: np.linspace(-3, 3, 3000)[:, None] * rng.uniform(1e37, 1e38, 64),
    "ascending, below single precision": lambda rng: np.linspace(-3, 3, 3000)[:, None] * rng.uniform(1e-44, 1e-42, 64),
}


@functools.cache
def many_candidates(kind, metric):
    """Return queries, items and the answer of brute force, which does not depend on the CPU level."""
    rng = np.random.default_rng(17)
    items = MANY_CANDIDATES[kind](rng).astype("float32")
    queries = np.concatenate([items[[0, 1400, 2999]], np.abs(rng.normal(size=(14, 64))).astype("float32")])
    return queries, items, brute_force(queries, items, 100, metric)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("metric", ["ip", "cosine"])
@pytest.mark.parametrize("kind", sorted(MANY_CANDIDATES))
def test_thousands_of_candidates_are_scored_a_part_at_a_time(kind, metric, coarse):
    queries, items, (scores, indices) = many_candidates(kind, metric)
    for k, threads in ((1, 1), (10, 2), (100, 5)):
        ranking = mf.top_k(queries, items, k, metric=metric, threads=threads)
        assert_equal(ranking, (scores[:, :k], indices[:, :k]), f"{kind}, {k}, {coarse}")


# Large groups of copies are looked for among four million pairs and more.
REPEATS = 1000


@functools.cache
def with_copies(metric):
    """Return repeated queries, items of which two thirds are exact or near copies, excluded items, and the answer."""
    rng = np.random.default_rng(23)
    exact, near, other = rng.normal(size=(3, 400, 40))
    exact[:] = exact[0]
    near = near[0] * rng.choice([1, 3] if metric == "cosine" else [1], size=(400, 1)) * (1 + 1e-7 * near)
    items = rng.permutation(np.concatenate([exact, near, other])).astype("float32")
    queries = np.stack([exact[0], near[0], other[0], exact[0] + near[0], -other[1]]).astype("float32")
    exclude = [list(range(0, 1200, 20)), [], [3], list(range(70)), [0, 1199]]
    scores, indices = brute_force(queries, items, 60, metric, exclude)
    queries, scores, indices = (np.tile(array, (REPEATS, 1)) for array in (queries, scores, indices))
    return queries, items, exclude * REPEATS, (scores, indices)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("metric", ["ip", "cosine"])
def test_exact_and_near_copies_are_ranked(metric, coarse):
    queries, items, exclude, (scores, indices) = with_copies(metric)
    for k, threads in ((1, 1), (60, 2)):
        ranking = mf.top_k(queries, items, k, metric=metric, exclude=exclude, threads=threads)
        assert_equal(ranking, (scores[:, :k], indices[:, :k]), f"{k}, {coarse}")
    search = mf.TopK(60, metric=metric)
    for start, end in ((900, 1200), (0, 900)):
        search.update(queries, items[start:end], start, exclude=exclude)
    assert_equal(search.compute(), (scores, indices), f"in batches, {coarse}")


@pytest.mark.usefixtures("level", "coarse")
def test_all_items_are_ranked():
    queries, items = normal((5, 20), 21), normal((1500, 20), 22)
    check(queries, items, 1500)


@pytest.mark.usefixtures("level", "coarse")
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_types_may_be_mixed(dtype):
    queries, items = normal((9, 33), 9), normal((70, 33), 10)
    check(queries.astype(dtype), items.astype("float16"), 5)


@pytest.mark.usefixtures("level")
def test_bfloat16_of_torch():
    torch = pytest.importorskip("torch")
    queries, items = torch.tensor(normal((9, 33), 9)), torch.tensor(normal((70, 33), 10)).bfloat16()
    assert_equal(mf.top_k(queries, items, 5), brute_force(queries.numpy(), items.float().numpy(), 5))


def test_other_layouts_are_copied():
    queries, items = normal((33, 9), 9), normal((70, 66), 10)
    check(queries.T, items[:, ::2], 5)
    check(np.asfortranarray(queries.T), items[::-1, :33], 5)


@pytest.mark.usefixtures("level", "coarse")
def test_excluded_items_are_not_found():
    queries, items = normal((40, 24), 12), normal((200, 24), 13)
    _, best = brute_force(queries, items, 30)
    exclude = [list(row[: 2 * (query % 15)])[::-1] for query, row in enumerate(best)]
    check(queries, items, 10, exclude=exclude)
    check(queries, items, 10, exclude=exclude, metric="cosine")
    expected = mf.top_k(queries, items, 10, exclude=exclude).indices.tolist()
    for form in (map(set, exclude), [set(row) for row in exclude], iter(exclude)):
        assert mf.top_k(queries, items, 10, exclude=form).indices.tolist() == expected
    assert (mf.top_k(items, items, 1, exclude=np.arange(200)[:, None]).indices[:, 0] != np.arange(200)).all()


def same_bits(ranking, expected):
    return all(left.tobytes() == right.tobytes() for left, right in zip(ranking, expected, strict=True))


@pytest.mark.usefixtures("coarse")
def test_batches_in_any_order_and_merged_searches_give_the_same_bits():
    queries, items = normal((50, 40), 14), np.concatenate([normal((300, 40), 15), normal((300, 40), 15)])
    whole = mf.top_k(queries, items, 10)
    first, second = mf.TopK(10), mf.TopK(10)
    batches = ((first, 590, 600), (first, 0, 7), (second, 100, 590), (first, 7, 100), (first, 600, 600))
    for search, start, end in batches:
        search.update(queries, items[start:end], start)
    first.merge(second)
    first.merge(mf.TopK(10))
    assert same_bits(first.compute(), whole)
    assert repr(first) == "<TopK of 600 items for 50 queries>"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda best: pickle.loads(pickle.dumps(best))])  # noqa: S301
def test_a_search_can_be_copied_and_pickled(duplicate):
    queries, items = normal((20, 8), 3), normal((60, 8), 4)
    whole = mf.top_k(queries, items, 4, metric="cosine")
    searches = [mf.TopK(4, metric="cosine") for _ in range(3)]
    # The first search has too few items for a result, and the last has none.
    searches[0].update(queries, items[:2], 0)
    searches[1].update(queries, items[40:], 40)
    first, second, third = map(duplicate, searches)
    first.update(queries, items[2:40], 2)
    assert repr(searches[0]) == "<TopK of 2 items for 20 queries>"
    for other in (second, third):
        first.merge(other)
    assert same_bits(first.compute(), whole)
    with pytest.raises(ValueError, match="offset: items 40 to 59"):
        second.update(queries, items[:30], 35)


@pytest.mark.parametrize("duplicate", [lambda search: search, copy.copy])
def test_a_search_that_was_reset_is_like_a_new_one(duplicate):
    queries, items = normal((20, 8), 3), normal((60, 8), 4)
    search = mf.TopK(4, metric="cosine")
    search.update(normal((3, 5), 1), normal((9, 5), 2), 0)
    search = duplicate(search)
    search.reset()
    assert search.compute().indices.shape == (0, 4)
    search.update(queries, items, 0)
    assert same_bits(search.compute(), mf.top_k(queries, items, 4, metric="cosine"))


def test_errors_name_the_argument():
    queries, items = normal((3, 4), 1), normal((5, 4), 2)
    bad = items.copy()
    bad[4, 2] = np.nan
    calls = [
        (lambda: mf.top_k(queries, bad, 1), r"items: row 4 has NaN in column 2"),
        (lambda: mf.top_k(-np.inf * queries, items, 1), r"queries: row 0 has -?inf in column 0"),
        (lambda: mf.top_k(queries, items, 6), r"k must be at most 5, the number of items, got 6"),
        (lambda: mf.top_k(queries, items, 0), r"k must be at least 1, got 0"),
        (lambda: mf.top_k(queries, items[:0], 1), r"k must be at most 0"),
        (lambda: mf.top_k(queries, items[:, :3], 1), r"items: vectors have 3 dimensions, those of queries have 4"),
        (lambda: mf.top_k(queries[0], items, 1), r"queries must have two dimensions.* got shape \(4,\)"),
        (lambda: mf.top_k(queries[:, :0], items[:, :0], 1), r"queries: vectors have 0 dimensions"),
        (lambda: mf.top_k(queries, items, 1, metric="l2"), r"unknown metric 'l2', choose one of ip, cosine"),
        (lambda: mf.top_k(queries, items, 1, threads=0), r"threads is 0"),
        (lambda: mf.top_k(queries, items, 1, exclude=[[0]]), r"exclude has 1 lists, but there are 3 queries"),
        (
            lambda: mf.top_k(queries, items, 3, exclude=[[], [0, 1, 2], []]),
            r"k: is 3, but queries\[1\] has only 2 items",
        ),
        (
            lambda: mf.top_k(queries, items, 1, exclude=[[], [4, -1], []]),
            r"exclude\[1\] has the index -1, needs 0 to 4",
        ),
        (lambda: mf.top_k(queries, items, 1, exclude=[[], [], [0, 5]]), r"exclude\[2\] has the index 5, needs 0 to 4"),
        (lambda: mf.top_k(queries, items, 1, exclude=[[2**63], [], []]), rf"exclude\[0\] has the index {2**63}, needs"),
        (lambda: mf.TopK(1).update(queries, items, 0, exclude=[[-1], [], []]), r"exclude\[0\] has the index -1"),
        (lambda: mf.TopK(0), r"k must be at least 1, got 0"),
        (lambda: mf.TopK(2**70), rf"k must be at most {2**48}"),
        (lambda: mf.TopK(1, metric="l2"), r"unknown metric 'l2'"),
        (lambda: mf.TopK(1).update(queries, items, -1), r"offset must be at least 0, got -1"),
        (lambda: mf.TopK(1).update(queries, items, 2**70), r"offset must be at most \d+, got"),
    ]
    for call, message in calls:
        with pytest.raises(ValueError, match=message):
            call()


def test_wrong_types_name_the_argument():
    queries, items = normal((3, 4), 1), normal((5, 4), 2)
    calls = [
        (lambda: mf.top_k(queries.astype("float64"), items, 1), r"queries must be float32, .*, got dtype float64"),
        (lambda: mf.top_k(queries.astype(">f4"), items, 1), r"queries must be float32, .*, got dtype >f4"),
        (lambda: mf.top_k(queries, items.tolist(), 1), r"items must be a NumPy array or have __dlpack__, got list"),
        (
            lambda: mf.top_k(queries, items, 1, exclude=[[0.5], [], []]),
            r"exclude\[0\] must have integers, got float64",
        ),
        (lambda: mf.top_k(queries, items, 1, exclude=[[], 4, []]), r"exclude\[1\] must be a list of indices"),
        (lambda: mf.top_k(queries, items, 1.5), r"k must be an integer, got 1.5"),
        (lambda: mf.TopK("1"), r"k must be an integer, got '1'"),
        (lambda: mf.TopK(1).update(queries, items, 0.0), r"offset must be an integer, got 0.0"),
        (lambda: mf.TopK(1).merge(None), r"other must be a TopK, got NoneType"),
    ]
    for call, message in calls:
        with pytest.raises(TypeError, match=message):
            call()


def test_an_error_leaves_a_search_as_it_was():
    queries, items = normal((3, 4), 1), normal((5, 4), 2)
    search = mf.TopK(2)
    search.update(queries, items, 0)
    before = search.compute().scores.tobytes()
    other = mf.TopK(2)
    other.update(queries, items, 3)
    bad = np.full((2, 4), np.nan, dtype="float32")
    for call in (
        lambda: search.update(queries, bad, 5),
        lambda: search.update(queries, items, 4),
        lambda: search.update(queries[:2], items, 5),
        lambda: search.merge(other),
        lambda: search.merge(search),
        lambda: search.merge(mf.TopK(3)),
        lambda: search.merge(mf.TopK(2, metric="cosine")),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            call()
    assert search.compute().scores.tobytes() == before


def test_a_progress_bar_is_shown_when_asked(capsys):
    queries, items = normal((30, 4), 1), normal((50, 4), 2)
    mf.top_k(queries, items, 1)
    assert capsys.readouterr().err == ""
    mf.top_k(queries, items, 1, progress=True)
    assert "30/30" in capsys.readouterr().err


def test_a_long_search_can_be_interrupted():
    script = """
import signal
import numpy as np, muge_fast as mf
# A shell that starts the tests in the background makes them ignore the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
vectors = np.random.default_rng(0).standard_normal((200_000, 128), dtype="float32")
print("ready", flush=True)
mf.top_k(vectors, vectors, 10)
"""
    process = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    threading.Event().wait(0.3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in errors
