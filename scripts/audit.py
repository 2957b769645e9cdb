"""Look for known faults in the packages that users of this one get, and check the licences of its crates.

    .venv/bin/python scripts/audit.py [--strict]

cargo-deny checks the crates by deny.toml, and pip-audit the newest packages that each extra allows. Licences, sources
and duplicates are checked without a network. Known faults are in databases on the network: what cannot be reached is
printed as NOT CHECKED, which is an error with ``--strict``, as in the workflow `checks`.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent
INSTALL_CARGO_DENY = "cargo-deny is not installed: cargo install --locked cargo-deny"
MISSING_DATABASE = "failed to fetch advisory database"


class Result(NamedTuple):
    """What one check found: `passed` is None if it could not be carried out."""

    name: str
    passed: bool | None
    text: str

    def line(self) -> str:
        """Return the line to print."""
        state = {True: "ok", False: "FAILED", None: "NOT CHECKED"}[self.passed]
        return f"{self.name}: {state}" + (f"\n{self.text}" if self.text and not self.passed else "")


def run(*command: object) -> subprocess.CompletedProcess[str]:
    """Run a command in the repository and return what it printed."""
    arguments = [str(part) for part in command]
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own commands


def find(program: str) -> str | None:
    """Return the path of a program next to this Python or on the search path."""
    return shutil.which(program, path=PROGRAMS) or shutil.which(program)


def crates(program: str | None) -> list[Result]:
    """Check the crates in Cargo.lock."""
    rules, advisories = "licences, duplicates and sources of crates", "known faults of crates"
    if program is None:
        return [Result(name, None, INSTALL_CARGO_DENY) for name in (rules, advisories)]
    done = run(program, "--locked", "check", "licenses", "bans", "sources")
    return [
        Result(rules, done.returncode == 0, done.stderr + done.stdout),
        advisories_of_crates(advisories, run(program, "--locked", "check", "advisories")),
    ]


def advisories_of_crates(name: str, done: subprocess.CompletedProcess[str]) -> Result:
    """Return what cargo-deny found, or that it has no database."""
    text = done.stderr + done.stdout
    if done.returncode and MISSING_DATABASE in text:
        return Result(name, None, "The database of RustSec at github.com cannot be reached.")
    return Result(name, done.returncode == 0, text)


def packages(report: str) -> Result:
    """Return what pip-audit found, from its report in JSON; without a report, it reached nothing."""
    name = "known faults of Python packages"
    try:
        dependencies = json.loads(report)["dependencies"]
    except ValueError:
        return Result(name, None, "The database of pypi.org cannot be reached.")
    faults = [
        f"{package['name']} {package['version']}: {fault['id']}, fixed in {', '.join(fault['fix_versions']) or 'none'}"
        for package in dependencies
        for fault in package.get("vulns", [])
    ]
    if faults:
        return Result(name, False, "\n".join(faults))
    if skipped := [package["name"] for package in dependencies if "skip_reason" in package]:
        more = ", …" if len(skipped) > 5 else ""
        text = f"pypi.org has no answer about {len(skipped)} of {len(dependencies)}: {', '.join(skipped[:5])}{more}"
        return Result(name, None, text)
    return Result(name, bool(dependencies), "There are no packages to check.")


def audit_packages() -> Result:
    """Check the newest packages that the extras of this one allow."""
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        options = ("--quiet", "--no-header", "--no-annotate", "--all-extras", "--output-file", requirements)
        resolved = run(find("uv") or "uv", "pip", "compile", *options, "pyproject.toml")
        if resolved.returncode:
            return Result("known faults of Python packages", None, resolved.stderr)
        options = ("--progress-spinner", "off", "--format", "json", "--no-deps", "--disable-pip")
        return packages(run(PROGRAMS / "pip-audit", *options, "--requirement", requirements).stdout)


def exit_code(results: list[Result], *, strict: bool) -> int:
    """Return 1 if a check failed, or if one was not carried out and all of them must be."""
    return int(any(result.passed is False or (strict and result.passed is None) for result in results))


def main() -> int:
    """Print the result of each check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true", help="fail if something cannot be checked")
    strict = parser.parse_args().strict
    results = [*crates(find("cargo-deny")), audit_packages()]
    for result in results:
        print(result.line())
    return exit_code(results, strict=strict)


if __name__ == "__main__":
    sys.exit(main())
