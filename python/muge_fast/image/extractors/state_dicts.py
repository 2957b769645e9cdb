"""Reading state dicts of untrusted files, and recognizing those of another network."""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from muge_fast._internal.display import format_argument, format_id, format_path
from muge_fast._internal.zip_files import open_zip

# First bytes of files that are often saved under the name of the weights.
OTHER_FILES = {
    b"<": "a web page",
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself",
    b"\x1f\x8b": "compressed with gzip",
}
# Biases from which a distribution is recognized.
MIN_BIASES = 100
# One for each tensor, and few others.
MAX_MEMBERS = 100_000
COUNTER = "num_batches_tracked"
SCRIPT = "constants.pkl"
UNPACKS = "it unpacks to more than its size, and torch.save compresses nothing"


def read_state(path: Path, data: bytes) -> dict[str, Tensor]:
    """Return the tensors of a file that ``torch.save`` wrote. Only tensors are unpickled.

    Args:
        path: Path of the file, for errors.
        data: Its bytes.

    Returns:
        Tensors by name, none of them larger than the file.

    Raises:
        MemoryError: There is too little memory.
        ValueError: The file does not hold a dictionary of tensors; the message says what it holds.

    Example:
        >>> import pathlib
        >>> from muge_fast.image.extractors.state_dicts import read_state
        >>> read_state(pathlib.Path("weights.pth"), b"<html>")
        Traceback (most recent call last):
        ...
        ValueError: weights.pth: not a PyTorch file of weights: it is a web page

    """
    try:
        _check_members(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001
        # torch.load raises many types of exceptions for files that are not its own, some with advice to unpickle them.
        raise ValueError(f"{format_path(path)}: not a PyTorch file of weights: {_reason(data, error)}") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        found = f"a {type(state).__name__}"
        if isinstance(state, dict):
            found = f"a dictionary with the keys {', '.join(format_id(key, 20) for key in list(state)[:4])}"
        raise ValueError(
            f"{format_path(path)}: not a PyTorch file of weights: it has {found}, needs a dictionary of tensors: "
            f"save the state_dict() of the network alone"
        )
    large = next((name for name, value in state.items() if value.numel() * value.element_size() > len(data)), None)
    if large is not None:
        # A view that repeats few numbers, which a copy would unpack.
        raise ValueError(f"{path}: not a PyTorch file of weights: {format_id(large)} is larger than the file")
    return state


def why_not_weights(state: Mapping[str, Tensor], needed: Mapping[str, Tensor]) -> str | None:
    """Return why a state dict does not fit a network, or None if it does.

    Args:
        state: Tensors by name.
        needed: The state dict of the network.

    Returns:
        What is wrong, in words.

    Example:
        >>> import torch
        >>> from muge_fast.image.extractors.state_dicts import why_not_weights
        >>> why_not_weights({"fc.bias": torch.zeros(1000)}, {"fc.bias": torch.zeros(1008)})
        '1 tensor differs, such as fc.bias'

    """
    different = sorted(state.keys() ^ needed.keys())
    different += sorted(name for name in state.keys() & needed.keys() if state[name].shape != needed[name].shape)
    if not different:
        return None
    network = _other_network(state, needed)
    if network is not None:
        return f"these are the weights of {network}"
    name = next(iter(state), "")
    prefix = next((name[: -len(key)] for key in needed if len(key) < len(name) and name.endswith(f".{key}")), "")
    if prefix and {key.removeprefix(prefix) for key in state} == needed.keys():
        return f"names of tensors begin with {format_argument(prefix)}: save the state_dict() of the inner network"
    count = f"{len(different)} tensors differ" if len(different) > 1 else "1 tensor differs"
    return f"{count}, such as {format_id(different[0])}"


def why_not_trained(state: Mapping[str, Tensor]) -> str | None:
    """Return why a state dict cannot hold published weights although its names and shapes fit, or None.

    Args:
        state: Tensors by name.

    Returns:
        What is wrong, in words.

    Example:
        >>> import torch
        >>> from muge_fast.image.extractors.state_dicts import why_not_trained
        >>> why_not_trained({"bn.running_mean": torch.zeros(2), "bn.running_var": torch.ones(2)})
        'the network was not trained: all means of batch normalization are 0, all variances 1'

    """
    means = [value for name, value in state.items() if name.endswith("running_mean")]
    variances = [value for name, value in state.items() if name.endswith("running_var")]
    if means and not any(bool(mean.any()) for mean in means) and all(bool((value == 1).all()) for value in variances):
        return "the network was not trained: all means of batch normalization are 0, all variances 1"
    if _is_new_layer(state.get("fc.weight"), state.get("fc.bias")):
        return (
            "the last layer, fc, was not trained: it has the initial values of torch.nn.Linear, as in another network"
        )
    return None


def _is_new_layer(weight: Tensor | None, bias: Tensor | None) -> bool:
    """Return whether a layer has the initial values of ``torch.nn.Linear``, or a bias of zeros.

    Both weights and biases are uniform up to the inverse root of the number of inputs. Torchvision draws other weights,
    but keeps the biases.
    """
    if weight is None or bias is None or weight.ndim != 2 or len(bias) < MIN_BIASES:  # noqa: PLR2004
        return False
    bound = float(weight.shape[1]) ** -0.5
    return not bool(bias.any()) or any(_is_uniform(values.float(), bound) for values in (weight, bias))


def _is_uniform(values: Tensor, bound: float) -> bool:
    """Return whether many values are uniform between a bound and its negative."""
    largest, spread = float(values.abs().max()), float(values.std())
    return 0.95 * bound < largest < 1.01 * bound and abs(spread * 3**0.5 / bound - 1) < 0.1  # noqa: PLR2004


def was_trained_in_torch(state: Mapping[str, Tensor]) -> bool:
    """Return whether batch normalization has counted batches, so that the weights were not ported from TensorFlow.

    Args:
        state: Tensors by name.

    Returns:
        Whether a counter is above 0.

    Example:
        >>> import torch
        >>> from muge_fast.image.extractors.state_dicts import was_trained_in_torch
        >>> was_trained_in_torch({"bn.num_batches_tracked": torch.tensor(500)})
        True

    """
    return any(bool((value != 0).any()) for name, value in state.items() if name.endswith(COUNTER))


def _check_members(data: bytes) -> None:
    """Raise ``ValueError`` for an archive that unpacks to more than its size: ``torch.save`` compresses nothing."""
    if data.startswith(b"PK"):
        members = open_zip(io.BytesIO(data), MAX_MEMBERS).infolist()
        if sum(member.file_size for member in members) > len(data):
            raise ValueError(UNPACKS)


def _other_network(state: Mapping[str, Tensor], needed: Mapping[str, Tensor]) -> str | None:
    """Return which Inception network with another number of classes has these weights, or None."""
    if not {"fc.weight", "Mixed_7c.branch_pool.conv.weight"} <= state.keys() & needed.keys():
        return None
    classes, tensors = len(state["fc.weight"]), len(state)
    if classes == len(needed["fc.weight"]):
        return None
    if classes == 1008:  # noqa: PLR2004
        return f"FID's Inception ({tensors} tensors, {classes} classes)"
    return f"torchvision's Inception v3 ({tensors} tensors, {classes} classes)"


def _reason(data: bytes, error: Exception) -> str:
    for start, kind in OTHER_FILES.items():
        if data.lstrip().startswith(start):
            return f"it is {kind}"
    if not data or str(error) == UNPACKS:
        return str(error) if data else "it is empty"
    if data.startswith(b"PK") and SCRIPT.encode() in data:
        return "it is a TorchScript archive, which holds a program"
    if data.startswith(b"PK") and b"data.pkl" in data[:1000] and b"PK\x05\x06" not in data[-100:]:
        return "it is cut off: download or copy it again"
    if isinstance(error, pickle.UnpicklingError):
        return "it holds Python objects besides tensors, which are not unpickled: save the state_dict() of the network"
    return "it was not written by torch.save, or is damaged"
