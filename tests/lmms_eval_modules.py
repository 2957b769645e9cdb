"""Print what the caption metrics of an installed lmms-eval return, as JSON: they import pycocoevalcap themselves.

``python tests/lmms_eval_modules.py FOLDER [MODULE...]`` uses the original, and
``python -m muge_fast.compat.pycocoevalcap tests/lmms_eval_modules.py FOLDER`` the replacement.

FOLDER is that of the package ``lmms_eval``, tried with 0.7.3, installed without its dependencies, but with pycocotools
and loguru. Its modules are loaded without the rest of the package, and packages that they only import have stand-ins.
"""

import contextlib
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from unittest.mock import MagicMock

REFERENCES = (
    ["A man (left) can't ride his bike.", "the man rides a bike"],
    ["Two dogs -- one black -- play.", "two dogs playing in the grass", "Dogs play!"],
    ["A red dress on a table in the U.S.", "a dress"],
    ["红色 连衣裙 XL", "a red dress"],
)
PREDICTIONS = ("A man rides a bicycle.", "two dogs are playing", "", "一条 红色 连衣裙")
METRICS = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR", "ROUGE_L", "CIDEr")

# The function of each module, and the names of its results.
AGGREGATIONS = {
    "coco_cap": ("coco_aggregation_result", "image_id"),
    "nocaps": ("nocaps_aggregation_result", "image_id"),
    "textcaps": ("textcaps_aggregation_result", "image_id"),
    "flickr30k": ("flickr_aggregation_result", "image_id"),
    "vatex": ("vatex_aggregation_result", "video_id"),
    "detailcaps": ("detailcaps_aggregation_result", "image_id"),
    "refcoco": ("refcoco_aggregation_result", "ann_id"),
    "refcoco+": ("refcoco_aggregation_result", "ann_id"),
    "refcocog": ("refcoco_aggregation_result", "ann_id"),
}
ONE_PAIR = ("cuva", "funqa")
STAND_INS = ("bleurt_pytorch", "capture_metric", "capture_metric.capture", "torch", "requests")


def load(folder: Path, name: str) -> ModuleType:
    path = folder / "tasks" / name / "utils.py"
    spec = importlib.util.spec_from_file_location(f"lmms_eval_{name}", path)
    module = importlib.util.module_from_spec(spec)
    with contextlib.suppress(FileNotFoundError):
        # Some read the settings of their task, and make folders, after all functions are defined.
        spec.loader.exec_module(module)
    return module


def prepare(folder: Path) -> None:
    sys.path.append(str(folder.parent))
    for name in ("lmms_eval", "lmms_eval.tasks", "lmms_eval.tasks._task_utils"):
        module = ModuleType(name)
        module.__path__ = [str(folder.parent.joinpath(*name.split(".")))]
        sys.modules[name] = module
    sys.modules["lmms_eval.tasks._task_utils.video_loader"] = MagicMock()
    for name in STAND_INS:
        sys.modules.setdefault(name, MagicMock())


def results(folder: Path, names: list[str]) -> dict[str, dict[str, float]]:
    """Return the value of each metric of some modules, or of all."""
    makers = dict.fromkeys(AGGREGATIONS, of_set) | dict.fromkeys(ONE_PAIR, of_pair)
    makers |= {"screenspot": of_single_references, "youcook2": of_parts}
    return {name: makers[name](folder, name) for name in names or makers}


def of_set(folder: Path, name: str) -> dict[str, float]:
    function, key = AGGREGATIONS[name]
    aggregate = getattr(load(folder, name), function)
    pairs = enumerate(zip(REFERENCES, PREDICTIONS, strict=True))
    rows = [{"answer": answers, "pred": prediction, key: 10 + index} for index, (answers, prediction) in pairs]
    arguments = [None] if name in ("coco_cap", "flickr30k") else []
    return {metric: aggregate(rows, metric, *arguments) for metric in METRICS}


def of_single_references(folder: Path, name: str) -> dict[str, float]:
    pairs = zip(REFERENCES, PREDICTIONS, strict=True)
    rows = [{"pred": prediction, "instruction": answers[0]} for answers, prediction in pairs]
    return {"CIDEr": load(folder, name).screenspot_aggregation_result(rows, "CIDEr")}


def of_parts(folder: Path, name: str) -> dict[str, float]:
    pairs = enumerate(zip(REFERENCES, PREDICTIONS, strict=True))
    rows = [{"video": index // 2, "pred": text, "answer": answers[0]} for index, (answers, text) in pairs]
    aggregate = load(folder, name).youcook2_aggregate_results
    return {metric: aggregate(rows, metric) for metric in METRICS}


def of_pair(folder: Path, name: str) -> dict[str, float]:
    module, pair = load(folder, name), (REFERENCES[0][0], PREDICTIONS[0])
    return {"Bleu_4": module.calculate_bleu4(*pair), "ROUGE_L": module.calculate_rouge(*pair)}


if __name__ == "__main__":
    package = Path(sys.argv[1]).resolve()
    prepare(package)
    with tempfile.TemporaryDirectory() as work, contextlib.redirect_stdout(sys.stderr):
        # They write files of results to the working folder.
        os.chdir(work)
        values = results(package, sys.argv[2:])
    print(json.dumps({name: {key: float(value) for key, value in found.items()} for name, found in values.items()}))
