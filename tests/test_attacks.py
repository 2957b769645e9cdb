"""Every attack in ``tests/attacks`` is held within its bounds of memory and time, and the campaign's inputs run."""

import subprocess
import sys
from pathlib import Path

import pytest

from attack_campaign import CLASSES, attempt

FOLDER = Path(__file__).parent / "attacks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "run")


@pytest.mark.parametrize("name", NAMES)
def test_the_attack_is_held(name):
    command = [sys.executable, FOLDER / "run.py", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)  # noqa: S603 - our own
    assert done.returncode == 0, (done.returncode, done.stdout[-2000:], done.stderr[-4000:])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CLASSES)
def test_inputs_of_each_class_of_the_campaign_have_an_outcome(name):
    # The campaign itself tries thousands, in a process with little memory.
    assert all(attempt(name, -2, index) for index in range(4))
