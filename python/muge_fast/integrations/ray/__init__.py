"""Scores of Ray data sets: actors compute states of batches, and the states are merged.

Scores have the bits of one process, for any number of blocks, actors and rows of a batch. Rows keep their order, a
block that fails ends the call, and errors name the row and the field. ``docs/distributed.md`` has measurements.
"""

from muge_fast.integrations.ray.captions import score_captions
from muge_fast.integrations.ray.images import fid
from muge_fast.integrations.ray.search import retrieval, top_k

__all__ = ["fid", "retrieval", "score_captions", "top_k"]
