"""The data sets of MUGE, as they are distributed."""

from muge_fast.datasets.image_tsv import ImageTsv
from muge_fast.datasets.info import describe
from muge_fast.datasets.texts import read_pool, read_texts
from muge_fast.files import read_captions, read_queries

__all__ = ["ImageTsv", "describe", "read_captions", "read_pool", "read_queries", "read_texts"]
