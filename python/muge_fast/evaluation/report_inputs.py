"""Inputs that a report shows: files, options, the tokenizer, and lines with problems."""

from __future__ import annotations

import inspect
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from muge_fast._internal.display import escape_surrogates, format_id
from muge_fast.datasets.rows import Reader
from muge_fast.datasets.texts import read_texts
from muge_fast.scores import Scores
from muge_fast.tasks.task import Task

# Options that change no score.
WITHOUT_EFFECT = ("threads", "progress")
# Elements of a list or characters of a value that are shown.
MAX_ELEMENTS, MAX_CHARACTERS = 20, 120


def report_inputs(task: Task, reader: Reader, gold: Reader | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a report that describe its inputs.

    Args:
        task: The task.
        reader: The submission, after reading.
        gold: The gold file, if there is one.
        options: Options of the task, and ``pool``.

    Returns:
        The fields by name.

    """
    files = {"submission": reader.source, "gold": None if gold is None else gold.source}
    lines = {line for group in reader.rows.groups for line in group.lines}
    defaults = _defaults(task)
    tokenizer = None
    if "tokenizer" in defaults:
        tokenizer = options.get("tokenizer", defaults["tokenizer"]), options.get("user_dict")
    return {
        "files": {role: file for role, file in files.items() if file is not None},
        "options": used_options(options, defaults),
        "names": reader.rows.names,
        "excerpts": {} if reader.source is None else reader.source.excerpts(lines),
        "_tokenizer": tokenizer,
    }


def used_options(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, object]:
    """Return the options that differ from their defaults, as values that JSON can represent.

    Args:
        options: Options by name.
        defaults: Default values by name.

    Returns:
        Plain values by name. Of a path only the name of the file is kept, of an object its type.

    Example:
        >>> from muge_fast.evaluation.report_inputs import used_options
        >>> used_options({"ks": (1, 3), "texts": "folder/texts.tsv", "pool": None, "threads": 2}, {})
        {'ks': [1, 3], 'texts': 'texts.tsv'}

    """
    used = {}
    for name, value in options.items():
        is_default = value is None or (type(value) is type(defaults.get(name)) and value == defaults[name])
        if name not in WITHOUT_EFFECT and not is_default:
            used[name] = _plain(value)
    return used


def texts_of_images(scores: Scores | None, options: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of generated images, for reports.

    Args:
        scores: The scores; None for a submission without scores, whose texts are not needed.
        options: Options of the task.

    Returns:
        Texts by id; nothing if there are none, or if they come from a stream, which can be read only once.

    """
    texts = options.get("texts")
    if scores is None or texts is None:
        return {}
    if isinstance(texts, Mapping):
        return {str(key): str(text) for key, text in texts.items()}
    return read_texts(texts) if Path(texts).is_file() else {}


def _defaults(task: Task) -> dict[str, Any]:
    """Return the default values of the options in the signature of a task's score function."""
    try:
        parameters = inspect.signature(task.score).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {parameter.name: parameter.default for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}


def _plain(value: object) -> object:
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (str, os.PathLike)):
        text = os.fspath(value)
        # A file name without its folder, which says nothing about the scores.
        return escape_surrogates(format_id(Path(text).name if os.sep in text else text, MAX_CHARACTERS))
    if isinstance(value, (list, tuple)) and len(value) <= MAX_ELEMENTS:
        return [_plain(element) for element in value]
    if isinstance(value, Collection):
        return f"{type(value).__name__} of {len(value):,}"
    return str(getattr(value, "__name__", type(value).__name__))
