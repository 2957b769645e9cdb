"""Record what pycocoevalcap with Java returns to lmms-eval and VLMEvalKit.

``python tests/golden/make_lmms_eval.py FOLDER``, where FOLDER is that of the package ``lmms_eval``; see
tests/lmms_eval_modules.py.
"""

import contextlib
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

# The others have the code of the first one, and would start Java 500 times.
MODULES = ("coco_cap", "screenspot", "youcook2", "cuva", "funqa")
TESTS = Path(__file__).parent.parent
sys.path.append(str(TESTS))

from lmms_eval_modules import PREDICTIONS, REFERENCES  # noqa: E402 - found there


def of_vlmevalkit() -> dict[str, float]:
    """Return the scores of its class for captions, which has three scorers and no tokenizer, times 100."""
    ref = {str(index): [text] for index, text in enumerate(PREDICTIONS)}
    gt = {str(index): texts for index, texts in enumerate(REFERENCES)}
    with contextlib.redirect_stdout(sys.stderr):
        bleu = Bleu(4).compute_score(gt, ref)[0]
        found = {f"Bleu_{order}": 100 * value for order, value in enumerate(bleu, 1)}
        for name, scorer in (("ROUGE_L", Rouge()), ("CIDEr", Cider())):
            found[name] = float(100 * scorer.compute_score(gt, ref)[0])
    return found


def main() -> None:
    """Write the file."""
    command = [sys.executable, str(TESTS / "lmms_eval_modules.py"), sys.argv[1], *MODULES]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own
    document = {
        "tool": f"pycocoevalcap {version('pycocoevalcap')} with Java, lmms-eval 0.7.3",
        "command": "python tests/golden/make_lmms_eval.py FOLDER",
        "values": {**json.loads(output), "vlmevalkit": of_vlmevalkit()},
    }
    text = json.dumps(document, indent=1, ensure_ascii=False)
    (TESTS / "golden" / "lmms_eval.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
