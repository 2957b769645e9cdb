"""Result objects of broken gold files and bad submissions: no path of the server, no text of the gold file, not long.

``errorMsg`` had the path of the gold file and the text of its wrong line, and both paths for every missing query.
"""

import json
import tempfile
from pathlib import Path

from muge_fast.compat import chinese_clip
from muge_fast.evaluation.official_verdict import official_verdict

MEMORY = 512 << 20
HIDDEN = "清新的碎花"
TEN = list(range(10))
# A row of the gold file, and one of a submission, by task.
ROWS = {
    "caption": ({"image_id": "7351", "text": [HIDDEN]}, {"image_id": "a", "text": "x"}),
    "retrieval": ({"query_id": 7351, "query_text": HIDDEN, "item_ids": [5]}, {"query_id": 1, "item_ids": TEN}),
    "clip": ({"text_id": 7351, "text": HIDDEN, "image_ids": [5]}, {"text_id": 1, "image_ids": TEN}),
    "classification": ({"image_id": "7351", "label": HIDDEN}, {"image_id": "a", "label": "x"}),
}


def broken(row):
    """Yield contents of a gold file with each error, and the row in it."""
    text = json.dumps(row, ensure_ascii=False)
    key, value = next(iter(row)), list(row)[-1]
    yield from (
        text[:-2],
        f"{text}\n{text}\n",
        f"{text}{text}",
        text.replace(HIDDEN, f"{HIDDEN}\\q"),
        f"[{text}]",
        f"x{text}",
    )
    for wrong in ({HIDDEN: HIDDEN}, [HIDDEN, 5], [[HIDDEN]], None):
        yield json.dumps({**row, value: wrong}, ensure_ascii=False)
        yield json.dumps({**row, key: wrong}, ensure_ascii=False)
    yield json.dumps({HIDDEN: row[value], key: row[key]}, ensure_ascii=False)
    yield text.encode() + b"\xff"
    yield ""


def results(task, gold, submission):
    if task == "clip":
        return [chinese_clip.result(gold, submission)]
    return [official_verdict(task, gold, submission, lang=lang).result for lang in ("en", "zh")]


def check(result, folder, hidden):
    text = json.dumps(result, ensure_ascii=False)
    assert result["success"] is False, text
    assert str(folder) not in text, text
    assert Path(folder).name not in text, text
    assert hidden not in text, text
    assert len(result["errorMsg"]) <= 2000, len(result["errorMsg"])
    assert "\n" not in result["errorMsg"]
    assert len(text) < 1 << 20, len(text)


def attack():
    for task, (gold_row, row) in ROWS.items():
        with tempfile.TemporaryDirectory() as folder:
            gold, submission = Path(folder) / "gold.jsonl", Path(folder) / "pred.jsonl"
            submission.write_text(json.dumps(row))
            for content in broken(gold_row):
                gold.write_bytes(content if isinstance(content, bytes) else content.encode())
                for result in results(task, gold, submission):
                    check(result, folder, HIDDEN)
            for missing in (gold, submission, Path(folder)):
                gold.write_text(json.dumps(gold_row, ensure_ascii=False))
                first, second = (missing, submission) if missing == gold else (gold, missing)
                missing.is_file() and missing.unlink()
                for result in results(task, first, second):
                    check(result, folder, HIDDEN)
            # The id of a missing query is named; it is the one thing of the gold file that a participant needs.
            gold.write_text(json.dumps(gold_row, ensure_ascii=False))
            submission.write_text("".join(json.dumps({**row, next(iter(row)): key}) + "\n" for key in range(3000)))
            for result in results(task, gold, submission):
                check(result, folder, HIDDEN)
                assert task not in ("retrieval", "clip") or "7351" in result["errorMsg"], result
            submission.write_text(
                "".join(json.dumps({**row, f"x{key}" * 500: [f"y{key}" * 500]}) + "\n" for key in range(200))
            )
            for result in results(task, gold, submission):
                check(result, folder, HIDDEN)
