"""Types that users see: examples pass mypy --strict with the annotations of the package."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

ROOT = Path(__file__).parent.parent
README_BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)

REST = """
predictions: dict[str, str] = mf.read_captions("pred.jsonl", kind="predictions")
references: dict[str, list[str]] = mf.read_captions("gold.jsonl", kind="references")
references["a"].upper()  # type: ignore[attr-defined]
mf.score_captions(predictions, references)
mf.score_captions(mf.read_captions("pred.jsonl"), mf.read_captions("gold.jsonl"))
mf.score_captions({1: ["红裙"]}, {1: ("红裙", "裙子")}, metrics=["bleu"])
mf.score_captions(np.array(["红裙"]), [np.array(["红裙", "裙子"])])
mf.score_captions([{"image_id": 1, "caption": "红裙"}], {"annotations": [{"image_id": 1, "caption": "红裙"}]})
captions = mf.Captions(references, tokenizer=lambda text: text.split())
reward: float = captions.score({"a": ["红裙", "长裙"]}, metrics=("cider_d",))["cider_d"]
captions.score(["红裙"], ids=("a",), smoothing="exp")
metrics: list[CaptionMetric] = ["bleu"]
tokenizer: TokenizerName = "jieba"
mf.score_captions(predictions, references, metrics=metrics, tokenizer=tokenizer)
queries: dict[int, list[int]] = mf.read_queries("pred.jsonl")
report = mf.evaluate("caption", gold="gold.jsonl", submission="pred.jsonl", tokenizer="jieba")
errors: list[str] = report.errors
task: mf.tasks.Task = mf.tasks.get("caption")
mf.evaluate(mf.tasks.get("of another package"), "gold.jsonl", "pred.jsonl")


class Color:
    def problems(self, value: object) -> Iterator[tuple[str, Mapping[str, object]]]:
        yield from ()


kind: mf.tasks.Kind = Color()
"""


TYPOS = """
import muge_fast as mf

mf.score_captions(["x"], [["x"]], metrics=("ciderd",))
mf.score_captions(["x"], [["x"]], metrics=["bleu", "rougel"])
mf.score_captions(["x"], [["x"]], tokenizer="jeiba")
mf.score_captions(["x"], [["x"]], smoothing="floors")
mf.Captions([["x"]], tokenizer="mug")
mf.Captions([["x"]]).score(["x"], metrics=("blue",))
mf.DocumentFrequency.from_references([["x"]], tokenizer="13b")
mf.tokenize(["x"], "jeiba")
mf.read_captions("x", kind="refs")
mf.evaluate("captoin", "gold.jsonl", "pred.jsonl")
mf.check("captions", "pred.jsonl")
mf.image.fid("real/", "generated/", protocol="tf2")
mf.image.score_images(real="real/", generated="generated/", metrics=("fid", "kit"))
"""


def check_types(path: Path) -> str:
    """Return what mypy prints about a file outside of the repository, so that its settings do not apply."""
    # The cache makes repeated runs fast.
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", ROOT / ".mypy_cache", path]
    return subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False).stdout  # noqa: S603


@pytest.mark.slow
def test_typical_calls_pass_strict_type_checking(tmp_path):
    path = tmp_path / "example.py"
    imports = """
from collections.abc import Iterator, Mapping

import muge_fast as mf
import numpy as np
from muge_fast.caption import CaptionMetric
from muge_fast.text import TokenizerName
"""
    path.write_text(imports + REST, encoding="utf-8")
    printed = check_types(path)
    assert printed.startswith("Success"), printed


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(README_BLOCKS)))
def test_examples_of_the_readme_pass_strict_type_checking(index, tmp_path):
    path = tmp_path / "example.py"
    path.write_text(README_BLOCKS[index], encoding="utf-8")
    printed = check_types(path)
    assert printed.startswith("Success"), printed


@pytest.mark.slow
def test_misspelled_names_are_type_errors(tmp_path):
    path = tmp_path / "typos.py"
    path.write_text(TYPOS, encoding="utf-8")
    printed = check_types(path)
    lines = {int(number) for number in re.findall(r"typos\.py:(\d+): error", printed)}
    assert lines == {number for number, line in enumerate(TYPOS.splitlines(), 1) if line.startswith("mf.")}, printed
