"""Laws that hold for every set of captions."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import data
import muge_fast as mf
import oracle

METRICS = ("cider_d", "cider", "bleu", "rouge_l")


@st.composite
def caption_sets(draw, alphabet: str, min_items: int = 2) -> data.CaptionSet:
    """Small sets of short captions of few letters, so that n-grams repeat."""
    caption = st.text(alphabet, max_size=12)
    item = st.tuples(caption, st.lists(caption, min_size=1, max_size=4))
    items = draw(st.lists(item, min_size=min_items, max_size=8))
    return data.CaptionSet([prediction for prediction, _ in items], [gold for _, gold in items])


ANY = caption_sets("ab红裙 ")


def score(captions: data.CaptionSet, **options) -> mf.Scores:
    options = {"tokenizer": "char", "metrics": METRICS, **options}
    return mf.score_captions(captions.predictions, captions.references, **options)


def bits(scores: mf.Scores) -> dict[str, tuple[bytes, bytes, dict[str, float]]]:
    """Return value, scores of items and parts of each metric, to the last bit."""
    return {
        name: (np.float64(score.value).tobytes(), score.per_item.tobytes(), dict(score.parts))
        for name, score in scores.items()
    }


def per_item(scores: mf.Scores, indices: list[int] | None = None) -> dict[str, list[float]]:
    return {
        name: (score.per_item if indices is None else score.per_item[indices]).tolist()
        for name, score in scores.items()
    }


def frequency(captions: data.CaptionSet, **options) -> mf.DocumentFrequency:
    return mf.DocumentFrequency.from_references(captions.references, **{"tokenizer": "char", **options})


# Equal to the oracle


@pytest.mark.parametrize("alphabet", ["a", "ab", "abc红裙 ", "abcdefghij"])
@settings(max_examples=75)
@given(drawn=st.data())
def test_small_sets_have_the_bits_of_the_oracle(alphabet, drawn):
    captions = drawn.draw(caption_sets(alphabet))
    expected = oracle.Oracle.from_texts(captions.predictions, captions.references, oracle.char)
    scores = score(captions)
    for metric in METRICS:
        np.testing.assert_array_equal(scores[metric].per_item, expected.per_item(metric), err_msg=metric)
    assert [scores["bleu"].parts[f"bleu_{order}"] for order in oracle.ORDERS] == expected.bleu()


# Enough tokens for n-grams to be counted in several blocks and partitions; in the last set, more than 64 a caption.
@pytest.mark.parametrize(
    ("items", "alphabet", "length"),
    [(900, "ab", 16), (1200, "abcdefgh", 16), (700, "abcdefghijklmnopqrstuvwxyz", 24), (40, "abcdefghij", 400)],
)
@pytest.mark.parametrize("source", ["counted", "table"])
def test_medium_sets_have_the_bits_of_the_oracle(items, alphabet, length, source):
    captions = data.letters(items, seed=len(alphabet), alphabet=alphabet, length=length)
    table = frequency(captions) if source == "table" else None
    scores = score(captions, document_frequency=table)
    expected = oracle.Oracle.from_texts(captions.predictions, captions.references, oracle.char)
    for metric in METRICS:
        np.testing.assert_array_equal(scores[metric].per_item, expected.per_item(metric), err_msg=metric)


@given(captions=caption_sets("ab红", min_items=1), counted=caption_sets("ab裙"))
def test_frequencies_of_other_references_give_the_bits_of_the_oracle(captions, counted):
    tokens = [[oracle.char(text) for text in texts] for texts in counted.references]
    idf = oracle.Idf(oracle.document_frequency(tokens), len(tokens))
    expected = oracle.Oracle.from_texts(captions.predictions, captions.references, oracle.char, idf)
    scores = score(captions, document_frequency=frequency(counted))
    for metric in METRICS:
        np.testing.assert_array_equal(scores[metric].per_item, expected.per_item(metric), err_msg=metric)


@given(captions=ANY, drawn=st.data())
def test_impossible_counts_give_the_bits_of_the_oracle(captions, drawn):
    """Counts of other code may be larger for an n-gram than for its tokens, or than the number of documents."""
    tokens = [[oracle.char(text) for text in texts] for texts in captions.references]
    ngrams = sorted(oracle.document_frequency(tokens))
    counts = {ngram: drawn.draw(st.integers(0, 9)) for ngram in ngrams if drawn.draw(st.booleans())}
    idf = oracle.Idf(counts, 5.5)
    expected = oracle.Oracle(list(map(oracle.char, captions.predictions)), tokens, idf)
    scores = score(captions, document_frequency=mf.DocumentFrequency.from_counts(5.5, counts))
    for metric in ("cider_d", "cider"):
        np.testing.assert_array_equal(scores[metric].per_item, expected.per_item(metric), err_msg=metric)


# More distinct tokens than two-byte ids can represent


def many_words(count: int, start: int = 0) -> str:
    return " ".join(f"w{index}" for index in range(start, start + count))


@pytest.fixture(scope="module")
def spaced() -> data.CaptionSet:
    captions = data.letters(200, seed=11, alphabet="abcdef", length=12)
    return data.CaptionSet(
        [" ".join(text) for text in captions.predictions], [[" ".join(t) for t in gold] for gold in captions.references]
    )


@pytest.mark.parametrize("words", [65_520, 65_535, 65_536, 70_000])
def test_a_large_vocabulary_of_references_changes_nothing(spaced, words):
    # One more item, which has no token in common with the rest; only the length of its reference differs.
    small, large = (
        data.CaptionSet([*spaced.predictions, "x"], [*spaced.references, [filler]])
        for filler in ("filler", many_words(words))
    )
    indices = list(range(len(spaced)))
    for table in (None, frequency(spaced, tokenizer="whitespace")):
        narrow, wide = (
            score(captions, document_frequency=table, tokenizer="whitespace") for captions in (small, large)
        )
        assert per_item(narrow, indices) == per_item(wide, indices)


def test_a_large_vocabulary_of_predictions_changes_nothing(spaced):
    captions = mf.Captions(spaced.references, tokenizer="whitespace")
    short = captions.score([*spaced.predictions[:-1], "a b"], metrics=METRICS)
    long = captions.score([*spaced.predictions[:-1], f"a b {many_words(70_000)}"], metrics=METRICS)
    indices = list(range(len(spaced) - 1))
    assert per_item(short, indices) == per_item(long, indices)
    # Both match two tokens; the other words of the longer one are in no reference.
    assert 0 < long["rouge_l"].per_item[-1] < short["rouge_l"].per_item[-1]


def test_all_of_a_large_document_frequency_table_is_used():
    references = [[many_words(40_000)], [f"{many_words(40_000, 30_000)} a b"], ["a b c"]]
    table = mf.DocumentFrequency.from_references(references, tokenizer="whitespace")
    assert [table.count([word]) for word in ("w0", "w30000", "w39999", "w69999", "a", "w70000")] == [1, 2, 2, 1, 2, 0]
    assert table.count(["w35000", "w35001", "w35002", "w35003"]) == 2
    counts = oracle.document_frequency([[text.split() for text in texts] for texts in references])
    assert table.to_counts() == counts
    captions = data.CaptionSet(["a b c w35000 w35001", "w1 w2 w3"], [["a b w35000 w35001"], ["w1 w2 w69999"]])
    idf = oracle.Idf(counts, 3)
    expected = oracle.Oracle.from_texts(captions.predictions, captions.references, str.split, idf)
    scores = score(captions, tokenizer="whitespace", document_frequency=table)
    for metric in METRICS:
        np.testing.assert_array_equal(scores[metric].per_item, expected.per_item(metric), err_msg=metric)


# The same bits however the work is divided


@pytest.mark.parametrize("threads", [2, 3, 8, None])
@pytest.mark.parametrize("source", ["counted", "table"])
def test_threads_do_not_change_bits(threads, source):
    captions = data.caption_set(700, seed=12, references=5)
    table = frequency(captions, tokenizer="muge") if source == "table" else None
    options = {"tokenizer": "muge", "document_frequency": table}
    assert bits(score(captions, threads=threads, **options)) == bits(score(captions, threads=1, **options))
    assert frequency(captions, threads=threads).fingerprint == frequency(captions, threads=1).fingerprint


def test_prepared_references_score_as_unprepared_ones():
    captions = data.caption_set(300, seed=13, references=5)
    expected = bits(score(captions, tokenizer="muge"))
    prepared = mf.Captions(captions.references)
    other = data.caption_set(300, seed=14).predictions
    for _ in range(2):
        assert bits(prepared.score(captions.predictions, metrics=METRICS)) == expected
        prepared.score(other, metrics=METRICS, threads=3)
    separate = {metric: prepared.score(captions.predictions, metrics=(metric,))[metric] for metric in METRICS}
    assert bits(mf.Scores(separate, 300)) == expected


@given(captions=ANY, drawn=st.data())
def test_items_chosen_by_id_score_as_in_the_whole_set(captions, drawn):
    indices = drawn.draw(st.lists(st.sampled_from(range(len(captions))), min_size=1, max_size=20))
    prepared = mf.Captions(captions.references, tokenizer="char")
    whole = prepared.score(captions.predictions, metrics=METRICS)
    chosen = prepared.score([captions.predictions[i] for i in indices], ids=indices, metrics=METRICS)
    assert per_item(chosen) == per_item(whole, indices)
    assert chosen.ids == indices


@pytest.mark.parametrize("size", [1, 15, 16, 17, 33, 50, 256, 257, 511, 513, 699])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_batches_score_as_in_the_whole_set(size, threads):
    captions = data.caption_set(700, seed=12, references=5)
    indices = Random(size).sample(range(700), size)
    prepared = mf.Captions(captions.references)
    batch = prepared.score([captions.predictions[i] for i in indices], ids=indices, metrics=METRICS, threads=threads)
    assert per_item(batch) == per_item(prepared.score(captions.predictions, metrics=METRICS), indices)


@given(captions=caption_sets("ab红裙 ", min_items=1), drawn=st.data())
def test_merged_shards_score_as_the_whole_set(captions, drawn):
    options = {"document_frequency": frequency(captions)}
    cuts = sorted(drawn.draw(st.sets(st.integers(1, max(1, len(captions) - 1)), max_size=3)) | {0, len(captions)})
    indices = [list(range(start, end)) for start, end in pairwise(cuts)]
    shards = [score(captions.select(shard), **options) for shard in indices]
    assert bits(mf.Scores.merge(shards)) == bits(score(captions, **options))


def test_merged_shards_of_a_large_set_score_as_the_whole_set():
    captions = data.caption_set(1000, seed=15, references=3)
    options = {"tokenizer": "muge", "document_frequency": frequency(captions, tokenizer="muge"), "smoothing": "exp"}
    shards = [
        score(captions.select(list(range(start, min(1000, start + 130)))), **options) for start in range(0, 1000, 130)
    ]
    merged = mf.Scores.merge(mf.Scores.merge([shard]) for shard in shards)
    assert bits(merged) == bits(score(captions, **options))
    assert merged["cider_d"].signature == score(captions, **options)["cider_d"].signature


# Symmetries


@given(captions=ANY, random=st.randoms(use_true_random=False))
def test_the_order_of_items_is_kept_and_does_not_matter(captions, random: Random):
    indices = list(range(len(captions)))
    random.shuffle(indices)
    whole, shuffled = score(captions), score(captions.select(indices))
    assert per_item(shuffled) == per_item(whole, indices)
    # BLEU adds integers, which is exact; means of fractions may round differently in another order.
    assert shuffled["bleu"].parts == whole["bleu"].parts
    for metric in METRICS:
        assert shuffled[metric].value == pytest.approx(whole[metric].value, abs=1e-12)


@given(captions=ANY, letters=st.permutations("ab红裙cde和"))
def test_renaming_tokens_changes_nothing(captions, letters):
    table = str.maketrans("ab红裙", "".join(letters[:4]))
    renamed = data.CaptionSet(
        [text.translate(table) for text in captions.predictions],
        [[text.translate(table) for text in texts] for texts in captions.references],
    )
    assert bits(score(renamed)) == bits(score(captions))


@given(captions=ANY)
def test_repeated_references_change_nothing(captions):
    once = score(captions)
    twice = score(data.CaptionSet(captions.predictions, [[*texts, *texts] for texts in captions.references]))
    for metric in ("bleu", "rouge_l"):
        assert bits(once)[metric] == bits(twice)[metric]
    single = [index for index, texts in enumerate(captions.references) if len(texts) == 1]
    for metric in ("cider_d", "cider"):
        np.testing.assert_allclose(twice[metric].per_item, once[metric].per_item, rtol=0, atol=1e-12)
        # Twice the same number, divided by two, has the same bits; sums over several references may round differently.
        assert per_item(twice, single)[metric] == per_item(once, single)[metric]


@given(captions=ANY, random=st.randoms(use_true_random=False))
def test_the_order_of_references_does_not_matter(captions, random: Random):
    shuffled = data.CaptionSet(captions.predictions, [random.sample(t, len(t)) for t in captions.references])
    before, after = score(captions), score(shuffled)
    for metric in ("bleu", "rouge_l"):
        assert bits(before)[metric] == bits(after)[metric]
    for metric in ("cider_d", "cider"):
        np.testing.assert_allclose(after[metric].per_item, before[metric].per_item, rtol=0, atol=1e-12)


@given(captions=ANY)
@example(data.CaptionSet(["红裙", "ab"], [["红裙"], ["ab"]]))
def test_scores_are_in_their_range(captions):
    scores = score(captions)
    # Rounding can make a perfect CIDEr slightly larger than 10.
    for metric, largest in {"cider_d": 10 + 1e-9, "cider": 10 + 1e-9, "bleu": 1, "rouge_l": 1}.items():
        assert all(0 <= value <= largest for value in [*scores[metric].per_item, scores[metric].value])
    assert all(np.array_equal(s.value, np.mean(s.per_item)) for n, s in scores.items() if n != "bleu")


@given(texts=st.lists(st.text("ab红裙", min_size=4, max_size=12), min_size=2, max_size=6, unique=True))
def test_a_caption_equal_to_a_reference_is_perfect(texts):
    scores = score(data.CaptionSet(texts, [[text, "和"] for text in texts]))
    assert scores["rouge_l"].value == 1.0
    assert scores["bleu"].value == pytest.approx(1.0, abs=1e-8)
