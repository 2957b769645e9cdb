"""Text-to-image pipelines of diffusers as models, against calls of the pipeline, on small random networks."""

import json
import shutil
import warnings

import numpy as np
import pytest

from muge_fast.models import ImageGenerator
from muge_fast.models.options import ModelOptions

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
safetensors = pytest.importorskip("safetensors.torch")

from diffusion_models import SIZE, tiny_pipeline  # noqa: E402 - only with diffusers
from muge_fast.models.adapters.diffusion import DiffusionGenerator  # noqa: E402

pytestmark = pytest.mark.slow

TEXTS = ["红色连衣裙", "a white shoe", "男女款" * 60]
SEEDS = [7, 8, 2**40]
STEPS = 2
# Levels of a pixel by which single images and batches may differ: products of matrices add in another order.
ROUNDING = 1
# Options by which nothing but the necessary runs.
FAST = ModelOptions(steps=STEPS, device="cpu")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Compute such small matrices on one thread: others mostly wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_pipeline(tmp_path_factory.mktemp("diffusion"))


@pytest.fixture(scope="module")
def model(folder):
    return DiffusionGenerator(folder, FAST)


@pytest.fixture(scope="module")
def images(model):
    return pixels(model.generate(TEXTS, SEEDS))


def pixels(images):
    return np.stack([np.asarray(image) for image in images]).astype(int)


def test_it_is_an_image_generator_and_equal_seeds_give_equal_bytes(model, images):
    assert isinstance(model, ImageGenerator)
    assert images.shape == (3, SIZE, SIZE, 3)
    assert images.std() > 10
    assert (pixels(model.generate(TEXTS, SEEDS)) == images).all()


def test_images_are_those_of_a_call_of_the_pipeline(folder, images):
    pipeline = diffusers.DiffusionPipeline.from_pretrained(folder)
    generators = [torch.Generator().manual_seed(seed) for seed in SEEDS]
    expected = pipeline(prompt=TEXTS, generator=generators, num_inference_steps=STEPS).images
    assert (pixels(expected) == images).all()


def test_an_image_depends_on_its_text_and_seed_and_not_on_its_batch(model, images):
    alone = pixels([model.generate([text], [seed])[0] for text, seed in zip(TEXTS, SEEDS, strict=True)])
    assert abs(alone - images).max() <= ROUNDING
    turned = pixels(model.generate(TEXTS[::-1], SEEDS[::-1]))[::-1]
    assert abs(turned - images).max() <= ROUNDING
    same_text, same_seed, _ = pixels(model.generate([TEXTS[0], TEXTS[1], TEXTS[1]], [SEEDS[1], SEEDS[0], 0]))
    assert abs(same_text - images[0]).max() > 10 * ROUNDING
    assert abs(same_seed - images[0]).max() > 0


def test_the_global_generator_is_neither_used_nor_changed(model, images):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    assert (pixels(model.generate(TEXTS, SEEDS)) == images).all()
    assert torch.equal(torch.get_rng_state(), before)


class Restless(diffusers.DDIMScheduler):
    """A scheduler that draws from torch's global generator."""

    def step(self, *arguments, **options):
        (sample,) = super().step(*arguments, **{**options, "return_dict": False})[:1]
        return (sample + 0.1 * torch.randn_like(sample),)


def test_a_scheduler_that_draws_numbers_depends_on_the_seed_alone_too(folder):
    model = DiffusionGenerator(folder, FAST)
    model._pipeline.scheduler = Restless.from_config(model._pipeline.scheduler.config)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    images = pixels(model.generate(TEXTS, SEEDS))
    torch.manual_seed(2)
    assert (pixels(model.generate(TEXTS[:0:-1], SEEDS[:0:-1]))[::-1] == images[1:]).all()
    torch.set_rng_state(before)
    # The noise of equal seeds is equal, and that of others is not.
    first, second, third = pixels(model.generate([TEXTS[0]] * 3, [5, 5, 6]))
    assert (first == second).all()
    assert (first != third).any()
    assert torch.equal(torch.get_rng_state(), before)


def test_options_reach_the_pipeline(folder):
    model = DiffusionGenerator(folder, ModelOptions(steps=1, guidance=2.5, size=24, device="cpu", dtype="bf16"))
    (image,) = model.generate(TEXTS[:1], [0])
    assert image.size == (24, 24)
    described = {key: model.description[key] for key in ("steps", "guidance", "size", "dtype", "device")}
    assert described == {"steps": 1, "guidance": 2.5, "size": 24, "dtype": "bf16", "device": "cpu"}
    pipeline = diffusers.DiffusionPipeline.from_pretrained(folder, dtype=torch.bfloat16)
    settings = {"num_inference_steps": 1, "guidance_scale": 2.5, "height": 24, "width": 24}
    expected = pipeline(prompt=TEXTS[:1], generator=[torch.Generator().manual_seed(0)], **settings).images
    assert (pixels(expected) == pixels([image])).all()


def test_the_description_is_plain_and_has_what_is_needed_to_repeat_a_run(model):
    described = json.loads(json.dumps(model.description))
    assert described == model.description
    assert described["type"] == "StableDiffusionPipeline"
    assert described["scheduler"]["type"] == "DDIMScheduler"
    assert described["scheduler"]["beta_schedule"] == "scaled_linear"
    assert (described["steps"], described["guidance"], described["size"]) == (STEPS, 7.5, None)
    assert described["versions"]["diffusers"] == diffusers.__version__
    assert described["safety_checker"] is None


