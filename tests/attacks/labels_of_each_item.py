"""A valid submission in which every item has another label: macro F1 of the labels is resampled for the report.

A file of 280 KB took 33 s and 400 MiB, and 64 s with longer labels, in time quadratic in the number of items.
"""

import json
import tempfile
from pathlib import Path

import muge_fast as mf

MEMORY = 256 << 20
RATIO = 4
ITEMS = 4000
LABELS = 9


def write(folder, name, label):
    path = Path(folder) / name
    rows = ({"image_id": str(item), "label": label(item)} for item in range(ITEMS))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def prepare():
    folder = tempfile.TemporaryDirectory()
    gold = write(folder.name, "gold", lambda item: str(item % LABELS))
    good = write(folder.name, "good", lambda item: str(item * 7 // 6 % LABELS))
    # Right for one label.
    bad = write(folder.name, "bad", lambda item: "x" * 300 + str(item) if item % LABELS else "0")
    return folder, gold, good, bad


def page(gold, path):
    """Return the macro F1 of a submission after all forms of its report were made."""
    report = mf.evaluate("classification", gold, path)
    assert report.ok
    assert "macro_f1" in report.to_html() + report.to_markdown()
    return report.scores["macro_f1"].value


def harmless(prepared):
    _, gold, good, _ = prepared
    assert 0 < page(gold, good) < 1


def attack(prepared):
    _, gold, _, bad = prepared
    others = sum(item % LABELS > 0 for item in range(ITEMS))
    assert abs(page(gold, bad) - 1 / (LABELS + others)) < 1e-15
