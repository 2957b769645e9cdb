"""A task as another package would add it: a module, and the metadata by which it is found."""

from __future__ import annotations

from pathlib import Path

NAME = "price"
METADATA = "Metadata-Version: 2.1\nName: price-task\nVersion: 1.0\n"
ENTRY_POINTS = f"[muge_fast.tasks]\n{NAME} = price_task:TASK\n"
MODULE = '''
"""Guess the price of a product: the mean absolute error ranks, and lower is better."""

from muge_fast.scores import Scores, mean_score
from muge_fast.tasks import FieldNames, Integer, Task, Text


def score(predictions, references):
    errors = [abs(predictions[product] - references[product]) for product in references]
    error = mean_score("error", "error|version:1.0", [float(one) for one in errors], higher_is_better=False)
    return Scores({"error": error}, len(references), list(references))


TASK = Task(
    name="price",
    title="Prices",
    title_zh="价格预测",
    fields=(FieldNames("product", "price"),),
    id=Text(),
    gold=Integer(),
    submission=Integer(),
    score=score,
    main="error",
    official={"error": "error"},
    lower_is_better=("error",),
    score_scale=1.0,
)
'''
# How a package that was written before tasks could declare it looks.
DECLARATION = '    lower_is_better=("error",),\n'


def write_plugin(folder: Path, module: str = MODULE) -> Path:
    """Write the package into a folder, as an installer leaves it there, and return the folder."""
    info = folder / "price_task-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(METADATA, "utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINTS, "utf-8")
    (folder / "price_task.py").write_text(module, "utf-8")
    return folder


def rows(**prices: int) -> str:
    """Return a file with the prices of products."""
    return "".join(f'{{"product": "{product}", "price": {price}}}\n' for product, price in prices.items())
