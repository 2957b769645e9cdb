"""Types that users see: examples pass mypy --strict with the annotations of the package."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

ROOT = Path(__file__).parent.parent

REST = """
predictions: dict[str, str] = mf.read_captions("pred.jsonl", kind="predictions")
references: dict[str, list[str]] = mf.read_captions("gold.jsonl", kind="references")
references["a"].upper()  # type: ignore[attr-defined]
mf.score_captions(predictions, references)
queries: dict[int, list[int]] = mf.read_queries("pred.jsonl")
report = mf.evaluate("caption", gold="gold.jsonl", submission="pred.jsonl", tokenizer="jieba")
errors: list[str] = report.errors
task: mf.tasks.Task = mf.tasks.get("caption")


class Color:
    def problems(self, value: object) -> Iterator[tuple[str, Mapping[str, object]]]:
        yield from ()


kind: mf.tasks.Kind = Color()
"""


@pytest.mark.slow
def test_examples_pass_strict_type_checking(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first = re.search(r"```python\n(import muge_fast as mf\n.*?)```", readme, re.DOTALL)[1]
    assert "score_captions(mf.read_captions(" in first
    path = tmp_path / "example.py"
    path.write_text("from collections.abc import Iterator, Mapping\n\n" + first + REST, encoding="utf-8")
    # Outside of the repository, so that its settings do not apply; the cache makes repeated runs fast.
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", ROOT / ".mypy_cache", path]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert result.stdout.startswith("Success"), result.stdout
