"""Evaluate generated captions in a Seq2SeqTrainer of Hugging Face transformers, against all references of each item.

python examples/trainer.py IC_valid.jsonl --output out/
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor
from torch.utils.data import Dataset
from transformers import (
    PreTrainedTokenizerFast,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    T5Config,
    T5ForConditionalGeneration,
)

import muge_fast as mf
from muge_fast.integrations.transformers import caption_metrics


class Captions(Dataset[dict[str, Tensor]]):
    """The first reference of each item, as input and as label; a captioner has an image as its input.

    Args:
        references: References of each item.
        tokenizer: The tokenizer.

    """

    def __init__(self, references: Sequence[list[str]], tokenizer: PreTrainedTokenizerFast) -> None:
        texts = [f"{item[0]}</s>" for item in references]
        self.rows = tokenizer(texts, padding=True, return_tensors="pt")

    def __len__(self) -> int:
        return len(self.rows["input_ids"])

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        ids = self.rows["input_ids"][index]
        return {"input_ids": ids, "attention_mask": self.rows["attention_mask"][index], "labels": ids}


def tokenizer_of(references: Sequence[list[str]]) -> PreTrainedTokenizerFast:
    """Return a tokenizer of letters; yours comes from ``AutoTokenizer.from_pretrained``."""
    letters = sorted({letter for texts in references for letter in "".join(texts)})
    names = ["<pad>", "</s>", "<unk>", *letters]
    tokenizer = Tokenizer(models.WordLevel({name: index for index, name in enumerate(names)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.decoder = decoders.Fuse()
    names_of_tokens = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names_of_tokens)  # type: ignore[no-untyped-call]


def evaluate(references: Sequence[list[str]], folder: str | Path) -> dict[str, float]:
    """Return what the trainer reports after an evaluation."""
    tokenizer = tokenizer_of(references)
    sizes: dict[str, Any] = {"d_model": 16, "d_ff": 32, "d_kv": 8, "num_layers": 1, "num_heads": 2}
    sizes |= {"vocab_size": len(tokenizer), "decoder_start_token_id": 0}
    arguments = Seq2SeqTrainingArguments(
        output_dir=str(folder),
        per_device_eval_batch_size=8,
        predict_with_generate=True,
        generation_max_length=12,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = Seq2SeqTrainer(
        T5ForConditionalGeneration(T5Config(**sizes)),
        arguments,
        eval_dataset=Captions(references, tokenizer),
        # Labels have one reference for each item, so all of them are passed here, in the order of eval_dataset.
        compute_metrics=caption_metrics(tokenizer, references),
    )
    return trainer.evaluate()


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate on a file of references."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("references")
    parser.add_argument("--output", default="out")
    options = parser.parse_args(arguments)
    torch.manual_seed(0)
    scores = evaluate(list(mf.read_captions(options.references).values()), options.output)
    for name in ("cider_d", "bleu", "rouge_l"):
        print(f"{name} {scores[f'eval_{name}']:.4f}")


if __name__ == "__main__":
    main()
