"""Networks that OpenVINO runs on a CPU, against the same networks in plain torch."""

import copy
import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest

import muge_fast.image
from image_data import pictures
from muge_fast.image import Statistics
from muge_fast.scores import without_engine

torch = pytest.importorskip("torch")
pytest.importorskip("openvino")
pytest.importorskip("PIL")

from muge_fast.image.extractors import cpu_engine  # noqa: E402 - only with torch
from muge_fast.image.extractors.inception import InceptionExtractor  # noqa: E402
from muge_fast.image.extractors.networks import OUTPUTS, random_weights  # noqa: E402
from muge_fast.image.extractors.openvino_graph import translate  # noqa: E402
from muge_fast.image.extractors.torchvision_network import TorchvisionInception  # noqa: E402

# Sets are small here, which warns.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:FID of")]

# Largest difference of features, relative to their norm.
BOUND = 2e-6


@pytest.fixture(scope="module")
def files(weights, tmp_path_factory):
    """Path of the weights of each protocol."""
    path = tmp_path_factory.mktemp("torchvision") / "torchvision.pth"
    torch.save(random_weights(network=TorchvisionInception), path)
    return {"tf1": weights, "ofa": path}


@pytest.fixture
def threads():
    """Restore torch's number of threads."""
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


def difference(actual, expected):
    return float((actual.double() - expected.double()).norm() / expected.double().norm())


@pytest.mark.parametrize("protocol", ["tf1", "ofa"])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_every_output_is_that_of_torch(files, protocol, count):
    images = pictures(count)
    options = {"protocol": protocol, "outputs": OUTPUTS, "device": "cpu"}
    fast, plain = (InceptionExtractor(files[protocol], engine=name, **options) for name in (None, "torch"))
    assert (fast.engine, plain.engine) == ("openvino", "torch")
    assert without_engine(fast.signature) == plain.signature
    computed, expected = fast(images), plain(images)
    for name in OUTPUTS:
        assert computed[name].dtype == torch.float32
        assert computed[name].shape == expected[name].shape
        assert difference(computed[name], expected[name]) < BOUND, name


@pytest.mark.parametrize("protocol", ["tf1", "ofa"])
def test_some_of_the_outputs_are_those_of_all(files, protocol):
    images = pictures(3)
    extractor = InceptionExtractor(files[protocol], protocol=protocol, outputs=OUTPUTS, device="cpu")
    everything = extractor(images)
    for names in (("2048",), ("logits", "64"), ("logits_unbiased",)):
        some = extractor.with_outputs(names)(images)
        assert list(some) == list(names)
        for name in names:
            assert torch.equal(some[name], everything[name])


def test_features_have_the_same_bits_for_any_number_of_threads(weights, threads):
    images = np.random.default_rng(5).integers(0, 256, (9, 40, 50, 3), dtype=np.uint8)
    extractor = InceptionExtractor(weights, device="cpu")
    found = []
    for number in (1, threads + 1, 2):
        torch.set_num_threads(number)
        found += [extractor(images)["2048"], *(batch["2048"] for batch in extractor.iter_batches([images]))]
        assert torch.get_num_threads() == number
    for other in found[1:]:
        assert torch.equal(other, found[0])


def test_fid_is_that_of_torch(weights):
    sets = pictures(12, seed=1), pictures(11, seed=2)
    fast, plain = (
        muge_fast.image.fid(*sets, extractor=InceptionExtractor(weights, device="cpu", engine=name))
        for name in ("openvino", "torch")
    )
    assert fast.value == pytest.approx(plain.value, rel=1e-6)
    assert without_engine(fast.signature) == plain.signature


def test_statistics_of_both_engines_are_comparable(weights):
    fast, plain = (InceptionExtractor(weights, device="cpu", engine=name) for name in ("openvino", "torch"))
    images = pictures(4)
    statistics = [
        Statistics.from_features(each(images)["2048"], extractor_signature=each.signature) for each in (fast, plain)
    ]
    score = muge_fast.image.fid(*statistics)
    assert score.value == pytest.approx(0, abs=1e-6)
    assert f"|{plain.signature}|engine:mixed|" in score.signature


def test_bf16_is_computed_by_torch_where_openvino_would_ignore_it(weights, monkeypatch):
    monkeypatch.setattr(cpu_engine, "_has_precision", lambda precision: precision != "bf16")
    assert InceptionExtractor(weights, device="cpu", precision="bf16").engine == "torch"
    with pytest.raises(ValueError, match="this CPU has no instructions for precision 'bf16'"):
        InceptionExtractor(weights, device="cpu", precision="bf16", engine="openvino")


