"""Generation of texts: settings without chance, and texts from tokens."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeAlias

from torch import Tensor

from muge_fast._internal.checks import whole_number
from muge_fast.models.options import ModelOptions

# Networks, tokenizers and settings of transformers, which are typed only in part.
Part: TypeAlias = Any

# Settings that sample, that make results depend on time, or that are for one text at a time.
IGNORED = (
    "temperature",
    "top_k",
    "top_p",
    "top_h",
    "min_p",
    "typical_p",
    "epsilon_cutoff",
    "eta_cutoff",
    "max_time",
    # The option for the number of new tokens replaces it.
    "max_length",
    "prompt_lookup_num_tokens",
    "num_beam_groups",
    "diversity_penalty",
    "penalty_alpha",
    "watermarking_config",
)

# Settings that mean something for beams only.
OF_BEAMS = ("length_penalty", "early_stopping")

# Chinese characters and punctuation.
CHINESE = "\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
BETWEEN_CHINESE = re.compile(f"(?<=[{CHINESE}]) +(?=[{CHINESE}])")


def set_generation(network: Part, tokenizer: Part, options: ModelOptions) -> Part:
    """Change the settings in a model's folder to greedy search or beams.

    They become those of the network: transformers would fill settings that an argument of ``generate`` leaves out.

    Args:
        network: The model.
        tokenizer: Its tokenizer.
        options: Number of beams and of tokens.

    Returns:
        The settings, a ``GenerationConfig`` of transformers.

    Raises:
        TypeError: A number that is not an integer.
        ValueError: A number below 1.

    Example:
        >>> from muge_fast.models.adapters.generation import set_generation
        >>> settings = set_generation(network, tokenizer, ModelOptions(beams=3))  # doctest: +SKIP
        >>> settings.do_sample, settings.num_beams  # doctest: +SKIP
        (False, 3)

    """
    settings = copy.deepcopy(network.generation_config)
    beams = whole_number("beams", options.beams)
    for name in (*IGNORED, *(OF_BEAMS if beams == 1 else ())):
        if getattr(settings, name, None) is not None:
            setattr(settings, name, None)
    settings.do_sample, settings.num_beams, settings.num_return_sequences = False, beams, 1
    settings.max_new_tokens = whole_number("max_new_tokens", options.max_new_tokens)
    if settings.pad_token_id is None:
        # Padding is cut off, so any token would do; without one, transformers prints a warning for each batch.
        ends = end_tokens(settings)
        settings.pad_token_id = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else next(iter(ends), None)
    network.generation_config = settings
    if hasattr(network, "text_decoder"):
        # BLIP calls it with the settings of the decoder alone.
        network.text_decoder.generation_config = settings
    return settings


def describe_settings(settings: Part) -> dict[str, object]:
    """Return the settings that differ from the defaults of transformers, for a manifest.

    Args:
        settings: A ``GenerationConfig``.

    Returns:
        Plain values by name.

    Example:
        >>> from muge_fast.models.adapters.generation import describe_settings
        >>> describe_settings(transformers.GenerationConfig(num_beams=3))  # doctest: +SKIP
        {'num_beams': 3}

    """
    changed: dict[str, object] = settings.to_diff_dict()
    # The version of transformers that wrote the folder is of no use.
    return {
        name: value
        for name, value in sorted(changed.items())
        if not name.startswith(("_", "output_")) and name != "transformers_version"
    }


def end_tokens(settings: Part) -> tuple[int, ...]:
    """Return the tokens that end a text.

    Args:
        settings: A ``GenerationConfig``.

    Returns:
        Their numbers; empty if nothing but the limit ends texts.

    Example:
        >>> from types import SimpleNamespace
        >>> from muge_fast.models.adapters.generation import end_tokens
        >>> end_tokens(SimpleNamespace(eos_token_id=7))
        (7,)

    """
    ends = settings.eos_token_id
    if ends is None:
        return ()
    return (ends,) if isinstance(ends, int) else tuple(map(int, ends))


def decode(tokenizer: Callable[..., Any], generated: Tensor, ends: Collection[int], *, start: int = 0) -> list[str]:
    """Return the texts of generated tokens, each up to its end token, without special tokens.

    Args:
        tokenizer: A tokenizer of transformers.
        generated: Tokens of shape ``(texts, tokens)``.
        ends: Tokens that end a text.
        start: Number of tokens in front that are not part of the texts, but may be equal to an end token.

    Returns:
        The texts, without spaces around them.

    Example:
        >>> from muge_fast.models.adapters.generation import decode
        >>> decode(tokenizer, torch.tensor([[2, 7, 8, 3, 0]]), [3], start=1)  # doctest: +SKIP
        ['红 裙']

    """
    decoder: Part = tokenizer
    tokens = [cut(row[start:], ends) for row in generated.tolist()]
    return [str(decoder.decode(row, skip_special_tokens=True)).strip() for row in tokens]


def cut(tokens: Sequence[int], ends: Collection[int]) -> Sequence[int]:
    """Return the tokens before the first that ends a text.

    Args:
        tokens: Tokens.
        ends: Tokens that end a text.

    Returns:
        The first tokens; all of them if none ends the text.

    Example:
        >>> from muge_fast.models.adapters.generation import cut
        >>> cut([5, 6, 3, 0, 0], [3])
        [5, 6]

    """
    return tokens[: next((index for index, token in enumerate(tokens) if token in ends), len(tokens))]


def join_chinese(text: str) -> str:
    """Remove spaces between Chinese characters, which tokenizers of BERT's kind put there.

    Spaces next to other letters and digits stay.

    Args:
        text: A decoded text.

    Returns:
        The text as people write it.

    Example:
        >>> from muge_fast.models.adapters.generation import join_chinese
        >>> join_chinese("红 色 连 衣 裙 , nike 运 动 鞋")
        '红色连衣裙 , nike 运动鞋'

    """
    return BETWEEN_CHINESE.sub("", text)
