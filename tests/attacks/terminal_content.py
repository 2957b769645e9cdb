"""Terminal escapes in ids, names of fields, values, and types of columns: what is printed is visible text alone."""

import json
import tempfile
from pathlib import Path

from hostile_text import CONTROLS, SURROGATE, check_output, run, write

MEMORY = 1 << 30


def caption_files(folder, text):
    """Yield a submission for each place where a row can have text."""
    rows = [
        {"image_id": text, "text": text},
        {"image_id": "a", text: "x"},
        {"image_id": "a", "text": "x", text: 1},
        {"image_id": "a", "text": [text]},
        {"image_id": text, "text": 5},
        {"image_id": "a", "text": {text: text}},
        {"image_id": text * 1000, "text": 1},
    ]
    for index, row in enumerate(rows):
        yield write(folder, f"{index}.jsonl", [row] * 5)
    for index, line in enumerate((text, f'{{"image_id": "a", "text": {text}}}', json.dumps([text]), f'"{text}')):
        path = Path(folder) / f"raw{index}.jsonl"
        path.write_bytes(line.encode("utf-8", "surrogatepass") + b"\n")
        yield path


def tables(folder, text):
    """Yield tables whose columns have hostile names and types."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        return
    clean = text.encode("utf-8", "replace").decode()
    kinds = {
        "struct": pa.array([{clean: 1}]),
        "dictionary": pa.array([clean]).dictionary_encode(),
        "zone": pa.array([0], pa.timestamp("s", clean)),
        "list": pa.array([[{clean: [1]}]]),
    }
    for name, values in kinds.items():
        table = pa.table({"image_id": pa.array([1]), "feature": values, clean: pa.array([1])})
        for suffix in ("parquet", "feather"):
            path = Path(folder) / f"{name}.{suffix}"
            if suffix == "parquet":
                pq.write_table(table, path)
            else:
                pa.feather.write_feather(table, path)
            yield path


def prepare():
    try:
        import pyarrow.feather  # noqa: PLC0415 - its threads would count as memory
        import pyarrow.parquet  # noqa: F401, PLC0415
    except ImportError:
        pass


def attack(nothing):
    del nothing
    text = "".join(value for key, value in CONTROLS.items() if key != "accents")
    for value in (text, CONTROLS["accents"], *SURROGATE.values()):
        with tempfile.TemporaryDirectory() as folder:
            gold = write(folder, "gold.jsonl", [{"image_id": "a", "text": ["x"]}, {"image_id": value, "text": [value]}])
            feature = write(folder, "feature.jsonl", [{"image_id": 1, "feature": [1.0]}])
            for path in caption_files(folder, value):
                commands = [["check", "caption", "-s", path], ["score", "caption", "-g", gold, "-s", path]]
                commands += [["score", "caption", "-g", path, "-s", path], ["info", path], ["info", "--json", path]]
                commands += [["score", "caption", "--json", "-g", gold, "-s", path]]
                commands += [["check", "retrieval", "-s", path], ["check", "t2i", "-s", path]]
                commands += [["score", "retrieval", "-g", path, "-s", path, "--pool", path]]
                commands += [["top-k", "--image-feats", path, "--text-feats", feature, "--output", "-"]]
                for arguments in commands:
                    _, output = run(*arguments)
                    check_output(arguments, output)
                    assert len(output) < 1 << 20, len(output)
            for path in tables(folder, value):
                for command in (
                    ["info", path],
                    ["top-k", "--image-feats", path, "--text-feats", feature, "--output", "-"],
                ):
                    _, output = run(*command)
                    check_output(command, output)