def test_engines_are_checked_before_weights_are_read(tmp_path, monkeypatch):
    for options, error, message in (
        ({"engine": "x"}, ValueError, "unknown engine 'x', choose one of openvino, torch"),
        ({"engine": 1}, TypeError, "engine must be one of"),
        ({"engine": "openvino", "device": "meta"}, ValueError, "runs on a CPU, but device is 'meta'"),
    ):
        with pytest.raises(error, match=message):
            InceptionExtractor(tmp_path / "none.pth", **{"device": "cpu"} | options)
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(
        ImportError, match=r"openvino is required for engine='openvino': pip install 'muge-fast\[t2i\]'"
    ):
        InceptionExtractor(tmp_path / "none.pth", device="cpu", engine="openvino")


@pytest.mark.usefixtures("threads")
def test_a_graph_is_compiled_once_for_all_extractors_of_the_same_weights(weights, tmp_path, monkeypatch):
    compiled = []

    class Counted(cpu_engine.CompiledGraph):
        def __init__(self, graph, outputs, precision, streams):
            compiled.append((outputs, streams))
            super().__init__(graph, outputs, precision, streams)

    monkeypatch.setattr(cpu_engine, "CompiledGraph", Counted)
    monkeypatch.setattr(cpu_engine, "GRAPHS", cpu_engine._CompiledGraphs())
    images = pictures(2)
    torch.set_num_threads(2)
    first = InceptionExtractor(weights, device="cpu")(images)["2048"]
    for extractor in (
        InceptionExtractor(weights, device="cpu"),
        copy.deepcopy(InceptionExtractor(weights, device="cpu")),
    ):
        restored = pickle.loads(pickle.dumps(extractor))  # noqa: S301 - our own bytes
        assert torch.equal(restored(images)["2048"], first)
        assert torch.equal(extractor(images)["2048"], first)
    assert compiled == [(("2048",), 2)]
    # More threads need more streams, fewer do not.
    for number in (3, 1):
        torch.set_num_threads(number)
        extractor(images)
    assert compiled == [(("2048",), 2), (("2048",), 3)]
    # Other weights have another graph, and no more than KEPT graphs stay.
    for seed in (1, 2):
        torch.save(random_weights(seed), tmp_path / "other.pth")
        other = InceptionExtractor(tmp_path / "other.pth", device="cpu")(images)["2048"]
        assert difference(other, first) > 0.1
    assert len(compiled) == 4
    assert len(cpu_engine.GRAPHS._graphs) == cpu_engine.KEPT


@pytest.mark.skipif(not hasattr(signal, "SIGCHLD"), reason="needs SIGCHLD")
def test_signals_are_handled_after_graphs_were_dropped(tmp_path):
    script = """
import numpy, signal, subprocess, sys, torch
from muge_fast.image.extractors import InceptionExtractor, cpu_engine
from muge_fast.image.extractors.networks import random_weights
received = []
signal.signal(signal.SIGCHLD, lambda number, _: received.append(number))
images = numpy.zeros((1, 8, 8, 3), dtype="uint8")
torch.save(random_weights(), sys.argv[1])
for outputs in ("2048", "logits"):
    InceptionExtractor(sys.argv[1], device="cpu", outputs=(outputs,))(images)
assert len(cpu_engine.GRAPHS._graphs) == 2
while cpu_engine.GRAPHS._graphs:
    cpu_engine.GRAPHS._graphs.popitem(last=False)
subprocess.run([sys.executable, "-c", ""], check=True)
assert received == [signal.SIGCHLD]
"""
    command = [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / "weights.pth")]
    assert subprocess.run(command, check=False).returncode == 0  # noqa: S603 - our own script


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_gets_an_error_instead_of_waiting_forever(weights):
    script = f"""
import multiprocessing, numpy, sys
from muge_fast.image.extractors import InceptionExtractor
extractor = InceptionExtractor({str(weights)!r}, device="cpu")
images = numpy.zeros((1, 8, 8, 3), dtype="uint8")
extractor(images)
def run():
    try:
        extractor(images)
    except RuntimeError as error:
        sys.exit(7 if "'spawn', or pass engine='torch'" in str(error) else 8)
child = multiprocessing.get_context("fork").Process(target=run)
child.start()
child.join(60)
sys.exit(child.exitcode or 9)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=False)  # noqa: S603 - our own script
    assert done.returncode == 7


def test_an_operation_without_a_translation_raises():
    import openvino  # noqa: PLC0415 - optional

    class Network(torch.nn.Module):
        def forward(self, x, outputs):
            return {name: torch.erf(x) for name in outputs}

    with pytest.raises(NotImplementedError, match="erf has no translation to OpenVINO"):
        translate(Network(), ["2048"], 8, openvino)
