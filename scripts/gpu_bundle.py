"""Collect what ``benches/gpu_check.py`` needs on a machine without network: ``python scripts/gpu_bundle.py FOLDER``.

Writes the folder and FOLDER.tar: our wheel, wheels of the packages that such a machine may lack for every version of
Python that muge_fast supports, the tests of the GPU, and the measurements.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("click", "hypothesis", "pillow", "pytest", "tabulate[widechars]", "tqdm")
# Requirements of these that depend on the version of Python, which pip decides by its own.
FOR_OLDER = ("exceptiongroup", "tomli", "typing-extensions")
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
PLATFORMS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
TESTS = (
    "clip_models.py",
    "conftest.py",
    "diffusion_models.py",
    "image_data.py",
    "model_data.py",
    "test_cuda.py",
    "test_models_cuda.py",
    "test_top_k_torch.py",
    "text_models.py",
)
BENCHES = ("__init__.py", "gpu.py", "gpu_network.py", "gpu_search.py", "pictures.py", "timing.py")


def main() -> None:
    """Build, download and pack."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1]).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    wheels = folder / "wheels"
    maturin = Path(sys.executable).with_name("maturin")
    run(maturin, "build", "--release", "--quiet", "--interpreter", sys.executable, "--out", wheels)
    for version in VERSIONS:
        download(wheels, version)
    for kind, names in (("tests", TESTS), ("benches", BENCHES)):
        (folder / kind).mkdir()
        for name in names:
            shutil.copy(ROOT / kind / name, folder / kind)
    shutil.copy(ROOT / "benches" / "gpu_check.py", folder / "run.py")
    archive = folder.with_suffix(".tar")
    with tarfile.open(archive, "w") as file:
        file.add(folder, arcname=folder.name)
    print(f"{archive} ({archive.stat().st_size >> 20} MiB): copy it to the machine, unpack it, and run")
    print(f"  python3 {folder.name}/run.py")


def download(wheels: Path, version: str) -> None:
    """Download the wheels of the packages for a version of Python on this kind of machine."""
    platforms = [f"--platform={name}_{platform.machine()}" for name in PLATFORMS]
    options = ("--quiet", "--disable-pip-version-check", "--only-binary=:all:", f"--python-version={version}")
    older = FOR_OLDER if version == VERSIONS[0] else ()
    run(sys.executable, "-m", "pip", "download", *options, *platforms, f"--dest={wheels}", *PACKAGES, *older)


def run(*command: object) -> None:
    """Run a command in the repository."""
    subprocess.run(list(map(str, command)), cwd=ROOT, check=True)  # noqa: S603 - our own commands


if __name__ == "__main__":
    main()
