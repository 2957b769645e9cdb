"""Test and measure on a machine with a GPU, where only Python, torch and NumPy are installed, and without network.

``make gpu-check`` puts this file into a folder with everything else that it needs, as ``run.py``:

python3 run.py                # prints a table for docs/benchmarks.md; below 8 minutes
python3 run.py --device cpu   # runs every line without a GPU
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).parent
# Seconds after which tests, and the measurements after them, are stopped on a GPU. A CPU takes longer.
TESTS, ALL = 180, 460
CPU_FACTOR = 4
TESTED = ("tests/test_cuda.py", "tests/test_models_cuda.py", "tests/test_top_k_torch.py")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda", help="cuda, or cpu to try everything out with tiny sizes")
    device = parser.parse_args().device
    missing = [name for name in ("torch", "numpy") if find_spec(name) is None]
    if missing:
        print(f"needs {' and '.join(missing)} in {sys.executable}: choose another Python", file=sys.stderr)
        return 2
    start = time.monotonic()
    packages = FOLDER / f"packages-{sys.version_info.major}.{sys.version_info.minor}"
    unpack(packages)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(packages), str(FOLDER)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MUGE_FAST_TEST_DEVICE": device,
    }
    tests = ("-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={FOLDER}", "-c", os.devnull, *TESTED)
    factor = CPU_FACTOR if device == "cpu" else 1
    tested = run(tests, environment, factor * TESTS)
    left = factor * ALL - (time.monotonic() - start)
    measured = run(("-m", "benches.gpu", f"--device={device}"), environment, left)
    print(f"\ntests: {tested}; measurements: {measured}; {time.monotonic() - start:.0f} s in all")
    return 0 if (tested, measured) == ("passed", "passed") else 1


def run(arguments: tuple[str, ...], environment: dict[str, str], seconds: float) -> str:
    """Run a command of Python within a time, and return how it ended."""
    try:
        done = subprocess.run([sys.executable, *arguments], cwd=FOLDER, env=environment, timeout=seconds, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return f"stopped after {seconds:.0f} s"
    return "passed" if done.returncode == 0 else f"failed ({done.returncode})"


def unpack(target: Path) -> None:
    """Unpack our wheel, and those of packages that this Python lacks."""
    for wheel in sorted((FOLDER / "wheels").glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            names = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" not in name}
            modules = {name.partition(".")[0] for name in names if not name.endswith(".data")}
            is_ours = wheel.name.startswith("muge_fast-")
            if fits(wheel.name) and (is_ours or any(find_spec(name) is None for name in modules)):
                archive.extractall(target)


def fits(wheel: str) -> bool:
    """Return whether a wheel is for this Python; all are for this system."""
    python, abi, system = wheel.removesuffix(".whl").split("-")[-3:]
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    is_pure = system == "any"
    is_here = is_pure or platform.machine() in system
    if abi == "abi3":
        return is_here and int(python.removeprefix("cp3")) <= sys.version_info.minor
    return is_here and (version == abi or (is_pure and "py3" in python.split(".")))


if __name__ == "__main__":
    sys.exit(main())
