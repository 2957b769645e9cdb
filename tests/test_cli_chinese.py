"""Every message of the command under ``--lang zh`` is in Chinese: wrong usage, broken files of each kind, options."""

import ast
import base64
import gzip
import io
import json
import re

import click
import numpy as np
import pytest
from click.testing import CliRunner

import muge_fast as mf
from muge_fast._internal.templates import PLACEHOLDER
from muge_fast.cli.chinese_errors import CLICK, ERRORS, PARSER, PLACES, SYSTEM
from muge_fast.cli.error_language import in_chinese
from muge_fast.cli.main import main
from muge_fast.datasets.image_reasons import IMAGE_REASONS
from source_files import ROOT, read

PACKAGE = ROOT / "python" / "muge_fast"
SAMPLES = PACKAGE / "samples"
CAPTIONS = SAMPLES / "caption" / "IC_sample.jsonl", SAMPLES / "caption" / "IC_sample.pred.large.jsonl"

# What stays in English: names of files, formats, fields, options and programs, values, and words of other packages.
NAMES = re.compile(
    r"'[^']*'|“[^”]*”|\"[^\"]*\"|`[^`]*`|\{[^}]*\}"
    r"|--?[a-z][\w-]*|[^\s：，；“]*[/\\][^\s：，；”]*|\S+\.[a-z]\w*|\b\w*_\w*\b"
    r"|\b(?:JSON(?: Lines?)?|TSV|UTF-8|UTF-16|BOM|GBK|GB18030|NumPy|Parquet|Arrow|Feather|Python|PyTorch|Inception|CLIP"
    r"|FID|ID|base64|iconv|jq|gzip|zip|float32|int64|pickle|pandas|torch|COCO|CSV|TREC)\b"
)
# A sentence has words in a row.
SENTENCE = re.compile(r"[A-Za-z]+ [A-Za-z]+ [A-Za-z]+")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def english_of(text):
    """Return the English sentences of a text, without names."""
    return SENTENCE.findall(NAMES.sub("，", text))


def feature_lines(*rows, name="image_id"):
    return "".join(json.dumps({name: key, "feature": feature}) + "\n" for key, feature in rows)


def arrays(**values):
    file = io.BytesIO()
    np.savez(file, **values)
    return file.getvalue()


def array(value, **options):
    file = io.BytesIO()
    np.save(file, value, **options)
    return file.getvalue()


