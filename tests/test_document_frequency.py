"""Document frequencies: counting, saving, loading, and their use."""

import os
import pickle
import re
import sys
from collections import defaultdict
from pathlib import Path
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import data
import muge_fast as mf
import oracle

COUNTS = {("红",): 3, ("红", "裙"): 2, ("a", "b", "c", "d"): 1, ("", "é"): 4}
CAPTION = st.text("ab红 ", max_size=10)
ITEMS = st.lists(st.lists(CAPTION, min_size=1, max_size=3), min_size=1, max_size=6)


def table(references=(("红色裙", "红裙"), ("黑鞋",), ("红鞋",)), **options) -> mf.DocumentFrequency:
    return mf.DocumentFrequency.from_references(references, **options)


def scores(frequency: mf.DocumentFrequency, tokenizer: str = "muge") -> bytes:
    """Return the bits of CIDEr and CIDEr-D with these frequencies."""
    options = {"metrics": ("cider", "cider_d"), "document_frequency": frequency, "tokenizer": tokenizer}
    result = mf.score_captions(["红裙a b c d", "黑鞋"], [["红色裙 a b c d"], ["黑鞋红"]], **options)
    return b"".join(score.per_item.tobytes() for score in result.values())


# Counting


@given(references=ITEMS)
def test_counts_equal_the_oracle(references):
    expected = oracle.document_frequency([[oracle.char(text) for text in texts] for texts in references])
    counted = table(references, tokenizer="char")
    assert counted.to_counts() == expected
    assert (counted.documents, len(counted)) == (len(references), len(expected))
    assert all(counted.count(ngram) == count for ngram, count in expected.items())


@pytest.mark.parametrize(
    ("tokenizer", "tokenize"), [("muge", oracle.muge), ("char", oracle.char), ("whitespace", str.split)]
)
def test_counts_of_a_large_set_equal_the_oracle(tokenizer, tokenize):
    references = data.caption_set(1500, seed=31, references=4).references
    expected = oracle.document_frequency([[tokenize(text) for text in texts] for texts in references])
    assert table(references, tokenizer=tokenizer).to_counts() == expected


def test_references_may_be_a_mapping():
    by_id = table({"x": ["红裙"], ("y", 1): ["黑鞋"]})
    assert by_id.fingerprint == table([["红裙"], ["黑鞋"]]).fingerprint
    assert by_id.tokenizer == "muge"


def test_functions_may_be_tokenizers():
    counted = table([["红 裙"], ["红 鞋"]], tokenizer=str.split)
    assert counted.count(["红"]) == 2
    assert counted.tokenizer.startswith("python(")


def test_unknown_ngrams_count_zero():
    assert [table().count(ngram) for ngram in (["无"], [], ["红"] * 5, ["裙", "红"])] == [0, 0, 0, 0]
    with pytest.raises(TypeError, match=r"ngram\[0\]: expected str, found int"):
        table().count([5])


def test_repr_has_the_size():
    counted = table([["红裙"], ["黑"]])
    assert repr(counted) == f"DocumentFrequency(2 documents, 4 n-grams, {counted.fingerprint})"


# The fingerprint


@given(references=ITEMS, random=st.randoms(use_true_random=False))
def test_the_fingerprint_does_not_depend_on_order(references, random: Random):
    counted = table(references, tokenizer="char")
    shuffled = table(random.sample(references, len(references)), tokenizer="char")
    assert shuffled.fingerprint == counted.fingerprint
    counts = list(counted.to_counts().items())
    random.shuffle(counts)
    rebuilt = mf.DocumentFrequency.from_counts(len(references), dict(counts))
    assert rebuilt.fingerprint == counted.fingerprint


