"""Check that the files of this repository agree on a release, before its tag.

    .venv/bin/python scripts/check_release.py [--next]

``--next`` prints what to do after `make release` has passed. Nothing is tagged, pushed or uploaded here.
"""

import argparse
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEADING = re.compile(r"^## (?P<version>\S+)(?: - (?P<date>\S+))?$", re.MULTILINE)
PACKAGES = ("muge_fast", "muge-fast-core")


def read(path: Path) -> str:
    """Return the text of a file."""
    return path.read_text(encoding="utf-8")


def first(pattern: str, text: str) -> str | None:
    """Return the first group of the first match of a pattern at the start of a line."""
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else None


def git(root: Path, *arguments: str) -> str:
    """Return what a command of git prints."""
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - our own commands


def versions(root: Path) -> dict[str, str | None]:
    """Return the version in each file that has it."""
    cargo, lock = read(root / "Cargo.toml"), read(root / "Cargo.lock")
    heading = HEADING.search(read(root / "CHANGELOG.md"))
    found = {
        "Cargo.toml": first(r'^version = "(.*)"$', cargo),
        "Cargo.toml, muge-fast-core": first(r'^muge-fast-core = .*version = "([^"]*)"', cargo),
        "CITATION.cff": first(r"^version: (\S+)$", read(root / "CITATION.cff")),
        "CHANGELOG.md, first heading": heading["version"] if heading else None,
    }
    found |= {f"Cargo.lock, {name}": first(rf'^name = "{name}"\nversion = "(.*)"$', lock) for name in PACKAGES}
    project = read(root / "pyproject.toml").partition("[project]")[2].partition("\n[")[0]
    if not re.search(r'^dynamic = \[.*"version".*\]$', project, re.MULTILINE):
        found["pyproject.toml"] = first(r'^version = "(.*)"$', project)
    return found


def version_problems(root: Path) -> list[str]:
    """Return where the version is another one than in Cargo.toml."""
    found = versions(root)
    expected = found["Cargo.toml"]
    if expected is None or not re.fullmatch(r"\d+\.\d+\.\d+(-\w+(\.\d+)?)?", expected):
        return [f"Cargo.toml: the version is {expected}, needs three numbers such as 1.2.0"]
    return [
        f"{place}: the version is {value}, not {expected}: "
        + ("run cargo check, which writes it" if place.startswith("Cargo.lock") else f"write {expected}")
        for place, value in found.items()
        if value != expected
    ]


def changelog_problems(root: Path, today: date) -> list[str]:
    """Return what is wrong with the first section of the changelog, and with its date."""
    text = read(root / "CHANGELOG.md")
    heading = HEADING.search(text)
    if heading is None:
        return [f"CHANGELOG.md: there is no heading with a version: write ## {versions(root)['Cargo.toml']} - {today}"]
    following = HEADING.search(text, heading.end())
    section = text[heading.end() : following.start() if following else len(text)]
    problems = []
    if not re.search(r"^- \S", section, re.MULTILINE):
        problems.append(f"CHANGELOG.md: the section {heading['version']} lists no change: write them as - Text")
    return problems + date_problems(root, heading["version"], heading["date"], today)


def date_problems(root: Path, version: str, released: str | None, today: date) -> list[str]:
    """Return what is wrong with the date of the release in the changelog and in the file for citations."""
    expected = released or str(today)
    problems = []
    if released is None:
        problems.append(f"CHANGELOG.md: the heading has no date: write ## {version} - {today}")
    elif not is_date(released):
        expected = str(today)
        problems.append(f"CHANGELOG.md: the date {released} is not written as in ## {version} - {today}")
    elif date.fromisoformat(released) > today:
        problems.append(f"CHANGELOG.md: the date {released} is in the future: write {today}, or wait")
    cited = first(r"^date-released: \"?([^\s\"]+)", read(root / "CITATION.cff"))
    if cited != expected:
        wrong = f"date-released is {cited}, not {expected}" if cited else "there is no date-released"
        problems.append(f"CITATION.cff: {wrong}: write date-released: {expected}")
    return problems


def is_date(text: str) -> bool:
    """Return whether a text is a date such as 2026-03-01."""
    try:
        return str(date.fromisoformat(text)) == text
    except ValueError:
        return False


def git_problems(root: Path, version: str | None) -> list[str]:
    """Return what keeps the current commit from being tagged."""
    problems = []
    if changed := git(root, "status", "--porcelain"):
        names = ", ".join(line.split(maxsplit=1)[1] for line in changed.splitlines()[:5])
        problems.append(f"git: there are changes that are not committed: {names}: commit or remove them")
    if git(root, "tag", "--list", f"v{version}"):
        problems.append(f"git: the tag v{version} exists already: raise the version in Cargo.toml")
    return problems


def find_problems(root: Path, today: date) -> list[str]:
    """Return everything that is wrong with a release of the current commit."""
    version = versions(root)["Cargo.toml"]
    return version_problems(root) + changelog_problems(root, today) + git_problems(root, version)


def summary(root: Path, problems: list[str]) -> str:
    """Return the problems with what to do about each, and what to do after that."""
    listed = "\n".join(f"  {index}. {problem}" for index, problem in enumerate(problems, 1))
    return f"""Version {versions(root)["Cargo.toml"]} cannot be released yet, and nothing else was checked:
{listed}
Then commit, and run `make release` again."""


def next_steps(root: Path) -> str:
    """Return what to do once every check has passed."""
    version, commit = versions(root)["Cargo.toml"], git(root, "rev-parse", "--short", "HEAD")
    return f"""Version {version} can be released from commit {commit}. Nothing was tagged or uploaded. Next:
  1. push the commit, and wait until the workflow `checks` has passed for it
  2. run the workflow `wheels` by hand: it builds and tries the wheels that this machine cannot
  3. git tag --annotate v{version} --message "Release {version}" {commit} && git push origin v{version}
     The workflow `wheels` then uploads the wheels to PyPI.
  4. publish the section {version} of CHANGELOG.md as the notes of the release"""


def main() -> int:
    """Print the problems, or what to do next."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--next", action="store_true", help="print what to do once everything is checked")
    arguments = parser.parse_args()
    problems = find_problems(ROOT, date.today())  # noqa: DTZ011 - the date that the person who releases it sees
    if problems:
        print(summary(ROOT, problems))
    elif arguments.next:
        print(next_steps(ROOT))
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
