"""Small models that encode images and texts, such as CLIP, with random weights, saved as transformers does."""

import string

import torch
from transformers import (
    AltCLIPConfig,
    AltCLIPModel,
    BertTokenizer,
    ChineseCLIPConfig,
    ChineseCLIPImageProcessorPil,
    ChineseCLIPModel,
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPTokenizer,
    MetaClip2Config,
    MetaClip2Model,
    Siglip2Config,
    Siglip2ImageProcessorPil,
    Siglip2Model,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)

SIZE = 32
VISION = {"image_size": SIZE, "patch_size": 16}
LAYERS = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
PROCESSOR = {"size": {"shortest_edge": SIZE}, "crop_size": {"height": SIZE, "width": SIZE}}
SIGNS = "红色连衣裙黑白皮鞋男女款"


def tiny(folder, kind, seed=0):
    """Write a model, its image processor, and a tokenizer with a vocabulary of a few letters."""
    torch.manual_seed(seed)
    makers = {"clip": _clip, "chinese_clip": _chinese_clip, "altclip": _altclip, "metaclip_2": _metaclip}
    (makers | {"siglip": _siglip, "siglip2": _siglip2})[kind](folder)
    return folder


def _clip(folder):
    # A token for each letter and digit, inside a word and at its end.
    letters = [*string.ascii_lowercase, *string.digits]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(folder)
    text = {"vocab_size": len(words), "bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1}
    text |= {"max_position_embeddings": 77, "pad_token_id": len(words) - 1}
    config = CLIPConfig(text_config=LAYERS | text, vision_config=LAYERS | VISION, projection_dim=24)
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(**PROCESSOR).save_pretrained(folder)


def _chinese_clip(folder):
    text = {"vocab_size": _bert_tokenizer(folder), "max_position_embeddings": 128}
    config = ChineseCLIPConfig(text_config=LAYERS | text, vision_config=LAYERS | VISION, projection_dim=24)
    ChineseCLIPModel(config).save_pretrained(folder)
    ChineseCLIPImageProcessorPil(**PROCESSOR).save_pretrained(folder)


def _altclip(folder):
    words = {"vocab_size": _bert_tokenizer(folder), "max_position_embeddings": 128, "project_dim": 32}
    config = AltCLIPConfig(text_config=LAYERS | words, vision_config=LAYERS | VISION, projection_dim=24)
    AltCLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(**PROCESSOR).save_pretrained(folder)


def _metaclip(folder):
    words = {"vocab_size": _bert_tokenizer(folder), "max_position_embeddings": 77, "eos_token_id": 3}
    config = MetaClip2Config(text_config=LAYERS | words, vision_config=LAYERS | VISION, projection_dim=24)
    MetaClip2Model(config).save_pretrained(folder)
    CLIPImageProcessorPil(**PROCESSOR).save_pretrained(folder)


def _siglip(folder):
    words = {"vocab_size": _bert_tokenizer(folder), "max_position_embeddings": 64, "projection_size": 32}
    config = SiglipConfig(text_config=LAYERS | words, vision_config=LAYERS | VISION)
    SiglipModel(config).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": SIZE, "width": SIZE}).save_pretrained(folder)


def _siglip2(folder):
    """Its images keep their shapes: patches and a mask."""
    words = {"vocab_size": _bert_tokenizer(folder), "max_position_embeddings": 64, "projection_size": 32}
    vision = {"patch_size": 16, "num_patches": 16}
    config = Siglip2Config(text_config=LAYERS | words, vision_config=LAYERS | vision)
    Siglip2Model(config).save_pretrained(folder)
    Siglip2ImageProcessorPil(patch_size=16, max_num_patches=16).save_pretrained(folder)


def _bert_tokenizer(folder):
    """Write a tokenizer of a token for each character; return the size of its vocabulary."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *SIGNS, *string.ascii_lowercase]
    BertTokenizer(vocab={word: index for index, word in enumerate(words)}).save_pretrained(folder)
    return len(words)
