"""Check a wheel as its users get it: tags, size and extension, and the demo in an empty environment.

    python scripts/check_wheel.py dist/muge_fast-0.2.0-cp310-abi3-manylinux_2_17_x86_64.whl

Wheels for other platforms than this one are checked with ``--no-install``.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

# Users on slow networks install it too; packages of the same kind have 2 to 4 MB.
MAX_BYTES = 5 << 20
ABIS = ("cp310-abi3", "cp314-cp314t")
PLATFORM = re.compile(
    r"manylinux(_2_17|2014)_(x86_64|aarch64)|musllinux_1_2_(x86_64|aarch64)|macosx_\d+_\d+_(x86_64|arm64)|win_(amd64|arm64)"
)
# How files of each system begin, and numbers of processors in them.
SYSTEMS = {b"\x7fELF": "linux", b"\xcf\xfa\xed\xfe": "macosx", b"MZ": "win"}
MACHINES = {
    "linux": {62: "x86_64", 183: "aarch64"},
    "macosx": {0x01000007: "x86_64", 0x0100000C: "arm64"},
    "win": {0x8664: "amd64", 0xAA64: "arm64"},
}
GLIBC = re.compile(rb"GLIBC_(2\.\d+)")
OLDEST_GLIBC = (2, 17)
CONTENT = ("muge_fast/py.typed", "muge_fast/_core.pyi", "muge_fast/samples/")
SAME_BITS = Path(__file__).parents[1] / "tests" / "golden" / "check_same_bits.py"
# An extension that does not allow it would turn the lock on, with a warning.
WITHOUT_LOCK = "import sys, muge_fast; assert not sys._is_gil_enabled()"


def check_content(wheel: Path, *, local: bool = False) -> None:
    """Raise an error if a wheel is too large, has a wrong tag or extension, or lacks a file.

    A local one was built from source by its user, and need not run on older systems.
    """
    size = wheel.stat().st_size
    if size > MAX_BYTES:
        raise SystemExit(f"{wheel.name} has {size:,} bytes, at most {MAX_BYTES:,} are allowed")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        check_tags(wheel.name, archive, local=local)
        check_extension(wheel.name, archive, local=local)
    if missing := [part for part in CONTENT if not any(name.startswith(part) for name in names)]:
        raise SystemExit(f"{wheel.name} lacks {', '.join(missing)}")
    print(f"{wheel.name}: {size / 1e6:.1f} MB, {len(names)} files")


def check_tags(name: str, archive: zipfile.ZipFile, *, local: bool) -> None:
    """Raise an error if the tags are not those of this package, or differ between the name and the metadata."""
    python, abi, platforms = name.removesuffix(".whl").split("-")[2:]
    if f"{python}-{abi}" not in ABIS:
        raise SystemExit(
            f"{name} is for {python}-{abi}, needs the stable ABI or a free-threaded Python: {', '.join(ABIS)}"
        )
    if unknown := [tag for tag in platforms.split(".") if not (local or PLATFORM.fullmatch(tag))]:
        raise SystemExit(f"{name} is for an unknown platform: {', '.join(unknown)}")
    (metadata,) = (entry for entry in archive.namelist() if entry.endswith(".dist-info/WHEEL"))
    lines = archive.read(metadata).decode().splitlines()
    tags = {line.removeprefix("Tag: ") for line in lines if line.startswith("Tag: ")}
    if tags != {f"{python}-{abi}-{tag}" for tag in platforms.split(".")}:
        raise SystemExit(f"{name} has other tags in its metadata: {', '.join(sorted(tags))}")


def check_extension(name: str, archive: zipfile.ZipFile, *, local: bool) -> None:
    """Raise an error if the extension is for another ABI, processor or C library than the name says."""
    files = [entry for entry in archive.namelist() if re.fullmatch(r"muge_fast/_core\..*(so|pyd)", entry)]
    stable = "-abi3-" in name
    if len(files) != 1 or stable != (files[0].split("/")[1] in ("_core.abi3.so", "_core.pyd")):
        raise SystemExit(f"{name} has the extensions {files}, needs one for its ABI")
    extension = archive.read(files[0])
    system, machine = built_for(extension)
    if system not in name or not name.endswith(f"_{machine}.whl"):
        raise SystemExit(f"{name}: {files[0]} is for the system {system} and the processor {machine}")
    if not local and (path := path_of_builder(extension)):
        raise SystemExit(
            f"{name}: {files[0]} has paths of the machine that built it, such as {path}; see build_wheels.py"
        )
    newest = max((tuple(map(int, version.split(b"."))) for version in GLIBC.findall(extension)), default=None)
    if newest and not local and ("musllinux" in name or newest > OLDEST_GLIBC):
        raise SystemExit(f"{name}: {files[0]} needs glibc {'.'.join(map(str, newest))}")


def built_for(extension: bytes) -> tuple[str, str]:
    """Return the system and the processor that an extension is for, as wheels name them."""
    system = next((system for start, system in SYSTEMS.items() if extension.startswith(start)), "unknown")
    start, size = {"linux": (18, 2), "macosx": (4, 4)}.get(system, (int.from_bytes(extension[60:64], "little") + 4, 2))
    number = int.from_bytes(extension[start : start + size], "little")
    return system, MACHINES.get(system, {}).get(number, "unknown")


def path_of_builder(extension: bytes) -> str | None:
    """Return the first path in an extension that is in the user's folder or in that of this repository."""
    folders = [folder for folder in (Path.home(), SAME_BITS.parents[2]) if len(folder.parts) > 1]
    pattern = b"|".join(re.escape(f"{folder}{os.sep}".encode()) + rb"[\w./\\-]*" for folder in folders)
    found = re.search(pattern, extension) if folders else None
    return found[0].decode() if found else None


def try_wheel(wheel: Path) -> None:
    """Install a wheel in an empty environment, compare the bits of scores, and run the demo."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        programs = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin")
        python = str(programs / "python")
        run = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel.resolve())]
        free_threaded = [[python, "-W", "error", "-c", WITHOUT_LOCK]] if "cp314t" in wheel.name else []
        for command in (run, *free_threaded, [python, str(SAME_BITS)], [python, "-m", "muge_fast", "demo"]):
            subprocess.run(command, check=True, cwd=folder)  # noqa: S603 - our own commands


def main() -> None:
    """Check the wheels that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", nargs="+", type=Path)
    parser.add_argument("--no-install", action="store_true", help="check only the content, for other platforms")
    parser.add_argument(
        "--local", action="store_true", help="allow any age of the system, for wheels built from source"
    )
    arguments = parser.parse_args()
    for wheel in arguments.wheels:
        check_content(wheel, local=arguments.local)
        if not arguments.no_install:
            try_wheel(wheel)


if __name__ == "__main__":
    main()
