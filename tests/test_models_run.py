"""Runs of models through the tasks: submissions, resuming, broken images, memory, manifests."""

import base64
import errno
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import muge_fast as mf
from model_data import ITEMS, Brightness, break_image, make_data_set, picture, text_of, write_lines
from muge_fast.datasets import BrokenImageError, ImageTsv
from muge_fast.models.task_runs.t2i import item_seed
from source_files import ROOT

pytest.importorskip("PIL", reason="images are decoded by Pillow")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_data_set(tmp_path_factory.mktemp("data"))


@pytest.fixture
def data(tmp_path):
    """A data set that a test may change."""
    return make_data_set(tmp_path / "data")


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def files_of(folder):
    """Return the bytes of the files that must not depend on interruptions."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# What a run writes


def test_captions(made, tmp_path):
    result = mf.models.run("caption", Brightness(), made, output=tmp_path / "run", batch_size=8)
    assert lines(tmp_path / "run/submission.jsonl") == [
        {"image_id": f"p{index:02}", "text": text_of(index)} for index in range(ITEMS)
    ]
    assert result.report.ok
    assert result.missing == []
    assert result.report.scores["rouge_l"].value == 1
    assert sorted(files_of(tmp_path / "run")) == ["report.html", "report.json", "run.json", "submission.jsonl"]


def test_retrieval_has_the_exact_nearest_images_and_its_features(made, tmp_path):
    result = mf.models.run("retrieval", Brightness(), made, output=tmp_path / "run", batch_size=7)
    folder = tmp_path / "run"
    queries = list(range(0, ITEMS, 2))
    for row, query in zip(lines(folder / "submission.jsonl"), queries, strict=True):
        # Equal distances are ordered by the item that comes first.
        nearest = sorted(range(ITEMS), key=lambda index: (abs(index - query), index))
        assert row["query_id"] == query
        assert row["item_ids"][0] == 100 + query
        assert {abs(item - 100 - query) for item in row["item_ids"]} == {abs(index - query) for index in nearest[:10]}
    ids, features = mf.read_features(folder / "image_features.npz")
    assert ids.tolist() == list(range(100, 100 + ITEMS))
    np.testing.assert_array_equal(features[:, 0], np.cos(np.arange(ITEMS) / 10).astype("float32"))
    assert mf.read_features(folder / "text_features.npz")[0].tolist() == queries
    assert result.report.scores["recall@1"].value == 1


def test_answers(made, tmp_path):
    result = mf.models.run("vqa", Brightness(), made, output=tmp_path / "run")
    assert lines(tmp_path / "run/submission.jsonl")[7] == {"question_id": 1007, "answer": "白色"}
    assert result.report.scores["vqa"].value == 1


def test_the_page_shows_the_image_of_each_question(data, tmp_path):
    # Ids of questions are also ids of images, but of others.
    rows = [{**row, "question_id": (row["image_id"] + 1) % ITEMS} for row in lines(data / "VQA_valid.jsonl")]
    write_lines(data / "VQA_valid.jsonl", rows)
    mf.models.run("vqa", Brightness(), data, output=tmp_path / "run")
    page = (tmp_path / "run/report.html").read_text(encoding="utf-8")
    shown = dict(re.findall(r'<img alt="(\d+)" src="data:image/png;base64,([^"]*)"', page))
    assert {int(key): base64.b64decode(data) for key, data in shown.items()} == {
        row["question_id"]: picture(row["image_id"]) for row in rows
    }


def test_generated_images(tmp_path, weights):
    # FID's network takes most of the time.
    data, scoring = make_data_set(tmp_path / "data", items=8), {"weights": weights, "splits": 1}
    result = mf.models.run("t2i", Brightness(), data, output=tmp_path / "run", seed=3, scoring=scoring)
    images = ImageTsv(tmp_path / "run/submission.tsv")
    assert list(images) == [f"p{index:02}" for index in range(8)]
    expected = np.random.default_rng(item_seed(3, "p07")).integers(0, 256, (32, 32, 3), dtype="uint8")
    np.testing.assert_array_equal(np.asarray(images.image("p07")), expected)
    assert result.report.scores["fid"].value > 0


def test_the_seed_of_an_item_is_a_hash_of_the_seed_and_the_id():
    # python -c "import hashlib; print(int(hashlib.blake2b(b'3:p07', digest_size=6).hexdigest(), 16))"
    assert item_seed(3, "p07") == int(hashlib.blake2b(b"3:p07", digest_size=6).hexdigest(), 16)


def test_a_split_without_gold_file_is_checked(data, tmp_path):
    (data / "IC_valid.tsv").rename(data / "IC_test.tsv")
    result = mf.models.run("caption", Brightness(), data, split="test", output=tmp_path / "run")
    assert result.report.ok
    assert result.report.scores is None
    assert result.manifest["gold"] is None


def test_queries_without_items_and_the_names_of_chinese_clip(data, tmp_path):
    (data / "MR_valid_imgs.tsv").rename(data / "test_imgs.tsv")
    write_lines(data / "test_texts.jsonl", [{"text_id": 5, "text": "红色连衣裙5号"}])
    result = mf.models.run("retrieval", Brightness(), data, split="test", output=tmp_path / "run")
    (row,) = lines(tmp_path / "run/submission.jsonl")
    assert row["text_id"] == 5
    assert row["image_ids"][0] == 105
    assert result.report.scores is None


def test_queries_with_empty_lists_of_items_are_a_test_set(data, tmp_path):
    rows = [{"query_id": index, "query_text": text_of(index), "item_ids": []} for index in range(3)]
    write_lines(data / "MR_valid_queries.jsonl", rows)
    result = mf.models.run("retrieval", Brightness(), data, output=tmp_path / "run")
    assert result.report.ok
    assert result.report.scores is None
    write_lines(data / "MR_valid_queries.jsonl", [{**rows[0], "item_ids": [100]}, *rows[1:]])
    with pytest.raises(ValueError, match="id 1 has no items, and others have"):
        mf.models.run("retrieval", Brightness(), data, output=tmp_path / "other")


def test_errors_of_the_gold_file_come_before_the_run(data, tmp_path):
    write_lines(data / "IC_valid.jsonl", [{"image_id": "p00", "text": []}])
    with pytest.raises(ValueError, match="IC_valid"):
        mf.models.run("caption", Brightness(), data, output=tmp_path / "run")
    (data / "IC_valid.jsonl").write_text("")
    with pytest.raises(ValueError, match="IC_valid"):
        mf.models.run("caption", Brightness(), data, output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_files_of_vqa_v2(tmp_path):
    data, folder = tmp_path / "data", tmp_path / "data" / "val2014"
    folder.mkdir(parents=True)
    for index in (3, 42):
        (folder / f"COCO_val2014_{index:012}.jpg").write_bytes(picture(index))
    questions = [{"question_id": 10 * index, "image_id": index, "question": "What?"} for index in (42, 3)]
    (data / "v2_OpenEnded_mscoco_val2014_questions.json").write_text(json.dumps({"questions": questions}))
    answers = [{"answer_id": number, "answer": "白色"} for number in range(1, 11)]
    annotations = [{"question_id": 10 * index, "answers": answers} for index in (42, 3)]
    (data / "v2_mscoco_val2014_annotations.json").write_text(json.dumps({"annotations": annotations}))
    result = mf.models.run("vqa", Brightness(), data, split="val2014", output=tmp_path / "run")
    # 42 % 5 is 2, and 3 % 5 is 3.
    assert lines(tmp_path / "run/submission.jsonl") == [
        {"question_id": 420, "answer": "白色"},
        {"question_id": 30, "answer": "蓝色"},
    ]
    assert result.report.scores["vqa"].value == 0.5


# Interruptions


class Stopping(Brightness):
    """Raise after some batches."""

    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def _indices(self, images):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return super()._indices(images)


@pytest.mark.parametrize("batches", [0, 1, 3, 6])
def test_an_interrupted_run_goes_on_with_the_next_batch(made, tmp_path, batches):
    mf.models.run("caption", Brightness(), made, output=tmp_path / "whole", batch_size=8)
    with pytest.raises(KeyboardInterrupt):
        mf.models.run("caption", Stopping(batches), made, output=tmp_path / "parts", batch_size=8)
    # The manifest has the name of the class, which is another one here.
    manifest = tmp_path / "parts/run.json"
    manifest.write_text(manifest.read_text().replace("Stopping", "Brightness"))
    model = Brightness()
    mf.models.run("caption", model, made, output=tmp_path / "parts", batch_size=8)
    assert sum(model.batches) == ITEMS - 8 * batches
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")


KILLED = """
import os, signal, sys, time
import muge_fast as mf
from model_data import Brightness

