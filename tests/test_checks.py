"""Messages about ids that do not match and names that are misspelled say what was probably meant."""

import pytest

from muge_fast._internal.checks import align_ids, check_choice, check_names, other_form_hint


@pytest.mark.parametrize(
    ("given", "wanted", "message"),
    [
        (
            [0, 1],
            ["0", "1"],
            "lack 2 ids of references: '0', '1'; ids of predictions are int, those of references str: the id is there",
        ),
        (
            ["1", "0"],
            [0, 1],
            "lack .*: 0, 1; ids of predictions are str, those of references int: the id is there as a",
        ),
        ([b"a"], ["a"], "ids of predictions are bytes, those of references str: the id is there as a bytes"),
        ([7.0], ["7"], "ids of predictions are float, those of references str: the id is there as a float"),
        (["007"], ["7"], "lack 1 id of references: '7'; the id '7' is there as '007'$"),
        (["a "], ["a"], "lack 1 id of references: 'a'; the id 'a' is there as 'a '$"),
        (["b"], ["a"], "lack 1 id of references: 'a'$"),
    ],
)
def test_ids_that_differ_only_in_type_or_form_are_named(given, wanted, message):
    with pytest.raises(ValueError, match=message):
        align_ids(given, wanted, given_name="predictions", wanted_name="references")


def test_the_hint_for_one_missing_id():
    assert other_form_hint("10000", range(20_000)) == "; the id is there as an int: 10000"
    assert other_form_hint(23, ["000023"]) == "; the id is there as a str: '000023'"
    assert other_form_hint("0", ["000"]) == "; the id is there as '000'"
    assert other_form_hint("x", [1, None, ("x",)]) == ""


@pytest.mark.parametrize(
    ("name", "meant"),
    [("CIDEr-D", "cider_d"), ("ciderd", "cider_d"), ("bleu_4", "bleu"), ("BLEU", "bleu"), ("ROUGE-L", "rouge_l")],
)
def test_names_close_to_a_choice_are_suggested(name, meant):
    for check in (check_names, lambda option, names, choices: check_choice(option, names[0], choices)):
        with pytest.raises(ValueError, match=f"^unknown metrics '{name}', choose .*; did you mean '{meant}'\\?$"):
            check("metrics", [name], ["cider_d", "bleu", "rouge_l"])


def test_other_names_are_not_suggested():
    with pytest.raises(ValueError, match=r"choose from cider_d, bleu, rouge_l$"):
        check_names("metrics", ["meteor"], ["cider_d", "bleu", "rouge_l"])


def test_aliases_are_names_of_the_same_choice():
    aliases = {"bleu4": "bleu", "ciderd": "cider_d"}
    assert check_names("metrics", ["BLEU-4", "CIDEr-D"], ["cider_d", "bleu"], aliases) == ("bleu", "cider_d")
    with pytest.raises(ValueError, match="metrics has 'bleu' more than once"):
        check_names("metrics", ["bleu", "bleu_4"], ["cider_d", "bleu"], aliases)


def test_a_very_long_name_is_refused_at_once():
    # Comparing all of it with the choices would take hours.
    with pytest.raises(ValueError, match="unknown metrics"):
        check_names("metrics", ["cider" * 10_000_000], ["cider_d", "bleu"])
