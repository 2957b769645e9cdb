"""Documentation of the leaderboard: every command and option exists, and every address of the API is listed."""

import asyncio
import json
import re
import shlex
from contextlib import closing

import click
import pytest

from leaderboard_sites import TestSite
from muge_fast.cli.main import main
from muge_fast.leaderboard.operations.visitor import visit
from source_files import ROOT, read

PAGES = sorted(path.name for path in (ROOT / "docs").glob("leaderboard*.md"))
UNITS = sorted(path.name for path in (ROOT / "docs" / "deploy").iterdir())


def commands_of(text: str) -> list[str]:
    """Return commands of code blocks and between single backticks, without comments and redirections."""
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lines = [line.partition("  #")[0] for block in blocks for line in block.splitlines()]
    lines += [found.replace("\n", " ") for found in re.findall(r"`(muge-fast [^`]+)`", text)]
    lines += re.findall(r"(?:ExecStart=\S+/|exec )(muge-fast [^\n;\"]+)", text)
    return [line.partition(" > ")[0].strip() for line in lines if line.startswith("muge-fast ")]


def check_command(line: str) -> None:
    """Raise if a command, or one of its options, does not exist."""
    words = [word for word in shlex.split(line)[1:] if word != "…"]
    command, context = main, click.Context(main)
    while words and isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command, context = found, click.Context(found, parent=context)
    options = {name for parameter in command.get_params(context) for name in parameter.opts}
    assert [word for word in words if word.startswith("--") and word.partition("=")[0] not in options] == [], line


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_the_pages_exist(page):
    for line in commands_of(read(ROOT / "docs" / page)):
        check_command(line)


@pytest.mark.parametrize("name", UNITS)
def test_commands_of_the_units_exist(name):
    for line in commands_of(read(ROOT / "docs" / "deploy" / name)):
        check_command(line)


def test_commands_are_found():
    assert len(commands_of(read(ROOT / "docs" / "leaderboard.md"))) > 15
    assert len(commands_of(read(ROOT / "docs" / "deploy" / "muge-fast-backup.service"))) == 2
    assert len(commands_of(read(ROOT / "docs" / "deploy" / "Containerfile"))) == 1
    with pytest.raises(AssertionError):
        check_command("muge-fast board serve --wokers 2")


def test_every_address_of_the_api_is_listed(tmp_path):
    with closing(TestSite(tmp_path)) as site:
        answer = asyncio.run(visit(site.app(), "/api/v1/openapi.json"))
    paths = json.loads(answer.content)["paths"]
    described = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    page = read(ROOT / "docs" / "leaderboard-api.md")
    assert set(re.findall(r"^\| `([A-Z]+ /api/[^`]+)` \|", page, re.MULTILINE)) == described