def test_different_tables_have_different_fingerprints():
    tables = [
        mf.DocumentFrequency.from_counts(9, COUNTS),
        mf.DocumentFrequency.from_counts(10, COUNTS),
        mf.DocumentFrequency.from_counts(9, COUNTS | {("红",): 4}),
        mf.DocumentFrequency.from_counts(9, COUNTS | {("裙",): 3}),
        mf.DocumentFrequency.from_counts(
            9, {("裙", "红") if ngram == ("红", "裙") else ngram: COUNTS[ngram] for ngram in COUNTS}
        ),
        mf.DocumentFrequency.from_counts(9, {}),
    ]
    assert len({each.fingerprint for each in tables}) == len(tables)
    assert re.fullmatch("[0-9a-f]{16}", tables[0].fingerprint)


# Counts of other code


def test_counts_round_trip():
    counted = mf.DocumentFrequency.from_counts(9, {ngram: float(count) for ngram, count in COUNTS.items()})
    assert counted.to_counts() == COUNTS
    assert (counted.documents, counted.tokenizer) == (9.0, None)
    for number in (np.int64, np.uint32, np.float32, np.float64):
        counted = mf.DocumentFrequency.from_counts(number(9), {n: number(count) for n, count in COUNTS.items()})
        assert counted.to_counts() == COUNTS
    assert mf.DocumentFrequency.from_counts(2.5, {("a",): 2**32 - 2}).to_counts() == {("a",): 2**32 - 2}


def test_the_largest_count_round_trips():
    counts = {("a",): 2**32 - 1, ("a", "b"): 2**32 - 1}
    assert mf.DocumentFrequency.from_counts(9, counts).to_counts() == counts


def test_counts_of_an_unknown_tokenizer_are_accepted_with_any():
    counted = mf.DocumentFrequency.from_counts(9, COUNTS)
    assert len({scores(counted, tokenizer) for tokenizer in ("muge", "char")}) == 1


BROKEN_COUNTS = [
    ("number of documents is 0", 0, {}),
    ("number of documents is -3", -3, {}),
    ("documents must be a finite number, got nan", float("nan"), {}),
    ("documents must be a finite number, got inf", float("inf"), {}),
    ("documents must be a finite number, got 1000", 10**400, {}),
    ("n-gram 'ab' is not a tuple of 1 to 4 strings", 3, {"ab": 1}),
    ("n-gram () is not a tuple of 1 to 4 strings", 3, {(): 1}),
    ("is not a tuple of 1 to 4 strings", 3, {tuple("abcde"): 1}),
    ("n-gram ('a', 5) is not a tuple", 3, {("a", 5): 1}),
    ("n-gram (b'a',) is not a tuple", 3, {(b"a",): 1}),
    ("count of ('a',) is True", 3, {("a",): True}),
    ("count of ('a',) is -1", 3, {("a",): -1}),
    ("count of ('a',) is 1.5", 3, {("a",): 1.5}),
    ("count of ('a',) is nan", 3, {("a",): float("nan")}),
    ("count of ('a',) is inf", 3, {("a",): float("inf")}),
    ("count of ('a',) is 4294967296, needs a whole number from 0 to 4294967295", 3, {("a",): 2**32}),
    ("count of ('a',) is '3'", 3, {("a",): "3"}),
    ("count of ('a',) is None", 3, {("a",): None}),
    ("lone surrogate at character 1", 3, {("a", "b\ud800"): 1}),
]


@pytest.mark.parametrize(("message", "documents", "counts"), BROKEN_COUNTS, ids=[case[0] for case in BROKEN_COUNTS])
def test_broken_counts_are_refused(message, documents, counts):
    with pytest.raises(ValueError, match=re.escape(message)):
        mf.DocumentFrequency.from_counts(documents, counts)


@pytest.mark.parametrize("documents", ["9", None, True])
def test_a_number_of_documents_of_the_wrong_type_is_refused(documents):
    with pytest.raises(TypeError, match="documents must be a number, got"):
        mf.DocumentFrequency.from_counts(documents, COUNTS)


