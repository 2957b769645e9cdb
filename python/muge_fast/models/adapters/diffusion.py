"""Text-to-image pipelines of diffusers."""

from __future__ import annotations

import inspect
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch

from muge_fast._internal.display import format_id
from muge_fast._internal.optional import import_optional
from muge_fast._internal.paths import PathLike
from muge_fast.image.extractors.torch_precision import network_precision
from muge_fast.image.extractors.weights import hash_weights
from muge_fast.models.adapters.loading import (
    DIFFUSION_INDEX,
    OPTIONS_OF_TEXT,
    TORCH_DTYPES,
    find_device_and_dtype,
    refuse_options,
)
from muge_fast.models.options import ModelOptions

if TYPE_CHECKING:
    from types import ModuleType

    from PIL.Image import Image

# What a pipeline calls the options.
ARGUMENTS = {
    "steps": ("num_inference_steps",),
    "guidance": ("guidance_scale",),
    "size": ("height", "width"),
}
# Characters of a text in a warning.
TEXT_LENGTH = 60


class _Pipeline(Protocol):
    """What is used of a pipeline of diffusers, whose classes have no base class with these methods in their types."""

    components: dict[str, object]

    def __call__(self, **arguments: object) -> object:
        """Generate images."""

    def to(self, device: torch.device) -> object:
        """Move all networks to a device."""

    def set_progress_bar_config(self, **settings: object) -> None:
        """Set the options of progress bars."""


class DiffusionGenerator:
    """A text-to-image pipeline of diffusers, such as Stable Diffusion, in the form that :mod:`muge_fast.models` needs.

    Each image has a separate random generator, on the CPU, so that it depends on its text and its seed, and not on
    the rest of the batch beyond rounding. Pipelines that draw further numbers from torch's global generator, as some
    schedulers do, get one text at a time, with this generator seeded too; its state is restored.

    Texts that are longer than the limit of the pipeline are cut by it.

    If the pipeline has a safety checker, it stays. What the checker returns for an image that it refuses, which is
    black in Stable Diffusion, is the result; a warning names the texts, and :attr:`refused` counts them.

    Args:
        model: Folder of the pipeline, with its ``model_index.json``; or a name in the cache of Hugging Face, which is
            downloaded only with ``options.download``.
        options: ``device``, ``dtype``, ``steps``, ``guidance``, ``size``, ``download`` and ``trust_remote_code``. The
            data type ``"auto"`` is float32 on a CPU, and bfloat16 or else float16 on a GPU.

    Attributes:
        signature: Class of the pipeline and a hash of the weights of all its networks, in the data type in use.
        description: Class, weights, scheduler, settings, data type, device and versions, as plain values.
        refused: Number of images that the safety checker refused so far.

    Raises:
        ImportError: diffusers is not installed.
        FileNotFoundError: There is no such folder, and no such name in the cache.
        ValueError: Not a pipeline, or one without texts or with missing weights; code in the folder without
            ``trust_remote_code``; an option that the pipeline does not have.

    Example:
        >>> from muge_fast.models.adapters.diffusion import DiffusionGenerator
        >>> from muge_fast.models.options import ModelOptions
        >>> model = DiffusionGenerator("stable-diffusion/", ModelOptions(steps=30))  # doctest: +SKIP
        >>> model.generate(["红色连衣裙", "白色运动鞋"], [0, 1])  # doctest: +SKIP
        [<PIL.Image.Image image mode=RGB size=512x512>, <PIL.Image.Image image mode=RGB size=512x512>]

    """

    def __init__(self, model: PathLike, options: ModelOptions) -> None:
        refuse_options(options, OPTIONS_OF_TEXT)
        diffusers = import_optional("diffusers", purpose="text-to-image models", install="muge-fast[models]")
        self.device, dtype = find_device_and_dtype(options)
        self._diffusers = diffusers
        self._pipeline = _open_pipeline(diffusers, model, TORCH_DTYPES[dtype], options)
        self._settings = _settings(self._pipeline, options)
        weights = _hash_of_weights(_networks(self._pipeline))
        name = type(self._pipeline).__name__
        self.signature = f"{name}|weights:{weights}"
        self.description: Mapping[str, Any] = {
            "type": name,
            "weights": weights,
            "scheduler": _scheduler(self._pipeline),
            "safety_checker": _class_name(self._pipeline, "safety_checker"),
            **_effective(self._pipeline, self._settings),
            "dtype": dtype,
            "device": torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type,
            "trust_remote_code": options.trust_remote_code,
            "versions": {package: version(package) for package in ("torch", "diffusers", "transformers")},
        }
        self.refused = 0
        self._is_batched = True
        self._pipeline.to(self.device)

    def generate(self, texts: list[str], seeds: list[int], /) -> list[Image]:
        """Generate an image of each text.

        Args:
            texts: The texts.
            seeds: A seed of each image, from 0.

        Returns:
            Pillow images, RGB.

        Raises:
            ValueError: The pipeline returns no images, or does not accept the texts or settings.

        Warns:
            UserWarning: The safety checker refused images.

        """
        if self._is_batched:
            before = self._states()
            with self._seeded(None):
                batch = self._call(texts, seeds)
                self._is_batched = all(map(torch.equal, before, self._states()))
            if self._is_batched:
                return self._accepted(texts, batch)
        one_by_one = []
        for text, seed in zip(texts, seeds, strict=True):
            with self._seeded(seed):
                one_by_one += self._call([text], [seed])
        return self._accepted(texts, one_by_one)

    def _call(self, texts: list[str], seeds: list[int]) -> list[tuple[Image, bool]]:
        """Return images, and whether the safety checker refused each."""
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        # It would print each text that is longer than its limit, with all tokens.
        with torch.no_grad(), network_precision("fp32"), _quiet(self._diffusers):
            output = self._pipeline(prompt=texts, generator=generators, output_type="pil", **self._settings)
        images = getattr(output, "images", None)
        if not isinstance(images, list) or len(images) != len(texts):
            raise ValueError(f"{type(self._pipeline).__name__} returns no images of texts, expected one of each text")
        is_refused = getattr(output, "nsfw_content_detected", None) or [False] * len(images)
        return list(zip(images, map(bool, is_refused), strict=True))

    def _accepted(self, texts: list[str], batch: list[tuple[Image, bool]]) -> list[Image]:
        """Return the images of a batch, and warn about those that the safety checker refused."""
        refused = [text for text, (_, is_refused) in zip(texts, batch, strict=True) if is_refused]
        self.refused += len(refused)
        if refused:
            names = ", ".join(format_id(text, TEXT_LENGTH) for text in refused)
            warnings.warn(
                f"the safety checker of the model refused {len(refused)} images, which are as it returns them: {names}",
                stacklevel=3,
            )
        return [image if image.mode == "RGB" else image.convert("RGB") for image, _ in batch]

    # The global generator of random numbers

    def _states(self) -> list[torch.Tensor]:
        """Return the states of torch's global generators, of the CPU and of the device."""
        on_device = [torch.cuda.get_rng_state(self.device)] if self.device.type == "cuda" else []
        return [torch.get_rng_state(), *on_device]

    @contextmanager
    def _seeded(self, seed: int | None) -> Iterator[None]:
        """Restore the global generators in the end, and seed them first if there is a seed."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            if seed is not None and self.device.type == "cuda":
                with torch.cuda.device(self.device):
                    torch.cuda.manual_seed(seed)
            yield


# Options


def _settings(pipeline: _Pipeline, options: ModelOptions) -> dict[str, Any]:
    """Return the arguments of the pipeline for the options that are given."""
    known = inspect.signature(type(pipeline).__call__).parameters
    settings = {}
    for option, names in ARGUMENTS.items():
        value = getattr(options, option)
        if value is None:
            continue
        if not known.keys() >= set(names):
            raise ValueError(f"{option}: {type(pipeline).__name__} has no argument {' and '.join(names)}")
        settings.update(dict.fromkeys(names, value))
    return settings


def _effective(pipeline: _Pipeline, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return each option as it is used; None for a size that the networks determine."""
    known = inspect.signature(type(pipeline).__call__).parameters
    names = {option: arguments[0] for option, arguments in ARGUMENTS.items() if arguments[0] in known}
    return {option: settings.get(name, known[name].default) for option, name in names.items()}


