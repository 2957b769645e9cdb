"""Submissions of captions that are scored: memory follows the files, for the shortest rows and the longest texts.

Scoring captions took 25 to 37 times the size of the submission: rows were copied, contents of files kept, and
the statistics of all tokens in memory at once.
"""

import json
import tempfile
from pathlib import Path

import muge_fast as mf
from limited_memory import run_limited

SIZE = 12 << 20
# Bytes for each byte of both files, for calls with two threads, and for each token of the predictions up to a number
# of tokens, beyond which they are taken in parts.
FACTOR, FIXED = 18, 160 << 20
TOKEN_BYTES, MAX_TOKENS = 48, 1 << 23
MEMORY = 4 << 30
# A prediction and its reference.
SHAPES = {
    "short rows": ("!", "!"),
    "words of one letter": ("a " * 250_000, "a b"),
}


def write(path, row):
    """Write rows until the file has its size; return their number."""
    with path.open("w", encoding="utf-8") as file:
        number = 0
        while file.tell() < SIZE:
            count = 1 if len(row) > 1000 else 10_000
            file.write("".join(f'{{"image_id":"{key}","text":{row}}}\n' for key in range(number, number + count)))
            number += count
    return number


def prepare():
    folder = tempfile.TemporaryDirectory()
    files = {}
    for name, (text, reference) in SHAPES.items():
        submission, gold = Path(folder.name, name), Path(folder.name, f"{name} of the gold file")
        count = write(submission, json.dumps(text, ensure_ascii=False))
        gold.write_text("".join(f'{{"image_id":"{key}","text":["{reference}"]}}\n' for key in range(count)))
        files[name] = gold, submission
    return folder, files


def attack(prepared):
    for name, (gold, submission) in prepared[1].items():
        tokens = SIZE if len(SHAPES[name][0]) > 1 else submission.read_bytes().count(b"\n")
        memory = FACTOR * (gold.stat().st_size + submission.stat().st_size) + FIXED
        memory += TOKEN_BYTES * min(tokens, MAX_TOKENS)
        status = run_limited(lambda: int(not mf.evaluate("caption", gold, submission, threads=2).ok), memory)  # noqa: B023
        assert status == 0, (name, memory, status)
