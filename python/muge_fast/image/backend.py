"""NumPy and torch behind one interface: float64 arrays in host memory, or float64 tensors on a device."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Float64Array = npt.NDArray[np.float64]
ArrayOrTensor: TypeAlias = "npt.ArrayLike | Tensor"
DeviceLike: TypeAlias = "str | torch.device | None"
# mypy checks generic code once with NumPy arrays and once with torch tensors.
A = TypeVar("A", "npt.NDArray[np.float64]", "Tensor")

# Device types without float64: sums of their batches are kept by NumPy.
WITHOUT_FLOAT64 = ("mps",)
# The lower bound of log-probabilities: 0 times it is 0, while 0 times minus infinity is NaN.
MIN_LOG_PROBABILITY = np.finfo(np.float64).min
# Stands for "all rows are finite" where an index of a row is stored; larger than any index.
NO_ROW = 1 << 62
# Smallest squared pivot of a regular covariance, as a fraction of the largest.
PIVOT_ALLOWED = 1e-8
# Largest negative eigenvalue of a covariance, as a fraction of the largest: it may have been saved as float32.
NEGATIVE_ALLOWED = 1e-5


def zero_eigenvalue(dims: int, smallest: float, largest: float) -> float:
    """Return the bound up to which eigenvalues of a covariance are zero, after checking the smallest.

    Args:
        dims: Number of rows of the covariance.
        smallest: Its smallest eigenvalue.
        largest: Its largest eigenvalue.

    Returns:
        ``dims`` times the rounding error of the largest; more if an eigenvalue is more negative than that, as in a
        covariance that was saved as float32.

    Raises:
        ValueError: The smallest eigenvalue is negative by more than rounding.

    Example:
        >>> from muge_fast.image.backend import zero_eigenvalue
        >>> zero_eigenvalue(2048, -1.0, 3.0)
        Traceback (most recent call last):
        ...
        ValueError: sigma is not a covariance: its smallest eigenvalue is -1, its largest 3

    """
    if smallest < -NEGATIVE_ALLOWED * largest:
        raise ValueError(
            f"sigma is not a covariance: its smallest eigenvalue is {smallest:.6g}, its largest {largest:.6g}"
        )
    return max(-smallest, dims * float(np.finfo(np.float64).eps) * largest)


class Backend(Protocol[A]):
    """Array operations that the image metrics need, on float64 arrays of one library and device.

    Example:
        >>> from muge_fast.image.backend import Backend, backend_for
        >>> backend: Backend = backend_for(None)
        >>> backend.zeros(2).tolist()
        [0.0, 0.0]

    """

    @property
    def device(self) -> torch.device | None:
        """Device of the arrays; None for NumPy."""

    def zeros(self, *shape: int) -> A:
        """Return an array of zeros."""

    def as_float64(self, array: ArrayOrTensor) -> A:
        """Return an array or tensor as float64 on this backend's device."""

    def add(self, total: A, more: A) -> A:
        """Return the sum; ``total`` may be overwritten."""

    def concat(self, arrays: Sequence[A]) -> A:
        """Return arrays joined along the first axis, as a copy."""

    def first_nonfinite_row(self, batch: A, name: str, *, seen: int, earlier: A | None) -> A | None:
        """Check that the rows of a batch are finite.

        Args:
            batch: Array of shape ``(rows, columns)``.
            name: Name of the batch, for errors.
            seen: Number of rows in earlier batches.
            earlier: Result for the earlier batches; None if there are none.

        Returns:
            Index of the first row that is not finite, counted over all batches, as an array on the device of shape
            ``(1,)``, or :data:`NO_ROW`; None from a backend that raises at once.

        Raises:
            ValueError: A row is not finite and the backend can see it without waiting for a device.

        """

    def log_softmax(self, logits: A) -> tuple[A, A]:
        """Return log-softmax and softmax; the log of a zero probability is clamped to the smallest finite float."""

    def singular_values(self, matrix: A) -> A:
        """Return the singular values in any order."""

    def eigenvalues(self, matrix: A) -> A:
        """Return the eigenvalues of a symmetric matrix."""

    def cholesky_factor(self, covariance: A) -> A | None:
        """Return the Cholesky factor of a covariance; None if it is singular to double precision."""

    def eigen_factor(self, covariance: A) -> A:
        """Return a matrix ``F`` with ``F @ F.T == covariance`` and as many columns as the covariance has rank.

        Eigenvalues that are zero up to rounding are left out: the square root of their rounding errors, which is what
        a factor has, would be a hundred million times larger.

        Raises:
            ValueError: An eigenvalue is negative by more than rounding.

        """


