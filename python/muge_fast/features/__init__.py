"""Feature files: the ids and embeddings that an encoder wrote."""

from muge_fast.features.files import read_features, write_features

__all__ = ["read_features", "write_features"]
