"""Caption sets generated from a seed: pieces of the sample captions, recombined and with some noise.

Real text has n-grams that repeat as in real sets; the noise adds what the samples lack: digits, Latin letters,
full-width forms, emoji, unusual white space.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random

NOISE = ["A字", "T恤", "3D", "USB-C", "500ml", "2.0", "XL", "100%", "9.9元", "，", "。", "！", "~", "...", "79-81"]
ODD = ["é", "👍🏻", "①", "Ａ１", " ", "\u3000", "&amp;", "“”", "の", "𠮷"]


@dataclass(frozen=True)
class CaptionSet:
    """Predictions and references in the same order; items have different numbers of references."""

    predictions: list[str]
    references: list[list[str]]

    def __len__(self) -> int:
        return len(self.predictions)

    def select(self, indices: list[int]) -> "CaptionSet":
        """Return the items with these indices."""
        return CaptionSet([self.predictions[i] for i in indices], [self.references[i] for i in indices])


def samples(name: str, task: str = "caption") -> list[dict]:
    """Read a sample file without the library under test."""
    path = files("muge_fast") / "samples" / task / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@cache
def pieces() -> tuple[str, ...]:
    """Return the pieces between punctuation marks of the sample references."""
    texts = [text for row in samples("IC_sample.jsonl") for text in row["text"]]
    return tuple(sorted({piece for text in texts for piece in re.split("[，。、；：！？]", text) if piece}))


def caption_set(items: int, seed: int, *, references: int = 10, length: tuple[int, int] = (1, 2)) -> CaptionSet:
    """Generate ``items`` with 1 to ``references`` references; ``length`` is in pieces of about 8 characters."""
    random = Random(seed)
    predictions, gold = [], []
    for _ in range(items):
        topic = random.sample(pieces(), 4)
        captions = [_caption(random, topic, length) for _ in range(1 + random.randint(1, references))]
        predictions.append(captions[0])
        gold.append(captions[1:])
    return CaptionSet(predictions, gold)


def _caption(random: Random, topic: list[str], length: tuple[int, int]) -> str:
    # Most pieces are of the item's topic, which its captions share.
    chosen = [random.choice(topic if random.random() < 0.7 else pieces()) for _ in range(random.randint(*length))]
    return "，".join(_add_noise(random, piece) for piece in chosen)


def _add_noise(random: Random, piece: str) -> str:
    index = random.randrange(len(piece))
    kind = random.random()
    if kind < 0.1:
        return piece[:index] + piece[index + 1 :]
    if kind < 0.2:
        return piece[:index] + piece[index] * 2 + piece[index + 1 :]
    if kind < 0.3:
        return piece[:index] + random.choice(NOISE) + piece[index:]
    if kind < 0.33:
        return piece[:index] + random.choice(ODD) + piece[index:]
    return piece


def letters(items: int, seed: int, *, alphabet: str, length: int, references: int = 4) -> CaptionSet:
    """Generate captions of independent letters with Zipf frequencies: n-grams repeat within and between items."""
    random = Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(alphabet))]

    def caption() -> str:
        return "".join(random.choices(alphabet, weights, k=random.randint(0, length)))

    gold = [[caption() for _ in range(random.randint(1, references))] for _ in range(items)]
    return CaptionSet([caption() for _ in range(items)], gold)
