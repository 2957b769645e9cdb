"""Retrieval: exact top-k search, and metrics of ranked items."""

from muge_fast.retrieval.predictions import predict
from muge_fast.retrieval.ranking import Ranking, cpu_level
from muge_fast.retrieval.relevant_lists import transpose_references
from muge_fast.retrieval.scoring import score_retrieval
from muge_fast.retrieval.top_k_embeddings import TopK, top_k
from muge_fast.retrieval.top_k_matrix import top_k_of

__all__ = ["Ranking", "TopK", "cpu_level", "predict", "score_retrieval", "top_k", "top_k_of", "transpose_references"]
