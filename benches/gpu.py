"""FID's network and the search of embeddings on a GPU: speed, fraction of the card's peak, and differences of results.

Weights and embeddings are random.

python -m benches.gpu                                   # or make bench-gpu
python -m benches.gpu --device cpu --images 8 --batch 4 # runs every line without a GPU
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

import muge_fast as mf
from benches.pictures import SIZE as PICTURE_SIZE
from benches.pictures import write_folder
from benches.timing import check, show
from muge_fast.image import Statistics, fid
from muge_fast.image.extractors import InceptionExtractor
from muge_fast.image.extractors.networks import INPUT_SIZE, Inception, random_weights
from muge_fast.image.extractors.torch_precision import (
    HIGHEST_MATMUL_PRECISION,
    PRECISIONS,
    network_precision,
)
from muge_fast.retrieval import top_k_torch

# TFLOP/s of dense matrix products by NVIDIA's data sheets: float32 without tensor cores, TF32 and bfloat16 with them.
# By the full name of the device: cards whose names differ by a word differ in speed.
A100 = {"fp32": 19.5, "tf32": 156.0, "bf16": 312.0}
H100 = {"fp32": 67.0, "tf32": 494.5, "bf16": 989.0}
PEAKS = {
    "NVIDIA A100-SXM4-40GB": A100,
    "NVIDIA A100-SXM4-80GB": A100,
    "NVIDIA A100-PCIE-40GB": A100,
    "NVIDIA A100 80GB PCIe": A100,
    "NVIDIA H100 80GB HBM3": H100,
    "NVIDIA H100 PCIe": {"fp32": 51.0, "tf32": 378.0, "bf16": 756.0},
    "NVIDIA H200": H100,
    "NVIDIA L40S": {"fp32": 91.6, "tf32": 183.0, "bf16": 362.0},
    "NVIDIA GeForce RTX 4090": {"fp32": 82.6, "tf32": 82.6, "bf16": 165.2},
}
# Seconds for which the network alone is measured.
NETWORK_SECONDS = 2.0
# Queries, items and dimensions of the search: the validation set of the benchmark, or a small one on a CPU.
SEARCH_SIZES = {"cuda": (5_000, 30_000, 512), "cpu": (200, 2_000, 64)}
K = 10
SEARCH_RUNS = 9


@dataclass(frozen=True)
class Result:
    """Speed and FID of one precision.

    Attributes:
        network: Images/s of the network alone, with its input on the device.
        end_to_end: Images/s from files to sums of statistics.
        fid: The Fréchet distance.

    """

    network: float
    end_to_end: float
    fid: float


def main() -> None:
    options = parse()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("There is no CUDA device, so nothing is measured. --device cpu runs every line.")
        return
    device = torch.device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}, CUDA {torch.version.cuda}, {os.cpu_count()} cores, random weights")
    print(
        f"2 x {options.images} JPEG {PICTURE_SIZE} x {PICTURE_SIZE}, batches of {options.batch}, "
        f"{options.threads} threads decode"
    )
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "inception.pth"
        torch.save(random_weights(), weights)
        folders = [write_folder(Path(folder) / str(seed), options.images, seed) for seed in range(2)]
        results = {precision: measure(precision, weights, folders, options) for precision in PRECISIONS}
        print_results(results, count_flops(weights), PEAKS.get(name, {}))
    search(device)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--images", type=int, default=2000, help="images of each of two sets")
    parser.add_argument("--batch", type=int, default=128, help="images of a batch")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads that decode")
    return parser.parse_args()


# The network


def measure(precision: str, weights: Path, folders: Sequence[Path], options: argparse.Namespace) -> Result:
    extractor = InceptionExtractor(weights, precision=precision, device=options.device)
    shape = (options.batch, 3, INPUT_SIZE, INPUT_SIZE)
    x = torch.randn(shape, device=extractor.device).to(memory_format=torch.channels_last)
    network = network_speed(extractor, x.to(torch.bfloat16) if precision == "bf16" else x)
    start = time.perf_counter()
    sums = []
    for folder in folders:
        each = Statistics(2048, extractor_signature=extractor.signature, device=extractor.device)
        for batch in extractor.stream(folder, batch_size=options.batch, threads=options.threads, progress=False):
            each.update(batch["2048"])
        sums.append(each)
    wait(extractor.device)
    end_to_end = sum(each.count for each in sums) / (time.perf_counter() - start)
    with warnings.catch_warnings():
        # FID warns about few images.
        warnings.simplefilter("ignore")
        return Result(network, end_to_end, fid(*sums).value)


def network_speed(extractor: InceptionExtractor, x: torch.Tensor) -> float:
    """Return images/s after a few warm-up runs."""
    with torch.inference_mode(), network_precision(extractor.precision):
        for _ in range(3):
            extractor.network(x)
        wait(extractor.device)
        runs, start = 0, time.perf_counter()
        while time.perf_counter() - start < NETWORK_SECONDS:
            for _ in range(4):
                extractor.network(x)
            # Only after several runs: waiting for each would leave the device idle in between.
            wait(extractor.device)
            runs += 4
        return runs * len(x) / (time.perf_counter() - start)


def wait(device: torch.device) -> None:
    """Wait until the device has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def count_flops(weights: Path) -> int:
    """Count the operations of one image; a multiplication and its addition are two."""
    network = Inception()
    network.load(torch.load(weights, weights_only=True))
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        # The unpacked network: the counter does not know the packed operators of CPUs.
        network.eval()(torch.zeros((1, 3, INPUT_SIZE, INPUT_SIZE)))
    return int(counter.get_total_flops())


