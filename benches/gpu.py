"""FID's network on a GPU with random weights: images/s, share of the card's peak, and what each precision does to FID.

python -m benches.gpu                                   # or make bench-gpu
python -m benches.gpu --device cpu --images 8 --batch 4 # goes through every line where there is no GPU
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from benches.pictures import SIZE as PICTURE
from benches.pictures import write_folder
from muge_fast.image import fid
from muge_fast.image.extractors.inception import InceptionExtractor
from muge_fast.image.extractors.networks import SIZE, Inception, random_weights
from muge_fast.image.extractors.torch_precision import PRECISIONS, exactly
from muge_fast.image.statistics import Statistics

# TFLOP/s in dense products by NVIDIA's data sheets: float32 outside the tensor cores, TF32 and bfloat16 within. By the
# whole name of the device: cards whose names differ by a word differ in speed.
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
# Seconds that the network alone is measured for.
LEAST = 2.0


@dataclass(frozen=True)
class Result:
    """What one precision gives."""

    network: float
    """Images/s of the network alone, its input ready on the device."""
    whole: float
    """Images/s from files to the sums of the statistics."""
    fid: float


def main() -> None:
    options = parse()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("No CUDA device here: nothing is measured. --device cpu goes through every line.")
        return
    device = torch.device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}, CUDA {torch.version.cuda}, {os.cpu_count()} cores, random weights")
    print(
        f"2 x {options.images} JPEG {PICTURE} x {PICTURE}, batches of {options.batch}, {options.threads} threads decode"
    )
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "inception.pth"
        torch.save(random_weights(), weights)
        sides = [write_folder(Path(folder) / str(seed), options.images, seed) for seed in range(2)]
        results = {precision: measure(precision, weights, sides, options) for precision in PRECISIONS}
        show(results, flops_of(weights), PEAKS.get(name, {}))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--images", type=int, default=2000, help="of each of two sets")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads that decode")
    return parser.parse_args()


def measure(precision: str, weights: Path, sides: Sequence[Path], options: argparse.Namespace) -> Result:
    extractor = InceptionExtractor(weights, precision=precision, device=options.device)
    x = torch.randn((options.batch, 3, SIZE, SIZE), device=extractor.device).to(memory_format=torch.channels_last)
    network = network_speed(extractor, x.to(torch.bfloat16) if precision == "bf16" else x)
    start = time.perf_counter()
    made = []
    for side in sides:
        statistics = Statistics(2048, extractor_signature=extractor.signature, device=extractor.device)
        for batch in extractor.stream(side, batch_size=options.batch, threads=options.threads, progress=False):
            statistics.update(batch["2048"])
        made.append(statistics)
    wait(extractor.device)
    whole = sum(statistics.count for statistics in made) / (time.perf_counter() - start)
    with warnings.catch_warnings():
        # Of few images.
        warnings.simplefilter("ignore")
        return Result(network, whole, fid(*made).value)


def network_speed(extractor: InceptionExtractor, x: torch.Tensor) -> float:
    """Images/s once everything is warm."""
    with torch.inference_mode(), exactly(extractor.precision):
        for _ in range(3):
            extractor.network(x)
        wait(extractor.device)
        runs, start = 0, time.perf_counter()
        while time.perf_counter() - start < LEAST:
            for _ in range(4):
                extractor.network(x)
            # A few runs at a time: waiting after each would leave the device idle in between.
            wait(extractor.device)
            runs += 4
        return runs * len(x) / (time.perf_counter() - start)


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def flops_of(weights: Path) -> int:
    """Operations of one image, counted as it goes through; a product and its addition are two."""
    network = Inception()
    network.load(torch.load(weights, weights_only=True))
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        # The network as it is published: the counter does not know the packed operators that a CPU runs.
        network.eval()(torch.zeros((1, 3, SIZE, SIZE)))
    return int(counter.get_total_flops())


def show(results: dict[str, Result], flops: int, peaks: dict[str, float]) -> None:
    print(f"{flops / 1e9:.2f} GFLOP an image")
    print(f"{'':10} {'network':>12} {'of peak':>9} {'end to end':>12} {'of peak':>9} {'FID to fp32':>12}")
    for precision, result in results.items():
        shares = [
            f"{speed * flops / 1e12 / peaks[precision]:.1%}" if precision in peaks else "unknown"
            for speed in (result.network, result.whole)
        ]
        speeds = [f"{speed:,.1f}/s" for speed in (result.network, result.whole)]
        difference = f"{result.fid / results['fp32'].fid - 1:+.1e}"
        print(f"{precision:10} {speeds[0]:>12} {shares[0]:>9} {speeds[1]:>12} {shares[1]:>9} {difference:>12}")


if __name__ == "__main__":
    main()
