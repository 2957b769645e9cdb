"""METEOR under ever larger limits of address space, with its data read again: a ``MemoryError``, then rows.

It never aborts. Making the tables of its data takes more, and is refused before the file of 272 MB is unpacked.
"""

import os
import tempfile

from limited_memory import RAISED, raise_limit, run_limited
from meteor_texts import pairs
from muge_fast.caption import meteor_data
from muge_fast.caption.meteor import meteor_rows

MEMORY = 2 << 30
SHAPES = {
    "english": pairs("english", 1000),
    "chinese": pairs("chinese", 500),
    "many words": (["".join(f"w{i}x{j} " for j in range(500)) for i in range(200)], [["red dress"]] * 200),
    "one long text": (["的 red dress " * 1000], [["红 blue " * 1000]]),
}


def scored_again(predictions, references):
    meteor_data._State.data = None
    meteor_rows(predictions, references)


def made_again():
    with tempfile.TemporaryDirectory() as folder:
        os.environ[meteor_data.CACHE_VARIABLE] = folder
        meteor_data._State.data = None
        meteor_data.load_data()


def prepare():
    # The tables are there before memory is limited.
    meteor_data.load_data()
    meteor_data._State.data = None


def attack(_):
    for index, (name, (predictions, references)) in enumerate(SHAPES.items()):
        assert raise_limit(lambda p=predictions, r=references: scored_again(p, r), (4 + index) << 18, most=MEMORY), name
    for limit in (8 << 20, 64 << 20, 160 << 20):
        assert run_limited(made_again, limit) == RAISED << 8, limit
