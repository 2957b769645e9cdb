"""Train a captioner by self-critical sequence training, with CIDEr-D of each batch as the reward.

python examples/scst_training.py IC_train.jsonl --steps 200

The references are prepared once. In each step the captions of a batch are scored in some microseconds for each item,
with the weights that n-grams have in all references.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from torch import Tensor, nn

import muge_fast as mf

END = 0


class Captioner(nn.Module):
    """A stand-in for a captioner: a recurrent network over letters, with a learned vector for each image.

    Args:
        images: Number of images.
        letters: Number of letters.
        length: Letters of a caption.
        width: Size of the network.

    """

    def __init__(self, images: int, letters: int, *, length: int, width: int = 64) -> None:
        super().__init__()
        self.length = length
        self.images = nn.Embedding(images, width)
        self.letters = nn.Embedding(letters, width)
        self.cell = nn.GRUCell(width, width)
        self.head = nn.Linear(width, letters)

    def forward(self, images: Tensor, given: Tensor | None = None, *, sample: bool = False) -> tuple[Tensor, Tensor]:
        """Return given, sampled or greedy letters of each image, and the log-probability of each caption."""
        state = self.images(images)
        letter = torch.full_like(images, END)
        is_open, total = torch.ones(len(images)), torch.zeros(len(images))
        letters = []
        for index in range(self.length):
            state = self.cell(self.letters(letter), state)
            log_p = self.head(state).log_softmax(1)
            if given is not None:
                letter = given[:, index]
            else:
                letter = torch.multinomial(log_p.exp(), 1)[:, 0] if sample else log_p.argmax(1)
            total = total + is_open * log_p.gather(1, letter[:, None])[:, 0]
            is_open = is_open * (letter != END)
            letters.append(letter)
        return torch.stack(letters, 1), total


class Reward:
    """CIDEr-D of the captions of a batch.

    Args:
        references: References of all images by id.

    """

    def __init__(self, references: dict[str, list[str]]) -> None:
        self.ids = list(references)
        self.captions = mf.Captions(references)
        self.alphabet = ["", *sorted({letter for texts in references.values() for letter in "".join(texts)})]

    def texts(self, letters: Tensor) -> list[str]:
        """Return the captions of rows of letters, each up to its end."""
        rows = [row[: row.index(END)] if END in row else row for row in letters.tolist()]
        return ["".join(self.alphabet[letter] for letter in row) for row in rows]

    def letters(self, texts: Sequence[str], length: int) -> Tensor:
        """Return rows of letters, filled or cut to a length."""
        rows = [[self.alphabet.index(letter) for letter in text[:length]] for text in texts]
        return torch.tensor([row + [END] * (length - len(row)) for row in rows])

    def __call__(self, images: Tensor, letters: Tensor) -> Tensor:
        """Return the reward of each caption."""
        ids = [self.ids[image] for image in images.tolist()]
        scores = self.captions.score(self.texts(letters), ids=ids, metrics=["cider_d"])
        return torch.from_numpy(scores["cider_d"].per_item).float()


def train(
    references: dict[str, list[str]], *, pretraining: int, steps: int, length: int, batch_size: int = 16
) -> list[float]:
    """Return the mean CIDEr-D of greedy captions before and after self-critical training."""
    reward = Reward(references)
    model = Captioner(len(reward.ids), len(reward.alphabet), length=length)
    targets = reward.letters([texts[0] for texts in references.values()], length)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)

    def step(loss: Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    def evaluate() -> float:
        everything = torch.arange(len(targets))
        with torch.no_grad():
            return float(reward(everything, model(everything)[0]).mean())

    # As usual, cross-entropy comes first: samples of an untrained network have no reward.
    for _ in range(pretraining):
        images = torch.randint(len(targets), (batch_size,))
        step(-model(images, targets[images])[1].mean())
    before = evaluate()
    for group in optimizer.param_groups:
        group["lr"] = 2e-3
    for _ in range(steps):
        images = torch.randint(len(targets), (batch_size,))
        letters, log_p = model(images, sample=True)
        with torch.no_grad():
            greedy, _ = model(images)
        # What sampling gained over the greedy caption: above zero makes the sampled caption more likely.
        step(-((reward(images, letters) - reward(images, greedy)) * log_p).mean())
    return [before, evaluate()]


def main(arguments: Sequence[str] | None = None) -> None:
    """Train on a file of references."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("references")
    parser.add_argument("--pretraining", type=int, default=200)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--length", type=int, default=60)
    options = parser.parse_args(arguments)
    torch.manual_seed(0)
    references = mf.read_captions(options.references)
    steps = {"pretraining": options.pretraining, "steps": options.steps}
    before, after = train(references, length=options.length, **steps)
    print(f"CIDEr-D of greedy captions: {before:.4f} before, {after:.4f} after")


if __name__ == "__main__":
    main()
