"""Hostile inputs for ``scripts/attack_campaign.py``: a class of inputs is a function that makes one and tries it.

Each gets a random generator and a folder, and returns the outcome in words. Whatever it raises is a failure, apart from
the errors that a reader documents, which :func:`refused` turns into an outcome.
"""

import base64
import io
import json
import pickle
import re
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from random import Random

import numpy as np

import muge_fast as mf
from muge_fast import _core, datasets
from muge_fast._internal.coco_files import coco_file, jar_entries
from muge_fast.cli.main import main
from muge_fast.compat import chinese_clip
from muge_fast.datasets.decoding import broken_images
from muge_fast.evaluation.official_verdict import official_verdict
from muge_fast.image.sources import decode_batches
from muge_fast.text import ptb

Attempt = Callable[[Random, Path], str]

SAMPLES = Path(mf.__file__).parent / "samples"
DOCUMENTED = (ValueError, OSError, TypeError)
# What is put into files between their bytes.
TOKENS = [
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\n", b"\r", b"\0", b"\xef\xbb\xbf", b"\xff", b"\xe8\xa3", b"\t",
    b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-0", b"0.5", b"00", b"9" * 30, b"-9223372036854775809", b"{}",
    b"18446744073709551616", b'"\\ud83d"', b'"\\u0000"', b"\\u202e", b"\x1b[2J", b"[" * 2000, b'{"a":' * 500, b"\x0c",
    b'"image_id"', b'"query_id"', b'"text"', b'"item_ids"', b'"feature"', b'"label"', b"<script>", b"=1+1", b"\xc2\x85",
]  # fmt: skip
TEXTS = [
    "", " ", "裙", "x" * 5000, "\x1b[2J", "\u202e", "\u200b", "\ud83d", "\0", "https://evil.example", "<img src=x>",
    "=1+1", "`", "|", "a\u0301" * 50, "\U0010ffff", "\n\n# x", "{0}", "%s", "__proto__", "e\x9b", "🙂" * 100,
    "]]>", "--><script>",
]  # fmt: skip
OBJECTS = [
    None,
    True,
    0,
    -1,
    2**63,
    2**64,
    10**400,
    0.5,
    float("nan"),
    float("inf"),
    "x",
    "",
    b"x",
    [],
    {},
    [[]],
    {"a": 1},
]


