"""Wording: the phrases that ``scripts/count_phrases.py`` lists are not used anywhere in the repository."""

import pytest

from count_phrases import REFUSED, files, find, first_words

FILES = dict(files(None))
PYTHON = [name for name in FILES if name.endswith(".py") and not name.startswith("tests/")]

# Files that may hold a phrase: (file, phrase) and why.
EXCEPTIONS: dict[tuple[str, str], str] = {}


@pytest.mark.parametrize("name", FILES)
def test_phrases_that_are_avoided_do_not_occur(name):
    wrong = [
        f"{name}:{line}: {words!r}, write {phrase.instead}"
        for line, phrase, words in find(name, FILES[name], REFUSED)
        if (name, phrase.name) not in EXCEPTIONS
    ]
    assert wrong == []


@pytest.mark.parametrize("name", PYTHON)
def test_docstrings_of_functions_begin_with_a_verb(name):
    assert [f"{name}:{line}: begins with {words!r}" for line, words in first_words(FILES[name])] == []


def test_every_exception_is_used():
    named = {name for name, _ in EXCEPTIONS}
    used = {(name, phrase.name) for name in named for _, phrase, _ in find(name, FILES.get(name, ""), REFUSED)}
    assert set(EXCEPTIONS) - used == set()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "# this is\n# told\nx = 1\n"),
        ("a.py", 'def f():\n    """Be.\n\n    It is told.\n    """\n'),
        ("a.py", 'x = f"it is told {y}"\n'),
        ("a.py", "def what_is_told():\n    pass\n"),
        ("a.rs", "    /// It is\n    /// told.\n"),
        ("a.rs", 'let x = "it is told";\n'),
        ("a.md", "It is told.\n"),
        ("tests/a.py", "# told\n"),
    ],
)
def test_phrases_are_found_in_comments_docstrings_messages_and_names(name, text):
    assert [words for _, _, words in find(name, text, REFUSED)] == ["told"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tests/a.py", 'x = "it is told"\n'),
        ("a.py", "untold = 1\n"),
        ("a.md", "There is no tail. It is no longer here, as for NumPy. Besides, there\nis no other.\n"),
    ],
)
def test_other_text_is_left_alone(name, text):
    assert list(find(name, text, REFUSED)) == []


def test_phrases_are_found_over_line_ends_with_their_line():
    text = "# one\n# It is\n# none.\n"
    assert [(line, phrase.name) for line, phrase, _ in find("a.py", text, REFUSED)] == [(2, "is none")]
