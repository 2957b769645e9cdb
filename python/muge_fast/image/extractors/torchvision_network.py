"""Torchvision's Inception v3, trained on ImageNet, which the authors of the benchmark published their numbers with.

Their scripts (OFA-Sys/OFA, run_scripts/image_gen) use its features for FID and its logits for the Inception Score. The
network, its weights and its pooling are not those of FID, so the scores compare only with scores of the same scripts.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from muge_fast.image.extractors.networks import POOLED, ConvBNReLU, Inception

# Mean and standard deviation of ImageNet's pixels, on a scale from 0 to 1.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def _avg_pool(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, stride=1, padding=1)


class _AuxiliaryHead(nn.Module):
    """The second head of training. Its weights are in the published file; inference does not use them."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv0 = ConvBNReLU((768, 128, (1, 1), 1, (0, 0)))
        self.conv1 = ConvBNReLU((128, 768, (5, 5), 1, (0, 0)))
        self.fc = nn.Linear(768, classes)


class TorchvisionInception(Inception):
    """The network with the parameter names of the published file, ``inception_v3_google-0cc3c7bd.pth``.

    Example:
        >>> from muge_fast.image.extractors.torchvision_network import TorchvisionInception
        >>> sum(parameter.numel() for parameter in TorchvisionInception().parameters())
        27161264

    """

    title = "torchvision's Inception v3"
    source = "inception_v3_google-0cc3c7bd.pth of torchvision"
    is_ported = False
    classes = 1000
    block_pool = staticmethod(_avg_pool)
    last_pool = staticmethod(_avg_pool)

    scale: Tensor
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.AuxLogits = _AuxiliaryHead(self.classes)
        # Not in the published file.
        self.register_buffer("scale", torch.tensor([std / 0.5 for std in STD])[:, None, None], persistent=False)
        self.register_buffer(
            "shift", torch.tensor([(mean - 0.5) / 0.5 for mean in MEAN])[:, None, None], persistent=False
        )

    def forward(self, x: Tensor, outputs: Sequence[str] = ("2048",)) -> dict[str, Tensor]:
        """Compute some outputs as the scripts do: features of normalized pixels, logits of unnormalized ones.

        Features and logits together therefore take two passes.

        Args:
            x: Images of shape ``(images, 3, 299, 299)``, from 0 to 1.
            outputs: Any of ``OUTPUTS``: features averaged over height and width, named by their number, and logits.
                ``"logits_unbiased"`` are logits without the bias of the last layer.

        Returns:
            For each output a tensor of shape ``(images, features)``.

        """
        computed: dict[str, Tensor] = {}
        features = [name for name in outputs if name in POOLED]
        if features:
            computed |= super().forward(self._normalize(x), features)
        if len(features) < len(outputs):
            pooled = super().forward(x, ("2048",))["2048"]
            computed["logits"] = functional.linear(pooled, self.fc.weight, self.fc.bias)
            computed["logits_unbiased"] = pooled.mm(self.fc.weight.T)
        return {name: computed[name] for name in outputs}

    def passes(self, outputs: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the outputs that each pass through the layers computes.

        Args:
            outputs: Any of ``OUTPUTS``.

        Returns:
            Features and logits, which need a pass each.

        """
        features = tuple(name for name in outputs if name in POOLED)
        logits = tuple(name for name in outputs if name not in POOLED)
        return [names for names in (features, logits) if names]

    def _normalize(self, x: Tensor) -> Tensor:
        """Convert pixels normalized by ImageNet's mean and standard deviation to -1 to 1, as ``transform_input`` does.

        The scripts apply this to pixels that were not normalized. It is part of their numbers.
        """
        return x * self.scale + self.shift
