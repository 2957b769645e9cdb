"""Texts for tests of the PTB tokenizer: captions, Chinese, and lines made to be hard."""

import json
import random
import zipfile
from itertools import chain
from pathlib import Path

from muge_fast._internal.coco_files import coco_file

SAMPLES = Path(__file__).parents[1] / "python/muge_fast/samples/caption"

EXAMPLES = (
    "A man (left) can't ride Mr. Smith's \"old\" horse in the U.S.",
    "Two dogs -- one black, one white -- play w/ a 3-foot stick; it's 5:30 p.m.!",
    "I'm gonna say cannot, don't & won't...",
    "The price is $1,000.50 or €20 (approx. £18).",
    "e-mail me@x.com or http://a.b/c?d=e <b>now</b> :-)",
    "A t-shirt, size XL/XXL, 50% off & 2 1/2 in. wide",
    "rock 'n' roll in the '90s",
    "",
    "   ",
    ". . .",
    "[x] {y} *z* ½ ⅓ 3¢ … — – “q” ‘r’ «s» a\xadb \xad",
    "红色连衣裙，XL码。《新款》👗 ㎡",
    "tag <a href='x y'> &amp; &AMP; &quot;q&quot; &apos;",
    "*NL* and *nl*",
    "ΑΣ ΟΔΟΣ İstanbul ΑΣ-Α ΑΣ3Α Α3Σ 3Σ ΑΣ'Α ΑΣ.Α Σ ΣΣ ΑΣ/Α ΑΣ_Α",
)

PIECES = (
    *(
        "a",
        "I",
        "the",
        "U.S.",
        "D.C.",
        "p.m.",
        "Mr.",
        "Inc.",
        "Corp.",
        "No.",
        "vs.",
        "e.g.",
        "Ph.D.",
        "Jan.",
        "A.",
        "etc.",
    ),
    *(
        "can't",
        "don't",
        "gonna",
        "wanna",
        "cannot",
        "'tis",
        "'s",
        "'ll",
        "n't",
        "o'clock",
        "'90s",
        "'n'",
        "''",
        '"',
        "'",
        "`",
    ),
    *(
        "-",
        "--",
        "---",
        "----",
        "…",
        "...",
        ". . .",
        "—",
        "–",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        "/",
        "*",
        "\\",
        "#",
        "@",
    ),
    *(
        "<b>",
        "</b>",
        "<a href=x>",
        "<!-- c -->",
        "&amp;",
        "&quot;",
        "&apos;",
        "&lt;",
        "http://x.y/z",
        "www.a.com",
        "a@b.co",
        ":-)",
        ";)",
    ),
    *(
        "1/2",
        "2 1/2",
        "½",
        "¼",
        "1,000.50",
        "$5",
        "€",
        "£",
        "¢",
        "50%",
        "3-foot",
        "12:30",
        "555-1234",
        "(555) 123 4567",
        "1990s",
    ),
    *(
        "红色",
        "裙",
        "，",
        "。",
        "！",
        "“",
        "”",
        "‘",
        "’",
        "《",
        "》",
        "\u3000",
        "Ａ",
        "１",
        "é",
        "e\u0301",
        "ß",
        "ﬁ",
        "İ",
        "Σ",
        "ς",
    ),
    *(
        " ",
        "  ",
        "\t",
        "\xa0",
        "\xad",
        "\u200b",
        "\ufeff",
        "\u2009",
        "👗",
        "👍🏻",
        "𝒳",
        "\x00",
        "\x7f",
        "\x80",
        "\x92",
        "\x85",
        "*NL*",
    ),
)
BREAKS = ("\r", "\u2028", "\u2029", "\v", "\f")


def coco_captions(split="val2014"):
    """Return the captions of each image of COCO, by the ids of images and captions; the package of SPICE has them."""
    path = coco_file("spice/spice-1.0.jar", purpose="COCO's captions")
    with zipfile.ZipFile(path) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(f"captions_{split}.json")]
        rows = json.loads(archive.read(name))["annotations"]
    images = {}
    for row in sorted(rows, key=lambda row: (row["image_id"], row["id"])):
        images.setdefault(row["image_id"], []).append(row["caption"])
    return images


def chinese_captions():
    lines = chain.from_iterable(path.read_text(encoding="utf-8").splitlines() for path in SAMPLES.glob("*.jsonl"))
    rows = [json.loads(line) for line in lines]
    texts = [row["text"] for row in rows]
    return [text for group in texts for text in ([group] if isinstance(group, str) else group)]


def hard_lines(count, seed=0, breaks=False):
    """Return lines of pieces that the rules treat specially, and of characters of all of Unicode."""
    rng = random.Random(seed)
    pieces = (*PIECES, *BREAKS) if breaks else PIECES
    return [_line(rng, pieces, breaks) for _ in range(count)]


def _line(rng, pieces, breaks):
    parts = []
    for _ in range(rng.randint(0, 12)):
        part = rng.choice(pieces) if rng.random() < 0.8 else _character(rng, breaks)
        parts.append(part + " " * (rng.random() < 0.6))
    return "".join(parts)


def _character(rng, breaks):
    while True:
        character = chr(rng.choice([rng.randrange(0x20, 0x3000), rng.randrange(0x110000), rng.randrange(0x20, 0x250)]))
        if not 0xD800 <= ord(character) < 0xE000 and (breaks or character not in "\n\r\x85\u2028\u2029\v\f"):
            return character
