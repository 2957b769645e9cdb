"""Log CIDEr-D and BLEU of a Lightning module at the end of each validation, over all batches and processes.

python examples/lightning_module.py IC_valid.jsonl
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchmetrics import MetricCollection

import muge_fast as mf
from muge_fast.integrations.torchmetrics import BLEU, CIDErD

Batch = tuple[Tensor, list[list[str]]]


class Captioner(lightning.LightningModule):
    """A stand-in for a captioner: it chooses one of some captions for an image.

    Args:
        captions: The captions to choose from.

    """

    def __init__(self, captions: Sequence[str]) -> None:
        super().__init__()
        self.captions = list(captions)
        self.network = nn.Linear(8, len(self.captions))
        # One collection keeps the captions once for all of its metrics.
        self.metrics = MetricCollection([CIDErD(), BLEU()], prefix="val/")

    def caption(self, images: Tensor) -> list[str]:
        """Return a caption for each image."""
        return [self.captions[index] for index in self.network(images).argmax(1).tolist()]

    def validation_step(self, batch: Batch) -> None:
        """Add a batch to the metrics, and log what they are of all batches."""
        images, references = batch
        self.metrics.update(self.caption(images), references)
        self.log_dict(self.metrics, batch_size=len(references))

    def training_step(self, batch: Batch) -> Tensor:
        """Return the loss of the network; a real one is trained on captions."""
        images, _ = batch
        loss: Tensor = self.network(images).logsumexp(1).mean()
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimizer."""
        return torch.optim.Adam(self.parameters())


def collate(items: Sequence[tuple[Tensor, list[str]]]) -> Batch:
    """Return a batch; items have different numbers of references, so these stay lists."""
    images, references = zip(*items, strict=True)
    return torch.stack(images), list(references)


def validate(references: Sequence[list[str]], folder: str | Path = ".") -> dict[str, float]:
    """Return the logged values of a validation."""
    items = list(zip(torch.randn(len(references), 8), references, strict=True))
    loader: DataLoader[tuple[Tensor, list[str]]] = DataLoader(items, batch_size=4, collate_fn=collate)  # type: ignore[arg-type]
    trainer = lightning.Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder
    )
    model = Captioner([texts[0] for texts in references])
    logged = trainer.validate(model, loader, verbose=False)
    return {name: float(value) for name, value in logged[0].items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Validate on a file of references."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("references")
    options = parser.parse_args(arguments)
    torch.manual_seed(0)
    for name, value in validate(list(mf.read_captions(options.references).values())).items():
        print(f"{name} {value:.4f}")


if __name__ == "__main__":
    main()
