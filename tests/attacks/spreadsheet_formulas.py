"""Ids that a spreadsheet would calculate, in the table of scores: each gets an apostrophe, and numbers stay numbers."""

import csv
import io
import json
import tempfile
from pathlib import Path

import muge_fast as mf

MEMORY = 256 << 20

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    '=HYPERLINK("https://evil.example")',
    "＝1",
    "－2+3",
    "@x",
    "=",
    "\n=1",
]
PLAIN = ["-5", "+7", "-0.5", "a=1", "裙", "'x", "x\ny", 'a","=1']


def attack():
    ids = FORMULAS + PLAIN
    with tempfile.TemporaryDirectory() as folder:
        gold, path = Path(folder) / "gold.jsonl", Path(folder) / "pred.jsonl"
        gold.write_text("".join(json.dumps({"image_id": key, "text": ["x"]}) + "\n" for key in ids))
        path.write_text("".join(json.dumps({"image_id": key, "text": "x"}) + "\n" for key in ids))
        report = mf.evaluate("caption", gold, path)
        assert report.ok, report.errors
        text = report.to_csv(path=Path(folder) / "scores.csv")
        # The module csv ends lines with \r\n, and keeps others in quotes.
        first = [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:]
        assert first == [f"'{key}" for key in FORMULAS] + PLAIN
        assert (Path(folder) / "scores.csv").read_bytes() == text.encode()
        assert [row["id"] for row in report.items()] == ids
