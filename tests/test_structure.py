"""Rules for the three layers of code, and for what must not get into the repository."""

import ast
import inspect
import re
from importlib.metadata import version
from pathlib import Path

import pytest

import muge_fast as mf
from muge_fast import _core
from source_files import BINDINGS, CORE, PYTHON, ROOT, read, relative, text_files

# The core and the bindings

# Classes of ``_core`` that can change, and why.
MUTABLE_CLASSES: dict[str, str] = {}


def test_the_core_knows_nothing_of_python():
    assert "pyo3" not in read(ROOT / "rust" / "Cargo.toml")
    assert [relative(path) for path in CORE if re.search(r"\bpyo3\b|\bnumpy::", read(path))] == []


def test_the_core_opens_no_files_and_prints_nothing():
    forbidden = re.compile(r"std::(fs|process|net)\b|\be?print(ln)?!|\bdbg!")
    assert [relative(path) for path in CORE if forbidden.search(code_of(path))] == []


def code_of(path: Path) -> str:
    """Return a Rust file without its tests and comments."""
    text = "" if path.name == "tests.rs" else read(path).partition("#[cfg(test)]\nmod ")[0]
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)


def test_every_export_of_the_core_is_used_in_python():
    python = "\n".join(read(path) for path in PYTHON)
    exports = [name for name in dir(_core) if not name.startswith("__")]
    assert [name for name in exports if not re.search(rf"\b_core\.{name}\b", python)] == []
    classes = [getattr(_core, name) for name in exports if inspect.isclass(getattr(_core, name))]
    members = [f"{cls.__name__}.{name}" for cls in classes for name in vars(cls) if not name.startswith("__")]
    unused = [member for member in members if not re.search(rf"\.{member.partition('.')[2]}\b", python)]
    # Tests hold the documentation to the list of tokenizers, and the random numbers to those of NumPy.
    assert set(unused) <= {
        *("Tokenizer.NAMES", "Tokenizer.name"),
        *("Pcg64.advance", "Pcg64.bits", "Pcg64.raw"),
    }


def test_classes_of_the_core_are_frozen():
    text = "\n".join(code_of(path) for path in BINDINGS)
    by_name = {name: options for options, name in pyclasses(text)}
    assert {name for name, options in by_name.items() if "frozen" not in options} == set(MUTABLE_CLASSES)
    assert {name for name in dir(_core) if inspect.isclass(getattr(_core, name))} == set(by_name)


def pyclasses(text: str) -> list[tuple[str, str]]:
    """Return the options and the Python name of each class that the bindings export."""
    pattern = r"#\[pyclass(?:\(([^\]]*)\))?\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\(\w+\))? )?(?:struct|enum) (\w+)"
    classes = re.findall(pattern, text)
    return [(options, (re.search(r'name = "(\w+)"', options) or [0, name])[1]) for options, name in classes]


def test_attributes_of_core_objects_cannot_be_set():
    tokenizer = _core.Tokenizer("muge")
    with pytest.raises(AttributeError):
        tokenizer.name = "char"
    with pytest.raises(AttributeError):
        tokenizer.other = 1


def test_the_version_is_the_same_everywhere():
    manifest = re.search(r'^version = "([^"]+)"', read(ROOT / "Cargo.toml"), re.MULTILINE)
    assert mf.__version__ == version("muge-fast") == manifest[1]
    assert re.search(rf"^## {re.escape(mf.__version__)}\b", read(ROOT / "CHANGELOG.md"), re.MULTILINE)


# What must not get into the repository


def test_no_paths_of_one_machine_are_written_down():
    machine = re.compile(r"(?<![\w.])(/(work|home|root|Users|mnt|tmp/\w)/|[A-Z]:\\Users)")
    files = [path for path in text_files() if path != Path(__file__)]
    assert [relative(path) for path in files if machine.search(path.read_text("utf-8", "replace"))] == []


def test_builds_name_no_registry_of_their_users():
    build = [path for path in text_files() if path.suffix in (".toml", ".lock", ".yml", ".yaml", ".cfg")]
    build += [ROOT / "Makefile", *(path for path in text_files() if path.parent.name == ".ci")]
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
def test_recorded_values_name_their_source(path):
    text = read(path)
    for key in ("tool", "command"):
        assert re.search(rf'^ "{key}": ".+"', text, re.MULTILINE)


# Tests

# Test files that may read a clock, and why. Speed is left to the benchmarks, as it depends on the machine.
CLOCKS = {
    "tests/test_ptb.py": "time that is not quadratic",
    "tests/test_border.py": "Ctrl-C is answered within a second; threads run at the same time",
    "tests/test_caption.py": "merging takes linear time, where quadratic time would be minutes",
    "tests/test_compare_inputs.py": "Ctrl-C ends a comparison within a second",
    "tests/test_image_sources.py": "Ctrl-C ends a pass that would take minutes",
}


def test_tests_do_not_measure_speed():
    clock = re.compile(r"\b(perf_counter|monotonic|process_time|timeit)\b|\btime\.time\(")
    tests = [path for path in sorted((ROOT / "tests").glob("*.py")) if path != Path(__file__)]
    assert {relative(path) for path in tests if clock.search(read(path))} == set(CLOCKS)


def test_the_list_of_tests_names_every_file():
    listed = re.findall(r"`(test_\w+\.py|\w+\.rs)`", read(ROOT / "tests" / "README.md").partition("## References")[0])
    tests = [*(ROOT / "tests").glob("test_*.py"), *(ROOT / "tests").glob("*.rs")]
    assert set(listed) == {path.name for path in tests}
    assert len(listed) == len(set(listed))


def test_the_list_of_benchmarks_names_every_file():
    listed = re.findall(r"`(\w+\.(?:py|rs))`", read(ROOT / "benches" / "README.md").partition("| file |")[2])
    benches = [*(ROOT / "benches").glob("*.py"), *(ROOT / "benches").glob("*.rs")]
    assert set(listed) == {path.name for path in benches if path.name != "__init__.py"}


def test_python_files_parse_with_the_oldest_python():
    oldest = re.search(r'requires-python = ">=3\.(\d+)"', read(ROOT / "pyproject.toml"))[1]
    for path in PYTHON:
        ast.parse(read(path), filename=str(path), feature_version=(3, int(oldest)))
