"""Broken files, folders, missing files and missing packages: messages have the path as it was given, and no other path.

Paths are given relative to a folder with a secret name, so that its name in any message is a leak; so are the folders
of Python, of the package and of temporary files.
"""

import io
import json
import os
import sys
import tempfile
import warnings
import zipfile
from functools import partial
from pathlib import Path

import numpy as np

import muge_fast as mf
from muge_fast import datasets
from muge_fast.compat import chinese_clip
from muge_fast.evaluation import describe
from muge_fast.evaluation.official_verdict import official_verdict

MEMORY = 2 << 30
HIDDEN = "srv-7351-secret"
HOSTILE = Path(__file__).parents[1] / "hostile"
TASKS = ("caption", "retrieval", "t2i", "classification")
PACKAGES = ("pyarrow", "pyarrow.parquet", "pyarrow.ipc", "pandas", "PIL", "PIL.Image", "torch", "transformers")
GOLD = {
    "caption": {"image_id": "1", "text": ["红"]},
    "retrieval": {"query_id": 1, "query_text": "红", "item_ids": [1]},
    "t2i": "1\tiVBORw0KGgo=\n",
    "classification": {"image_id": "1", "label": "红"},
}


def archive(content, name="1.png"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(name, content)
    return buffer.getvalue()


def array(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def contents():
    """Return broken files by name."""
    npy = io.BytesIO()
    np.save(npy, np.zeros((2, 2)))
    suffixes = (
        ".jsonl",
        ".json",
        ".tsv",
        ".txt",
        ".npz",
        ".npy",
        ".parquet",
        ".arrow",
        ".pkl",
        ".p",
        ".zip",
        ".pth",
        ".safetensors",
        ".png",
    )
    heads = {
        "empty": b"",
        "text": b"no such thing\n",
        "zeros": bytes(64),
        "json": b'{"image_id": 1}\n',
        "nested": b"[" * 2000,
        "tsv": b"1\tiVBORw0KGgo=\n",
        "png": b"\x89PNG\r\n\x1a\n" + bytes(40),
        "zip": archive(b"x"),
        "cut": archive(b"x")[:-9],
        "npz": array(a=np.zeros(3), ids=np.zeros(2)),
        "objects": array(mu=np.array([{}], object), sigma=np.zeros(3)),
        "npy": npy.getvalue()[:-3],
        "parquet": b"PAR1" + bytes(20) + b"\x10\0\0\0PAR1",
        "arrow": b"ARROW1\0\0" + bytes(20),
        "pickle": b"\x80\x04cos\nsystem\n.",
        "safetensors": (40).to_bytes(8, "little") + b'{"a": {"dtype": "F32"}}' + bytes(40),
    }
    return {f"{name}{suffix}": data for name, data in heads.items() for suffix in suffixes}


def readers():
    image = mf.image
    yield from (describe, mf.read_features, mf.read_captions, mf.read_queries, mf.DocumentFrequency.load)
    yield from (datasets.read_texts, datasets.read_pool, lambda path: datasets.ImageTsv(path)["1"])
    yield from (image.Statistics.load, image.FID.load, image.KID.load, lambda path: image.fid(path, path))
    yield lambda path: image.kid(path, path, extractor=lambda images: np.zeros((len(images), 4)))
    yield lambda path: mf.tokenize(["红"], "jieba", user_dict=path)


def given(call, path):
    """Return all messages of a call: of its exception, those it comes from excluded, of warnings, and of its result."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call(path)
        except Exception as error:  # noqa: BLE001 - whatever it is
            result = f"{error} {error!r}"
    shown = [str(warning.message) for warning in caught]
    return "\n".join([*shown, result if isinstance(result, str) else repr(result)])


def results(task, gold, path):
    """Yield what the functions for submissions return, as text."""
    for lang in ("en", "zh"):
        report = mf.check(task, path, gold=gold, lang=lang)
        yield "\n".join(
            [*report.errors, *report.warnings, report.to_json(), repr(report), str(report), report.to_html()]
        )
        yield json.dumps(report.official())
        verdict = official_verdict(task, gold, path, lang=lang)
        yield "\n".join([json.dumps(verdict.result), *verdict.warnings, verdict.error or ""])
    if task == "retrieval":
        yield json.dumps(chinese_clip.result(gold, path))
        yield given(partial(chinese_clip.compute_score, gold), path)


def check(text, hidden, *context):
    for part in hidden:
        assert part not in text, (part, context, text[:3000])


def try_all(hidden):
    for name in [*contents(), "missing.jsonl", "missing.npz", "missing.parquet", "a folder", "."]:
        for reader in readers():
            check(given(reader, name), hidden, name, reader)
    for task in TASKS:
        row = GOLD[task]
        Path("gold").write_text(row if isinstance(row, str) else json.dumps(row), encoding="utf-8")
        for name in [*(name for name in contents() if name.endswith((".jsonl", ".zip"))), "missing", "a folder"]:
            for gold, submission in (("gold", name), (name, "gold"), (name, name)):
                text = given(lambda path, t=task, g=gold: "\n".join(results(t, g, path)), submission)
                check(text, hidden, task, gold, submission)


def attack():
    here = Path.cwd()
    with tempfile.TemporaryDirectory(suffix=HIDDEN) as folder:
        os.chdir(folder)
        try:
            for name, data in contents().items():
                Path(name).write_bytes(data)
            Path("a folder").mkdir()
            hidden = (HIDDEN, sys.prefix, str(Path(mf.__file__).parent), str(Path(os.__file__).parent))
            try_all(hidden)
            for package in PACKAGES:
                sys.modules[package] = None
            try_all(hidden)
        finally:
            os.chdir(here)
