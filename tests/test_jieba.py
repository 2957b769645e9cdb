"""The tokenizer "jieba" gives the tokens of Python's jieba: traps, random strings, random user dictionaries.

MUGE_FAST_FUZZ_ITEMS sets the number of random strings.
"""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

import muge_fast as mf

with warnings.catch_warnings():
    # jieba's regular expressions have escapes that newer versions of Python warn about.
    warnings.simplefilter("ignore")
    import jieba
    from jieba import finalseg

ITEMS = int(os.environ.get("MUGE_FAST_FUZZ_ITEMS", "20000"))
TEXTS_PER_DICT = 50

TRAPS = [
    "比分79-81，5-0，100-200元",
    "T-shirt ABS-CBN WES-5.4.5 iPhone-12 A_A9_9",
    "1.5% v2.0.1 4.5-5.0 3.14元 10kg 4K %.5%a.b1.%",
    "AT&T和c++，1_2+3#4&5，B超，--，...",
    "㐀㐁鿖鿗𠀀𪛖豈",
    "ＡＢ１２．５％",
    "好👍🏻棒👨‍👩‍👧❤️",
    "a\u3000b\xa0c\r\nd\n\re\tf\x1cg\u200bh",
    "γ射线和∶",
    "丨卄囗凵龥龦鼹",
    "结婚的和尚未结婚的，乒乓球拍卖完了",
    "",
]
COMMON = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里"
SIGNS = "，。、！：“”…·-.%+#&_/()~@*=ＡＢ１２．％😀👍🏻"
SPACES = [" ", "\t", "\n", "\r\n", "\r", "\u3000", "\xa0", "\x1c", "\x85", "\u200b", "\ufeff"]
ASCII = "abcxyzABCTS0123456789.-_+"


@pytest.fixture(autouse=True)
def no_forced_splits() -> Iterator[None]:
    """Clear the words of frequency 0, which jieba keeps in a global set."""
    finalseg.Force_Split_Words.clear()
    yield
    finalseg.Force_Split_Words.clear()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> jieba.Tokenizer:
    tokenizer = jieba.Tokenizer()
    # In the default folder jieba would use a cache of another version without a check.
    tokenizer.tmp_dir = str(tmp_path_factory.mktemp("jieba"))
    tokenizer.initialize()
    return tokenizer


@pytest.fixture(scope="module")
def words(original: jieba.Tokenizer) -> list[str]:
    return list(original.FREQ)


def with_user_dict(original: jieba.Tokenizer, path: Path) -> jieba.Tokenizer:
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total, tokenizer.initialized = dict(original.FREQ), original.total, True
    with path.open("rb") as file:
        tokenizer.load_userdict(file)
    return tokenizer


def random_piece(rng: Random, words: list[str]) -> str:
    kinds = [
        lambda: rng.choice(COMMON),
        lambda: chr(rng.randint(0x4E00, 0x9FFF)),
        lambda: rng.choice(words),
        lambda: "".join(rng.choices(ASCII, k=rng.randint(1, 4))),
        lambda: rng.choice(SIGNS),
        lambda: rng.choice(SPACES),
        lambda: chr(rng.choice([rng.randint(0, 0xD7FF), rng.randint(0xE000, 0x10FFFF), rng.randint(0x3400, 0x4DBF)])),
    ]
    return rng.choices(kinds, weights=[25, 15, 30, 15, 10, 3, 2])[0]()


def random_text(rng: Random, words: list[str]) -> str:
    return "".join(random_piece(rng, words) for _ in range(rng.randint(0, 10)))


def random_line(rng: Random, words: list[str]) -> str:
    word = "".join(random_piece(rng, words) for _ in range(rng.randint(1, 3))).replace("\n", "")
    frequency = rng.choice(["", "", " 0", " 1", " 5000", f" {rng.randint(0, 10**9)}"])
    return word + frequency + rng.choice(["", " n", " nz", " N1", " "])


def assert_equal(texts: list[str], tokenized: list[list[str]], original: jieba.Tokenizer) -> None:
    assert len(tokenized) == len(texts)
    for text, tokens in zip(texts, tokenized, strict=True):
        assert tokens == original.lcut(text), repr(text)


def test_traps(original: jieba.Tokenizer) -> None:
    assert_equal(TRAPS, mf.tokenize(TRAPS, "jieba"), original)


def test_random_strings(original: jieba.Tokenizer, words: list[str]) -> None:
    rng = Random(2020)
    texts = [random_text(rng, words) for _ in range(ITEMS)]
    assert_equal(texts, mf.tokenize(texts, "jieba"), original)


def test_runs_of_rare_characters(original: jieba.Tokenizer) -> None:
    # Without emission probabilities the scores of the hidden Markov model tie.
    rng = Random(2021)
    texts = ["".join(chr(rng.randint(0x4E00, 0x9FD5)) for _ in range(rng.randint(2, 30))) for _ in range(ITEMS // 20)]
    assert_equal(texts, mf.tokenize(texts, "jieba"), original)


@pytest.mark.parametrize("seed", range(10))
def test_random_user_dicts(seed: int, original: jieba.Tokenizer, words: list[str], tmp_path: Path) -> None:
    rng = Random(seed)
    lines = [random_line(rng, words) for _ in range(rng.choice([1, 5, 40]))]
    path = tmp_path / "words.txt"
    path.write_bytes((rng.choice(["", "\ufeff"]) + rng.choice(["\n", "\r\n"]).join(lines)).encode())
    # Texts of the dictionary's words, their prefixes and random pieces.
    added = [line.split(" ")[0] for line in lines]
    pieces = added + [word[:2] for word in added] + [random_piece(rng, words) for _ in added]
    texts = ["".join(rng.choices(pieces, k=rng.randint(1, 8))) for _ in range(TEXTS_PER_DICT)]
    assert_equal(texts, mf.tokenize(texts, "jieba", user_dict=path), with_user_dict(original, path))


@pytest.mark.parametrize(
    ("lines", "text", "tokens"),
    [
        ("云计算 5\n李小福 2 nr\n创新办 3 i", "李小福是创新办主任", "李小福 是 创新办 主任"),
        ("仙气减龄", "真的很仙气减龄", "真的 很 仙气减龄"),
        ("连衣裙 0", "红色连衣裙", "红色 连 衣裙"),
        ("杭研 0", "网易杭研大厦", "网易 杭 研 大厦"),
        ("\ufeff冰丝阔腿 10\r\n\r\n", "冰丝阔腿裤", "冰丝阔腿 裤"),
        ("", "连衣裙", "连衣裙"),
    ],
)
def test_user_dict(lines: str, text: str, tokens: str, original: jieba.Tokenizer, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(lines.encode())
    assert mf.tokenize([text], "jieba", user_dict=path) == [tokens.split(" ")]
    assert with_user_dict(original, path).lcut(text) == tokens.split(" ")


def test_frequencies_beyond_exact_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("连衣裙 3\n中国 99999999999999999999\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2"):
        mf.tokenize(["中国"], "jieba", user_dict=path)
