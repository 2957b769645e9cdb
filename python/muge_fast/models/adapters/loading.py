"""Models of transformers on this machine: finding them, reading them, and what a manifest says about them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import torch
from torch import nn

from muge_fast._internal.checks import check_choice
from muge_fast._internal.display import format_argument, format_path, printable
from muge_fast._internal.optional import import_optional
from muge_fast.image.extractors.devices import find_device
from muge_fast.image.extractors.pretrained import load_network
from muge_fast.models.options import DTYPES, ModelOptions
from muge_fast.models.out_of_memory import is_out_of_memory

# Configurations, processors and tokenizers of transformers, which are typed only in part.
Part: TypeAlias = Any

DIFFUSION_INDEX = "model_index.json"
"""File that every diffusion pipeline has in its folder, and no other model."""

TORCH_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

# Packages whose versions may change results.
PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "pillow")


@dataclass(frozen=True)
class Source:
    """A model of transformers, of which only the configuration has been read.

    Attributes:
        name: Its folder or name.
        options: How it is opened.
        config: Its configuration.
        transformers: The package.

    Example:
        >>> from muge_fast.models.adapters.loading import open_source
        >>> open_source("chinese-clip-vit-base-patch16/", ModelOptions()).type  # doctest: +SKIP
        'chinese_clip'

    """

    name: str
    options: ModelOptions
    config: Part
    transformers: ModuleType

    @property
    def type(self) -> str:
        """The type of the model in its configuration, such as ``"chinese_clip"``."""
        return str(self.config.model_type)

    def read(self, class_name: str, **settings: object) -> Part:
        """Read a part of the model, such as its tokenizer.

        Args:
            class_name: A class of transformers, such as ``"AutoTokenizer"``.
            settings: Other arguments of its ``from_pretrained``.

        Returns:
            The part.

        Raises:
            OSError: The part is missing.
            ValueError: It cannot be read.

        """
        with reading(self.name, self.options):
            return getattr(self.transformers, class_name).from_pretrained(
                self.name, **_access(self.options), **settings
            )

    def read_network(self, class_name: str, dtype: torch.dtype) -> nn.Module:
        """Read the network.

        Args:
            class_name: A class of transformers, such as ``"AutoModelForImageTextToText"``.
            dtype: Data type of the weights.

        Returns:
            The network in evaluation mode, on the CPU.

        Raises:
            OSError: The weights are missing.
            ValueError: They cannot be read, or some are missing or of a wrong shape.

        """
        with reading(self.name, self.options):
            network_class = getattr(self.transformers, class_name)
            return load_network(network_class, self.name, dtype=dtype, **_access(self.options))


def open_source(model: str | os.PathLike[str], options: ModelOptions) -> Source:
    """Read the configuration of a model.

    Args:
        model: Folder of a model, or a name in the cache of transformers.
        options: How it is opened.

    Returns:
        The model, whose parts can be read.

    Raises:
        ImportError: transformers is not installed.
        TypeError: ``model`` is not a path or a name.
        OSError: There is no such model on this machine.
        ValueError: The configuration cannot be read, or needs code of the model's folder.

    Example:
        >>> from muge_fast.models.adapters.loading import open_source
        >>> open_source("somebody/model", ModelOptions())  # doctest: +SKIP
        Traceback (most recent call last):
        ...
        FileNotFoundError: no model at somebody/model, nor in the cache of transformers: …

    """
    name = check_name(model)
    transformers = import_optional("transformers", purpose="models", install="muge-fast[models]")
    with reading(name, options):
        config = transformers.AutoConfig.from_pretrained(name, **_access(options))
    return Source(name, options, config, transformers)


def check_name(model: str | os.PathLike[str]) -> str:
    """Return the folder or name of a model as a string.

    Args:
        model: Folder or name.

    Returns:
        The string.

    Raises:
        TypeError: ``model`` is neither.

    Example:
        >>> from muge_fast.models.adapters.loading import check_name
        >>> check_name("chinese-clip/")
        'chinese-clip/'

    """
    if not isinstance(model, (str, os.PathLike)):
        raise TypeError(f"model must be a path or a name, got {format_argument(model)}")
    return str(os.fspath(model))


@contextmanager
def reading(name: str, options: ModelOptions) -> Iterator[None]:
    """Turn the errors of transformers for a model that is missing or broken into short ones, and stay offline.

    Args:
        name: Folder or name of the model.
        options: How it is opened.

    Yields:
        Once; the block reads the model.

    Raises:
        OSError: The model is not on this machine.
        ValueError: It cannot be read.

    Example:
        >>> from muge_fast.models.adapters.loading import reading
        >>> with reading("model/", ModelOptions()):  # doctest: +SKIP
        ...     tokenizer = transformers.AutoTokenizer.from_pretrained("model/", local_files_only=True)

    """
    try:
        with _offline(options):
            yield
    except Exception as error:
        if is_out_of_memory(error):
            raise
        # transformers raises many types of exceptions for a broken model, some with messages of many lines.
        reason = printable(next(filter(str.strip, str(error).splitlines()), type(error).__name__))
        shown = format_path(name)
        if isinstance(error, ImportError):
            raise ImportError(f"{shown}: {reason}") from error
        if not options.trust_remote_code and "trust_remote_code" in str(error):
            raise ValueError(
                f"{shown}: this model needs Python code in its folder, which would run with all rights of the "
                "user. If you have read and trust the code, pass trust_remote_code=True"
            ) from error
        if isinstance(error, OSError) and not Path(name).is_dir():
            where = "" if options.download else ", nor in the cache of transformers (download=True downloads it)"
            raise FileNotFoundError(f"no model at {shown}{where}: {reason}") from error
        raise ValueError(f"{shown}: the model cannot be read: {reason}") from error


def choose_dtype(dtype: str, device: torch.device) -> str:
    """Return the data type of a network.

    On a CPU, ``"auto"`` is ``"fp32"`` even if the CPU has instructions for bfloat16, which are faster: the third digit
    of results would depend on the machine.

    Args:
        dtype: One of :data:`muge_fast.models.options.DTYPES`.
        device: Device of the network.

    Returns:
        ``"fp32"``, ``"bf16"`` or ``"fp16"``.

    Raises:
        TypeError: ``dtype`` is not a string.
        ValueError: ``dtype`` is unknown.

    Example:
        >>> import torch
        >>> from muge_fast.models.adapters.loading import choose_dtype
        >>> choose_dtype("auto", torch.device("cpu")), choose_dtype("bf16", torch.device("cpu"))
        ('fp32', 'bf16')

    """
    if check_choice("dtype", dtype, DTYPES) != "auto":
        return dtype
    if device.type != "cuda":
        return "fp32"
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


def find_device_and_dtype(options: ModelOptions) -> tuple[torch.device, str]:
    """Return the device and the data type that options name.

    Args:
        options: The options.

    Returns:
        The device, and one of ``"fp32"``, ``"bf16"`` and ``"fp16"``.

    Raises:
        TypeError: An option has the wrong type.
        ValueError: An option is unknown.

    Example:
        >>> from muge_fast.models.adapters.loading import find_device_and_dtype
        >>> find_device_and_dtype(ModelOptions(device="cpu"))
        (device(type='cpu'), 'fp32')

    """
    device = find_device(options.device)
    return device, choose_dtype(options.dtype, device)


def refuse_options(options: ModelOptions, names: Mapping[str, str]) -> None:
    """Raise an error for options that a model cannot honour.

    Args:
        options: The options.
        names: What each of the options would need, by its name.

    Raises:
        ValueError: One of them differs from its default.

    Example:
        >>> from muge_fast.models.adapters.loading import refuse_options
        >>> refuse_options(ModelOptions(steps=9), {"steps": "a diffusion model"})
        Traceback (most recent call last):
        ...
        ValueError: steps is 9, but this model has no such option: it needs a diffusion model

    """
    defaults = {field.name: field.default for field in fields(ModelOptions)}
    for name, needed in names.items():
        value = getattr(options, name)
        if value != defaults[name]:
            raise ValueError(
                f"{name} is {format_argument(value)}, but this model has no such option: it needs {needed}"
            )


OPTIONS_OF_DIFFUSION = dict.fromkeys(("steps", "guidance", "size"), "a diffusion model")
OPTIONS_OF_TEXT = dict.fromkeys(("prompt", "max_new_tokens", "beams"), "a model that generates texts")


def describe_model(
    source: Source, network: nn.Module, *, weights: str, dtype: str, device: torch.device
) -> dict[str, Any]:
    """Return what a manifest says about a model: plain values, enough to repeat a run.

    Args:
        source: The model.
        network: Its network.
        weights: Hash of the weights.
        dtype: Data type of the network.
        device: Device of the network.

    Returns:
        A new dictionary.

    Example:
        >>> from muge_fast.models.adapters.loading import describe_model
        >>> describe_model(source, network, weights="6a0e1f3b52d4", dtype="fp32", device="cpu")  # doctest: +SKIP
        {'model_type': 'chinese_clip', 'class': 'ChineseCLIPModel', 'weights': '6a0e1f3b52d4', 'dtype': 'fp32', …}

    """
    return {
        "model_type": source.type,
        "class": type(network).__name__,
        "weights": weights,
        "dtype": dtype,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "trust_remote_code": source.options.trust_remote_code,
        "versions": {package: version(package) for package in PACKAGES},
    }


def _access(options: ModelOptions) -> dict[str, bool]:
    """Return the arguments of ``from_pretrained`` for what a caller allows."""
    # Without trust_remote_code, transformers asks on the terminal whether to run the code in a model's folder.
    return {"local_files_only": not options.download, "trust_remote_code": options.trust_remote_code}


@contextmanager
def _offline(options: ModelOptions) -> Iterator[None]:
    """Forbid huggingface_hub every request, unless the caller allows downloads: some ignore ``local_files_only``."""
    constants: Part = import_module("huggingface_hub.constants")
    was_offline = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = was_offline or not options.download
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = was_offline
