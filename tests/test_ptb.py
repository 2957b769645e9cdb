"""The tokenizer `ptb` without Java: recorded output of the original, a plain definition, and hostile input."""

import json
import pickle
import time
import zipfile
from pathlib import Path

import pytest

import muge_fast as mf
import ptb_oracle
from muge_fast import _core
from muge_fast._internal import coco_files
from muge_fast._internal.coco_files import coco_file, jar_entries
from muge_fast.compat.pycocoevalcap import PTBTokenizer
from muge_fast.text import ptb
from ptb_texts import BREAKS, EXAMPLES, chinese_captions, coco_captions, hard_lines

GOLDEN = json.loads(Path(__file__).parent.joinpath("golden/ptb.json").read_text(encoding="utf-8"))["cases"]

# Final tokens of the original, recorded by hand.
KNOWN = {
    EXAMPLES[0]: "a man -lrb- left -rrb- ca n't ride mr. smith 's old horse in the u.s.",
    EXAMPLES[1]: "two dogs one black one white play w / a 3-foot stick it 's 5:30 p.m.",
    EXAMPLES[2]: "i 'm gon na say can not do n't & wo n't",
    EXAMPLES[3]: "the price is $ 1,000.50 or $ 20 -lrb- approx # 18 -rrb-",
    EXAMPLES[5]: "a t-shirt size xl/xxl 50 % off & 2\xa01/2 in wide",
    EXAMPLES[6]: "rock 'n' roll in the '90s",
}


def lines_of(captions, threads=None):
    return ptb.ptb_tokenizer().caption_lines(captions, threads)


def final(printed):
    """Return the lines of pycocoevalcap for what the program prints."""
    words = [line.rstrip().split(" ") for line in printed.split("\n")]
    return [" ".join(word for word in line if word not in ptb_oracle.PUNCTUATION) for line in words]


@pytest.mark.parametrize("name", GOLDEN)
def test_recorded_output_of_the_original(name):
    case = GOLDEN[name]
    assert lines_of(case["lines"]) == final(case["printed"])


@pytest.mark.parametrize("text", KNOWN)
def test_known_tokens(text):
    assert lines_of([text]) == [KNOWN[text]]
    assert mf.tokenize([text], "ptb") == [KNOWN[text].split(" ")]