ONES = np.ones((2, 3), "float32")
# Broken files of features.
FEATURES = {
    "nan.jsonl": '{"image_id": 1, "feature": [1, NaN, 2]}\n',
    "large.jsonl": '{"image_id": 1, "feature": [1, 1e300, 2]}\n',
    "word.jsonl": '{"image_id": 1, "feature": [1, "x", 2]}\n',
    "null.jsonl": '{"image_id": 1, "feature": [1, null, 2]}\n',
    "text.jsonl": '{"image_id": 1, "feature": "x"}\n',
    "float_id.jsonl": '{"image_id": 1.5, "feature": [1]}\n',
    "long_id.jsonl": '{"image_id": 99999999999999999999, "feature": [1]}\n',
    "no_feature.jsonl": '{"image_id": 1, "features": [1]}\n',
    "no_id.jsonl": '{"id": 1, "feature": [1]}\n',
    "many_fields.jsonl": '{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "feature": [1]}\n',
    "two_ids.jsonl": '{"image_id": 1, "item_id": 1, "feature": [1]}\n',
    "two_features.jsonl": '{"image_id": 1, "feature": [1], "feature": [1]}\n',
    "empty_feature.jsonl": '{"image_id": 1, "feature": []}\n',
    "not_json.jsonl": "a\n",
    "cut.jsonl": '{"image_id": 1, "feature": [1, 2',
    "cut_string.jsonl": '{"image_id": "a',
    "comma.jsonl": '{"image_id": 1, "feature": [1,]}\n',
    "trailing.jsonl": '{"image_id": 1, "feature": [1]} x\n',
    "escape.jsonl": '{"image_id": "\\x", "feature": [1]}\n',
    "surrogate.jsonl": '{"image_id": "\\ud800", "feature": [1]}\n',
    "list.jsonl": "[1, 2]\n[3, 4]\n",
    "number.jsonl": "5\n",
    "bad_utf8.jsonl": b'{"image_id": "\xff", "feature": [1]}\n',
    "dims.jsonl": feature_lines((1, [1, 2]), (2, [1])),
    "other_name.jsonl": feature_lines((1, [1, 2])) + feature_lines((2, [1, 2]), name="text_id"),
    "types.jsonl": feature_lines((1, [1, 2]), ("a", [1, 2])),
    "double.jsonl": feature_lines((1, [1, 2]), (1, [1, 2])),
    "empty.jsonl": "",
    "blank.jsonl": "\n\n",
    "bom.jsonl": "\ufeff" + feature_lines((1, [1, 2])),
    "gzip.jsonl": gzip.compress(b"x" * 50),
    "zip.jsonl": arrays(ids=np.arange(2), features=ONES),
    "npy.jsonl": array(ONES),
    "parquet.jsonl": b"PAR1" + bytes(50) + b"PAR1",
    "pickle.jsonl": b"\x80\x04" + bytes(50),
    "array.jsonl": '[{"image_id": 1, "feature": [1]}]',
    "csv.jsonl": "image_id,feature\n1,2\n",
    "captions.jsonl": '{"image_id": "a", "text": ["b"]}\n',
    "retrieval.jsonl": '{"query_id": 1, "item_ids": [2]}\n',
    "texts.jsonl": feature_lines((1, [1, 2, 3]), name="text_id"),
    "dims4.jsonl": feature_lines(*((key, [1, 2, 3, 4]) for key in range(20))),
    "not_archive.npz": b"hello",
    "other_arrays.npz": arrays(a=ONES),
    "shapes.npz": arrays(ids=np.arange(3), features=ONES),
    "strings.npz": arrays(ids=np.arange(2), features=ONES.astype(str)),
    "float_ids.npz": arrays(ids=np.ones(2), features=ONES),
    "objects.npz": arrays(ids=np.array([1, "a"], object), features=ONES),
    "square_ids.npz": arrays(ids=np.ones((2, 1), int), features=ONES),
    "large_ids.npz": arrays(ids=np.full(2, 2**64 - 1, "uint64"), features=ONES),
    "nan.npz": arrays(ids=np.arange(2), features=ONES * np.nan),
    "double.npz": arrays(ids=np.zeros(2, int), features=ONES),
    "no_rows.npz": arrays(ids=np.arange(0), features=ONES[:0]),
    "not_array.npy": b"hello",
    "flat.npy": array(np.ones(3)),
    "nan.npy": array(ONES * np.inf),
    "text.npy": array(ONES.astype(str)),
    "objects.npy": array(np.array([None]), allow_pickle=True),
    "cut.npy": array(np.ones((50, 5)))[:-100],
    "not_table.parquet": b"hello",
    "cut.parquet": b"PAR1" + bytes(20),
    "not_table.arrow": b"hello",
    "not_table.feather": b"ARROW1" + bytes(50),
}
TEXTS = feature_lines(*((key, [1, 2, 3]) for key in range(20)), name="query_id")
IMAGES = feature_lines(*((key, [1, 2, 3]) for key in range(20)))


def run(*arguments, **options):
    return CliRunner().invoke(main, ["--lang", "zh", *map(str, arguments)], **options)


def check_language(result):
    """Check that what was printed is in Chinese, and return it."""
    lines = [
        line
        for line in result.stderr.splitlines()
        if line.startswith(("错误", "警告", "无效", "Error", "Warning", "invalid"))
    ]
    lines += result.stdout.splitlines() if result.exit_code == 1 else []
    assert lines or result.exit_code == 0, result.output
    for line in lines:
        assert CHINESE.search(line.removeprefix("错误：").removeprefix("警告：")), line
        assert english_of(line) == [], line
    return "\n".join(lines)


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", FEATURES)
def test_errors_of_feature_files(tmp_path, name):
    if name.endswith((".parquet", ".arrow", ".feather")):
        pytest.importorskip("pyarrow")
    broken, texts = write(tmp_path, name, FEATURES[name]), write(tmp_path, "t.jsonl", TEXTS)
    result = run("top-k", "--image-feats", broken, "--text-feats", texts, "--output", "-")
    assert result.exit_code == 2
    check_language(result)


