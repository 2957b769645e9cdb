"""Options of how submissions are scored, which ``score`` and ``compare`` have."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from muge_fast.caption.document_frequency import DocumentFrequency
from muge_fast.cli.input_files import InputFile
from muge_fast.cli.options import AT_LEAST_1, option
from muge_fast.cli.parameter_types import Name
from muge_fast.cli.task_options import OF_CAPTIONS, OF_IMAGES, OF_IMAGES_AND_VQA, NameOfTask
from muge_fast.tasks.task import Task
from muge_fast.text.tokenizers import TOKENIZERS
from muge_fast.vqa.scoring import PROTOCOLS as ANSWER_PROTOCOLS

Decorated = TypeVar("Decorated", bound=Callable[..., None])

# Importing these from muge_fast.image.extractors would import torch.
PROTOCOLS = ("tf1", "pytorch-fid", "torchmetrics", "clean", "ofa")
PRECISIONS = ("fp32", "tf32", "bf16")


def choice(name: str, choices: Sequence[str], section: str, *, default: str) -> Callable[[Decorated], Decorated]:
    """Return a decorator that adds an option with these choices; the function of the library has the default.

    Args:
        name: Name of the option without its hyphens.
        choices: Names of the values.
        section: Heading of the option.
        default: The default, for the help.

    Returns:
        The decorator.

    """
    help_text = f"{', '.join(choices)}.  [default: {default}]"
    return option(f"--{name}", type=Name(name, choices), section=section, help=help_text)


OPTIONS = (
    choice("tokenizer", TOKENIZERS, OF_CAPTIONS, default="muge"),
    option(
        "--document-frequency",
        type=InputFile(),
        section=OF_CAPTIONS,
        help="Document frequencies for CIDEr, of count or DocumentFrequency.save.  [default: of the gold file]",
    ),
    option(
        "--weights",
        type=InputFile("download"),
        section=OF_IMAGES,
        help="File with the weights of FID's Inception network, or 'download'.",
    ),
    option(
        "--protocol",
        type=NameOfTask("protocol", PROTOCOLS),
        section=OF_IMAGES_AND_VQA,
        help=f"{', '.join((*PROTOCOLS, *ANSWER_PROTOCOLS))}.  [default: t2i tf1; vqa vqa-v2]",
    ),
    choice("precision", PRECISIONS, OF_IMAGES, default="fp32"),
    option(
        "--device",
        metavar="NAME",
        section=OF_IMAGES,
        help="Device of the networks, such as cpu or cuda:1.  [default: a GPU if available]",
    ),
    option("--batch-size", type=AT_LEAST_1, section=OF_IMAGES, help="Images per batch.  [default: 32]"),
    option(
        "--splits",
        type=AT_LEAST_1,
        metavar="N",
        section=OF_IMAGES,
        help="Splits of the Inception Score.  [default: 10; ofa 1]",
    ),
    option("--texts", type=InputFile(), section=OF_IMAGES, help="TSV of ids and texts, for R-precision."),
    option(
        "--clip",
        metavar="MODEL",
        section=OF_IMAGES,
        help="CLIP or Chinese-CLIP model for --texts, a folder or a cached model's name.",
    ),
    option(
        "--negatives",
        type=AT_LEAST_1,
        metavar="N",
        section=OF_IMAGES,
        help="Random texts per image in R-precision.  [default: 99]",
    ),
)


def scoring_options(command: Decorated) -> Decorated:
    """Add the options of how submissions are scored.

    Args:
        command: Function of a command.

    Returns:
        The function.

    """
    for add in reversed(OPTIONS):
        command = add(command)
    return command


def with_more_metrics(task: Task, names: Iterable[str]) -> tuple[str, ...]:
    """Return the metrics that a task computes by default, and then others.

    Args:
        task: A task whose score function has the option ``metrics``.
        names: Names of other metrics; those of the default are left out.

    Returns:
        The names, each once.

    Example:
        >>> from muge_fast import tasks
        >>> from muge_fast.cli.scoring_options import with_more_metrics
        >>> with_more_metrics(tasks.get("caption"), ["meteor", "bleu"])[-1]
        'meteor'

    """
    default: Iterable[str] = inspect.signature(task.score).parameters["metrics"].default
    return tuple(dict.fromkeys((*default, *names)))


def loaded_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are given, with the objects that the library takes in place of files of them.

    Args:
        given: Values of options by names of arguments; None or an empty tuple for an option that was not given.

    Returns:
        The options.

    Raises:
        OSError: A file cannot be read.
        ValueError: A file has no document frequencies.

    """
    used = {name: value for name, value in given.items() if value is not None and value != ()}
    if "document_frequency" in used:
        used["document_frequency"] = DocumentFrequency.load(used["document_frequency"])
    return used