def test_the_signature_changes_with_the_weights_of_every_network(folder, model, tmp_path):
    assert model.signature == DiffusionGenerator(folder, FAST).signature
    signatures = {model.signature}
    for name in ("unet", "vae", "text_encoder"):
        changed = shutil.copytree(folder, tmp_path / name)
        change(next((changed / name).glob("*.safetensors")), lambda tensors: next(iter(tensors.values())).add_(1))
        signatures.add(DiffusionGenerator(changed, FAST).signature)
    assert len(signatures) == 4


def change(path, function):
    tensors = safetensors.load_file(path)
    function(tensors)
    safetensors.save_file(tensors, path, metadata={"format": "pt"})


def test_a_safety_checker_stays_and_what_it_refuses_is_reported(tmp_path):
    model = DiffusionGenerator(tiny_pipeline(tmp_path, has_checker=True), FAST)
    assert model.description["safety_checker"] == "StableDiffusionSafetyChecker"
    with pytest.warns(UserWarning, match="safety checker of the model refused 2 images.*红色连衣裙, a white shoe"):
        images = model.generate(TEXTS[:2], SEEDS[:2])
    assert model.refused == 2
    # As it returns them: black.
    assert len(np.unique(pixels(images))) == 1


def test_nothing_is_printed(folder, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DiffusionGenerator(folder, FAST).generate(TEXTS[2:], [0])
    assert capfd.readouterr() == ("", "")


# Errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": "{question}"}, "prompt is '{question}', but this model has no such option"),
        ({"beams": 3}, "beams is 3, but this model has no such option"),
        ({"max_new_tokens": 8}, "max_new_tokens is 8, but this model has no such option"),
        ({"device": "cuda:99999"}, "device"),
    ],
)
def test_options_of_other_models_are_refused(folder, options, message):
    with pytest.raises((ValueError, RuntimeError), match=message):
        DiffusionGenerator(folder, ModelOptions(**options))


def test_a_folder_without_pipeline_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"not a pipeline of diffusers: it has no model_index\.json"):
        DiffusionGenerator(tmp_path, FAST)
    (tmp_path / "model_index.json").write_text("[")
    with pytest.raises(ValueError, match=r"model_index\.json is not JSON"):
        DiffusionGenerator(tmp_path, FAST)
    (tmp_path / "model_index.json").write_text("{}")
    with pytest.raises(ValueError, match="names no class of a pipeline, expected _class_name"):
        DiffusionGenerator(tmp_path, FAST)
    (tmp_path / "model_index.json").write_text('{"_class_name": "NoSuchPipeline"}')
    with pytest.raises(ValueError, match=r"diffusers can load: .*NoSuchPipeline"):
        DiffusionGenerator(tmp_path, FAST)


def test_a_name_that_is_not_on_this_machine_is_not_looked_up(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the network was used"))
    with pytest.raises(FileNotFoundError, match=r"no pipeline at nobody/nothing, nor in the cache .*download=True"):
        DiffusionGenerator("nobody/nothing", FAST)


def test_missing_weights_are_refused(folder, tmp_path):
    for name in ("unet", "text_encoder"):
        broken = shutil.copytree(folder, tmp_path / name)
        change(next((broken / name).glob("*.safetensors")), lambda tensors: tensors.pop(next(iter(tensors))))
        with pytest.raises(ValueError, match=f"{name}: 1 tensors are missing or of a wrong shape"):
            DiffusionGenerator(broken, FAST)


def test_a_pipeline_without_texts_is_refused(tmp_path):
    unet = diffusers.UNet2DModel(
        sample_size=8, block_out_channels=(8,), down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",),
        norm_num_groups=4, layers_per_block=1,
    )  # fmt: skip
    diffusers.DDPMPipeline(unet, diffusers.DDPMScheduler()).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="DDPMPipeline generates no images of texts: it has no argument prompt"):
        DiffusionGenerator(tmp_path, FAST)


def test_code_in_the_folder_runs_only_if_it_is_trusted(folder, tmp_path):
    custom = shutil.copytree(folder, tmp_path / "custom")
    mark = tmp_path / "the code ran"
    (custom / "mine.py").write_text(
        f"from diffusers import StableDiffusionPipeline\nopen({str(mark)!r}, 'w').close()\n"
        "class Mine(StableDiffusionPipeline): pass\n"
    )
    index = json.loads((custom / "model_index.json").read_text())
    (custom / "model_index.json").write_text(json.dumps({**index, "_class_name": ["mine", "Mine"]}))
    with pytest.raises(ValueError, match=r"has code, mine\.py, which would run .*trust_remote_code=True"):
        DiffusionGenerator(custom, FAST)
    component = shutil.copytree(folder, tmp_path / "component")
    (component / "unet" / "mine.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    (component / "model_index.json").write_text(json.dumps({**index, "unet": ["mine", "Network"]}))
    with pytest.raises(ValueError, match=r"has code, unet/mine\.py, which would run"):
        DiffusionGenerator(component, FAST)
    assert not mark.exists()


def test_weights_as_pickles_run_no_code(folder, tmp_path):
    unsafe = shutil.copytree(folder, tmp_path / "unsafe")
    path = next((unsafe / "unet").glob("*.safetensors"))
    tensors, mark = safetensors.load_file(path), tmp_path / "the code ran"
    path.unlink()
    torch.save(tensors, path.with_suffix(".bin"))
    assert DiffusionGenerator(unsafe, FAST).signature == DiffusionGenerator(folder, FAST).signature
    torch.save({**tensors, "more": Unpickled(mark)}, path.with_suffix(".bin"))
    with pytest.raises(ValueError, match="not a pipeline that diffusers can load"):
        DiffusionGenerator(unsafe, FAST)
    assert not mark.exists()


class Unpickled:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")
