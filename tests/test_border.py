"""The border between Python and Rust: the lock is released, Ctrl-C interrupts, threads and forks are safe."""

import copy
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

import data
import muge_fast as mf

LONG = "红裙黑鞋白衫" * 10_000
METRICS = ("cider_d", "cider", "bleu", "rouge_l")

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals or fork")


def run(script: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - written in this file


# The interpreter lock


@pytest.fixture(scope="module")
def long_work() -> mf.Captions:
    """References whose longest common subsequences take tens of milliseconds each."""
    return mf.Captions([[LONG] * 8, ["红"]])


def test_other_python_threads_run_while_scoring(long_work):
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    start = time.perf_counter()
    long_work.score([LONG, "红"], metrics=("rouge_l",), threads=1)
    end = time.perf_counter()
    done.set()
    ticker.join()
    # The middle half lies inside the call: with the lock held there would be no tick.
    quarter = (end - start) / 4
    assert sum(start + quarter < moment < end - quarter for moment in ticks) >= 5


def test_calls_in_two_threads_overlap(long_work):
    short = mf.Captions([["红裙"], ["黑鞋"]])
    ends: list[float] = []

    def score_long() -> tuple[float, float]:
        start = time.perf_counter()
        long_work.score([LONG, "红"], metrics=("rouge_l",), threads=1)
        return start, time.perf_counter()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(score_long)
        while not future.done():
            short.score(["红裙", "黑"], metrics=METRICS)
            ends.append(time.perf_counter())
    start, end = future.result()
    quarter = (end - start) / 4
    assert sum(start + quarter < moment < end - quarter for moment in ends) >= 3


# Interrupts

# A background process of a shell ignores SIGINT, and so do its children: set the handler again.
INTERRUPTED = """
import signal
import muge_fast as mf
signal.signal(signal.SIGINT, signal.default_int_handler)
long = "红裙黑鞋白衫" * 20_000
captions = mf.Captions([[long] * 500, ["红"]])
print("ready", flush=True)
try:
    captions.score([long, "红"], metrics=("rouge_l",), threads=THREADS)
    print("never interrupted")
except KeyboardInterrupt:
    after = captions.score(["红", "红"], metrics=("rouge_l",))["rouge_l"]
    print("interrupted, then", after.per_item[1])
"""


@posix
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_long_work_within_a_second(threads):
    script = INTERRUPTED.replace("THREADS", str(threads))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        sent = time.perf_counter()
        process.send_signal(signal.SIGINT)
        printed = process.stdout.readline()
        took = time.perf_counter() - sent
        process.wait(timeout=30)
    assert printed == "interrupted, then 1.0\n"
    # One second is promised; the other is a margin for busy machines.
    assert took < 2


@posix
def test_an_exception_of_a_signal_handler_is_raised():
    script = """
import signal
import muge_fast as mf
def stop(number, frame):
    raise LookupError("stop at once")
signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.3)
long = "红裙黑鞋白衫" * 20_000
try:
    mf.score_captions([long, "红"], [[long] * 500, ["红"]], metrics=("rouge_l",))
except LookupError as error:
    print(error)
"""
    assert run(script).stdout == "stop at once\n"


@posix
def test_a_signal_handler_that_returns_does_not_interrupt():
    script = """
import signal
import muge_fast as mf
signals = []
signal.signal(signal.SIGALRM, lambda number, frame: signals.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
long = "红裙黑鞋白衫" * 10_000
scores = mf.score_captions([long, "红"], [[long] * 10, ["红"]], metrics=("rouge_l",), threads=1)
print(scores["rouge_l"].value, len(signals) > 0)
"""
    assert run(script).stdout == "1.0 True\n"


# Threads and processes


def test_one_object_may_be_used_from_many_threads():
    captions = data.caption_set(200, seed=51, references=4)
    predictions = [data.caption_set(200, seed=seed).predictions for seed in range(52, 56)]
    fresh = [mf.Captions(captions.references).score(texts, metrics=METRICS) for texts in predictions]
    expected = [{name: score.per_item.tolist() for name, score in scores.items()} for scores in fresh]
    for _ in range(5):
        # The weights are computed by whichever call comes first.
        shared = partial(mf.Captions(captions.references).score, metrics=METRICS, threads=2)
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(shared, predictions * 4))
        per_item = [{name: score.per_item.tolist() for name, score in scores.items()} for scores in results]
        assert per_item == expected * 4