@pytest.mark.parametrize(
    ("error", "message", "references"),
    [
        (ValueError, "references is empty", []),
        (ValueError, "references[1] is empty, needs at least one reference", [["红"], []]),
        (TypeError, "references[0]: expected a list of str, found str", ["红", "裙"]),
        (TypeError, "references[0][0]: expected str, found NoneType", [[None]]),
        (ValueError, "references['x'][0]: lone surrogate at character 0", {"x": ["\ud800"]}),
    ],
)
def test_errors_name_the_reference(error, message, references):
    with pytest.raises(error, match=re.escape(message)):
        table(references)


# Use


def test_another_tokenizer_than_that_of_the_table_is_refused():
    counted = table(tokenizer="char")
    with pytest.raises(ValueError, match="document_frequency was counted with tokenizer char, not muge"):
        mf.Captions([["红裙"]], document_frequency=counted)
    assert len(scores(counted, "char")) == 32


def test_frequencies_of_the_same_references_change_no_bit():
    references = data.caption_set(200, seed=32, references=3)
    with_table = mf.score_captions(
        references.predictions, references.references, document_frequency=table(references.references)
    )
    without = mf.score_captions(references.predictions, references.references)
    np.testing.assert_array_equal(with_table["cider_d"].per_item, without["cider_d"].per_item)


# Files


@pytest.mark.parametrize("name", ["table.npz", "table", "table.p", "table.pkl", "table.pickle"])
@pytest.mark.parametrize("tokenizer", ["muge", "char"])
def test_a_saved_table_round_trips(tmp_path, name, tokenizer):
    counted = table(tokenizer=tokenizer)
    counted.save(tmp_path / name)
    loaded = mf.DocumentFrequency.load(str(tmp_path / name))
    assert loaded.to_counts() == counted.to_counts()
    assert (loaded.documents, loaded.fingerprint) == (counted.documents, counted.fingerprint)
    # Pickles do not keep the tokenizer.
    assert loaded.tokenizer == (None if name in ("table.p", "table.pkl", "table.pickle") else tokenizer)
    assert scores(loaded, tokenizer) == scores(counted, tokenizer)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_counts_of_unusual_tokens_round_trip(tmp_path):
    counts = COUNTS | {("\x00",): 1, ("\n", "\u3000", "👍🏻", ""): 2, ("长" * 1000,): 5, ("zero",): 0}
    for name in ("table.npz", "table.p"):
        mf.DocumentFrequency.from_counts(9.5, counts).save(tmp_path / name)
        loaded = mf.DocumentFrequency.load(tmp_path / name)
        assert (loaded.documents, loaded.to_counts()) == (9.5, counts)


def test_a_table_of_many_tokens_round_trips(tmp_path):
    references = [[f"w{index}"] for index in range(66_000)] + [["w65998 w65999 w1 w0"]] * 2
    counted = table(references, tokenizer="whitespace")
    for name in ("table.npz", "table.p"):
        counted.save(tmp_path / name)
        loaded = mf.DocumentFrequency.load(tmp_path / name)
        assert loaded.fingerprint == counted.fingerprint
        assert [loaded.count(ngram) for ngram in (["w1"], ["w2"], ["w65999", "w1", "w0"])] == [3, 1, 2]


@pytest.mark.parametrize("name", ["table.npz", "table.p"])
def test_an_empty_table_round_trips(tmp_path, name):
    table([[""], [" "]]).save(tmp_path / name)
    loaded = mf.DocumentFrequency.load(tmp_path / name)
    assert (loaded.documents, len(loaded)) == (2.0, 0)


def test_a_saved_pickle_can_be_read_by_other_code(tmp_path):
    table().save(tmp_path / "table.p")
    with (tmp_path / "table.p").open("rb") as file:
        loaded = pickle.load(file, encoding="latin1")  # noqa: S301 - saved above
    assert loaded["ref_len"] == 3
    assert loaded["document_frequency"] == table().to_counts()
    # Other scorers look up n-grams that the table does not have.
    assert isinstance(loaded["document_frequency"], defaultdict)
    assert loaded["document_frequency"][("无",)] == 0.0


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "table.npz"
    table().save(path)
    before = path.read_bytes()

    def broken(_, file):
        file.write(b"half")
        raise OSError("disk is full")

    monkeypatch.setattr(mf.DocumentFrequency, "_write_arrays", broken)
    with pytest.raises(OSError, match="disk is full"):
        table([["黑"]]).save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.npz"]


