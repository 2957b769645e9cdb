"""Tokenizers give the tokens of their definitions."""

import gc
import re
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU

import data
import muge_fast as mf
import oracle

NAMES = ("muge", "char", "whitespace", "space", "13a", "zh")


def space(text: str) -> list[str]:
    return text.split(" ")


def sacrebleu(name: str, text: str) -> list[str]:
    """Return the tokens that BLEU counts: it strips the end of a text first, and splits at white space last."""
    return PEERS[name]._preprocess_segment(text).split()


PEERS = {name: BLEU(tokenize=name) for name in ("13a", "zh", "char")}
DEFINITIONS = {
    "muge": oracle.muge,
    "char": oracle.char,
    "whitespace": str.split,
    "space": space,
    "13a": partial(sacrebleu, "13a"),
    "zh": partial(sacrebleu, "zh"),
}
by_name = pytest.mark.parametrize("name", NAMES)

# Characters that the rules distinguish: punctuation, digits, letters, entities, all kinds of white space, Chinese and
# other scripts.
PARTS = [*" .,-<>&;'\"!~\n\t0159azA%红裙。“—", "\u3000", "\x1c", "\x85", "\u2028", "\u200b", "é", "Ａ", "０", "の"]
PARTS += [
    "&quot;",
    "&amp;",
    "&lt;",
    "&gt;",
    "<skipped>",
    "-\n",
    "2.5",
    "1,000",
    "79-81",
    "\u9fbb",
    "\u9fbc",
    "𠮷",
    "👍🏻",
]
MARKED = st.lists(st.sampled_from(PARTS), max_size=12).map("".join)
# Lone surrogates are not valid text.
ANY = st.text(st.characters(exclude_categories=["Cs"]))


def assert_tokens_as_defined(name: str, texts: list[str]) -> None:
    for text, tokens in zip(texts, mf.tokenize(texts, name), strict=True):
        assert tokens == DEFINITIONS[name](text), text


@by_name
@given(texts=st.lists(MARKED | ANY, max_size=8))
def test_any_text_is_tokenized_as_defined(name, texts):
    assert_tokens_as_defined(name, texts)


@by_name
def test_every_character_up_to_kana_is_tokenized_as_defined(name):
    """Test code points next to letters, digits, full stops and white space."""
    contexts = ["a{}b", "1{}2", "{}", "裙{}.{}5 {}", ".{},", "{}{}-{}"]
    for context in contexts:
        assert_tokens_as_defined(name, [context.replace("{}", chr(code)) for code in range(0x3100)])


@by_name
def test_every_character_of_the_basic_plane_is_tokenized_as_defined(name):
    codes = [code for code in range(0x1_0000) if not 0xD800 <= code < 0xE000]
    assert_tokens_as_defined(name, [f"a{chr(code)}1{chr(code)}红" for code in codes])
    assert_tokens_as_defined(name, [f"a{chr(code)}1{chr(code)}红" for code in range(0x1_0000, 0x11_0000, 251)])


@by_name
def test_real_captions_are_tokenized_as_defined(name):
    captions = data.caption_set(300, seed=21, references=3, length=(1, 8))
    assert_tokens_as_defined(name, [*captions.predictions, *(text for texts in captions.references for text in texts)])


@pytest.mark.parametrize(
    ("name", "text", "tokens"),
    [
        ("muge", "新款A字裙，XL2码 5.5折", ["新", "款", "A", "字", "裙", "，", "XL2", "码", "5", ".", "5", "折"]),
        ("muge", "Abc ABC", ["Abc", "ABC"]),
        ("muge", "ＡＢ１２é👍🏻", ["Ａ", "Ｂ", "１", "２", "é", "👍", "🏻"]),
        ("char", "新款 A字\u3000裙", ["新", "款", "A", "字", "裙"]),
        ("whitespace", " 红色\u3000连衣裙\t夏\x1c季 ", ["红色", "连衣裙", "夏", "季"]),
        ("space", " 红色  连衣裙\u3000", ["", "红色", "", "连衣裙\u3000"]),
        ("space", "", [""]),
        ("13a", "It's 50%, 79-81.", ["It's", "50", "%", ",", "79", "-", "81", "."]),
        ("zh", "新款2.5折", ["新", "款", "2.5", "折"]),
    ],
)
def test_examples(name, text, tokens):
    assert mf.tokenize([text], name) == [tokens]


def test_muge_is_the_default():
    assert mf.tokenize(["新款A字裙"]) == mf.tokenize(["新款A字裙"], "muge")


@by_name
def test_threads_do_not_change_tokens(name):
    texts = [f"{text}{index}" for index, text in enumerate(data.caption_set(900, seed=22).predictions)]
    expected = [DEFINITIONS[name](text) for text in texts]
    for threads in (1, 2, 3, 8, None):
        assert mf.tokenize(texts, name, threads=threads) == expected


def test_no_texts_give_no_tokens():
    assert mf.tokenize([]) == []
    assert mf.tokenize([""], "muge") == [[]]


def test_any_iterable_of_texts_is_accepted():
    assert mf.tokenize(("红裙", "a")) == [["红", "裙"], ["a"]]
    assert mf.tokenize(text for text in ["红裙"]) == [["红", "裙"]]


class Text(str):
    """A subclass of str, such as numpy.str_."""

    __slots__ = ()


def test_subclasses_of_str_are_texts():
    tokens = mf.tokenize([Text("红裙")])
    assert tokens == [["红", "裙"]]
    assert type(tokens[0][0]) is str