class NumpyBackend:
    """NumPy arrays in host memory; see :class:`Backend` for the methods.

    Example:
        >>> from muge_fast.image.backend import NumpyBackend
        >>> NumpyBackend().zeros(2).tolist()
        [0.0, 0.0]

    """

    @property
    def device(self) -> torch.device | None:
        """None: arrays are in host memory."""
        return None

    def zeros(self, *shape: int) -> Float64Array:
        """Return an array of zeros."""
        return np.zeros(shape)

    def as_float64(self, array: ArrayOrTensor) -> Float64Array:
        """Return an array or tensor as a float64 array; an array that is one already is not copied."""
        return np.asarray(to_numpy(array), dtype=np.float64)

    def add(self, total: Float64Array, more: Float64Array) -> Float64Array:
        """Add to ``total`` in place and return it."""
        total += more
        return total

    def concat(self, arrays: Sequence[Float64Array]) -> Float64Array:
        """Return arrays joined along the first axis, as a copy."""
        return np.concatenate(arrays)

    def first_nonfinite_row(self, batch: Float64Array, name: str, *, seen: int, earlier: Float64Array | None) -> None:
        """Raise ``ValueError`` with the index within this batch if a row is not finite."""
        del seen, earlier
        nonfinite = np.flatnonzero(~np.isfinite(batch).all(axis=1))
        if len(nonfinite):
            raise ValueError(f"{name}[{nonfinite[0]}] is not finite")

    def log_softmax(self, logits: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return log-softmax and softmax; the log of a zero probability is clamped to the smallest finite float."""
        with np.errstate(over="ignore"):
            shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return np.maximum(log_p, MIN_LOG_PROBABILITY), np.exp(log_p)

    def singular_values(self, matrix: Float64Array) -> Float64Array:
        """Return the singular values in any order."""
        return self.as_float64(np.linalg.svd(matrix, compute_uv=False))

    def eigenvalues(self, matrix: Float64Array) -> Float64Array:
        """Return the eigenvalues of a symmetric matrix."""
        return self.as_float64(np.linalg.eigvalsh(matrix))

    def cholesky_factor(self, covariance: Float64Array) -> Float64Array | None:
        """Return the Cholesky factor of a covariance; None if it is singular to double precision."""
        try:
            factor = self.as_float64(np.linalg.cholesky(covariance))
        except np.linalg.LinAlgError:
            return None
        pivots = factor.diagonal() ** 2
        return factor if float(pivots.min()) > PIVOT_ALLOWED * float(pivots.max()) else None

    def eigen_factor(self, covariance: Float64Array) -> Float64Array:
        """Return a matrix ``F`` with ``F @ F.T == covariance``, without eigenvalues that are zero up to rounding."""
        values, vectors = np.linalg.eigh(covariance)
        rounding = zero_eigenvalue(len(values), float(values[0]), float(values[-1]))
        kept = ~(values <= rounding)  # NaN is kept, to be seen in the result.
        return self.as_float64(vectors[:, kept] * np.sqrt(values[kept]))


class TorchBackend:
    """Tensors of torch on one device; only the linear-algebra solvers synchronize with it. See :class:`Backend`.

    Args:
        device: A ``torch.device`` or its name.

    Raises:
        RuntimeError: torch has no such device.

    Example:
        >>> from muge_fast.image.backend import TorchBackend
        >>> TorchBackend("cpu").zeros(2).tolist()  # doctest: +SKIP
        [0.0, 0.0]

    """

    def __init__(self, device: str | torch.device) -> None:
        import torch  # noqa: PLC0415 - an optional package, installed where a device is named

        self._torch = torch
        self._device = torch.device(device)

    @property
    def device(self) -> torch.device | None:
        """Device of the tensors."""
        return self._device

    def zeros(self, *shape: int) -> Tensor:
        """Return a tensor of zeros."""
        return self._torch.zeros(shape, dtype=self._torch.float64, device=self._device)

    def as_float64(self, array: ArrayOrTensor) -> Tensor:
        """Return an array or tensor as a float64 tensor on this device, without gradients."""
        if isinstance(array, self._torch.Tensor):
            return array.detach().to(self._device, self._torch.float64)
        return self._torch.tensor(np.ascontiguousarray(array)).to(self._device, self._torch.float64)

    def add(self, total: Tensor, more: Tensor) -> Tensor:
        """Return the sum as a new tensor: torch forbids in-place changes of tensors of its inference mode."""
        return total + more

    def concat(self, arrays: Sequence[Tensor]) -> Tensor:
        """Return tensors joined along the first axis, as a copy."""
        return self._torch.cat(list(arrays))

    def first_nonfinite_row(self, batch: Tensor, name: str, *, seen: int, earlier: Tensor | None) -> Tensor:
        """Return the index of the first row so far that is not finite, on the device: reading it here would wait."""
        del name
        torch = self._torch
        rows = torch.arange(seen, seen + len(batch), device=self._device)
        nonfinite = torch.where(torch.isfinite(batch).all(dim=1), NO_ROW, rows)
        previous = rows.new_full((1,), NO_ROW) if earlier is None else earlier
        first: Tensor = torch.cat([nonfinite, previous]).amin(0, keepdim=True)
        return first

    def log_softmax(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Return log-softmax and softmax; the log of a zero probability is clamped to the smallest finite float."""
        log_p = self._torch.log_softmax(logits, dim=1)
        return log_p.clamp(min=float(MIN_LOG_PROBABILITY)), log_p.exp()

    def singular_values(self, matrix: Tensor) -> Tensor:
        """Return the singular values in any order."""
        values: Tensor = self._torch.linalg.svdvals(matrix)
        return values

    def eigenvalues(self, matrix: Tensor) -> Tensor:
        """Return the eigenvalues of a symmetric matrix."""
        values: Tensor = self._torch.linalg.eigvalsh(matrix)
        return values

    def cholesky_factor(self, covariance: Tensor) -> Tensor | None:
        """Return the Cholesky factor of a covariance; None if it is singular to double precision."""
        factor: Tensor
        factor, failed = self._torch.linalg.cholesky_ex(covariance)
        pivots = factor.diagonal() ** 2
        is_regular = not int(failed) and float(pivots.min()) > PIVOT_ALLOWED * float(pivots.max())
        return factor if is_regular else None

    def eigen_factor(self, covariance: Tensor) -> Tensor:
        """Return a matrix ``F`` with ``F @ F.T == covariance``, without eigenvalues that are zero up to rounding."""
        values, vectors = self._torch.linalg.eigh(covariance)
        kept = ~(values <= zero_eigenvalue(len(values), float(values[0]), float(values[-1])))
        factor: Tensor = vectors[:, kept] * values[kept].sqrt()
        return factor


def backend_for(device: DeviceLike) -> Backend[Any]:
    """Return the backend that keeps sums for a device.

    Args:
        device: A ``torch.device`` or its name; None for NumPy, which also serves devices without float64.

    Raises:
        RuntimeError: torch has no such device.

    Example:
        >>> from muge_fast.image.backend import backend_for
        >>> print(backend_for(None).device)
        None

    """
    if device is None or str(device).partition(":")[0] in WITHOUT_FLOAT64:
        return NumpyBackend()
    return torch_backend(str(device))


@cache
def torch_backend(device: str) -> TorchBackend:
    """Return the torch backend of a device; the same object for the same name.

    Args:
        device: Name of the device, such as ``"cuda:0"``.

    Raises:
        RuntimeError: torch has no such device.

    Example:
        >>> from muge_fast.image.backend import torch_backend
        >>> torch_backend("cpu").device  # doctest: +SKIP
        device(type='cpu')

    """
    return TorchBackend(device)


def device_of(array: object) -> torch.device | None:
    """Return the device of a tensor; None for arrays, and for tensors in host memory.

    Args:
        array: An array, a tensor, or nested lists.

    Example:
        >>> from muge_fast.image.backend import device_of
        >>> print(device_of([1.0, 2.0]))
        None

    """
    # Arrays of NumPy 2 have a device too, a string.
    device = getattr(array, "device", None)
    return None if getattr(device, "type", "cpu") == "cpu" else device


def to_numpy(array: ArrayOrTensor) -> npt.NDArray[Any]:
    """Return a tensor as a float64 array in host memory; return anything else as an array with its dtype unchanged.

    Args:
        array: An array, a tensor, or nested lists.

    Example:
        >>> from muge_fast.image.backend import to_numpy
        >>> to_numpy([1.0, 2.0]).tolist()
        [1.0, 2.0]

    """
    detach = getattr(array, "detach", None)
    if detach is None:
        return np.asarray(array)
    values: Float64Array = detach().cpu().double().numpy()
    return values
