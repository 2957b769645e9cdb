"""Feature files: ids and vectors, as an encoder writes them."""

from muge_fast.features.files import read_features, write_features

__all__ = ["read_features", "write_features"]