def test_tokenizers_may_be_used_from_many_threads():
    texts = data.caption_set(300, seed=56).predictions
    names = ["muge", "char", "13a", "zh", "jieba", str.split] * 4
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda name: mf.tokenize(texts, name), names))
    assert tokens == [mf.tokenize(texts, name) for name in names]


# Each thread has a stack: a million of them would not fit into this memory.
MANY_THREADS = """
import resource
import numpy as np
import muge_fast as mf
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
vectors = np.random.default_rng(0).standard_normal((100, 8), dtype="float32")
one = mf.top_k(vectors, vectors, 3, threads=1)
many = [mf.top_k(vectors, vectors, 3, threads=count) for count in (10**6, 2**63 - 1, 2**70, np.int64(10**6))]
print(all((top.indices == one.indices).all() and (top.scores == one.scores).all() for top in many))
"""


@posix
def test_only_useful_threads_are_started():
    assert run(MANY_THREADS).stdout == "True\n"


@pytest.mark.parametrize("threads", [0, -1, -(2**63), -(2**70)])
def test_threads_below_one_are_refused(threads):
    with pytest.raises(ValueError, match=f"threads is {threads}, needs at least 1 or None for all cores"):
        mf.tokenize(["红裙"], threads=threads)


def test_threads_of_the_wrong_type_are_refused():
    with pytest.raises(TypeError, match="threads: expected an integer or None, found float"):
        mf.tokenize(["红裙"], threads=2.5)


FORKED = """
import os, sys
import muge_fast as mf
references = [["红色裙", "红裙"], ["黑鞋"], ["白衫"]] * 200
predictions = ["红裙", "黑", "衫白"] * 200
captions = mf.Captions(references)
before = captions.score(predictions, threads=4)
child = os.fork()
if child == 0:
    # References prepared before the fork, and after it.
    after = [captions.score(predictions, threads=4), mf.score_captions(predictions, references, threads=4)]
    same = all((scores[name].per_item == before[name].per_item).all() for scores in after for name in before)
    os._exit(0 if same and mf.tokenize(["红裙"], "jieba") else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@posix
def test_a_forked_child_has_the_scores_of_its_parent():
    assert run(FORKED).stdout == "0\n"


WORKERS = """
import muge_fast as mf
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
def score(text):
    return mf.score_captions([text, "黑"], [["红裙"], ["黑鞋"]], metrics=("rouge_l",))
if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        print([float(scores["rouge_l"].per_item[0]) for scores in pool.map(score, ["红裙", "白"])])
"""


@posix
def test_worker_processes_return_scores():
    assert run(WORKERS).stdout == "[1.0, 0.0]\n"


# Copies


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda table: pickle.loads(pickle.dumps(table))])  # noqa: S301
def test_document_frequencies_can_be_copied_and_pickled(duplicate):
    table = mf.DocumentFrequency.from_references([["红裙"], ["黑鞋"]])
    assert duplicate(table).fingerprint == table.fingerprint


def test_prepared_references_are_copied_as_themselves():
    captions = mf.Captions([["红裙"], ["黑鞋"]])
    assert copy.copy(captions) is captions
    assert copy.deepcopy({"captions": captions})["captions"] is captions


def test_changing_a_result_does_not_change_the_references():
    captions = mf.Captions([["红裙"], ["黑鞋"]])
    first = captions.score(["红裙", "黑"], metrics=("rouge_l",))["rouge_l"]
    first.per_item[:] = 7
    assert captions.score(["红裙", "黑"], metrics=("rouge_l",))["rouge_l"].per_item[0] == 1.0


def test_arguments_are_not_changed():
    predictions, references = ["红裙", "黑"], [["红裙", "红"], ["黑鞋"]]
    before = copy.deepcopy((predictions, references))
    mf.score_captions(predictions, references, tokenizer=str.split)
    mf.score_captions(predictions, references)
    assert (predictions, references) == before
