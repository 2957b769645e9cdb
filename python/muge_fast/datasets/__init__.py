"""Readers and writers of MUGE's files: captions, queries, texts and images.

Importing this package does not import torch: :class:`ImageTsvDataset` is imported when it is first used.
"""

from typing import TYPE_CHECKING

from muge_fast._internal.lazy_modules import lazy_modules
from muge_fast.datasets.decoding import BrokenImageError
from muge_fast.datasets.image_tsv import BrokenLine, ImageTsv
from muge_fast.datasets.jsonl import read_captions, read_queries
from muge_fast.datasets.texts import read_pool, read_texts
from muge_fast.datasets.writers import write_captions, write_queries

if TYPE_CHECKING:
    from muge_fast.datasets.torch_dataset import ImageTsvDataset

__all__ = [
    "BrokenImageError",
    "BrokenLine",
    "ImageTsv",
    "ImageTsvDataset",
    "read_captions",
    "read_pool",
    "read_queries",
    "read_texts",
    "write_captions",
    "write_queries",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy_modules(__name__, __all__, {"ImageTsvDataset": "torch_dataset"})
