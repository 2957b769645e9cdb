"""Check a wheel as its users get it: its name and size, and the demo in an empty environment.

    python scripts/check_wheel.py dist/muge_fast-0.2.0-cp310-abi3-manylinux_2_17_x86_64.whl

Wheels for other platforms than this one are checked with ``--no-install``.
"""

import argparse
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

# Users on slow networks install it too; packages of the same kind have 2 to 4 MB.
MAX_BYTES = 5 << 20
CONTENT = ("muge_fast/py.typed", "muge_fast/_core.pyi", "muge_fast/samples/")
CALL = "import muge_fast as mf; print(mf.score_captions({'a': '红色的裙子'}, {'a': ['红色长裙']}, metrics=['bleu4']))"


def check_content(wheel: Path) -> None:
    """Raise an error if a wheel is too large, is not for the stable ABI, or lacks a file."""
    size = wheel.stat().st_size
    if size > MAX_BYTES:
        raise SystemExit(f"{wheel.name} has {size:,} bytes, at most {MAX_BYTES:,} are allowed")
    if "-abi3-" not in wheel.name:
        raise SystemExit(f"{wheel.name} is not for the stable ABI (abi3)")
    names = zipfile.ZipFile(wheel).namelist()
    if missing := [part for part in CONTENT if not any(name.startswith(part) for name in names)]:
        raise SystemExit(f"{wheel.name} lacks {', '.join(missing)}")
    print(f"{wheel.name}: {size / 1e6:.1f} MB, {len(names)} files")


def try_wheel(wheel: Path) -> None:
    """Install a wheel in an empty environment, and run a call and the demo outside the repository."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        programs = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin")
        python = str(programs / "python")
        run = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel.resolve())]
        for command in (run, [python, "-c", CALL], [python, "-m", "muge_fast", "demo"]):
            subprocess.run(command, check=True, cwd=folder)  # noqa: S603 - our own commands


def main() -> None:
    """Check the wheels that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", nargs="+", type=Path)
    parser.add_argument("--no-install", action="store_true", help="check only the content, for other platforms")
    arguments = parser.parse_args()
    for wheel in arguments.wheels:
        check_content(wheel)
        if not arguments.no_install:
            try_wheel(wheel)


if __name__ == "__main__":
    main()
