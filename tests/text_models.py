"""Small models that generate texts of images, with random weights, saved as transformers does."""

import string

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    BertConfig,
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessorPil,
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    GitConfig,
    GitForCausalLM,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
    ViTImageProcessorPil,
)

SIZE = 32
SIGNS = "红色连衣裙黑白皮鞋男女款什么是在图片的"
LAYERS = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
VISION = {"image_size": SIZE, "patch_size": 16}
HEIGHT = {"height": SIZE, "width": SIZE}
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *SIGNS, *string.ascii_lowercase]
# Texts hardly depend on the image with smaller random weights.
SPREAD = 0.6


def captioner(folder, kind, seed=0):
    """Write a captioner without prompts, its image processor and a tokenizer of BERT's kind."""
    torch.manual_seed(seed)
    tokenizer = BertTokenizer(vocab={word: index for index, word in enumerate(WORDS)})
    tokenizer.save_pretrained(folder)
    {"vision-encoder-decoder": _encoder_decoder, "blip": _blip, "git": _git}[kind](folder)
    return folder


def _encoder_decoder(folder):
    encoder = ViTConfig(**LAYERS, **VISION, initializer_range=SPREAD)
    decoder = BertConfig(
        **LAYERS, vocab_size=len(WORDS), is_decoder=True, add_cross_attention=True, initializer_range=SPREAD
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 2, 0, 3
    model = VisionEncoderDecoderModel(config)
    model.generation_config.update(decoder_start_token_id=2, pad_token_id=0, eos_token_id=3)
    # A setting that samples, and one that does not.
    model.generation_config.update(do_sample=True, temperature=2.0, no_repeat_ngram_size=2)
    model.save_pretrained(folder)
    ViTImageProcessorPil(size=HEIGHT).save_pretrained(folder)


def _blip(folder):
    text = LAYERS | {"vocab_size": len(WORDS), "initializer_range": SPREAD, "encoder_hidden_size": 32}
    text |= {"bos_token_id": 2, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0}
    config = BlipConfig(
        text_config=text, vision_config=LAYERS | VISION | {"initializer_range": SPREAD}, projection_dim=24
    )
    BlipForConditionalGeneration(config).save_pretrained(folder)
    BlipImageProcessorPil(size=HEIGHT).save_pretrained(folder)


def _git(folder):
    tokens = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
    config = GitConfig(
        vision_config=LAYERS | VISION, **LAYERS, **tokens, vocab_size=len(WORDS), initializer_range=SPREAD
    )
    GitForCausalLM(config).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": SIZE}, crop_size=HEIGHT).save_pretrained(folder)


SPECIAL = ["<pad>", "<unk>", "<s>", "<|im_start|>", "<|im_end|>"]
OF_QWEN = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
OF_LLAVA = ["<image>"]
TEMPLATE = (
    "{{% for message in messages %}}<|im_start|>{{{{ message.role }}}} "
    "{{% for part in message.content %}}{{% if part.type == 'image' %}}{image}"
    "{{% else %}}{{{{ part.text }}}}{{% endif %}}"
    "{{% endfor %}}<|im_end|>{{% endfor %}}{{% if add_generation_prompt %}}<|im_start|>assistant {{% endif %}}"
)


def chat_model(folder, kind, seed=0):
    """Write a chat model that sees images, with its processor and a tokenizer of letters."""
    torch.manual_seed(seed)
    {"qwen2_vl": _qwen, "qwen2_5_vl": _qwen, "qwen3_vl": _qwen, "llava": _llava}[kind](folder, kind)
    return folder


def _letters(special):
    words = [*SPECIAL, *special, *SIGNS, *string.ascii_letters, *string.punctuation, *" \n。?!"]
    vocabulary = {word: index for index, word in enumerate(dict.fromkeys(words))}
    # A token for each letter.
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))  # noqa: S106 - a token of text
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",  # noqa: S106
        unk_token="<unk>",  # noqa: S106
        eos_token="<|im_end|>",  # noqa: S106
        additional_special_tokens=special + SPECIAL[2:4],
    )


def _numbers(tokenizer):
    names = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
    keys = ("vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id")
    return dict(zip(keys, tokenizer.convert_tokens_to_ids(list(names)), strict=True))


def _qwen(folder, kind):
    tokenizer = _letters(OF_QWEN)
    text = LAYERS | {"num_key_value_heads": 2, "vocab_size": len(tokenizer), "initializer_range": SPREAD}
    text |= {"rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}}
    text |= {"tie_word_embeddings": False, "eos_token_id": 4, "bos_token_id": 2, "pad_token_id": 0}
    videos = Qwen2VLVideoProcessor
    vision = {"depth": 2, "num_heads": 2, "patch_size": 8, "spatial_merge_size": 2, "temporal_patch_size": 2}
    if kind == "qwen2_vl":
        vision |= {"embed_dim": 32, "hidden_size": 32, "mlp_ratio": 2}
        config_class, model_class, processor_class = Qwen2VLConfig, Qwen2VLForConditionalGeneration, Qwen2VLProcessor
    elif kind == "qwen3_vl":
        vision |= {"hidden_size": 32, "out_hidden_size": 32, "intermediate_size": 64, "num_position_embeddings": 64}
        vision |= {"deepstack_visual_indexes": [0, 1]}
        text |= {"head_dim": 16}
        config_class, model_class, processor_class = Qwen3VLConfig, Qwen3VLForConditionalGeneration, Qwen3VLProcessor
        videos = Qwen3VLVideoProcessor
    else:
        vision |= {"hidden_size": 32, "out_hidden_size": 32, "intermediate_size": 64, "window_size": 32}
        vision |= {"fullatt_block_indexes": [1]}
        config_class, model_class = Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
        processor_class = Qwen2_5_VLProcessor
    model = model_class(config_class(text_config=text, vision_config=vision, **_numbers(tokenizer)))
    # As in Qwen's folders, which sample by default.
    model.generation_config.update(do_sample=True, temperature=0.1, top_k=1, eos_token_id=[4, 0], pad_token_id=0)
    model.save_pretrained(folder)
    processor_class(
        image_processor=Qwen2VLImageProcessor(
            patch_size=8, merge_size=2, temporal_patch_size=2, min_pixels=256, max_pixels=4096
        ),
        video_processor=videos(patch_size=8, merge_size=2, temporal_patch_size=2),
        tokenizer=tokenizer,
        chat_template=TEMPLATE.format(image="<|vision_start|><|image_pad|><|vision_end|>"),
    ).save_pretrained(folder)


def _llava(folder, _kind):
    tokenizer = _letters(OF_LLAVA)
    text = LlamaConfig(
        **LAYERS, vocab_size=len(tokenizer), initializer_range=SPREAD, eos_token_id=4, bos_token_id=2, pad_token_id=0
    )
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**LAYERS, **VISION, initializer_range=SPREAD),
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": SIZE}, crop_size=HEIGHT),
        tokenizer=tokenizer,
        patch_size=16,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE.format(image="<image>"),
    ).save_pretrained(folder)