def test_a_save_replaces_the_old_file(tmp_path):
    path = tmp_path / "table.npz"
    table().save(path)
    table([["黑"], ["白"]]).save(path)
    assert mf.DocumentFrequency.load(path).documents == 2.0


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions")
def test_a_saved_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "other").touch()
    table().save(tmp_path / "table.npz")
    assert (tmp_path / "table.npz").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_saving_and_loading_missing_paths_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        table().save(tmp_path / "missing" / "table.npz")
    with pytest.raises(FileNotFoundError):
        mf.DocumentFrequency.load(tmp_path / "missing.npz")
    with pytest.raises(IsADirectoryError):
        mf.DocumentFrequency.load(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes and devices with a path")
def test_pipes_and_devices_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(ValueError, match=f"^{path}: not a regular file$"):
            mf.DocumentFrequency.load(path, max_bytes=1000)


def test_at_most_the_checked_size_is_read(tmp_path, monkeypatch):
    path = tmp_path / "table.p"
    table().save(path)
    mode = path.stat().st_mode
    monkeypatch.setattr(os, "fstat", lambda _: SimpleNamespace(st_size=5, st_mode=mode))
    with pytest.raises(ValueError, match="not a table of document frequencies"):
        mf.DocumentFrequency.load(path, max_bytes=5)


# The pickles of self-critical training


@pytest.fixture
def load(tmp_path):
    def load_bytes(content: bytes, name: str = "table.p") -> mf.DocumentFrequency:
        path: Path = tmp_path / name
        path.write_bytes(content)
        return mf.DocumentFrequency.load(path)

    return load_bytes


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("default", [None, float])
@pytest.mark.parametrize("documents", [9, 9.0])
def test_plain_pickles_are_read(load, protocol, default, documents):
    counts = {ngram: float(count) for ngram, count in COUNTS.items()}
    frequency = defaultdict(default, counts) if default else counts
    loaded = load(pickle.dumps({"ref_len": documents, "document_frequency": frequency}, protocol))
    assert (loaded.documents, loaded.to_counts()) == (9.0, COUNTS)
    assert loaded.tokenizer is None
    assert scores(loaded) == scores(mf.DocumentFrequency.from_counts(9, COUNTS))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_integers_are_read(load, protocol):
    content = {"ref_len": 9, "document_frequency": defaultdict(int, COUNTS)}
    assert load(pickle.dumps(content, protocol)).to_counts() == COUNTS


def python_2(word: bytes) -> bytes:
    """Return a pickle of protocol 2 with byte strings, as by Python 2: ``{(word, word): 2.0}`` and 3 documents."""
    string = b"U" + bytes([len(word)]) + word
    counts = (
        b"ccollections\ndefaultdict\nc__builtin__\nfloat\n\x85R("
        + string
        + string
        + b"\x86G@\x00\x00\x00\x00\x00\x00\x00u"
    )
    return b"\x80\x02}(U\x07ref_lenK\x03U\x12document_frequency" + counts + b"u."


def test_pickles_of_python_2_are_read(load):
    assert load(python_2("红".encode())).to_counts() == {("红", "红"): 2}
    assert load(python_2(b"dress")).to_counts() == {("dress", "dress"): 2}
    # Not UTF-8: read as Latin-1, in which every byte is valid.
    assert load(python_2(b"caf\xe9")).to_counts() == {("café", "café"): 2}


def test_pickles_may_have_further_entries(load):
    content = {"ref_len": 9, "document_frequency": COUNTS, "made by": "other code", "version": 1.5}
    assert load(pickle.dumps(content)).to_counts() == COUNTS