def tables(pa):
    """Return broken tables of pyarrow by name."""

    def column(name, values, feature):
        return pa.table({name: pa.array(values), "feature": feature})

    lists = pa.array([[1.0, 2.0], [3.0, 4.0]])
    return {
        "no_rows": column("image_id", pa.array([], "int64"), pa.array([], pa.list_(pa.float32()))),
        "no_feature": pa.table({"image_id": [1, 2]}),
        "float_ids": column("image_id", [1.5, 2.0], lists),
        "null_id": column("image_id", [1, None], lists),
        "integers": column("image_id", [1, 2], pa.array([[1], [2]])),
        "null": column("image_id", [1, 2], pa.array([[1.0], None])),
        "lengths": column("image_id", [1, 2], pa.array([[1.0], [1.0, 2.0]])),
        "null_number": column("image_id", [1, 2], pa.array([[1.0, None], [1.0, 2.0]])),
        "double": column("image_id", [1, 1], lists),
        "nan": column("image_id", [1, 2], pa.array([[1.0, float("nan")], [1.0, 2.0]])),
    }


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_errors_of_tables(tmp_path, suffix):
    pyarrow = pytest.importorskip("pyarrow")
    feather, parquet = (pytest.importorskip(f"pyarrow.{name}") for name in ("feather", "parquet"))
    texts = write(tmp_path, "t.jsonl", TEXTS)
    for name, table in tables(pyarrow).items():
        path = tmp_path / f"{name}{suffix}"
        (parquet.write_table if suffix == ".parquet" else feather.write_feather)(table, str(path))
        result = run("top-k", "--image-feats", path, "--text-feats", texts, "--output", "-")
        assert result.exit_code == 2
        check_language(result)


def test_errors_and_warnings_of_searches(tmp_path):
    images, texts = write(tmp_path, "i.jsonl", IMAGES), write(tmp_path, "t.jsonl", TEXTS)
    names = write(tmp_path, "names.jsonl", feature_lines(*((f"a{key}", [1, 2, 3]) for key in range(20))))
    zeros = write(tmp_path, "zeros.jsonl", feature_lines(*((key, [0, 0, 0]) for key in range(20))))
    cases = [
        ((images, texts), ("--top-k", "21")),
        ((images, texts), ("--top-k", "5")),
        ((images, texts), ("--direction", "image-to-text", "--fields", "muge")),
        ((images, texts), ("--direction", "image")),
        ((images, texts), ("--metric", "l2")),
        ((images, texts), ("--eval-batch-size", "x")),
        ((images, texts), ("--threads", "0")),
        ((texts, images), ()),
        ((images, images), ()),
        ((names, texts), ()),
        ((zeros, texts), ("--metric", "cosine")),
        ((tmp_path, texts), ()),
        ((tmp_path / "missing", texts), ()),
        (("/dev/null", texts), ()),
        (("-", "-"), ()),
        (("\0", texts), ()),
        (("a" * 300, texts), ()),
        (("", texts), ()),
    ]
    for (image_feats, text_feats), options in cases:
        arguments = ("--image-feats", image_feats, "--text-feats", text_feats, "--output", "-", *options)
        result = run("top-k", *arguments)
        check_language(result)
    for output in (tmp_path, tmp_path / "no" / "x", images, ""):
        result = run("top-k", "--image-feats", images, "--text-feats", texts, "--output", output)
        assert result.exit_code == 2
        check_language(result)


# Pools and gold files

