"""Image features by a Chinese-CLIP of the base size: a run of ours, and a plain loop over the same model and images.

Weights are random, of the real class and configuration; the text network, which images do not need, is small.
"""

from __future__ import annotations

import base64
import io
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image

from benches.timing import Row, check, clock, show
from muge_fast.datasets import ImageTsv
from muge_fast.models.adapters.clip import ClipEncoder
from muge_fast.models.data_folder import find_data
from muge_fast.models.kept_results import KeptResults
from muge_fast.models.options import ModelOptions
from muge_fast.models.stages import run_stage
from muge_fast.models.task_runs.retrieval import RetrievalRun

SIZE = 800
BATCH = 16
ROUNDS = 3
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"红色连衣裙"]


def models(count: int = 48) -> Iterator[Row]:
    """Measure whole loops, in rounds that are interleaved, then each stage alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, data = write_model(folder / "model"), write_data(folder, count)
        plain = PlainLoop(model)
        encoders = {dtype: ClipEncoder(model, ModelOptions(device="cpu", dtype=dtype)) for dtype in ("fp32", "bf16")}
        loops: dict[str, Callable[[], np.ndarray]] = {
            "one image at a time": partial(plain.features, data, 1),
            f"batches of {BATCH}": partial(plain.features, data, BATCH),
            **{dtype: partial(run_features, encoder, data, folder) for dtype, encoder in encoders.items()},
        }
        found, seconds = measure(loops)
        expected = found["one image at a time"]
        check(f"batches of {BATCH}", error(found[f"batches of {BATCH}"], expected), 1e-5)
        check("fp32", error(found["fp32"], expected), 1e-5)
        check("bf16", error(found["bf16"], expected), 0.05)
        yield from rows(seconds, count)
        for dtype in encoders:
            yield f"Largest relative error of features, {dtype}", "", "", f"{error(found[dtype], expected):.0e}"
        yield from stages(plain, encoders, data)


def rows(seconds: dict[str, list[float]], count: int) -> Iterator[Row]:
    """Yield the ratio of each loop of ours to each plain one."""
    work = f"Chinese-CLIP ViT-B/16, {count} JPEG {SIZE} x {SIZE} of a TSV file, {torch.get_num_threads()} threads"
    plain, ours = list(seconds)[:2], list(seconds)[2:]
    for mine in ours:
        for rival in plain:
            ratios = [slow / fast for slow, fast in zip(seconds[rival], seconds[mine], strict=True)]
            rival_text = f"plain loop, fp32, {rival} {count / statistics.median(seconds[rival]):.1f}/s"
            speed = f"{count / statistics.median(seconds[mine]):.1f}/s"
            yield f"{work}, {mine}", rival_text, speed, f"{statistics.median(ratios):.2f}x"


def measure(
    loops: dict[str, Callable[[], np.ndarray]],
) -> tuple[dict[str, np.ndarray], dict[str, list[float]]]:
    """Return the features and the seconds of each loop."""
    found: dict[str, np.ndarray] = {}
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(ROUNDS):
        for name, loop in loops.items():
            seconds[name].append(clock(lambda name=name, loop=loop: found.update({name: loop()})))  # type: ignore[misc]
    return found, seconds


def run_features(encoder: ClipEncoder, data: Path, folder: Path) -> np.ndarray:
    """Encode images as ``muge-fast run retrieval`` does, from the file of images to the file of features."""
    files = find_data("retrieval", data, "valid")
    stage = RetrievalRun(files, encoder, seed=0).stages[0]
    with tempfile.TemporaryDirectory(dir=folder) as output, KeptResults(Path(output), stage.name) as results:
        run_stage(stage, results, batch_size=BATCH, threads=torch.get_num_threads(), progress=False)
        return np.fromfile(results.path, "<f4").reshape(len(stage.items), -1)


def stages(plain: PlainLoop, encoders: dict[str, ClipEncoder], data: Path) -> Iterator[Row]:
    """Measure each stage alone, without threads that decode ahead, in rounds that are interleaved."""
    files = [value for _, value in ImageTsv(data / "MR_valid_imgs.tsv").items()][:BATCH]
    pictures = [decode(file) for file in files]
    arrays = [np.array(picture) for picture in pictures]
    inputs = [plain.pixels(picture) for picture in pictures]
    prepared = [encoders["fp32"].prepare(array) for array in arrays]
    features = encoders["fp32"].encode_images(prepared)
    steps: dict[str, Callable[[], object]] = {
        "decoding": lambda: [decode(file) for file in files],
        "processor": lambda: [plain.pixels(picture) for picture in pictures],
        "prepare": lambda: [encoders["fp32"].prepare(array) for array in arrays],
        "one by one": lambda: [plain.encode(pixels) for pixels in inputs],
        "together": lambda: plain.encode(torch.cat(inputs)),
        **{dtype: partial(encoder.encode_images, prepared) for dtype, encoder in encoders.items()},
        "lines": lambda: [feature_line("0", row) for row in features],
        "bytes": lambda: [row.tobytes() for row in features],
    }
    rounds = [{name: clock(step) for name, step in steps.items()} for _ in range(ROUNDS)]
    work = f"{BATCH} images: "

    def compare(stage: str, slow: str, fast: str, note: str = "") -> Row:
        shown = [show(statistics.median(times[name] for times in rounds)) for name in (slow, fast)]
        ratio = statistics.median(times[slow] / times[fast] for times in rounds)
        return work + stage, note + shown[0], shown[1], f"{ratio:.2f}x"

    yield compare("decoding, on one thread", "decoding", "decoding")
    yield compare("the image processor, on one thread", "processor", "prepare")
    for dtype in encoders:
        yield compare(f"the network, {dtype}", "one by one", dtype, "fp32, one at a time ")
        yield compare(f"the network, {dtype}", "together", dtype, "fp32, together ")
    yield compare("features as they are written", "lines", "bytes")


class PlainLoop:
    """A loop over a model of transformers, as scripts that come with models have it: each step waits for the last."""

    def __init__(self, model: Path) -> None:
        self.model = transformers.ChineseCLIPModel.from_pretrained(model).eval()
        self.processor = transformers.AutoImageProcessor.from_pretrained(model, backend="pil")

    def features(self, data: Path, batch: int) -> np.ndarray:
        """Decode, preprocess, encode, and write a line of JSON for each image."""
        found = []
        with tempfile.TemporaryFile("w") as file, (data / "MR_valid_imgs.tsv").open() as lines:
            names, pixels = [], []
            for line in lines:
                name, text = line.rstrip("\n").split("\t")
                names.append(name)
                pixels.append(self.pixels(decode(base64.urlsafe_b64decode(text))))
                if len(names) == batch:
                    found.append(self.encode(torch.cat(pixels)))
                    file.writelines(map(feature_line, names, found[-1]))
                    names, pixels = [], []
        return np.concatenate(found)

    def pixels(self, picture: Image.Image) -> torch.Tensor:
        """Return the input of the network."""
        inputs: torch.Tensor = self.processor(images=picture, return_tensors="pt")["pixel_values"]
        return inputs

    def encode(self, pixels: torch.Tensor) -> np.ndarray:
        """Return features."""
        with torch.no_grad():
            output: Any = self.model.get_image_features(pixel_values=pixels)
        features: np.ndarray = output.pooler_output.numpy()
        return features


def decode(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def feature_line(name: str, row: np.ndarray) -> str:
    return json.dumps({"image_id": int(name), "feature": row.tolist()}) + "\n"


def error(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest relative error of the features of an image."""
    difference = np.linalg.norm(found.astype("float64") - expected, axis=1)
    return float((difference / np.linalg.norm(expected, axis=1)).max())