class Model(Brightness):
    def encode_images(self, images):
        print(len(images), flush=True)
        time.sleep(0.02)
        return super().encode_images(images)

mf.models.run("retrieval", Model(), sys.argv[1], output=sys.argv[2], batch_size=4)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_run_goes_on_and_its_files_have_the_same_bytes(made, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT / "python")])}

    def start(output):
        command = [sys.executable, "-c", KILLED, str(made), str(tmp_path / output)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603 - our own script

    with start("whole") as whole:
        batches = whole.stdout.read().split()
    assert len(batches) == 13
    done = 0
    for killed_after in (1, 3, 2):
        with start("parts") as process:
            seen = [process.stdout.readline() for _ in range(killed_after)]
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().split()
        # The last batch that was begun may be lost.
        done += len(seen) + len(rest) - 1
    with start("parts") as process:
        rest = process.stdout.read().split()
    assert len(rest) <= len(batches) - done
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")


def test_a_complete_run_is_not_done_again(made, tmp_path):
    mf.models.run("caption", Brightness(), made, output=tmp_path / "run")
    before, model = files_of(tmp_path / "run"), Brightness()
    mf.models.run("caption", model, made, output=tmp_path / "run")
    assert model.batches == []
    assert files_of(tmp_path / "run") == before


def test_another_run_in_the_folder_is_refused_and_left_alone(made, tmp_path):
    mf.models.run("caption", Brightness(), made, output=tmp_path / "run", batch_size=8)
    before = files_of(tmp_path / "run")
    with pytest.raises(ValueError, match=r"has another run: options\.batch_size is 4, and it was 8"):
        mf.models.run("caption", Brightness(), made, output=tmp_path / "run", batch_size=4)
    with pytest.raises(ValueError, match="has another run: task is 'vqa', and it was 'caption'"):
        mf.models.run("vqa", Brightness(), made, output=tmp_path / "run", batch_size=8)
    assert files_of(tmp_path / "run") == before


def test_a_folder_with_other_files_is_refused(made, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(ValueError, match=r"the folder has thesis\.tex, and no run"):
        mf.models.run("caption", Brightness(), made, output=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_changed_data_are_another_run(data, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        mf.models.run("caption", Stopping(1), data, output=tmp_path / "run", batch_size=8)
    break_image(data / "IC_valid.tsv", "p03")
    with pytest.raises(ValueError, match=r"data\.images\.\w+ is .*, and it was"):
        mf.models.run("caption", Stopping(1), data, output=tmp_path / "run", batch_size=8)


def test_files_that_a_killed_process_had_begun_are_removed(made, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".muge_fast.0123456789abcdef").write_text("incomplete")
    mf.models.run("caption", Brightness(), made, output=folder)
    assert sorted(files_of(folder)) == ["report.html", "report.json", "run.json", "submission.jsonl"]


def test_results_without_their_manifest_are_refused(made, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        mf.models.run("caption", Stopping(1), made, output=tmp_path / "run", batch_size=8)
    (tmp_path / "run/run.json").unlink()
    with pytest.raises(ValueError, match="the folder has partial, and no run"):
        mf.models.run("caption", Brightness(), made, output=tmp_path / "run", batch_size=8)


@pytest.mark.parametrize("damage", ["cut", "changed", "zeros", "other JSON", "results cut", "results changed"])
def test_batches_whose_results_are_damaged_are_done_again(made, tmp_path, damage):
    mf.models.run("caption", Brightness(), made, output=tmp_path / "whole", batch_size=8)
    with pytest.raises(KeyboardInterrupt):
        mf.models.run("caption", Stopping(4), made, output=tmp_path / "parts", batch_size=8)
    manifest = tmp_path / "parts/run.json"
    manifest.write_text(manifest.read_text().replace("Stopping", "Brightness"))
    name = "captions.results" if damage.startswith("results") else "captions.journal"
    path = tmp_path / "parts/partial" / name
    content = path.read_bytes()
    # In the third of four batches.
    place = len(content) * 5 // 8
    damaged = {"cut": content[:place], "zeros": content[:place] + bytes(len(content) - place)}
    line = content[:place].rfind(b"\n") + 1
    damaged["other JSON"] = content[:line] + b"[8, 0, 0, 0, []]\n"
    other = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    path.write_bytes(damaged.get(damage.removeprefix("results "), other))
    model = Brightness()
    mf.models.run("caption", model, made, output=tmp_path / "parts", batch_size=8)
    assert sum(model.batches) == ITEMS - 2 * 8
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")


FULL_DISK = """
import resource, signal, sys
import muge_fast as mf
from model_data import Brightness

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, most))
try:
    mf.models.run("caption", Brightness(), sys.argv[1], output=sys.argv[2], batch_size=2)
except OSError as error:
    print(error.errno)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
print(mf.models.run("caption", Brightness(), sys.argv[1], output=sys.argv[2], batch_size=2).report.ok)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files")
def test_a_run_goes_on_in_the_same_process_after_a_full_disk(made, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT / "python")])}
    command = [sys.executable, "-c", FULL_DISK, str(made), str(tmp_path / "run")]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)  # noqa: S603 - our own script
    assert result.stdout.split() == [str(errno.EFBIG), "True"]


def test_a_file_of_a_complete_run_that_is_gone_is_an_error(made, tmp_path):
    mf.models.run("caption", Brightness(), made, output=tmp_path / "run")
    (tmp_path / "run/submission.jsonl").write_text("")
    with pytest.raises(ValueError, match=r"submission\.jsonl was removed or emptied after the run"):
        mf.models.run("caption", Brightness(), made, output=tmp_path / "run")


def test_a_run_that_goes_on_with_a_model_without_signature_is_warned_about(made, tmp_path):
    class Model(Stopping):
        signature = None

    with pytest.raises(KeyboardInterrupt):
        mf.models.run("caption", Model(2), made, output=tmp_path / "run", batch_size=8)
    with pytest.warns(UserWarning, match="goes on with a model without signature"):
        mf.models.run("caption", Model(9), made, output=tmp_path / "run", batch_size=8)


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked")
def test_two_processes_cannot_use_one_folder(made, tmp_path):
    from muge_fast.models.run_folder import RunFolder  # noqa: PLC0415 - few tests need it

    with RunFolder(tmp_path / "run"), pytest.raises(ValueError, match="another process runs there"):
        mf.models.run("caption", Brightness(), made, output=tmp_path / "run")
    mf.models.run("caption", Brightness(), made, output=tmp_path / "run")


# Broken images


def test_a_broken_image_is_reported_and_does_not_end_the_run(data, tmp_path):
    break_image(data / "IC_valid.tsv", "p03")
    result = mf.models.run("caption", Brightness(), data, output=tmp_path / "run", batch_size=8)
    assert [item.id for item in result.missing] == ["p03"]
    assert "p03" in result.missing[0].reason
    assert json.loads((tmp_path / "run/run.json").read_text())["missing"] == [list(result.missing[0])]
    assert len(lines(tmp_path / "run/submission.jsonl")) == ITEMS - 1
    assert not result.report.ok
    assert "p03" in result.report.errors[0]
    # A complete run knows them, too.
    again = mf.models.run("caption", Brightness(), data, output=tmp_path / "run", batch_size=8)
    assert again.missing == result.missing


def test_a_broken_image_is_not_in_the_pool_of_retrieval(data, tmp_path):
    break_image(data / "MR_valid_imgs.tsv", "101")
    with (data / "MR_valid_imgs.tsv").open("a") as file:
        file.write("cut off")
    result = mf.models.run("retrieval", Brightness(), data, output=tmp_path / "run")
    assert [item.id for item in result.missing] == ["line 51", 101]
    assert result.report.ok
    assert 101 not in mf.read_features(tmp_path / "run/image_features.npz")[0]
    assert len(lines(tmp_path / "run/submission.jsonl")) == ITEMS // 2


def test_images_that_are_all_broken_are_an_error(data, tmp_path):
    images = dict.fromkeys((f"p{index:02}" for index in range(ITEMS)), b"not an image")
    ImageTsv.write(data / "IC_valid.tsv", images)
    with pytest.raises(BrokenImageError, match="is broken: not an image"):
        mf.models.run("caption", Brightness(), data, output=tmp_path / "run")


def test_a_caption_without_image_is_missing(data, tmp_path):
    images = dict(ImageTsv(data / "IC_valid.tsv").items())
    del images["p05"]
    ImageTsv.write(data / "IC_valid.tsv", images)
    result = mf.models.run("caption", Brightness(), data, output=tmp_path / "run")
    assert [item.id for item in result.missing] == ["p05"]
    assert "there is no image with the id 'p05'" in result.missing[0].reason


def test_an_image_whose_base64_is_broken_is_missing(data, tmp_path):
    path = data / "IC_valid.tsv"
    rows = path.read_bytes().split(b"\n")
    rows[9] = rows[9][:20] + b"!" + rows[9][20:]
    path.write_bytes(b"\n".join(rows))
    result = mf.models.run("caption", Brightness(), data, output=tmp_path / "run")
    assert [item.id for item in result.missing] == ["p09"]
    assert "is not base64" in result.missing[0].reason


def test_an_empty_caption_is_missing(made, tmp_path):
    class Model(Brightness):
        def caption(self, images):
            return ["" if text.endswith(" 7号") or text == text_of(7) else text for text in super().caption(images)]

    result = mf.models.run("caption", Model(), made, output=tmp_path / "run")
    assert [tuple(item) for item in result.missing] == [("p07", "the caption is empty")]


def test_an_error_of_the_system_is_not_a_broken_image(made, tmp_path):
    prepared = []

    class Model(Brightness):
        def prepare(self, image):
            prepared.append(image)
            if len(prepared) == 20:
                raise OSError(24, "Too many open files")
            return image

    with pytest.raises(OSError, match="Too many open files"):
        mf.models.run("caption", Model(), made, output=tmp_path / "run", batch_size=8, threads=1)
    result = mf.models.run("caption", Model(), made, output=tmp_path / "run", batch_size=8, threads=1)
    assert result.missing == []


def test_images_are_all_broken_by_a_fault_of_the_model(made, tmp_path):
    class Model(Brightness):
        def prepare(self):
            raise AssertionError

    # Also image by image.
    for _ in range(2):
        with pytest.raises(BrokenImageError, match="positional argument"):
            mf.models.run("caption", Model(), made, output=tmp_path / "run", batch_size=1)


def test_some_broken_images_at_the_beginning_do_not_end_the_run(data, tmp_path):
    images = dict(ImageTsv(data / "IC_valid.tsv").items())
    images |= {f"p{index:02}": b"not an image" for index in range(9)}
    ImageTsv.write(data / "IC_valid.tsv", images)
    result = mf.models.run("caption", Brightness(), data, output=tmp_path / "run", batch_size=4)
    assert len(result.missing) == 9


# Memory


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory.")], ids=["python", "torch"])
def test_an_image_that_there_was_too_little_memory_for_is_prepared_again_alone(made, tmp_path, error):
    class Model(Brightness):
        failed = False

        def prepare(self, image):
            if int(image.min()) // 4 == 9 and not self.failed:
                self.failed = True
                raise error
            return image

    result = mf.models.run("caption", Model(), made, output=tmp_path / "run")
    assert result.missing == []
    assert result.report.scores["rouge_l"].value == 1


def test_too_little_memory_to_prepare_an_image_names_it(made, tmp_path):
    class Model(Brightness):
        def prepare(self, image):
            if int(image.min()) // 4 == 9:
                raise MemoryError
            return image

    with pytest.raises(MemoryError, match="too little memory to prepare item 'p09' alone"):
        mf.models.run("caption", Model(), made, output=tmp_path / "run")


class Small(Brightness):
    """Have memory for a number of images at a time."""

    def __init__(self, limit, error=MemoryError):
        super().__init__()
        self.limit, self.error = limit, error

    def _indices(self, images):
        if len(images) > self.limit:
            raise self.error
        return super()._indices(images)


@pytest.mark.parametrize(
    "error",
    [MemoryError, RuntimeError("[enforce fail at alloc_cpu.cpp] . DefaultCPUAllocator: can't allocate memory")],
    ids=["python", "torch"],
)
def test_out_of_memory_halves_the_batch_and_goes_on(made, tmp_path, error):
    model = Small(3, error)
    result = mf.models.run("caption", model, made, output=tmp_path / "run", batch_size=16)
    # 16 to 8 to 4 to 2, which is kept for all later batches.
    assert set(model.batches) == {2}
    assert sum(model.batches) == ITEMS
    assert result.report.scores["rouge_l"].value == 1


def test_an_interrupted_run_remembers_what_there_is_memory_for(made, tmp_path):
    class SmallOnce(Small):
        def _indices(self, images):
            if len(self.batches) == 4:
                raise KeyboardInterrupt
            return super()._indices(images)

    with pytest.raises(KeyboardInterrupt):
        mf.models.run("caption", SmallOnce(4), made, output=tmp_path / "run", batch_size=16)
    manifest = tmp_path / "run/run.json"
    manifest.write_text(manifest.read_text().replace("SmallOnce", "Brightness"))
    model = Brightness()
    mf.models.run("caption", model, made, output=tmp_path / "run", batch_size=16)
    assert max(model.batches) == 4


def test_too_little_memory_for_one_item_names_it(made, tmp_path):
    with pytest.raises(MemoryError, match="too little memory for item 'p00' alone"):
        mf.models.run("caption", Small(0), made, output=tmp_path / "run")


def test_other_errors_of_the_model_are_passed_on(made, tmp_path):
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        mf.models.run("caption", Small(0, RuntimeError("shapes do not fit")), made, output=tmp_path / "run")


# What models return


@pytest.mark.parametrize(
    ("captions", "message"),
    [
        (lambda _: "红裙", "the model returns str for 8 captions, needs a result of each"),
        (lambda _: ["红裙"], "the model returns 1 results for 8 captions, the first of which is 'p00'"),
        (lambda images: [5] * len(images), "the caption of 'p00' is int, needs a string"),
        (lambda _: None, "the model returns NoneType for 8 captions"),
        (lambda images: ["\ud800"] * len(images), "text has a lone surrogate"),
    ],
)
def test_captions_that_cannot_be_used_are_refused(made, tmp_path, captions, message):
    class Model:
        def caption(self, images):
            return captions(images)

    with pytest.raises((TypeError, ValueError), match=message):
        mf.models.run("caption", Model(), made, output=tmp_path / "run")


@pytest.mark.parametrize(
    ("images", "texts", "message"),
    [
        ([np.nan, 1], [1, 0], "the features of 100 are not finite"),
        ([0, 0], [1, 0], "the features of 100 are all zero"),
        ([1, 0], [1, 0, 0], "the model returns 3 features for texts, before it returned 2"),
        (1, [1, 0], r"the model returns features of images of shape \(32,\)"),
    ],
)
def test_features_that_cannot_be_used_are_refused(made, tmp_path, images, texts, message):
    class Model:
        def encode_images(self, given):
            return np.array([images] * len(given))

        def encode_texts(self, given):
            return np.array([texts] * len(given))

    with pytest.raises(ValueError, match=message):
        mf.models.run("retrieval", Model(), made, output=tmp_path / "run")


def test_line_ends_in_a_caption_become_spaces(made, tmp_path):
    class Model:
        def caption(self, images):
            return ["红色\n长裙 "] * len(images)

    mf.models.run("caption", Model(), made, output=tmp_path / "run")
    assert lines(tmp_path / "run/submission.jsonl")[0]["text"] == "红色 长裙"


def test_prepare_is_called_for_each_image_ahead_of_the_model(made, tmp_path):
    class Model:
        def prepare(self, image):
            return int(image.min()) // 4

        def caption(self, prepared):
            return [text_of(index) for index in prepared]

    result = mf.models.run("caption", Model(), made, output=tmp_path / "run")
    assert result.report.scores["rouge_l"].value == 1


def test_an_image_that_cannot_be_prepared_is_missing(made, tmp_path):
    class Model(Brightness):
        def prepare(self, image):
            if int(image.min()) // 4 == 9:
                raise ZeroDivisionError("no width")
            return image

    result = mf.models.run("caption", Model(), made, output=tmp_path / "run")
    assert [tuple(item) for item in result.missing] == [("p09", "image 'p09' is broken: no width")]


# Arguments


def test_an_object_without_the_methods_of_the_task_is_refused(made, tmp_path):
    captioner = type("Captioner", (), {"caption": lambda _, images: images})()
    with pytest.raises(TypeError, match=r"model is Captioner, and the task 'retrieval' needs .* encode_images"):
        mf.models.run("retrieval", captioner, made, output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_options_of_models_that_are_opened_are_refused_for_objects(made, tmp_path):
    options = mf.models.ModelOptions(dtype="bf16")
    with pytest.raises(ValueError, match="options are those of models that are opened by their names"):
        mf.models.run("caption", Brightness(), made, output=tmp_path / "run", options=options)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"task": "captions"}, ValueError, "unknown task 'captions'"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"lang": "fr"}, ValueError, "unknown lang 'fr', choose one of en, zh"),
        ({"split": "../x"}, ValueError, "split is '../x'"),
        ({"model": Brightness}, TypeError, r"model is the class Brightness, needs an object of it: Brightness\(\)"),
        ({"data": __file__}, ValueError, "is a file; pass its folder"),
        (
            {"split": "test"},
            FileNotFoundError,
            "no file of images for the split 'test', needs IC_test.tsv or .*there are IC_valid.jsonl",
        ),
        ({"data": "nowhere"}, FileNotFoundError, "data: nowhere: no such folder"),
        ({"scoring": {"tokeniser": "zh"}}, TypeError, "tokenizer"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_written(made, tmp_path, arguments, error, message):
    given = {"task": "caption", "model": Brightness(), "data": made, "output": tmp_path / "run", **arguments}
    with pytest.raises(error, match=message):
        mf.models.run(**given)
    assert not (tmp_path / "run").exists()


def test_files_in_a_folder_of_the_data_set_are_found(data, tmp_path):
    inner = data / "ECommerce-IC"
    inner.mkdir()
    for name in ("IC_valid.tsv", "IC_valid.jsonl"):
        (data / name).rename(inner / name)
    assert mf.models.run("caption", Brightness(), data, output=tmp_path / "run").report.ok
    (data / "other").mkdir()
    (data / "other" / "IC_valid.tsv").write_bytes((inner / "IC_valid.tsv").read_bytes())
    with pytest.raises(ValueError, match=r"there are .* and .*: pass the folder of one of them"):
        mf.models.run("caption", Brightness(), data, output=tmp_path / "other")
    # The folder itself comes first.
    for name in ("IC_valid.tsv", "IC_valid.jsonl"):
        (data / name).write_bytes((inner / name).read_bytes())
    assert mf.models.run("caption", Brightness(), data, output=tmp_path / "root").report.ok


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"query_text": "裙"}, "line 1: there is no id, needs an object with query_id or text_id"),
        ({"query_id": "1", "query_text": "裙"}, "line 1: query_id is '1', needs an integer of 64 bits"),
        ({"query_id": 1, "query_text": ""}, "id 1: query_text or text is '', needs a text"),
        ({"query_id": 1 << 63, "query_text": "裙"}, "line 1: query_id is 9223372036854775808, needs an integer of 64"),
        ({"query_id": 1}, "id 1: query_text or text is null, needs a text"),
    ],
)
def test_queries_that_cannot_be_used_are_refused(data, tmp_path, row, message):
    write_lines(data / "MR_valid_queries.jsonl", [row])
    with pytest.raises(ValueError, match=message):
        mf.models.run("retrieval", Brightness(), data, output=tmp_path / "run")


def test_ids_of_images_that_are_not_integers_are_refused_in_retrieval(data, tmp_path):
    ImageTsv.write(data / "MR_valid_imgs.tsv", {f"p{index}": picture(index) for index in range(12)})
    with pytest.raises(ValueError, match="id 'p0' is not an integer of 64 bits, which retrieval needs"):
        mf.models.run("retrieval", Brightness(), data, output=tmp_path / "run")


def test_the_manifest_has_what_is_needed_to_repeat_the_run(made, tmp_path):
    result = mf.models.run("caption", Brightness(), made, output=tmp_path / "run", seed=7, batch_size=5)
    manifest = mf.models.read_manifest(tmp_path / "run")
    assert manifest == result.manifest
    gold = hashlib.sha256((made / "IC_valid.jsonl").read_bytes()).hexdigest()
    assert manifest["gold"] == {
        "name": "IC_valid.jsonl",
        "bytes": (made / "IC_valid.jsonl").stat().st_size,
        "sha256": gold,
    }
    assert manifest["data"]["images"]["sha256"] == hashlib.sha256((made / "IC_valid.tsv").read_bytes()).hexdigest()
    assert manifest["options"] == {"batch_size": 5, "seed": 7}
    assert manifest["model"]["name"] == "Brightness"
    assert manifest["model"]["signature"] == "brightness"
    assert manifest["state"] == "complete"
    assert manifest["versions"]["muge_fast"] == mf.__version__
    rouge = manifest["scores"]["rouge_l"]
    assert rouge["value"] == 1
    assert rouge["interval"] == [1, 1]
    assert str(tmp_path) not in json.dumps(manifest)
    assert time.strftime("%Y") not in json.dumps({**manifest, "versions": {}, "data": {}, "gold": {}})
