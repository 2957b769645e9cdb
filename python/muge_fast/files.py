"""Caption files: one JSON object a line."""

from __future__ import annotations

import json
import os
from pathlib import Path


def read_captions(path: str | os.PathLike[str]) -> dict[str, str] | dict[str, list[str]]:
    """Read a file of the MUGE caption task.

    Each line is ``{"image_id": "…", "text": "…"}`` in a file of predictions, and
    ``{"image_id": "…", "text": ["…", …]}`` in a file of references.

    Args:
        path: The file, UTF-8. Blank lines are skipped.

    Returns:
        Texts, or lists of texts, by image id, in the order of the file.

    Raises:
        OSError: The file cannot be read.
        ValueError: A line that is not such an object, an id that comes twice, or a file that mixes both forms. The
            message names the line.

    Example:
        >>> import muge_fast as mf
        >>> from importlib.resources import files
        >>> references = mf.read_captions(files("muge_fast") / "samples" / "caption" / "IC_sample.jsonl")
        >>> len(references)
        64

    """
    captions: dict[str, str | list[str]] = {}
    kinds: set[type] = set()
    for number, line in enumerate(Path(path).read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            image_id, text = _parse(line)
            if image_id in captions:
                raise ValueError(f"image_id {image_id!r} comes a second time")
            kinds.add(type(text))
            if len(kinds) > 1:
                raise ValueError("text is a string in one line and a list in another")
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}, line {number}: {error}") from None
        captions[image_id] = text
    return captions  # type: ignore[return-value]


def _parse(line: bytes) -> tuple[str, str | list[str]]:
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise ValueError("not JSON that can be read: nested too deeply") from None
    if not isinstance(row, dict):
        raise ValueError(f"expected an object, found {type(row).__name__}")
    for field in ("image_id", "text"):
        if field not in row:
            raise ValueError(f"field {field!r} is missing")
    image_id, text = row["image_id"], row["text"]
    if not isinstance(image_id, str):
        raise ValueError(f"image_id: expected a string, found {type(image_id).__name__}")
    is_list = isinstance(text, list) and len(text) > 0 and all(isinstance(reference, str) for reference in text)
    if not (isinstance(text, str) or is_list):
        raise ValueError("text: expected a string or a list of strings that is not empty")
    return image_id, text