# Loading


def _open_pipeline(diffusers: ModuleType, model: PathLike, dtype: torch.dtype, options: ModelOptions) -> _Pipeline:
    name = os.fspath(model)
    with _quiet(diffusers):
        folder = _find_folder(diffusers, name, options)
        index = _read_index(folder, name)
        _check_code(folder, name, index, is_trusted=options.trust_remote_code)
        arguments = {"local_files_only": True, "trust_remote_code": options.trust_remote_code}
        try:
            encoders = _load_encoders(folder, index, dtype)
            pipeline: _Pipeline = diffusers.DiffusionPipeline.from_pretrained(
                str(folder), dtype=dtype, **encoders, **arguments
            )
        except (MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            # diffusers and transformers raise many types of exceptions for a broken model.
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise ValueError(f"{name}: not a pipeline that diffusers can load: {reason}") from error
    _check_pipeline(pipeline, name)
    pipeline.set_progress_bar_config(disable=True)
    for network in _networks(pipeline).values():
        network.eval()
    return pipeline


def _find_folder(diffusers: ModuleType, name: str, options: ModelOptions) -> Path:
    """Return the folder of a pipeline, in the cache if it is not a folder itself."""
    if Path(name).is_dir():
        return Path(name)
    arguments = {"local_files_only": not options.download, "trust_remote_code": options.trust_remote_code}
    try:
        return Path(diffusers.DiffusionPipeline.download(name, **arguments))
    except Exception as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        hint = "" if options.download else ", nor in the cache of Hugging Face (download=True downloads it)"
        raise FileNotFoundError(f"no pipeline at {name}{hint}: {reason}") from error


def _read_index(folder: Path, name: str) -> dict[str, Any]:
    """Return what a pipeline is made of."""
    try:
        index = json.loads((folder / DIFFUSION_INDEX).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{name}: not a pipeline of diffusers: it has no {DIFFUSION_INDEX}") from None
    except ValueError as error:
        raise ValueError(f"{name}: {DIFFUSION_INDEX} is not JSON: {error}") from None
    if not isinstance(index, dict) or "_class_name" not in index:
        raise ValueError(f"{name}: {DIFFUSION_INDEX} names no class of a pipeline, expected _class_name")
    return index


def _check_code(folder: Path, name: str, index: Mapping[str, Any], *, is_trusted: bool) -> None:
    """Raise if loading would run code in the folder without consent; not all versions of diffusers do."""
    pairs = {"": index["_class_name"], **index}
    files = [
        folder / component / f"{value[0]}.py"
        for component, value in pairs.items()
        if isinstance(value, list) and value and isinstance(value[0], str)
    ]
    code = [str(file.relative_to(folder)) for file in files if file.is_file()]
    if code and not is_trusted:
        raise ValueError(
            f"{name}: has code, {', '.join(code)}, which would run with all rights of the user. If you have "
            f"read and trust the code, pass trust_remote_code=True"
        )


def _load_encoders(folder: Path, index: Mapping[str, Any], dtype: torch.dtype) -> dict[str, Any]:
    """Return the networks of transformers, for which the pipeline would only log that weights are missing."""
    transformers = import_optional("transformers", purpose="text-to-image models", install="muge-fast[models]")
    encoders = {}
    for component, value in index.items():
        if not isinstance(value, list) or value[:1] != ["transformers"] or not (folder / component).is_dir():
            continue
        kind = getattr(transformers, str(value[1]), None)
        if not inspect.isclass(kind) or not issubclass(kind, transformers.PreTrainedModel):
            continue
        network, info = kind.from_pretrained(  # type: ignore[attr-defined] # of PreTrainedModel
            str(folder / component), dtype=dtype, output_loading_info=True, weights_only=True, local_files_only=True
        )
        if wrong := sorted(map(str, (*info["missing_keys"], *info["mismatched_keys"]))):
            raise ValueError(_missing(component, wrong))
        encoders[component] = network
    return encoders


def _check_pipeline(pipeline: _Pipeline, name: str) -> None:
    """Raise if a pipeline lacks weights, or does not generate images of texts by random generators."""
    networks = _networks(pipeline)
    if not networks:
        raise ValueError(f"{name}: {type(pipeline).__name__} has no networks of torch")
    for component, network in networks.items():
        # diffusers leaves them without values.
        if missing := [key for key, tensor in network.state_dict().items() if tensor.is_meta]:
            raise ValueError(f"{name}: {_missing(component, missing)}")
    known = inspect.signature(type(pipeline).__call__).parameters
    for argument, reason in (("prompt", "generates no images of texts"), ("generator", "takes no seeds")):
        if argument not in known:
            raise ValueError(f"{name}: {type(pipeline).__name__} {reason}: it has no argument {argument}")


def _missing(component: str, keys: list[str]) -> str:
    return f"{component}: {len(keys)} tensors are missing or of a wrong shape, such as {keys[0]}"


@contextmanager
def _quiet(diffusers: ModuleType) -> Iterator[None]:
    """Hide progress bars and warnings of the libraries."""
    transformers = import_optional("transformers", purpose="text-to-image models", install="muge-fast[models]")
    with ExitStack() as stack:
        for logging in (diffusers.utils.logging, transformers.utils.logging):
            stack.callback(logging.set_verbosity, logging.get_verbosity())
            logging.set_verbosity_error()
            if logging.is_progress_bar_enabled():
                stack.callback(logging.enable_progress_bar)
            logging.disable_progress_bar()
        yield


# Description


def _networks(pipeline: _Pipeline) -> dict[str, torch.nn.Module]:
    """Return the networks of a pipeline by the names of its components, in their order."""
    components = sorted(pipeline.components.items())
    return {name: component for name, component in components if isinstance(component, torch.nn.Module)}


def _hash_of_weights(networks: Mapping[str, torch.nn.Module]) -> str:
    """Return a hash of all tensors of all networks."""
    return hash_weights(
        {f"{name}.{key}": tensor for name, network in networks.items() for key, tensor in network.state_dict().items()}
    )


def _scheduler(pipeline: _Pipeline) -> dict[str, Any] | None:
    """Return class and settings of the scheduler; None if there is none."""
    scheduler = getattr(pipeline, "scheduler", None)
    if scheduler is None:
        return None
    config = {key: value for key, value in sorted(scheduler.config.items()) if not key.startswith("_")}
    # Plain values only: tuples become lists, and anything else its text.
    plain: dict[str, Any] = json.loads(json.dumps(config, default=str))
    return {"type": type(scheduler).__name__, **plain}


def _class_name(pipeline: _Pipeline, component: str) -> str | None:
    value = getattr(pipeline, component, None)
    return None if value is None else type(value).__name__
