"""The package as users get it: a wheel built from the sdist, in an empty environment, with the oldest dependencies.

Only the package registries are needed. The wheel is built in the repository's cargo target directory, so the crates
that ``make`` has compiled are used again.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from source_files import PACKAGE, ROOT, read

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent
TOOLS = {name: shutil.which(name, path=BIN) or shutil.which(name) for name in ("uv", "maturin", "cargo")}
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
ENVIRONMENT |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "CARGO_TARGET_DIR": str(ROOT / "target")}

# Test files that run with the oldest dependencies, if they import nothing but NumPy and the test tools.
SUBJECTS = ("test_caption", "test_document_frequency", "test_evaluate", "test_feature", "test_file", "test_frequency")
SUBJECTS += ("test_retrieval", "test_top_k_matrix", "test_top_k_of")
TEST_TOOLS = {"hypothesis", "muge_fast", "numpy", "pytest"}


def run(*command: object, cwd: Path, **variables: str) -> str:
    """Run a command and return its output; a failure shows all of it."""
    arguments = [str(part) for part in command]
    done = subprocess.run(arguments, cwd=cwd, env=ENVIRONMENT | variables, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if missing := [name for name, path in TOOLS.items() if path is None]:
        pytest.skip(f"needs {', '.join(missing)}")
    return tmp_path_factory.mktemp("packaging")


@pytest.fixture(scope="module")
def sdist(folder):
    run(TOOLS["maturin"], "sdist", "--out", folder / "sdist", cwd=ROOT)
    (path,) = (folder / "sdist").glob("*.tar.gz")
    return path


@pytest.fixture(scope="module")
def wheel(folder, sdist):
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (source,) = (folder / "unpacked").iterdir()
    build = ("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder / "wheel")
    run(TOOLS["uv"], *build, cwd=source)
    (path,) = (folder / "wheel").glob("*.whl")
    return path


def environment(folder: Path, *requirements: object, python: Path = Path(sys.executable), lowest: bool = False) -> Path:
    """Make a virtual environment with some packages and return its folder of programs."""
    run(TOOLS["uv"], "venv", "--quiet", "--python", python, folder, cwd=ROOT)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    resolution = "lowest" if lowest else "highest"
    options = ("--quiet", "--only-binary", ":all:", "--resolution", resolution, "--python", programs / "python")
    run(TOOLS["uv"], "pip", "install", *options, *requirements, cwd=ROOT)
    return programs


def installed(programs: Path, cwd: Path) -> Path:
    """Return the folder of the package in an environment."""
    return Path(run(programs / "python", "-c", "import muge_fast; print(muge_fast.__path__[0])", cwd=cwd).strip())


def package_files() -> set[str]:
    """Return the files of the package without what is built."""
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".so", ".pyd", ".pyc")]
    return {path.relative_to(PACKAGE.parent).as_posix() for path in files}


def test_the_sdist_holds_both_languages_the_samples_and_the_licences(sdist):
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    rust = [path for folder in ("src", "rust/src") for path in (ROOT / folder).rglob("*") if path.is_file()]
    needed = {path.relative_to(ROOT).as_posix() for path in rust} | {f"python/{name}" for name in package_files()}
    assert needed - names == set()
    assert {"Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "pyproject.toml"} <= names
    assert [name for name in names if name.endswith((".so", ".pyc"))] == []


def test_the_wheel_holds_the_package_and_the_extension(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    built = {name for name in names if re.fullmatch(r"muge_fast/_core\.(abi3\.so|pyd)", name)}
    assert len(built) == 1
    information = {name for name in names if ".dist-info/" in name}
    assert names - built - information == package_files()
    assert {name.rpartition("/")[2] for name in information} >= {"LICENSE", "LICENSE-jieba", "METADATA"}
    assert "-cp310-abi3-" in wheel.name
    assert wheel.name in run(
        sys.executable, ROOT / "scripts" / "check_wheel.py", wheel, "--no-install", "--local", cwd=ROOT
    )


def test_the_version_to_cite_is_that_of_the_package():
    (cited,) = re.findall(r"^version: (\S+)$", read(ROOT / "CITATION.cff"), re.MULTILINE)
    assert f'\nversion = "{cited}"\n' in read(ROOT / "Cargo.toml")


USE = """
import sys
import muge_fast as mf
import numpy as np

