"""Addresses, names, images, tables and notes in a submission: its Markdown report has nothing that is live."""

import json
import re
import tempfile
from pathlib import Path

import muge_fast as mf

MEMORY = 512 << 20

TEXTS = [
    "https://evil.example/login",
    "www.evil.example",
    "ftp://evil.example mailto:a@evil.example xmpp:a@b.example a@evil.example",
    "<https://evil.example> <a@evil.example> <img src=x onerror=alert(1)> <!-- x --> <![CDATA[x]]>",
    "[x](https://evil.example) [x]: https://evil.example ![x](https://evil.example/pixel.png) [x][x]",
    "[^1] [^1]: https://evil.example",
    "@everyone #1 owner/repository#2 GH-3 ~~x~~ **x** __x__ $x$ :smile: - [ ] x",
    "x | y | z\n--- | --- | ---\na | b | c",
    "` https://evil.example ` ``` https://evil.example ``",
    "``https://evil.example",
    "`",
    "``",
    " `x` ",
    "\\` https://evil.example \\\\`",
    "\n\nhttps://evil.example\n\n# x\n\n```\n",
    "&lt;b&gt; &#104;ttps://evil.example",
    "evil.example //evil.example javascript:alert(1)",
    "1. x\n2. y",
    "\u2028https://evil.example\u2029\x85https://evil.example",
]


def outside_of_code(text):
    """Return a Markdown text without its code, by the rule of CommonMark for backticks."""
    pieces, position = [], 0
    while match := re.compile("`+").search(text, position):
        end = re.compile(f"(?<!`){match[0]}(?!`)").search(text, match.end())
        pieces.append(text[position : match.start()])
        position = match.end() if end is None else end.end()
    return "".join([*pieces, text[position:]])


def renderers():
    try:
        import linkify_it  # noqa: F401, PLC0415 - not installed everywhere
        from markdown_it import MarkdownIt  # noqa: PLC0415

        yield MarkdownIt("gfm-like").render
    except ImportError:
        pass
    try:
        import cmarkgfm  # noqa: PLC0415 - not installed everywhere

        yield lambda text: cmarkgfm.github_flavored_markdown_to_html(text, options=cmarkgfm.Options.CMARK_OPT_UNSAFE)
    except ImportError:
        pass


def reports():
    """Yield reports with each text as id, as name of a field, as value, and as argument."""
    with tempfile.TemporaryDirectory() as folder:
        path, gold = Path(folder) / "pred.jsonl", Path(folder) / "gold.jsonl"
        for text in TEXTS:
            row = {"image_id": text, "text": "x"}
            gold.write_text(json.dumps({"image_id": text, "text": ["x"], text: 1}))
            for rows in ([row, row], [{**row, "text": [text]}], [{"image_id": text, text: 1}], [{**row, text: 1}] * 2):
                path.write_text("".join(json.dumps(row) + "\n" for row in rows))
                yield mf.check("caption", path)
            path.write_text(json.dumps({**row, text: 1}) + "\n")
            yield mf.evaluate("caption", gold, path)
            for raw in (text, f"{{{text}", f'{{"image_id": {text}}}'):
                path.write_text(raw)
                yield mf.check("caption", path)


def attack():
    renders = list(renderers())
    for report in reports():
        for lang in ("en", "zh"):
            text = type(report)(**{**report.__dict__, "lang": lang}).to_markdown()
            plain = outside_of_code(text)
            assert not re.search(r"evil|@|[<>\[\]!~]", plain.replace("\n> ", "\n")), text
            for render in renders:
                live = set(re.findall(r"<\s*(\w+)", render(text)))
                known = {"h1", "p", "ul", "li", "code", "blockquote", "table", "thead", "tbody", "tr", "th", "td"}
                assert live <= known, (live - known, text)