def write_model(folder: Path) -> Path:
    """Write a model with random weights and a text network of one layer."""
    torch.manual_seed(0)
    text = {"vocab_size": len(WORDS), "num_hidden_layers": 1, "hidden_size": 64, "num_attention_heads": 2}
    config = transformers.ChineseCLIPConfig(text_config={**text, "intermediate_size": 64}, vision_config={})
    transformers.ChineseCLIPModel(config).save_pretrained(folder)
    transformers.ChineseCLIPImageProcessorPil().save_pretrained(folder)
    vocabulary = {word: index for index, word in enumerate(WORDS)}
    transformers.BertTokenizer(vocab=vocabulary).save_pretrained(folder)
    return folder


def write_data(folder: Path, count: int) -> Path:
    """Write images as those of the benchmark: JPEG files in base64, with a query."""
    random = np.random.default_rng(0)
    ImageTsv.write(folder / "MR_valid_imgs.tsv", ((str(index), picture(random)) for index in range(count)))
    query = {"query_id": 0, "query_text": "红色连衣裙", "item_ids": [0]}
    (folder / "MR_valid_queries.jsonl").write_text(json.dumps(query) + "\n")
    return folder


def picture(random: np.random.Generator) -> bytes:
    """Return a JPEG file with low-frequency content and a little noise: about 100 kB, as photographs of goods."""
    coarse = Image.fromarray(random.integers(0, 256, (12, 12, 3)).astype("uint8"))
    smooth = np.asarray(coarse.resize((SIZE, SIZE), Image.Resampling.BICUBIC)).astype(int)
    noisy = np.clip(smooth + random.integers(-6, 7, (SIZE, SIZE, 3)), 0, 255).astype("uint8")
    data = io.BytesIO()
    Image.fromarray(noisy).save(data, "JPEG", quality=85)
    return data.getvalue()
