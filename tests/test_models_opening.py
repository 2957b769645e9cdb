"""Models are opened for the task that they are for; what is missing, broken or not trusted is refused."""

import json
import os
import pickle
import socket
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from image_data import pictures
from muge_fast.models.options import ModelOptions

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("torchvision")

from clip_models import tiny  # noqa: E402 - only with transformers
from muge_fast.models.adapters import loading  # noqa: E402
from muge_fast.models.adapters.captioner import EncoderDecoderCaptioner  # noqa: E402
from muge_fast.models.adapters.clip import ClipEncoder  # noqa: E402
from muge_fast.models.adapters.opening import open_model  # noqa: E402
from muge_fast.models.adapters.vision_language import ChatAnswerer, ChatCaptioner  # noqa: E402
from text_models import captioner, chat_model  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_torch_thread")]

CPU = ModelOptions(device="cpu", max_new_tokens=4)
ENCODER = ModelOptions(device="cpu")
DEVICE = os.environ.get("MUGE_FAST_TEST_DEVICE", "cuda")
IMAGES = pictures(3, (40, 50))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {
        "clip": tiny(tmp_path_factory.mktemp("clip"), "chinese_clip"),
        "captioner": captioner(tmp_path_factory.mktemp("captioner"), "vision-encoder-decoder"),
        "chat": chat_model(tmp_path_factory.mktemp("chat"), "llava"),
        "pipeline": tmp_path_factory.mktemp("pipeline"),
        "bert": tmp_path_factory.mktemp("bert"),
        "empty": tmp_path_factory.mktemp("empty"),
    }
    (made["pipeline"] / "model_index.json").write_text("{}")
    (made["bert"] / "config.json").write_text(json.dumps({"model_type": "bert"}))
    return made


@pytest.mark.parametrize(
    ("task", "name", "adapter"),
    [
        ("retrieval", "clip", ClipEncoder),
        ("caption", "captioner", EncoderDecoderCaptioner),
        ("caption", "chat", ChatCaptioner),
        ("vqa", "chat", ChatAnswerer),
    ],
)
def test_the_configuration_chooses_the_adapter(folders, task, name, adapter):
    model = open_model(task, folders[name], ENCODER if task == "retrieval" else CPU)
    assert type(model) is adapter
    assert model.description["weights"] in model.signature
    json.dumps(model.description, allow_nan=False)


@pytest.mark.parametrize(
    ("task", "name", "message"),
    [
        ("caption", "clip", r"type 'chinese_clip', which does not do caption \(it can do retrieval\): caption needs"),
        ("retrieval", "captioner", r"\(it can do caption\): retrieval needs a model that encodes .*chinese_clip"),
        ("vqa", "captioner", r"\(it can do caption\): vqa needs a chat model"),
        ("retrieval", "chat", r"\(it can do caption or vqa\)"),
        ("t2i", "chat", r"has no model_index.json, .*\(it can do caption or vqa\): t2i needs a pipeline of diffusers"),
        ("t2i", "empty", r"\(it is for none of the tasks\)"),
        ("vqa", "pipeline", r"is a pipeline of diffusers, .*\(it can do t2i\)"),
        ("caption", "bert", r"type 'bert', .*\(it is for none of the tasks\)"),
        ("caption", "empty", "has neither config.json nor model_index.json"),
        ("captions", "clip", "unknown task 'captions', choose one of .* did you mean 'caption'"),
    ],
)
def test_models_for_other_tasks_are_refused(folders, task, name, message):
    with pytest.raises(ValueError, match=message):
        open_model(task, folders[name], CPU)


def test_pipelines_are_opened_by_their_adapter(folders, monkeypatch):
    module = SimpleNamespace(DiffusionGenerator=lambda *arguments: arguments)
    monkeypatch.setitem(sys.modules, "muge_fast.models.adapters.diffusion", module)
    assert open_model("t2i", folders["pipeline"], CPU) == (str(folders["pipeline"]), CPU)


def test_nothing_is_downloaded_unless_asked(folders, monkeypatch):
    def refuse(*arguments):
        raise AssertionError(f"network access: {arguments}")

    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    for task in ("retrieval", "caption", "vqa"):
        with pytest.raises(
            FileNotFoundError, match=r"no model at no/model, nor in the cache of transformers \(download=True"
        ):
            open_model(task, "no/model", CPU)
    for task, name in (("caption", "captioner"), ("vqa", "chat")):
        open_model(task, folders[name], CPU)
    with pytest.raises(TypeError, match="model must be a path or a name, got 5"):
        open_model("caption", 5, CPU)


def test_huggingface_hub_is_offline_only_while_a_model_is_read():
    import huggingface_hub  # noqa: PLC0415 - comes with transformers

    before = huggingface_hub.is_offline_mode()
    with loading.reading("model", CPU):
        assert huggingface_hub.is_offline_mode()
    with loading.reading("model", ModelOptions(download=True)):
        assert huggingface_hub.is_offline_mode() == before
    assert huggingface_hub.is_offline_mode() == before


CONFIGURATION = """
from pathlib import Path
from transformers import CLIPConfig

Path({marker!r}).write_text("code ran")

class DualConfig(CLIPConfig):
    model_type = "dual"
"""
MODEL = """
from transformers import CLIPModel
from .configuration import DualConfig

class DualModel(CLIPModel):
    config_class = DualConfig
"""


