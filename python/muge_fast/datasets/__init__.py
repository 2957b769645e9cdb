"""Files of the MUGE data sets."""

from muge_fast.datasets.image_tsv import ImageTsv
from muge_fast.datasets.jsonl import read_captions, read_queries
from muge_fast.datasets.texts import read_pool, read_texts

__all__ = ["ImageTsv", "read_captions", "read_pool", "read_queries", "read_texts"]
