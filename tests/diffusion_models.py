"""A text-to-image pipeline of diffusers with random weights and small networks."""

import json

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from transformers import CLIPConfig, CLIPImageProcessor, CLIPTextConfig, CLIPTextModel, CLIPTokenizer

# Width and height of its images.
SIZE = 16
LENGTH = 77


def tiny_pipeline(folder, *, has_checker=False):
    """Write a pipeline of Stable Diffusion, and return its folder.

    Its safety checker refuses every image.
    """
    torch.manual_seed(0)
    tokenizer = small_tokenizer(folder / "files of the tokenizer")
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(8, 16),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=4,
            norm_num_groups=4,
            sample_size=SIZE,
        ),
        text_encoder=CLIPTextModel(text_config(len(tokenizer))),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel(
            block_out_channels=(8, 16),
            layers_per_block=1,
            sample_size=SIZE // 2,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=16,
            norm_num_groups=4,
            attention_head_dim=4,
        ),
        scheduler=DDIMScheduler(
            steps_offset=1, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False
        ),
        safety_checker=strict_checker() if has_checker else None,
        feature_extractor=CLIPImageProcessor(size=16, crop_size=16) if has_checker else None,
        requires_safety_checker=has_checker,
    )
    pipeline.save_pretrained(folder / "pipeline")
    return folder / "pipeline"


def small_tokenizer(folder):
    """Return a tokenizer of bytes, without merged pairs; its letters stand for bytes as in CLIP's."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(code) for code in plain] + [chr(256 + index) for index in range(256 - len(plain))]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer.from_pretrained(str(folder), model_max_length=LENGTH)


def text_config(tokens):
    return CLIPTextConfig(
        vocab_size=tokens,
        hidden_size=16,
        intermediate_size=16,
        num_attention_heads=2,
        num_hidden_layers=1,
        max_position_embeddings=LENGTH,
        bos_token_id=tokens - 2,
        eos_token_id=tokens - 1,
        pad_token_id=tokens - 1,
    )


def strict_checker():
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}
    checker = StableDiffusionSafetyChecker(
        CLIPConfig(vision_config={**vision, "image_size": 16, "patch_size": 8}, projection_dim=16)
    )
    # Cosines that a concept needs.
    torch.nn.init.constant_(checker.concept_embeds_weights, -2)
    return checker
