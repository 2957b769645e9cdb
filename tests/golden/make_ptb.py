"""Write ptb.json with what the original prints: `python tests/golden/make_ptb.py`, with Java."""

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from ptb_jar import COMMAND, jar_output
from ptb_texts import EXAMPLES, chinese_captions, coco_captions, hard_lines


def main() -> None:
    result = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True)  # noqa: S607
    java = result.stderr.splitlines()[0]
    images = list(coco_captions().values())[:60]
    lines = {
        "examples": list(EXAMPLES[:-2]),
        "coco": [caption.replace("\n", " ") for captions in images for caption in captions],
        "chinese": chinese_captions()[:100],
        "hard": hard_lines(400, seed=20),
        "breaks": hard_lines(200, seed=21, breaks=True),
    }
    golden = {
        "tool": "stanford-corenlp-3.4.1.jar of pycocoevalcap 1.2",
        "version": java,
        "command": " ".join([*COMMAND, "-lowerCase", "FILE"]),
        "cases": {name: {"lines": texts, "printed": jar_output("\n".join(texts))} for name, texts in lines.items()},
    }
    path = Path(__file__).with_name("ptb.json")
    path.write_text(json.dumps(golden, ensure_ascii=True, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