POOLS = {
    "words.txt": "1\na\n",
    "large.txt": "99999999999999999999\n",
    "bad_utf8.txt": b"1\n\xff\n",
    "cut_utf8.txt": b"1\n\xe4",
    "rows.txt": '{"query_id": 1, "item_ids": [2]}\n',
    "captions.txt": '{"image_id": "a", "text": "b"}\n',
    "list.txt": "[1, 2]",
    "gzip.txt": gzip.compress(b"x"),
    "utf16.txt": "1\n2\n".encode("utf-16"),
    "gbk.txt": "红色连衣裙\n".encode("gbk"),
    "npy.txt": array(ONES),
    "csv.txt": "image_id,name\n1,a\n",
    "texts.tsv": "1\t红裙\n",
    "words.tsv": "a\t" + base64.b64encode(b"x" * 60).decode() + "\n",
    "no_tab.tsv": "1\n2\n",
    "no_id.tsv": "\tabcd\n",
    "bad_id.tsv": b"\xff\t" + base64.b64encode(b"x" * 60) + b"\n",
    "no_image.tsv": "1\t\n",
    "double.tsv": ("1\t" + base64.b64encode(b"x" * 60).decode() + "\n") * 2,
    "rows.tsv": '{"query_id": 1, "item_ids": [2]}\n',
    "empty.tsv": "",
}


@pytest.mark.parametrize("name", POOLS)
def test_errors_of_pools(tmp_path, name):
    gold = write(tmp_path, "gold.jsonl", '{"query_id": 1, "item_ids": [2]}\n')
    submission = write(tmp_path, "pred.jsonl", json.dumps({"query_id": 1, "item_ids": list(range(10))}) + "\n")
    pool = write(tmp_path, name, POOLS[name])
    for command in ("score", "check"):
        result = run(command, "retrieval", "-g", gold, "-s", submission, "--pool", pool)
        assert result.exit_code in (1, 2)
        check_language(result)


GOLD = {
    "list": "[1]\n",
    "fields": '{"text_id": 1, "image_ids": [2]}\n',
    "missing": '{"query_id": 1}\n',
    "id": '{"query_id": [1], "item_ids": [2]}\n',
    "items": '{"query_id": 1, "item_ids": 5}\n',
    "not_json": "a\n",
    "blank": '{"query_id": 1, "item_ids": [2]}\n\n',
    "empty": "",
    "deep": "[" * 200_000 + "\n",
    "bad_utf8": b"\xff\n",
    "bom": "\ufeff{}",
    "gzip": gzip.compress(b"x"),
    "long": '{"query_id": ' + "1" * 5000 + ', "item_ids": [2]}\n',
}


@pytest.mark.parametrize("name", GOLD)
def test_errors_of_gold_files(tmp_path, name):
    gold = write(tmp_path, "gold.jsonl", GOLD[name])
    submission = write(tmp_path, "pred.jsonl", json.dumps({"query_id": 1, "item_ids": list(range(10))}) + "\n")
    result = run("official", "retrieval", gold, submission, tmp_path / "result.json")
    assert result.exit_code == 2
    check_language(result)
    written = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert CHINESE.search(written["errorMsg"])
    assert english_of(written["errorMsg"]) == []
    for command in (("score", "retrieval"), ("check", "retrieval"), ("score", "caption"), ("score", "t2i")):
        result = run(*command, "-g", gold, "-s", submission)
        check_language(result)
    result = run("info", gold)
    assert english_of(result.stdout + result.stderr) == []


# Usage, and values of options

