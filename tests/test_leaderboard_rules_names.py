"""Names: hostile ones are refused, those that look the same have one skeleton, others keep their form."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muge_fast.leaderboard.rules.confusables import CAPITALS, LETTERS, PAIRS
from muge_fast.leaderboard.rules.names import MAX_LENGTH, check_unique, clean_name, skeleton
from muge_fast.leaderboard.rules.refusals import RefusalError

GOOD = [
    "红裙一队",
    "Team Rot-Weiß",
    "équipe 7",
    "ทีมดี",
    "टीम",
    "がんばれ",
    "команда",
    "Ελλάδα",
    "فريق",
    "7",
    "队",
    "R&D",
]
GOOD += ["Nguyễn Văn A", "O'Neil", "c.v.", "team ❤️", "🚀 up", "x" * MAX_LENGTH, "队" * MAX_LENGTH, "a/b", "№ 5"]


@pytest.mark.parametrize("name", GOOD)
def test_names_of_many_scripts_are_kept(name):
    assert clean_name(name) == unicodedata.normalize("NFC", name)
    assert skeleton(name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name_empty"),
        (" \t\n\u3000\u00a0\u2003 ", "name_empty"),
        ("a\u202eb", "name_invisible_character"),  # overrides the direction
        ("a\u2066b", "name_invisible_character"),
        ("a\u200bb", "name_invisible_character"),  # zero width
        ("a\u200db", "name_invisible_character"),
        ("a\ufeffb", "name_invisible_character"),
        ("a\u00adb", "name_invisible_character"),
        ("a\u3164b", "name_invisible_character"),  # a letter that is blank
        ("a\u2800b", "name_invisible_character"),
        ("a\u034fb", "name_invisible_character"),
        ("a\ufe0fb", "name_invisible_character"),  # chooses a form, but not of an emoji
        ("队\U000e0100", "name_invisible_character"),
        ("a\U000e0041", "name_invisible_character"),  # a tag
        ("a\x00b", "name_invisible_character"),
        ("a\x1b[31mb", "name_invisible_character"),
        ("a\ud800", "name_invisible_character"),
        ("a\ue000", "name_invisible_character"),
        ("a\U0010ffff", "name_invisible_character"),
        ("x" * (MAX_LENGTH + 1), "name_too_long"),
        ("x" * 10_000, "name_too_long"),
        ("队" * (MAX_LENGTH + 1), "name_too_long"),
        ("\u0301" * 10_000, "name_too_long"),
        ("a" + "\u0301\u0302\u0303\u0304", "name_marks"),  # NFC takes the first
        ("\u0301a", "name_marks"),
        ("🚀🚀🚀🚀 a", "name_symbols"),
        ("🚀", "name_without_letters"),
        ("---", "name_formula"),
        ("...", "name_without_letters"),
        ("=HYPERLINK(1)", "name_formula"),
        ("+1", "name_formula"),
        ("@all", "name_formula"),
        ("-team", "name_formula"),
        ("＝SUM(1)", "name_formula"),
        ("＠all", "name_formula"),
        ("<b>a</b>", "name_markup"),
        ("<script>alert(1)</script>", "name_markup"),
        ("Admin", "name_reserved"),
        ("аdmіn", "name_reserved"),  # Cyrillic
        ("o-r-g-a-n-i-z-e-r", "name_reserved"),
        ("MUGE_fast", "name_reserved"),
        ("组委会", "name_reserved"),
    ],
)
def test_hostile_names_are_refused_in_both_languages(name, code):
    with pytest.raises(RefusalError) as caught:
        clean_name(name)
    assert caught.value.code == code
    for lang in ("en", "zh"):
        message = caught.value.message(lang)
        assert len(message) < 300
        assert message.isprintable()


RIVAL = "Red Team 1"
LOOKALIKES = [
    "red team 1",
    "REDTEAM1",
    "Rеd Tеam 1",
    "ｒｅｄ　ｔｅａｍ　１",
    "Réd Teäm 1",
    "Red_Team-1",
    "Red Team I",
    "Red Team l",
]
LOOKALIKES += ["𝐑𝐞𝐝 𝐓𝐞𝐚𝐦 𝟏", "Ⓡⓔⓓ Ⓣⓔⓐⓜ ①", "Red Tearn 1", "Red Τeam 1", "Red Team |", "Red… Team 1!", "rEd tEaM ı"]


@pytest.mark.parametrize("name", LOOKALIKES)
def test_names_that_look_like_a_rival_are_taken(name):
    assert skeleton(name) == skeleton(RIVAL)
    with pytest.raises(RefusalError, match="is taken, or looks like one that is: choose another") as caught:
        check_unique(name, [skeleton("Blue"), skeleton(RIVAL)])
    assert caught.value.code == "name_taken"
    assert RIVAL not in str(caught.value)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("ΝΑΤΟ", "NATO"),  # Greek capitals
        ("АВС", "ABC"),  # Cyrillic capitals
        ("ѕсорe", "scope"),
        ("0penAI", "OpenAl"),
        ("vvin", "win"),
        ("ローマ", "口一マ"),  # katakana and Chinese characters
        ("Straße", "STRASSE"),
        ("ﬁne", "fine"),
    ],
)
def test_more_pairs_that_look_the_same(left, right):
    assert skeleton(left) == skeleton(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("红裙", "红群"),
        ("己", "已"),
        ("队一", "队二"),
        ("五队", "5队"),
        ("か", "が"),
        ("ทีมก", "ทีมข"),
        ("Team 1", "Team 2"),
        ("red", "rad"),
        ("hat", "nat"),
        ("team+", "team"),
        ("🚀 a", "🐼 a"),
    ],
)
def test_names_that_differ_stay_apart(left, right):
    assert skeleton(left) != skeleton(right)
    check_unique(left, [skeleton(right)])


texts = st.one_of(st.text(max_size=60), st.text(st.characters(categories=["L", "N", "P", "S", "Z", "Mn"]), max_size=60))


def cleaned_or_refusal(text):
    try:
        return clean_name(text)
    except RefusalError as refusal:
        return refusal


@given(texts)
def test_any_text_is_accepted_in_one_form_or_refused(text):
    name = cleaned_or_refusal(text)
    if isinstance(name, RefusalError):
        assert name.code.startswith("name_")
        assert name.message("zh") != name.message("en")
        return
    assert clean_name(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert name == name.strip()
    assert "  " not in name
    assert name.isprintable()
    assert not set(name) & set("<>")
    assert name[0] not in "=+-@＝＋－＠"
    name.encode("utf-8")
    assert any(letter.isalnum() or unicodedata.category(letter)[0] in "LN" for letter in name)


@given(texts)
def test_skeletons_are_stable_and_ignore_form_width_and_spaces(text):
    made = skeleton(text)
    assert skeleton(made) == made
    assert skeleton(unicodedata.normalize("NFD", text)) == skeleton(unicodedata.normalize("NFC", text))
    assert skeleton(f" {text}\u3000") == made
    assert not any(letter.isspace() for letter in made)


@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_.", max_size=30))
def test_skeletons_ignore_the_case_of_latin(text):
    assert skeleton(text.upper()) == skeleton(text.lower()) == skeleton(text)
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)
    assert skeleton(wide) == skeleton(text)


def test_letters_that_stand_for_a_group_are_in_no_other():
    chosen = "".join([*LETTERS.values(), *CAPITALS_TO, *PAIRS.values()])
    assert [letter for letter in chosen if ord(letter) in LETTERS and letter not in "i1"] == []
    assert len(set(LETTERS)) == len(LETTERS)


CAPITALS_TO = [chr(letter) for letter in CAPITALS.values()]


def test_a_name_of_another_type_is_a_type_error():
    with pytest.raises(TypeError, match="name must be a string, got 7"):
        clean_name(7)
