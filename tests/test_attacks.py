"""Every attack in ``tests/attacks`` is held within its bounds of memory and time."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "attacks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "run")


@pytest.mark.parametrize("name", NAMES)
def test_the_attack_is_held(name):
    command = [sys.executable, FOLDER / "run.py", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)  # noqa: S603 - our own
    assert done.returncode == 0, (done.returncode, done.stdout[-2000:], done.stderr[-4000:])
