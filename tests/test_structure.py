"""Rules that the source keeps to: layers, sizes, what is documented, what is imported."""

import ast
import inspect
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import muge_fast as mf
from muge_fast import _core

ROOT = Path(__file__).parent.parent
PYTHON = sorted((ROOT / "python").rglob("*.py"))
CORE = sorted((ROOT / "rust" / "src").rglob("*.rs"))
BORDER = sorted((ROOT / "src").rglob("*.rs"))
MODULES = [name for name in mf.__all__ if inspect.ismodule(getattr(mf, name))]
PUBLIC = [name for name in mf.__all__ if not name.startswith("__") and name not in MODULES]

MAX_FILE = 400
MAX_FUNCTION = 60


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# Imports


def modules_after(statement: str) -> set[str]:
    script = f"{statement}; import sys; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())  # noqa: S603 - our own script


def test_importing_the_package_imports_numpy_and_nothing_else():
    added = modules_after("import muge_fast") - modules_after("import numpy")
    foreign = {name.partition(".")[0] for name in added} - sys.stdlib_module_names
    assert foreign <= {"muge_fast", "numpy"}
    # What takes time is modules; the standard library has its share in them.
    assert len(added) < 80


def test_scoring_imports_no_reference_implementation():
    script = "import muge_fast as mf; mf.tokenize(['红裙'], 'jieba'); mf.score_captions(['红', '裙'], [['红'], ['裙']])"
    roots = {name.partition(".")[0] for name in modules_after(script)}
    assert not roots & {"torch", "scipy", "jieba", "sacrebleu", "pycocoevalcap", "pandas"}


# Layers


def test_the_core_knows_nothing_of_python():
    manifest = read(ROOT / "rust" / "Cargo.toml")
    assert "pyo3" not in manifest
    assert not [relative(path) for path in CORE if re.search(r"\bpyo3\b|\bnumpy::", read(path))]


def test_the_core_reads_no_files_and_prints_nothing():
    forbidden = re.compile(r"std::(fs|process|net)\b|\be?print(ln)?!|\bdbg!")
    assert not [relative(path) for path in CORE if forbidden.search(code_of(path))]


def code_of(path: Path) -> str:
    """A Rust file without its tests and comments."""
    text = "" if path.name == "tests.rs" else read(path).partition("#[cfg(test)]\nmod ")[0]
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)


def test_every_export_of_the_core_is_used_in_python():
    python = "\n".join(read(path) for path in PYTHON)
    exports = [name for name in dir(_core) if not name.startswith("__")]
    assert not [name for name in exports if not re.search(rf"\b_core\.{name}\b", python)]
    classes = [getattr(_core, name) for name in exports if inspect.isclass(getattr(_core, name))]
    members = [f"{made.__name__}.{name}" for made in classes for name in vars(made) if not name.startswith("__")]
    unused = [member for member in members if not re.search(rf"\.{member.partition('.')[2]}\b", python)]
    # The list of tokenizers is for the tests of the stub and of the documentation.
    assert set(unused) <= {"Tokenizer.NAMES", "Tokenizer.name"}


def test_objects_of_the_core_are_frozen():
    tokenizer = _core.Tokenizer("muge")
    with pytest.raises(AttributeError):
        tokenizer.name = "char"
    with pytest.raises(AttributeError):
        tokenizer.other = 1


def test_the_tokenizers_of_the_core_are_those_of_the_documentation():
    named = re.findall(r'``"([^"`]+)"``', mf.tokenize.__doc__ or "")
    assert list(dict.fromkeys(named)) == _core.Tokenizer.NAMES


# Documentation


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example(name):
    made = getattr(mf, name)
    documented = [made, *(member for key, member in inspect.getmembers(made) if not key.startswith("_"))]
    assert inspect.getdoc(made)
    assert any(">>>" in (inspect.getdoc(member) or "") for member in documented)


def functions(name: str) -> list:
    made = getattr(mf, name)
    if not inspect.isclass(made):
        return [made]
    own = [made, *(getattr(made, key) for key in vars(made) if not key.startswith("_"))]
    return [member for member in own if callable(member)]


@pytest.mark.parametrize("function", [f for name in PUBLIC for f in functions(name)], ids=lambda f: f.__qualname__)
def test_every_public_function_is_documented(function):
    documentation = inspect.getdoc(function) or ""
    assert re.match(r"[A-Z].*\.", documentation), "no first sentence"
    parameters = [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]
    if "Args:" in documentation:
        assert not [name for name in parameters if not re.search(rf"^ +{name}: ", documentation, re.MULTILINE)]


