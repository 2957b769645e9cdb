"""Write the paired tests of sacrebleu for the sample captions, under the NumPy of the environment.

    python tests/golden/paired.py

sacrebleu 2.6.0 must be installed, with NumPy 1.26 to write sacrebleu_paired_numpy_1.json and with NumPy 2 to write
sacrebleu_paired_numpy_2.json. This package is not imported. The output is reproducible.
"""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.significance import PairedTest

HERE = Path(__file__).parent
SAMPLES = HERE.parents[1] / "python" / "muge_fast" / "samples" / "caption"

NAMES = {"b": "base", "l": "large", "t": "template"}
SYSTEMS = {
    "few": {
        "A": "b" * 12,
        "B": "".join("l" if i in {1, 4, 6, 9, 10} else "b" for i in range(12)),
        "C": "l" * 12,
        "same": "b" * 12,
    },
    "all": {
        "base": "b" * 64,
        "every32nd": "".join("b" if i % 32 else "l" for i in range(64)),
        "every16th": "".join("b" if i % 16 else "l" for i in range(64)),
        "template8": "".join("t" if i % 8 == 1 else "b" for i in range(64)),
        "mixed": "".join("t" if i % 8 == 1 else "b" if i % 16 else "l" for i in range(64)),
        "same": "b" * 64,
    },
}
"""A letter for each item, the first one of the file of predictions that its caption is from."""

CASES = [
    ("few", {}, {"test": "bs", "samples": 1000, "seed": 12345}),
    ("few", {}, {"test": "bs", "samples": 1000, "seed": 1}),
    ("few", {}, {"test": "ar", "samples": 1000, "seed": 12345}),
    ("few", {}, {"test": "ar", "samples": 1000, "seed": 1, "n_ar_confidence": 0}),
    ("all", {}, {"test": "bs", "seed": 12345}),
    ("all", {}, {"test": "ar", "seed": 12345}),
    ("all", {"smoothing": "floor"}, {"test": "bs", "samples": 200, "seed": 7}),
    ("all", {"smoothing": "add-k"}, {"test": "bs", "samples": 200, "seed": 7}),
    ("all", {"smoothing": "add-k", "smoothing_value": 0.3}, {"test": "bs", "samples": 200, "seed": 7}),
    ("all", {"smoothing": "add-k", "smoothing_value": 1.5}, {"test": "ar", "samples": 200, "seed": 2**40}),
    ("all", {"smoothing": "add-k", "smoothing_value": 0.5}, {"test": "ar", "samples": 200, "seed": 7}),
    ("all", {"smoothing": "none", "effective_order": True}, {"test": "bs", "samples": 200, "seed": 7}),
]


def main() -> None:
    references = [row["text"] for row in read("IC_sample.jsonl")]
    texts = {letter: [row["text"] for row in read(f"IC_sample.pred.{name}.jsonl")] for letter, name in NAMES.items()}
    results = [run(references, texts, *case) for case in CASES]
    tool = f"sacrebleu {version('sacrebleu')}, NumPy {version('numpy')}, Python {sys.version.split()[0]}"
    header = {"tool": tool, "command": "python tests/golden/paired.py", "systems": SYSTEMS}
    text = json.dumps({**header, "cases": results}, ensure_ascii=False, indent=1)
    target = HERE / f"sacrebleu_paired_numpy_{version('numpy').partition('.')[0]}.json"
    target.write_text(text + "\n", encoding="utf-8")


def read(name: str) -> list[dict]:
    return [json.loads(line) for line in (SAMPLES / name).read_text(encoding="utf-8").splitlines()]


def run(references: list[list[str]], texts: dict, set_name: str, options: dict, arguments: dict) -> dict:
    systems = SYSTEMS[set_name]
    items = len(next(iter(systems.values())))
    named = [(name, [texts[source][i] for i, source in enumerate(sources)]) for name, sources in systems.items()]
    most = max(map(len, references[:items]))
    streams = [[gold[n] if n < len(gold) else None for gold in references[:items]] for n in range(most)]
    bleu = BLEU(
        tokenize="zh",
        smooth_method=options.get("smoothing", "exp"),
        smooth_value=options.get("smoothing_value"),
        effective_order=options.get("effective_order", False),
        references=streams,
    )
    os.environ["SACREBLEU_SEED"] = str(arguments["seed"])
    _, table = PairedTest(
        named,
        {"BLEU": bleu},
        None,
        test_type=arguments["test"],
        n_samples=arguments.get("samples", 0),
        n_ar_confidence=arguments.get("n_ar_confidence", -1),
    )()
    results = {name: vars(result) for name, result in zip(table["System"], table["BLEU"], strict=True)}
    return {"set": set_name, "options": options, "arguments": arguments, "results": results}


if __name__ == "__main__":
    main()