@pytest.mark.parametrize("breaks", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_lines_equal_the_plain_definition(threads, breaks):
    captions = [*hard_lines(500, seed=threads, breaks=breaks), *EXAMPLES]
    assert lines_of(captions, threads) == ptb_oracle.caption_lines(captions)


def test_captions_alone_equal_the_plain_definition():
    captions = [*hard_lines(400, seed=7, breaks=True), *EXAMPLES, *chinese_captions()[:100]]
    assert mf.tokenize(captions, "ptb") == [ptb_oracle.caption_tokens(caption) for caption in captions]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_parts_of_long_texts_join_at_every_line(threads):
    # Long enough for several parts, with line breaks that the parts must agree about.
    captions = hard_lines(6000, seed=9, breaks=True) + ["in D.C."] * 3000 + ["The end"] * 3000
    expected = lines_of(captions, 1)
    assert lines_of(captions, threads) == expected
    alone = [ptb.ptb_tokenizer().caption_lines(captions[:100], threads)]
    assert alone == [ptb_oracle.caption_lines(captions[:100])]


def test_a_dot_at_the_end_of_a_line_depends_on_the_next_line():
    rows = lambda *texts: {index: [{"caption": text}] for index, text in enumerate(texts)}  # noqa: E731
    before_name = PTBTokenizer().tokenize(rows("in D.C.", "The end"))
    before_word = PTBTokenizer().tokenize(rows("in D.C.", "and so on"))
    assert before_name == {0: ["in d.c."], 1: ["the end"]}
    assert before_word == {0: ["in d.c."], 1: ["and so on"]}
    assert ptb_oracle.printed("in D.C.\nThe end") == "in d.c. .\nthe end"
    assert ptb_oracle.printed("in D.C.\nand so on") == "in d.c.\nand so on"


@pytest.mark.parametrize("character", BREAKS)
def test_line_breaks_shift_captions_as_in_the_original_and_warn(character):
    captions = {1: [{"caption": f"a {character} b"}], 2: [{"caption": "c"}], 3: [{"caption": "d"}]}
    texts = [rows[0]["caption"] for rows in captions.values()]
    expected = ptb_oracle.caption_lines(texts)
    assert len(expected) > len(texts)
    with pytest.warns(UserWarning, match="3 captions have 4 lines of tokens"):
        shifted = PTBTokenizer().tokenize(captions)
    assert shifted == {1: [expected[0]], 2: [expected[1]], 3: [expected[2]]}
    assert shifted[3] == ["c"]
    assert mf.tokenize(texts, "ptb") == [["a", "b"], ["c"], ["d"]]


def test_line_feeds_are_spaces():
    assert PTBTokenizer().tokenize({1: [{"caption": "a\nb"}, {"caption": "c"}]}) == {1: ["a b", "c"]}


def test_the_order_is_that_of_the_dictionary():
    rows = {"b": [{"caption": "One"}, {"caption": "Two"}], "none": [], "a": [{"caption": "Three"}]}
    assert PTBTokenizer().tokenize(rows) == {"b": ["one", "two"], "a": ["three"]}
    assert PTBTokenizer().tokenize({}) == {}


def test_wrong_captions_are_errors():
    with pytest.raises(KeyError, match="caption"):
        PTBTokenizer().tokenize({1: [{}]})
    with pytest.raises(TypeError, match=r"captions\[1\]: expected str, found NoneType"):
        PTBTokenizer().tokenize({1: [{"caption": "a"}, {"caption": None}]})
    with pytest.raises(ValueError, match=r"captions\[0\]: lone surrogate at character 1"):
        PTBTokenizer().tokenize({1: [{"caption": "a\ud800"}]})


def test_scores_name_the_tables():
    scores = mf.score_captions(["A red dress."], [["a red dress"]], tokenizer="ptb", metrics=["rouge_l"])
    assert scores["rouge_l"].value == 1.0
    assert ptb.signature() in scores["rouge_l"].signature
    assert ptb.signature() == f"ptb({ptb.SHA256[:8]})"


def test_prepared_captions_are_pickled_by_name():
    from muge_fast.text.tokenizers import Tokenizer  # noqa: PLC0415 - not public

    copy = pickle.loads(pickle.dumps(Tokenizer.resolve("ptb")))  # noqa: S301
    assert copy.split(["Don't"]) == [["do", "n't"]]
    assert copy.signature == ptb.signature()


# Hostile input


@pytest.mark.parametrize(
    "piece",
    ["(", "<a", "<a ", "a.", "'", "a-", "http://", "a@", "1,", "&", "1/", "-", ".", "$", "\xad", "U.S. ", "D.C.\n"],
)
def test_long_texts_take_little_time(piece):
    start = time.monotonic()
    assert mf.tokenize([piece * 20_000], "ptb")
    assert lines_of([piece * 20_000])
    assert time.monotonic() - start < 20


def class_file():
    (data,) = jar_entries(coco_file(ptb.ARCHIVE, purpose="the tests"), [ptb.CLASS_FILE])
    return data


def test_truncated_class_files_are_errors():
    data = class_file()
    for length in [*range(40), *range(100, len(data), 50_021), len(data) - 20_000]:
        with pytest.raises(ValueError, match=r"PTBLexer\.class: "):
            _core.Tokenizer.ptb(data[:length])


def test_changed_class_files_are_errors_or_tables():
    data = bytearray(class_file())
    for position in range(11, len(data), 20_011):
        changed = bytes([*data[:position], data[position] ^ 0x55, *data[position + 1 :]])
        try:
            tokenizer = _core.Tokenizer.ptb(changed)
        except ValueError as error:
            assert "PTBLexer.class" in str(error)  # noqa: PT017 - either outcome is right
        else:
            assert isinstance(tokenizer.caption_lines(list(EXAMPLES), 1), list)


def test_only_the_known_class_file_is_accepted(tmp_path, monkeypatch):
    path = tmp_path / "other.jar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(ptb.CLASS_FILE, class_file() + b"\0")
    monkeypatch.setattr(ptb, "coco_file", lambda *_, **__: path)
    ptb.ptb_tokenizer.cache_clear()
    try:
        with pytest.raises(OSError, match=r"other\.jar is damaged \(.* has SHA-256 .*expected"):
            ptb.ptb_tokenizer()
    finally:
        ptb.ptb_tokenizer.cache_clear()


def test_without_the_package_the_error_names_the_extra(monkeypatch):
    monkeypatch.setattr(coco_files, "PathFinder", type("Nothing", (), {"find_spec": staticmethod(lambda _: None)}))
    ptb.ptb_tokenizer.cache_clear()
    try:
        with pytest.raises(ImportError, match=r"pip install 'muge-fast\[coco\]'"):
            PTBTokenizer().tokenize({1: [{"caption": "a"}]})
    finally:
        ptb.ptb_tokenizer.cache_clear()


def test_coco_captions_are_read():
    images = coco_captions()
    assert len(images) == 40_504
    assert sum(map(len, images.values())) == 202_654