PRED = SAMPLES / "retrieval" / "MR_sample.pred.large.jsonl"
USAGE = [
    ("scor",),
    ("frobnicate",),
    ("--frobnicate",),
    ("--html", "x"),
    ("--lang", "fr", "info", "x"),
    ("score",),
    ("score", "captions"),
    ("score", "nothing"),
    ("score", "caption"),
    ("score", "caption", "-g"),
    ("score", "caption", "-g", CAPTIONS[0]),
    ("score", "caption", "-g", CAPTIONS[0], "-g", CAPTIONS[0]),
    ("score", "caption", "retrieval", "-g", CAPTIONS[0], "-s", CAPTIONS[1]),
    ("score", "caption", "--json=1"),
    ("score", "caption", "--ks", "1"),
    ("score", "caption", "--tokenizr", "jieba"),
    ("score", "caption", "--direction", "x"),
    ("score", "caption", "-x"),
    ("score", "caption", "-s", "nowhere"),
    ("score", "caption", "-g", "/", "-s", CAPTIONS[1]),
    ("score", "caption", "-g", "", "-s", CAPTIONS[1]),
    ("score", "caption", "-g", "-", "-s", "-"),
    ("score", "caption", "--texts", "nowhere", "-g", CAPTIONS[0], "-s", CAPTIONS[1]),
    ("score", "caption", "--pool", "nowhere", "-g", CAPTIONS[0], "-s", CAPTIONS[1]),
    *(
        ("score", "caption", "-g", CAPTIONS[0], "-s", CAPTIONS[1], *options)
        for options in (
            ("--tokenizer", "jeiba"),
            ("--tokenizer", "x"),
            ("--metric", "x"),
            ("--metric", "meteo"),
            ("--threads", "0"),
            ("--threads", "x"),
            ("--html", "/"),
            ("--html", "/nowhere/x"),
            ("--html", ""),
            ("--html", "-"),
            ("--html", CAPTIONS[0]),
            ("--html", "x.html", "--markdown", "x.html"),
            ("--html", "x.html", "--images", CAPTIONS[0]),
            ("--images", CAPTIONS[0]),
            ("--date", "x"),
            ("--seconds",),
            ("--per-item", "x.txt"),
            ("--official", "/nowhere/x"),
            ("--document-frequency", "nowhere"),
            ("--state", "/nowhere/x"),
            ("--document-frequency", "/"),
        )
    ),
    *(
        ("score", "t2i", "-g", CAPTIONS[0], "-s", CAPTIONS[1], *options)
        for options in (
            ("--protocol", "x"),
            ("--precision", "fp16"),
            ("--weights", "nowhere"),
            ("--weights", "/"),
            ("--batch-size", "0"),
            ("--splits", "x"),
            ("--negatives", "-1"),
            ("--texts", CAPTIONS[0]),
            ("--clip", "x"),
            ("--image-feats", CAPTIONS[0]),
            ("--text-feats", CAPTIONS[0]),
            ("--texts", CAPTIONS[0], "--clip", "x", "--image-feats", CAPTIONS[0], "--text-feats", CAPTIONS[0]),
            ("--tokenizer", "jieba"),
            ("--metric", "meteor"),
        )
    ),
    ("score", "caption", "-g", CAPTIONS[1], "-s", CAPTIONS[0]),
    ("compare",),
    ("compare", "caption"),
    ("compare", "caption", "-g", CAPTIONS[0]),
    ("compare", "caption", "-g", CAPTIONS[0], CAPTIONS[1]),
    ("compare", "caption", "-g", CAPTIONS[0], "-s", CAPTIONS[1]),
    ("compare", "caption", "-g", CAPTIONS[0], "-", "-"),
    ("compare", "caption", "-g", CAPTIONS[0], "nowhere", CAPTIONS[1]),
    ("compare", "caption", "-g", CAPTIONS[0], "a=nowhere", CAPTIONS[1]),
    ("compare", "caption", "-g", CAPTIONS[0], "=x", CAPTIONS[1]),
    ("compare", "caption", "-g", CAPTIONS[0], CAPTIONS[1], CAPTIONS[1]),
    ("compare", "caption", "-g", CAPTIONS[0], CAPTIONS[0], CAPTIONS[1]),
    ("compare", "t2i", "-g", CAPTIONS[0], CAPTIONS[0], CAPTIONS[1], "--metric", "r_precision"),
    *(
        ("compare", "caption", "-g", CAPTIONS[0], f"a={CAPTIONS[1]}", f"b={CAPTIONS[1]}", *options)
        for options in (
            ("--metric", "blue"),
            ("--metric", "x"),
            ("--baseline", "x"),
            ("--level", "95"),
            ("--level", "x"),
            ("--test", "wilcoxon"),
            ("--test", "sign_flip"),
            ("--alternative", "x"),
            ("--correction", "holms"),
            ("--resamples", "0"),
            ("--resamples", "30"),
            ("--seed", "-1"),
            ("--clusters", "nowhere"),
            ("--clusters", CAPTIONS[0]),
            ("--html", CAPTIONS[1]),
            ("--date", "x"),
            ("--image-feats", "x"),
            ("--images", "x"),
        )
    ),
    ("check", "caption", "-s", CAPTIONS[0]),
    ("check", "caption", "-s", PRED),
    ("check", "caption", "-s", CAPTIONS[1], "--html", "x"),
    ("check", "t2i", "-s", CAPTIONS[1]),
    ("official",),
    ("official", "caption", CAPTIONS[0], CAPTIONS[1]),
    ("official", "caption", CAPTIONS[0], CAPTIONS[1], "/nowhere/x"),
    ("official", "caption", CAPTIONS[0], CAPTIONS[1], CAPTIONS[1]),
    ("official", "caption", CAPTIONS[0], CAPTIONS[1], "x", "y"),
    ("official", "caption", "", CAPTIONS[1], "x"),
    ("official", "caption", "nowhere", CAPTIONS[1], "result.json"),
    ("official", "caption", CAPTIONS[0], "nowhere", "result.json"),
    ("official", "caption", CAPTIONS[0], "/", "result.json"),
    ("official", "retrieval", "/", PRED, "result.json"),
    ("official", "retrieval", PRED, "/dev/null", "result.json"),
    ("official", "caption", CAPTIONS[0], "/dev/null", "result.json"),
    ("official", "classification", CAPTIONS[0], CAPTIONS[1], "result.json"),
    ("official", "t2i", CAPTIONS[0], CAPTIONS[1], "result.json"),
    ("top-k",),
    ("top-k", "--image-feats"),
    ("top-k", "--image-feats", CAPTIONS[0], "--text-feats", CAPTIONS[1]),
    ("top-k", "--tokenizer", "x"),
    ("top-k", "--top-k", "0"),
    ("top-k", "--fields", "x"),
    ("run",),
    ("run", "captions", "--model", "x", "--data", "/", "--output", "run"),
    *(
        ("run", "caption", "--model", "x", "--data", "/", "--output", "run", *options)
        for options in (
            (),
            ("--data", "nowhere"),
            ("--split", "../x"),
            ("--batch-size", "0"),
            ("--dtype", "fp64"),
            ("--max-new-tokens", "0"),
            ("--beams", "x"),
            ("--steps", "0"),
            ("--guidance", "x"),
            ("--size", "0"),
            ("--seed", "-1"),
            ("--prompt",),
            ("--tokenizer", "x"),
            ("--weights", "x"),
            ("--clip", "x"),
            ("--threads", "0"),
        )
    ),
    ("info",),
    ("info", "nowhere"),
    ("info", ""),
    ("info", "/dev/null"),
    ("info", "a" * 300),
    ("info", "--gold", "x"),
    ("submit",),
    ("submit", "caption", PRED, "--method", "x", "--link", "x"),
    ("submit", "caption", PRED, "--to", "muge.example", "--token-file", "/dev/null"),
    ("submit", "caption", PRED, "--to", "muge.example", "--token-file", PRED),
    ("demo", "x"),
    ("demo", "--html", "/"),
    ("demo", "--html", "/nowhere/x"),
]


