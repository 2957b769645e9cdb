"""Lines of features that only one of the two parsers takes: both give one answer, that of JSON.

A form feed was white space on the quick path, and the id -0 was an integer there and a float elsewhere.
"""

import json
import random
import tempfile
from pathlib import Path

import numpy as np

import muge_fast as mf

MEMORY = 512 << 20
LINES = 800
SEEDS = (
    '{"image_id": 42967, "feature": [0.0123, -4.56e-3, 7]}',
    '{"feature":[1.5,0.25,123456789.125],"query_id":"裙 1"}',
    '{ "text_id" :\t-7 , "feature" : [ 1 , 2.0 ] } \r',
)
CHARACTERS = '\x0c\x0b \t\r\0"\\{}[],:.-+eE0123456789nNx\x7f\xa0\u3000'
ODD = ('{"image_id":-0,"feature":[1]}', '{"image_id":1,\x0c"feature":[1]}', '{"image_id":1,"feature":[1]}\x0c', "\x0c")


def mutated(generator):
    text = list(generator.choice(SEEDS))
    for _ in range(generator.randrange(1, 4)):
        at = generator.randrange(len(text))
        text[at : at + generator.randrange(2)] = generator.choice((generator.choice(CHARACTERS), ""))
    return "".join(text)


def read(path, text):
    path.write_text(text, encoding="utf-8", newline="")
    try:
        ids, features = mf.read_features(path)
    except ValueError:
        return None
    return ids.tolist(), features.tobytes()


def attack():
    generator, taken = random.Random(5), 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "f.jsonl")
        for line in (*ODD, *(mutated(generator) for _ in range(LINES))):
            usual = read(path, line)
            # Another field, which only the general parser takes.
            general = read(path, line.replace("{", '{"x":"",', 1))
            assert usual == general, line
            taken += usual is not None
            if usual is not None:
                row = json.loads(line)
                assert np.array(row["feature"]).astype(np.float32).tobytes() == usual[1], line
        assert all(read(path, line) is None for line in ODD)
    assert LINES // 10 < taken < LINES, taken
