"""States of metrics: lists of one-dimensional tensors, which torchmetrics concatenates over processes.

One process may have more than another, or nothing at all. torchmetrics gathers such states if they have one dimension,
so matrices are kept flat, with their shapes, and texts as their bytes, with their lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat
from torchmetrics.utilities.distributed import gather_all_tensors
from torchmetrics.utilities.plot import _AX_TYPE, _PLOT_OUT_TYPE

from muge_fast.scores import Score


class ListMetric(Metric):
    """A metric whose states are lists of one-dimensional tensors, and whose value comes from all of them at once.

    Example:
        >>> from muge_fast.integrations.torchmetrics import KID
        >>> from muge_fast.integrations.torchmetrics.states import ListMetric
        >>> issubclass(KID, ListMetric)
        True

    """

    is_differentiable = False
    full_state_update = False
    plot_lower_bound = 0.0
    # Name and type of each state.
    states: ClassVar[dict[str, torch.dtype]]

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        for name in self.states:
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def append(self, name: str, values: Tensor) -> None:
        """Add values to a state.

        Args:
            name: Name of the state.
            values: Tensor of one dimension.

        Example:
            >>> import torch
            >>> from muge_fast.integrations.torchmetrics import KID
            >>> metric = KID()
            >>> metric.append("real", torch.zeros(2))
            >>> metric.joined("real").tolist()
            [0.0, 0.0]

        """
        getattr(self, name).append(values.detach().to(device=self.device, dtype=self.states[name]))

    def joined(self, name: str) -> NDArray[Any]:
        """Return the values of a state, of all batches and processes.

        Args:
            name: Name of the state.

        Returns:
            An array of one dimension.

        Example:
            >>> from muge_fast.integrations.torchmetrics import KID
            >>> KID().joined("real").shape
            (0,)

        """
        values = getattr(self, name)
        if isinstance(values, list) and not values:
            return torch.empty(0, dtype=self.states[name]).numpy()
        array: NDArray[Any] = dim_zero_cat(values).cpu().numpy()
        return array

    def plot(self, val: Tensor | Sequence[Tensor] | None = None, ax: _AX_TYPE | None = None) -> _PLOT_OUT_TYPE:
        """Plot one or several values, as other metrics of torchmetrics do; needs matplotlib.

        Args:
            val: A value as a tensor, or those of several epochs; None for the value of this metric.
            ax: Axes of matplotlib to plot on; None for a new figure.

        Returns:
            The figure and the axes.

        Example:
            >>> import torch
            >>> from muge_fast.integrations.torchmetrics import CIDErD
            >>> figure, axes = CIDErD().plot([torch.tensor(0.4), torch.tensor(0.5)])  # doctest: +SKIP

        """
        return self._plot(val, ax)

    def value_of(self, score: Score) -> Tensor:
        """Return the value of a score as a tensor of double precision on the device of this metric.

        Args:
            score: The score.

        Returns:
            A tensor without dimensions; of single precision on devices that have no double precision.

        Example:
            >>> from muge_fast.image import kid_from_features
            >>> from muge_fast.integrations.torchmetrics import KID
            >>> KID().value_of(kid_from_features([[0.0], [0.0]], [[1.0], [1.0]], subsets=None, degree=1)).item()
            1.0

        """
        dtype = torch.float32 if self.device.type == "mps" else torch.float64
        return torch.tensor(score.value, dtype=dtype, device=self.device)

    def _sync_dist(self, dist_sync_fn: Callable[..., Any] = gather_all_tensors, process_group: object = None) -> None:
        # torchmetrics takes single precision for a state of which a process has nothing.
        for name, dtype in self.states.items():
            if isinstance(getattr(self, name), list) and not getattr(self, name):
                setattr(self, name, [torch.empty(0, dtype=dtype, device=self.device)])
        super()._sync_dist(dist_sync_fn, process_group)


def text_tensors(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return the bytes of texts in UTF-8, and the number of bytes of each.

    Args:
        texts: The texts.

    Returns:
        A tensor of uint8 and one of int64.

    Example:
        >>> from muge_fast.integrations.torchmetrics.states import text_tensors
        >>> [tensor.tolist() for tensor in text_tensors(["ab", ""])]
        [[97, 98], [2, 0]]

    """
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    data = torch.from_numpy(np.frombuffer(b"".join(encoded), dtype=np.uint8).copy())
    return data, torch.tensor([len(text) for text in encoded], dtype=torch.int64)


def texts_of(data: NDArray[np.uint8], lengths: NDArray[np.int64]) -> list[str]:
    """Return texts from their bytes and lengths.

    Args:
        data: Bytes of all texts in UTF-8.
        lengths: Number of bytes of each text.

    Returns:
        The texts.

    Example:
        >>> from muge_fast.integrations.torchmetrics.states import text_tensors, texts_of
        >>> texts_of(*(tensor.numpy() for tensor in text_tensors(["红裙", ""])))
        ['红裙', '']

    """
    whole, ends = data.tobytes(), np.cumsum(lengths)
    slices = map(slice, (ends - lengths).tolist(), ends.tolist())
    return [whole[text].decode("utf-8", "surrogatepass") for text in slices]


def matrix_of(values: NDArray[np.float32], widths: NDArray[np.int64], name: str) -> NDArray[np.float32]:
    """Return the matrix of all rows from flat batches.

    Args:
        values: Numbers of all batches.
        widths: Number of columns of each batch.
        name: Name of the rows, for errors.

    Returns:
        Array of shape ``(rows, columns)``.

    Raises:
        ValueError: There is no batch, or batches have different numbers of columns.

    Example:
        >>> import numpy as np
        >>> from muge_fast.integrations.torchmetrics.states import matrix_of
        >>> matrix_of(np.arange(6, dtype="float32"), np.array([3, 3]), "features").shape
        (2, 3)

    """
    if not len(widths):
        raise ValueError(f"no {name} yet: call update first")
    if (widths != widths[0]).any():
        raise ValueError(f"batches of {name} have {widths[0]} and {widths[widths != widths[0]][0]} columns")
    return values.reshape(-1, int(widths[0]))
