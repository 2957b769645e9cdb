"""Encoders of images and texts against transformers, on small models with random weights."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from image_data import pictures
from muge_fast.models import DualEncoder
from muge_fast.models.options import ModelOptions

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
Image = pytest.importorskip("PIL.Image")

from clip_models import tiny  # noqa: E402 - only with transformers
from muge_fast.image.extractors import cpu_engine  # noqa: E402
from muge_fast.image.extractors.clip import ClipExtractor  # noqa: E402
from muge_fast.models.adapters.clip import LONGEST_TEXTS, ClipEncoder  # noqa: E402
from muge_fast.models.adapters.image_inputs import ImageInputs  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_torch_thread")]

CPU = ModelOptions(device="cpu")
TEXTS = ["红色连衣裙", "黑皮鞋", "a red dress", "红 shoes 裙 7", "男女款" * 60]
SIZES = [(32, 32), (50, 90), (300, 20), (33, 77), (8, 8), (1, 9)]
IMAGES = [pictures(1, size, seed=index)[0] for index, size in enumerate(SIZES)]

# A vision network of two layers: five products after one another in each, one before and one after them.
PRODUCTS = 2 * 5 + 2
# The longest sum in a product: the values of a patch.
TERMS = 3 * 16 * 16


@pytest.fixture(scope="module", params=list(LONGEST_TEXTS))
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def folder(kind, tmp_path_factory):
    return tiny(tmp_path_factory.mktemp(kind), kind)


@pytest.fixture(scope="module")
def encoder(folder):
    return ClipEncoder(folder, CPU)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("clip"), "clip")


@pytest.fixture(scope="module")
def plain(folder):
    return PlainEncoder(folder)


@pytest.fixture(scope="module")
def features(kind, plain):
    """Return features of images in float64 and float32, and of texts in float32."""
    texts = plain.texts(TEXTS, LONGEST_TEXTS[kind], "max_length" if kind.startswith("siglip") else False)
    return plain.images(IMAGES, torch.float64), plain.images(IMAGES), texts


class PlainEncoder:
    """Calls transformers for one item at a time."""

    def __init__(self, folder):
        self.model = transformers.AutoModel.from_pretrained(folder).eval()
        self.processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    def pixels(self, image):
        return self.processor(images=[Image.fromarray(image)], return_tensors="pt")

    def images(self, images, dtype=torch.float32):
        model = self.model.to(dtype)
        inputs = [{k: x.to(dtype) if x.is_floating_point() else x for k, x in self.pixels(i).items()} for i in images]
        with torch.no_grad():
            rows = [model.get_image_features(**one).pooler_output for one in inputs]
        self.model.float()
        return torch.cat(rows).numpy()

    def texts(self, texts, max_length, padding):
        with torch.no_grad():
            tokens = [
                self.tokenizer(t, truncation=True, max_length=max_length, padding=padding, return_tensors="pt")
                for t in texts
            ]
            assert tokens[-1]["input_ids"].shape[1] == max_length
            return torch.cat([self.model.get_text_features(**one).pooler_output for one in tokens]).numpy()


def encode(encoder, images):
    return encoder.encode_images([encoder.prepare(image) for image in images])


def error(actual, expected):
    """Return the largest relative error of a row, and the smallest cosine with the row that it should be."""
    actual, expected = actual.astype(float), expected.astype(float)
    norms = np.linalg.norm(actual, axis=1), np.linalg.norm(expected, axis=1)
    cosines = (actual * expected).sum(axis=1) / (norms[0] * norms[1])
    return (np.linalg.norm(actual - expected, axis=1) / norms[1]).max(), cosines.min()


def test_features_equal_those_of_transformers(encoder, features):
    """Rounding errors of a sum of n terms grow as the root of n; those of successive products add up."""
    assert isinstance(encoder, DualEncoder)
    exact, plain, texts = features
    assert exact.std(axis=0).min() > 0
    assert texts.std(axis=0).min() > 0
    bound = PRODUCTS * np.sqrt(TERMS) * 2**-24
    for found in (encode(encoder, IMAGES), plain):
        largest, cosine = error(found, exact)
        assert largest < bound
        assert cosine > 1 - bound**2
    assert encoder.encode_texts(TEXTS).dtype == np.float32
    assert error(encoder.encode_texts(TEXTS), texts)[0] < bound


def test_bfloat16_features_are_near_those_of_float32(folder, features):
    """Each factor of a product is rounded to 8 bits; sums are in float32."""
    exact, _, texts = features
    fast = ClipEncoder(folder, ModelOptions(device="cpu", dtype="bf16"))
    assert "|precision:bf16|" in fast.signature
    bound = PRODUCTS * 2 * 2**-8
    largest, cosine = error(encode(fast, IMAGES), exact)
    assert 0 < largest < bound
    assert cosine > 1 - bound**2
    assert 0 < error(fast.encode_texts(TEXTS), texts)[0] < bound


def test_prepared_images_have_the_bits_of_the_image_processor(encoder, plain):
    with ThreadPoolExecutor(3) as pool:
        prepared = list(pool.map(encoder.prepare, IMAGES))
    for image, inputs in zip(IMAGES, prepared, strict=True):
        expected = plain.pixels(image)
        assert set(inputs) == set(expected)
        assert all(torch.equal(inputs[name], expected[name]) for name in expected)


@pytest.mark.parametrize(
    "settings",
    [
        {"do_center_crop": False, "size": {"height": 40, "width": 24}},
        {"do_rescale": False},
        {"do_normalize": False},
        {"do_rescale": False, "do_normalize": False},
        {"image_mean": [0.1, 0.5, 0.9], "image_std": [0.2, 0.3, 7.0], "rescale_factor": 1 / 127.5},
        {"do_resize": False, "crop_size": {"height": 60, "width": 50}},
        {"do_pad": True, "do_center_crop": False, "size": {"shortest_edge": 30}},
        {"resample": 2},
    ],
    ids=str,
)
def test_every_setting_of_an_image_processor_is_followed(settings):
    processor = transformers.CLIPImageProcessorPil(**settings)
    inputs = ImageInputs(processor)
    for image in IMAGES[:4]:
        expected = processor(images=[Image.fromarray(image)], return_tensors="pt")["pixel_values"]
        actual = inputs.prepare(image)["pixel_values"]
        assert actual.dtype == expected.dtype
        assert torch.equal(actual, expected)


def test_a_processor_that_replaces_steps_is_called_as_it_is():
    class Mirroring(transformers.CLIPImageProcessorPil):
        def normalize(self, image, mean, std, **options):
            return super().normalize(image, mean, std, **options)[:, :, ::-1] * image.mean()

    processor = Mirroring()
    expected = processor(images=[Image.fromarray(IMAGES[1])], return_tensors="pt")["pixel_values"]
    assert torch.equal(ImageInputs(processor).prepare(IMAGES[1])["pixel_values"], expected)


def test_features_have_the_same_bits_for_any_number_of_threads(clip_folder):
    images = [IMAGES[index % len(IMAGES)] for index in range(37)]
    results = []
    for count in (2, 3, 1):
        torch.set_num_threads(count)
        results.append(encode(ClipEncoder(clip_folder, CPU), images).tobytes())
    assert results[0] == results[1] == results[2]


def test_the_signature_names_weights_precision_and_engine(clip_folder, monkeypatch):
    extractor = ClipExtractor(clip_folder, device="cpu")
    encoder = ClipEncoder(clip_folder, CPU)
    start, engine = encoder.signature.rsplit("|", 1)
    assert start == extractor.signature
    assert encoder.description["class"] == "CLIPModel"
    assert encoder.description["weights"] in encoder.signature
    assert encoder.description["versions"]["transformers"] == transformers.__version__
    assert f"engine:{encoder.description['engine']}" == engine
    # Where OpenVINO is not installed, torch computes, with the bits of the extractor.
    monkeypatch.setattr(cpu_engine, "_is_installed", lambda: False)
    slow = ClipEncoder(clip_folder, CPU)
    assert slow.signature == f"{extractor.signature}|engine:torch"
    assert np.array_equal(encode(slow, IMAGES), extractor(IMAGES).numpy())
    assert np.array_equal(slow.encode_texts(TEXTS), extractor.texts(TEXTS))


@pytest.mark.parametrize("activation", ["gelu", "quick_gelu", "gelu_new"])
def test_each_activation_is_that_of_transformers(activation, tmp_path):
    tiny(tmp_path, "clip")
    model = transformers.CLIPModel.from_pretrained(tmp_path)
    model.config.vision_config.hidden_act = activation
    # Larger weights, so that activations leave the part where they are alike.
    for parameter in model.vision_model.encoder.parameters():
        parameter.data.mul_(8)
    model.save_pretrained(tmp_path)
    encoder = ClipEncoder(tmp_path, CPU)
    assert encoder.signature.endswith("engine:torch") == (activation == "gelu_new")
    exact = PlainEncoder(tmp_path).images(IMAGES, torch.float64)
    assert error(encode(encoder, IMAGES), exact)[0] < PRODUCTS * np.sqrt(TERMS) * 2**-24


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"prompt": "描述"},
            "prompt is '描述', but this model has no such option: it needs a model that generates texts",
        ),
        ({"beams": 4}, "beams is 4"),
        ({"steps": 4}, "steps is 4, but this model has no such option: it needs a diffusion model"),
        ({"dtype": "int8"}, "unknown dtype 'int8'"),
        ({"device": "tape"}, "unknown device 'tape'"),
    ],
)
def test_options_that_cannot_be_honoured_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ClipEncoder("nowhere", ModelOptions(**options))


def test_image_processors_of_another_size_are_refused(tmp_path):
    folder = tiny(tmp_path, "chinese_clip")
    transformers.CLIPImageProcessorPil(crop_size={"height": 48, "width": 40}).save_pretrained(folder)
    with pytest.raises(
        ValueError, match=r"the network takes images of 32 x 32, but the image processor .* makes them 48 x 40"
    ):
        ClipEncoder(folder, CPU)


def test_images_that_are_not_bytes_are_refused(clip_folder):
    encoder = ClipEncoder(clip_folder, CPU)
    with pytest.raises(TypeError, match="must be a uint8 array"):
        encoder.prepare(IMAGES[0].astype(float))
    with pytest.raises(ValueError, match="there are no images"):
        encoder.encode_images([])