# Functions as tokenizers


def halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [text[:middle], text[middle:]]


def pairs(text: str):
    yield from re.findall("..?", text)


@pytest.mark.parametrize("function", [halves, pairs, str.split, tuple])
def test_functions_are_tokenizers(function):
    texts = ["红色连衣裙", "a b", ""]
    assert mf.tokenize(texts, function) == [list(function(text)) for text in texts]
    references = [["红色连衣裙", "红裙"], ["a b c d"], ["x"]]
    scores = mf.score_captions(texts, references, tokenizer=function, metrics=("cider_d", "bleu", "rouge_l", "cider"))
    expected = oracle.Oracle.from_texts(texts, references, lambda text: list(function(text)))
    for metric, score in scores.items():
        assert score.per_item.tolist() == expected.per_item(metric)


def test_functions_are_named_in_signatures():
    scores = mf.score_captions(["红裙"], [["红裙"]], tokenizer=halves, metrics=("bleu",))
    assert f"tokenizer:python({__name__}.halves)" in scores["bleu"].signature
    scores = mf.score_captions(["红裙"], [["红裙"]], tokenizer=partial(str.split, sep=" "), metrics=("bleu",))
    assert "tokenizer:python(" in scores["bleu"].signature


BAD_FUNCTIONS = [
    (TypeError, "references[0][0]: the tokenizer returned str, expected a list of str", lambda text: text),
    (TypeError, "references[0][0]: the tokenizer returned NoneType, expected a list", lambda _: None),
    (TypeError, "references[0][0]: the tokenizer returned int, expected a list of str", len),
    (TypeError, "references[0][0]: token 1: expected str, found int", lambda _: ["a", 1]),
    (TypeError, "references[0][0]: token 0: expected str, found int", str.encode),
    (TypeError, "references[0][0]: token 0: expected str, found list", lambda text: [[text]]),
    (ValueError, "references[0][0]: token 1: lone surrogate at character 2", lambda _: ["a", "bc\ud800"]),
]


@pytest.mark.parametrize(("error", "message", "function"), BAD_FUNCTIONS)
def test_functions_that_return_other_types_are_refused(error, message, function):
    with pytest.raises(error, match=re.escape(message)):
        mf.score_captions(["红"], [["红"]], tokenizer=function)


@pytest.mark.parametrize(("error", "message", "function"), BAD_FUNCTIONS)
def test_tokenize_refuses_them_too(error, message, function):
    with pytest.raises(error, match=re.escape(message.replace("references[0][0]", "texts[0]"))):
        mf.tokenize(["红"], function)


def test_an_exception_of_a_function_is_raised():
    def broken(text: str) -> list[str]:
        raise LookupError(text)

    with pytest.raises(LookupError, match="红"):
        mf.tokenize(["红"], broken)
    with pytest.raises(LookupError, match="红"):
        mf.score_captions(["黑"], [["红"]], tokenizer=broken)


BROKEN_FOR_FUNCTIONS = [
    ("references[0]: expected a list of str, found str", ["红"], ["红裙"]),
    ("references[0]: expected a list of str, found NoneType", ["红"], [None]),
    ("references[0][0]: expected str, found NoneType", ["红"], [[None]]),
    ("predictions[0]: expected str, found int", [3], [["红"]]),
]


@pytest.mark.parametrize(("message", "predictions", "references"), BROKEN_FOR_FUNCTIONS)
def test_texts_are_checked_before_a_function_is_called(message, predictions, references):
    with pytest.raises(TypeError, match=re.escape(message)):
        mf.score_captions(predictions, references, tokenizer=lambda text: [str(text)])


# Broken input


@pytest.mark.parametrize(
    ("error", "message", "texts"),
    [
        (TypeError, "texts: expected a sequence of str, found str", "红裙"),
        (TypeError, "texts: expected a sequence of str, found NoneType", None),
        (TypeError, "texts[1]: expected str, found NoneType", ["红", None]),
        (TypeError, "texts[0]: expected str, found bytes", [b"a"]),
        (TypeError, "texts[0]: expected str, found list", [["红"]]),
        (ValueError, "texts[2]: lone surrogate at character 1, not valid Unicode", ["红", "", "a\ud800"]),
        (ValueError, "texts[0]: lone surrogate at character 3", ["红👍b\udc00"]),
    ],
)
@by_name
def test_errors_name_the_text(name, error, message, texts):
    with pytest.raises(error, match=re.escape(message)):
        mf.tokenize(texts, name)


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (ValueError, "unknown tokenizer 'mecab', choose one of muge, char, whitespace, space", {"tokenizer": "mecab"}),
        (ValueError, "unknown tokenizer '', choose one of", {"tokenizer": ""}),
        (TypeError, "tokenizer: expected a name or a function, found int", {"tokenizer": 13}),
        (ValueError, "threads is 0, needs at least 1", {"threads": 0}),
        (ValueError, "user_dict: not used by tokenizer", {"user_dict": __file__}),
    ],
)
def test_errors_name_the_option(error, message, options):
    with pytest.raises(error, match=re.escape(message)):
        mf.tokenize(["红"], **options)


@pytest.mark.parametrize("is_on", [True, False])
def test_the_garbage_collector_is_restored(is_on):
    (gc.enable if is_on else gc.disable)()
    try:
        mf.tokenize(["新款"], "jieba")
        with pytest.raises(ValueError, match="surrogate"):
            mf.tokenize(["\ud800"])
        assert gc.isenabled() == is_on
    finally:
        gc.enable()
