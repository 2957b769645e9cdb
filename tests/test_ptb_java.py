"""The tokenizer `ptb` against the original in Java."""

import pytest

from ptb_jar import has_java, jar_output
from ptb_texts import EXAMPLES, chinese_captions, coco_captions, hard_lines
from test_ptb import final, lines_of

pytestmark = [pytest.mark.java, pytest.mark.slow, pytest.mark.skipif(not has_java(), reason="needs Java")]


def of_coco():
    return [caption for captions in coco_captions().values() for caption in captions][:70_000]


def of_every_character():
    """A line for each character that breaks no line: alone, and between letters in upper case."""
    codes = [*range(0x20, 0xD800), *range(0xE000, 0x11000), *range(0x1D400, 0x1D500), *range(0x1F300, 0x1F400)]
    characters = [chr(code) for code in codes if chr(code) not in "\x85\u2028\u2029"]
    return [f"a{character}B {character}" for character in characters]


CASES = {
    "coco": of_coco,
    "chinese": chinese_captions,
    "hard": lambda: hard_lines(20_000, seed=100),
    "breaks": lambda: [*EXAMPLES[:-1], *hard_lines(15_000, seed=101, breaks=True)],
    "every character": of_every_character,
}


@pytest.mark.parametrize("name", CASES)
def test_every_line_equals_the_original(name):
    captions = [caption.replace("\n", " ") for caption in CASES[name]()]
    ours, theirs = lines_of(captions), final(jar_output("\n".join(captions)))
    assert [pair for pair in zip(ours, theirs, strict=False) if pair[0] != pair[1]][:5] == []
    assert len(ours) == len(theirs)
