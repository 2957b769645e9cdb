"""Captioners without prompts against transformers, on small models with random weights."""

import pytest

from image_data import pictures
from muge_fast.models import Captioner
from muge_fast.models.options import ModelOptions

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
Image = pytest.importorskip("PIL.Image")

from muge_fast.models.adapters.captioner import TYPES, EncoderDecoderCaptioner  # noqa: E402 - only with transformers
from muge_fast.models.adapters.generation import cut, join_chinese  # noqa: E402
from text_models import captioner  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_torch_thread")]

TOKENS = 12
OPTIONS = ModelOptions(device="cpu", max_new_tokens=TOKENS)
SIZES = [(32, 32), (50, 90), (300, 60), (33, 77), (100, 100)]
IMAGES = [pictures(1, size, seed=index)[0] for index, size in enumerate(SIZES)]


@pytest.fixture(scope="module", params=TYPES)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def folder(kind, tmp_path_factory):
    return captioner(tmp_path_factory.mktemp(kind), kind)


def captions(model):
    return model.caption([model.prepare(image) for image in IMAGES])


def plain_captions(folder, beams):
    """Call transformers for one image at a time."""
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    texts = []
    for image in IMAGES:
        pixels = processor(images=Image.fromarray(image), return_tensors="pt")["pixel_values"]
        tokens = model.generate(pixel_values=pixels, do_sample=False, num_beams=beams, max_new_tokens=TOKENS)
        texts.append(tokenizer.decode(tokens[0], skip_special_tokens=True))
    return texts


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.filterwarnings("ignore:.*generation flags")
def test_captions_are_the_texts_of_transformers_without_spaces_between_characters(folder, beams):
    model = EncoderDecoderCaptioner(folder, ModelOptions(device="cpu", max_new_tokens=TOKENS, beams=beams))
    assert isinstance(model, Captioner)
    texts = captions(model)
    expected = plain_captions(folder, beams)
    assert len(set(expected)) > 2
    assert [text.replace(" ", "") for text in texts] == [text.replace(" ", "") for text in expected]
    assert any(" " in text for text in expected)
    assert texts == [join_chinese(text.strip()) for text in expected]
    assert [model.caption([model.prepare(image)])[0] for image in IMAGES] == texts


def test_settings_of_the_folder_hold_except_for_sampling(tmp_path):
    folder = captioner(tmp_path, "vision-encoder-decoder")
    saved = transformers.GenerationConfig.from_pretrained(folder)
    assert saved.do_sample
    model = EncoderDecoderCaptioner(folder, OPTIONS)
    texts = captions(model)
    assert texts == captions(EncoderDecoderCaptioner(folder, OPTIONS)) == captions(model)
    saved.no_repeat_ngram_size = 1
    saved.save_pretrained(folder)
    assert captions(EncoderDecoderCaptioner(folder, OPTIONS)) != texts
    generation = model.description["generation"]
    assert generation["no_repeat_ngram_size"] == 2
    assert (generation["do_sample"], generation["num_beams"]) == (False, 1)
    assert generation["max_new_tokens"] == TOKENS
    assert "temperature" not in generation
    weights = model.description["weights"]
    assert model.signature == f"vision-encoder-decoder|weights:{weights}|dtype:fp32|beams:1|tokens:12"


def test_texts_end_at_their_end_token(tmp_path):
    folder = captioner(tmp_path, "vision-encoder-decoder")
    texts = captions(EncoderDecoderCaptioner(folder, OPTIONS))
    saved = transformers.GenerationConfig.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    # The second letter of the first caption ends texts now.
    letter = texts[0].replace(" ", "")[1]
    saved.eos_token_id = [3, tokenizer.convert_tokens_to_ids(letter)]
    saved.save_pretrained(folder)
    ended = captions(EncoderDecoderCaptioner(folder, OPTIONS))
    joined = [text.replace(" ", "") for text in texts]
    assert [text.replace(" ", "") for text in ended] == [text.partition(letter)[0] for text in joined]
    assert cut([5, 6], []) == [5, 6]


def test_half_precision_is_in_the_signature(folder):
    model = EncoderDecoderCaptioner(folder, ModelOptions(device="cpu", dtype="bf16", max_new_tokens=3))
    assert "|dtype:bf16|" in model.signature
    assert len(captions(model)) == len(IMAGES)


def test_options_that_cannot_be_honoured_are_refused(folder):
    for options, message in (
        ({"prompt": "描述"}, "prompt is '描述', but this model has no such option: it needs a vision-language model"),
        ({"guidance": 3.0}, "guidance is 3.0"),
        ({"beams": 0}, "beams must be at least 1"),
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            EncoderDecoderCaptioner(folder, ModelOptions(**options))


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("红 色 连 衣 裙", "红色连衣裙"),
        ("红 色 , 白 色 。 黑", "红色 , 白色。黑"),
        ("nike 运 动 鞋 2 双", "nike 运动鞋 2 双"),
        ("a red dress", "a red dress"),
        ("", ""),
    ],
)
def test_spaces_between_chinese_characters_are_removed(text, joined):
    assert join_chinese(text) == joined
