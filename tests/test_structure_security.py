"""SECURITY.md: each statement names a test or an attack that exists, and each attack is listed."""

import re

import pytest

from source_files import BINDINGS, CORE, ROOT, read, relative

SECURITY = read(ROOT / "SECURITY.md")
LISTED = SECURITY + read(ROOT / "tests" / "attacks" / "README.md")
ATTACKS = sorted(path.stem for path in (ROOT / "tests" / "attacks").glob("*.py") if path.stem != "run")
# Paths of tests, and names of attacks, which stand in backticks without a suffix.
PATHS = sorted(set(re.findall(r"`((?:tests|rust|scripts)/[\w./]+|test_\w+\.py)(?:::(\w+))?`", SECURITY)))
NAMES = sorted(set(re.findall(r"`((?:[a-z\d]+_)+[a-z\d]+)`", SECURITY)) - {"muge_fast", "file_bytes", "line_bytes"})


@pytest.mark.parametrize(("path", "function"), PATHS)
def test_the_tests_that_are_named_exist(path, function):
    file = ROOT / (path if "/" in path else f"tests/{path}")
    assert file.exists()
    assert not function or f"def {function}(" in read(file)


@pytest.mark.parametrize("name", NAMES)
def test_the_attacks_that_are_named_exist(name):
    assert name in ATTACKS


@pytest.mark.parametrize("name", ATTACKS)
def test_every_attack_is_listed(name):
    assert f"`{name}`" in LISTED


def test_every_statement_names_what_holds_it():
    statements = re.findall(r"^- (.+(?:\n  .+)*)", SECURITY.partition("## What you must do")[0], re.MULTILINE)
    assert len(statements) > 10
    assert [text for text in statements if not re.search(r"`(test_|tests/|rust/|[a-z]+_[a-z\d_]+`)", text)] == []


def test_unsafe_code_is_where_the_document_says():
    """Comments and strings do not count, as they are not followed by a block, a function or an implementation."""
    used = {relative(path) for path in CORE + BINDINGS if re.search(r"\bunsafe (\{|fn|impl)", read(path))}
    assert {path for path in used if not path.startswith("rust/src/simd/")} == {"src/strings.rs"}
    assert len(re.findall(r"\bunsafe \{", read(ROOT / "src" / "strings.rs"))) == 2
