"""Batches of prepared references: merging, signatures, and prepared references in other processes."""

import copy
import io
import pickle
import re
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from random import Random

import numpy as np
import pytest

import data
import muge_fast as mf

METRICS = ("cider_d", "cider", "bleu", "rouge_l")


def bits(scores: mf.Scores) -> dict:
    return {
        name: (np.float64(score.value).tobytes(), score.per_item.tobytes(), dict(score.parts))
        for name, score in scores.items()
    }


def prepare(size: int, seed: int = 3) -> tuple[dict[str, str], dict[str, list[str]]]:
    texts = data.caption_set(size, seed=seed, references=3)
    ids = [f"image {index}" for index in range(size)]
    return dict(zip(ids, texts.predictions, strict=True)), dict(zip(ids, texts.references, strict=True))


def split(items: list, random: Random) -> list[list]:
    cuts = sorted({0, len(items), *random.choices(range(1, len(items)), k=random.randint(1, 6))})
    return [items[start:end] for start, end in pairwise(cuts)]


# Merging


@pytest.mark.parametrize("seed", range(8))
def test_merged_batches_have_the_bits_of_the_whole(seed):
    random = Random(seed)
    predictions, references = prepare(random.choice([2, 17, 150]), seed)
    captions = mf.Captions(references)
    whole = captions.score(predictions, metrics=METRICS)
    batches = split(list(predictions), random)
    as_lists = [captions.score([predictions[i] for i in ids], ids=ids, metrics=METRICS) for ids in batches]
    as_mappings = [captions.score({i: predictions[i] for i in ids}, metrics=METRICS) for ids in batches]
    for merged in (mf.Scores.merge(as_lists), mf.Scores.merge(as_mappings)):
        assert merged.ids == whole.ids
        assert bits(merged) == bits(whole) == bits(mf.score_captions(predictions, references, metrics=METRICS))


@pytest.mark.parametrize("seed", range(4))
def test_batches_with_several_samples_for_an_id_have_the_bits_of_the_whole(seed):
    random = Random(seed)
    predictions, references = prepare(20, seed)
    texts = list(predictions.values())
    samples = {key: random.choices(texts, k=random.randint(1, 4)) for key in references}
    captions = mf.Captions(references)
    whole = captions.score(samples, metrics=METRICS)
    batches = split(list(samples), random)
    flat = [[(key, text) for key in ids for text in samples[key]] for ids in batches]
    as_mappings = [captions.score({key: samples[key] for key in ids}, metrics=METRICS) for ids in batches]
    as_lists = [
        captions.score([text for _, text in pairs], ids=[key for key, _ in pairs], metrics=METRICS) for pairs in flat
    ]
    for merged in (mf.Scores.merge(as_mappings), mf.Scores.merge(as_lists)):
        assert merged.ids == whole.ids == [key for pairs in flat for key, _ in pairs]
        assert bits(merged) == bits(whole)
        # The value of the whole set is the mean over samples, each scored alone.
        alone = [
            captions.score([text], ids=[key], metrics=("cider_d",))["cider_d"].value for p in flat for key, text in p
        ]
        assert merged["cider_d"].value == pytest.approx(sum(alone) / len(alone), abs=1e-12)
    with pytest.raises(ValueError, match="is in more than one shard"):
        mf.Scores.merge([*as_mappings, captions.score({key: samples[key] for key in batches[0][:1]}, metrics=METRICS)])


def test_batches_of_sequences_merge():
    texts = data.caption_set(50, seed=4)
    captions = mf.Captions(texts.references)
    batches = [
        captions.score(texts.predictions[start : start + 20], ids=range(start, min(50, start + 20)))
        for start in range(0, 50, 20)
    ]
    merged = mf.Scores.merge(batches)
    assert merged.ids == list(range(50))
    assert bits(merged) == bits(captions.score(texts.predictions))


def test_batches_score_as_with_the_document_frequency_of_all_references():
    predictions, references = prepare(40)
    table = mf.DocumentFrequency.from_references(references)
    some = {item: predictions[item] for item in list(predictions)[5:11]}
    explicit = mf.Captions(references, document_frequency=table).score(some, metrics=METRICS)
    assert bits(mf.Captions(references).score(some, metrics=METRICS)) == bits(explicit)


def test_batches_of_other_references_are_refused():
    predictions, references = prepare(6)
    fewer = {item: references[item] for item in list(references)[:5]}
    first, second = list(predictions.items())[:2]
    batches = [mf.Captions(references).score(dict([first])), mf.Captions(fewer).score(dict([second]))]
    message = (
        r"shards\[1\] was scored as .*references\(5 items, \w{16}\).*, shards\[0\] as .*references\(6 items, \w{16}\)"
    )
    with pytest.raises(ValueError, match=message + ".*; score batches with one Captions, or pass one document_freq"):
        mf.Scores.merge(batches)
    # The other metrics do not depend on other items.
    without = [{name: batch[name] for name in ("bleu", "rouge_l")} for batch in batches]
    merged = mf.Scores.merge(mf.Scores(batch, 1, scores.ids) for batch, scores in zip(without, batches, strict=True))
    assert merged["rouge_l"].per_item.shape == (2,)


def test_whole_sets_are_not_merged_as_batches():
    predictions, references = prepare(4)
    halves = [dict(list(references.items())[:2]), dict(list(references.items())[2:])]
    whole = [mf.Captions(half).score({item: predictions[item] for item in half}) for half in halves]
    with pytest.raises(ValueError, match="each shard counted document frequencies in its own references"):
        mf.Scores.merge(whole)