assert mf.__file__.startswith(sys.prefix), mf.__file__
assert "torch" not in sys.modules
references = {"a": ["红色长裙", "红裙"], "b": ["黑鞋"]}
scores = mf.score_captions({"a": "红色裙", "b": "白鞋"}, references)
assert 0 < scores["rouge_l"].value < 1
assert mf.tokenize(["红色长裙"], "jieba")
vectors = np.eye(3, dtype=np.float32)
assert mf.top_k(vectors, vectors, k=1).indices.ravel().tolist() == [0, 1, 2]
statistics = mf.image.Statistics.from_features(vectors)
assert mf.image.frechet_distance(statistics, statistics) < 1e-6
assert mf.compat.pycocoevalcap.Cider
"""


def test_the_wheel_works_in_an_empty_environment(wheel, tmp_path):
    programs = environment(tmp_path / "env", wheel)
    run(programs / "python", "-c", USE, cwd=tmp_path, PYTHONWARNINGS="error")
    caption = installed(programs, tmp_path) / "samples" / "caption"
    submission = ("--gold", caption / "IC_sample.jsonl", "--submission", caption / "IC_sample.pred.base.jsonl")
    assert "cider_d" in run(programs / "muge-fast", "score", "caption", *submission, cwd=tmp_path)
    assert "ECommerce-IC sample" in run(programs / "muge-fast", "demo", cwd=tmp_path)


def oldest_python() -> Path:
    """Return the oldest supported Python if this machine has it, else the one that runs this test."""
    name = "python" + re.search(r'requires-python = ">=([\d.]+)"', read(ROOT / "pyproject.toml"))[1]
    versions = Path(os.environ.get("PYENV_ROOT", "missing")) / "versions"
    candidates = [Path(shutil.which(name) or "missing"), *versions.glob(f"{name.removeprefix('python')}*/bin/{name}")]
    works = (path for path in candidates if path.is_file() and answers(path))
    return next(works, Path(sys.executable))


def answers(python: Path) -> bool:
    """Return whether a program runs: a shim of pyenv is there for versions that are not active."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0  # noqa: S603 - found on the path


def files_without_references() -> list[Path]:
    tests = ROOT / "tests"
    local = {path.stem for path in tests.glob("*.py")}
    chosen = [path for path in sorted(tests.glob("test_*.py")) if path.name.startswith(SUBJECTS)]
    return [path for path in chosen if imported(path) <= TEST_TOOLS | local | sys.stdlib_module_names]


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(read(path))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_the_oldest_python_and_dependencies_work(wheel, tmp_path):
    programs = environment(tmp_path / "env", f"{wheel}[arrow,images]", python=oldest_python(), lowest=True)
    install = (TOOLS["uv"], "pip", "install", "--quiet", "--python", programs / "python")
    frozen = run(TOOLS["uv"], "pip", "freeze", "--python", programs / "python", cwd=ROOT)
    assert re.search(r"^numpy==1\.23\.\d+$", frozen, re.MULTILINE), frozen
    pinned = tmp_path / "pinned.txt"
    pinned.write_text("\n".join(line for line in frozen.splitlines() if "==" in line), encoding="utf-8")
    run(*install, "--constraint", pinned, "pytest", "hypothesis", cwd=ROOT)
    tests = files_without_references()
    assert len(tests) >= 4
    settings = ("-q", "-m", "not slow", "-p", "no:cacheprovider", "--rootdir", ROOT, "-c", ROOT / "pyproject.toml")
    pytest_command = (programs / "python", "-m", "pytest", *settings, *tests, installed(programs, tmp_path))
    run(*pytest_command, cwd=tmp_path, PYTHONDONTWRITEBYTECODE="1")
