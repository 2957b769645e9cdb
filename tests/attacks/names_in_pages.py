"""Names of files and texts with markup, controls and half pairs of surrogates: pages and JSON keep their form."""

import json
import os
import tempfile
from pathlib import Path

import muge_fast as mf
from hostile_text import CONTROLS, SURROGATE, flaws
from pages import Page

MEMORY = 512 << 20
MARKUP = {
    "element": "<img src=x onerror=alert(1)>",
    "end of the title": "<|title><script>alert(1)<|script>",
    "end of an attribute": "\" onload='alert(1)' x=\"",
    "end of a comment": "--><script>alert(1)<|script><!--",
    "entity": "&lt;script&gt;&#60;script&#62;",
    "template": "{{7*7}}${7*7}<%= 7 %>",
    "end of the data": "]]><|script><script>",
}


def strict(text):
    """Parse JSON as strict parsers do: no NaN, no half pair of surrogates, nothing that is not seen."""
    value = json.loads(text)
    json.dumps(value, allow_nan=False)
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    assert not flaws(text) - {"accents"}
    return value


def attack():
    for text in (MARKUP | CONTROLS | SURROGATE).values():
        name = text.replace("|", "").encode("utf-8", "replace").decode()[:60].replace("/", "")
        content = text.replace("|", "/")
        with tempfile.TemporaryDirectory() as folder:
            gold, path = Path(folder) / f"gold{name}.jsonl", Path(folder) / f"{name}.jsonl"
            if os.name != "posix":
                gold, path = Path(folder) / "gold.jsonl", Path(folder) / "pred.jsonl"
            rows = [{"image_id": content, "text": [content]}, {"image_id": "a", "text": ["x", content]}]
            gold.write_text("".join(json.dumps(row) + "\n" for row in rows))
            for submission in (
                [{"image_id": content, "text": content, content: 1}, {"image_id": "a", "text": content}],
                [{"image_id": content, "text": [content], content: content}] * 7,
                [{content: content, "image_id": content}],
            ):
                path.write_text("".join(json.dumps(row) + "\n" for row in submission))
                for options in ({}, {"lang": "zh"}):
                    try:
                        report = mf.evaluate("caption", gold, path, **options)
                    except mf.GoldError:
                        report = mf.check("caption", path, **options)
                    Page(report.to_html())
                    if report.scores is not None:
                        compared = mf.compare({f".{text}": report, f"{text} ": report}, resamples=100)
                        Page(compared.to_html(date=text, **options))
                        strict(compared.to_json())
                    strict(report.to_json())
                    report.to_csv(path=Path(folder) / "scores.csv")
                    report.to_markdown(path=Path(folder) / "scores.md")
                    if report.scores is not None or not report.ok:
                        message = report.official().get("errorMsg", "")
                        assert not flaws(message)
                        assert folder not in message