@pytest.mark.parametrize("function", [f for name in PUBLIC for f in functions(name)], ids=lambda f: f.__qualname__)
def test_options_are_keyword_only(function):
    if function in (mf.Score, mf.Scores, mf.DocumentFrequency):
        pytest.skip("made by the library, not by its users")
    parameters = inspect.signature(function).parameters.values()
    positional = [made.name for made in parameters if made.default is not made.empty and made.kind != made.KEYWORD_ONLY]
    assert positional == (["tokenizer"] if function is mf.tokenize else [])


def test_the_version_is_the_same_everywhere():
    manifest = re.search(r'^version = "([^"]+)"', read(ROOT / "Cargo.toml"), re.MULTILINE)
    assert mf.__version__ == version("muge-fast") == manifest.group(1)


# Sizes


@pytest.mark.parametrize("path", CORE + BORDER, ids=relative)
def test_rust_files_are_short(path):
    before_tests = "" if path.name == "tests.rs" else read(path).partition("#[cfg(test)]\nmod ")[0]
    assert before_tests.count("\n") <= MAX_FILE


@pytest.mark.parametrize("path", CORE + BORDER, ids=relative)
def test_rust_functions_are_short(path):
    assert not [(name, length) for name, length in rust_functions(read(path)) if length > MAX_FUNCTION]


def rust_functions(text: str):
    """Names and lengths; rustfmt puts the last brace under the first letter of the head."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        head = re.match(r"(\s*)(?:pub(?:\([^)]*\))? )?(?:const )?(?:unsafe )?fn (\w+)", line)
        if head:
            ends = range(start, start + 1) if line.endswith((";", "}")) else range(start + 1, len(lines))
            end = next(number for number in ends if len(ends) == 1 or lines[number] == head[1] + "}")
            yield head[2], end - start + 1


def test_the_counter_of_lines_counts():
    text = (
        "    pub fn one() -> u32 { 1 }\n    fn two(\n        a: u32,\n    ) {\n        if a > 1 {\n        }\n    }\n"
    )
    assert list(rust_functions(text)) == [("one", 1), ("two", 6)]


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_python_files_and_functions_are_short(path):
    text = read(path)
    assert lines_of_code(text) <= MAX_FILE
    lengths = [(node.name, statements(node)) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    assert not [made for made in lengths if made[1] > MAX_FUNCTION]


def lines_of_code(text: str) -> int:
    """Lines without docstrings, comments and blank lines: a limit on all lines would punish documentation."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            docstrings |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(bool(line.strip()) and line.lstrip()[0] != "#" and number not in docstrings for number, line in lines)


def statements(function: ast.FunctionDef) -> int:
    """Lines of a function's body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


# What must not get into the repository

GENERATED = {".git", ".venv", "target", "dist", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
GENERATED |= {".hypothesis", ".benchmarks"}


def source_files() -> list[Path]:
    """All files that somebody wrote: what is built is left out by name, what is no text by its content."""
    found, folders = [], [ROOT]
    while folders:
        for path in folders.pop().iterdir():
            if path.is_dir() and path.name not in GENERATED:
                folders.append(path)
            elif path.is_file() and path != Path(__file__) and b"\0" not in path.read_bytes()[:4096]:
                found.append(path)
    return found


def test_no_paths_of_one_machine_are_written_down():
    machine = re.compile(r"(?<![\w.])(/(work|home|root|Users|mnt|tmp/\w)/|[A-Z]:\\Users)")
    assert not [relative(path) for path in source_files() if machine.search(path.read_text("utf-8", "replace"))]


def test_builds_name_no_registry_of_their_own():
    build = [path for path in source_files() if path.suffix in (".toml", ".lock", ".yml", ".yaml", ".cfg")]
    build += [ROOT / "Makefile", *(path for path in source_files() if path.parent.name == ".ci")]
    setting = re.compile(r"index-url|find-links|\[\[?(tool\.uv\.index|source\.)|^registry\s*=", re.MULTILINE)
    usual = {"github.com", "pypi.org", "files.pythonhosted.org", "crates.io", "index.crates.io", "static.crates.io"}
    for path in build:
        assert not setting.search(read(path)), path
        assert set(re.findall(r"://([^/\s\"']+)", read(path))) <= usual, path


def test_the_reference_implementations_are_pinned():
    manifest = read(ROOT / "pyproject.toml")
    for name in ("pycocoevalcap", "sacrebleu", "jieba"):
        assert f'"{name}=={version(name)}"' in manifest


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "golden").glob("*.json")), ids=lambda path: path.name)
def test_recorded_values_say_where_they_come_from(path):
    text = read(path)
    for key in ("tool", "command"):
        assert re.search(rf'^ "{key}": ".+"', text, re.MULTILINE)
