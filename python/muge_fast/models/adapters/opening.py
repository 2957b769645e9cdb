"""Opening a model by its folder or name, for a task."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from muge_fast._internal.checks import check_choice
from muge_fast._internal.display import format_path
from muge_fast.models.adapters import captioner
from muge_fast.models.adapters.clip import LONGEST_TEXTS, ClipEncoder
from muge_fast.models.adapters.loading import DIFFUSION_INDEX, Source, check_name, open_source
from muge_fast.models.adapters.vision_language import ChatAnswerer, ChatCaptioner
from muge_fast.models.interface import PROTOCOLS, Model
from muge_fast.models.options import ModelOptions

CHAT_MODEL = "a chat model that sees images, such as qwen2_5_vl or llava"
ACCEPTED = {
    "retrieval": f"a model that encodes images and texts ({', '.join(LONGEST_TEXTS)})",
    "caption": f"a captioner ({', '.join(captioner.TYPES)}) or {CHAT_MODEL}",
    "vqa": CHAT_MODEL,
    "t2i": f"a pipeline of diffusers, whose folder has {DIFFUSION_INDEX}",
}
"""What each task accepts, by the name of the task."""


def open_model(task: str, model: str | os.PathLike[str], options: ModelOptions) -> Model:
    """Open a model for a task, by its configuration.

    Args:
        task: ``"retrieval"``, ``"caption"``, ``"vqa"`` or ``"t2i"``.
        model: Folder of a model, or the name of a model in the cache of transformers or diffusers.
        options: How it is opened, and how it generates.

    Returns:
        The model.

    Raises:
        ImportError: A package is not installed that the model needs.
        TypeError: An argument has the wrong type.
        OSError: There is no such model on this machine.
        ValueError: The task is unknown, the model is not for it (the message says for which it is), the model cannot
            be read, or an option is one that it cannot honour.

    Example:
        >>> from muge_fast.models.adapters.opening import open_model
        >>> from muge_fast.models.options import ModelOptions
        >>> model = open_model("retrieval", "chinese-clip-vit-base-patch16/", ModelOptions())  # doctest: +SKIP
        >>> model.signature  # doctest: +SKIP
        'chinese_clip|weights:6a0e1f3b52d4|size:224|precision:fp32|engine:openvino-2026.4.1'

    """
    check_choice("task", task, PROTOCOLS)
    name = check_name(model)
    if task == "t2i" or (Path(name) / DIFFUSION_INDEX).is_file():
        return _open_pipeline(task, name, options)
    if Path(name).is_dir() and not (Path(name) / "config.json").is_file():
        raise ValueError(
            f"{format_path(name)} has neither config.json nor {DIFFUSION_INDEX}: not the folder of a model"
        )
    source = open_source(name, options)
    tasks = tasks_of(source)
    if task not in tasks:
        raise ValueError(_wrong_task(task, f"{format_path(name)} is a model of type {source.type!r}", tasks))
    if task == "retrieval":
        return ClipEncoder(name, options)
    if task == "vqa":
        return ChatAnswerer(name, options)
    is_chat = source.type not in captioner.TYPES
    return ChatCaptioner(name, options) if is_chat else captioner.EncoderDecoderCaptioner(name, options)


def tasks_of(source: Source) -> tuple[str, ...]:
    """Return the tasks that a model of transformers is for.

    Args:
        source: The model.

    Returns:
        Names of tasks; empty for models of other types.

    Example:
        >>> from muge_fast.models.adapters.opening import tasks_of
        >>> tasks_of(open_source("chinese-clip-vit-base-patch16/", ModelOptions()))  # doctest: +SKIP
        ('retrieval',)

    """
    if source.type in LONGEST_TEXTS:
        return ("retrieval",)
    if source.type in captioner.TYPES:
        return ("caption",)
    chat_models = import_module("transformers.models.auto.modeling_auto").MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    # Models with Python code in their folders say which classes of transformers it replaces.
    replaced = (getattr(source.config, "auto_map", None) or {}) if source.options.trust_remote_code else {}
    if source.type in chat_models or "AutoModelForImageTextToText" in replaced:
        return ("caption", "vqa")
    return ("retrieval",) if "AutoModel" in replaced else ()


def _open_pipeline(task: str, name: str, options: ModelOptions) -> Model:
    if task != "t2i":
        raise ValueError(_wrong_task(task, f"{format_path(name)} is a pipeline of diffusers", ["t2i"]))
    folder = Path(name)
    if folder.is_dir() and not (folder / DIFFUSION_INDEX).is_file():
        what = f"{format_path(name)} has no {DIFFUSION_INDEX}"
        raise ValueError(_wrong_task(task, what, tasks_of(open_source(name, options)) if _has_config(folder) else ()))
    # Imports diffusers, which few models need.
    generator: Model = import_module("muge_fast.models.adapters.diffusion").DiffusionGenerator(name, options)
    return generator


def _has_config(folder: Path) -> bool:
    return (folder / "config.json").is_file()


def _wrong_task(task: str, what: str, tasks: Iterable[str]) -> str:
    """Return the message for a model that is not for a task."""
    possible = " or ".join(tasks)
    hint = f"it can do {possible}" if possible else "it is for none of the tasks"
    return f"{what}, which does not do {task} ({hint}): {task} needs {ACCEPTED[task]}"
