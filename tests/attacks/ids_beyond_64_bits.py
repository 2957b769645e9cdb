"""Multiples of 2**61 - 1, which all have one hash, as items, and integers of 4,000 digits.

`describe` put all items into a set: 1,951,928 bytes took 57 seconds. With a pool, such items were reported twice, the
second time with all their digits.
"""

import json
import tempfile
from pathlib import Path

import muge_fast as mf
from muge_fast.evaluation import describe

MEMORY = 512 << 20
RATIO = 3
ROWS = 4000
# A problem has a line, an id, a field, and at most 40 letters of a value.
MESSAGE_LENGTH = 200


def write(path, factor):
    rows = ([(10 * row + index + 1) * factor for index in range(10)] for row in range(ROWS))
    path.write_text("".join(json.dumps({"query_id": row, "item_ids": items}) + "\n" for row, items in enumerate(rows)))
    return path


def prepare():
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name)
    (path / "pool").write_text("1\n")
    return write(path / "hostile", 2**61 - 1), write(path / "harmless", 2**61 - 3), folder


def run(path):
    describe(path)
    report = mf.check("retrieval", path, pool=path.with_name("pool"))
    report.to_html()
    assert max(len(problem.message()) for problem in report.problems) < MESSAGE_LENGTH


def harmless(prepared):
    run(prepared[1])


def attack(prepared):
    run(prepared[0])
    digits = Path(prepared[2].name) / "digits"
    for value in (10**3999, -(10**3999)):
        row = {"query_id": 1, "item_ids": [value, *range(9)]}
        digits.write_text(json.dumps(row))
        problems = mf.check("retrieval", digits, pool=digits.with_name("pool")).problems
        assert [problem.code for problem in problems] == ["out_of_range", *["not_in_pool"] * 8]
        assert max(len(problem.message()) for problem in problems) < MESSAGE_LENGTH
        digits.write_text(json.dumps({**row, "query_id": value}))
        assert max(len(problem.message()) for problem in mf.check("retrieval", digits).problems) < MESSAGE_LENGTH