def mutate(random: Random, data: bytes, others: list[bytes], count: int = 3) -> bytes:
    """Return bytes with a few changes: flipped, cut, doubled and inserted parts, numbers, parts of other files."""
    value = bytearray(data)
    # Some files stay as they are: what reads them goes further than with others.
    for _ in range(random.randint(0, count)):
        start = random.randint(0, len(value))
        end = min(len(value), start + random.choice((1, 2, 4, 16, 200)))
        kind = random.randrange(15) // 2
        if kind == 0:
            value[start:end] = bytes(byte ^ (1 << random.randrange(8)) for byte in value[start:end])
        elif kind == 1:
            del value[start:end]
        elif kind == 2:
            value[start:start] = value[start:end] * random.choice((1, 2, 50))
        elif kind == 3:
            value[start:start] = random.choice(TOKENS)
        elif kind == 4:
            value[start:end] = random.choice(
                (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0", b"\1")
            )
        elif kind == 5:
            other = random.choice(others)
            begin = random.randint(0, len(other))
            value[start:end] = other[begin : begin + random.choice((4, 40, 400))]
        elif kind == 6:
            value[start:end] = random.randbytes(end - start)
        else:
            del value[start + random.randint(0, max(0, len(value) - start)) :]
    return bytes(value)


def refused(function: Callable[[], object]) -> str:
    """Return whether a reader takes a file or raises an error that it documents."""
    try:
        function()
    except DOCUMENTED as error:
        str(error).encode("utf-8")
        return f"refused: {next(kind.__name__ for kind in DOCUMENTED if isinstance(error, kind))}"
    return "read"


class Page(HTMLParser):
    """A page that raises for elements and attributes that load or run something."""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Raise if an element is not one of a report."""
        values = dict(attributes)
        assert tag not in {"iframe", "object", "embed", "link", "base", "frame"}, tag
        assert not any(name.startswith("on") for name in values), values
        assert (values.get("src") or "data:").startswith("data:"), values
        assert (values.get("href") or "#").startswith("#"), values


def judged(report: mf.Report, folder: Path) -> str:
    """Return the verdict of a report after all its forms were parsed."""
    value = json.loads(report.to_json())
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    page = Page()
    page.feed(report.to_html())
    page.close()
    markdown = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", report.to_markdown())
    assert not re.search(r"https?://|www\.|(?<![Rr]ecall)@|<", markdown), markdown
    report.to_csv().encode("utf-8")
    assert all("\n" not in error and error.replace("\u3000", " ").isprintable() for error in report.errors), (
        report.errors
    )
    if report.scores is not None or not report.ok:
        text = json.dumps(report.official())
        assert str(folder) not in text
        assert len(text) < 1 << 20
    return "report: valid" if report.ok else "report: invalid"


def write(path: Path, data: bytes) -> Path:
    """Write a file and return its path."""
    path.write_bytes(data)
    return path


# Rows

SEEDS = {
    "caption": ("caption/IC_sample", "caption/IC_sample.pred.base", "caption/IC_sample.pred.large"),
    "retrieval": ("retrieval/MR_sample_queries", "retrieval/MR_sample.pred.base", "retrieval/MR_sample.pred.large"),
    "classification": ("classification/CC_sample", "classification/CC_sample.pred.base"),
}


def lines(random: Random, name: str, count: int) -> bytes:
    """Return the first lines of a sample, in another order at times."""
    rows = (SAMPLES / f"{name}.jsonl").read_bytes().splitlines(keepends=True)[:count]
    if random.random() < 0.1:
        random.shuffle(rows)
    return b"".join(rows)


def rows_of(task: str) -> Attempt:
    """Return the class of mutated submissions of a task."""

    def attempt(random: Random, folder: Path) -> str:
        count = random.choice((1, 3, 64))
        gold = write(folder / "gold.jsonl", lines(random, SEEDS[task][0], count))
        data = mutate(random, lines(random, SEEDS[task][1], count), [lines(random, name, 9) for name in SEEDS[task]])
        path = write(folder / "pred.jsonl", data)
        lang = random.choice(("en", "zh"))
        report = mf.evaluate(task, gold, path, lang=lang) if random.random() < 0.5 else mf.check(task, path, lang=lang)
        return judged(report, folder)

    return attempt


def objects(random: Random, folder: Path) -> str:
    """Try rows whose names and values are any JSON."""
    task = random.choice(list(SEEDS))
    names = {
        "caption": ["image_id", "text"],
        "retrieval": ["query_id", "item_ids"],
        "classification": ["image_id", "label"],
    }

    def value(depth: int) -> object:
        kind = random.randrange(6)
        if kind < 2 or not depth:
            return random.choice([*TEXTS, *(x for x in OBJECTS if not isinstance(x, bytes))])
        if kind < 4:
            return [value(depth - 1) for _ in range(random.choice((0, 1, 10)))]
        return {random.choice(TEXTS): value(depth - 1) for _ in range(2)}

    rows = [{random.choice([name, name, random.choice(TEXTS)]): value(2) for name in names[task]} for _ in range(5)]
    path = write(folder / "pred.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
    return judged(mf.check(task, path, lang=random.choice(("en", "zh"))), folder)


def gold_rows(random: Random, folder: Path) -> str:
    """Try mutated gold files."""
    task = random.choice(list(SEEDS))
    path = write(folder / "pred.jsonl", lines(random, SEEDS[task][1], 9))
    gold = write(folder / "gold.jsonl", mutate(random, lines(random, SEEDS[task][0], 9), TOKENS))
    try:
        return judged(mf.evaluate(task, gold, path), folder)
    except mf.GoldError:
        return "refused: GoldError"


def verdicts(random: Random, folder: Path) -> str:
    """Try result objects of mutated submissions and gold files, by MUGE's and by Chinese-CLIP's rules."""
    task = random.choice(list(SEEDS))
    gold, path = lines(random, SEEDS[task][0], 9), lines(random, SEEDS[task][1], 9)
    if random.random() < 0.5:
        gold = mutate(random, gold, TOKENS)
    gold_path, path = write(folder / "gold.jsonl", gold), write(folder / "pred.jsonl", mutate(random, path, TOKENS))
    result = (
        chinese_clip.result(gold_path, path)
        if random.random() < 0.3
        else official_verdict(task, gold_path, path).result
    )
    text = json.dumps(result, ensure_ascii=False, allow_nan=False)
    assert str(folder) not in text
    assert len(text.encode("utf-8")) < 1 << 21
    return "scored" if result["success"] else "not scored"


def other_lines(random: Random, folder: Path) -> str:
    """Try mutated files of captions, queries, texts, pools and features, and what recognizes files."""
    features = b"".join(
        json.dumps({"image_id": row, "feature": [row / 3, -1.5, 1e-7]}).encode() + b"\n" for row in range(5)
    )
    coco = json.dumps([{"image_id": row, "caption": "红裙"} for row in range(4)]).encode()
    seeds = [
        features,
        coco,
        lines(random, SEEDS["caption"][1], 5),
        lines(random, SEEDS["retrieval"][1], 5),
        b"1\t\xe8\xa3\x99\n2\tb\n",
        b"1\n2\n",
    ]
    path = write(folder / "file", mutate(random, random.choice(seeds), seeds))
    readers = [datasets.read_captions, datasets.read_queries, datasets.read_texts, datasets.read_pool, mf.read_features]
    return refused(lambda: random.choice([*readers, mf.evaluation.describe])(path))


# Images


def pictures() -> list[bytes]:
    """Return an image in each format."""
    from PIL import Image  # noqa: PLC0415 - an extra

    made = []
    for mode, formats in {
        "RGB": ("PNG", "JPEG", "WEBP", "BMP", "TIFF"),
        "P": ("GIF", "PNG"),
        "L": ("TIFF", "JPEG"),
    }.items():
        for kind in formats:
            file = io.BytesIO()
            options = {"progressive": True} if mode == "L" and kind == "JPEG" else {}
            Image.new(mode, (24, 16), 3).save(file, kind, **options)
            made.append(file.getvalue())
    return made


def headers(random: Random, folder: Path) -> str:
    """Try images with mutated headers."""
    del folder
    made = pictures()
    data = random.choice(made)
    end = random.choice((60, 200, len(data)))
    image = mutate(random, data[:end], made) + data[end:]
    # The limit of a submission, which the limit of memory has to be enough for.
    problems = list(broken_images({"a": image}, ["a"], threads=1, max_pixels=mf.Limits().pixels))
    return "refused: reason" if problems else "decoded"


def image_rows(random: Random, folder: Path) -> str:
    """Try mutated submissions of images."""
    made = pictures()
    rows = b"".join(b"%d\t%s\n" % (row, base64.b64encode(random.choice(made))) for row in range(4))
    gold = write(folder / "gold.tsv", rows)
    path = write(folder / "pred.tsv", mutate(random, rows, TOKENS))
    return judged(mf.check("t2i", path, gold=gold if random.random() < 0.5 else None), folder)


def zips(random: Random, folder: Path) -> str:
    """Try mutated zip files of images."""
    made, file = pictures(), io.BytesIO()
    with zipfile.ZipFile(file, "w", random.choice((0, 8))) as archive:
        for row in range(3):
            archive.writestr(
                random.choice((f"{row}.png", "../x.png", "/x.jpg", "a\0.png", "x" * 300 + ".gif")), random.choice(made)
            )
    path = write(folder / "images.zip", mutate(random, file.getvalue(), made))

    def decode() -> None:
        for _ in decode_batches(path, 2, 1):
            pass

    return refused(decode)


# Tables and pickles


def arrays(random: Random, folder: Path) -> str:
    """Try mutated .npz and .npy files, as features and as document frequencies."""
    values = {"ids": np.arange(4), "features": np.ones((4, 3), "f4")}
    file = io.BytesIO()
    if random.random() < 0.3:
        np.save(file, values["features"])
        return refused(lambda: mf.read_features(write(folder / "x.npy", mutate(random, file.getvalue(), TOKENS))))
    if random.random() < 0.5:
        np.savez(file, **values)
        return refused(lambda: mf.read_features(write(folder / "x.npz", mutate(random, file.getvalue(), TOKENS))))
    table = mf.DocumentFrequency.from_references([["红裙 长裙"], ["蓝裤"]], tokenizer="char")
    table.save(folder / "df.npz")
    path = write(folder / "df.npz", mutate(random, (folder / "df.npz").read_bytes(), TOKENS))
    return refused(lambda: mf.DocumentFrequency.load(path))


def pickles(random: Random, folder: Path) -> str:
    """Try mutated pickles of document frequencies, also some that call functions."""
    counts = {("红",): 2.0, ("红", "裙"): 1.0, ("a", "b", "c"): 3}
    seeds = [
        pickle.dumps({"ref_len": np.float64(9.0), "document_frequency": counts}, protocol) for protocol in range(6)
    ]
    seeds.append(b"cos\nsystem\n(S'touch executed'\ntR.")
    path = write(folder / "df.p", mutate(random, random.choice(seeds), seeds))
    return refused(lambda: mf.DocumentFrequency.load(path))


def tables(random: Random, folder: Path) -> str:
    """Try mutated Parquet and Arrow files of features."""
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import feather, parquet  # noqa: PLC0415

    table = pa.table({"image_id": [1, 2], "feature": pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32()))})
    file = io.BytesIO()
    suffix = random.choice(("parquet", "feather"))
    (parquet.write_table if suffix == "parquet" else feather.write_feather)(table, file)
    path = write(folder / f"x.{suffix}", mutate(random, file.getvalue(), [file.getvalue()]))
    return refused(lambda: mf.read_features(path))


# Names, options and objects


def names(random: Random, folder: Path) -> str:
    """Try files with hostile names in all commands that read one."""
    from click.testing import CliRunner  # noqa: PLC0415 - no other class has commands

    text = "".join(random.choice(TEXTS)[:20] for _ in range(3)).replace("/", "").replace("\0", "")
    text = text.encode("utf-8", "surrogateescape" if text.isascii() else "replace").decode()[:60]
    path = folder / f"x{text}"
    write(path, random.choice((b"", b"{}", lines(random, SEEDS["caption"][1], 2))))
    command = random.choice(
        (["check", "caption", "-s"], ["info"], ["info", "--json"], ["score", "t2i", "-s", str(path), "-g"])
    )
    done = CliRunner().invoke(main, [*command, str(path if random.random() < 0.7 else folder / text / "x")])
    assert done.exit_code in (0, 1, 2), done.exception
    assert all(letter.isprintable() or letter in "\n\u3000" for letter in done.output), done.output
    return f"exit code {done.exit_code}"


def options(random: Random, folder: Path) -> str:
    """Try options of any type and value."""
    del folder
    keys = (
        "metrics",
        "tokenizer",
        "threads",
        "document_frequency",
        "n",
        "sigma",
        "beta",
        "smoothing",
        "weights",
        "progress",
    )
    chosen = {random.choice(keys): random.choice([*OBJECTS, *TEXTS]) for _ in range(random.randint(1, 2))}
    limits = {random.choice(tuple(vars(mf.Limits()))): random.choice(OBJECTS)}
    return random.choice(
        (
            lambda: refused(lambda: mf.score_captions(["a b", "c"], [["a"], ["c"]], **chosen)),
            lambda: refused(lambda: mf.Limits(**limits)),
            lambda: refused(lambda: mf.score_retrieval([[1]], [[1]], ks=random.choice(OBJECTS))),
        )
    )()


def captions(random: Random, folder: Path) -> str:
    """Try captions of any characters with all metrics and tokenizers."""
    del folder
    ranges = ((0xE000, 0x110000), (0, 0xD800), (0x3000, 0xA000), (0x20, 0x21), (0x61, 0x63))
    lengths = [random.choice((0, 1, 20, 3000)) for _ in range(6)]
    made = ["".join(chr(random.randrange(*random.choice(ranges))) for _ in range(length)) for length in lengths]
    tokenizer = random.choice(("muge", "char", "whitespace", "13a", "zh", "jieba", "ptb"))
    metrics = random.choice((None, ("rouge_l",), ("cider", "bleu"), ("meteor",)))
    given = {} if metrics is None else {"metrics": metrics}
    return refused(lambda: mf.score_captions(made[:3], [[text] for text in made[3:]], tokenizer=tokenizer, **given))


def _states() -> dict[type, bytes]:
    """Return a state of each class that has states."""
    metrics = ("cider_d", "bleu", "rouge_l", "meteor")
    scores = mf.score_captions({1: "红裙", 2: "黑鞋,"}, {1: ["红色裙"], 2: ["鞋,", "黑"]}, metrics=metrics)
    found = mf.TopK(2)
    found.update(np.eye(2, dtype="float32"), np.eye(3, 2, dtype="float32"), 0)
    statistics = mf.image.Statistics.from_features([[1.0, 2.0], [3.0, 5.0], [4.0, 4.0]])
    frequency = mf.DocumentFrequency.from_references([["红裙"], ["黑鞋", "鞋"]])
    return {type(each): each.to_bytes() for each in (scores, found, statistics, frequency)}


def states(random: Random, folder: Path) -> str:
    """Try states with changed bytes, or with other members of the archive; what is read must be a state again."""
    del folder
    made = _states()
    kind = random.choice(list(made))
    data = mutate(random, made[kind], list(made.values()))
    if random.random() < 0.5:
        with np.load(io.BytesIO(made[kind])) as archive:
            members = {name: archive[name] for name in archive.files}
        name = random.choice(list(members))
        array = members[name]
        if array.dtype.kind == "U":
            data = made[random.choice(list(made))]
        else:
            raw = mutate(random, array.tobytes(), [b"\xff" * 8, b"\x7f\xf0" * 4])
            flat = np.frombuffer(raw[: len(raw) // array.itemsize * array.itemsize], array.dtype)
            members[name] = flat.reshape(array.shape) if flat.size == array.size else flat
            file = io.BytesIO()
            np.savez(file, **members)
            data = file.getvalue()

    def read() -> None:
        value = kind.from_bytes(data)
        assert kind.from_bytes(value.to_bytes()).to_bytes() == value.to_bytes()
        if kind is mf.Scores and "meteor" in value:
            assert 0 <= value["meteor"].value <= 1

    return refused(read)


def rules(random: Random, folder: Path) -> str:
    """Try changed rules of the PTB tokenizer, which a damaged package of the user has."""
    del folder
    (data,) = jar_entries(coco_file(ptb.ARCHIVE, purpose="the attack"), [ptb.CLASS_FILE])
    changed = mutate(random, data, [data], count=2)
    texts = [
        "A man (left) can't ride; 2 1/2 in. in the U.S. http://a.b/c 红色裙 <b> " * 3,
        random.choice(TOKENS).decode("latin-1"),
    ]
    return refused(lambda: _core.Tokenizer.ptb(changed).caption_lines(texts, 1))


CLASSES: dict[str, Attempt] = {
    "rows of captions": rows_of("caption"),
    "rows of retrieval": rows_of("retrieval"),
    "rows of classification": rows_of("classification"),
    "rows of any JSON": objects,
    "gold files": gold_rows,
    "official objects": verdicts,
    "other files of lines": other_lines,
    "headers of images": headers,
    "rows of images": image_rows,
    "zip files of images": zips,
    ".npz and .npy files": arrays,
    "pickles": pickles,
    "Parquet and Feather files": tables,
    "names of files": names,
    "options": options,
    "captions of any characters": captions,
    "states": states,
    "rules of the tokenizer ptb": rules,
}
"""Classes of hostile inputs by name."""
