"""Limits on the size of files and functions, and on untyped annotations."""

import ast
import re

import pytest

from source_files import BINDINGS, CORE, PYTHON, read, relative, tree

MAX_FILE = 400
MAX_FUNCTION = 60
MAX_UNTYPED = 31

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_python_files_and_functions_are_short(path):
    assert lines_of_code(read(path)) <= MAX_FILE
    functions = [(node.name, lines_of_body(node)) for node in ast.walk(tree(path)) if isinstance(node, FUNCTIONS)]
    assert [(name, length) for name, length in functions if length > MAX_FUNCTION] == []


def lines_of_code(text: str) -> int:
    """Count lines without docstrings, comments and blank lines: a limit on all lines would punish documentation."""
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            docstrings |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(bool(line.strip()) and line.lstrip()[0] != "#" and line_no not in docstrings for line_no, line in lines)


def lines_of_body(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_lines_of_python_are_counted():
    head = '"""Module.\n\nMore.\n"""\n\n# comment\nA = 1\n\n\n'
    text = head + 'def f():\n    """Do."""\n    b = (\n        A\n    )\n    return b\n'
    assert lines_of_code(text) == 6
    assert lines_of_body(ast.parse(text).body[2]) == 4


@pytest.mark.parametrize("path", CORE + BINDINGS, ids=relative)
def test_rust_files_and_functions_are_short(path):
    code = lines_of_rust(read(path)) if path.name != "tests.rs" else 0
    assert code <= MAX_FILE
    assert [(name, length) for name, length in rust_functions(read(path)) if length > MAX_FUNCTION] == []


def lines_of_rust(text: str) -> int:
    """Count lines without unit tests, comments and blank lines."""
    before_tests = text.partition("#[cfg(test)]\nmod ")[0]
    return sum(bool(line.strip()) and not line.lstrip().startswith("//") for line in before_tests.splitlines())


def rust_functions(text: str):
    """Yield names and numbers of lines; rustfmt puts the last brace under the first letter of the signature."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        head = re.match(r"(\s*)(?:pub(?:\([^)]*\))? )?(?:const )?(?:unsafe )?fn (\w+)", line)
        if head:
            ends = range(start, start + 1) if line.endswith((";", "}")) else range(start + 1, len(lines))
            end = next(index for index in ends if len(ends) == 1 or lines[index] == head[1] + "}")
            yield head[2], end - start + 1


def test_lines_of_rust_are_counted():
    text = (
        "    pub fn one() -> u32 { 1 }\n    fn two(\n        a: u32,\n    ) {\n        if a > 1 {\n        }\n    }\n"
    )
    assert list(rust_functions(text)) == [("one", 1), ("two", 6)]
    assert lines_of_rust("//! Page.\n\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n") == 1


def test_few_annotations_are_any():
    untyped = {relative(path): count for path in PYTHON if (count := len(re.findall(r"noqa:.*ANN401", read(path))))}
    assert sum(untyped.values()) <= MAX_UNTYPED, untyped
