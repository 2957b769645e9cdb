"""The network of FID: Inception v3 with the weights of 2015-12-05, 1008 classes.

It differs from torchvision's in three ways: 1008 logits; average pooling that leaves the border out of the count; and
in the last block a maximum instead of an average (mseitzer/pytorch-fid, toshas/torch-fidelity).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

SIZE = 299
CLASSES = 1008
# Number of features of each output that is averaged over its area, and where it is taken.
POOLED = {"64": 64, "192": 192, "768": 768, "2048": 2048}
OUTPUTS = (*POOLED, "logits", "logits_unbiased")

Pair = tuple[int, int]
# Input and output channels, kernel, stride, padding.
Shape = tuple[int, int, Pair, int, Pair]

ROW, COLUMN = ((1, 7), (0, 3)), ((7, 1), (3, 0))


class _Convolution(nn.Conv2d):
    """One whose weights are to be loaded: to draw random ones would take longer than that."""

    def reset_parameters(self) -> None:
        """Leave them as they are."""


class Unit(nn.Module):
    """A convolution, normalised, without what is below zero."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        inputs, outputs, kernel, stride, padding = shape
        self.conv = _Convolution(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Apply it."""
        return functional.relu(self.bn(self.conv(x)), inplace=True)


def _one(inputs: int, outputs: int) -> Shape:
    return (inputs, outputs, (1, 1), 1, (0, 0))


def _three(inputs: int, outputs: int, stride: int = 1) -> Shape:
    return (inputs, outputs, (3, 3), stride, (1, 1) if stride == 1 else (0, 0))


def _bar(inputs: int, outputs: int, bar: tuple[Pair, Pair]) -> Shape:
    return (inputs, outputs, bar[0], 1, bar[1])


def _a(inputs: int, pool: int) -> dict[str, Shape]:
    return {
        "branch1x1": _one(inputs, 64),
        "branch5x5_1": _one(inputs, 48),
        "branch5x5_2": (48, 64, (5, 5), 1, (2, 2)),
        "branch3x3dbl_1": _one(inputs, 64),
        "branch3x3dbl_2": _three(64, 96),
        "branch3x3dbl_3": _three(96, 96),
        "branch_pool": _one(inputs, pool),
    }


def _b(inputs: int) -> dict[str, Shape]:
    return {
        "branch3x3": _three(inputs, 384, stride=2),
        "branch3x3dbl_1": _one(inputs, 64),
        "branch3x3dbl_2": _three(64, 96),
        "branch3x3dbl_3": _three(96, 96, stride=2),
    }


def _c(inputs: int, inner: int) -> dict[str, Shape]:
    return {
        "branch1x1": _one(inputs, 192),
        "branch7x7_1": _one(inputs, inner),
        "branch7x7_2": _bar(inner, inner, ROW),
        "branch7x7_3": _bar(inner, 192, COLUMN),
        "branch7x7dbl_1": _one(inputs, inner),
        "branch7x7dbl_2": _bar(inner, inner, COLUMN),
        "branch7x7dbl_3": _bar(inner, inner, ROW),
        "branch7x7dbl_4": _bar(inner, inner, COLUMN),
        "branch7x7dbl_5": _bar(inner, 192, ROW),
        "branch_pool": _one(inputs, 192),
    }


def _d(inputs: int) -> dict[str, Shape]:
    return {
        "branch3x3_1": _one(inputs, 192),
        "branch3x3_2": _three(192, 320, stride=2),
        "branch7x7x3_1": _one(inputs, 192),
        "branch7x7x3_2": _bar(192, 192, ROW),
        "branch7x7x3_3": _bar(192, 192, COLUMN),
        "branch7x7x3_4": _three(192, 192, stride=2),
    }


def _e(inputs: int) -> dict[str, Shape]:
    row, column = ((1, 3), (0, 1)), ((3, 1), (1, 0))
    return {
        "branch1x1": _one(inputs, 320),
        "branch3x3_1": _one(inputs, 384),
        "branch3x3_2a": _bar(384, 384, row),
        "branch3x3_2b": _bar(384, 384, column),
        "branch3x3dbl_1": _one(inputs, 448),
        "branch3x3dbl_2": _three(448, 384),
        "branch3x3dbl_3a": _bar(384, 384, row),
        "branch3x3dbl_3b": _bar(384, 384, column),
        "branch_pool": _one(inputs, 192),
    }


def _average(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _maximum(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=1, padding=1)


def _shrink(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=2)


class Block(nn.Module):
    """Branches side by side, whose results are laid one after the other.

    Units of one branch are named alike, with ``_1``, ``_2``, … in their order; where the last one has an ``a`` and a
    ``b``, both take what came before. A branch of the pooled input comes last, through its own unit if it has one.
    """

    def __init__(self, shapes: Mapping[str, Shape], pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.pool = pool
        for name, shape in shapes.items():
            self.add_module(name, Unit(shape))
        branches: dict[str, list[str]] = {}
        for name in shapes:
            stem, _, tail = name.rpartition("_")
            branches.setdefault(stem if tail[:1].isdigit() else name, []).append(name)
        self.pooled = branches.pop("branch_pool", [])
        self.branches = list(branches.values())

    def forward(self, x: Tensor) -> Tensor:
        """Apply all branches."""
        results: list[Tensor] = []
        for names in self.branches:
            results += self._through(names, x)
        results += self._through(self.pooled, self.pool(x))
        return torch.cat(results, 1)

    def _through(self, names: Sequence[str], x: Tensor) -> list[Tensor]:
        for place, name in enumerate(names):
            if name.endswith("a"):
                return [getattr(self, last)(x) for last in names[place:]]
            x = getattr(self, name)(x)
        return [x]


class Inception(nn.Module):
    """The network, with the names of the published file. Its weights are any numbers until :meth:`load`.

    Attributes:
        title: What errors call it.
        classes: Number of logits.
        average: How blocks pool their input.
        last: How the last block does.

    Example:
        >>> from muge_fast.image.extractors.networks import Inception
        >>> network = Inception().eval()
        >>> sum(parameter.numel() for parameter in network.parameters())
        23850960

    """

    title = "FID's Inception"
    classes = CLASSES
    average = staticmethod(_average)
    last = staticmethod(_maximum)

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Unit(_three(3, 32, stride=2))
        self.Conv2d_2a_3x3 = Unit((32, 32, (3, 3), 1, (0, 0)))
        self.Conv2d_2b_3x3 = Unit(_three(32, 64))
        self.Conv2d_3b_1x1 = Unit(_one(64, 80))
        self.Conv2d_4a_3x3 = Unit((80, 192, (3, 3), 1, (0, 0)))
        self.Mixed_5b = Block(_a(192, 32), self.average)
        self.Mixed_5c = Block(_a(256, 64), self.average)
        self.Mixed_5d = Block(_a(288, 64), self.average)
        self.Mixed_6a = Block(_b(288), _shrink)
        self.Mixed_6b = Block(_c(768, 128), self.average)
        self.Mixed_6c = Block(_c(768, 160), self.average)
        self.Mixed_6d = Block(_c(768, 160), self.average)
        self.Mixed_6e = Block(_c(768, 192), self.average)
        self.Mixed_7a = Block(_d(768), _shrink)
        self.Mixed_7b = Block(_e(1280), self.average)
        self.Mixed_7c = Block(_e(2048), self.last)
        self.fc = nn.Linear(2048, self.classes)

    def forward(self, x: Tensor, outputs: Sequence[str] = ("2048",)) -> dict[str, Tensor]:
        """Compute some outputs.

        Args:
            x: Images of shape ``(images, 3, 299, 299)``, about -1 to 1.
            outputs: Any of ``OUTPUTS``. ``"logits_unbiased"`` is without the bias of the last layer.

        Returns:
            A tensor of shape ``(images, features)`` for each output.

        """
        found: dict[str, Tensor] = {}
        x = _shrink(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        self._take(found, "64", x, outputs)
        x = _shrink(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        self._take(found, "192", x, outputs)
        for name in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e"):
            x = getattr(self, f"Mixed_{name}")(x)
        self._take(found, "768", x, outputs)
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        pooled = functional.adaptive_avg_pool2d(x, 1).flatten(1)
        if "2048" in outputs:
            found["2048"] = pooled
        if "logits_unbiased" in outputs or "logits" in outputs:
            found["logits_unbiased"] = pooled.mm(self.fc.weight.T)
            found["logits"] = found["logits_unbiased"] + self.fc.bias
        return {name: found[name] for name in outputs}

    @staticmethod
    def _take(found: dict[str, Tensor], name: str, x: Tensor, outputs: Sequence[str]) -> None:
        if name in outputs:
            found[name] = functional.adaptive_avg_pool2d(x, 1).flatten(1)

    def load(self, state: Mapping[str, Any]) -> None:
        """Take the weights of a state dict, all of them and no others.

        Raises:
            ValueError: Weights that are missing, unknown or of another shape.

        """
        # Counters of batches are in some copies of the file and mean nothing here.
        weights = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
        own = {name: value for name, value in self.state_dict().items() if not name.endswith("num_batches_tracked")}
        wrong = sorted(weights.keys() ^ own.keys())
        wrong += sorted(name for name in weights.keys() & own.keys() if weights[name].shape != own[name].shape)
        if wrong:
            raise ValueError(f"not the weights of {self.title}: {len(wrong)} tensors differ, such as {wrong[0]}")
        self.load_state_dict(weights, strict=False)

    def folded(self) -> Inception:
        """Put the normalisation into the convolutions: the same function, half the memory traffic.

        Returns:
            The same network, changed in place, in the memory layout that CPUs and GPUs are fastest in.

        """
        for unit in [module for module in self.modules() if isinstance(module, Unit)]:
            if isinstance(unit.bn, nn.BatchNorm2d):
                unit.conv, unit.bn = fuse_conv_bn_eval(unit.conv.eval(), unit.bn.eval()), nn.Identity()
        return self.to(memory_format=torch.channels_last)


def random_weights(seed: int = 0, network: type[Inception] = Inception) -> dict[str, Tensor]:
    """Make weights of the right names and shapes that mean nothing: for tests, benchmarks and samples.

    Args:
        seed: Of the numbers.
        network: Whose names and shapes.

    Example:
        >>> from muge_fast.image.extractors.networks import random_weights
        >>> len(random_weights())
        472

    """
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, value in network().state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        noise = torch.randn(value.shape, generator=generator)
        if value.ndim > 1:
            # So that numbers neither grow nor fade on their way through the network.
            weights[name] = noise * (2 / value[0].numel()) ** 0.5
        else:
            is_scale = name.endswith(("bn.weight", "running_var"))
            weights[name] = 1 + 0.1 * noise.abs() if is_scale else 0.1 * noise
    return weights
