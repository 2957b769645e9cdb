"""Build and check the wheels and the sdist that this machine can build; say which wheels it cannot.

    .venv/bin/python scripts/build_wheels.py [--out dist] [TARGET ...]

zig links for an old glibc, for musl, for 64-bit ARM and for macOS. The workflow `wheels` builds all platforms, each on
its own machine.
"""

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

from check_wheel import check_content, try_wheel

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent
# Messages of panics have the paths of crates, which begin with the folder of the user.
CARGO_HOME = os.environ.get("CARGO_HOME", Path.home() / ".cargo")
RUSTFLAGS = f"{os.environ.get('RUSTFLAGS', '')} --remap-path-prefix={CARGO_HOME}=cargo".strip()
PATH = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
ENVIRONMENT = os.environ | {"PATH": PATH, "RUSTFLAGS": RUSTFLAGS}
# Rust targets, and the oldest systems that their wheels run on.
TARGETS = {
    "x86_64-unknown-linux-gnu": "manylinux_2_17",
    "aarch64-unknown-linux-gnu": "manylinux_2_17",
    "x86_64-unknown-linux-musl": "musllinux_1_2",
    "aarch64-unknown-linux-musl": "musllinux_1_2",
    "x86_64-apple-darwin": "off",
    "aarch64-apple-darwin": "off",
}
EMULATED = "aarch64-unknown-linux-gnu"
# The exit code of emulated_wheel.sh where it cannot run.
CANNOT_EMULATE = 77
ELSEWHERE = "Windows and free-threaded Python: the workflow `wheels` builds these"


def run(*command: object) -> None:
    """Run a command in the repository; an error ends this program."""
    arguments = [str(part) for part in command]
    if subprocess.run(arguments, cwd=ROOT, env=ENVIRONMENT, check=False).returncode:  # noqa: S603 - our own commands
        raise SystemExit(f"{' '.join(arguments)}: failed")


def lacking(target: str) -> str | None:
    """Return why this machine cannot build for a target, or None after its standard library is installed."""
    try:
        command = ["rustup", "target", "add", target]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own commands
    except FileNotFoundError:
        return "rustup is not installed, which has the standard library of this target"
    return f"rustup cannot install its standard library: {done.stderr.strip()}" if done.returncode else None


def build(target: str, folder: Path) -> Path:
    """Build the wheel for one target and return its path."""
    before = set(folder.glob("*.whl"))
    options = ("--release", "--locked", "--zig", "--target", target, "--compatibility", TARGETS[target])
    run(PROGRAMS / "maturin", "build", *options, "--out", folder)
    (wheel,) = set(folder.glob("*.whl")) - before
    return wheel


def runs_here(target: str) -> bool:
    """Return whether this Python can load a wheel for a target."""
    return target == f"{platform.machine()}-unknown-linux-gnu" and platform.libc_ver()[0] == "glibc"


def main() -> None:
    """Build what the command line names, or everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder of the wheels")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(TARGETS):
        parser.error(f"unknown targets: {', '.join(sorted(unknown))}")
    folder = arguments.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("muge_fast-*.whl"), *folder.glob("muge_fast-*.tar.gz")):
        old.unlink()
    report = [build_and_check(target, folder) for target in arguments.targets or TARGETS]
    run(PROGRAMS / "maturin", "sdist", "--out", folder)
    run(sys.executable, "-m", "twine", "check", "--strict", *sorted(folder.glob("muge_fast-*")))
    run(sys.executable, "-m", "abi3audit", "--strict", *sorted(folder.glob("muge_fast-*.whl")))
    print("", *report, f"not built: {ELSEWHERE}", sep="\n")


def build_and_check(target: str, folder: Path) -> str:
    """Build and check the wheel of a target, and return a line about it."""
    if (reason := lacking(target)) is not None:
        return f"not built: {target}: {reason}"
    wheel = build(target, folder)
    check_content(wheel)
    if runs_here(target):
        try_wheel(wheel)
        return f"built and run: {wheel.name}"
    if target == EMULATED:
        return f"{emulate(wheel)}: {wheel.name}"
    return f"built, not run here: {wheel.name}"


def emulate(wheel: Path) -> str:
    """Run a wheel for 64-bit ARM under an emulator if there is one, and return what was done."""
    command = [str(ROOT / "scripts" / "emulated_wheel.sh"), str(wheel), str(ROOT / "target" / "emulated-python")]
    code = subprocess.run(command, env=ENVIRONMENT, check=False).returncode  # noqa: S603 - our own command
    if code not in (0, CANNOT_EMULATE):
        raise SystemExit(f"{wheel.name} fails under the emulator")
    return "built, not run here, where there is no emulator with Python" if code else "built and run under an emulator"


if __name__ == "__main__":
    main()
