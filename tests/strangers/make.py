"""Write the strangers' files and their answers: ``python tests/strangers/make.py [FOLDER]``.

FOLDER has the two public evaluation scripts, as ``muge.py`` (src/eval/evaluation.py of
MUGE-2021/image-retrieval-baseline, commit dbc8464f) and ``chinese_clip.py`` (cn_clip/eval/evaluation.py of
OFA-Sys/Chinese-CLIP, commit 31863c70). With it, the verdicts of ``official`` are recorded by running them with Python
3.11; without it, they stay as they are. All other answers are written by hand.
"""

import bz2
import gzip
import io
import json
import lzma
import pickle
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parent
ANSWERS = FOLDER / "answers.json"

TEN = list(range(1, 11))
GOLD_ITEMS = {1: [1], 2: [103, 5], 3: [110], 4: [3, 999]}
FIELDS = {"muge": ("query_id", "item_ids"), "chinese_clip": ("text_id", "image_ids")}


def encode(value, **options):
    return json.dumps(value, ensure_ascii=False, **options)


def line(key, items=TEN, form="muge", **fields):
    return encode(dict(zip(FIELDS[form], (key, items), strict=True), **fields))


def lines(*rows, end="\n"):
    return "".join(row + end for row in rows).encode()


def whole(form="muge", **changed):
    """Return a valid submission for the gold file, with the lines of some queries replaced."""
    rows = [changed.get(f"q{key}", line(key, form=form)) for key in GOLD_ITEMS]
    return lines(*(row for row in rows if row is not None))


def gold(form="muge"):
    return lines(*(line(key, items, form) for key, items in GOLD_ITEMS.items()))


def official_files(form):
    """Return the predictions by name, apart from the field names in the form of one of the two scripts."""
    other = "chinese_clip" if form == "muge" else "muge"
    query, items = FIELDS[form]

    def row(key, ranked=TEN, **fields):
        return line(key, ranked, form, **fields)

    def text(value):
        return f'{{"{query}": 2, "{items}": {value}}}'

    both = encode({query: 2, items: TEN, FIELDS[other][0]: 2, FIELDS[other][1]: TEN[::-1]})
    valid = whole(form)
    return {
        "valid": valid,
        "other_form": whole(other),
        "one_line_of_the_other_form": whole(form, q2=line(2, form=other)),
        "both_forms_in_one_line": whole(form, q2=both),
        "other_direction": whole(form, q2=encode({"image_id": 2, "text_ids": TEN})),
        "id_of_one_form_items_of_the_other": whole(form, q2=encode({query: 2, FIELDS[other][1]: TEN})),
        "extra_fields": whole(form, q2=row(2, query_text="红色连衣裙", score=0.5, extra=None)),
        "unknown_query": valid + lines(row(77)),
        "broken_unknown_query": valid + lines(row(77, TEN[:9])),
        "repeated_query": lines(row(3, [110, *TEN[:9]])) + valid,
        "repeated_query_last_better": valid + lines(row(3, [110, *TEN[:9]])),
        "repeated_query_first_broken": lines(row(3, TEN[:9])) + valid,
        "true_as_id": whole(form, q1=row(True)),
        "true_and_one_in_a_list": whole(form, q2=row(2, [True, *TEN[:9]])),
        "true_as_item": whole(form, q1=row(1, [True, *TEN[1:]])),
        "zero_and_false_in_a_list": whole(form, q1=row(1, [0, False, *TEN[1:9]])),
        "float_item": whole(form, q1=row(1, [1.0, *TEN[1:]])),
        "float_id": whole(form, q1=row(1.0)),
        "string_item": whole(form, q1=row(1, ["1", *TEN[1:]])),
        "string_id": whole(form, q1=row("1")),
        "exponent": whole(form, q2=text("[1e0, 2, 3, 4, 5, 6, 7, 8, 9, 10]")),
        "minus_zero": whole(form, q2=text("[-0, 1, 2, 3, 4, 5, 6, 7, 8, 9]")),
        "huge_item": whole(form, q2=row(2, [10**30, *TEN[1:]])),
        "many_digits": whole(form, q2=text(f"[{'9' * 5000}, 2, 3, 4, 5, 6, 7, 8, 9, 10]")),
        "nan_in_an_extra_field": whole(form, q2=f'{{"{query}": 2, "{items}": {TEN}, "x": NaN}}'),
        "nine_items": whole(form, q2=row(2, TEN[:9])),
        "eleven_items": whole(form, q2=row(2, [*TEN, 11])),
        "item_twice": whole(form, q2=row(2, [1, *TEN[:9]])),
        "items_as_text": whole(form, q2=row(2, "0123456789")),
        "items_as_object": whole(form, q2=row(2, {str(item): item for item in TEN})),
        "items_null": whole(form, q2=row(2, None)),
        "missing_query": whole(form, q3=None),
        "no_lines": b"",
        "blank_last_line": valid + b"\n",
        "line_of_spaces": valid + b"  \t\n",
        "blank_line_in_the_middle": valid.replace(b"\n", b"\n\n", 1),
        "no_last_line_end": valid[:-1],
        "crlf": valid.replace(b"\n", b"\r\n"),
        "cr": valid.replace(b"\n", b"\r"),
        "spaces_around_lines": valid.replace(b"\n", b" \t\n").replace(b"{", b"  {"),
        "form_feed_before_a_line": b"\x0c" + valid,
        "ideographic_space_before_a_line": "\u3000".encode() + valid,
        "line_separator_between_lines": valid.replace(b"\n", "\u2028".encode(), 1),
        "next_line_in_a_text": whole(form, q2=row(2, text="a\u0085b\u2028c")),
        "byte_order_mark": b"\xef\xbb\xbf" + valid,
        "utf16": valid.decode().encode("utf-16"),
        "not_utf8": whole(form, q2=row(2, text="?")).replace(b"?", b"\xff"),
        "gbk": whole(form, q2=row(2, text="红色")).decode().encode("gbk"),
        "lone_surrogate": whole(form, q2=f'{{"{query}": 2, "{items}": {TEN}, "text": "\\ud800"}}'),
        "not_json": whole(form, q2="not JSON"),
        "python_literal": whole(form, q2=f"{{'{query}': 2, '{items}': {TEN}}}"),
        "two_objects_in_a_line": whole(form, q2=row(2) + row(2)),
        "trailing_comma": whole(form, q2=row(2) + ","),
        "array_line": whole(form, q2=encode([2, TEN])),
        "text_line_that_names_the_fields": whole(form, q2=encode(f"{query} {items}")),
        "number_line": whole(form, q2="2"),
        "null_line": whole(form, q2="null"),
        "json_array_of_rows": encode([json.loads(row(key)) for key in GOLD_ITEMS]).encode(),
        "repeated_field_last_counts": whole(form, q3=f'{{"{query}": 3, "{items}": [1], "{items}": {[110, *TEN[:9]]}}}'),
        "repeated_field_last_broken": whole(form, q3=f'{{"{query}": 3, "{items}": {TEN}, "{items}": [1]}}'),
        "escaped_field_name": whole(form, q2=row(2).replace("_", "\\u005f", 1)),
        "cut_off": valid[:-20],
    }


