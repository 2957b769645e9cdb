"""Where sums are kept and matrices are solved: NumPy on the host, or torch on a device, both in double precision."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

# Kinds of devices that have no double precision: what comes from them is kept on the host.
WITHOUT_DOUBLES = ("mps",)
# Times zero it is zero, which minus infinity is not.
LEAST = np.finfo(np.float64).min
# Larger than the number of any row.
NO_ROW = 1 << 62


class NumpyBackend:
    """NumPy arrays.

    Example:
        >>> from muge_fast.image.backend import NumpyBackend
        >>> NumpyBackend().zeros(2).tolist()
        [0.0, 0.0]

    """

    device: Any = None

    def zeros(self, *shape: int) -> Any:  # noqa: ANN401 - an array of this place, here and below
        """Make an array of zeros."""
        return np.zeros(shape)

    def doubles(self, array: Any) -> Any:  # noqa: ANN401
        """Bring any array or tensor here."""
        return np.asarray(host(array), dtype=np.float64)

    def add(self, total: Any, more: Any) -> Any:  # noqa: ANN401
        """Give the sum; the first may be overwritten."""
        total += more
        return total

    def join(self, parts: Sequence[Any]) -> Any:  # noqa: ANN401
        """Lay rows below each other, in memory of their own."""
        return np.concatenate(parts)

    def first_bad(self, batch: Any, name: str, seen: int, known: Any) -> Any:  # noqa: ANN401
        """Refuse rows that are not finite.

        Raises:
            ValueError: There is one; rows are counted from the beginning of the batch.

        """
        del seen, known
        bad = np.flatnonzero(~np.isfinite(batch).all(axis=1))
        if len(bad):
            raise ValueError(f"{name}[{bad[0]}] is not finite")

    def log_shares(self, logits: Any) -> tuple[Any, Any]:  # noqa: ANN401
        """Logarithms of the shares of classes, and the shares; of a class without a share it is finite, if large."""
        with np.errstate(over="ignore"):
            shifted = logits - logits.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return np.maximum(logs, LEAST), np.exp(logs)

    def singular_values(self, matrix: Any) -> Any:  # noqa: ANN401
        """All of them, in any order."""
        return np.linalg.svd(matrix, compute_uv=False)

    def eigenvalues(self, matrix: Any) -> Any:  # noqa: ANN401
        """Those of a symmetric matrix."""
        return np.linalg.eigvalsh(matrix)

    def factor(self, covariance: Any) -> Any:  # noqa: ANN401
        """Make a matrix whose product with its transpose is the covariance."""
        try:
            return np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            # Singular: what rounding made negative is zero.
            values, vectors = np.linalg.eigh(covariance)
            return vectors * np.sqrt(np.maximum(values, 0))


class TorchBackend:
    """Tensors of torch on one device. Nothing here waits for the device but what solves.

    Args:
        device: A ``torch.device`` or its name.

    Example:
        >>> from muge_fast.image.backend import TorchBackend
        >>> TorchBackend("cpu").zeros(2).tolist()  # doctest: +SKIP
        [0.0, 0.0]

    """

    def __init__(self, device: Any) -> None:  # noqa: ANN401
        import torch  # noqa: PLC0415 - whoever names a device has it

        self._torch = torch
        self.device = torch.device(device)

    def zeros(self, *shape: int) -> Any:  # noqa: ANN401
        """Make a tensor of zeros."""
        return self._torch.zeros(shape, dtype=self._torch.float64, device=self.device)

    def doubles(self, array: Any) -> Any:  # noqa: ANN401
        """Bring any array or tensor here."""
        tensor = array.detach() if hasattr(array, "detach") else self._torch.tensor(np.ascontiguousarray(array))
        return tensor.to(self.device, self._torch.float64)

    def add(self, total: Any, more: Any) -> Any:  # noqa: ANN401
        """Give the sum. Nothing is overwritten: torch forbids that for tensors of its inference mode."""
        return total + more

    def join(self, parts: Sequence[Any]) -> Any:  # noqa: ANN401
        """Lay rows below each other, in memory of their own."""
        return self._torch.cat(list(parts))

    def first_bad(self, batch: Any, name: str, seen: int, known: Any) -> Any:  # noqa: ANN401
        """Remember the first row that is not finite, on the device: to look at it here would be to wait."""
        del name
        torch = self._torch
        rows = torch.arange(seen, seen + len(batch), device=self.device)
        bad = torch.where(torch.isfinite(batch).all(dim=1), NO_ROW, rows)
        return torch.cat([bad, rows.new_full((1,), NO_ROW) if known is None else known]).amin(0, keepdim=True)

    def log_shares(self, logits: Any) -> tuple[Any, Any]:  # noqa: ANN401
        """Logarithms of the shares of classes, and the shares; of a class without a share it is finite, if large."""
        logs = self._torch.log_softmax(logits, dim=1)
        return logs.clamp(min=LEAST), logs.exp()

    def singular_values(self, matrix: Any) -> Any:  # noqa: ANN401
        """All of them, in any order."""
        return self._torch.linalg.svdvals(matrix)

    def eigenvalues(self, matrix: Any) -> Any:  # noqa: ANN401
        """Those of a symmetric matrix."""
        return self._torch.linalg.eigvalsh(matrix)

    def factor(self, covariance: Any) -> Any:  # noqa: ANN401
        """Make a matrix whose product with its transpose is the covariance."""
        factor, failed = self._torch.linalg.cholesky_ex(covariance)
        if not int(failed):
            return factor
        values, vectors = self._torch.linalg.eigh(covariance)
        return vectors * values.clamp(min=0).sqrt()


def backend_for(device: Any) -> NumpyBackend | TorchBackend:  # noqa: ANN401
    """Find where the sums of a device are kept.

    Args:
        device: A ``torch.device`` or its name; None for NumPy on the host.

    Raises:
        RuntimeError: torch knows no such device.

    Example:
        >>> from muge_fast.image.backend import backend_for
        >>> print(backend_for(None).device)
        None

    """
    if device is None or str(device).partition(":")[0] in WITHOUT_DOUBLES:
        return NumpyBackend()
    return _device(str(device))


def device_of(array: Any) -> Any:  # noqa: ANN401
    """Find the device of a tensor; None for arrays and for tensors that NumPy can read.

    Example:
        >>> from muge_fast.image.backend import device_of
        >>> print(device_of([1.0, 2.0]))
        None

    """
    device = getattr(array, "device", None)
    # NumPy's arrays have a device too, by name.
    return None if getattr(device, "type", "cpu") == "cpu" else device


def host(array: Any) -> Any:  # noqa: ANN401
    """Bring a tensor to the host, in double precision; anything else stays as it is.

    Example:
        >>> from muge_fast.image.backend import host
        >>> host([1.0, 2.0])
        [1.0, 2.0]

    """
    return array.detach().cpu().double().numpy() if hasattr(array, "detach") else array


@cache
def _device(name: str) -> TorchBackend:
    return TorchBackend(name)
