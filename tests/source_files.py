"""The files of the repository, and the syntax trees that several structure tests read."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "python" / "muge_fast"
PYTHON = sorted(PACKAGE.rglob("*.py"))
CORE = sorted((ROOT / "rust" / "src").rglob("*.rs"))
BINDINGS = sorted((ROOT / "src").rglob("*.rs"))

BUILT = {".git", ".venv", "target", "dist", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
BUILT |= {".hypothesis", ".benchmarks"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(read(path), filename=str(path))


def module_name(path: Path) -> str:
    """Return the dotted name of a file of the package: ``muge_fast.image`` for ``image/__init__.py``."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def text_files() -> list[Path]:
    """Return every text file of the repository that was written, not built."""
    files, folders = [], [ROOT]
    while folders:
        for path in folders.pop().iterdir():
            if path.is_dir() and path.name not in BUILT:
                folders.append(path)
            elif path.is_file() and path.name != ".git" and b"\0" not in path.read_bytes()[:4096]:
                files.append(path)
    return sorted(files)