def test_code_of_a_folder_runs_only_with_the_flag(tmp_path, monkeypatch):
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    folder = tiny(tmp_path / "dual", "clip")
    marker = tmp_path / "marker"
    (folder / "configuration.py").write_text(CONFIGURATION.format(marker=str(marker)))
    (folder / "model.py").write_text(MODEL)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "dual", "auto_map": {"AutoConfig": "configuration.DualConfig"}}
    config["auto_map"]["AutoModel"] = "model.DualModel"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        ValueError, match=r"needs Python code in its folder, .*all rights of the user.*pass trust_remote_code=True"
    ):
        open_model("retrieval", folder, ENCODER)
    assert not marker.exists()
    model = open_model("retrieval", folder, ModelOptions(device="cpu", trust_remote_code=True))
    assert marker.exists()
    assert model.description["class"] == "DualModel"
    assert model.description["trust_remote_code"] is True
    # Its network may differ from that of CLIP, so torch runs it.
    assert model.signature.endswith("engine:torch")
    plain = ClipEncoder(tiny(tmp_path / "clip", "clip"), ENCODER)
    expected, actual = (m.encode_images([m.prepare(image) for image in IMAGES]) for m in (plain, model))
    assert np.allclose(actual, expected, rtol=1e-4, atol=1e-5)


class Payload:
    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def test_pickled_weights_are_read_without_their_code(tmp_path):
    folder = tiny(tmp_path / "clip", "clip")
    expected = ClipEncoder(folder, ENCODER).signature
    weights = transformers.CLIPModel.from_pretrained(folder).state_dict()
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    assert ClipEncoder(folder, ENCODER).signature == expected
    marker = tmp_path / "marker"
    for data in (pickle.dumps(Payload(marker)), b"no weights"):
        (folder / "pytorch_model.bin").write_bytes(data)
        with pytest.raises(ValueError, match="the model cannot be read"):
            ClipEncoder(folder, ENCODER)
    torch.save({"logit_scale": Payload(marker)}, folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="the model cannot be read"):
        ClipEncoder(folder, ENCODER)
    assert not marker.exists()


@pytest.mark.parametrize("task", ["retrieval", "caption", "vqa"])
def test_missing_and_mismatched_weights_are_refused(task, tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    make, kind = {
        "retrieval": (tiny, "chinese_clip"),
        "caption": (captioner, "git"),
        "vqa": (chat_model, "llava"),
    }[task]
    folder = make(tmp_path / "model", kind)
    file = folder / "model.safetensors"
    weights = safetensors.load_file(file)
    name = min(weights)
    for state in ({key: value for key, value in weights.items() if key != name}, weights | {name: torch.zeros(3)}):
        safetensors.save_file(state, file, metadata={"format": "pt"})
        with pytest.raises(ValueError, match=r"the model cannot be read: .*(tensors are missing|size|shape)"):
            open_model(task, folder, ENCODER if task == "retrieval" else CPU)
    file.unlink()
    with pytest.raises(ValueError, match="the model cannot be read"):
        open_model(task, folder, ENCODER if task == "retrieval" else CPU)
    (folder / "config.json").write_text("{")
    with pytest.raises(ValueError, match="the model cannot be read"):
        open_model(task, folder, ENCODER if task == "retrieval" else CPU)


def test_memory_errors_are_passed_on():
    for error in (torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("can't allocate memory")):
        with pytest.raises(type(error)) as caught, loading.reading("model", CPU):
            raise error
        assert caught.value is error


def test_the_data_type_depends_on_the_device_alone(monkeypatch):
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert loading.choose_dtype("auto", cpu) == "fp32"
    for supported, expected in ((True, "bf16"), (False, "fp16")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda s=supported, **_: s)
        assert loading.choose_dtype("auto", gpu) == expected
        assert loading.choose_dtype("fp32", gpu) == "fp32"


@pytest.mark.skipif(DEVICE == "cuda" and not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_has_the_results_of_the_cpu(folders):
    gpu = {"device": DEVICE, "dtype": "fp32"}
    encoders = [open_model("retrieval", folders["clip"], ModelOptions(**chosen)) for chosen in ({"device": "cpu"}, gpu)]
    rows = [encoder.encode_images([encoder.prepare(image) for image in IMAGES]) for encoder in encoders]
    texts = [encoder.encode_texts(["红色连衣裙", "黑"]) for encoder in encoders]
    for expected, actual in (rows, texts):
        assert np.linalg.norm(actual - expected) < 1e-4 * np.linalg.norm(expected)
    for name in ("captioner", "chat"):
        models = [
            open_model("caption", folders[name], ModelOptions(max_new_tokens=6, **c)) for c in ({"device": "cpu"}, gpu)
        ]
        expected, actual = (model.caption([model.prepare(image) for image in IMAGES]) for model in models)
        assert actual == expected
        half = open_model("caption", folders[name], ModelOptions(max_new_tokens=6, device=DEVICE))
        assert len(half.caption([half.prepare(image) for image in IMAGES])) == len(IMAGES)
