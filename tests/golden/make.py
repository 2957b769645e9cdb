"""Write the recorded values in this folder, computed by the reference implementations.

    .venv/bin/python tests/golden/make.py [--cider FOLDER]

pycocoevalcap 1.2 and sacrebleu 2.6.0 must be installed. Plain CIDEr is not in any package: FOLDER is a checkout of
github.com/ruotianluo/cider at dbb3960; without it cider.json is not written. The output is reproducible.
"""

import argparse
import importlib.util
import json
import logging
import pickle
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType, SimpleNamespace

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from sacrebleu.metrics.bleu import BLEU

HERE = Path(__file__).parent
COMMAND = "python tests/golden/make.py"

# Tokens joined by single spaces, which pycocoevalcap reads. The last items are edge cases: repeated tokens, Latin
# letters, short texts, no common token, an empty text, a much longer reference.
ITEMS = [
    ("红 色 连 衣 裙 ， 夏 季 新 款", ["红 色 连 衣 裙 夏 季 新 款", "夏 季 新 款 红 色 长 裙"]),
    ("黑 色 真 皮 男 鞋", ["黑 色 皮 鞋 男", "男 士 真 皮 鞋 ， 黑 色 百 搭", "真 皮 男 鞋"]),
    ("这 款 T恤 版 型 宽 松", ["T恤 面 料 柔 软 ， 版 型 宽 松"]),
    (
        "高 腰 A 字 裙 显 瘦",
        ["高 腰 A 字 裙 显 瘦", "显 瘦 的 高 腰 半 身 裙", "A 字 版 型 ， 高 腰 显 瘦", "半 身 裙"],
    ),
    ("纯 棉 透 气 ， 穿 着 舒 适", ["舒 适 的 穿 着 ， 透 气 的 纯 棉"]),
    ("收 腰 收 腰 收 腰 显 瘦", ["收 腰 显 瘦 ， 显 瘦 收 腰", "收 腰 收 腰"]),
    ("裙 裙 裙 裙 裙 裙", ["裙 裙", "裙"]),
    ("a b c", ["a b c"]),
    ("红", ["红", "红 裙"]),
    ("500ml 保 温 杯 2.0", ["保 温 杯 ， 容 量 500ml", "500ml 大 容 量 保 温 杯 2.0 升 级 款"]),
    ("没 有 相 同", ["x y z", "w"]),
    ("", ["空 的 描 述"]),
    ("短", [" ".join(["很 长 的 描 述"] * 4)]),
]

TEXTS = [
    "",
    " ",
    "红色连衣裙",
    "新款A字裙，XL2码 5.5折",
    "Hello, world! It's 50% (new/old).",
    "79-81 iPhone-12 --5-- -5",
    ".5 1,000.5 5,x a,5 5, x",
    "a,,b a,,,b 1,,2 ...5",
    "a-\nb <skipped> &quot;x&quot; &amp;lt;",
    "红\u3000裙 a\u1680b\x1cc",
    "ＡＢ１２ é ёж👍🏻",
    "—…“”→①☆、。！",
    "かなカナ한글",
    "\u9fbb\u9fbc\u9fff\U00020000",
    "  two  spaces  ",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cider", type=Path, help="a checkout of github.com/ruotianluo/cider")
    arguments = parser.parse_args()
    # It recommends effective_order for sentences; both values are recorded.
    logging.getLogger("sacrebleu").setLevel(logging.ERROR)
    references = {i: gold for i, (_, gold) in enumerate(ITEMS)}
    predictions = {i: [text] for i, (text, _) in enumerate(ITEMS)}
    pycocoevalcap = f"pycocoevalcap {version('pycocoevalcap')}"
    by_order, items = Bleu(4).compute_score(references, predictions, verbose=0)
    parts = {f"bleu_{order}": score for order, score in enumerate(by_order, 1)}
    write("bleu_tiny", "bleu", pycocoevalcap, [case(by_order[3], items[3], {"smoothing": "tiny"}, parts)])
    for name, metric, scorer in [("rouge_l", "rouge_l", Rouge()), ("cider_d", "cider_d", Cider())]:
        write(name, metric, pycocoevalcap, [case(*scorer.compute_score(references, predictions))])
    write("bleu_smoothed", "bleu", f"sacrebleu {version('sacrebleu')}", smoothed())
    write_tokens()
    if arguments.cider:
        scorer = plain_cider(arguments.cider / "pyciderevalcap" / "cider" / "cider_scorer.py").CiderScorer()
        for i, gold in references.items():
            scorer += (predictions[i][0], gold)
        cider = case(*scorer.compute_score())
        write("cider", "cider", "github.com/ruotianluo/cider dbb3960", [cider], " --cider FOLDER")


def case(value: float, items: list[float], options: dict | None = None, parts: dict | None = None) -> dict:
    options = {"tokenizer": "whitespace", **(options or {})}
    return {"options": options, "value": float(value), "parts": parts or {}, "per_item": [float(x) for x in items]}


def smoothed() -> list[dict]:
    cases = []
    predictions = [text for text, _ in ITEMS]
    largest = max(len(gold) for _, gold in ITEMS)
    streams = [[gold[n] if n < len(gold) else None for _, gold in ITEMS] for n in range(largest)]
    for smoothing, value in [("none", None), ("floor", None), ("floor", 0.01), ("add-k", None), ("exp", None)]:
        for effective in (False, True):
            bleu = BLEU(tokenize="none", smooth_method=smoothing, smooth_value=value, effective_order=effective)
            corpus = bleu.corpus_score(predictions, streams)
            items = [bleu.sentence_score(text, gold).score / 100 for text, gold in ITEMS]
            options = {"smoothing": smoothing, "smoothing_value": value, "effective_order": effective}
            cases.append(case(corpus.score / 100, items, options, {"brevity_penalty": corpus.bp}))
    return cases


def plain_cider(path: Path) -> ModuleType:
    # The module uses `six` only to import pickle.
    sys.modules["six"] = SimpleNamespace(PY3=True)
    sys.modules["six.moves"] = SimpleNamespace(cPickle=pickle)
    spec = importlib.util.spec_from_file_location("cider_scorer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(name: str, metric: str, tool: str, cases: list[dict], option: str = "") -> None:
    header = {"metric": metric, "tool": tool, "command": COMMAND + option}
    predictions = [text for text, _ in ITEMS]
    save(name, {**header, "predictions": predictions, "references": [gold for _, gold in ITEMS], "cases": cases})


def write_tokens() -> None:
    # BLEU strips the end of a text first, and splits at white space last.
    segment = {name: BLEU(tokenize=name)._preprocess_segment for name in ("13a", "zh", "char")}
    functions = {
        "whitespace": str.split,
        "space": lambda text: text.split(" "),
        "13a": lambda text: segment["13a"](text).split(),
        "zh": lambda text: segment["zh"](text).split(),
        "char": lambda text: segment["char"](text).split(),
    }
    cases = [{"tokenizer": name, "tokens": [function(text) for text in TEXTS]} for name, function in functions.items()]
    tool = f"sacrebleu {version('sacrebleu')}; whitespace and space: Python {sys.version.split()[0]}"
    save("tokens", {"metric": "tokens", "tool": tool, "command": COMMAND, "texts": TEXTS, "cases": cases})


def save(name: str, content: dict) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