def print_results(results: dict[str, Result], flops: int, peaks: dict[str, float]) -> None:
    print(f"{flops / 1e9:.2f} GFLOP per image")
    print(f"{'':10} {'network':>12} {'of peak':>9} {'end to end':>12} {'of peak':>9} {'FID to fp32':>12}")
    for precision, result in results.items():
        fractions = [
            f"{speed * flops / 1e12 / peaks[precision]:.1%}" if precision in peaks else "unknown"
            for speed in (result.network, result.end_to_end)
        ]
        speeds = [f"{speed:,.1f}/s" for speed in (result.network, result.end_to_end)]
        difference = f"{result.fid / results['fp32'].fid - 1:+.1e}"
        print(f"{precision:10} {speeds[0]:>12} {fractions[0]:>9} {speeds[1]:>12} {fractions[1]:>9} {difference:>12}")


# The search of embeddings


def search(device: torch.device) -> None:
    """Compare the exact search on the device with torch's matrix product and topk in float32."""
    queries, items, dims = SEARCH_SIZES["cuda" if device.type == "cuda" else "cpu"]
    random = np.random.default_rng(0)
    arrays = [unit_vectors(random, count, dims) for count in (queries, items)]
    tensors = [torch.from_numpy(array).to(device) for array in arrays]
    expected = mf.top_k(*arrays, K, progress=False)
    ranking = top_k_torch.top_k(*tensors, K, progress=False)
    scores, indices = ranking.scores.cpu().numpy(), ranking.indices.cpu().numpy()
    differing = (scores.view(np.int64) != expected.scores.view(np.int64)) | (indices != expected.indices)
    check("top_k on the device: results with other bits than on the CPU", float(differing.sum()), 0)

    def product_and_topk() -> torch.Tensor:
        with HIGHEST_MATMUL_PRECISION:
            return torch.topk(tensors[0] @ tensors[1].T, K).indices

    fraction = float((product_and_topk().cpu().numpy() != expected.indices).mean())
    rival, ours = [], []
    for _ in range(SEARCH_RUNS):
        rival.append(device_seconds(product_and_topk, device))
        ours.append(device_seconds(lambda: top_k_torch.top_k(*tensors, K, progress=False), device))
    ratio = statistics.median(slow / fast for slow, fast in zip(rival, ours, strict=True))
    print(f"Top {K}, {queries:,} x {items:,} x {dims}, same bits as on the CPU, medians of {SEARCH_RUNS} runs")
    print(f"torch, matmul and topk {show(statistics.median(rival))}, {fraction:.3%} of its indices are not exact")
    print(f"muge_fast {show(statistics.median(ours))}, ratio {ratio:.2f}x")


def unit_vectors(random: np.random.Generator, count: int, dims: int) -> np.ndarray:
    vectors = random.standard_normal((count, dims), dtype="float32")
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def device_seconds(run: Callable[[], object], device: torch.device) -> float:
    """Return the seconds of one run, until the device has finished."""
    wait(device)
    start = time.perf_counter()
    run()
    wait(device)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
