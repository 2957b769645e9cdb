"""The network of FID: Inception v3 with the weights of 2015-12-05, 1008 classes.

It differs from torchvision's Inception v3 in three ways: it has 1008 logits, average pooling does not count padding,
and the last block pools by maximum instead of average (mseitzer/pytorch-fid, toshas/torch-fidelity).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from muge_fast.image.extractors.state_dicts import COUNTER, was_trained_in_torch, why_not_trained, why_not_weights

INPUT_SIZE = 299
CLASSES = 1008
# Number of features of the outputs that are averaged over height and width.
POOLED = {"64": 64, "192": 192, "768": 768, "2048": 2048}
OUTPUTS = (*POOLED, "logits", "logits_unbiased")

Pair = tuple[int, int]
# Input channels, output channels, kernel size, stride, padding.
ConvSpec = tuple[int, int, Pair, int, Pair]

# Kernel size and padding of factorized 7 x 7 convolutions.
CONV_1X7, CONV_7X1 = ((1, 7), (0, 3)), ((7, 1), (3, 0))
CONV_1X3, CONV_3X1 = ((1, 3), (0, 1)), ((3, 1), (1, 0))


class _UninitializedConv2d(nn.Conv2d):
    """Conv2d without random weights: drawing them would take longer than loading the published ones."""

    def reset_parameters(self) -> None:
        """Leave the weights uninitialized."""


class ConvBNReLU(nn.Module):
    """Conv2d, BatchNorm, ReLU.

    Args:
        spec: Input channels, output channels, kernel size, stride and padding of the convolution.

    """

    def __init__(self, spec: ConvSpec) -> None:
        super().__init__()
        inputs, outputs, kernel, stride, padding = spec
        self.conv = _UninitializedConv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
        self.bn: nn.Module = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layers to a tensor of shape ``(images, channels, height, width)``."""
        return functional.relu(self.bn(self.conv(x)), inplace=True)


def _conv1x1(inputs: int, outputs: int) -> ConvSpec:
    return (inputs, outputs, (1, 1), 1, (0, 0))


def _conv3x3(inputs: int, outputs: int, stride: int = 1) -> ConvSpec:
    return (inputs, outputs, (3, 3), stride, (1, 1) if stride == 1 else (0, 0))


def _conv1xn(inputs: int, outputs: int, kernel_and_padding: tuple[Pair, Pair]) -> ConvSpec:
    kernel, padding = kernel_and_padding
    return (inputs, outputs, kernel, 1, padding)


def _inception_a(inputs: int, pool: int) -> dict[str, ConvSpec]:
    return {
        "branch1x1": _conv1x1(inputs, 64),
        "branch5x5_1": _conv1x1(inputs, 48),
        "branch5x5_2": (48, 64, (5, 5), 1, (2, 2)),
        "branch3x3dbl_1": _conv1x1(inputs, 64),
        "branch3x3dbl_2": _conv3x3(64, 96),
        "branch3x3dbl_3": _conv3x3(96, 96),
        "branch_pool": _conv1x1(inputs, pool),
    }


def _inception_b(inputs: int) -> dict[str, ConvSpec]:
    return {
        "branch3x3": _conv3x3(inputs, 384, stride=2),
        "branch3x3dbl_1": _conv1x1(inputs, 64),
        "branch3x3dbl_2": _conv3x3(64, 96),
        "branch3x3dbl_3": _conv3x3(96, 96, stride=2),
    }


def _inception_c(inputs: int, inner: int) -> dict[str, ConvSpec]:
    return {
        "branch1x1": _conv1x1(inputs, 192),
        "branch7x7_1": _conv1x1(inputs, inner),
        "branch7x7_2": _conv1xn(inner, inner, CONV_1X7),
        "branch7x7_3": _conv1xn(inner, 192, CONV_7X1),
        "branch7x7dbl_1": _conv1x1(inputs, inner),
        "branch7x7dbl_2": _conv1xn(inner, inner, CONV_7X1),
        "branch7x7dbl_3": _conv1xn(inner, inner, CONV_1X7),
        "branch7x7dbl_4": _conv1xn(inner, inner, CONV_7X1),
        "branch7x7dbl_5": _conv1xn(inner, 192, CONV_1X7),
        "branch_pool": _conv1x1(inputs, 192),
    }


def _inception_d(inputs: int) -> dict[str, ConvSpec]:
    return {
        "branch3x3_1": _conv1x1(inputs, 192),
        "branch3x3_2": _conv3x3(192, 320, stride=2),
        "branch7x7x3_1": _conv1x1(inputs, 192),
        "branch7x7x3_2": _conv1xn(192, 192, CONV_1X7),
        "branch7x7x3_3": _conv1xn(192, 192, CONV_7X1),
        "branch7x7x3_4": _conv3x3(192, 192, stride=2),
    }


