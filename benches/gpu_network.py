"""FID's network on a device: images/s of the ways to run it, of its convolutions alone, and of files to statistics."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benches.timing import Row, clock
from muge_fast.image import Statistics, fid
from muge_fast.image.extractors import InceptionExtractor
from muge_fast.image.extractors.networks import INPUT_SIZE, Inception
from muge_fast.image.extractors.preprocessing import preprocess
from muge_fast.image.extractors.torch_precision import PRECISIONS, network_precision
from muge_fast.image.sources import decode_batches

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
# Runs of a network or convolution between two waits: waiting for each would leave the device idle in between.
RUNS = 4


def wait(device: torch.device) -> None:
    """Wait until the device has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(run: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Return the seconds of one run, after warm-up runs, from many runs within a time."""
    for _ in range(3):
        run()
    wait(device)
    runs, start = 0, time.perf_counter()
    while not runs or time.perf_counter() - start < seconds:
        for _ in range(RUNS):
            run()
        wait(device)
        runs += RUNS
    return (time.perf_counter() - start) / runs


def peak_of(device: torch.device) -> dict[str, float]:
    """Return the peak of the device by precision, in TFLOP/s; nothing if its data sheet is not in ``PEAKS``."""
    return PEAKS.get(torch.cuda.get_device_name(device), {}) if device.type == "cuda" else {}


def count_flops(weights: Path) -> int:
    """Count the operations of one image; a multiplication and its addition are two."""
    network = Inception()
    network.load(torch.load(weights, weights_only=True))
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network.eval()(torch.zeros((1, 3, INPUT_SIZE, INPUT_SIZE)))
    return int(counter.get_total_flops())


def networks(weights: Path, device: torch.device, batches: Sequence[int], seconds: float) -> Iterator[Row]:
    """Compare the network with its convolutions in isolation, and with other ways to run it."""
    flops, peak = count_flops(weights), peak_of(device)
    for precision in PRECISIONS:
        extractor = InceptionExtractor(weights, precision=precision, device=device, engine="torch")
        for batch in batches:
            shape = (batch, 3, INPUT_SIZE, INPUT_SIZE)
            x = torch.randn(shape, device=device).to(memory_format=torch.channels_last)
            x = x.to(torch.bfloat16) if precision == "bf16" else x
            with torch.inference_mode(), network_precision(precision):
                alone = batch / convolutions_alone(extractor.network, x, seconds)
                ours = batch / seconds_of(lambda x=x, e=extractor: e.network(x), device, seconds)
                work = f"FID's network, {precision}, batches of {batch}"
                share = f", {ours * flops / 1e12 / peak[precision]:.1%} of peak" if precision in peak else ""
                yield work, f"its convolutions alone {alone:,.1f}/s", f"{ours:,.1f}/s{share}", f"{ours / alone:.2f}x"
                for name, make in VARIANTS.items():
                    speed = speed_or_reason(make, extractor.network, x, seconds)
                    if isinstance(speed, str):
                        yield f"{work}, {name}", "", "", f"not measured: {speed}"
                    else:
                        yield f"{work}, {name}", f"plain {ours:,.1f}/s", f"{speed:,.1f}/s", f"{speed / ours:.2f}x"


def speed_or_reason(
    make: Callable[..., Callable[[], object]], network: nn.Module, x: Tensor, seconds: float
) -> float | str:
    """Return the images/s of another way to run the network, or why it cannot run here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return len(x) / seconds_of(make(network, x), x.device, seconds)
    except Exception as error:  # noqa: BLE001 - torch.compile raises what its backend and the C compiler raise
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        return reason[:60].replace("|", "/")


def cuda_graph(network: nn.Module, x: Tensor) -> Callable[[], object]:
    """Return a function that runs the recorded kernels of one batch at once."""
    if x.device.type != "cuda":
        raise RuntimeError("needs a CUDA device")
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            network(x)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        network(x)
    return graph.replay


def compiled(network: nn.Module, x: Tensor) -> Callable[[], object]:
    """Return a function of ``torch.compile``; on a CPU, which takes a minute, its recording alone."""
    function = torch.compile(network, dynamic=False, backend="inductor" if x.device.type == "cuda" else "eager")
    return lambda: function(x)


VARIANTS = {"as a CUDA graph": cuda_graph, "torch.compile": compiled}


def convolutions_alone(network: nn.Module, x: Tensor, seconds: float) -> float:
    """Return the seconds of all convolutions of a batch, each run repeatedly by itself on input of its shape."""
    calls: dict[tuple[object, ...], int] = {}
    layers: dict[tuple[object, ...], tuple[nn.Conv2d, torch.Size]] = {}

    def note(layer: nn.Conv2d, inputs: tuple[Tensor], _: Tensor) -> None:
        shape = inputs[0].shape
        key = (tuple(shape), tuple(layer.weight.shape), layer.stride, layer.padding)
        calls[key] = calls.get(key, 0) + 1
        layers[key] = layer, shape

    handles = [layer.register_forward_hook(note) for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    network(x)
    for handle in handles:
        handle.remove()
    total = 0.0
    for key, (layer, shape) in layers.items():
        values = torch.randn(shape, device=x.device, dtype=x.dtype).to(memory_format=torch.channels_last)
        each = seconds_of(lambda layer=layer, values=values: layer(values), x.device, seconds / len(layers))
        total += calls[key] * each
    return total


def from_files(weights: Path, folders: Sequence[Path], device: torch.device, batch: int, threads: int) -> Iterator[Row]:
    """Measure each stage from JPEG files to statistics by itself, then all together, and FID by precision."""
    decoded: list[list[object]] = []
    count = sum(1 for folder in folders for _ in folder.iterdir())
    work = f"{count:,} JPEG files, batches of {batch}, {threads} threads"
    decoding = count / clock(
        lambda: decoded.extend(images for folder in folders for images in decode_batches(folder, batch, threads))
    )
    yield f"{work}: decoding alone", "", f"{decoding:,.1f}/s", ""

    def resize_all() -> None:
        for images in decoded:
            preprocess(images, "tf1", device=device)
        wait(device)

    resize_all()
    yield f"{work}: copying and resizing alone", "", f"{count / clock(resize_all):,.1f}/s", ""
    distances = {}
    for precision in PRECISIONS:
        extractor = InceptionExtractor(weights, precision=precision, device=device)
        network = count / clock(lambda e=extractor: extract_all(e, decoded))
        yield f"{work}: copying, resizing and network, {precision}", "", f"{network:,.1f}/s", ""
        sums: list[Statistics] = []
        spent = clock(lambda e=extractor, s=sums: s.extend(sum_up(e, folder, batch, threads) for folder in folders))
        slowest = min(decoding, network)
        rival = f"slowest stage alone {slowest:,.1f}/s"
        yield f"{work}: to statistics, {precision}", rival, f"{count / spent:,.1f}/s", f"{count / spent / slowest:.2f}x"
        with warnings.catch_warnings():
            # FID warns about few images.
            warnings.simplefilter("ignore")
            spent = clock(lambda p=precision, s=sums: distances.update({p: fid(*s).value}))
        yield f"{work}: distance, {precision}", "", f"{spent * 1000:,.0f} ms", ""
    for precision in PRECISIONS[1:]:
        yield (
            f"FID: {precision} differs from fp32 by",
            "",
            "",
            f"{abs(distances[precision] / distances['fp32'] - 1):.1e}",
        )


def extract_all(extractor: InceptionExtractor, batches: Sequence[list[object]]) -> None:
    """Compute the features of decoded images."""
    for _ in extractor.iter_batches(batches):
        pass
    wait(extractor.device)


def sum_up(extractor: InceptionExtractor, folder: Path, batch: int, threads: int) -> Statistics:
    """Return the statistics of the images of a folder."""
    statistics = Statistics(2048, extractor_signature=extractor.signature, device=extractor.device)
    for outputs in extractor.stream(folder, batch_size=batch, threads=threads, progress=False):
        statistics.update(outputs["2048"])
    wait(extractor.device)
    return statistics
