"""Captions that a ``Seq2SeqTrainer`` of transformers generates have the scores of this package."""

from types import SimpleNamespace

import numpy as np
import pytest

import muge_fast as mf
from data import caption_set
from muge_fast.integrations.transformers import caption_metrics

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")]

LETTERS = "红黑白长短裙衫鞋"
ITEMS = 11


class Letters:
    """A tokenizer whose tokens are letters; 0 fills rows, 1 ends them."""

    pad_token_id = 0

    def batch_decode(self, sequences, *, skip_special_tokens):
        assert skip_special_tokens
        return [" " + "".join(LETTERS[number - 2] for number in row if number > 1) for row in sequences]


def references():
    return [[text[:9] for text in texts] for texts in caption_set(ITEMS, seed=2).references]


def token_ids():
    ids = np.random.default_rng(1).integers(2, len(LETTERS) + 2, (ITEMS, 7))
    # The trainer fills rows with -100.
    for row, length in enumerate(np.random.default_rng(2).integers(1, 8, ITEMS)):
        ids[row, length:] = -100
    return ids


def expected(**options):
    texts = ["".join(LETTERS[number - 2] for number in row if number > 1) for row in token_ids().tolist()]
    return {name: score.value for name, score in mf.score_captions(texts, references(), **options).items()}


@pytest.mark.parametrize("convert", [np.asarray, torch.from_numpy, lambda ids: (ids, "other outputs")])
def test_token_ids_are_decoded_and_scored(convert):
    compute = caption_metrics(Letters(), references(), metrics=["cider_d", "bleu"], caption_tokenizer="char")
    for _ in range(2):
        result = compute(SimpleNamespace(predictions=convert(token_ids())))
        assert result == expected(metrics=["cider_d", "bleu"], tokenizer="char")


def test_batches_are_scored_after_the_last():
    compute = caption_metrics(Letters(), references())
    for _ in range(2):
        for start in range(0, ITEMS, 4):
            last = start + 4 >= ITEMS
            result = compute(SimpleNamespace(predictions=token_ids()[start : start + 4]), compute_result=last)
            assert result == (expected() if last else {})


def test_wrong_predictions_are_refused():
    compute = caption_metrics(Letters(), references())
    with pytest.raises(ValueError, match=r"are logits of shape .*predict_with_generate=True"):
        compute(SimpleNamespace(predictions=np.zeros((2, 3, 10), dtype="float32")))
    with pytest.raises(ValueError, match=r"need token ids of shape \(captions, tokens\)"):
        compute(SimpleNamespace(predictions=np.zeros(3, dtype="int64")))
    with pytest.raises(ValueError, match="the model made 3 captions, there are references of 11 items"):
        compute(SimpleNamespace(predictions=token_ids()[:3]))
    # Captions of a call that failed are forgotten.
    assert compute(SimpleNamespace(predictions=token_ids())) == expected()


class Rows(torch.utils.data.Dataset):
    def __len__(self):
        return ITEMS

    def __getitem__(self, index):
        ids = torch.tensor([2 + (index + step) % len(LETTERS) for step in range(5)] + [1])
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids}


@pytest.mark.parametrize("batched", [False, True])
def test_a_trainer_reports_the_scores_of_what_it_generates(tmp_path, batched):
    pytest.importorskip("accelerate")
    torch.manual_seed(0)
    size = {"d_model": 16, "d_ff": 32, "d_kv": 8, "num_layers": 1, "num_heads": 2, "vocab_size": len(LETTERS) + 2}
    model = transformers.T5ForConditionalGeneration(
        transformers.T5Config(**size, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1)
    )
    # An untrained model repeats the token that it starts from.
    model.generation_config.bad_words_ids = [[0]]
    arguments = transformers.Seq2SeqTrainingArguments(
        output_dir=str(tmp_path),
        per_device_eval_batch_size=4,
        predict_with_generate=True,
        generation_max_length=6,
        batch_eval_metrics=batched,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    compute = caption_metrics(Letters(), references(), metrics=["cider_d", "rouge_l"])
    trainer = transformers.Seq2SeqTrainer(model, arguments, eval_dataset=Rows(), compute_metrics=compute)
    result = trainer.evaluate()
    model.eval()
    rows = [Rows()[index] for index in range(ITEMS)]
    generated = [
        model.generate(row["input_ids"][None], attention_mask=row["attention_mask"][None], max_length=6)[0].tolist()
        for row in rows
    ]
    texts = ["".join(LETTERS[number - 2] for number in row if number > 1) for row in generated]
    assert any(texts)
    scores = mf.score_captions(texts, references(), metrics=["cider_d", "rouge_l"])
    assert result["eval_cider_d"] == pytest.approx(scores["cider_d"].value, abs=1e-15)
    assert result["eval_rouge_l"] == pytest.approx(scores["rouge_l"].value, abs=1e-15)
