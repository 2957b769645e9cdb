"""Documentation of the leaderboard: commands of units exist, and every address of the API is listed."""

import asyncio
import json
import re
from contextlib import closing

import pytest

from documentation_blocks import check_command, commands_of
from leaderboard_sites import TestSite
from muge_fast.leaderboard.operations.visitor import visit
from source_files import ROOT, read

UNITS = sorted(path.name for path in (ROOT / "docs" / "deploy").iterdir())


@pytest.mark.parametrize("name", UNITS)
def test_commands_of_the_units_exist(name):
    for line in commands_of(read(ROOT / "docs" / "deploy" / name)):
        check_command(line)


def test_commands_of_the_units_are_found():
    assert len(commands_of(read(ROOT / "docs" / "deploy" / "muge-fast-backup.service"))) == 2
    assert len(commands_of(read(ROOT / "docs" / "deploy" / "Containerfile"))) == 1


def test_every_address_of_the_api_is_listed(tmp_path):
    with closing(TestSite(tmp_path)) as site:
        answer = asyncio.run(visit(site.app(), "/api/v1/openapi.json"))
    paths = json.loads(answer.content)["paths"]
    described = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    page = read(ROOT / "docs" / "leaderboard-api.md")
    assert set(re.findall(r"^\| `([A-Z]+ /api/[^`]+)` \|", page, re.MULTILINE)) == described