def official_golds(form):
    """Return gold files by name; the submission is the valid one."""
    _, items = FIELDS[form]
    good = gold(form)
    return {
        "repeated_row_last_counts": good + lines(line(3, [1], form)),
        "float_id": good.replace(b": 3,", b": 3.0,"),
        "float_item": good.replace(b"[110]", b"[1.0]"),
        "string_id": good.replace(b": 3,", b': "3",'),
        "string_item": good.replace(b"[110]", b'["1"]'),
        "text_for_a_list": good.replace(b"[110]", b'"110"'),
        "object_for_a_list": good.replace(b"[110]", b'{"1": 1}'),
        "null_for_a_list": good.replace(b"[110]", b"null"),
        "list_in_a_list": good.replace(b"[110]", b"[[1]]"),
        "empty_list": good.replace(b"[110]", b"[]"),
        "no_rows": b"",
        "blank_line": good + b"\n",
        "byte_order_mark": b"\xef\xbb\xbf" + good,
        "extra_fields": good.replace(b"}", b', "query_text": "x"}'),
        "missing_field": good.replace(f'"{items}"'.encode(), b'"x"', 1),
        "true_as_id": good.replace(b": 1,", b": true,"),
    }


def run_script(script, gold_data, prediction):
    """Return ``[success, score]`` of a public script."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("gold.jsonl", "prediction.jsonl", "result.json")]
        paths[0].write_bytes(gold_data)
        paths[1].write_bytes(prediction)
        subprocess.run([sys.executable, script, *paths], check=True, capture_output=True)  # noqa: S603
        result = json.loads(paths[2].read_text())
    return [result["success"], result["score"]]


CAPTION_GOLD = lines(
    *(
        encode({"image_id": key, "text": texts})
        for key, texts in {"a": ["红色连衣裙", "一条红裙"], "b": ["黑色男鞋"], "c": ["白色衬衫"]}.items()
    )
)
CAPTIONS = {"a": "红色裙子", "b": "黑色男鞋", "c": "白衬衫"}


def captions(texts=CAPTIONS, **fields):
    return lines(*(encode({"image_id": key, "text": text, **fields}) for key, text in texts.items()))


def zipped(data):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("pred.jsonl"), data)
    return buffer.getvalue()


def coco_results():
    return encode([{"image_id": key, "caption": text} for key, text in CAPTIONS.items()]).encode()


# For each file: its task, and what the first error must say, in lower case. An empty list: the file is valid.
FILES = {
    "caption/valid.jsonl": (captions(), []),
    "caption/utf16.jsonl": (captions().decode().encode("utf-16"), ["utf-16"]),
    "caption/utf16_without_mark.jsonl": (captions().decode().encode("utf-16-le"), ["utf-16"]),
    "caption/utf32.jsonl": (captions().decode().encode("utf-32"), ["utf-32"]),
    "caption/gbk.jsonl": (captions().decode().encode("gbk"), ["utf-8"]),
    "caption/byte_order_mark.jsonl": (b"\xef\xbb\xbf" + captions(), ["byte order mark"]),
    "caption/gzip.jsonl": (gzip.compress(captions(), mtime=0), ["gzip"]),
    "caption/bzip2.jsonl": (bz2.compress(captions()), ["bzip2"]),
    "caption/xz.jsonl": (lzma.compress(captions()), ["xz"]),
    "caption/zip.jsonl": (zipped(captions()), ["zip"]),
    "caption/pickle.jsonl": (pickle.dumps(CAPTIONS, 4), ["pickle"]),
    "caption/array.jsonl": (coco_results(), ["json array"]),
    "caption/pretty_array.jsonl": (
        encode(json.loads(coco_results()), indent=1).encode(),
        ["json array"],
    ),
    "caption/object.jsonl": (encode(CAPTIONS).encode(), ["one"]),
    "caption/pretty_object.jsonl": (encode(CAPTIONS, indent=2).encode(), ["one"]),
    "caption/csv.jsonl": ("image_id,text\na,红色裙子\nb,黑色男鞋\nc,白衬衫\n".encode(), ["csv"]),
    "caption/tsv.jsonl": ("a\t红色裙子\nb\t黑色男鞋\nc\t白衬衫\n".encode(), ["tsv"]),
    "caption/html.jsonl": (b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n", ["html"]),
    "caption/empty.jsonl": (b"", ["no rows"]),
    "caption/retrieval_submission.jsonl": (whole(), ["retrieval", "query_id"]),
    "caption/gold_as_submission.jsonl": (CAPTION_GOLD, ["gold"]),
    "caption/cut_off.jsonl": (captions()[:-9], ["cut off"]),
    "caption/extra_fields.jsonl": (captions(score=0.5), []),
    "caption/integer_ids.jsonl": (captions({1: "红色裙子", 2: "黑色男鞋", 3: "白衬衫"}), ["image_id", "string"]),
    "retrieval/valid.jsonl": (whole(), []),
    "retrieval/other_form.jsonl": (whole("chinese_clip"), ["query_id", "text_id"]),
    "retrieval/one_line_of_the_other_form.jsonl": (whole(q3=line(3, form="chinese_clip")), ["query_id", "text_id"]),
    "retrieval/caption_submission.jsonl": (captions(), ["caption", "image_id"]),
    "retrieval/gold_as_submission.jsonl": (gold(), ["gold"]),
    "retrieval/features.jsonl": (
        lines(*(encode({"query_id": key, "feature": [0.5, 1]}) for key in GOLD_ITEMS)),
        ["feature"],
    ),
    "retrieval/string_ids.jsonl": (lines(*(line(str(key)) for key in GOLD_ITEMS)), ["query_id", "integer"]),
    "retrieval/five_items.jsonl": (lines(*(line(key, TEN[:5]) for key in GOLD_ITEMS)), ["5", "10"]),
    "retrieval/true_as_item.jsonl": (whole(q1=line(1, [True, *TEN[1:]])), ["true"]),
    "retrieval/repeated_query.jsonl": (whole() + lines(line(3)), ["3"]),
    "retrieval/unknown_query.jsonl": (whole() + lines(line(77)), ["77"]),
}


def write_official(folder):
    """Return the answers of the public scripts, recorded again if there is a folder with them."""
    recorded = json.loads(ANSWERS.read_text())["official"] if ANSWERS.exists() else {}
    for form in FIELDS:
        target = FOLDER / "official" / form
        target.mkdir(parents=True, exist_ok=True)
        (target / "gold.jsonl").write_bytes(gold(form))
        pairs = {f"{form}/{name}.jsonl": (gold(form), data) for name, data in official_files(form).items()}
        pairs |= {f"{form}/gold/{name}.jsonl": (data, whole(form)) for name, data in official_golds(form).items()}
        for name, (gold_data, prediction) in pairs.items():
            path = FOLDER / "official" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(gold_data if "/gold/" in name else prediction)
            if folder is not None:
                recorded[name] = run_script(folder / f"{form}.py", gold_data, prediction)
    return recorded


def main(folder=None):
    for name, (data, _) in FILES.items():
        (FOLDER / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / "files" / name).write_bytes(data)
    (FOLDER / "files" / "caption.gold.jsonl").write_bytes(CAPTION_GOLD)
    (FOLDER / "files" / "retrieval.gold.jsonl").write_bytes(gold())
    answers = {"official": write_official(folder), "files": {name: said for name, (_, said) in FILES.items()}}
    rows = [
        f'  "{kind}": {{\n'
        + ",\n".join(f"    {encode(name)}: {encode(answer)}" for name, answer in found.items())
        + "\n  }"
        for kind, found in answers.items()
    ]
    ANSWERS.write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
