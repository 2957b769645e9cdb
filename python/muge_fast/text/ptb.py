"""The tables of the tokenizer ``"ptb"``, read from the Java archive that pycocoevalcap has, without Java."""

from __future__ import annotations

import hashlib
from functools import cache

from muge_fast import _core
from muge_fast._internal.coco_files import coco_file, damaged, jar_entries

ARCHIVE = "tokenizer/stanford-corenlp-3.4.1.jar"
CLASS_FILE = "edu/stanford/nlp/process/PTBLexer.class"

SHA256 = "715fdfb3652cc6796f90f28442378a0c71c92b5909f1fc934f698497987b6dd0"
"""Hash of the class file, whose tables are those that the actions in the core belong to."""


@cache
def ptb_tokenizer() -> _core.Tokenizer:
    """Return the tokenizer, with tables from the installed package pycocoevalcap.

    Returns:
        The tokenizer.

    Raises:
        ImportError: pycocoevalcap is not installed.
        OSError: Its archive cannot be read, or has other tables than version 1.2 of the package.

    Example:
        >>> from muge_fast.text.ptb import ptb_tokenizer
        >>> ptb_tokenizer().name  # doctest: +SKIP
        'ptb'

    """
    path = coco_file(ARCHIVE, purpose="the tokenizer 'ptb'")
    (class_file,) = jar_entries(path, [CLASS_FILE])
    digest = hashlib.sha256(class_file).hexdigest()
    if digest != SHA256:
        raise damaged(path, ValueError(f"{CLASS_FILE} has SHA-256 {digest[:8]}…, expected {SHA256[:8]}…"))
    return _core.Tokenizer.ptb(class_file)


def signature() -> str:
    """Return the name of the tokenizer in signatures, with the hash of the class file that has its tables.

    Returns:
        The name.

    Example:
        >>> from muge_fast.text.ptb import signature
        >>> signature()  # doctest: +SKIP
        'ptb(715fdfb3)'

    """
    return f"ptb({SHA256[:8]})"