def _inception_e(inputs: int) -> dict[str, ConvSpec]:
    return {
        "branch1x1": _conv1x1(inputs, 320),
        "branch3x3_1": _conv1x1(inputs, 384),
        "branch3x3_2a": _conv1xn(384, 384, CONV_1X3),
        "branch3x3_2b": _conv1xn(384, 384, CONV_3X1),
        "branch3x3dbl_1": _conv1x1(inputs, 448),
        "branch3x3dbl_2": _conv3x3(448, 384),
        "branch3x3dbl_3a": _conv1xn(384, 384, CONV_1X3),
        "branch3x3dbl_3b": _conv1xn(384, 384, CONV_3X1),
        "branch_pool": _conv1x1(inputs, 192),
    }


def _avg_pool(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _max_pool(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=1, padding=1)


def _max_pool_stride2(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=2)


class InceptionBlock(nn.Module):
    """Parallel branches whose results are concatenated.

    The layers of a branch share a name and are numbered ``_1``, ``_2``, …; layers ``_2a`` and ``_2b`` both take the
    result of ``_1``. The last branch pools the input, and has one layer at most, ``branch_pool``.

    Args:
        specs: Convolutions by name, in the order of the published network.
        pool: Pooling of the last branch.

    """

    def __init__(self, specs: Mapping[str, ConvSpec], pool: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.pool = pool
        for name, spec in specs.items():
            self.add_module(name, ConvBNReLU(spec))
        branches: dict[str, list[str]] = {}
        for name in specs:
            stem, _, tail = name.rpartition("_")
            branches.setdefault(stem if tail[:1].isdigit() else name, []).append(name)
        self.pool_branch = branches.pop("branch_pool", [])
        self.branches = list(branches.values())

    def forward(self, x: Tensor) -> Tensor:
        """Apply all branches to a tensor of shape ``(images, channels, height, width)``."""
        results: list[Tensor] = []
        for names in self.branches:
            results += self._apply_branch(names, x)
        results += self._apply_branch(self.pool_branch, self.pool(x))
        return torch.cat(results, 1)

    def _apply_branch(self, names: Sequence[str], x: Tensor) -> list[Tensor]:
        for index, name in enumerate(names):
            if name.endswith("a"):
                return [getattr(self, last)(x) for last in names[index:]]
            x = getattr(self, name)(x)
        return [x]


class Inception(nn.Module):
    """Inception v3 of FID, with the parameter names of the published file.

    Weights are uninitialized until :meth:`load`.

    Attributes:
        title: Name of the network in error messages.
        source: Where the published weights are.
        is_ported: Whether the published weights are ported from TensorFlow.
        classes: Number of logits.
        block_pool: Pooling inside blocks.
        last_pool: Pooling inside the last block.

    Example:
        >>> from muge_fast.image.extractors.networks import Inception
        >>> network = Inception().eval()
        >>> sum(parameter.numel() for parameter in network.parameters())
        23850960

    """

    title = "FID's Inception"
    source = "pt_inception-2015-12-05-6726825d.pth of pytorch-fid"
    is_ported = True
    classes = CLASSES
    block_pool = staticmethod(_avg_pool)
    last_pool = staticmethod(_max_pool)

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = ConvBNReLU(_conv3x3(3, 32, stride=2))
        self.Conv2d_2a_3x3 = ConvBNReLU((32, 32, (3, 3), 1, (0, 0)))
        self.Conv2d_2b_3x3 = ConvBNReLU(_conv3x3(32, 64))
        self.Conv2d_3b_1x1 = ConvBNReLU(_conv1x1(64, 80))
        self.Conv2d_4a_3x3 = ConvBNReLU((80, 192, (3, 3), 1, (0, 0)))
        self.Mixed_5b = InceptionBlock(_inception_a(192, 32), self.block_pool)
        self.Mixed_5c = InceptionBlock(_inception_a(256, 64), self.block_pool)
        self.Mixed_5d = InceptionBlock(_inception_a(288, 64), self.block_pool)
        self.Mixed_6a = InceptionBlock(_inception_b(288), _max_pool_stride2)
        self.Mixed_6b = InceptionBlock(_inception_c(768, 128), self.block_pool)
        self.Mixed_6c = InceptionBlock(_inception_c(768, 160), self.block_pool)
        self.Mixed_6d = InceptionBlock(_inception_c(768, 160), self.block_pool)
        self.Mixed_6e = InceptionBlock(_inception_c(768, 192), self.block_pool)
        self.Mixed_7a = InceptionBlock(_inception_d(768), _max_pool_stride2)
        self.Mixed_7b = InceptionBlock(_inception_e(1280), self.block_pool)
        self.Mixed_7c = InceptionBlock(_inception_e(2048), self.last_pool)
        self.fc = nn.Linear(2048, self.classes)

    def forward(self, x: Tensor, outputs: Sequence[str] = ("2048",)) -> dict[str, Tensor]:
        """Compute some outputs.

        Args:
            x: Images of shape ``(images, 3, 299, 299)``, from about -1 to 1.
            outputs: Any of ``OUTPUTS``: features averaged over height and width, named by their number, and logits.
                ``"logits_unbiased"`` are logits without the bias of the last layer.

        Returns:
            For each output a tensor of shape ``(images, features)``.

        """
        computed: dict[str, Tensor] = {}

        def pool_features(name: str, x: Tensor) -> None:
            if name in outputs:
                computed[name] = functional.adaptive_avg_pool2d(x, 1).flatten(1)

        x = _max_pool_stride2(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        pool_features("64", x)
        x = _max_pool_stride2(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        pool_features("192", x)
        for name in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e"):
            x = getattr(self, f"Mixed_{name}")(x)
        pool_features("768", x)
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        pooled = computed["2048"] = functional.adaptive_avg_pool2d(x, 1).flatten(1)
        if "logits_unbiased" in outputs or "logits" in outputs:
            computed["logits_unbiased"] = pooled.mm(self.fc.weight.T)
            computed["logits"] = computed["logits_unbiased"] + self.fc.bias
        return {name: computed[name] for name in outputs}

    def passes(self, outputs: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the outputs that each pass through the layers computes.

        Args:
            outputs: Any of ``OUTPUTS``.

        Returns:
            A single pass; :class:`muge_fast.image.extractors.torchvision_network.TorchvisionInception` may need two.

        """
        return [tuple(outputs)]

    def is_finite(self) -> bool:
        """Return whether all weights are finite numbers."""
        return all(bool(torch.isfinite(weight).all()) for weight in self.state_dict().values())

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Load a state dict that has all weights of the network and no others.

        Args:
            state: Tensors by name.

        Raises:
            ValueError: Weights are missing, unknown or of a wrong shape, or those of a network that was not trained, or
                was trained in PyTorch where the published weights are ported from TensorFlow, or has a new last layer.
                Torchvision's ``inception_v3(num_classes=1008, aux_logits=False)`` has the names and shapes of FID's
                network.

        """
        # Some copies of the file have counters of training batches, which inference does not use.
        weights = {name: value for name, value in state.items() if not name.endswith(COUNTER)}
        needed = {name: value for name, value in self.state_dict().items() if not name.endswith(COUNTER)}
        reason = why_not_weights(weights, needed)
        if reason is None and self.is_ported and was_trained_in_torch(state):
            reason = "they were trained in PyTorch, those of FID are ported from TensorFlow"
        reason = reason or why_not_trained(weights)
        if reason is not None:
            raise ValueError(f"not the weights of {self.title}: {reason}; needs {self.source}")
        self.load_state_dict(weights, strict=False)

    def fold_batchnorm(self) -> Inception:
        """Fold batch normalization into the convolutions: the same function with half the memory traffic.

        Returns:
            The same network, changed in place, in channels-last layout, which is the fastest on CPUs and GPUs.

        """
        for layer in [module for module in self.modules() if isinstance(module, ConvBNReLU)]:
            if isinstance(layer.bn, nn.BatchNorm2d):
                layer.conv, layer.bn = fuse_conv_bn_eval(layer.conv.eval(), layer.bn.eval()), nn.Identity()
        return self.to(memory_format=torch.channels_last)


def random_weights(seed: int = 0, network: type[Inception] = Inception) -> dict[str, Tensor]:
    """Draw random weights with the names and shapes of a network, for tests, benchmarks and samples.

    Args:
        seed: Seed of the random generator.
        network: Class of the network.

    Returns:
        Tensors by name, scaled so that activations neither grow nor vanish on their way through the network.

    Example:
        >>> from muge_fast.image.extractors.networks import random_weights
        >>> len(random_weights())
        472

    """
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, value in network().state_dict().items():
        if name.endswith(COUNTER):
            continue
        noise = torch.randn(value.shape, generator=generator)
        if value.ndim > 1:
            weights[name] = noise * (2 / value[0].numel()) ** 0.5
        else:
            is_scale = name.endswith(("bn.weight", "running_var"))
            weights[name] = 1 + 0.1 * noise.abs() if is_scale else 0.1 * noise
    return weights
