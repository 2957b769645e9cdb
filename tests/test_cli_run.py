"""The command ``run``, with small random models of the classes that users have."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import muge_fast as mf
from model_data import ITEMS, break_image, make_data_set, text_of
from muge_fast.cli.main import main
from muge_fast.datasets import ImageTsv

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from clip_models import tiny  # noqa: E402 - only with transformers
from text_models import captioner, chat_model  # noqa: E402 - only with transformers

pytestmark = pytest.mark.slow


def run(*arguments):
    return CliRunner().invoke(main, ["run", *map(str, arguments), "--device", "cpu"])


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Compute such small matrices on one thread: others mostly wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data_set(tmp_path_factory.mktemp("data"), size=64)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("clip") / "tiny-chinese-clip", "chinese_clip")


@pytest.fixture(scope="module")
def captions_model(tmp_path_factory):
    return captioner(tmp_path_factory.mktemp("captioner") / "tiny", "vision-encoder-decoder")


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_retrieval_with_chinese_clip_has_the_ranking_of_transformers(data, clip, tmp_path):
    result = run("retrieval", "--model", clip, "--data", data, "--output", tmp_path / "run", "--batch-size", 16)
    assert result.exit_code == 0, result.output
    model = transformers.ChineseCLIPModel.from_pretrained(clip).eval()
    processor = transformers.AutoProcessor.from_pretrained(clip)
    images = ImageTsv(data / "MR_valid_imgs.tsv")
    queries = lines(data / "MR_valid_queries.jsonl")
    with torch.inference_mode():
        pixels = processor(images=[images.image(key).convert("RGB") for key in images], return_tensors="pt")
        items = model.get_image_features(**pixels).pooler_output
        tokens = processor(text=[query["query_text"] for query in queries], return_tensors="pt", padding=True)
        texts = model.get_text_features(**tokens).pooler_output
    cosines = torch.nn.functional.normalize(texts.double()) @ torch.nn.functional.normalize(items.double()).T
    rows = lines(tmp_path / "run/submission.jsonl")
    assert [row["query_id"] for row in rows] == [query["query_id"] for query in queries]
    for row, cosine in zip(rows, cosines, strict=True):
        # Items whose cosines are equal up to rounding may be in another order.
        found = cosine[[item - 100 for item in row["item_ids"]]]
        torch.testing.assert_close(found, cosine.topk(10).values, atol=1e-5, rtol=0)
    manifest = mf.models.read_manifest(tmp_path / "run")
    assert manifest["model"]["name"] == "tiny-chinese-clip"
    assert manifest["model"]["signature"].startswith("chinese_clip|weights:")
    relevant = {query["query_id"]: query["item_ids"] for query in queries}
    hits = np.mean([bool(set(row["item_ids"]) & set(relevant[row["query_id"]])) for row in rows])
    assert manifest["scores"]["recall@10"]["value"] == hits
    assert f"{100 * hits:.2f}" in result.output


def test_captions_and_a_broken_image(captions_model, tmp_path):
    broken = make_data_set(tmp_path / "data")
    break_image(broken / "IC_valid.tsv", "p07")
    arguments = ("caption", "--model", captions_model, "--data", broken, "--max-new-tokens", 8)
    result = run(*arguments, "--output", tmp_path / "run")
    assert result.exit_code == 1
    assert "p07: image 'p07' is broken" in result.output
    assert "1 item without a result, see run.json" in result.output
    assert len(lines(tmp_path / "run/submission.jsonl")) == ITEMS - 1
    chinese = run(*arguments, "--output", tmp_path / "run", "--lang", "zh")
    assert "没有结果，见 run.json" in chinese.output
    assert "无效" in chinese.output


def test_the_manifest_is_what_json_prints(data, captions_model, tmp_path):
    arguments = ("caption", "--model", captions_model, "--data", data, "--output", tmp_path / "run")
    result = run(*arguments, "--max-new-tokens", 4, "--json", "--tokenizer", "char")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == mf.models.read_manifest(tmp_path / "run")
    assert "tokenizer:char" in json.loads(result.stdout)["scores"]["bleu"]["signature"]


def test_questions_are_answered_by_a_chat_model(data, tmp_path):
    model = chat_model(tmp_path / "qwen", "qwen2_5_vl")
    arguments = ("vqa", "--model", model, "--data", data, "--output", tmp_path / "run", "--max-new-tokens", 4)
    result = run(*arguments, "--prompt", "请回答：{question}")
    assert result.exit_code in (0, 1), result.output
    rows = lines(tmp_path / "run/submission.jsonl")
    assert [row["question_id"] for row in rows] == [1000 + index for index in range(ITEMS)]
    assert mf.models.read_manifest(tmp_path / "run")["model"]["options"]["prompt"] == "请回答：{question}"


def test_images_are_generated_by_a_pipeline(tmp_path, weights):
    pytest.importorskip("diffusers")
    from diffusion_models import tiny_pipeline  # noqa: PLC0415 - needs diffusers

    data = make_data_set(tmp_path / "data", items=6)
    pipeline = tiny_pipeline(tmp_path / "pipeline")
    arguments = ("t2i", "--model", pipeline, "--data", data, "--output", tmp_path / "run", "--steps", 2)
    few = run(*arguments, "--weights", weights)
    assert "--splits is 10, images 6: need at least one image for each split" in few.output
    assert not (tmp_path / "run").exists()
    result = run(*arguments, "--weights", weights, "--splits", 2)
    assert result.exit_code == 0, result.output
    assert list(ImageTsv(tmp_path / "run/submission.tsv")) == [f"p{index:02}" for index in range(6)]
    assert mf.models.read_manifest(tmp_path / "run")["scores"]["fid"]["value"] > 0


def test_a_model_that_is_not_there_is_an_error(data, tmp_path):
    arguments = ("retrieval", "--model", "nowhere/model", "--data", data, "--output", tmp_path / "run")
    result = run(*arguments)
    assert result.exit_code == 2
    assert "no model at nowhere/model, nor in the cache of transformers (--download downloads it)" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "（--download 可下载）" in run(*arguments, "--lang", "zh").stderr
    assert not (tmp_path / "run").exists()


def test_a_model_for_another_task_is_an_error(data, clip, tmp_path):
    result = run("caption", "--model", clip, "--data", data, "--output", tmp_path / "run")
    assert result.exit_code == 2
    assert "which does not do caption (it can do retrieval)" in result.stderr


def test_texts_of_the_data_set_are_what_the_models_read(data):
    assert lines(data / "MR_valid_queries.jsonl")[1]["query_text"] == text_of(2)
