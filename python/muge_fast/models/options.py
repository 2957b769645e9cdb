"""Options of the models that are opened by their names."""

from __future__ import annotations

from dataclasses import dataclass

DTYPES = ("auto", "fp32", "bf16", "fp16")
"""Data types of weights and activations; ``"auto"`` is chosen for the device."""


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """How a model is opened, and how it generates.

    Attributes:
        device: Device to run on, such as ``"cuda:1"``; None for a GPU if there is one.
        dtype: Data type of weights and activations, ``"auto"``, ``"fp32"``, ``"bf16"`` or ``"fp16"``.
        prompt: What a vision-language model is asked; None for the Chinese prompt of the task. ``{question}`` stands
            for the question of an item.
        max_new_tokens: Largest number of generated tokens of a caption or an answer.
        beams: Number of beams of the search for a caption or an answer; 1 for greedy search.
        steps: Number of denoising steps of a diffusion model; None for the default of its pipeline.
        guidance: Guidance scale of a diffusion model; None for the default of its pipeline.
        size: Height and width of generated images in pixels; None for the default of the pipeline.
        download: Whether a model that is not on this machine may be downloaded.
        trust_remote_code: Whether Python code in the folder of the model may run, with all rights of the user.

    Example:
        >>> from muge_fast.models.options import ModelOptions
        >>> ModelOptions(dtype="bf16").trust_remote_code
        False

    """

    device: str | None = None
    dtype: str = "auto"
    prompt: str | None = None
    max_new_tokens: int = 64
    beams: int = 1
    steps: int | None = None
    guidance: float | None = None
    size: int | None = None
    download: bool = False
    trust_remote_code: bool = False
