"""Write meteor.json with the rows and scores of the original program: `python tests/golden/make_meteor.py`, with Java."""

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from meteor_jar import COMMAND, MeteorJar
from meteor_texts import pairs

ITEMS = (
    (
        "Alimentum is located in the city centre. It is not family-friendly.",
        ["There is a place in the city centre, Alimentum, that is not family-friendly."],
    ),
    ("the cat was sat on the mat", ["the cat sat on the mat"]),
    ("a man rides a horse", ["a man is riding a horse", "the man is on a horse"]),
    ("一个 女人 在 骑 马", ["一个 女人 骑 着 一 匹 马", "女人 骑马"]),
    ("红色长裙", ["红色长裙"]),
    ("红色长裙", ["黑色男鞋"]),
    ("", ["红色长裙"]),
    ("", [""]),
    ("2024新款T恤running短袖", ["2024年新款 t恤 run 短袖"]),
    ("的的的的的", ["的 的"]),
    ("a b a b a b a b", ["b a b a"]),
    (
        "Mr. Smith's dog isn't U.S.-based, it costs $1,000.50...",
        ["Mr Smith 's dogs are not US based ; costs 1,000.50 dollars ..."],
    ),
)


def make(jar: MeteorJar, predictions: list[str], references: list[list[str]]) -> dict:
    rows, scores, corpus = jar.score(predictions, references)
    items = zip(predictions, references, rows.astype(int).tolist(), scores, strict=True)
    return {"items": [list(item) for item in items], "corpus": corpus}


if __name__ == "__main__":
    version = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr.splitlines()[0]
    with MeteorJar() as jar:
        groups = {"known": make(jar, *map(list, zip(*ITEMS, strict=True)))}
        for kind in ("chinese", "english", "mixed", "repetitive", "pieces"):
            groups[kind] = make(jar, *pairs(kind, 40, seed=2))
    made_by = f"meteor-1.5.jar of pycocoevalcap 1.2, {' '.join(COMMAND)}, {version}"
    text = json.dumps({"made_by": made_by, **groups}, ensure_ascii=False, indent=0)
    (Path(__file__).parent / "meteor.json").write_text(text + "\n", encoding="utf-8")
