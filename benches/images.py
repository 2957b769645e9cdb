"""FID from two folders of JPEG files, against torch-fidelity, pytorch-fid and clean-fid, on the same random weights."""

from __future__ import annotations

import contextlib
import io
import statistics
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import cleanfid.fid
import numpy as np
import pytorch_fid.fid_score
import torch
import torch_fidelity

import muge_fast.image
from benches.pictures import SIZE, write_folder
from benches.timing import Row, check, clock, show, times
from muge_fast.image.extractors.networks import Inception, random_weights
from muge_fast.image.extractors.weights import load_weights

ROUNDS = 3


def images(count: int = 200) -> Iterator[Row]:
    """Compare FID from two folders: decoding, resizing, network, statistics, distance.

    Each run of a rival is followed by ours, so that the load of the machine affects both alike.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = folder / "inception.pth"
        torch.save(random_weights(), weights)
        folders = [write_folder(folder / str(seed), count, seed) for seed in range(2)]
        rivals, ours = rival_runs(folders, weights), our_runs(folders, weights)
        values: dict[str, float] = {}
        seconds: dict[tuple[str, str], list[float]] = {}
        for _ in range(ROUNDS):
            for rival in rivals:
                for kind in (rival, *(kind for kind, (_, against) in ours.items() if rival in against)):
                    run = rivals[kind] if kind == rival else ours[kind][0]
                    spent = clock(lambda run=run, kind=kind: values.update({kind: run()}))
                    seconds.setdefault((rival, kind), []).append(spent)
    check("fid", abs(values["fp32"] / values["torch-fidelity"] - 1), 1e-4)
    check("fid, half pixels", abs(values["fp32, as pytorch-fid"] / values["pytorch-fid"] - 1), 1e-4)
    work = f"FID of two folders of {count} JPEG {SIZE} x {SIZE}, CPU"
    for kind, (_, against) in ours.items():
        for rival in against:
            slow, fast = seconds[rival, rival], seconds[rival, kind]
            ratios = [left / right for left, right in zip(slow, fast, strict=True)]
            text = f"{rival} {show(statistics.median(slow))}"
            yield f"{work}, {kind}", text, show(statistics.median(fast)), times(ratios)
    if "bf16" in ours:
        yield f"{work}: bf16 differs from fp32 by", "", "", f"{abs(values['bf16'] / values['fp32'] - 1):.2%}"
    else:
        yield f"{work}, bf16", "", "", "not measured: this CPU has no instructions for it"


def our_runs(folders: list[Path], weights: Path) -> dict[str, tuple[Callable[[], float], tuple[str, ...]]]:
    """Return our runs, and the rivals that each is compared with."""
    all_rivals = ("torch-fidelity", "pytorch-fid", "clean-fid")

    def run(**options: str) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return muge_fast.image.fid(*folders, weights=weights, device="cpu", **options).value

    runs = {"fp32": (run, all_rivals), "fp32, as pytorch-fid": (lambda: run(protocol="pytorch-fid"), ("pytorch-fid",))}
    if has_bf16():
        runs["bf16"] = (lambda: run(precision="bf16"), all_rivals)
    return runs


def has_bf16() -> bool:
    """Return whether the CPU has instructions for bf16; emulated, it is too slow to use."""
    facts = Path("/proc/cpuinfo")
    flags = facts.read_text(encoding="utf-8").split() if facts.exists() else []
    return "avx512_bf16" in flags or "amx_bf16" in flags


def rival_runs(folders: list[Path], weights: Path) -> dict[str, Callable[[], float]]:
    """Return the runs of rivals, with their default numbers of workers and our weights."""
    left, right = map(str, folders)
    state = load_weights(weights).state

    def fidelity() -> float:
        options = {"input1": left, "input2": right, "fid": True, "cuda": False, "verbose": False, "cache": False}
        metrics = torch_fidelity.calculate_metrics(**options, feature_extractor_weights_path=str(weights))
        return float(metrics["frechet_inception_distance"])

    def score() -> float:
        patch = mock.patch("pytorch_fid.inception.load_state_dict_from_url", return_value=state)
        with patch, contextlib.redirect_stderr(io.StringIO()):
            return float(pytorch_fid.fid_score.calculate_fid_given_paths([left, right], 50, "cpu", 2048, num_workers=2))

    def clean() -> float:
        network = Inception()
        network.load(state)
        network.eval()

        def model(batch: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                return network((batch - 128) / 128)["2048"]

        features = cleanfid.fid.get_folder_features
        options = {"model": model, "num_workers": 2, "batch_size": 32, "device": torch.device("cpu"), "verbose": False}
        both = [features(path, mode="clean", **options) for path in (left, right)]
        moments = [(each.mean(axis=0), np.cov(each, rowvar=False)) for each in both]
        return float(cleanfid.fid.frechet_distance(*moments[0], *moments[1]))

    return {"torch-fidelity": fidelity, "pytorch-fid": score, "clean-fid": clean}
