"""Networks of transformers: reading their weights, and what their methods return."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeAlias

from torch import Tensor, nn

# The classes of transformers are typed only in part.
NetworkClass: TypeAlias = Any

# Weights that were pickled are read without running code that is in the pickle.
SAFE_LOADING = {"output_loading_info": True, "weights_only": True}


def load_network(network_class: NetworkClass, name: str, **options: object) -> nn.Module:
    """Read a network with all of its weights, from safetensors files where there are any.

    Args:
        network_class: A class of transformers, such as ``CLIPModel`` or ``AutoModel``.
        name: Folder or name of the model.
        options: Other arguments of the class's ``from_pretrained``.

    Returns:
        The network in evaluation mode; its weights take no gradients.

    Raises:
        ValueError: Weights are missing or of a wrong shape.

    Example:
        >>> from muge_fast.image.extractors.pretrained import load_network
        >>> network = load_network(transformers.CLIPModel, "clip/", local_files_only=True)  # doctest: +SKIP

    """
    with _without_progress_bar():
        loaded = network_class.from_pretrained(name, **SAFE_LOADING, **options)
    network: nn.Module = loaded[0]
    # For these, transformers only logs a warning and uses random weights.
    wrong = sorted(map(str, (*loaded[1]["missing_keys"], *loaded[1]["mismatched_keys"])))
    if wrong:
        raise ValueError(f"{len(wrong)} tensors are missing or of a wrong shape, such as {wrong[0]}")
    return network.eval().requires_grad_(requires_grad=False)


def pooled(output: object) -> Tensor:
    """Return the features in a result of ``get_image_features`` or ``get_text_features``.

    Args:
        output: The result: an object with ``pooler_output`` since transformers 5, a tensor for code outside of it.

    Returns:
        Features in float32.

    Example:
        >>> import torch
        >>> from muge_fast.image.extractors.pretrained import pooled
        >>> pooled(torch.zeros(1, 2, dtype=torch.bfloat16)).dtype
        torch.float32

    """
    tensor: Tensor = output if isinstance(output, Tensor) else output.pooler_output  # type: ignore[attr-defined]
    return tensor.float()


@contextmanager
def _without_progress_bar() -> Iterator[None]:
    """Hide the progress bar of transformers: most models load within seconds."""
    logging = import_module("transformers").utils.logging
    was_enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_enabled:
            logging.enable_progress_bar()