# Signatures


def fingerprint(references: list[list[str]]) -> str:
    """The hash of references of characters, as rust/src/caption/reference_ids.rs defines it."""
    mask = 2**64 - 1

    def hash_of(content: bytes) -> int:
        value = 0xCBF29CE484222325
        for byte in content:
            value = (value ^ byte) * 0x100000001B3 & mask
        value = (value ^ value >> 32) * 0x9E3779B97F4A7C15 & mask
        return value ^ value >> 29

    def word(number: int) -> bytes:
        return number.to_bytes(8, "little")

    total = hash_of(word(len(references)))
    for texts in references:
        hashes = [hash_of(b"".join(word(hash_of(token.encode())) for token in text)) for text in texts]
        total += hash_of(word(sum(hashes) & mask))
    return f"{total & mask:016x}"


def test_the_signature_of_a_batch_names_the_references():
    references = [["红色裙", "裙子"], ["黑鞋"], ["白衬衫"]]
    captions = mf.Captions(references)
    batch, whole = captions.score(["红裙"], ids=[0]), captions.score(["红裙", "鞋", "衫"])
    described = f"document_frequency:references(3 items, {fingerprint(references)})|"
    assert described in batch["cider_d"].signature
    assert "document_frequency:references|" in whole["cider_d"].signature
    assert whole["bleu"].signature == batch["bleu"].signature
    # The order of items and of references has no effect on document frequencies.
    shuffled = mf.Captions([["白衬衫"], ["裙子", "红色裙"], ["黑鞋"]]).score(["红裙"], ids=[1])
    assert shuffled["cider_d"].signature == batch["cider_d"].signature


def test_samples_are_batches():
    captions = mf.Captions({"a": ["红裙"], "b": ["黑鞋"]})
    assert "references(2 items" in captions.score({"a": ["红裙子", "长裙"], "b": ["黑色", "鞋子"]})["cider_d"].signature


# Pickles


def split_at_commas(text: str) -> list[str]:
    return text.split(",")


OPTIONS = {
    "plain": {},
    "jieba": {"tokenizer": "jieba"},
    "empty tokens": {"tokenizer": "space"},
    "a function": {"tokenizer": split_at_commas},
    "document frequency": {"document_frequency": mf.DocumentFrequency.from_references([["红色"], ["裙子", "色"]])},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_pickled_references_score_the_same_bits(options, protocol):
    predictions, references = prepare(60)
    references["image 3"] = ["", "  two  spaces ", "红,色"]
    captions = mf.Captions(references, **options)
    restored = pickle.loads(pickle.dumps(captions, protocol))  # noqa: S301 - ours
    some = {item: predictions[item] for item in list(predictions)[7:30]}
    assert (repr(restored), restored.ids) == (repr(captions), captions.ids)
    assert restored.score(predictions, metrics=METRICS) == captions.score(predictions, metrics=METRICS)
    batches = [captions.score(some, metrics=METRICS), restored.score(some, metrics=METRICS)]
    assert batches[0] == batches[1]


def test_pickled_references_keep_the_user_dictionary(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("夏季新款 100\n", encoding="utf-8")
    captions = mf.Captions([["夏季新款连衣裙"], ["黑色皮鞋"]], tokenizer="jieba", user_dict=path)
    dumped = pickle.dumps(captions)
    path.unlink()
    predictions = ["夏季新款裙", "皮鞋"]
    assert pickle.loads(dumped).score(predictions) == captions.score(predictions)  # noqa: S301 - ours


def test_references_are_saved_by_torch():
    torch = pytest.importorskip("torch")
    captions = mf.Captions({"a": ["红色裙"], "b": ["黑鞋"]})
    file = io.BytesIO()
    torch.save({"captions": captions}, file)
    file.seek(0)
    restored = torch.load(file, weights_only=False)["captions"]
    assert restored.score({"a": "红裙", "b": "鞋"}) == captions.score({"a": "红裙", "b": "鞋"})
    assert copy.deepcopy(captions) is captions


@pytest.mark.slow
def test_batches_of_other_processes_merge():
    predictions, references = prepare(90)
    captions = mf.Captions(references)
    batches = [{item: predictions[item] for item in list(predictions)[start::3]} for start in range(3)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        merged = mf.Scores.merge(pool.map(captions.score, batches))
    whole = captions.score(predictions)
    order = [merged.ids.index(item) for item in whole.ids]
    for name in whole:
        assert merged[name].per_item[order].tobytes() == whole[name].per_item.tobytes()
    assert re.search(r"references\(90 items, \w{16}\)", merged["cider_d"].signature)


def test_predictions_of_many_tokens_are_scored_in_parts_with_the_same_bits():
    # More characters than are taken at once; each half has fewer.
    texts = {number: "红裙黑鞋新款夏季"[number % 8 :] * 50_000 for number in range(40)}
    assert sum(map(len, texts.values())) > 2**23
    references = {number: ["红色裙新款", "黑鞋夏季" * (number % 3 + 1)] for number in texts}
    together = mf.score_captions(texts, references, tokenizer="char", metrics=["cider_d", "bleu"])
    captions = mf.Captions(references, tokenizer="char")
    for half in (range(20), range(20, 40)):
        scores = captions.score({number: texts[number] for number in half}, metrics=["cider_d", "bleu"])
        for name, score in scores.items():
            assert np.array_equal(together[name].per_item[half.start : half.stop], score.per_item), name
