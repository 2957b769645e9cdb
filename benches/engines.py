"""FID's network on a CPU: plain torch, ONNX Runtime, and ours by each engine, on the same random weights and input."""

from __future__ import annotations

import statistics
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from benches.timing import Row, check, clock, show
from muge_fast.image import Statistics, frechet_distance
from muge_fast.image.extractors.cpu_engine import OpenVinoNetwork
from muge_fast.image.extractors.cpu_threads import run_chunks, split_batch
from muge_fast.image.extractors.inception import CPU_CHUNK
from muge_fast.image.extractors.networks import INPUT_SIZE, Inception, random_weights

ROUNDS = 5
Run = Callable[[], np.ndarray]


def engines(count: int = 48) -> Iterator[Row]:
    """Measure the network alone, after a check that all features are the same; rounds are interleaved."""
    shape = (count, 3, INPUT_SIZE, INPUT_SIZE)
    x = torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    plain, folded = network(), network().fold_batchnorm()
    openvino = OpenVinoNetwork(folded, "random", ("2048",), "fp32")
    openvino.allow_threads(torch.get_num_threads())
    with tempfile.TemporaryDirectory() as folder:
        rivals = {
            "torch, plain": of_torch(plain, x, count),
            **of_onnx_runtime(network().fold_batchnorm(), x, Path(folder)),
        }
        ours = {
            "OpenVINO": of_chunks(lambda chunk: openvino(chunk, ("2048",)), x),
            "torch": of_chunks(folded, x.to(memory_format=torch.channels_last)),
        }
        features = {name: run() for name, run in (rivals | ours).items()}
        seconds: dict[str, list[float]] = {name: [] for name in features}
        for _ in range(ROUNDS):
            for name, run in (rivals | ours).items():
                seconds[name].append(clock(run))
    expected = features["torch, plain"]
    for name, found in features.items():
        check(name, largest_difference(found, expected), 1e-5)
    work = f"FID's network, {count} images, fp32, {torch.get_num_threads()} threads"
    for mine in ours:
        for rival in rivals:
            ratios = [slow / fast for slow, fast in zip(seconds[rival], seconds[mine], strict=True)]
            rival_text = f"{rival} {count / statistics.median(seconds[rival]):.1f}/s"
            speed = f"{count / statistics.median(seconds[mine]):.1f}/s"
            yield f"{work}, engine {mine}", rival_text, speed, f"{statistics.median(ratios):.2f}x"
    for name in (*ours, *list(rivals)[1:]):
        difference = largest_difference(features[name], expected)
        yield f"Largest difference of features of {name} to plain torch, of the largest", "", "", f"{difference:.0e}"
    distances = {name: distance(features[name]) for name in ("torch, plain", "OpenVINO")}
    relative = abs(distances["OpenVINO"] / distances["torch, plain"] - 1)
    yield "FID of the halves by OpenVINO differs from plain torch by", "", "", f"{relative:.0e}"
    openvino = OpenVinoNetwork(folded, "random, again", ("2048",), "fp32")
    first = clock(lambda: openvino(x[:1], ("2048",)))
    yield "First image by OpenVINO, compiled once in a process", "", show(first), ""


def network() -> Inception:
    """Return the network with random weights, without the layers folded."""
    made = Inception()
    made.load(random_weights())
    return made.eval().requires_grad_(requires_grad=False)


def largest_difference(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found.astype("float64") - expected).max() / np.abs(expected).max())


def distance(features: np.ndarray) -> float:
    half = len(features) // 2
    return frechet_distance(*(Statistics.from_features(part) for part in (features[:half], features[half:])))


def of_torch(network: nn.Module, x: torch.Tensor, batch: int) -> Run:
    """Return a run of batches, each by all threads."""

    def run() -> np.ndarray:
        with torch.inference_mode():
            return torch.cat([network(part)["2048"] for part in x.split(min(batch, 16))]).numpy()

    return run


def of_chunks(network: Callable[[torch.Tensor], dict[str, torch.Tensor]], x: torch.Tensor) -> Run:
    """Return a run of chunks, each by one thread, as the extractor runs them."""

    def forward(chunk: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return network(chunk)["2048"]

    return lambda: torch.cat(run_chunks(forward, split_batch(x, CPU_CHUNK))).numpy()


def of_onnx_runtime(network: Inception, x: torch.Tensor, folder: Path) -> dict[str, Run]:
    """Return runs of ONNX Runtime: batches by all threads, and chunks of images by one thread each."""

    class Features(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.network(x)["2048"]

    path = folder / "inception.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = {"x": {0: "images"}}
        options = {"dynamo": False, "opset_version": 18, "input_names": ["x"], "dynamic_axes": axes}
        torch.onnx.export(Features(), (x[:1],), str(path), **options)
    threads, pixels = torch.get_num_threads(), x.numpy()

    def session(number: int) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = number
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def parts(size: int) -> list[np.ndarray]:
        return [pixels[start : start + size] for start in range(0, len(pixels), size)]

    shared, single = session(threads), session(1)

    def batches() -> np.ndarray:
        return np.concatenate([shared.run(None, {"x": part})[0] for part in parts(16)])

    def chunks() -> np.ndarray:
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(lambda part: single.run(None, {"x": part})[0], parts(CPU_CHUNK))))

    return {"ONNX Runtime, batches of 16": batches, f"ONNX Runtime, {CPU_CHUNK} images a thread": chunks}