@pytest.mark.parametrize("arguments", USAGE, ids=lambda arguments: " ".join(map(str, arguments))[:40] or "-")
def test_errors_of_usage(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code in (1, 2)
    check_language(result)
    if (tmp_path / "result.json").exists():
        written = json.loads((tmp_path / "result.json").read_text("utf-8"))
        assert CHINESE.search(written["errorMsg"])
        assert english_of(written["errorMsg"] + written["errorDetail"]) == []


def test_every_option_has_bad_values():
    given = {word for arguments in USAGE for word in arguments if str(word).startswith("--")}
    for command in main.commands.values():
        for parameter in command.get_params(click.Context(command)):
            names = {name for name in parameter.opts if name.startswith("--")}
            assert not names or parameter.is_flag or parameter.name in FILES or names & given, names


# Options whose files are tried by other tests.
FILES = {"gold", "submission", "output", "metric", "eval_batch_size", "device"}


# Images


def image_rows(count, size=64):
    image = pytest.importorskip("PIL.Image")
    rows = []
    for number in range(count):
        file = io.BytesIO()
        pixels = np.random.default_rng(number).integers(0, 255, (size, size, 3), "uint8")
        image.fromarray(pixels).save(file, "PNG")
        rows.append(f"i{number}\t{base64.b64encode(file.getvalue()).decode()}\n")
    return "".join(rows)


def test_errors_of_images_and_networks(tmp_path, monkeypatch, weights):
    torch = pytest.importorskip("torch")
    monkeypatch.delenv("MUGE_FAST_INCEPTION", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    images = write(tmp_path, "images.tsv", image_rows(3))
    broken_weights = {
        "empty.pth": b"",
        "text.pth": b"hello",
        "gzip.pth": gzip.compress(b"x"),
        "lfs.pth": b"version https://git-lfs.github.com/spec/v1\n",
        "tensor.pth": torch.zeros(2),
        "model.pth": {"state_dict": {"a": torch.zeros(2)}},
        "wrapped.pth": {"module.a": torch.zeros(2)},
        "other.pth": {"a": torch.zeros(2)},
        "numbers.pth": {"a": 5},
    }
    for name, content in broken_weights.items():
        path = tmp_path / name
        torch.save(content, path) if not isinstance(content, bytes) else path.write_bytes(content)
    texts = write(tmp_path, "texts.tsv", "i0\t红\ni1\t蓝\ni2\t黑\n")
    cases = [(), *(("--weights", tmp_path / name) for name in broken_weights)]
    cases += [(("--device"), name) for name in ("cuda:7", "x")]
    cases += [("--texts", texts, "--clip", name) for name in (tmp_path / "nowhere", tmp_path, "no/model")]
    broken_texts = {"tab": "i0\n", "double": "a\tb\na\tb\n", "utf8": b"\xff\tb\n", "rows": '{"a": 1}\n', "no": ""}
    for name, content in broken_texts.items():
        cases.append(("--texts", write(tmp_path, f"{name}.tsv", content), "--clip", tmp_path))
    features = {
        "good": feature_lines(("i0", [1, 2]), ("i1", [1, 2]), ("i2", [1, 2])),
        "few": feature_lines(("i0", [1, 2]), ("i1", [1, 2])),
    }
    paths = {name: write(tmp_path, f"{name}.jsonl", content) for name, content in features.items()}
    used = ("--weights", weights, "--splits", "1", "--negatives", "1")
    cases.append(("--image-feats", paths["few"], "--text-feats", paths["good"], *used))
    for options in cases:
        result = run("score", "t2i", "-g", images, "-s", images, *options)
        check_language(result)
    for broken in ("i0\tabcd\n", "i0\t" + base64.b64encode(b"x" * 90).decode() + "\n", image_rows(3)[:-100]):
        result = run("check", "t2i", "-s", write(tmp_path, "broken.tsv", broken))
        assert result.exit_code == 1
        check_language(result)
        for command in (("score", "t2i", "-g", tmp_path / "broken.tsv", "-s", images),):
            check_language(run(*command))


def test_images_that_are_not_base64(tmp_path):
    result = run("check", "t2i", "-s", write(tmp_path, "broken.tsv", "i0\t!!!!\ni1\t!!!!\n"))
    assert "第 1 行：img_id i0：图像无法解码：图像 'i0' 不是 base64" in result.output
    check_language(result)


def test_scores_without_influence():
    features = np.random.default_rng(0).normal(size=(40, 2))
    real = mf.image.Statistics.from_features(features)
    for score in (mf.image.fid_from_features(real, features), mf.image.fid_infinity(real, features)):
        with pytest.raises(ValueError, match="influence of images") as caught:
            _ = score.influence
        chinese = in_chinese(str(caught.value))
        assert CHINESE.search(chinese)
        assert score.name in chinese


def test_errors_of_features_that_are_scored():
    ones, three = np.ones((2, 2)), np.ones((2, 3))
    calls = [
        lambda: mf.image.r_precision(ones, three),
        lambda: mf.image.r_precision(ones, ones, negatives=9),
        lambda: mf.image.r_precision(0 * ones, ones),
        lambda: mf.image.fid(mf.image.Statistics.from_features(ones[:1]), mf.image.Statistics.from_features(ones)),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=" ") as caught:
            call()
        chinese = in_chinese(str(caught.value))
        assert CHINESE.search(chinese)
        assert english_of(chinese) == []


# The table of translations


def literal(node):
    """Return a text of the source with 5 for each value; None for anything but a text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "5" for part in node.values)
    return None


# Errors of functions that no command calls, and errors that are passed on.
WRITERS = {"ids: [5] ends in a null character, which an .npz file cannot hold"}
WRITERS |= {"ids are not row indices, and an .npy file has no other ids"}
PASSED_ON = {"5: 5", "5 5", "pool 5", "5, line 5: 5", "5: need (rows,) and (rows, dimensions)"}


def test_every_error_of_feature_files_and_pools_has_a_translation():
    files = [*(PACKAGE / "features").glob("*.py"), PACKAGE / "datasets" / "texts.py"]
    files += [PACKAGE / "retrieval" / "predictions.py"]
    files += [PACKAGE / "_internal" / name for name in ("npz.py", "zip_files.py")]
    raised = [node.exc for file in files for node in ast.walk(ast.parse(read(file))) if isinstance(node, ast.Raise)]
    messages = {literal(error.args[0]) for error in raised if isinstance(error, ast.Call) and error.args}
    messages -= {None, *WRITERS, *PASSED_ON}
    assert len(messages) > 40
    assert [message for message in messages if in_chinese(message) == message] == []


@pytest.mark.parametrize("table", [ERRORS, IMAGE_REASONS])
def test_every_translation_has_the_placeholders_of_its_text(table):
    fields = re.compile(r"\{\w+\}")
    for english, chinese in table.items():
        assert sorted(fields.findall(english)) == sorted(fields.findall(chinese)), english


def test_every_translated_error_is_raised():
    sources = [
        path
        for path in PACKAGE.rglob("*.py")
        if path.name not in ("chinese_errors.py", "chinese_meteor.py", "chinese_models.py", "image_reasons.py")
    ]
    literals = [literal(node) or "" for path in sources for node in ast.walk(ast.parse(read(path)))]
    rust = [read(path) for folder in ("rust/src", "src") for path in (ROOT / folder).rglob("*.rs")]
    code = "\n".join([*literals, *rust])
    # Words of other packages, and messages that are put together from pieces.
    others = {**SYSTEM, **PARSER, **CLICK, **PLACES}
    others |= {text: "" for text in ERRORS if re.match(r"\{name\} (lack|have) |\{count\} tensors differ", text)}
    for text in [*(set(ERRORS) - set(others)), *list(IMAGE_REASONS)[:8]]:
        words = max(PLACEHOLDER.split(text)[::2], key=len).split()
        windows = [" ".join(words[start : start + 3]) for start in range(max(1, len(words) - 2))]
        assert any(window in code for window in windows), text


def test_messages_of_very_many_parts_are_left_as_they_are():
    for message in ("a: b; " * 300, "line 2: " * 400, "a" * 5000 + ": has no rows"):
        assert in_chinese(message) == message
    assert in_chinese("x: " * 20 + "has no rows").endswith("没有数据行")


def test_names_and_values_are_never_translated():
    assert in_chinese("the file is empty: line 2: feature[3] is null, needs a finite number") == (
        "the file is empty：第 2 行：feature[3] 为 null，应为有限的数字"
    )
    assert in_chinese("a.jsonl: id 'texts' occurs twice, in lines 1 and 2") == (
        "a.jsonl：ID 'texts' 重复出现，在第 1 行和第 2 行"
    )
    assert in_chinese("something unknown") == "something unknown"
