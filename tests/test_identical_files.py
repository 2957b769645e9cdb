"""A submission that is the gold file, byte by byte, has a warning: it is valid where both have one format."""

import io
import json
import shutil

import pytest
from click.testing import CliRunner

import muge_fast as mf
from muge_fast.cli.main import main
from muge_fast.evaluation.official_verdict import official_verdict

WARNING = "the submission has the same content as the gold file"
WARNING_ZH = "提交文件与标准答案文件的内容完全相同"


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def images():
    pytest.importorskip("PIL")
    from PIL import Image  # noqa: PLC0415 - an extra

    from muge_fast.datasets import ImageTsv  # noqa: PLC0415

    pictures = {}
    for number in range(3):
        file = io.BytesIO()
        Image.new("RGB", (8, 8), (number, 9, 90)).save(file, "PNG")
        pictures[str(number)] = file.getvalue()

    def write(path):
        ImageTsv.write(path, pictures)

    return write


def writer(task):
    """Return a function that writes a gold file of a task."""
    if task == "t2i":
        return images()
    rows = {
        "caption": [{"image_id": str(item), "text": ["红裙", str(item)]} for item in range(3)],
        "retrieval": [{"query_id": item, "query_text": "裙", "item_ids": [*range(10)]} for item in range(3)],
        "classification": [{"image_id": str(item), "label": str(item)} for item in range(3)],
    }
    return lambda path: path.write_bytes(lines(rows[task]))


def brightness(images):
    return [[float(image.mean())] for image in images]


OPTIONS = {"t2i": {"extractor": brightness, "metrics": ["fid"]}}
TASKS = ("caption", "retrieval", "classification", "t2i")


@pytest.fixture(params=TASKS)
def files(request, tmp_path):
    gold, copy = tmp_path / "gold.tsv", tmp_path / "pred.tsv"
    writer(request.param)(gold)
    shutil.copy(gold, copy)
    return request.param, gold, copy


def warned(report, text=WARNING):
    return [warning for warning in report.warnings if text in warning]


def test_a_copy_of_the_gold_file_has_one_warning_in_both_languages(files):
    task, gold, copy = files
    options = OPTIONS.get(task, {})
    for path in (copy, gold):
        assert len(warned(mf.evaluate(task, gold, path, **options))) == 1
        assert len(warned(mf.check(task, path, gold=gold))) == 1
        assert len(warned(mf.evaluate(task, gold, path, lang="zh", **options), WARNING_ZH)) == 1
        assert len(warned(mf.check(task, path, gold=gold, lang="zh"), WARNING_ZH)) == 1
    assert not warned(mf.check(task, copy))


def test_a_file_with_another_byte_has_no_such_warning(files):
    task, gold, copy = files
    copy.write_bytes(copy.read_bytes() + b"\n")
    assert not warned(mf.check(task, copy, gold=gold))
    # As large as the gold file.
    copy.write_bytes(gold.read_bytes().replace(b"0", b"7", 1))
    assert copy.stat().st_size == gold.stat().st_size
    assert not warned(mf.check(task, copy, gold=gold))


@pytest.mark.parametrize("task", ["retrieval", "classification"])
def test_official_verdicts_have_the_warning_and_their_objects_do_not(task, tmp_path):
    gold, copy = tmp_path / "gold", tmp_path / "pred"
    writer(task)(gold)
    shutil.copy(gold, copy)
    verdict = official_verdict(task, gold, copy)
    assert verdict.result["success"]
    assert len(warned(verdict)) == 1
    assert WARNING not in json.dumps(verdict.result)
    copy.write_bytes(gold.read_bytes() + b"\n")
    assert not warned(official_verdict(task, gold, copy))


def test_content_that_was_freed_is_compared(tmp_path, monkeypatch):
    monkeypatch.setattr("muge_fast.datasets.rows.KEPT_BYTES", 0)
    writer("classification")(tmp_path / "gold")
    shutil.copy(tmp_path / "gold", tmp_path / "pred")
    assert warned(mf.evaluate("classification", tmp_path / "gold", tmp_path / "pred"))


@pytest.mark.parametrize(("lang", "text"), [("en", WARNING), ("zh", WARNING_ZH)])
@pytest.mark.parametrize("command", ["check", "score"])
def test_commands_print_the_warning_and_forms_of_the_report_have_it(command, lang, text, tmp_path):
    gold, copy = tmp_path / "gold", tmp_path / "pred"
    writer("classification")(gold)
    shutil.copy(gold, copy)
    done = CliRunner().invoke(main, [command, "classification", "-g", str(gold), "-s", str(copy), "--lang", lang])
    assert done.exit_code == 0
    assert done.output.count(text) == 1
    report = mf.evaluate("classification", gold, copy, lang=lang)
    assert all(text in form for form in (report.to_json(), report.to_markdown(), report.to_html()))
