"""Torchvision's Inception v3, trained on ImageNet: what the group behind the benchmark published its numbers with.

Their scripts (OFA-Sys/OFA, run_scripts/image_gen) take its features for FID and its logits for the Inception Score. The
numbers compare with no others: the network, its weights and its pooling are not those of FID.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from muge_fast.image.extractors.networks import POOLED, Inception, Unit

# The mean and the spread of ImageNet's pixels, from 0 to 1.
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def _average(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, stride=1, padding=1)


class _Auxiliary(nn.Module):
    """A second head that was trained along. Its weights are in the published file, and nothing uses them."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv0 = Unit((768, 128, (1, 1), 1, (0, 0)))
        self.conv1 = Unit((128, 768, (5, 5), 1, (0, 0)))
        self.fc = nn.Linear(768, classes)


class TorchvisionInception(Inception):
    """The network with the names of the published file, ``inception_v3_google-0cc3c7bd.pth``.

    Example:
        >>> from muge_fast.image.extractors.torchvision_network import TorchvisionInception
        >>> sum(parameter.numel() for parameter in TorchvisionInception().parameters())
        27161264

    """

    title = "torchvision's Inception v3"
    classes = 1000
    average = staticmethod(_average)
    last = staticmethod(_average)

    def __init__(self) -> None:
        super().__init__()
        self.AuxLogits = _Auxiliary(self.classes)

    def forward(self, x: Tensor, outputs: Sequence[str] = ("2048",)) -> dict[str, Tensor]:
        """Compute some outputs, as the scripts do: features of normalised pixels, logits of pixels as they are.

        Their two scripts differ in that, so features and logits together are two passes.

        Args:
            x: Images of shape ``(images, 3, 299, 299)``, 0 to 1.
            outputs: As for :meth:`muge_fast.image.extractors.networks.Inception.forward`.

        """
        found: dict[str, Tensor] = {}
        features = [name for name in outputs if name in POOLED]
        if features:
            found |= super().forward(_normalised(x), features)
        if len(features) < len(outputs):
            pooled = super().forward(x, ("2048",))["2048"]
            found["logits"] = functional.linear(pooled, self.fc.weight, self.fc.bias)
            found["logits_unbiased"] = pooled.mm(self.fc.weight.T)
        return {name: found[name] for name in outputs}


def _normalised(x: Tensor) -> Tensor:
    """Pixels as weights of TensorFlow expect them, -1 to 1, if they had ImageNet's mean and spread taken out before.

    The scripts take pixels from which nothing was taken out. It is part of their numbers.
    """
    scale = x.new_tensor([spread / 0.5 for spread in SPREAD])
    shift = x.new_tensor([(mean - 0.5) / 0.5 for mean in MEAN])
    return x * scale[:, None, None] + shift[:, None, None]
